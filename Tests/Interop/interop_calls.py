"""The cases of what is beside the messages: metadata, statuses, cancellation, deadlines, and connections that last."""

import concurrent.futures
import time

import grpc
import interop_stubs
from interop_checks import (
    LARGE_REQUEST, LARGE_RESPONSE, PATIENCE, Requests, case, empty, expect, expect_status, expect_zeros, large_request,
    messages, open_channel, output_request, services, stub, zeros)


def expect_echoed(call, initial, trailing):
    expect(dict(call.initial_metadata()).get(interop_stubs.ECHO_INITIAL) == initial, "initial metadata is not the same")
    expect(
        dict(call.trailing_metadata()).get(interop_stubs.ECHO_TRAILING) == trailing,
        "trailing metadata is not the same")


def echo_metadata(target, initial, trailing):
    """A unary call and a stream that carry the two values, and get them back."""
    service = stub(target)
    metadata = ((interop_stubs.ECHO_INITIAL, initial), (interop_stubs.ECHO_TRAILING, trailing))
    answer, call = service.UnaryCall.with_call(large_request(), metadata=metadata, **PATIENCE)
    expect_zeros(answer.payload, LARGE_RESPONSE)
    expect_echoed(call, initial, trailing)
    request = output_request([LARGE_RESPONSE], zeros(LARGE_REQUEST))
    stream = service.FullDuplexCall(iter([request]), metadata=metadata, **PATIENCE)
    answers = list(stream)
    expect(len(answers) == 1, f"{len(answers)} answers instead of 1")
    expect_zeros(answers[0].payload, LARGE_RESPONSE)
    expect_echoed(stream, initial, trailing)


@case
def custom_metadata(target):
    echo_metadata(target, "test_initial_metadata_value", b"\xab\xab\xab")


@case
def large_metadata(target):
    # 6 KiB of text and 2 KiB of base64: 8 KiB each way.
    echo_metadata(target, "m" * 6144, bytes(index * 7 % 256 for index in range(1536)))


@case
def binary_metadata(target):
    # Every remainder of base64's groups of three, and every byte.
    for length in range(1, 7):
        echo_metadata(target, "text", bytes(range(0xFA, 0xFA + length)))
    echo_metadata(target, "text", bytes(range(256)))


def expect_echoed_status(target, message):
    service = stub(target)
    status = messages.EchoStatus(code=2, message=message)
    for what, call, argument in (
        ("the unary call", service.UnaryCall, messages.SimpleRequest(response_status=status)),
        ("the stream", service.FullDuplexCall, iter([output_request([], response_status=status)])),
    ):
        error = expect_status(grpc.StatusCode.UNKNOWN, what, call, argument)
        expect(error.details() == message, f"{what}'s message came as {error.details()!r}")


@case
def status_code_and_message(target):
    expect_echoed_status(target, "test status message")


@case
def special_status_message(target):
    expect_echoed_status(target, "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n")


@case
def unimplemented_method(target):
    expect_status(grpc.StatusCode.UNIMPLEMENTED, "the call", stub(target).UnimplementedCall, empty.Empty())


@case
def unimplemented_service(target):
    service = services.UnimplementedServiceStub(open_channel(target))
    expect_status(grpc.StatusCode.UNIMPLEMENTED, "the call", service.UnimplementedCall, empty.Empty())


@case
def cancel_after_begin(target):
    requests = Requests()
    call = stub(target).StreamingInputCall.future(iter(requests), **PATIENCE)
    call.cancel()
    requests.finish()
    expect(call.cancelled(), "the call was not cancelled")
    expect(call.code() == grpc.StatusCode.CANCELLED, f"the call ended with {call.code()}")


@case
def cancel_after_first_response(target):
    requests = Requests()
    call = stub(target).FullDuplexCall(iter(requests), **PATIENCE)
    requests.send(output_request([31415], zeros(27182)))
    expect_zeros(next(call).payload, 31415)
    call.cancel()
    requests.finish()
    expect_status(grpc.StatusCode.CANCELLED, "the call", lambda **_: call)


@case
def timeout_on_sleeping_server(target):
    requests = Requests()
    requests.send(output_request([], zeros(27182)))
    expect_status(
        grpc.StatusCode.DEADLINE_EXCEEDED, "the call", stub(target).FullDuplexCall, iter(requests), timeout=0.001)
    requests.finish()


@case
def deadline_in_stream(target):
    # The deadline passes between two answers.
    request = output_request([10, 10])
    request.response_parameters[1].interval_us = 20_000_000
    began = time.monotonic()
    call = stub(target).StreamingOutputCall(request, timeout=0.5, wait_for_ready=True)
    expect(len(next(call).payload.body) == 10, "no answer before the deadline")
    expect_status(grpc.StatusCode.DEADLINE_EXCEEDED, "the call", lambda **_: call)
    expect(time.monotonic() - began < 10, "the deadline was overslept")


@case
def slow_stream(target):
    # The second answer comes as much later as was asked for.
    request = output_request([10, 20])
    request.response_parameters[1].interval_us = 1_000_000
    answers = stub(target).StreamingOutputCall(request, **PATIENCE)
    expect_zeros(next(answers).payload, 10)
    began = time.monotonic()
    expect_zeros(next(answers).payload, 20)
    expect(time.monotonic() - began > 0.9, "the second answer came early")
    expect(next(answers, None) is None, "more than two answers")


def soak_once(service):
    began = time.monotonic()
    expect_zeros(service.UnaryCall(large_request(), **PATIENCE).payload, LARGE_RESPONSE)
    expect(time.monotonic() - began < 15, "a call took too long")


@case
def rpc_soak(target):
    service = stub(target)
    for _ in range(100):
        soak_once(service)


@case
def channel_soak(target):
    for _ in range(25):
        with open_channel(target) as channel:
            soak_once(services.TestServiceStub(channel))


@case
def concurrent_large_unary(target):
    service = stub(target)
    with concurrent.futures.ThreadPoolExecutor(32) as threads:
        list(threads.map(lambda _: soak_once(service), range(200)))


@case
def keepalive(target):
    # A connection that pings twice a second lives through a quiet stream, and through a time without calls.
    channel = open_channel(
        target, ("grpc.keepalive_time_ms", 500), ("grpc.keepalive_timeout_ms", 2000),
        ("grpc.keepalive_permit_without_calls", 1), ("grpc.http2.max_pings_without_data", 0))
    states = []
    channel.subscribe(states.append)
    service = services.TestServiceStub(channel)
    request = output_request([10, 10])
    request.response_parameters[1].interval_us = 2_500_000
    expect(len(list(service.StreamingOutputCall(request, **PATIENCE))) == 2, "the quiet stream was cut off")
    time.sleep(1.5)  # the quiet time itself
    service.EmptyCall(empty.Empty(), **PATIENCE)
    after = states[states.index(grpc.ChannelConnectivity.READY):]
    expect(after == [grpc.ChannelConnectivity.READY], f"the connection did not stay: {after}")
