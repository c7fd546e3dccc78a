"""The cases of messages: one or many each way, compressed or not."""

import grpc
from interop_checks import (
    LARGE_RESPONSE, PATIENCE, REQUEST_SIZES, RESPONSE_SIZES, Requests, case, empty, expect, expect_status, expect_zeros,
    flag, large_request, messages, open_channel, output_request, services, stub, zeros)


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
