import ArgumentParser
import ServiceKit

extension WebOrigin {
    /// - Parameter name: where the text comes from, such as "--url".
    /// - Throws: `ValidationError` saying what is wrong with the text.
    init(option name: String, _ text: String) throws {
        do throws(WebOrigin.Problem) {
            try self.init(text)
        } catch {
            throw ValidationError("\(name) \"\(text)\" \(error). It is written like https://samtal.example.org")
        }
    }
}
