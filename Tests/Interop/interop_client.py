"""The cases of gRPC's interoperability tests on grpcio, and a few of our own; see README.md.

Prints PASS or FAIL for each. Whether an answer came compressed is nothing that grpcio tells a caller: the two cases of
compressed answers check the answers alone.
"""

import concurrent.futures
import queue
import sys
import time

import grpc
import interop_stubs

empty, messages, services = interop_stubs.load()
LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
REQUEST_SIZES, RESPONSE_SIZES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
PATIENCE = {"timeout": 20, "wait_for_ready": True}
CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


class Failure(Exception):
    pass


def expect(condition, what):
    if not condition:
        raise Failure(what)


def expect_status(code, what, call, *arguments, **options):
    """Makes a call that must end with `code`, and returns the error."""
    try:
        answer = call(*arguments, **{**PATIENCE, **options})
        if hasattr(answer, "__next__"):
            for _ in answer:
                pass
    except grpc.RpcError as error:
        expect(error.code() == code, f"{what} ended with {error.code()} {error.details()!r} instead of {code}")
        return error
    raise Failure(f"{what} ended well instead of with {code}")


def open_channel(target, *options):
    return grpc.insecure_channel(
        target, options=[*interop_stubs.METADATA_LIMITS, ("grpc.use_local_subchannel_pool", 1), *options])


def stub(target):
    return services.TestServiceStub(open_channel(target))


def zeros(size):
    return messages.Payload(body=bytes(size))


def flag(value):
    return messages.BoolValue(value=value)


def large_request(**fields):
    return messages.SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST), **fields)


def expect_zeros(payload, size):
    expect(len(payload.body) == size, f"a payload of {len(payload.body)} bytes instead of {size}")
    expect(payload.body.count(0) == size, "a payload that is not all zeros")


def output_request(sizes, payload=None, **fields):
    return messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=size) for size in sizes], payload=payload, **fields)


class Requests:
    """An iterator of requests that are put in while the call goes on."""

    def __init__(self):
        self.waiting = queue.Queue()

    def send(self, request):
        self.waiting.put(request)

    def finish(self):
        self.waiting.put(None)

    def __iter__(self):
        return iter(self.waiting.get, None)


@case
def empty_unary(target):
    answer = stub(target).EmptyCall(empty.Empty(), **PATIENCE)
    expect(answer.ByteSize() == 0, "the answer is not empty")


@case
def large_unary(target):
    expect_zeros(stub(target).UnaryCall(large_request(), **PATIENCE).payload, LARGE_RESPONSE)


@case
def client_compressed_unary(target):
    call = stub(target).UnaryCall
    expect_status(
        grpc.StatusCode.INVALID_ARGUMENT, "the probe", call, large_request(expect_compressed=flag(True)))
    for compression, compressed in ((grpc.Compression.Gzip, True), (grpc.Compression.NoCompression, False)):
        answer = call(large_request(expect_compressed=flag(compressed)), compression=compression, **PATIENCE)
        expect_zeros(answer.payload, LARGE_RESPONSE)


@case
def server_compressed_unary(target):
    call = stub(target).UnaryCall
    for compressed in (True, False):
        answer = call(large_request(response_compressed=flag(compressed)), **PATIENCE)
        expect_zeros(answer.payload, LARGE_RESPONSE)


@case
def client_streaming(target):
    requests = (messages.StreamingInputCallRequest(payload=zeros(size)) for size in REQUEST_SIZES)
    answer = stub(target).StreamingInputCall(requests, **PATIENCE)
    expect(answer.aggregated_payload_size == 74922, f"a sum of {answer.aggregated_payload_size} instead of 74922")


@case
def client_compressed_streaming(target):
    # grpcio compresses all requests of a call or none, so the two requests travel in a call each.
    def request(size, compressed):
        return messages.StreamingInputCallRequest(payload=zeros(size), expect_compressed=flag(compressed))

    call = stub(target).StreamingInputCall
    expect_status(grpc.StatusCode.INVALID_ARGUMENT, "the probe", call, iter([request(27182, True)]))
    for compression, size in ((grpc.Compression.Gzip, 27182), (grpc.Compression.NoCompression, 45904)):
        requests = iter([request(size, compression is grpc.Compression.Gzip)])
        answer = call(requests, compression=compression, **PATIENCE)
        expect(answer.aggregated_payload_size == size, f"a sum of {answer.aggregated_payload_size} instead of {size}")


@case
def server_streaming(target):
    answers = list(stub(target).StreamingOutputCall(output_request(RESPONSE_SIZES), **PATIENCE))
    expect(len(answers) == 4, f"{len(answers)} answers instead of 4")
    for answer, size in zip(answers, RESPONSE_SIZES):
        expect_zeros(answer.payload, size)


@case
def server_compressed_streaming(target):
    wanted = ((True, 31415), (False, 92653))
    request = messages.StreamingOutputCallRequest(response_parameters=[
        messages.ResponseParameters(size=size, compressed=flag(compressed)) for compressed, size in wanted])
    answers = list(stub(target).StreamingOutputCall(request, **PATIENCE))
    expect(len(answers) == 2, f"{len(answers)} answers instead of 2")
    for answer, (_, size) in zip(answers, wanted):
        expect_zeros(answer.payload, size)


@case
def ping_pong(target):
    requests = Requests()
    answers = stub(target).FullDuplexCall(iter(requests), **PATIENCE)
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        requests.send(output_request([response_size], zeros(request_size)))
        expect_zeros(next(answers).payload, response_size)
    requests.finish()
    expect(next(answers, None) is None, "more than four answers")


@case
def empty_stream(target):
    expect(list(stub(target).FullDuplexCall(iter([]), **PATIENCE)) == [], "an answer to nothing")


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
    expect(time.monotonic() - began < 5, "a call took too long")


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
def max_message_size(target):
    # A client that takes 1,000 bytes refuses a longer answer, and one that takes 8 MiB gets it.
    for limit in (1000, 8 * 1024 * 1024):
        service = services.TestServiceStub(open_channel(target, ("grpc.max_receive_message_length", limit)))
        for size in (500, 6 * 1024 * 1024):
            request = messages.SimpleRequest(response_size=size)
            if size > limit:
                expect_status(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{size} bytes", service.UnaryCall, request)
            else:
                expect_zeros(service.UnaryCall(request, **PATIENCE).payload, size)


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
            body(options.target)
            print(f"PASS {name}", flush=True)
        except (Failure, grpc.RpcError, StopIteration) as error:
            failed += 1
            print(f"FAIL {name}: {' '.join(str(error).split())}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
