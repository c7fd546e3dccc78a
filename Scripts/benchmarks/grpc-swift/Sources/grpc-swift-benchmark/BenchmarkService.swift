internal import Foundation
internal import GRPCCore
internal import GRPCProtobuf

/// The methods of `grpc.testing.BenchmarkService` that are measured, registered by hand as generated code would do it:
/// messages are decoded and encoded by SwiftProtobuf.
struct BenchmarkService: RegistrableRPCService {
    func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
        register("UnaryCall", with: &router) { request in
            let call = try await ServerRequest(stream: request)
            let response = ServerResponse(message: Self.answer(to: call.message))
            return StreamingServerResponse(single: response)
        }
        register("StreamingFromServer", with: &router) { request in
            let call = try await ServerRequest(stream: request)
            let answer = Self.answer(to: call.message)
            return StreamingServerResponse { writer in
                while !Task.isCancelled {
                    try await writer.write(answer)
                }
                return [:]
            }
        }
    }

    private func register<Transport: ServerTransport>(
        _ method: String, with router: inout RPCRouter<Transport>,
        _ handler:
            @escaping @Sendable (StreamingServerRequest<Grpc_Testing_SimpleRequest>) async throws
            -> StreamingServerResponse<Grpc_Testing_SimpleResponse>
    ) {
        router.registerHandler(
            forMethod: MethodDescriptor(fullyQualifiedService: "grpc.testing.BenchmarkService", method: method),
            deserializer: ProtobufDeserializer<Grpc_Testing_SimpleRequest>(),
            serializer: ProtobufSerializer<Grpc_Testing_SimpleResponse>()
        ) { request, _ in try await handler(request) }
    }

    private static func answer(to request: Grpc_Testing_SimpleRequest) -> Grpc_Testing_SimpleResponse {
        var response = Grpc_Testing_SimpleResponse()
        if request.responseSize > 0 {
            response.payload.type = request.responseType
            response.payload.body = Data(count: Int(request.responseSize))
        }
        return response
    }
}
