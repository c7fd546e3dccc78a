extension CallOptions {
    /// Options for a call made on behalf of `call`: what is left of its deadline, and its trace, in which it is the
    /// parent. Never its authorisation.
    public static func onward(from call: ServerCall) -> CallOptions {
        var options = CallOptions()
        options.deadline = call.deadline
        options.metadata.addTrace(call.trace)
        return options
    }
}
