internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird

/// An answer that says no, as it goes out.
struct ErrorAnswer: Sendable {
    var status: Int
    var headers: HTTPFields
    var body: ByteBuffer

    var response: Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: headers, body: ResponseBody(byteBuffer: body))
    }
}

/// Puts a refusal into the form that whoever asked can read: a page for a person, JSON for a program; with the headers
/// that every answer carries.
struct ErrorAnswers: Sendable {
    /// What a request says of the form of an answer.
    struct Wish: Sendable {
        var path: String
        var method = "GET"
        var accept: String?
        var acceptLanguage: String?

        /// Nothing is known of the request.
        static let unknown = Wish(path: "/v1/")
    }

    private let page: ErrorPage
    let statistics: GatewayStatistics
    private let securityHeaders: [HTTPField]

    init(configuration: GatewayConfiguration, statistics: GatewayStatistics) {
        securityHeaders = ResponseHeaders.security(isSecure: configuration.isSecure).compactMap { header in
            HTTPField.Name(header.name).map { HTTPField(name: $0, value: header.value) }
        }
        self.statistics = statistics
        page = ErrorPage(
            template: String(decoding: PackageResources.error_html, as: UTF8.self), support: configuration.support)
    }

    func answer(_ refusal: Refusal, to wish: Wish) -> ErrorAnswer {
        statistics.refused(refusal.body.reason)
        var answer = ErrorAnswer(
            status: refusal.status, headers: refusal.headers, body: ByteBuffer(string: refusal.body.json))
        answer.headers[.contentType] = "application/json"
        answer.headers[.cacheControl] = "no-store"
        // The API is for programs, whatever they accept.
        if !wish.path.hasPrefix("/v1/") {
            answer.headers[.vary] = "Accept, Accept-Language"
            if ContentChoice.prefersHTML(accept: wish.accept) {
                let language = ContentChoice.language(acceptLanguage: wish.acceptLanguage)
                answer.headers[.contentType] = "text/html; charset=utf-8"
                answer.headers[.contentLanguage] = language.rawValue
                answer.body = ByteBuffer(string: page.html(status: refusal.status, language: language))
            }
        }
        secure(&answer.headers)
        answer.headers[.contentLength] = String(answer.body.readableBytes)
        return answer
    }

    func secure(_ headers: inout HTTPFields) {
        for field in securityHeaders { headers[field.name] = field.value }
    }
}

extension ErrorAnswers.Wish {
    init(_ request: Request) {
        path = request.uri.path
        method = request.method.rawValue
        accept = Self.joined(request.headers[values: .accept])
        acceptLanguage = Self.joined(request.headers[values: .acceptLanguage])
    }

    static func joined(_ values: [String]) -> String? { values.isEmpty ? nil : values.joined(separator: ", ") }
}
