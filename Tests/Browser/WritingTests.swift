import TestProcesses
import Testing

extension Chromium {
    @Suite("What people write, in a browser")
    struct WritingTests {
        @Test(
            "Arabic and Hebrew read from the right, nothing overlaps or widens the page, and what is pasted is mended")
        func written() async throws {
            try await RunningSamtal.with { samtal in
                let organisation = try await TestOrganisation.create(in: samtal)
                let session = try await organisation.openSession(in: samtal, title: "سؤال للخبير")
                let seen = try await BrowserProgram.run("writing.py", [], [session], in: samtal, atMost: .seconds(200))
                #expect(seen.status == 0, "\(seen.printed.suffix(6000))")
                #expect(seen.printed.contains("all of it was seen"), "\(seen.printed.suffix(6000))")
            }
        }
    }
}
