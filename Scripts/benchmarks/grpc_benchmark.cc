// The peer for grpc.testing.BenchmarkService on gRPC C++: its asynchronous API with a completion queue and a thread for
// each core, which of its three APIs makes the most calls.
// Usage: grpc-benchmark SOCKET
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "grpc/testing/benchmark_service.grpc.pb.h"

namespace {

using grpc::testing::BenchmarkService;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using Streaming = BenchmarkService::WithAsyncMethod_StreamingFromServer<BenchmarkService::Service>;
using Service = BenchmarkService::WithAsyncMethod_UnaryCall<Streaming>;

constexpr int kCallsAwaited = 1024;  // by each queue; others wait in gRPC until one is free
constexpr int kStreamsAwaited = 128;

void Fill(const SimpleRequest& request, SimpleResponse* response) {
  response->Clear();
  if (request.response_size() <= 0) return;
  response->mutable_payload()->set_type(request.response_type());
  response->mutable_payload()->mutable_body()->assign(request.response_size(), '\0');
}

// A call that a queue is to be asked for. It is used again for the next one when it is over.
class Call {
 public:
  virtual ~Call() = default;
  virtual void Await() = 0;
  virtual void Proceed(bool ok) = 0;
};

class UnaryCall final : public Call {
 public:
  UnaryCall(Service* service, grpc::ServerCompletionQueue* queue) : service_(service), queue_(queue) {}

  void Await() override {
    context_ = std::make_unique<grpc::ServerContext>();
    writer_ = std::make_unique<grpc::ServerAsyncResponseWriter<SimpleResponse>>(context_.get());
    answered_ = false;
    service_->RequestUnaryCall(context_.get(), &request_, writer_.get(), queue_, queue_, this);
  }

  void Proceed(bool ok) override {
    if (answered_ || !ok) return Await();
    answered_ = true;
    Fill(request_, &response_);
    writer_->Finish(response_, grpc::Status::OK, this);
  }

 private:
  Service* const service_;
  grpc::ServerCompletionQueue* const queue_;
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<grpc::ServerAsyncResponseWriter<SimpleResponse>> writer_;
  SimpleRequest request_;
  SimpleResponse response_;
  bool answered_ = false;
};

// Writes one message again and again until the caller is gone.
class StreamingFromServer final : public Call {
 public:
  StreamingFromServer(Service* service, grpc::ServerCompletionQueue* queue) : service_(service), queue_(queue) {}

  void Await() override {
    context_ = std::make_unique<grpc::ServerContext>();
    writer_ = std::make_unique<grpc::ServerAsyncWriter<SimpleResponse>>(context_.get());
    state_ = State::kAwaited;
    service_->RequestStreamingFromServer(context_.get(), &request_, writer_.get(), queue_, queue_, this);
  }

  void Proceed(bool ok) override {
    if (state_ == State::kFinished || (state_ == State::kAwaited && !ok)) return Await();
    if (state_ == State::kAwaited) Fill(request_, &response_);
    state_ = ok ? State::kWriting : State::kFinished;
    if (ok) {
      writer_->Write(response_, this);
    } else {
      writer_->Finish(grpc::Status::OK, this);
    }
  }

 private:
  enum class State { kAwaited, kWriting, kFinished };

  Service* const service_;
  grpc::ServerCompletionQueue* const queue_;
  std::unique_ptr<grpc::ServerContext> context_;
  std::unique_ptr<grpc::ServerAsyncWriter<SimpleResponse>> writer_;
  SimpleRequest request_;
  SimpleResponse response_;
  State state_ = State::kAwaited;
};

void Serve(Service* service, grpc::ServerCompletionQueue* queue) {
  std::vector<std::unique_ptr<Call>> calls;
  for (int i = 0; i < kCallsAwaited; ++i) calls.push_back(std::make_unique<UnaryCall>(service, queue));
  for (int i = 0; i < kStreamsAwaited; ++i) calls.push_back(std::make_unique<StreamingFromServer>(service, queue));
  for (auto& call : calls) call->Await();
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Call*>(tag)->Proceed(ok);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: grpc-benchmark SOCKET\n");
    return 2;
  }
  Service service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("unix:") + arguments[1], grpc::InsecureServerCredentials());
  builder.RegisterService(&service);
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues(std::max(1U, std::thread::hardware_concurrency()));
  for (auto& queue : queues) queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "grpc-benchmark: can't listen on %s\n", arguments[1]);
    return 1;
  }
  std::vector<std::thread> threads;
  for (auto& queue : queues) threads.emplace_back(Serve, &service, queue.get());
  for (auto& thread : threads) thread.join();
}
