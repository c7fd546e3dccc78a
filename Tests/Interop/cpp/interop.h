// What the C++ server and client share.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>
#include <string>

// Exported by gRPC's core for its own interoperability tests, and not declared in its public headers: whether the
// message read last came compressed can't be learned otherwise.
uint32_t grpc_call_test_only_get_message_flags(grpc_call* call);

namespace interop {

// GRPC_WRITE_INTERNAL_TEST_ONLY_WAS_COMPRESSED: the core sets it when it has decompressed a message.
constexpr uint32_t compressed_flag = 0x40000000u;

constexpr char echo_initial[] = "x-grpc-test-echo-initial";
constexpr char echo_trailing[] = "x-grpc-test-echo-trailing-bin";

// Bytes of metadata either side takes; gRPC's own default of 8 KiB counts 32 bytes for every pair as well.
constexpr int max_metadata_bytes = 64 * 1024;

template <typename Context>
bool came_compressed(Context& context) {
  return (grpc_call_test_only_get_message_flags(context.c_call()) & compressed_flag) != 0;
}

// The value that follows `name` on the command line.
inline std::string argument(int count, char** arguments, const std::string& name, const std::string& fallback = "") {
  for (int index = 1; index + 1 < count; ++index) {
    if (arguments[index] == name) return arguments[index + 1];
  }
  if (fallback.empty()) {
    std::cerr << arguments[0] << ": " << name << " is needed\n";
    std::exit(64);
  }
  return fallback;
}

}  // namespace interop
