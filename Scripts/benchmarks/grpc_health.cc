// The peer for unary calls over a Unix socket: the health service that comes with gRPC C++, and nothing more.
// Usage: grpc-health SOCKET
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <cstdio>
#include <memory>
#include <string>

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: grpc-health SOCKET\n");
    return 2;
  }
  grpc::EnableDefaultHealthCheckService(true);
  // Without a callback service the server would have no threads to poll with.
  grpc::CallbackGenericService everything_else;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(std::string("unix:") + arguments[1], grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&everything_else);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::fprintf(stderr, "grpc-health: can't listen on %s\n", arguments[1]);
    return 1;
  }
  server->GetHealthCheckService()->SetServingStatus(true);
  server->Wait();
}
