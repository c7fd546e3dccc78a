// Cases of many calls, many connections, and connections that live long.
#include <atomic>
#include <thread>

#include "interop_client.h"

namespace interop {
namespace {

using grpc::ClientContext;
using grpc::Status;
using namespace grpc::testing;

constexpr int soak_calls = 100;
constexpr int soak_channels = 25;
constexpr std::chrono::milliseconds soak_latency{15000};

void soak_once(TestService::Stub& service, int index) {
  ClientContext context;
  patience(context);
  SimpleResponse response;
  auto began = std::chrono::steady_clock::now();
  expect_ok(service.UnaryCall(&context, large_request(), &response), "call " + std::to_string(index));
  expect_zeros(response.payload(), large_response_bytes);
  expect(std::chrono::steady_clock::now() - began < soak_latency, "call " + std::to_string(index) + " took too long");
}

void rpc_soak(const std::string& target) {
  auto service = stub(target);
  for (int index = 0; index < soak_calls; ++index) soak_once(*service, index);
}

void channel_soak(const std::string& target) {
  for (int index = 0; index < soak_channels; ++index) soak_once(*stub(target), index);
}

void concurrent_large_unary(const std::string& target) {
  auto service = stub(target);
  std::atomic<int> next{0};
  std::atomic<int> failures{0};
  std::string why;
  std::mutex lock;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 32; ++thread) {
    threads.emplace_back([&] {
      for (int index = next++; index < 200; index = next++) {
        try {
          soak_once(*service, index);
        } catch (const std::exception& error) {
          ++failures;
          std::lock_guard<std::mutex> guard(lock);
          why = error.what();
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  expect(failures == 0, std::to_string(failures) + " of 200 calls failed, such as " + why);
}

// A connection that pings twice a second lives through a quiet stream, and through a time without calls.
void keepalive(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 500);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 2000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  auto channel = connect(target, arguments);
  auto service = TestService::NewStub(channel);
  {
    ClientContext context;
    patience(context);
    StreamingOutputCallRequest request;
    for (int index = 0; index < 2; ++index) {
      auto* parameters = request.add_response_parameters();
      parameters->set_size(10);
      if (index > 0) parameters->set_interval_us(2'500'000);
    }
    auto stream = service->StreamingOutputCall(&context, request);
    StreamingOutputCallResponse response;
    expect(stream->Read(&response) && stream->Read(&response), "the quiet stream was cut off");
    expect_ok(stream->Finish(), "the quiet stream");
  }
  // The state stays READY for the whole of the wait.
  auto until = std::chrono::system_clock::now() + std::chrono::milliseconds(1500);
  expect(!channel->WaitForStateChange(GRPC_CHANNEL_READY, until), "the quiet connection was cut off");
  ClientContext context;
  patience(context);
  Empty response;
  expect_ok(service->EmptyCall(&context, {}, &response), "the call after the quiet time");
}

}  // namespace

std::vector<Case> endurance_cases() {
  return {
      {"rpc_soak", rpc_soak},
      {"channel_soak", channel_soak},
      {"concurrent_large_unary", concurrent_large_unary},
      {"keepalive", keepalive},
  };
}

}  // namespace interop
