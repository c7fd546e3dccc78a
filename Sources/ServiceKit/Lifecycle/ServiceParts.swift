public import Privacy
public import RPC
public import ServiceLifecycle

/// What a service consists of, once it is wired up.
public struct ServiceParts: Sendable {
    /// The methods it serves.
    public var handlers: [MethodHandler]
    /// The tokens it recognises, tried in order.
    public var authenticators: [any Authenticator]
    /// What its server checks itself.
    public var access: AccessScope
    /// Bounds whose refusals are counted by the answers that name them.
    public var answeredBounds: [String]
    /// Runs beside the server; cancelled when the service stops, after the server has drained. One that throws stops
    /// the service.
    public var background: [any Service]
    /// The full names of services whose calls it forwards: it says itself whether they serve
    /// (``ServiceEnvironment/health``).
    public var forwarded: Set<String>
    /// Where the services behind it keep their data, by their names, as far as they have told.
    public var neighbourRegions: @Sendable () -> [String: Region]
    /// Called first when the service stops, before its server drains: ends streams that would go on for ever, so that
    /// their callers resume elsewhere.
    public var onDrain: @Sendable () async -> Void
    /// Called last, when nothing runs any more: closes stores.
    public var onStop: @Sendable () async -> Void

    public init(
        handlers: [MethodHandler], authenticators: [any Authenticator] = [],
        access: AccessScope = .rolesAndPrincipals, answeredBounds: [String] = [], background: [any Service] = [],
        forwarded: Set<String> = [], neighbourRegions: @escaping @Sendable () -> [String: Region] = { [:] },
        onDrain: @escaping @Sendable () async -> Void = {},
        onStop: @escaping @Sendable () async -> Void = {}
    ) {
        self.handlers = handlers
        self.authenticators = authenticators
        self.access = access
        self.answeredBounds = answeredBounds
        self.background = background
        self.forwarded = forwarded
        self.neighbourRegions = neighbourRegions
        self.onDrain = onDrain
        self.onStop = onStop
    }
}
