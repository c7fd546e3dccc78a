import Privacy
import Testing

@Suite("Regions")
struct RegionTests {
    @Test("every country of the EU and of the EEA is one, and each once")
    func countries() throws {
        // Art. 355 TFEU and the EEA agreement: 27, Iceland, Liechtenstein and Norway.
        #expect(Region.countries.count == 30 && Set(Region.countries).count == 30)
        for country in Region.countries {
            #expect(try Region(country).country == country)
            #expect(try Region("\(country)-north-1").name == "\(country)-north-1")
        }
    }

    @Test(
        "what operators write is read",
        arguments: [("SE", "se"), ("se-Stockholm-1", "se-stockholm-1"), ("de-fra2", "de-fra2")])
    func spellings(written: String, name: String) throws {
        #expect(try Region(written).name == name && Region(written).description == name)
    }

    @Test(
        "what lies outside, or names no country, is none",
        arguments: [
            "gb", "uk", "ch", "us", "us-east-1", "eu", "eu-north-1", "eu-west-2", "sverige", "swedencentral", "", "-",
            "se-",
            "-se", "se--a", "se.a", "se a", "se\u{0}", "ѕе", "se-å", "se-" + String(repeating: "x", count: 38),
        ])
    func refused(text: String) {
        let problem = #expect(throws: Region.Problem.self) { try Region(text) }
        #expect(problem?.description.isEmpty == false)
    }
}
