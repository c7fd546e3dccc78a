/// What one reflection stream is answered: it remembers which files it has sent.
struct ReflectionAnswers {
    private typealias Response = ReflectionV1.ServerReflectionResponse.MessageResponse

    let index: ProtoFileIndex
    let services: [String]
    /// The names of the files that the caller has by now; at most all there are.
    private var sent: Set<String> = []

    init(index: ProtoFileIndex, services: [String]) {
        self.index = index
        self.services = services
    }

    /// Whatever is wrong with a request is said in its answer; the stream goes on.
    mutating func answer(_ request: ReflectionV1.ServerReflectionRequest) -> ReflectionV1.ServerReflectionResponse {
        ReflectionV1.ServerReflectionResponse(
            validHost: request.host, originalRequest: request, messageResponse: response(to: request.messageRequest))
    }

    private mutating func response(to request: ReflectionV1.ServerReflectionRequest.MessageRequest?) -> Response {
        switch request {
        case .fileByFilename(let name):
            files(with: index[name], otherwise: "file_by_filename")
        case .fileContainingSymbol(let symbol):
            files(with: index.file(declaring: symbol), otherwise: "file_containing_symbol")
        case .fileContainingExtension(let wanted):
            files(
                with: index.file(extending: wanted.containingType, with: wanted.extensionNumber),
                otherwise: "file_containing_extension")
        case .allExtensionNumbersOfType(let type):
            index.extensionNumbers(of: type).map { numbers in
                .allExtensionNumbersResponse(.init(baseTypeName: type, extensionNumber: numbers))
            } ?? error(.notFound, "all_extension_numbers_of_type: not known here")
        case .listServices:
            .listServicesResponse(.init(service: services.map { .init(name: $0) }))
        case nil:
            error(.invalidArgument, "message_request: asks for nothing that is known here")
        }
    }

    /// The file itself is always sent, what it imports once in a stream.
    private mutating func files(with file: ProtoFile?, otherwise field: String) -> Response {
        guard let file else { return error(.notFound, "\(field): not known here") }
        let files = index.withImports(file, except: sent)
        sent.formUnion(files.map(\.name))
        return .fileDescriptorResponse(.init(fileDescriptorProto: files.map(\.descriptor)))
    }

    private func error(_ code: RPCError.Code, _ message: String) -> Response {
        .errorResponse(.init(errorCode: Int32(code.rawValue), errorMessage: message))
    }
}
