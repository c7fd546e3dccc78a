// Cases of one request and one answer, and what travels beside them.
#include "interop_client.h"

namespace interop {
namespace {

using grpc::ClientContext;
using grpc::Status;
using grpc::StatusCode;
using namespace grpc::testing;

void empty_unary(const std::string& target) {
  ClientContext context;
  patience(context);
  Empty response;
  expect_ok(stub(target)->EmptyCall(&context, {}, &response), "the call");
  expect(response.ByteSizeLong() == 0, "the answer is not empty");
}

void large_unary(const std::string& target) {
  ClientContext context;
  patience(context);
  SimpleResponse response;
  expect_ok(stub(target)->UnaryCall(&context, large_request(), &response), "the call");
  expect_zeros(response.payload(), large_response_bytes);
}

void client_compressed_unary(const std::string& target) {
  auto service = stub(target);
  {
    ClientContext probe;
    patience(probe);
    SimpleRequest request = large_request();
    request.mutable_expect_compressed()->set_value(true);
    SimpleResponse response;
    expect_status(service->UnaryCall(&probe, request, &response), StatusCode::INVALID_ARGUMENT, "the probe");
  }
  for (bool compressed : {true, false}) {
    ClientContext context;
    patience(context);
    context.set_compression_algorithm(compressed ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    SimpleRequest request = large_request();
    request.mutable_expect_compressed()->set_value(compressed);
    SimpleResponse response;
    expect_ok(service->UnaryCall(&context, request, &response), compressed ? "compressed" : "uncompressed");
    expect_zeros(response.payload(), large_response_bytes);
  }
}

void server_compressed_unary(const std::string& target) {
  auto service = stub(target);
  for (bool compressed : {true, false}) {
    ClientContext context;
    patience(context);
    SimpleRequest request = large_request();
    request.mutable_response_compressed()->set_value(compressed);
    SimpleResponse response;
    expect_ok(service->UnaryCall(&context, request, &response), compressed ? "compressed" : "uncompressed");
    expect(came_compressed(context) == compressed, "the answer's compression is not what was asked for");
    expect_zeros(response.payload(), large_response_bytes);
  }
}

void expect_echoed(const ClientContext& context, const std::string& initial, const std::string& trailing) {
  const auto& headers = context.GetServerInitialMetadata();
  auto first = headers.find(echo_initial);
  expect(first != headers.end(), "no initial metadata came back");
  expect(std::string(first->second.data(), first->second.size()) == initial, "initial metadata came back changed");
  const auto& trailers = context.GetServerTrailingMetadata();
  auto last = trailers.find(echo_trailing);
  expect(last != trailers.end(), "no trailing metadata came back");
  expect(std::string(last->second.data(), last->second.size()) == trailing, "trailing metadata came back changed");
}

// A unary call and a stream that carry the two values, and get them back.
void echo_metadata(const std::string& target, const std::string& initial, const std::string& trailing) {
  auto service = stub(target);
  {
    ClientContext context;
    patience(context);
    context.AddMetadata(echo_initial, initial);
    context.AddMetadata(echo_trailing, trailing);
    SimpleResponse response;
    expect_ok(service->UnaryCall(&context, large_request(), &response), "the unary call");
    expect_zeros(response.payload(), large_response_bytes);
    expect_echoed(context, initial, trailing);
  }
  ClientContext context;
  patience(context);
  context.AddMetadata(echo_initial, initial);
  context.AddMetadata(echo_trailing, trailing);
  auto stream = service->FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  request.add_response_parameters()->set_size(large_response_bytes);
  fill(*request.mutable_payload(), large_request_bytes);
  expect(stream->Write(request) && stream->WritesDone(), "the stream takes no request");
  StreamingOutputCallResponse response;
  expect(stream->Read(&response), "the stream gives no answer");
  expect_zeros(response.payload(), large_response_bytes);
  expect(!stream->Read(&response), "the stream gives a second answer");
  expect_ok(stream->Finish(), "the stream");
  expect_echoed(context, initial, trailing);
}

void custom_metadata(const std::string& target) {
  echo_metadata(target, "test_initial_metadata_value", "\xab\xab\xab");
}

void large_metadata(const std::string& target) {
  std::string bytes;
  for (int index = 0; index < 1536; ++index) bytes.push_back(static_cast<char>(index * 7));
  // 6 KiB of text and 2 KiB of base64: 8 KiB each way.
  echo_metadata(target, std::string(6144, 'm'), bytes);
}

// Every remainder of base64's groups of three, and every byte.
void binary_metadata(const std::string& target) {
  std::string bytes;
  for (int length = 1; length <= 6; ++length) {
    bytes.push_back(static_cast<char>(0xf9 + length));
    echo_metadata(target, "text", bytes);
  }
  bytes.clear();
  for (int value = 0; value < 256; ++value) bytes.push_back(static_cast<char>(value));
  echo_metadata(target, "text", bytes);
}

void expect_echoed_status(const std::string& target, const std::string& message) {
  auto service = stub(target);
  {
    ClientContext context;
    patience(context);
    SimpleRequest request;
    request.mutable_response_status()->set_code(StatusCode::UNKNOWN);
    request.mutable_response_status()->set_message(message);
    SimpleResponse response;
    Status status = service->UnaryCall(&context, request, &response);
    expect_status(status, StatusCode::UNKNOWN, "the unary call");
    expect(status.error_message() == message, "the message came as \"" + status.error_message() + "\"");
  }
  ClientContext context;
  patience(context);
  auto stream = service->FullDuplexCall(&context);
  StreamingOutputCallRequest request;
  request.mutable_response_status()->set_code(StatusCode::UNKNOWN);
  request.mutable_response_status()->set_message(message);
  stream->Write(request);
  stream->WritesDone();
  StreamingOutputCallResponse response;
  expect(!stream->Read(&response), "the stream gives an answer");
  Status status = stream->Finish();
  expect_status(status, StatusCode::UNKNOWN, "the stream");
  expect(status.error_message() == message, "the message came as \"" + status.error_message() + "\"");
}

void status_code_and_message(const std::string& target) { expect_echoed_status(target, "test status message"); }

void special_status_message(const std::string& target) {
  expect_echoed_status(
      target, u8"\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n");
}

void unimplemented_method(const std::string& target) {
  ClientContext context;
  patience(context);
  Empty response;
  expect_status(
      stub(target)->UnimplementedCall(&context, {}, &response), StatusCode::UNIMPLEMENTED, "the call");
}

void unimplemented_service(const std::string& target) {
  ClientContext context;
  patience(context);
  Empty response;
  expect_status(
      UnimplementedService::NewStub(connect(target))->UnimplementedCall(&context, {}, &response),
      StatusCode::UNIMPLEMENTED, "the call");
}

// A client that takes 1,000 bytes refuses a longer answer, and one that takes 8 MiB gets it.
void max_message_size(const std::string& target) {
  for (int limit : {1000, 8 * 1024 * 1024}) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(limit);
    auto service = TestService::NewStub(connect(target, arguments));
    for (int size : {500, 6 * 1024 * 1024}) {
      ClientContext context;
      patience(context);
      SimpleRequest request;
      request.set_response_size(size);
      SimpleResponse response;
      Status status = service->UnaryCall(&context, request, &response);
      expect_status(
          status, size < limit ? StatusCode::OK : StatusCode::RESOURCE_EXHAUSTED,
          std::to_string(size) + " bytes with a limit of " + std::to_string(limit));
      if (status.ok()) expect_zeros(response.payload(), static_cast<size_t>(size));
    }
  }
}

}  // namespace

std::vector<Case> unary_cases() {
  return {
      {"empty_unary", empty_unary},
      {"large_unary", large_unary},
      {"client_compressed_unary", client_compressed_unary},
      {"server_compressed_unary", server_compressed_unary},
      {"custom_metadata", custom_metadata},
      {"large_metadata", large_metadata},
      {"binary_metadata", binary_metadata},
      {"status_code_and_message", status_code_and_message},
      {"special_status_message", special_status_message},
      {"unimplemented_method", unimplemented_method},
      {"unimplemented_service", unimplemented_service},
      {"max_message_size", max_message_size},
  };
}

}  // namespace interop
