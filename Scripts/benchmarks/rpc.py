"""Sources/RPC against gRPC C++ and grpc-swift-2 on Unix sockets, in turns. See README.md beside this file."""

import argparse
import pathlib
import re
import resource
import subprocess
import sys

import machine
import program
import rows
from load import CallsFailed, Load
from servers import Server, memory, serving
from table import Measure, Table

OURS = "ours"
HERE = pathlib.Path(__file__).resolve().parent
IDLE_CONNECTIONS = 1000
ATTEMPTS = 4  # of a peer's turn in which calls failed


def arguments():
    parser = program.parser("rpc", __doc__, "one round of short turns")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each row (default: 7)")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one server's turn (default: 1.5)")
    parser.add_argument("--only", metavar="PATTERN", help="only rows that match; a regular expression")
    parser.add_argument("--grpc-swift", metavar="FILE", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.rounds < 1 or parsed.seconds <= 0:
        parser.error("--rounds takes a number from 1, --seconds one above 0")
    try:
        parsed.rows, parsed.memory = rows.selected(parsed.only)
    except re.error as error:
        parser.error(f"--only: {error}")
    if not parsed.rows and not parsed.memory:
        parser.error("--only: no row matches; see --list")
    if parsed.quick:
        parsed.rounds, parsed.seconds = 1, 0.2
    return parsed


class Bench:
    def __init__(self, options, folder, log):
        self.options, self.folder = options, folder
        binaries, peers = options.binaries, options.peers

        def server(name, path, *command):
            return Server(name, list(map(str, command)), f"{folder}/{path}", log)

        self.benchmark = [
            server(OURS, "o.sock", binaries / "rpc-interop", "serve", "--listen", f"unix:{folder}/o.sock"),
            server(rows.CPP, "c.sock", peers / "grpc-benchmark", f"{folder}/c.sock"),
            server(rows.SWIFT, "s.sock", options.grpc_swift, f"{folder}/s.sock"),
        ]
        self.health = [
            server(OURS, "data/run/chat.sock", binaries / "samtal-chat", "--data", f"{folder}/data",
                   "--region", "se"),
            server(rows.CPP, "h.sock", peers / "grpc-health", f"{folder}/h.sock"),
        ]
        self.table = Table(OURS)
        self.repeated = []

    def run(self):
        if self.options.memory:
            self.measure_memory()
        for servers, kinds in ((self.benchmark, ("unary", "streaming")), (self.health, ("health",))):
            wanted = [row for row in self.options.rows if row.kind in kinds]
            if not wanted:
                continue
            with serving(servers):
                for row in wanted:
                    self.measure(row, servers)
                after = {server.name: [server.settled_bytes() / 1e6] for server in servers}
            if self.options.memory:
                label = "memory, after all of the " + ("health checks" if kinds == ("health",) else "above")
                self.table.line(label, Measure("", "resident, MB", "{:,.1f}"), after)

    def measure(self, row, servers):
        load = Load(row, self.folder, pathlib.Path(self.options.peers) / "patient-connect.so")
        place = f"[{self.options.rows.index(row) + 1}/{len(self.options.rows)}] {row.label}"
        program.progress(f"{place}: answers checked, warming up")
        for server in servers:
            self.attempt(server, row, load.prepare)
        turns = {server.name: [] for server in servers}
        for number in range(self.options.rounds):
            # Each goes first as often as the others, and not always after the same one.
            shift = number % len(servers)
            order = servers[shift:] + servers[:shift]
            for server in order if number // len(servers) % 2 == 0 else order[::-1]:
                turns[server.name].append(self.attempt(server, row, load.turn))
            done = ", ".join(f"{name} {turns[-1].rate:,.0f}/s" for name, turns in turns.items())
            program.progress(f"{place}: round {number + 1} of {self.options.rounds}: {done}")
        for server in servers:
            load.answers.check(server)
        self.table.add(row, turns)

    def attempt(self, server, row, step):
        """A turn in which a call failed is no figure. One of ours ends the run, a peer's is repeated and told of."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return step(server, self.options.seconds)
            except CallsFailed as error:
                if server.name == OURS or attempt == ATTEMPTS:
                    sys.exit(str(error))
                program.progress(f"{error}\nrepeated")
                self.repeated.append(f"{server.name}, {row.label}")

    def measure_memory(self):
        idle, connection = {}, {}
        for number in range(min(self.options.rounds, 3)):
            program.progress(f"memory: round {number + 1} of {min(self.options.rounds, 3)}")
            for server in self.benchmark:
                resident, each = memory(server, IDLE_CONNECTIONS)
                idle.setdefault(server.name, []).append(resident / 1e6)
                connection.setdefault(server.name, []).append(each / 1e3)
        self.table.line("memory, at rest", Measure("", "resident, MB", "{:,.1f}"), idle)
        self.table.line("memory, 1,000 connections at rest", Measure("", "kB for each", "{:,.1f}"), connection)


def version(*command):
    got = subprocess.run(command, capture_output=True, text=True)
    return got.stdout.strip() if got.returncode == 0 else "?"


def report(options, bench, folder):
    manifest = (HERE / "grpc-swift" / "Package.swift").read_text()
    packages = ", ".join(
        f"{name} {number}" for name, number in re.findall(r'/(grpc-swift[\w-]*)", exact: "([\d.]+)"', manifest))
    return "\n".join([
        "# Sources/RPC against gRPC C++ and grpc-swift-2",
        "",
        "Written by `Scripts/bench rpc`; [what is measured](../README.md). Ratios are medians of paired rounds,",
        "figures medians of rounds; \"ours\" is Sources/RPC. Of latencies, CPU and memory less is better.",
        "",
        *machine.lines(folder),
        f"- rounds: {options.rounds}; in turns of {options.seconds:g} s",
        f"- gRPC C++ {version('pkg-config', '--modversion', 'grpc++')}; {packages}; {version('h2load', '--version')}",
        "",
        bench.table.markdown(),
        "",
    ] + [f"Repeated because calls failed: {', '.join(bench.repeated)}.", ""] * bool(bench.repeated))


def main():
    options = arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    labels = [row.label for row in options.rows] + [rows.MEMORY] * options.memory
    program.run("rpc", options, labels, Bench, report, whole=not options.only)


if __name__ == "__main__":
    main()
