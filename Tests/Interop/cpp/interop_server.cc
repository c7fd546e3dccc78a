// grpc.testing.TestService on gRPC C++, as gRPC's interoperability tests describe it.
// Usage: interop-server --listen unix:PATH|unix-abstract:NAME. Ends on SIGTERM, calls in flight first.
#include <signal.h>

#include <chrono>
#include <thread>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"
#include "interop.h"

namespace {

using grpc::ServerContext;
using grpc::Status;
using grpc::StatusCode;
using namespace grpc::testing;

constexpr int max_response_bytes = 64 * 1024 * 1024;

// Sends back what the caller asked to have echoed.
void echo_metadata(ServerContext& context) {
  const auto& metadata = context.client_metadata();
  auto initial = metadata.find(interop::echo_initial);
  if (initial != metadata.end()) {
    context.AddInitialMetadata(interop::echo_initial, {initial->second.data(), initial->second.size()});
  }
  auto trailing = metadata.find(interop::echo_trailing);
  if (trailing != metadata.end()) {
    context.AddTrailingMetadata(interop::echo_trailing, {trailing->second.data(), trailing->second.size()});
  }
}

template <typename Request>
Status refuse_compression(ServerContext& context, const Request& request) {
  if (!request.has_expect_compressed() ||
      request.expect_compressed().value() == interop::came_compressed(context)) {
    return Status::OK;
  }
  return {StatusCode::INVALID_ARGUMENT, "the request's compression is not as announced"};
}

template <typename Request>
Status requested(const Request& request) {
  return {static_cast<StatusCode>(request.response_status().code()), request.response_status().message()};
}

bool fill(Payload& payload, int size) {
  if (size < 0 || size > max_response_bytes) return false;
  payload.set_body(std::string(static_cast<size_t>(size), '\0'));
  return true;
}

class Service final : public TestService::Service {
 public:
  Status EmptyCall(ServerContext* context, const Empty*, Empty*) override {
    echo_metadata(*context);
    return Status::OK;
  }

  Status UnaryCall(ServerContext* context, const SimpleRequest* request, SimpleResponse* response) override {
    echo_metadata(*context);
    Status compression = refuse_compression(*context, *request);
    if (!compression.ok()) return compression;
    if (request->has_response_compressed()) {
      context->set_compression_algorithm(
          request->response_compressed().value() ? GRPC_COMPRESS_GZIP : GRPC_COMPRESS_NONE);
    }
    if (request->has_response_status() && request->response_status().code() != 0) return requested(*request);
    if (!fill(*response->mutable_payload(), request->response_size())) {
      return {StatusCode::INVALID_ARGUMENT, "response_size: out of range"};
    }
    return Status::OK;
  }

  Status StreamingOutputCall(
      ServerContext* context, const StreamingOutputCallRequest* request,
      grpc::ServerWriter<StreamingOutputCallResponse>* writer) override {
    echo_metadata(*context);
    for (const auto& parameters : request->response_parameters()) {
      if (parameters.has_compressed()) context->set_compression_algorithm(GRPC_COMPRESS_GZIP);
    }
    return answer(*context, *request, *writer);
  }

  Status StreamingInputCall(
      ServerContext* context, grpc::ServerReader<StreamingInputCallRequest>* reader,
      StreamingInputCallResponse* response) override {
    echo_metadata(*context);
    StreamingInputCallRequest request;
    int total = 0;
    while (reader->Read(&request)) {
      Status compression = refuse_compression(*context, request);
      if (!compression.ok()) return compression;
      total += static_cast<int>(request.payload().body().size());
    }
    response->set_aggregated_payload_size(total);
    return Status::OK;
  }

  Status FullDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    echo_metadata(*context);
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) {
      if (request.has_response_status() && request.response_status().code() != 0) return requested(request);
      Status answered = answer(*context, request, *stream);
      if (!answered.ok()) return answered;
    }
    return Status::OK;
  }

  Status HalfDuplexCall(
      ServerContext* context,
      grpc::ServerReaderWriter<StreamingOutputCallResponse, StreamingOutputCallRequest>* stream) override {
    echo_metadata(*context);
    std::vector<StreamingOutputCallRequest> requests;
    StreamingOutputCallRequest request;
    while (stream->Read(&request)) requests.push_back(request);
    for (const auto& each : requests) {
      Status answered = answer(*context, each, *stream);
      if (!answered.ok()) return answered;
    }
    return Status::OK;
  }

 private:
  template <typename Writer>
  static Status answer(ServerContext& context, const StreamingOutputCallRequest& request, Writer& writer) {
    for (const auto& parameters : request.response_parameters()) {
      // In steps, so that a call that was given up does not hold a thread.
      auto wake = std::chrono::steady_clock::now() + std::chrono::microseconds(parameters.interval_us());
      while (std::chrono::steady_clock::now() < wake) {
        if (context.IsCancelled()) return {StatusCode::CANCELLED, "the caller is gone"};
        std::this_thread::sleep_until(
            std::min(wake, std::chrono::steady_clock::now() + std::chrono::milliseconds(20)));
      }
      StreamingOutputCallResponse response;
      if (!fill(*response.mutable_payload(), parameters.size())) {
        return {StatusCode::INVALID_ARGUMENT, "size: out of range"};
      }
      grpc::WriteOptions options;
      if (parameters.has_compressed() && !parameters.compressed().value()) options.set_no_compression();
      if (!writer.Write(response, options)) return {StatusCode::CANCELLED, "the caller is gone"};
    }
    return Status::OK;
  }
};

}  // namespace

int main(int count, char** arguments) {
  // Blocked in every thread that gRPC starts, so that the wait below is what sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  std::string address = interop::argument(count, arguments, "--listen");
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(max_response_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, interop::max_metadata_bytes);
  // Pings as often as tests need them; gRPC's default is one in five minutes.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 100);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) {
    std::cerr << "can't listen on " << address << "\n";
    return 1;
  }
  std::cout << "serving on " << address << std::endl;
  int received = 0;
  sigwait(&signals, &received);
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
  server->Wait();
  return 0;
}
