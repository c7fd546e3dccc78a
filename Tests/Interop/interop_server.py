"""grpc.testing.TestService on grpcio, as gRPC's interoperability tests describe it.

Ends on SIGTERM, calls in flight first. Whether a request came compressed is nothing that grpcio tells a service, so
`expect_compressed` is not looked at.
"""

import signal
import threading
import time
from concurrent import futures

import grpc
import interop_stubs

empty, messages, services = interop_stubs.load()
CODES = {code.value[0]: code for code in grpc.StatusCode}
MAX_RESPONSE_BYTES = 64 * 1024 * 1024


def echo_metadata(context):
    for name, value in context.invocation_metadata():
        if name == interop_stubs.ECHO_INITIAL:
            context.send_initial_metadata(((name, value),))
        elif name == interop_stubs.ECHO_TRAILING:
            context.set_trailing_metadata(((name, value),))


def payload(size, context):
    if not 0 <= size <= MAX_RESPONSE_BYTES:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the size of the response is out of range")
    return messages.Payload(body=bytes(size))


def end_as_asked(request, context):
    if request.response_status.code != 0:
        context.abort(CODES[request.response_status.code], request.response_status.message)


class Service(services.TestServiceServicer):
    def EmptyCall(self, request, context):
        echo_metadata(context)
        return empty.Empty()

    def UnaryCall(self, request, context):
        if request.HasField("response_compressed"):
            context.set_compression(
                grpc.Compression.Gzip if request.response_compressed.value else grpc.Compression.NoCompression)
        echo_metadata(context)
        end_as_asked(request, context)
        return messages.SimpleResponse(payload=payload(request.response_size, context))

    def StreamingOutputCall(self, request, context):
        if any(parameters.HasField("compressed") for parameters in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        echo_metadata(context)
        yield from self.answers(request, context)

    def StreamingInputCall(self, request_iterator, context):
        echo_metadata(context)
        total = sum(len(request.payload.body) for request in request_iterator)
        return messages.StreamingInputCallResponse(aggregated_payload_size=total)

    def FullDuplexCall(self, request_iterator, context):
        echo_metadata(context)
        for request in request_iterator:
            end_as_asked(request, context)
            yield from self.answers(request, context)

    def HalfDuplexCall(self, request_iterator, context):
        echo_metadata(context)
        for request in list(request_iterator):
            yield from self.answers(request, context)

    @staticmethod
    def answers(request, context):
        for parameters in request.response_parameters:
            wake = time.monotonic() + parameters.interval_us / 1e6
            while (left := wake - time.monotonic()) > 0:
                if not context.is_active():
                    return
                time.sleep(min(left, 0.02))
            if parameters.HasField("compressed") and not parameters.compressed.value:
                context.disable_next_message_compression()
            yield messages.StreamingOutputCallResponse(payload=payload(parameters.size, context))


def main():
    parser = interop_stubs.arguments(__doc__)
    parser.add_argument("--listen", required=True, help="unix:PATH or unix-abstract:NAME")
    address = parser.parse_args().listen
    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=64),
        options=[
            *interop_stubs.METADATA_LIMITS,
            ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
            # Pings as often as tests need them; gRPC's default is one in five minutes.
            ("grpc.http2.min_ping_interval_without_data_ms", 100),
            ("grpc.keepalive_permit_without_calls", 1),
        ])
    services.add_TestServiceServicer_to_server(Service(), server)
    server.add_insecure_port(address)
    server.start()
    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    # What starts this program may have them blocked, as threads of libdispatch have.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    print(f"serving on {address}", flush=True)
    asked_to_stop.wait()
    server.stop(grace=10).wait()


if __name__ == "__main__":
    main()
