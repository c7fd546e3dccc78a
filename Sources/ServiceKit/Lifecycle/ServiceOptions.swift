public import ArgumentParser

/// The options that every service has. Each has an environment variable as its fallback, so that a unit file and a
/// shell say the same things; the command line wins.
public struct ServiceOptions: ParsableArguments {
    @Option(
        name: .customLong("data"),
        help: ArgumentHelp(
            "The data folder: sockets in run/, one folder for each service beside it (SAMTAL_DATA; default ./data).",
            valueName: "dir"))
    var data: String?

    @Option(
        name: .customLong("region"),
        help: ArgumentHelp(
            """
            Where the data folder is: the code of a country of the EU or EEA, with or without a suffix, such as se or \
            se-stockholm-1. Required; shown, as declared, on pages and certificates (SAMTAL_REGION).
            """, valueName: "region"))
    var region: String?

    @Option(
        name: .customLong("socket"),
        help: ArgumentHelp(
            "The Unix socket to serve on, at most 107 bytes (SAMTAL_SOCKET; default DIR/run/NAME.sock).",
            valueName: "path"))
    var socket: String?

    @Option(
        name: .customLong("peer"), parsing: .singleValue,
        help: ArgumentHelp(
            """
            Who may connect, and as what: a user id or user name (group:ID or group:NAME for a group) and its roles, \
            of gateway, service, operator, backend and backup. May be repeated (SAMTAL_PEERS, separated by spaces; default: the service's own user and root, \
            with every role).
            """, valueName: "user=role,role"))
    var peer: [String] = []

    @Option(
        name: .customLong("neighbour"), parsing: .singleValue,
        help: ArgumentHelp(
            """
            Where a neighbouring service's socket is. May be repeated (SAMTAL_NEIGHBOURS, separated by spaces; default \
            DIR/run/NAME.sock).
            """, valueName: "name=path"))
    var neighbour: [String] = []

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp(
            """
            The least severe log lines to write: trace, debug, info, notice, warning, error or critical \
            (SAMTAL_LOG_LEVEL; default info). From debug on every call is a line.
            """, valueName: "level"))
    var logLevel: String?

    @Option(
        name: .customLong("threads"),
        help: ArgumentHelp(
            "How many threads serve connections, 1 to 64 (SAMTAL_THREADS; default one for each processor, at most 8).",
            valueName: "n"))
    var threads: Int?

    @Option(
        name: .customLong("disk-reserve"),
        help: ArgumentHelp(
            """
            Room on the disk that only erasing may use, in MiB, 0 to 1024, and an eighth of the disk at most \
            (SAMTAL_DISK_RESERVE; default 8). Nothing new is stored while there is less than twice as much.
            """, valueName: "mib"))
    var diskReserve: Int?

    public init() {}
}
