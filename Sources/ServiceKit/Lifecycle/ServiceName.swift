/// The full names of services, as health is asked by them.
public enum ServiceName {
    /// `samtal.chat.v1` of `samtal.chat.v1.ChatService`.
    public static func package(of service: String) -> String {
        service.lastIndex(of: ".").map { String(service[..<$0]) } ?? ""
    }
}
