import Contracts
import Foundation
import RPC
import TestProcesses
import Testing

@Suite("What the command line writes")
struct CommandOutputTests {
    /// Runs a line of shell, in which `samtal` is the command under test.
    private func shell(_ line: String, in folder: String) async throws -> (status: Int32, printed: String) {
        let script = """
            cd '\(folder)' || exit 99
            PATH='\(ChildProcess.folder)':$PATH
            SAMTAL_DATA='\(folder)/data'; export SAMTAL_DATA
            [ ! -e access-token ] || { SAMTAL_ACCESS_TOKEN=$(cat access-token); export SAMTAL_ACCESS_TOKEN; }
            \(line)
            """
        return try await ChildProcess.run("/bin/sh", ["-c", script])
    }

    /// An organisation with a session that has ended, and its administrator signed in for what ``shell(_:in:)`` runs.
    private func ended(_ samtal: RunningSamtal) async throws -> (organisation: String, session: String) {
        let organisation = try await TestOrganisation.create(in: samtal)
        try organisation.accessToken.write(toFile: accessToken(samtal), atomically: true, encoding: .utf8)
        let session = try await organisation.openSession(in: samtal)
        let participant = try await samtal.join(session)
        var generator = SystemRandomNumberGenerator()
        for number in 0..<40 {
            // Hardly compresses.
            let text = (0..<120).map { _ in String(generator.next(), radix: 36) }.joined(separator: " ")
            _ = try await samtal.chat.askQuestion(
                .init(sessionID: session, text: String(text.prefix(1_900)), requestID: "request-\(number)"),
                options: participant)
        }
        _ = try await samtal.chat.endSession(.init(sessionID: session), options: organisation.administrator)
        return (organisation.organisationID, session)
    }

    private func accessToken(_ samtal: RunningSamtal) -> String { "\(samtal.folder)/access-token" }

    private func mode(_ path: String) throws -> Int {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
    }

    private func files(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    @Test("every command whose output can't be written says so and ends with 1")
    func fullOutput() async throws {
        try await RunningSamtal.with { samtal in
            let (organisation, session) = try await ended(samtal)
            let prepared = try await shell(
                "samtal ledger-key -o key.json && samtal erase \(session) --confirm \(session) -o erased.json",
                in: samtal.folder)
            #expect(prepared.status == 0, "\(prepared.printed)")
            let signedIn = try await TestOrganisation.signedIn(in: samtal, organisationID: organisation)
            let second = try await signedIn.openSession(in: samtal)
            _ = try await samtal.chat.endSession(.init(sessionID: second), options: signedIn.administrator)
            let commands = [
                "organisation create Exempelredaktionen", "organisation list",
                "administrator add \(organisation) bo@example.se 'Bo Exempel'", "administrator list \(organisation)",
                "agreement record \(organisation) --reference DPA-2 --signed 2026-01-15 --cap-days 30",
                "agreement show \(organisation)", "agreement preview \(organisation)",
                "policy preview \(organisation) 7", "policy set \(organisation) 7", "policy show \(organisation)",
                "sign-in-link anna@example.se", "status", "export \(second) -o second.zip",
                "erase \(second) --confirm \(second) -o second.json", "certificates -o chain.json", "ledger-key",
                "ledger-key -o key2.json", "verify erased.json --key key.json", "--help", "export --help", "help",
            ]
            for command in commands {
                let token = "SAMTAL_ACCESS_TOKEN=\(signedIn.accessToken)"
                let ran = try await shell("\(token) samtal \(command) > /dev/full", in: samtal.folder)
                #expect(ran.status == 1, "\(command)")
                #expect(
                    ran.printed.contains("Standard output can't be written (No space left on device)"), "\(command)")
                let closed = try await shell("samtal \(command.replacing("-o ", with: "-o x")) >&-", in: samtal.folder)
                #expect(closed.status != 0, "\(command)")
            }
            // Where standard error can't be written either, the exit code is what is left.
            #expect(try await shell("samtal ledger-key > /dev/full 2>&1", in: samtal.folder).status == 1)
            #expect(try await shell("samtal no-such-command 2> /dev/full", in: samtal.folder).status == 64)
        }
    }

    @Test("a service whose help can't be written says so and ends with 1")
    func fullHelp() async throws {
        for service in ["samtal-identity", "samtal-chat", "samtal-retention", "samtal-gateway"] {
            let ran = try await shell("\(service) --help > /dev/full", in: "/tmp")
            #expect(ran.status == 1, "\(service)")
            #expect(ran.printed == "Error: Standard output can't be written (No space left on device).\n", "\(service)")
            let shown = try await shell("\(service) --help", in: "/tmp")
            #expect(shown.status == 0 && shown.printed.contains("USAGE: \(service)"))
            #expect(try await shell("\(service) --no-such-option 2> /dev/full", in: "/tmp").status == 64)
        }
    }

    @Test("when nobody reads any more, a command ends quietly")
    func unread() async throws {
        let folder = "/tmp/samtal-output-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for command in ["--help", "status"] {
            let ran = try await shell(
                "{ sleep 2; samtal \(command); echo $? > status; } | true; cat status", in: folder)
            // 128 and SIGPIPE, and not a word.
            #expect(ran.printed == "141\n")
        }
    }

    @Test("an output file is written beside its place; links are followed, and devices and pipes written through")
    func targets() async throws {
        try await RunningSamtal.with([.retention]) { samtal in
            let folder = "\(samtal.folder)/out"
            try FileManager.default.createDirectory(atPath: "\(folder)/elsewhere", withIntermediateDirectories: true)
            func run(_ line: String) async throws -> (status: Int32, printed: String) {
                try await shell("cd out; umask 022; \(line)", in: samtal.folder)
            }
            func content(_ name: String) throws -> String {
                try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
            let key = try await shell("samtal ledger-key", in: samtal.folder).printed
            #expect(key.contains("samtal-ledger-key"))

            // A new file, and one that is there and keeps its permissions.
            #expect(try await run("samtal ledger-key -o new.json").status == 0)
            #expect(try content("new.json") == key)
            #expect(try mode("\(folder)/new.json") == 0o644)
            #expect(try await run("echo old > old.json; chmod 600 old.json; samtal ledger-key -o old.json").status == 0)
            #expect(try content("old.json") == key)
            #expect(try mode("\(folder)/old.json") == 0o600)
            // Links: to a file, to one that isn't there yet, over another link and another folder.
            let links = """
                echo old > elsewhere/target.json; ln -s elsewhere/target.json link.json; ln -s free.json elsewhere/hop
                ln -s elsewhere/hop dangling.json; ln -s turn turn
                """
            #expect(
                try await run("\(links)\nsamtal ledger-key -o link.json && samtal ledger-key -o dangling.json").status
                    == 0)
            #expect(try content("elsewhere/target.json") == key)
            #expect(try content("elsewhere/free.json") == key)
            for link in ["link.json", "dangling.json", "elsewhere/hop"] {
                #expect((try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(link)")) != nil)
            }
            // A pipe, a device, standard output; none of them is replaced.
            #expect(
                try await run("mkfifo pipe; cat pipe > piped & samtal ledger-key -o pipe; wait; test -p pipe").status
                    == 0)
            #expect(try content("piped") == key)
            #expect(
                try await run("ln -s /dev/null hole; samtal ledger-key -o hole; test -c hole && test -L hole").status
                    == 0)
            #expect(try await run("samtal ledger-key -o /dev/stdout > stdout 2> stderr").status == 0)
            #expect(try content("stdout") == key)
            #expect(try content("stderr").hasPrefix("ledger key  "))
            // What can't be written to is said in a sentence.
            let refusals = [
                ("elsewhere", "is a folder"), ("none/key.json", "There is no folder none"), ("turn", "leads to itself"),
                ("/dev/full", "/dev/full is full"),
                ("new.json/key.json", "Can't write new.json/key.json (Not a directory)"),
            ]
            for (path, sentence) in refusals {
                let ran = try await run("samtal ledger-key -o \(path)")
                #expect(ran.status == 1)
                #expect(ran.printed.hasPrefix("Error: ") && ran.printed.contains(sentence), "\(ran.printed)")
            }
            #expect(
                try files(folder) == [
                    "dangling.json", "elsewhere", "hole", "link.json", "new.json", "old.json", "pipe", "piped",
                    "stderr",
                    "stdout", "turn",
                ])
            #expect(try files("\(folder)/elsewhere") == ["free.json", "hop", "target.json"])
        }
    }

    @Test("an export is the owner's alone, replaces nothing, and leaves nothing when it fails or is interrupted")
    func export() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let (_, session) = try await ended(samtal)
            let folder = "\(samtal.folder)/out"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(try await shell("samtal export \(session) -o out/a.zip", in: samtal.folder).status == 0)
            #expect(try mode("\(folder)/a.zip") == 0o600)
            let again = try await shell("ln -s a.zip out/link; samtal export \(session) -o out/link", in: samtal.folder)
            #expect(again.status == 1 && again.printed.contains("exists already"))
            let unknown = try await shell("samtal export a-unknown -o out/b.zip", in: samtal.folder)
            #expect(unknown.status == 1 && unknown.printed.contains("not found"))
            let piped = try await shell(
                "samtal export \(session) -o /dev/stdout 2>out/err > out/c.zip", in: samtal.folder)
            #expect(piped.status == 0)
            #expect(try await shell("unzip -tqq out/c.zip", in: samtal.folder).status == 0)
            // Chat stands still, so that the command waits with its file begun.
            samtal.child(.chat)?.signal(SIGSTOP)
            let waiting = try ChildProcess(
                "samtal", ["export", session, "-o", "\(folder)/d.zip", "--data", samtal.data],
                log: "\(samtal.folder)/d.log",
                environment: ["SAMTAL_ACCESS_TOKEN": String(contentsOfFile: accessToken(samtal), encoding: .utf8)])
            try await eventually("the file is begun") { try files(folder).contains { $0.hasPrefix(".samtal-") } }
            waiting.signal(SIGINT)
            #expect(try await waiting.wait() == 130)
            samtal.child(.chat)?.signal(SIGCONT)
            #expect(try files(folder) == ["a.zip", "c.zip", "err", "link"])
        }
    }

    @Test(
        "on a full disk each command that writes a file says so, and leaves no half of one",
        .enabled(if: SmallDisk.isAllowed, Comment(rawValue: SmallDisk.skipped)))
    func fullDisk() async throws {
        try await RunningSamtal.with([.identity, .retention, .chat]) { samtal in
            let (_, session) = try await ended(samtal)
            let disk = try SmallDisk(on: "\(samtal.folder)/small", kilobytes: 32)
            defer { disk.unmount() }
            func expectFull(_ command: String) async throws {
                let ran = try await shell("samtal \(command)", in: samtal.folder)
                #expect(ran.status == 1, "\(command)")
                #expect(ran.printed.hasPrefix("Error: The disk of small is full, and small/"), "\(ran.printed)")
                #expect(disk.files == [], "\(command)")
            }
            // Too much for what room there is, and then no room at all.
            try await expectFull("export \(session) -o small/session.zip")
            try disk.fill()
            try await expectFull("export \(session) -o small/session.zip")
            try await expectFull("ledger-key -o small/key.json")
            try await expectFull("erase \(session) --confirm \(session) -o small/erased.json")
            try await expectFull("certificates -o small/chain.json")
            // The erasure is done all the same, and its certificate is not lost.
            disk.makeRoom()
            let again = try await shell(
                "samtal erase \(session) --confirm \(session) -o small/erased.json", in: samtal.folder)
            #expect(again.status == 0, "\(again.printed)")
            #expect(disk.files == ["erased.json"])
        }
    }

    @Test("a link is an address that works, however the site's address was written")
    func links() async throws {
        try await RunningSamtal.with([.identity, .retention]) { samtal in
            _ = try await TestOrganisation.create(in: samtal)
            let acting = try #require(try await samtal.actingAdministrator().first)
            func link(_ line: String) async throws -> (status: Int32, printed: String) {
                try await shell("export \(acting.key)=\(acting.value); \(line)", in: samtal.folder)
            }
            for (url, begins) in [
                ("http://h/", "http://h/admin#code="),
                ("HTTPS://Samtal.Example.SE:443/", "https://samtal.example.se/admin#code="),
                ("http://[::1]:8080", "http://[::1]:8080/admin#code="),
            ] {
                let option = try await link("samtal sign-in-link anna@example.se --url '\(url)'")
                #expect(option.status == 0 && option.printed.hasPrefix(begins), "\(option.printed)")
                let variable = try await link("SAMTAL_URL='\(url)' samtal sign-in-link anna@example.se")
                #expect(variable.status == 0 && variable.printed.hasPrefix(begins), "\(variable.printed)")
            }
            for url in ["http://", "h", "http://h/admin", "http://h h", "ftp://h", "http://h:99999"] {
                let option = try await link("samtal sign-in-link anna@example.se --url '\(url)'")
                #expect(option.status == 64 && option.printed.contains("--url \"\(url)\" "), "\(option.printed)")
                let variable = try await link("SAMTAL_URL='\(url)' samtal sign-in-link anna@example.se")
                #expect(
                    variable.status == 64 && variable.printed.contains("SAMTAL_URL \"\(url)\" "), "\(variable.printed)")
            }
        }
    }
}
