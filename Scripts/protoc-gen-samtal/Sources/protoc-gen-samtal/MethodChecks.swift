internal import SwiftProtobuf
internal import SwiftProtobufPluginLibrary

/// Who may call a method is always said.
enum MethodChecks {
    static func violations(of method: MethodDescriptor) -> [Violation] {
        guard method.service.isOfSamtal else { return [] }
        guard method.hasRules else {
            return [
                Violation(
                    method, "has no (method) option",
                    remedy: "say who may call it: allow: {role: … principals: …}")
            ]
        }
        return accessViolations(of: method) + RouteChecks.violations(of: method)
    }

    private static func accessViolations(of method: MethodDescriptor) -> [Violation] {
        guard !method.rules.allow.isEmpty else {
            return [
                Violation(
                    method, "allows nobody to call it", remedy: "add allow: {role: … principals: …}, or remove it")
            ]
        }
        var violations: [Violation] = []
        for grant in method.rules.allow {
            if grant.role.isUnspecified {
                violations.append(Violation(method, "has a grant without a role", remedy: "name the role"))
            }
            if grant.principals.isEmpty || grant.principals.contains(where: \.isUnspecified) {
                violations.append(
                    Violation(
                        method, "has a grant without principals",
                        remedy: "name them; principals: ANYONE asks for no token"))
            }
        }
        let roles = method.rules.allow.map(\.role)
        if Set(roles).count < roles.count {
            violations.append(
                Violation(
                    method, "grants a role twice", remedy: "list all principals of the role in one allow"))
        }
        return violations
    }
}
