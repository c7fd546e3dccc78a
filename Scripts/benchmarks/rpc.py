"""Sources/RPC against gRPC C++ and grpc-swift-2 on Unix sockets, in turns. See README.md beside this file."""

import argparse
import datetime
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import tempfile

import rows
from load import CallsFailed, Load
from servers import Server, memory, serving
from table import Measure, Table

OURS = "ours"
HERE = pathlib.Path(__file__).resolve().parent
IDLE_CONNECTIONS = 1000
ATTEMPTS = 4  # of a peer's turn in which calls failed


def arguments():
    parser = argparse.ArgumentParser(prog="Scripts/bench rpc", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each row (default: 7)")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one server's turn (default: 1.5)")
    parser.add_argument("--quick", action="store_true", help="one round of short turns: shows that all of it works")
    parser.add_argument("--only", metavar="PATTERN", help="only rows that match; a regular expression")
    parser.add_argument("--list", action="store_true", help="print the rows, and measure nothing")
    parser.add_argument("--output", metavar="FILE",
                        help="where the table is written; without it, results/rpc.md for a whole run and nowhere else")
    parser.add_argument("--binaries", metavar="DIR", help=argparse.SUPPRESS)
    parser.add_argument("--peers", metavar="DIR", help=argparse.SUPPRESS)
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
    if parsed.output is None and not parsed.quick and not parsed.only:
        parsed.output = HERE / "results" / "rpc.md"
    return parsed


def progress(text):
    print(text, file=sys.stderr, flush=True)


class Bench:
    def __init__(self, options, folder, log):
        self.options, self.folder = options, folder
        binaries, peers = pathlib.Path(options.binaries), pathlib.Path(options.peers)

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
        progress(f"{place}: answers checked, warming up")
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
            progress(f"{place}: round {number + 1} of {self.options.rounds}: {done}")
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
                progress(f"{error}\nrepeated")
                self.repeated.append(f"{server.name}, {row.label}")

    def measure_memory(self):
        idle, connection = {}, {}
        for number in range(min(self.options.rounds, 3)):
            progress(f"memory: round {number + 1} of {min(self.options.rounds, 3)}")
            for server in self.benchmark:
                resident, each = memory(server, IDLE_CONNECTIONS)
                idle.setdefault(server.name, []).append(resident / 1e6)
                connection.setdefault(server.name, []).append(each / 1e3)
        self.table.line("memory, at rest", Measure("", "resident, MB", "{:,.1f}"), idle)
        self.table.line("memory, 1,000 connections at rest", Measure("", "kB for each", "{:,.1f}"), connection)


def version(*command):
    got = subprocess.run(command, capture_output=True, text=True)
    return got.stdout.strip() if got.returncode == 0 else "?"


def report(options, bench):
    manifest = (HERE / "grpc-swift" / "Package.swift").read_text()
    packages = ", ".join(
        f"{name} {number}" for name, number in re.findall(r'/(grpc-swift[\w-]*)", exact: "([\d.]+)"', manifest))
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return "\n".join([
        "# Sources/RPC against gRPC C++ and grpc-swift-2",
        "",
        "Written by `Scripts/bench rpc`; [what is measured](../README.md). Ratios are medians of paired rounds,",
        "figures medians of rounds; \"ours\" is Sources/RPC. Of latencies, CPU and memory less is better.",
        "",
        f"- {datetime.date.today().isoformat()}, {os.cpu_count()} cores, {processor[1] if processor else '?'}, "
        f"Linux {platform.release()}",
        f"- rounds: {options.rounds}; in turns of {options.seconds:g} s",
        f"- gRPC C++ {version('pkg-config', '--modversion', 'grpc++')}; {packages}; {version('h2load', '--version')}",
        "",
        bench.table.markdown(),
        "",
    ] + [f"Repeated because calls failed: {', '.join(bench.repeated)}.", ""] * bool(bench.repeated))


def main():
    options = arguments()
    if options.list:
        print("\n".join([row.label for row in options.rows] + [rows.MEMORY] * options.memory))
        return
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="samtal-bench-") as folder, open(f"{folder}/log", "w") as log:
        bench = Bench(options, folder, log)
        bench.run()
    text = report(options, bench)
    print(f"\n{text}")
    if options.output:
        pathlib.Path(options.output).parent.mkdir(parents=True, exist_ok=True)
        pathlib.Path(options.output).write_text(text)
        progress(f"written to {options.output}")


if __name__ == "__main__":
    main()
