"""Durable questions against gRPC C++'s empty call and a loop of SQLite's inserts, in turns. See README.md beside this file."""

import dataclasses
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys

import calls
import machine
import program
from answers import PATHS
from calls import Calls
from messages import field, message
from samtal import CHAT, Organisation, Samtal
from servers import Server, serving

OURS, CPP, SQLITE = "a durable question", "gRPC C++, empty call", "SQLite alone"
TEXT = 128  # bytes of a question
PARTICIPANTS = 1000  # of each turn
ASKED_AGAIN = 500  # questions of a turn whose requests are repeated after it


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    sessions: int = 1
    connections: int = 1
    in_flight: int = 64  # on each connection
    goals: bool = False

    @property
    def all_in_flight(self):
        return self.connections * self.in_flight


ROWS = (
    Row("one session, 64 in flight", goals=True),
    Row("one session, 512 in flight", in_flight=512),
    Row("one session, 1 in flight", in_flight=1),
    Row("one session, 16 connections, 8 in flight each", connections=16, in_flight=8),
    Row("16 sessions, 128 in flight", sessions=16, in_flight=128),
    Row("200 sessions, 512 in flight", sessions=200, in_flight=512),
)


@dataclasses.dataclass
class Turn:
    rate: float
    cpu: float  # of the server, µs for each
    median: int | None = None
    p99: int | None = None
    client: float | None = None  # share of a core
    wal: float | None = None  # bytes of write-ahead log for each
    disk: float | None = None  # bytes that went to the disk for each


def arguments():
    parser = program.parser("ask", __doc__, "one round of short turns")
    program.add_folder(parser)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each row (default: 5)")
    parser.add_argument("--seconds", type=float, default=2, help="length of one turn (default: 2)")
    parser.add_argument("--only", metavar="TEXT", default="", help="only rows whose name holds this")
    parsed = parser.parse_args()
    if parsed.rounds < 1 or parsed.seconds <= 0:
        parser.error("--rounds takes a number from 1, --seconds one above 0")
    parsed.rows = [row for row in ROWS if parsed.only in row.label]
    if not parsed.rows:
        parser.error("--only: no row's name holds that; see --list")
    if parsed.quick:
        parsed.rounds, parsed.seconds = 1, 0.3
    return parsed


class Bench:
    def __init__(self, options, folder, log):
        self.options, self.folder = options, folder
        self.client = Calls(options.peers / "calls", folder)
        self.samtal = self.samtal_of(f"{folder}/s", log)
        self.counted = f"{folder}/wal"
        # Another chat, whose writes to the log are counted, which takes time.
        self.counting = self.samtal_of(f"{folder}/c", log, {
            "LD_PRELOAD": str(options.peers / "wal-bytes.so"), "WAL_BYTES": self.counted})
        self.cpp = Server(CPP, [str(options.peers / "grpc-benchmark"), f"{folder}/c.sock"], f"{folder}/c.sock", log)
        self.organisations, self.asked, self.last = {}, 0, None
        self.lines = []

    def samtal_of(self, folder, log, environment=None):
        os.mkdir(folder)
        return Samtal(self.options.binaries, folder, log, ["--max-questions", "1000000",
                      "--max-questions-per-participant", "1000000"], environment)

    def run(self):
        with serving([*self.samtal.servers, *self.counting.servers, self.cpp]):
            for samtal in (self.samtal, self.counting):
                self.organisations[samtal] = Organisation(samtal, self.client, "exempelredaktionen")
            for row in self.options.rows:
                self.measure(row)
            self.crash()

    def measure(self, row):
        counts = dict.fromkeys((OURS, CPP, SQLITE), 2000)
        for _ in range(2):  # warms up, and finds out how many there are in a turn
            for name in counts:
                counts[name] = max(int(self.turn(name, row, counts[name]).rate * self.options.seconds), 500)
        turns = {name: [] for name in counts}
        for number in range(self.options.rounds):
            order = list(counts) if number % 2 == 0 else list(counts)[::-1]
            for name in order:
                turns[name].append(self.turn(name, row, counts[name]))
            program.progress(f"{row.label}: round {number + 1} of {self.options.rounds}: "
                     + ", ".join(f"{name} {of[-1].rate:,.0f}/s, {of[-1].cpu:.1f} µs" for name, of in turns.items()))
        wal = self.ask(self.counting, row, counts[OURS]).wal
        self.lines += table_lines(row, turns, wal)

    def turn(self, name, row, count):
        return {OURS: self.ask_ours, CPP: self.call, SQLITE: self.insert}[name](row, count)

    def ask_ours(self, row, count):
        return self.ask(self.samtal, row, count)

    def ask(self, samtal, row, count):
        """Asks in sessions of their own, and makes sure that each was stored once."""
        sessions = self.organisations[samtal].sessions(row.sessions)
        each = -(-PARTICIPANTS // row.sessions)
        tokens = [(session, token) for session in sessions
                  for token in self.organisations[samtal].participants(session, each)]
        tokens = [tokens[index * each % len(tokens) + index * each // len(tokens)] for index in range(len(tokens))]
        questions = []
        for index in range(count):
            session, token = tokens[index % len(tokens)]
            self.asked += 1
            text = f"Fråga {self.asked}: vad händer nu? ".ljust(TEXT - 1, "x")
            questions.append((token, message(session, text, f"request-{self.asked:012}")))
        file, answers = self.client.write(questions), f"{self.folder}/asked"
        before, wal, disk = samtal.chat.cpu_seconds(), self.wal_bytes(), samtal.chat.disk_bytes()
        made = self.client.make(samtal.chat, f"{CHAT}/AskQuestion", file, calls.PARTICIPANT, row.connections,
                                row.in_flight, answers)
        cpu = samtal.chat.cpu_seconds() - before
        wal, disk = self.wal_bytes() - wal, samtal.chat.disk_bytes() - disk
        self.verify(samtal, questions, [field(answer, 1) for answer in calls.read_answers(answers)])
        return Turn(made.rate, cpu / count * 1e6, made.median, made.p99, made.cpu / made.seconds, wal / count,
                    disk / count)

    def verify(self, samtal, questions, ids):
        """Every question has an id of its own, and a request that is repeated the id of the first time."""
        if len(set(ids)) != len(questions) or not all(ids):
            sys.exit("not every question was stored once")
        step = max(len(questions) // ASKED_AGAIN, 1)
        again = self.client.answers(samtal.chat, f"{CHAT}/AskQuestion", questions[::step])
        if [field(answer, 1) for answer in again] != ids[::step]:
            sys.exit("a request that was repeated was stored again")
        if samtal is self.samtal:
            self.last = questions, ids

    def crash(self):
        """Kills chat after the last turn: what it acknowledged is there when it has started again, each once."""
        chat, (questions, ids) = self.samtal.chat, self.last
        chat.process.kill()
        chat.process.wait()
        chat.start()
        again = self.client.answers(chat, f"{CHAT}/AskQuestion", questions)
        if [field(answer, 1) for answer in again] != ids:
            sys.exit("what was acknowledged before a crash is not what is there after it")
        self.survived = len(ids)
        program.progress(f"killed and started again: {self.survived:,} of {len(ids):,} questions there, none twice")

    def wal_bytes(self):
        data = pathlib.Path(self.counted).read_bytes() if os.path.exists(self.counted) else b""
        return struct.unpack("<Q", data)[0] if data else 0

    def call(self, row, count):
        file = self.client.write([("", b"")] * count)
        before = self.cpp.cpu_seconds()
        made = self.client.make(self.cpp, PATHS["unary"][1:], file, "x", row.connections, row.in_flight)
        return Turn(made.rate, (self.cpp.cpu_seconds() - before) / count * 1e6, made.median, made.p99,
                    made.cpu / made.seconds)

    def insert(self, row, count):
        file = f"{self.folder}/alone.sqlite"
        try:
            got = json.loads(subprocess.run([self.options.peers / "sqlite-inserts", file, str(count),
                                             str(row.all_in_flight)], check=True, capture_output=True).stdout)
        finally:
            for suffix in ("", "-wal", "-shm"):
                pathlib.Path(file + suffix).unlink(missing_ok=True)
        return Turn(count / got["seconds"], got["cpu"] / count * 1e6, wal=got["wal"] / count)


def table_lines(row, turns, wal):
    """Cells: what, measure, ours to C++, ours to SQLite, figures of all, goal."""
    lines = []

    def line(name, label, form, goal=None):
        values = {who: [getattr(turn, name) for turn in of] for who, of in turns.items()}
        if name == "wal":
            values[OURS], values[CPP] = [wal], [None]
        medians = {who: None if None in of else statistics.median(of) for who, of in values.items()}

        def ratio(peer):
            if medians[peer] is None:
                return None
            return statistics.median(ours / other for ours, other in zip(values[OURS], values[peer]))

        ratios = [ratio(CPP), ratio(SQLITE)]
        verdict = goal(ratios[0], medians[OURS]) if goal and row.goals else ""
        lines.append([row.label if not lines else "", label,
                      *("–" if value is None else f"{value:.2f}" for value in ratios),
                      *("–" if value is None else form.format(value) for value in medians.values()), verdict])

    def met(is_met, text):
        return f"{text}: {'met' if is_met else '**not met**'}"

    line("rate", "a second", "{:,.0f}", lambda ratio, _: met(ratio >= 0.75, f"≥ 0.75 × {CPP}"))
    line("cpu", "CPU of the server for each, µs", "{:.1f}", lambda ratio, _: met(ratio <= 1.5, f"≤ 1.5 × {CPP}"))
    line("median", "median latency, µs", "{:,.0f}")
    line("p99", "99 % latency, µs", "{:,.0f}")
    line("wal", "bytes of log for each", "{:,.0f}", lambda _, bytes: met(bytes <= 600, "≤ 600"))
    line("disk", "bytes to the disk for each", "{:,.0f}")
    line("client", "the client's share of a core", "{:.0%}")
    return lines


def report(options, bench, folder):
    header = ["", "", f"to {CPP}", f"to {SQLITE}", OURS, CPP, SQLITE, "goal"]
    return "\n".join([
        "# Durable questions against gRPC C++'s empty call and SQLite alone",
        "",
        "Written by `Scripts/bench ask`; [what is measured](../README.md). Ratios are medians of paired rounds, figures",
        "medians of rounds. Of latencies, CPU and bytes less is better.",
        "",
        *machine.lines(folder),
        f"- rounds: {options.rounds}; in turns of {options.seconds:g} s; questions of {TEXT} bytes by {PARTICIPANTS} "
        "participants with names",
        f"- killed after the last turn and started again: {bench.survived:,} acknowledged questions there, none twice",
        "",
        machine.table(header, bench.lines),
        "",
    ])


def main():
    options = arguments()
    labels = [row.label for row in options.rows]
    program.run("ask", options, labels, Bench, report, whole=not options.only)


if __name__ == "__main__":
    main()
