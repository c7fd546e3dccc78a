import ArgumentParser
import Contracts
import Foundation
import Logging
import Testing

@testable import ServiceKit

@Suite("Settings")
struct ServiceSettingsTests {
    private func settings(
        _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> ServiceSettings {
        try ServiceSettings(name: "chat", options: ServiceOptions.parse(arguments), environment: environment)
    }

    @Test("without any option a service serves below ./data, for its own user")
    func defaults() throws {
        let settings = try settings([])
        #expect(settings.folders.own == "./data/chat")
        #expect(settings.socketPath == "./data/run/chat.sock")
        #expect(settings.peers == .ownUser())
        #expect(settings.logLevel == .info)
        #expect((1...8).contains(settings.threads))
    }

    @Test("the environment stands in for options, and options win")
    func environment() throws {
        let environment = [
            "SAMTAL_DATA": "/srv/a/", "SAMTAL_PEERS": "1001=gateway 1002=service,operator", "SAMTAL_LOG_LEVEL": "debug",
            "SAMTAL_THREADS": "3", "SAMTAL_NEIGHBOURS": "retention=/r.sock identity=/i.sock",
        ]
        let fromEnvironment = try settings([], environment)
        #expect(fromEnvironment.socketPath == "/srv/a/run/chat.sock")
        #expect(fromEnvironment.peers == PeerRoles([1001: [.gateway], 1002: [.service, .operator]]))
        #expect(fromEnvironment.logLevel == .debug)
        #expect(fromEnvironment.threads == 3)
        #expect(fromEnvironment.neighbours == ["retention": "/r.sock", "identity": "/i.sock"])

        let both = try settings(
            [
                "--data", "/srv/b", "--socket", "/s.sock", "--peer", "7=backend", "--threads", "1", "--log-level",
                "error",
            ],
            environment)
        #expect(both.folders.own == "/srv/b/chat")
        #expect(both.socketPath == "/s.sock")
        #expect(both.peers == PeerRoles([7: [.backend]]))
        #expect(both.threads == 1)
        #expect(both.logLevel == .error)
    }

    @Test(
        "a setting that can't be used says so, and what to do",
        arguments: [
            (["--threads", "0"], "from 1 to 64"), (["--log-level", "loud"], "the levels are trace"),
            (["--peer", "1001"], "1001=gateway,service"), (["--neighbour", "retention"], "NAME=PATH"),
            (["--data", "/" + String(repeating: "d", count: 120)], "choose a shorter one"),
        ])
    func errors(arguments: [String], hint: String) {
        let error = #expect(throws: StartUpError.self) { try settings(arguments) }
        #expect(error?.description.contains(hint) == true)
        #expect(error?.description.contains("\n") == false)
    }

    @Test("every option is documented with its environment variable")
    func documentation() {
        let help = ServiceOptions.helpMessage(columns: 400)
        for variable in ["DATA", "SOCKET", "PEERS", "NEIGHBOURS", "LOG_LEVEL", "THREADS"] {
            #expect(help.contains("SAMTAL_\(variable)"))
        }
    }
}
