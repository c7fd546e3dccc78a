package import RetentionCore

/// Called around the steps of an erasure. Tests stop an erasure with them where a crash might; a service passes none.
package struct ErasureHooks: Sendable {
    /// Before a step is taken.
    package var before: @Sendable (ErasureStep, _ sessionID: String) throws -> Void
    /// After a step's work is done, and before it is stored that it is.
    package var beforeStoring: @Sendable (ErasureStep, _ sessionID: String) throws -> Void

    package init(
        before: @escaping @Sendable (ErasureStep, String) throws -> Void = { _, _ in },
        beforeStoring: @escaping @Sendable (ErasureStep, String) throws -> Void = { _, _ in }
    ) {
        self.before = before
        self.beforeStoring = beforeStoring
    }
}
