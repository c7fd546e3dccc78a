"""What the cases of the grpclib client share: how they are listed, and what they expect."""

import asyncio
import contextlib

import interop_stubs
from grpclib import GRPCError, Status
from grpclib.client import Channel

empty, messages, services = interop_stubs.load("grpclib_python", "test_grpc")
LARGE_REQUEST, LARGE_RESPONSE = 271828, 314159
REQUEST_SIZES, RESPONSE_SIZES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
PATIENCE = 20
CASES = {}


class Failure(Exception):
    pass


def case(function):
    CASES[function.__name__] = function
    return function


def expect(condition, what):
    if not condition:
        raise Failure(what)


@contextlib.asynccontextmanager
async def stub(target, config=None):
    """A client with a connection of its own."""
    kind, _, name = target.partition(":")
    async with Channel(path="\0" + name if kind == "unix-abstract" else name, config=config) as channel:
        yield services.TestServiceStub(channel)


@contextlib.contextmanager
def expect_status(code, what):
    """What is called inside must end with `code`; the error is in the list that is given."""
    errors = []
    try:
        yield errors
    except GRPCError as error:
        expect(error.status == code, f"{what} ended with {error.status} {error.message!r} instead of {code}")
        errors.append(error)
    except asyncio.TimeoutError:
        expect(code == Status.DEADLINE_EXCEEDED, f"{what} ran into its deadline instead of {code}")
    else:
        raise Failure(f"{what} ended well instead of with {code}")


def zeros(size):
    return messages.Payload(body=bytes(size))


def large_request():
    return messages.SimpleRequest(response_size=LARGE_RESPONSE, payload=zeros(LARGE_REQUEST))


def expect_zeros(payload, size):
    expect(len(payload.body) == size, f"a payload of {len(payload.body)} bytes instead of {size}")
    expect(payload.body.count(0) == size, "a payload that is not all zeros")


def output_request(sizes, payload=None, **fields):
    return messages.StreamingOutputCallRequest(
        response_parameters=[messages.ResponseParameters(size=size) for size in sizes], payload=payload, **fields)
