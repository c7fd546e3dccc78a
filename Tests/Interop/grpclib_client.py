"""The cases of gRPC's interoperability tests on grpclib, and a few of our own; see README.md.

grpclib has no compression, so the cases of it are not here; and it neither bounds the length of a response nor tells a
caller anything after its own cancellation, so those cases are shorter.
"""

import asyncio
import contextlib
import sys
import time

import interop_stubs
from grpclib import GRPCError, Status
from grpclib.config import Configuration
from grpclib.exceptions import StreamTerminatedError
from grpclib_checks import (
    CASES, LARGE_REQUEST, LARGE_RESPONSE, PATIENCE, REQUEST_SIZES, RESPONSE_SIZES, Failure, case, empty, expect,
    expect_status, expect_zeros, large_request, messages, output_request, services, stub, zeros)


@case
async def empty_unary(target):
    async with stub(target) as service:
        answer = await service.EmptyCall(empty.Empty(), timeout=PATIENCE)
        expect(answer.ByteSize() == 0, "the answer is not empty")


async def call_once(service):
    began = time.monotonic()
    answer = await service.UnaryCall(large_request(), timeout=PATIENCE)
    expect_zeros(answer.payload, LARGE_RESPONSE)
    return time.monotonic() - began


@case
async def large_unary(target):
    async with stub(target) as service:
        await call_once(service)


@case
async def max_message_size(target):
    async with stub(target) as service:
        for size in (500, 6 * 1024 * 1024):
            answer = await service.UnaryCall(messages.SimpleRequest(response_size=size), timeout=PATIENCE)
            expect_zeros(answer.payload, size)


@case
async def client_streaming(target):
    requests = [messages.StreamingInputCallRequest(payload=zeros(size)) for size in REQUEST_SIZES]
    async with stub(target) as service:
        answer = await service.StreamingInputCall(requests, timeout=PATIENCE)
    expect(answer.aggregated_payload_size == 74922, f"a sum of {answer.aggregated_payload_size} instead of 74922")


@case
async def server_streaming(target):
    async with stub(target) as service:
        answers = await service.StreamingOutputCall(output_request(RESPONSE_SIZES), timeout=PATIENCE)
    expect(len(answers) == 4, f"{len(answers)} answers instead of 4")
    for answer, size in zip(answers, RESPONSE_SIZES):
        expect_zeros(answer.payload, size)


@case
async def ping_pong(target):
    async with stub(target) as service, service.FullDuplexCall.open(timeout=PATIENCE) as stream:
        for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
            await stream.send_message(output_request([response_size], zeros(request_size)))
            expect_zeros((await stream.recv_message()).payload, response_size)
        await stream.end()
        expect(await stream.recv_message() is None, "more than four answers")


@case
async def empty_stream(target):
    async with stub(target) as service:
        expect(await service.FullDuplexCall([], timeout=PATIENCE) == [], "an answer to nothing")


def expect_echoed(stream, initial, trailing):
    expect(
        stream.initial_metadata.get(interop_stubs.ECHO_INITIAL) == initial, "initial metadata is not the same")
    expect(
        stream.trailing_metadata.get(interop_stubs.ECHO_TRAILING) == trailing, "trailing metadata is not the same")


async def echo_metadata(target, initial, trailing):
    """A unary call and a stream that carry the two values, and get them back."""
    metadata = {interop_stubs.ECHO_INITIAL: initial, interop_stubs.ECHO_TRAILING: trailing}
    async with stub(target) as service:
        for method, request in (
            (service.UnaryCall, large_request()),
            (service.FullDuplexCall, output_request([LARGE_RESPONSE], zeros(LARGE_REQUEST))),
        ):
            async with method.open(timeout=PATIENCE, metadata=metadata) as stream:
                await stream.send_message(request, end=True)
                expect_zeros((await stream.recv_message()).payload, LARGE_RESPONSE)
                expect(await stream.recv_message() is None, "more than one answer")
                await stream.recv_trailing_metadata()
                expect_echoed(stream, initial, trailing)


@case
async def custom_metadata(target):
    await echo_metadata(target, "test_initial_metadata_value", b"\xab\xab\xab")


@case
async def large_metadata(target):
    # 6 KiB of text and 2 KiB of base64: 8 KiB each way.
    await echo_metadata(target, "m" * 6144, bytes(index * 7 % 256 for index in range(1536)))


@case
async def binary_metadata(target):
    # Every remainder of base64's groups of three, and every byte.
    for length in range(1, 7):
        await echo_metadata(target, "text", bytes(range(0xFA, 0xFA + length)))
    await echo_metadata(target, "text", bytes(range(256)))


async def expect_echoed_status(target, message):
    status = messages.EchoStatus(code=2, message=message)
    async with stub(target) as service:
        for what, call, request in (
            ("the unary call", service.UnaryCall, messages.SimpleRequest(response_status=status)),
            ("the stream", service.FullDuplexCall, [output_request([], response_status=status)]),
        ):
            with expect_status(Status.UNKNOWN, what) as errors:
                await call(request, timeout=PATIENCE)
            expect(errors[0].message == message, f"{what}'s message came as {errors[0].message!r}")


@case
async def status_code_and_message(target):
    await expect_echoed_status(target, "test status message")


@case
async def special_status_message(target):
    await expect_echoed_status(target, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")


@case
async def unimplemented_method(target):
    async with stub(target) as service:
        with expect_status(Status.UNIMPLEMENTED, "the call"):
            await service.UnimplementedCall(empty.Empty(), timeout=PATIENCE)


@case
async def unimplemented_service(target):
    async with stub(target) as service:
        other = services.UnimplementedServiceStub(service.EmptyCall.channel)
        with expect_status(Status.UNIMPLEMENTED, "the call"):
            await other.UnimplementedCall(empty.Empty(), timeout=PATIENCE)


async def expect_cancelled(target, before):
    """The call is over for its caller once it is cancelled, and the connection goes on."""
    async with stub(target) as service:
        with contextlib.suppress(StreamTerminatedError):
            async with service.FullDuplexCall.open(timeout=PATIENCE) as stream:
                await before(stream)
                await stream.cancel()
        await service.EmptyCall(empty.Empty(), timeout=PATIENCE)


@case
async def cancel_after_begin(target):
    await expect_cancelled(target, lambda stream: stream.send_request())


@case
async def cancel_after_first_response(target):
    async def one_response(stream):
        await stream.send_message(output_request([31415], zeros(27182)))
        expect_zeros((await stream.recv_message()).payload, 31415)

    await expect_cancelled(target, one_response)


@case
async def timeout_on_sleeping_server(target):
    async with stub(target) as service:
        with expect_status(Status.DEADLINE_EXCEEDED, "the call"):
            async with service.FullDuplexCall.open(timeout=0.001) as stream:
                await stream.send_message(output_request([], zeros(27182)))
                await stream.recv_message()


@case
async def deadline_in_stream(target):
    # The deadline passes between two answers.
    request = output_request([10, 10])
    request.response_parameters[1].interval_us = 20_000_000
    began = time.monotonic()
    async with stub(target) as service:
        with expect_status(Status.DEADLINE_EXCEEDED, "the call"):
            async with service.StreamingOutputCall.open(timeout=0.5) as stream:
                await stream.send_message(request, end=True)
                expect_zeros((await stream.recv_message()).payload, 10)
                await stream.recv_message()
    expect(time.monotonic() - began < 10, "the deadline was overslept")


@case
async def slow_stream(target):
    # The second answer comes as much later as was asked for.
    request = output_request([10, 20])
    request.response_parameters[1].interval_us = 1_000_000
    async with stub(target) as service, service.StreamingOutputCall.open(timeout=PATIENCE) as stream:
        await stream.send_message(request, end=True)
        expect_zeros((await stream.recv_message()).payload, 10)
        began = time.monotonic()
        expect_zeros((await stream.recv_message()).payload, 20)
        expect(time.monotonic() - began > 0.9, "the second answer came early")
        expect(await stream.recv_message() is None, "more than two answers")


@case
async def rpc_soak(target):
    async with stub(target) as service:
        for _ in range(100):
            expect(await call_once(service) < 15, "a call took too long")


@case
async def channel_soak(target):
    for _ in range(25):
        async with stub(target) as service:
            expect(await call_once(service) < 15, "a call took too long")


@case
async def concurrent_large_unary(target):
    places = asyncio.Semaphore(32)

    async def one(service):
        async with places:
            await call_once(service)

    async with stub(target) as service:
        await asyncio.gather(*(one(service) for _ in range(200)))


@case
async def keepalive(target):
    # A connection that pings twice a second lives through a quiet stream, and through a time without calls.
    config = Configuration(
        _keepalive_time=0.5, _keepalive_timeout=2.0, _keepalive_permit_without_calls=True,
        _http2_max_pings_without_data=0, _http2_min_sent_ping_interval_without_data=0.1)
    request = output_request([10, 10])
    request.response_parameters[1].interval_us = 2_500_000
    async with stub(target, config) as service:
        answers = await service.StreamingOutputCall(request, timeout=PATIENCE)
        expect(len(answers) == 2, "the quiet stream was cut off")
        await asyncio.sleep(1.5)  # the quiet time itself
        await service.EmptyCall(empty.Empty(), timeout=PATIENCE)


def main():
    parser = interop_stubs.arguments(__doc__)
    parser.add_argument("--target", help="unix:PATH or unix-abstract:NAME")
    parser.add_argument("--case", default="all", choices=["all", *CASES], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return 0
    if not options.target:
        parser.error("--target is needed")
    failed = 0
    for name, body in CASES.items():
        if options.case not in ("all", name):
            continue
        try:
            asyncio.run(body(options.target))
            print(f"PASS {name}", flush=True)
        except (Failure, GRPCError, StreamTerminatedError, asyncio.TimeoutError, OSError) as error:
            failed += 1
            print(f"FAIL {name}: {type(error).__name__} {' '.join(str(error).split())}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
