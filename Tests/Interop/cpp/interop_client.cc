// The cases of gRPC's interoperability tests on gRPC C++, and a few of our own; see ../README.md.
// Usage: interop-client --target unix:PATH|unix-abstract:NAME [--case NAME|all], or: interop-client cases
#include "interop_client.h"

#include <grpc/grpc.h>

namespace interop {

std::shared_ptr<grpc::Channel> connect(const std::string& target, grpc::ChannelArguments arguments) {
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, max_metadata_bytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

void expect(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

void expect_status(const grpc::Status& status, grpc::StatusCode code, const std::string& what) {
  expect(
      status.error_code() == code, what + " ended with status " + std::to_string(status.error_code()) + " \"" +
                                       status.error_message() + "\" instead of " + std::to_string(code));
}

void patience(grpc::ClientContext& context, std::chrono::milliseconds limit) {
  context.set_deadline(std::chrono::system_clock::now() + limit);
  context.set_wait_for_ready(true);
}

void fill(grpc::testing::Payload& payload, size_t size) { payload.set_body(std::string(size, '\0')); }

grpc::testing::SimpleRequest large_request() {
  grpc::testing::SimpleRequest request;
  request.set_response_size(large_response_bytes);
  fill(*request.mutable_payload(), large_request_bytes);
  return request;
}

void expect_zeros(const grpc::testing::Payload& payload, size_t size) {
  expect(payload.body().size() == size, "a payload of " + std::to_string(payload.body().size()) +
                                            " bytes instead of " + std::to_string(size));
  expect(payload.body().find_first_not_of('\0') == std::string::npos, "a payload that is not all zeros");
}

}  // namespace interop

int main(int count, char** arguments) {
  // Held to the end: a library that is shut down with every last channel and begun anew can take half a minute over it.
  grpc_init();
  auto cases = interop::unary_cases();
  for (const auto& more : {interop::streaming_cases(), interop::endurance_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  if (count == 2 && std::string(arguments[1]) == "cases") {
    for (const auto& each : cases) std::cout << each.name << "\n";
    return 0;
  }
  std::string target = interop::argument(count, arguments, "--target");
  std::string wanted = interop::argument(count, arguments, "--case", "all");
  int run = 0, failed = 0;
  for (const auto& each : cases) {
    if (wanted != "all" && wanted != each.name) continue;
    ++run;
    try {
      each.body(target);
      std::cout << "PASS " << each.name << std::endl;
    } catch (const std::exception& error) {
      ++failed;
      std::cout << "FAIL " << each.name << ": " << error.what() << std::endl;
    }
  }
  if (run == 0) std::cerr << "there is no case " << wanted << "\n";
  return run == 0 || failed > 0 ? 1 : 0;
}
