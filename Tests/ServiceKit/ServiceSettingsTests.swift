import ArgumentParser
import Contracts
import Foundation
import Logging
import Privacy
import Testing

@testable import ServiceKit

@Suite("Settings")
struct ServiceSettingsTests {
    private func settings(
        _ arguments: [String], _ environment: [String: String] = ["SAMTAL_REGION": "se"]
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
            "SAMTAL_REGION": "FI-Helsinki",
        ]
        let fromEnvironment = try settings([], environment)
        #expect(fromEnvironment.socketPath == "/srv/a/run/chat.sock")
        #expect(fromEnvironment.peers == PeerRoles([1001: [.gateway], 1002: [.service, .operator]]))
        #expect(fromEnvironment.logLevel == .debug)
        #expect(fromEnvironment.threads == 3)
        #expect(fromEnvironment.region.name == "fi-helsinki")
        #expect(fromEnvironment.neighbours == ["retention": "/r.sock", "identity": "/i.sock"])

        let both = try settings(
            [
                "--data", "/srv/b", "--socket", "/s.sock", "--peer", "7=backend", "--threads", "1", "--log-level",
                "error", "--region", "no",
            ],
            environment)
        #expect(both.folders.own == "/srv/b/chat")
        #expect(both.socketPath == "/s.sock")
        #expect(both.peers == PeerRoles([7: [.backend]]))
        #expect(both.threads == 1)
        #expect(both.region.name == "no")
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

    @Test(
        "without a region of the EU or EEA nothing starts, and one line says what to do",
        arguments: [
            nil, "", "gb-london", "ch", "us-east-1", "eu-west-2", "sverige", "s", "se_1", "se-", "-se", "se--1", "se 1",
            "se\nfi", "sé", "sе", "se-\u{200B}", "se-" + String(repeating: "a", count: 40), "../se",
        ] as [String?])
    func regions(text: String?) {
        let error = #expect(throws: StartUpError.self) { try settings([], text.map { ["SAMTAL_REGION": $0] } ?? [:]) }
        #expect(error?.description.contains("--region or SAMTAL_REGION, such as se") == true)
        #expect(error?.description.contains(where: \.isNewline) == false)
        #expect(error?.description.unicodeScalars.allSatisfy { $0.isASCII } == true)
        #expect(error?.description.utf8.count ?? 0 < 300)
    }

    @Test("every option is documented with its environment variable")
    func documentation() {
        let help = ServiceOptions.helpMessage(columns: 400)
        for variable in ["DATA", "REGION", "SOCKET", "PEERS", "NEIGHBOURS", "LOG_LEVEL", "THREADS"] {
            #expect(help.contains("SAMTAL_\(variable)"))
        }
    }
}
