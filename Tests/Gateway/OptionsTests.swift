import ArgumentParser
import GatewayCore
import GatewayServer
import Testing

@Suite("the options")
struct OptionsTests {
    private func configuration(
        _ arguments: [String], environment: [String: String] = [:]
    ) throws -> GatewayConfiguration {
        try GatewayOptions.parse(arguments).configuration(environment: environment)
    }

    @Test("without options it serves this machine alone")
    func defaults() throws {
        let configuration = try configuration([])
        #expect(configuration.host == "127.0.0.1" && configuration.port == 8080)
        #expect(configuration.publicURL == nil && configuration.trustedProxies.isEmpty)
    }

    @Test("options win over the environment, and the environment over the defaults")
    func precedence() throws {
        let environment = [
            "SAMTAL_HTTP": "[::1]:9000", "SAMTAL_PUBLIC_URL": "https://samtal.example.org/",
            "SAMTAL_TRUSTED_PROXIES": "127.0.0.1 ::1", "SAMTAL_RATES": "ask=5/1 join=6/2",
        ]
        let all = try configuration([], environment: environment)
        #expect(all.host == "::1" && all.port == 9000)
        #expect(all.publicURL == "https://samtal.example.org")
        #expect(all.trustedProxies == ["127.0.0.1", "::1"])
        #expect(all.rateRules[.ask] == .init(burst: 5, interval: .seconds(1)))
        #expect(all.rateRules[.join] == .init(burst: 6, interval: .milliseconds(500)))
        #expect(all.clientAddressHeader == .xForwardedFor)
        let header = ["SAMTAL_CLIENT_ADDRESS_HEADER": "Forwarded"]
        #expect(try configuration([], environment: header).clientAddressHeader == .forwarded)
        let named = try configuration(["--client-address-header", "x-forwarded-for"], environment: header)
        #expect(named.clientAddressHeader == .xForwardedFor)
        let own = try configuration(["--http", "0.0.0.0:80", "--rate", "sign-in=1/1"], environment: environment)
        #expect(own.host == "0.0.0.0" && own.port == 80)
        #expect(own.rateRules[.ask] == RateLimiter.Rule.defaults[.ask])
    }

    @Test("whom to write to is an address, with or without a name")
    func contacts() throws {
        let environment = ["SAMTAL_CONTACT": "avtal@example.se", "SAMTAL_SUPPORT": "hjalp@example.se"]
        let all = try configuration(["--support", "Åsa Ek <asa.ek+samtal@stod.example.se>"], environment: environment)
        #expect(all.contact?.address == "avtal@example.se" && all.contact?.name == "")
        #expect(all.support?.address == "asa.ek+samtal@stod.example.se" && all.support?.name == "Åsa Ek")
        #expect(try configuration([]).contact == nil && configuration([]).support == nil)
    }

    @Test("what is served to other machines is told from what isn't, for a warning")
    func local() throws {
        for host in ["127.0.0.1", "localhost", "[::1]", "127.0.1.1"] {
            #expect(try configuration(["--http", "\(host):80"]).isLocal)
        }
        for host in ["0.0.0.0", "[::]", "192.0.2.1", "samtal.example.org"] {
            #expect(try !configuration(["--http", "\(host):80"]).isLocal)
        }
    }

    @Test(
        "what can't be used is refused at the start",
        arguments: [
            ["--http", "localhost"], ["--http", ":8080"], ["--http", "a:99999"],
            ["--public-url", "samtal.example.org"],
            ["--public-url", "ftp://a"], ["--public-url", "https://a/path"], ["--public-url", "https://u@a"],
            ["--public-url", "https://"], ["--public-url", "https://a:0"], ["--public-url", "http://a b"],
            ["--support", "hjalp"], ["--support", "a@b"], ["--support", "a@example.se?subject=x"],
            ["--support", "a@example.se,b@example.se"], ["--contact", "javascript:alert(1)@example.se"],
            ["--contact", "<script>x</script> <a@example.se>"], ["--contact", "Åsa\nEk <a@example.se>"],
            ["--contact", "å@example.se"], ["--contact", "\"a\"@example.se"], ["--contact", "a@-x.example.se"],
            ["--contact", String(repeating: "a", count: 250) + "@example.se"], ["--contact", "a@example.se>"],
            ["--contact", "Åsa\u{202E} <a@example.se>"],
            ["--trusted-proxy", "proxy.example.org"], ["--client-address-header", "x-real-ip"], ["--rate", "ask"],
            ["--rate", "sing=1/1"], ["--rate", "ask=0/1"],
        ])
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try configuration(arguments) }
    }
}
