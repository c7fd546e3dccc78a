/// The metadata keys that a log line may carry. Everything else is dropped, so that no personal data gets into a log by
/// way of a key that somebody thought of later: a new key is added here, on purpose, or nowhere.
public enum LogKey {
    /// An RPC method's path.
    public static let method = "method"
    /// A gRPC status code, by name.
    public static let code = "code"
    /// An error's stable reason.
    public static let reason = "reason"
    /// How long something took, in microseconds.
    public static let duration = "duration_us"
    /// The roles of the peer, joined by commas.
    public static let peerRole = "peer_role"
    /// The peer's user id.
    public static let peerUID = "peer_uid"
    /// Tells the lines of one call from another's.
    public static let callID = "call_id"
    /// The trace a call belongs to (W3C Trace Context): tells what was logged by several services of one request.
    public static let traceID = "trace_id"
    /// The type of an error, never what it says.
    public static let errorType = "error_type"
    /// The service that a problem is about.
    public static let neighbour = "neighbour"
    /// How many of something.
    public static let count = "count"
    /// The number of a certificate or an event.
    public static let sequence = "sequence"
    /// The organisation that something is about: an opaque id of a company.
    public static let organisation = "organisation_id"
    /// A Unix signal.
    public static let signal = "signal"
    /// A socket's path.
    public static let socket = "socket"
    /// A TCP port.
    public static let port = "port"
    /// The name of a step or a part of a service.
    public static let component = "component"
    /// How long something waits, in milliseconds.
    public static let delay = "delay_ms"
    /// How often something was tried.
    public static let attempt = "attempt"
    /// A size.
    public static let bytes = "bytes"
    /// A bound that was reached, by its name.
    public static let bound = "bound"
    /// The rule that a peer has broken.
    public static let rule = "rule"
    /// How many lines like this one were left out before it.
    public static let omittedBefore = "omitted_before"
    /// How many threads serve.
    public static let threads = "threads"
    /// How far a clock has stepped, in seconds.
    public static let step = "step_s"
    /// Where data is kept, as declared.
    public static let region = "region"

    /// A session, by the beginning of its id's SHA-256: the id itself lets its bearer in.
    public static let session = "session_digest"

    static let allowed: Set<String> = [
        method, code, reason, duration, peerRole, peerUID, callID, traceID, errorType, neighbour, count, sequence,
        organisation, signal, socket, port, component, delay, attempt, bytes, bound, omittedBefore, threads,
        region, rule, session, step,
    ]
}
