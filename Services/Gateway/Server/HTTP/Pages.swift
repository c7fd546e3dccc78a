internal import Crypto
internal import GatewayCore
internal import HTTPTypes
internal import Hummingbird
internal import Privacy

/// The web pages. They are files in `Web`, compiled into the executable by SwiftPM, so that they can be edited and
/// checked as what they are and the executable needs no folder beside it.
struct Pages: Sendable {
    struct File: Sendable {
        var contentType: String
        var content: ByteBuffer
        var entityTag: String

        init(_ contentType: String, _ content: [UInt8]) {
            self.contentType = contentType
            self.content = ByteBuffer(bytes: content)
            let digest = SHA256.hash(data: content).prefix(12)
            entityTag = "\"" + digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined() + "\""
        }
    }

    private static let html = "text/html; charset=utf-8"
    private static let script = "text/javascript; charset=utf-8"

    private let home = File(html, PackageResources.index_html)
    private let session = File(html, PackageResources.session_html)
    private let admin = File(html, PackageResources.admin_html)
    private let robots = File("text/plain; charset=utf-8", Array("User-agent: *\nDisallow: /\n".utf8))
    private let settings: GatewayConfiguration
    private let regions: KnownRegions
    private let assets: [String: File] = [
        "samtal.css": File("text/css; charset=utf-8", PackageResources.samtal_css),
        "icon.svg": File("image/svg+xml", PackageResources.icon_svg),
        "account.js": File(script, PackageResources.account_js),
        "administrators.js": File(script, PackageResources.administrators_js),
        "admin.js": File(script, PackageResources.admin_js),
        "certificates.js": File(script, PackageResources.certificates_js),
        "ending.js": File(script, PackageResources.ending_js),
        "eventstream.js": File(script, PackageResources.eventstream_js),
        "findbox.js": File(script, PackageResources.findbox_js),
        "index.js": File(script, PackageResources.index_js),
        "moderatedquestion.js": File(script, PackageResources.moderatedquestion_js),
        "moderation.js": File(script, PackageResources.moderation_js),
        "orderedrows.js": File(script, PackageResources.orderedrows_js),
        "ownquestions.js": File(script, PackageResources.ownquestions_js),
        "page.js": File(script, PackageResources.page_js),
        "place.js": File(script, PackageResources.place_js),
        "privacy.js": File(script, PackageResources.privacy_js),
        "questionlist.js": File(script, PackageResources.questionlist_js),
        "retention.js": File(script, PackageResources.retention_js),
        "service.js": File(script, PackageResources.service_js),
        "session.js": File(script, PackageResources.session_js),
        "signincodes.js": File(script, PackageResources.signincodes_js),
        "texts-en.js": File(script, PackageResources.texts_en_js),
        "texts-sv.js": File(script, PackageResources.texts_sv_js),
        "texts.js": File(script, PackageResources.texts_js),
        "written.js": File(script, PackageResources.written_js),
    ]

    /// - Parameters:
    ///   - configuration: where the pages are reached, and whom people write to.
    ///   - regions: where data is kept, as declared.
    init(configuration: GatewayConfiguration, regions: KnownRegions) {
        settings = configuration
        self.regions = regions
    }

    /// What the pages are told.
    private var configuration: File {
        let members = [
            ("publicUrl", settings.publicURL.map(JSONText.quoted)), ("contact", settings.contact?.json),
            ("support", settings.support?.json), ("declaredRegions", regions.json),
        ]
        let json = members.map { "\(JSONText.quoted($0)):\($1 ?? "null")" }.joined(separator: ",")
        return File("application/json", Array("{\(json)}".utf8))
    }

    /// nil if there is no page at the path.
    func file(at path: String) -> File? {
        switch path {
        case "/": return home
        case "/admin": return admin
        case "/configuration.json": return configuration
        case "/robots.txt": return robots
        default: break
        }
        if path.hasPrefix("/assets/") { return assets[String(path.dropFirst("/assets/".count))] }
        if path.hasPrefix("/s/"), Self.isIdentifier(path.dropFirst(3)) { return session }
        return nil
    }

    /// The page, or 304 if the browser has it. Browsers keep it and ask each time whether it is still the one.
    ///
    /// - Throws: when the request is for another version than there is (RFC 9110, section 13.2.2).
    func response(with file: File, to request: Request) throws(Refusal) -> Response {
        var headers: HTTPFields = [.eTag: file.entityTag, .cacheControl: "no-cache"]
        if let condition = request.tags(in: .ifMatch), !condition.matchesStrongly(file.entityTag) {
            throw .preconditionFailed
        }
        if let condition = request.tags(in: .ifNoneMatch), condition.matchesWeakly(file.entityTag) {
            // Without a length: that of the page, which isn't sent, would be meant.
            var response = Response(status: .notModified, headers: headers)
            response.headers[.contentLength] = nil
            return response
        }
        headers[.contentType] = file.contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.content))
    }

    /// Where a path with a slash too many leads; nil if there is nothing without it either.
    func path(withoutSlashOf path: String) -> String? {
        guard path.hasSuffix("/") else { return nil }
        var shorter = Substring(path)
        while shorter.hasSuffix("/") { shorter.removeLast() }
        guard !shorter.isEmpty, shorter == "/healthz" || file(at: String(shorter)) != nil else { return nil }
        return String(shorter)
    }

    private static func isIdentifier(_ text: Substring) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}

extension KnownRegions {
    /// By process.
    var json: String {
        let members = all.map { "\(JSONText.quoted($0.process)):\(JSONText.quoted($0.region.name))" }
        return "{\(members.joined(separator: ","))}"
    }
}

extension Request {
    /// The entity tags of a condition; nil without it.
    func tags(in name: HTTPField.Name) -> EntityTags? {
        let values = headers[values: name]
        return values.isEmpty ? nil : EntityTags(values.joined(separator: ","))
    }
}
