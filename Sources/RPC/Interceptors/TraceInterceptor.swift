/// Carries traces through a process: a server's gives each call a span whose parent is the caller's, a channel's sees to
/// it that every call belongs to a trace.
///
/// Written here rather than taken from swift-distributed-tracing: its context travels in a task-local value, which each
/// call would pay for, and it brings neither a parser of these headers nor a recorder; a call already has a place for
/// what interceptors find out.
public struct TraceInterceptor: ServerInterceptor, ClientInterceptor {
    public init() {}

    public func begin(_ call: ServerCall) async throws(RPCError) {
        // A call without a trace gets one when somebody asks (`ServerCall.trace`): most are never asked.
        guard !call.metadata.isEmpty, let parent = call.metadata.traceContext else { return }
        call[.trace] = parent.child()
    }

    public func end(_ call: ServerCall, outcome: RPCError?) {}

    /// A call made on behalf of another has its trace already (``CallOptions/onward(from:)``).
    public func begin(_ method: MethodDescriptor, options: inout CallOptions) async throws(RPCError) {
        if !options.metadata.contains(TraceParent.name) { options.metadata.addTrace(.root()) }
    }

    public func end(_ method: MethodDescriptor, outcome: RPCError?) {}
}

extension Metadata {
    /// The caller's span; nil when there is none, when it isn't well formed, or when there are several.
    var traceContext: TraceContext? {
        var parents = 0
        var context: TraceContext?
        forEachPair { name, value in
            guard name == "traceparent" else { return true }
            parents += 1
            context = TraceParent.parse(value)
            return parents < 2
        }
        guard parents == 1, context != nil else { return nil }
        context?.state = traceState
        return context
    }

    /// Several pairs are one list (section 3.3).
    private var traceState: String {
        var list: [UInt8] = []
        forEachPair { name, value in
            guard name == "tracestate" else { return true }
            if !list.isEmpty { list.append(UInt8(ascii: ",")) }
            list += value
            return list.count <= TraceState.longest
        }
        return list.isEmpty ? "" : list.withUnsafeBytes { TraceState.parse($0) }
    }

    /// Says that `context` is the caller's span.
    mutating func addTrace(_ context: TraceContext) {
        add(TraceParent.name, String(decoding: TraceParent.text(context), as: UTF8.self))
        if !context.state.isEmpty { add(TraceState.name, context.state) }
    }

    func contains(_ name: String) -> Bool {
        first(name) { _ in true } ?? false
    }
}
