import ArgumentParser
import Foundation
import RetentionCore

enum CertificateLanguage: String, ExpressibleByArgument, CaseIterable {
    case sv, en

    /// As the environment asks for; English for any other language.
    static var ofEnvironment: Self {
        let environment = ProcessInfo.processInfo.environment
        let name = ["LC_ALL", "LC_MESSAGES", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty }
        return name?.hasPrefix("sv") == true ? .sv : .en
    }
}

/// What a certificate says, in plain words: no more than its statement does.
struct CertificateWords {
    private let isSwedish: Bool

    init(_ language: CertificateLanguage) { isSwedish = language == .sv }

    func description(of statement: ErasureStatement) -> String {
        let lines: [(String, String)] =
            [
                (either("certificate", "intyg"), "\(statement.sequence)"),
                (either("organisation", "organisation"), statement.organisationID),
                (either("session", "samtal"), statement.sessionID),
                (either("erased", "raderat"), "\(time(statement.erasedTime)) (\(trigger(statement.trigger)))"),
                (either("asked by", "begärt av"), requester(statement)),
                (either("keys", "nycklar"), keys(statement)),
                (either("medium", "medium"), medium(statement.evidence.keys)),
                (either("content", "innehåll"), content(statement.evidence.content)),
                (either("counts", "antal"), counts(statement.evidence.content.counts)),
                (either("rules", "regler"), rules(statement)),
                (either("kept in", "lagrat i"), regions(statement.regions)),
            ] + ledger(statement)
        return lines.map { name, words in
            name.padding(toLength: 14, withPad: " ", startingAt: 0) + words
        }.joined(separator: "\n")
    }

    private func either(_ english: String, _ swedish: String) -> String { isSwedish ? swedish : english }

    private func time(_ date: Date) -> String { date.formatted(.iso8601) }

    private func trigger(_ trigger: ErasureTrigger) -> String {
        switch trigger {
        case .manual: either("asked for", "på begäran")
        case .automatic: either("its time had passed", "lagringstiden hade gått ut")
        }
    }

    private func requester(_ statement: ErasureStatement) -> String {
        switch statement.requester {
        case .administrator?: either("an administrator of the organisation", "en administratör i organisationen")
        case .operator(let instruction)?:
            either("the operator, on the instruction", "driften, på instruktionen") + " “\(instruction.text)”"
        case nil where statement.trigger == .automatic: either("nobody", "ingen")
        case nil: either("not on record", "inte antecknat")
        }
    }

    private func keys(_ statement: ErasureStatement) -> String {
        let (keys, when) = (statement.evidence.keys, time(statement.keyDestroyedTime))
        guard keys.slots > 0 else {
            return either(
                "no slot held a key any more when it was looked, \(when)",
                "ingen plats innehöll längre någon nyckel när det undersöktes \(when)")
        }
        let overwritten = either(
            "\(keys.slots) \(keys.slots == 1 ? "slot" : "slots") overwritten \(when)",
            "\(keys.slots) \(keys.slots == 1 ? "plats överskriven" : "platser överskrivna") \(when)")
        let readBack: String =
            switch keys.readBack {
            case .pastPageCache?: either("read back from the device", "kontrolläst från lagringsenheten")
            case .afterDroppingCache?, nil:
                either("read back after letting go of the cache", "kontrolläst efter att cachen släppts")
            }
        let place: String =
            switch keys.place {
            case .same?: either("in the same blocks as before", "i samma block som förut")
            case .moved?: either("in OTHER blocks than before", "i ANDRA block än förut")
            case .unseen?, nil: either("which blocks can't be seen", "vilka block syns inte")
            }
        return [overwritten, readBack, place].joined(separator: ", ")
    }

    private func medium(_ keys: KeyDestruction) -> String {
        guard !keys.risks.isEmpty else { return keys.medium }
        return either(
            "\(keys.medium): WARNING, it may keep copies of what is overwritten",
            "\(keys.medium): VARNING, det kan behålla kopior av det som skrivs över")
            + " (\(keys.risks.joined(separator: ", ")))"
    }

    private func content(_ content: ContentErasure) -> String {
        let files = either(
            "\(content.files) \(content.files == 1 ? "file" : "files") unlinked, \(content.bytes) bytes",
            "\(content.files) \(content.files == 1 ? "fil borttagen" : "filer borttagna"), \(content.bytes) byte")
        let when = time(content.time)
        return switch content.found {
        case .fileUnlinked: "\(files), \(when)"
        case .erasedEarlier:
            either("erased before it was asked for: ", "raderat innan det begärdes: ") + "\(files), \(when)"
        case .neverHeld:
            either(
                "none was held: chat never had anything of this session (\(when))",
                "inget fanns: chatten hade aldrig något av detta samtal (\(when))")
        }
    }

    private func counts(_ counts: ErasedCounts?) -> String {
        guard let counts else {
            return either("not known: the content was damaged", "okänt: innehållet var skadat")
        }
        return either(
            "\(counts.questions) questions, \(counts.answers) answers, \(counts.events) events",
            "\(counts.questions) frågor, \(counts.answers) svar, \(counts.events) händelser")
    }

    private func rules(_ statement: ErasureStatement) -> String {
        either(
            "kept \(statement.retentionDays) days at most; agreement version \(statement.agreementVersion), policy "
                + "version \(statement.policyVersion)",
            "lagras högst \(statement.retentionDays) dagar; avtalsversion \(statement.agreementVersion), "
                + "regelversion \(statement.policyVersion)")
    }

    /// What is said of the ledger itself, where that was not simply certificate after certificate.
    private func ledger(_ statement: ErasureStatement) -> [(String, String)] {
        var lines: [(String, String)] = []
        if let until = statement.keyCopiesUntil {
            lines.append(
                (
                    either("key copies", "nyckelkopior"),
                    either(
                        "A COPY OF KEYS EXISTS UNTIL \(time(until)), for a backup: with it, and a copy of the content, what was "
                            + "erased can be read until then",
                        "EN KOPIA AV NYCKLAR FINNS TILL \(time(until)), för säkerhetskopiering: med den, och en kopia av "
                            + "innehållet, går det raderade att läsa till dess")
                ))
        }
        if let after = statement.gapAfter {
            let numbers = statement.sequence - after == 2 ? "\(after + 1)" : "\(after + 1)–\(statement.sequence - 1)"
            lines.append(
                (
                    either("missing", "saknas"),
                    either(
                        "\(numbers) before this one: the ledger was an older one, and its copy was lost",
                        "\(numbers) före detta: liggaren var äldre, och kopian av den hade gått förlorad")
                ))
        }
        if let note = statement.restored {
            lines.append(
                (
                    either("restored", "återställt"),
                    either(
                        "found \(time(note.time)), before this: the data was older than the ledger's copy; "
                            + "\(note.certificates) certificates put back, \(note.erasures) erasures begun again, "
                            + "\(note.keys) keys overwritten again",
                        "upptäckt \(time(note.time)), före detta: data var äldre än liggarens kopia; "
                            + "\(note.certificates) intyg återförda, \(note.erasures) raderingar påbörjade igen, "
                            + "\(note.keys) nycklar överskrivna igen")
                ))
        }
        return lines
    }

    private func regions(_ regions: DeclaredRegions) -> String {
        guard let words = regions.inWords else { return either("not on record", "inte antecknat") }
        return either("\(words), as declared by the operator", "\(words), enligt driften")
    }
}
