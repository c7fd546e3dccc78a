/// The headers that every answer carries.
package enum ResponseHeaders {
    /// Nothing but this site's own scripts, styles, images and connections, and inline code never.
    package static let contentSecurityPolicy = [
        "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'",
        "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'",
    ].joined(separator: "; ")

    /// - Parameter isSecure: browsers reach the site by https, and are told never to use anything else.
    package static func security(isSecure: Bool) -> [(name: String, value: String)] {
        var headers = [
            ("content-security-policy", contentSecurityPolicy),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()"),
        ]
        if isSecure { headers.append(("strict-transport-security", "max-age=31536000")) }
        return headers
    }
}
