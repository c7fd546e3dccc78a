import Contracts
import Foundation
import ProtobufC
import ServiceKit

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The gateway's JSON over HTTP, as any client would speak it.
struct DemoHTTP: Sendable {
    let origin: WebOrigin

    /// Who is calling.
    enum Caller: Sendable {
        case anyone
        case participant(token: String)
        case administrator(token: String)
    }

    func post<Request: ProtobufMessage, Response: ProtobufMessage>(
        _ path: String, _ request: Request, as caller: Caller = .anyone
    ) async throws -> Response {
        let body = try await send("POST", path, body: Data(request.jsonUTF8()), as: caller)
        return try Response(jsonUTF8: Array(body))
    }

    func get<Response: ProtobufMessage>(_ path: String, as caller: Caller = .anyone) async throws -> Response {
        try Response(jsonUTF8: Array(try await send("GET", path, body: nil, as: caller)))
    }

    /// The body of a 2xx answer.
    func send(_ verb: String, _ path: String, body: Data?, as caller: Caller) async throws -> Data {
        let (status, data) = try await answer(verb, path, body: body, as: caller)
        guard (200..<300).contains(status) else {
            throw CommandFailure(
                "\(verb) \(path) answered \(status): \(String(decoding: data.prefix(500), as: UTF8.self))")
        }
        return data
    }

    func answer(_ verb: String, _ path: String, body: Data?, as caller: Caller) async throws -> (Int, Data) {
        guard let url = URL(string: "\(origin)\(path)") else { throw CommandFailure("\(path) is no path.") }
        var request = URLRequest(url: url)
        request.httpMethod = verb
        request.timeoutInterval = 600
        request.httpBody = body
        if body != nil { request.setValue("application/json", forHTTPHeaderField: "Content-Type") }
        switch caller {
        case .anyone: break
        case .participant(let token): request.setValue(token, forHTTPHeaderField: "Samtal-Participant")
        case .administrator(let token): request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        }
        while true {
            let (data, response) = try await URLSession.shared.data(for: request)
            guard let response = response as? HTTPURLResponse else {
                throw CommandFailure("\(url) did not speak HTTP.")
            }
            // All of the demo's participants share one address, so the gateway may ask them to slow down.
            guard response.statusCode == 429,
                let pause = response.value(forHTTPHeaderField: "Retry-After").flatMap(Int.init)
            else { return (response.statusCode, data) }
            try await Task.sleep(for: .seconds(min(pause, 60)))
        }
    }
}
