// Cases of many requests, many answers, and calls that end early.
#include "interop_client.h"

namespace interop {
namespace {

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using namespace grpc::testing;

const std::vector<int> request_sizes = {27182, 8, 1828, 45904};
const std::vector<int> response_sizes = {31415, 9, 2653, 58979};

StreamingOutputCallRequest ask(int request_size, int response_size) {
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(response_size);
  fill(*request.mutable_payload(), static_cast<size_t>(request_size));
  return request;
}

void client_streaming(const std::string& target) {
  ClientContext context;
  patience(context);
  StreamingInputCallResponse response;
  auto service = stub(target);
  auto stream = service->StreamingInputCall(&context, &response);
  for (int size : request_sizes) {
    StreamingInputCallRequest request;
    fill(*request.mutable_payload(), static_cast<size_t>(size));
    expect(stream->Write(request), "the stream takes no more requests");
  }
  stream->WritesDone();
  expect_ok(stream->Finish(), "the call");
  expect(
      response.aggregated_payload_size() == 74922,
      "a sum of " + std::to_string(response.aggregated_payload_size()) + " instead of 74922");
}

StreamingInputCallRequest announced(int size, bool compressed) {
  StreamingInputCallRequest request;
  request.mutable_expect_compressed()->set_value(compressed);
  fill(*request.mutable_payload(), static_cast<size_t>(size));
  return request;
}

void client_compressed_streaming(const std::string& target) {
  auto service = stub(target);
  grpc::WriteOptions uncompressed;
  uncompressed.set_no_compression();
  {
    ClientContext probe;
    patience(probe);
    probe.set_compression_algorithm(GRPC_COMPRESS_GZIP);
    StreamingInputCallResponse response;
    auto stream = service->StreamingInputCall(&probe, &response);
    stream->Write(announced(27182, true), uncompressed);
    stream->WritesDone();
    expect_status(stream->Finish(), StatusCode::INVALID_ARGUMENT, "the probe");
  }
  ClientContext context;
  patience(context);
  context.set_compression_algorithm(GRPC_COMPRESS_GZIP);
  StreamingInputCallResponse response;
  auto stream = service->StreamingInputCall(&context, &response);
  expect(stream->Write(announced(27182, true)), "the stream takes no compressed request");
  expect(stream->Write(announced(45904, false), uncompressed), "the stream takes no uncompressed request");
  stream->WritesDone();
  expect_ok(stream->Finish(), "the call");
  expect(response.aggregated_payload_size() == 73086, "the sum is not 73086");
}

void server_streaming(const std::string& target) {
  ClientContext context;
  patience(context);
  StreamingOutputCallRequest request;
  for (int size : response_sizes) request.add_response_parameters()->set_size(size);
  auto service = stub(target);
  auto stream = service->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  for (int size : response_sizes) {
    expect(stream->Read(&response), "fewer than four answers");
    expect_zeros(response.payload(), static_cast<size_t>(size));
  }
  expect(!stream->Read(&response), "more than four answers");
  expect_ok(stream->Finish(), "the call");
}

void server_compressed_streaming(const std::string& target) {
  ClientContext context;
  patience(context);
  const std::vector<std::pair<bool, int>> wanted = {{true, 31415}, {false, 92653}};
  StreamingOutputCallRequest request;
  for (auto [compressed, size] : wanted) {
    auto* parameters = request.add_response_parameters();
    parameters->mutable_compressed()->set_value(compressed);
    parameters->set_size(size);
  }
  auto service = stub(target);
  auto stream = service->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  for (auto [compressed, size] : wanted) {
    expect(stream->Read(&response), "fewer than two answers");
    expect(came_compressed(context) == compressed, "an answer's compression is not what was asked for");
    expect_zeros(response.payload(), static_cast<size_t>(size));
  }
  expect(!stream->Read(&response), "more than two answers");
  expect_ok(stream->Finish(), "the call");
}

void ping_pong(const std::string& target) {
  ClientContext context;
  patience(context);
  auto service = stub(target);
  auto stream = service->FullDuplexCall(&context);
  StreamingOutputCallResponse response;
  for (size_t index = 0; index < request_sizes.size(); ++index) {
    expect(stream->Write(ask(request_sizes[index], response_sizes[index])), "the stream takes no more requests");
    expect(stream->Read(&response), "the stream gives no more answers");
    expect_zeros(response.payload(), static_cast<size_t>(response_sizes[index]));
  }
  stream->WritesDone();
  expect(!stream->Read(&response), "more than four answers");
  expect_ok(stream->Finish(), "the call");
}

void empty_stream(const std::string& target) {
  ClientContext context;
  patience(context);
  auto service = stub(target);
  auto stream = service->FullDuplexCall(&context);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  expect(!stream->Read(&response), "an answer to nothing");
  expect_ok(stream->Finish(), "the call");
}

void cancel_after_begin(const std::string& target) {
  ClientContext context;
  patience(context);
  StreamingInputCallResponse response;
  auto service = stub(target);
  auto stream = service->StreamingInputCall(&context, &response);
  context.TryCancel();
  expect_status(stream->Finish(), StatusCode::CANCELLED, "the call");
}

void cancel_after_first_response(const std::string& target) {
  ClientContext context;
  patience(context);
  auto service = stub(target);
  auto stream = service->FullDuplexCall(&context);
  expect(stream->Write(ask(27182, 31415)), "the stream takes no request");
  StreamingOutputCallResponse response;
  expect(stream->Read(&response), "the stream gives no answer");
  expect_zeros(response.payload(), 31415);
  context.TryCancel();
  while (stream->Read(&response)) {
  }
  expect_status(stream->Finish(), StatusCode::CANCELLED, "the call");
}

void timeout_on_sleeping_server(const std::string& target) {
  ClientContext context;
  patience(context, std::chrono::milliseconds(1));
  auto service = stub(target);
  auto stream = service->FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  fill(*request.mutable_payload(), 27182);
  stream->Write(request);
  StreamingOutputCallResponse response;
  while (stream->Read(&response)) {
  }
  expect_status(stream->Finish(), StatusCode::DEADLINE_EXCEEDED, "the call");
}

// The deadline passes between two answers of a stream.
void deadline_in_stream(const std::string& target) {
  ClientContext context;
  patience(context, std::chrono::milliseconds(500));
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(10);
  auto* late = request.add_response_parameters();
  late->set_size(10);
  late->set_interval_us(20'000'000);
  auto service = stub(target);
  auto began = std::chrono::steady_clock::now();
  auto stream = service->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  expect(stream->Read(&response), "no answer before the deadline");
  expect(!stream->Read(&response), "an answer after the deadline");
  expect_status(stream->Finish(), StatusCode::DEADLINE_EXCEEDED, "the call");
  expect(std::chrono::steady_clock::now() - began < std::chrono::seconds(10), "the deadline was overslept");
}

// The second answer comes as much later as was asked for.
void slow_stream(const std::string& target) {
  ClientContext context;
  patience(context);
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(10);
  auto* later = request.add_response_parameters();
  later->set_size(20);
  later->set_interval_us(1'000'000);
  auto service = stub(target);
  auto stream = service->StreamingOutputCall(&context, request);
  StreamingOutputCallResponse response;
  expect(stream->Read(&response), "no answer");
  auto began = std::chrono::steady_clock::now();
  expect(stream->Read(&response), "no second answer");
  expect_zeros(response.payload(), 20);
  expect(std::chrono::steady_clock::now() - began > std::chrono::milliseconds(900), "the second answer came early");
  expect(!stream->Read(&response), "more than two answers");
  expect_ok(stream->Finish(), "the call");
}

}  // namespace

std::vector<Case> streaming_cases() {
  return {
      {"client_streaming", client_streaming},
      {"client_compressed_streaming", client_compressed_streaming},
      {"server_streaming", server_streaming},
      {"server_compressed_streaming", server_compressed_streaming},
      {"ping_pong", ping_pong},
      {"empty_stream", empty_stream},
      {"cancel_after_begin", cancel_after_begin},
      {"cancel_after_first_response", cancel_after_first_response},
      {"timeout_on_sleeping_server", timeout_on_sleeping_server},
      {"deadline_in_stream", deadline_in_stream},
      {"slow_stream", slow_stream},
  };
}

}  // namespace interop
