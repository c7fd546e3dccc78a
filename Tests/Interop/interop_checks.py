"""What the cases of the grpcio client share: how they are listed, and what they expect."""

import queue

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
