import Foundation
import RetentionCore
import Testing

@Suite("The table of an export, as spreadsheet programs read it")
struct SpreadsheetTests {
    private func row(_ fields: [String]) -> String { String(decoding: CSVRow.encoded(fields), as: UTF8.self) }

    @Test(
        "a sign that begins a formula has an apostrophe before it at the beginning of a field",
        arguments: [
            ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"), ("＝1", "'＝1"),
            ("＋1", "'＋1"), ("－1", "'－1"), ("＠A1", "'＠A1"), (" =1", " '=1"), ("\t=1", "\t'=1"), ("\r\n=1", "\r\n'=1"),
            ("'=1", "''=1"), ("\u{200B}=1", "\u{200B}'=1"),
        ])
    func starts(field: String, written: String) {
        #expect(row([field]) == "\"\(written)\"\r\n")
        #expect(row(["x", field]) == "\"x\",\"\(written)\"\r\n")
    }

    @Test(
        "and wherever else a program may begin a cell",
        arguments: [
            ("Hej;=1+1;", "Hej;'=1+1;"), ("Hej,=1", "Hej,'=1"), ("Hej|@A1", "Hej|'@A1"), ("Hej\t+1", "Hej\t'+1"),
            ("Hej\n-1", "Hej\n'-1"), ("Hej; =1", "Hej; '=1"), ("Hej;\"=1\"", "Hej;\"\"'=1\"\""),
            ("a;=1;=2|=3", "a;'=1;'=2|'=3"), ("\",=1", "\"\",'=1"),
        ])
    func middles(field: String, written: String) {
        #expect(row([field]) == "\"\(written)\"\r\n")
    }

    @Test(
        "a field that merely holds such a sign is left alone",
        arguments: ["a=1", "1-1", "2 + 2 = 4", "x@example.se", "kl. 12–13; ja", "e-post, t.ex.", "it's"])
    func harmless(field: String) {
        #expect(row([field]) == "\"\(field)\"\r\n")
    }

    /// Texts that were written to become cells, and every text of three of the pieces that matter.
    private static var hostile: [String] {
        let written = [
            "Hej;=1+1;", "Hej,=1+1,", "Hej\t=1+1\t", "Hej|=1+1|", "\";=1+1;\"", "\",=1+1,\"", "\"\t=1+1\t\"",
            "a\n=1+1", "a\r\n\"=1+1\"", "a;\"=1+1\";b", "a;\"\"=1+1", "'=1+1", ";';=1+1", "a;\u{A0}=1+1", "\"=1+1",
            "\"\n=1+1\n\"", "=cmd|'/C calc'!A1", "@SUM(1+1)*cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!D2", "+1;-1;@A1",
            "=HYPERLINK(\"http://example.se\";\"x\")", ";=\"x\";", "a,\"b\";=1+1,\"c\"",
        ]
        let pieces = ["=1+1", "-1", "@A1", ";", ",", "\t", "|", "\"", "\n", " ", "x"]
        var texts = [""]
        for _ in 0..<3 { texts = texts.flatMap { text in pieces.map { text + $0 } } }
        return written + texts
    }

    /// Cuts the file as spreadsheet programs may: at each separator, with and without regard to quotes and to line
    /// breaks within them. Prints how many cells it saw that such a program would run, and the rows as they are meant.
    private static let reader = """
        import csv, io, json, sys
        starts = tuple("=+-@\\uff1d\\uff0b\\uff0d\\uff20")
        data = open(sys.argv[1], encoding="utf-8-sig", newline="").read()
        live, cells = [], 0
        def look(cell, how):
            global cells
            cells += 1
            if cell.strip(" \\t\\r\\n\\u00a0\\"").startswith(starts):
                live.append([how, cell])
        for delimiter in ",;\\t|":
            for quoting in (csv.QUOTE_ALL, csv.QUOTE_NONE):
                for doublequote in (True, False):
                    for skip in (True, False):
                        how = "%r %d %d %d" % (delimiter, quoting, doublequote, skip)
                        for row in csv.reader(io.StringIO(data, newline=""), delimiter=delimiter, quoting=quoting,
                                              doublequote=doublequote, skipinitialspace=skip):
                            for cell in row: look(cell, how)
            for line in data.splitlines():
                for cell in line.split(delimiter): look(cell, "split at %r" % delimiter)
        rows = list(csv.reader(io.StringIO(data, newline=""), strict=True))
        print(json.dumps({"cells": cells, "live": live[:5], "rows": rows}))
        """

    private struct Seen: Decodable {
        var cells: Int
        var live: [[String]]
        var rows: [[String]]
    }

    @Test("no way of cutting the file into cells makes one that a program runs, and the texts can be had back")
    func everyCut() async throws {
        let path = "/tmp/samtal-csv-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let texts = Self.hostile
        var bytes = CSVRow.byteOrderMark
        for text in texts { bytes += CSVRow.encoded(["question-1", text, text, "answer"]) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))

        let data = try await Self.output(of: "/usr/bin/python3", ["-c", Self.reader, path])
        let seen = try JSONDecoder().decode(Seen.self, from: data)
        #expect(seen.cells > 10 * texts.count)
        #expect(seen.live == [])
        #expect(seen.rows.map { $0[1] }.map(Self.undone) == texts)
    }

    /// What a program prints, waited for without holding up other tests.
    private static func output(of program: String, _ arguments: [String]) async throws -> Data {
        let file = FileManager.default.temporaryDirectory.appending(path: "samtal-csv-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        _ = FileManager.default.createFile(atPath: file.path, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: file)
        try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in ended.resume() }
            do { try process.run() } catch { ended.resume(throwing: error) }
        }
        #expect(process.terminationStatus == 0)
        return try Data(contentsOf: file)
    }

    /// What the documents say about having the texts back: one apostrophe less before each sign that may begin a cell.
    private static func undone(_ cell: String) -> String {
        let mayBegin = #"(?:^|[,;|\t\n\r])[\s"']*"#
        let pattern = "(\(mayBegin))'(?=[=+\\-@])"
        guard let expression = try? NSRegularExpression(pattern: pattern) else { return cell }
        return expression.stringByReplacingMatches(
            in: cell, range: NSRange(cell.startIndex..., in: cell), withTemplate: "$1")
    }
}
