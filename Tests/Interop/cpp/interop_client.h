// What the C++ client's cases share.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "grpc/testing/test.grpc.pb.h"
#include "interop.h"

namespace interop {

struct Case {
  std::string name;
  // Throws what went wrong.
  std::function<void(const std::string& target)> body;
};

std::vector<Case> unary_cases();
std::vector<Case> streaming_cases();
std::vector<Case> endurance_cases();

constexpr int large_request_bytes = 271828;
constexpr int large_response_bytes = 314159;

// A channel with a connection of its own.
std::shared_ptr<grpc::Channel> connect(const std::string& target, grpc::ChannelArguments arguments = {});

inline std::unique_ptr<grpc::testing::TestService::Stub> stub(const std::string& target) {
  return grpc::testing::TestService::NewStub(connect(target));
}

void expect(bool condition, const std::string& what);
void expect_status(const grpc::Status& status, grpc::StatusCode code, const std::string& what);
inline void expect_ok(const grpc::Status& status, const std::string& what) {
  expect_status(status, grpc::StatusCode::OK, what);
}

// Waits for the server, and no longer than `limit` for the answer.
void patience(grpc::ClientContext& context, std::chrono::milliseconds limit = std::chrono::seconds(20));

void fill(grpc::testing::Payload& payload, size_t size);
grpc::testing::SimpleRequest large_request();
void expect_zeros(const grpc::testing::Payload& payload, size_t size);

}  // namespace interop
