/// Names in Swift.
enum SwiftName {
    /// Words of a field's name that are written in capitals, except where they begin it.
    private static let acronyms: [String: String] = [
        "id": "ID", "ids": "IDs", "url": "URL", "json": "JSON", "http": "HTTP",
    ]

    /// Words that are reserved in every position where generated code puts a name.
    private static let keywords: Set<String> = [
        "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit", "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in", "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol",
        "public", "repeat", "rethrows", "return", "self", "Self", "static", "struct", "subscript", "super", "switch",
        "throw", "throws", "true", "try", "typealias", "var", "where", "while",
    ]

    /// `confirm_session_id` → `confirmSessionID`.
    static func property(_ name: String) -> String {
        escaped(unescapedProperty(name))
    }

    static func unescapedProperty(_ name: String) -> String {
        var words = name.split(separator: "_").map { String($0) }
        for index in words.indices.dropFirst() {
            words[index] = acronyms[words[index]] ?? capitalised(words[index])
        }
        return words.joined()
    }

    /// `AskQuestion` → `askQuestion`.
    static func method(_ name: String) -> String {
        escaped(name.prefix(1).lowercased() + name.dropFirst())
    }

    /// The name of a message or enum.
    static func type(_ name: String) -> String {
        ["Any", "Protocol", "Self", "Type"].contains(name) ? "`\(name)`" : name
    }

    /// `question_state` → `QuestionState`; `Question` stays.
    static func upperCamel(_ name: String) -> String {
        name.split(separator: "_").map { capitalised(String($0)) }.joined()
    }

    /// `NOT_SERVING` → `notServing`; with the prefix of its enum's zero value dropped.
    static func enumCase(_ name: String, prefix: String) -> String {
        let rest = name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name
        return property(rest.lowercased())
    }

    private static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    private static func capitalised(_ word: String) -> String {
        word.prefix(1).uppercased() + word.dropFirst()
    }
}

/// Names in C, as protoc-c 1.4 makes them.
enum CName {
    private static let keywords: Set<String> = [
        "auto", "bool", "break", "case", "catch", "char", "class", "const", "continue", "default", "delete", "do",
        "double", "else", "enum", "explicit", "extern", "false", "float", "for", "friend", "goto", "if", "inline",
        "int", "long", "mutable", "namespace", "new", "operator", "private", "protected", "public", "register",
        "return", "short", "signed", "sizeof", "static", "struct", "switch", "template", "this", "throw", "true",
        "try", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "while",
    ]

    /// `samtal.chat.v1.SessionKey` → `Samtal__Chat__V1__SessionKey`.
    static func type(_ fullName: String) -> String {
        fullName.split(separator: ".").map { SwiftName.upperCamel(String($0)) }.joined(separator: "__")
    }

    /// `samtal.chat.v1.SessionKey` → `samtal__chat__v1__session_key`, the beginning of the functions' names.
    static func function(_ fullName: String) -> String {
        fullName.split(separator: ".").map { snake(String($0)) }.joined(separator: "__")
    }

    /// The member of the struct.
    static func member(_ fieldName: String) -> String {
        let name = fieldName.lowercased()
        return keywords.contains(name) ? name + "_" : name
    }

    private static func snake(_ name: String) -> String {
        var result = ""
        var afterCapital = true
        for character in name {
            if character.isUppercase, !afterCapital {
                result += "_"
            }
            result += character.lowercased()
            afterCapital = character.isUppercase
        }
        return result
    }
}
