/// Answers `grpc.reflection.v1.ServerReflection`: what a server serves, and the .proto files that say how to call it.
///
/// The same is answered under the protocol's older name, `grpc.reflection.v1alpha.ServerReflection`, which differs in
/// nothing else and is all that some clients ask for.
public struct ReflectionService: Sendable {
    /// The service's full names: the one that is listed, and the older one.
    public static let names = [
        ReflectionV1.ServerReflectionMethods.serverReflectionInfo.service, olderMethod.service,
    ]

    private static let olderMethod: MethodDescriptor = {
        let method = ReflectionV1.ServerReflectionMethods.serverReflectionInfo
        return MethodDescriptor(
            service: "grpc.reflection.v1alpha.ServerReflection", method: method.method, kind: method.kind,
            idempotent: method.idempotent, maxRequestBytes: method.maxRequestBytes,
            defaultDeadline: method.defaultDeadline)
    }()

    private let index: ProtoFileIndex
    private let services: [String]

    /// - Parameters:
    ///   - files: every file that one of them imports is among them, or in `RPCFiles.all`, which need not be given.
    ///   - services: the full names of what the server serves, in any order, repeated or not; nil: all that the files
    ///     declare. Health and reflection itself are added.
    public init(files: [ProtoFile], services: [String]? = nil) {
        index = ProtoFileIndex(files + RPCFiles.all)
        let own = [
            HealthV1.HealthMethods.check.service, ReflectionV1.ServerReflectionMethods.serverReflectionInfo.service,
        ]
        self.services = Set((services ?? files.flatMap(\.services)) + own).sorted()
    }

    /// What a server is given to serve this.
    public var handlers: [MethodHandler] {
        [ReflectionV1.ServerReflectionMethods.serverReflectionInfo, ReflectionService.olderMethod].map { method in
            .bidirectional(method) {
                (
                    requests: RequestStream<ReflectionV1.ServerReflectionRequest>,
                    writer: ResponseWriter<ReflectionV1.ServerReflectionResponse>, _
                ) in
                var answers = ReflectionAnswers(index: index, services: services)
                for try await request in requests { try await writer.send(answers.answer(request)) }
            }
            // Callers may keep it open for as long as they like.
            .endingAtShutdown()
        }
    }
}
