"""grpc.testing.TestService on grpclib, as gRPC's interoperability tests describe it.

Ends on SIGTERM, calls in flight first: grpclib itself has no end but a sudden one, and sends no GOAWAY. It compresses
nothing, and takes nothing compressed.
"""

import asyncio
import contextlib
import signal

import interop_stubs
from grpclib import GRPCError, Status
from grpclib.server import Server

empty, messages, services = interop_stubs.load("grpclib_python", "test_grpc")
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
DRAIN_TIME = 10


def payload(size):
    if not 0 <= size <= MAX_RESPONSE_BYTES:
        raise GRPCError(Status.INVALID_ARGUMENT, "the size of the response is out of range")
    return messages.Payload(body=bytes(size))


def end_as_asked(request):
    if request.response_status.code != 0:
        raise GRPCError(Status(request.response_status.code), request.response_status.message)


async def answer(request, stream):
    for parameters in request.response_parameters:
        await asyncio.sleep(parameters.interval_us / 1e6)
        await stream.send_message(messages.StreamingOutputCallResponse(payload=payload(parameters.size)))


class Service(services.TestServiceBase):
    def __init__(self):
        self.running = 0

    @contextlib.asynccontextmanager
    async def echoing(self, stream):
        """Sends back what the caller asked to have echoed, before the messages and after them."""
        self.running += 1
        try:
            if interop_stubs.ECHO_INITIAL in stream.metadata:
                value = stream.metadata[interop_stubs.ECHO_INITIAL]
                await stream.send_initial_metadata(metadata={interop_stubs.ECHO_INITIAL: value})
            yield
            if interop_stubs.ECHO_TRAILING in stream.metadata:
                value = stream.metadata[interop_stubs.ECHO_TRAILING]
                await stream.send_trailing_metadata(metadata={interop_stubs.ECHO_TRAILING: value})
        finally:
            self.running -= 1

    async def EmptyCall(self, stream):
        await stream.recv_message()
        async with self.echoing(stream):
            await stream.send_message(empty.Empty())

    async def UnaryCall(self, stream):
        request = await stream.recv_message()
        async with self.echoing(stream):
            end_as_asked(request)
            await stream.send_message(messages.SimpleResponse(payload=payload(request.response_size)))

    async def CacheableUnaryCall(self, stream):
        await self.UnaryCall(stream)

    async def StreamingOutputCall(self, stream):
        request = await stream.recv_message()
        async with self.echoing(stream):
            await answer(request, stream)

    async def StreamingInputCall(self, stream):
        async with self.echoing(stream):
            total = 0
            async for request in stream:
                total += len(request.payload.body)
            await stream.send_message(messages.StreamingInputCallResponse(aggregated_payload_size=total))

    async def FullDuplexCall(self, stream):
        async with self.echoing(stream):
            async for request in stream:
                end_as_asked(request)
                await answer(request, stream)

    async def HalfDuplexCall(self, stream):
        async with self.echoing(stream):
            for request in [request async for request in stream]:
                await answer(request, stream)

    async def UnimplementedCall(self, stream):
        raise GRPCError(Status.UNIMPLEMENTED, "this method is not to be served")

    async def drained(self):
        while self.running > 0:
            await asyncio.sleep(0.02)


async def serve(address):
    kind, _, name = address.partition(":")
    service = Service()
    server = Server([service])
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    # What starts this program may have them blocked, as threads of libdispatch have.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    await server.start(path="\0" + name if kind == "unix-abstract" else name)
    print(f"serving on {address}", flush=True)
    await stopping.wait()
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(service.drained(), DRAIN_TIME)
    server.close()
    # What is left of it is cancelled.
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(server.wait_closed(), 2)


def main():
    parser = interop_stubs.arguments(__doc__)
    parser.add_argument("--listen", required=True, help="unix:PATH or unix-abstract:NAME")
    asyncio.run(serve(parser.parse_args().listen))


if __name__ == "__main__":
    main()
