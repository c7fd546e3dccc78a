internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Every field of a message that is stored or personal says what it holds, why, and for how long: the record of
/// processing (GDPR Art. 30) is made of it.
enum PrivacyChecks {
    static func violations(of message: Descriptor) -> [Violation] {
        guard message.options.Samtal_Annotations_V1_kind != .transport else { return [] }
        return message.fields.compactMap { field in
            guard field.options.hasSamtal_Annotations_V1_privacy else {
                return Violation(
                    field, "has no (privacy)",
                    remedy: "say category, purpose and lifetime, or mark the message with (kind) = TRANSPORT")
            }
            let privacy = field.options.Samtal_Annotations_V1_privacy
            var missing: [String] = []
            if privacy.category.isUnspecified { missing.append("category") }
            if privacy.purpose.isUnspecified { missing.append("purpose") }
            if privacy.lifetime.isUnspecified { missing.append("lifetime") }
            guard !missing.isEmpty else { return nil }
            return Violation(
                field, "has a (privacy) without \(missing.joined(separator: " and "))", remedy: "add it")
        }
    }
}

extension Enum where RawValue == Int {
    /// Not set, or set to a number that annotations.proto doesn't name.
    var isUnspecified: Bool {
        rawValue == 0 || String(describing: self).hasPrefix("UNRECOGNIZED")
    }
}
