"""Erasing one session beside many, and many that are due at once, and how long others wait. See README.md beside this file."""

import os
import pathlib
import sqlite3
import statistics
import sys
import time

import machine
import program
from calls import Calls
from messages import field, message
from samtal import CHAT, RETENTION, Organisation, Samtal
from servers import serving

TEXT = 128  # bytes of a question
PARTICIPANTS = 200  # of a session that is filled
PAUSE = 2000  # µs between two questions of the session that waits
MOST_WAITING = 100_000  # questions that it may ask meanwhile
OF_ORGANISATION = 10_000  # sessions that one may have
MANUAL_SHARE, LONGEST_WAIT, EXPIRY_MINUTES = 0.05, 20, 5


def arguments():
    parser = program.parser("erase", __doc__, "a hundredth of everything", listed="what is measured")
    program.add_folder(parser)
    parser.add_argument("--questions", type=int, default=100_000, help="of the session that is erased (default: 100000)")
    parser.add_argument("--others", type=int, default=10, help="other sessions with as many each (default: 10)")
    parser.add_argument("--sessions", type=int, default=10_000, help="that are due at once (default: 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="erasures of one session (default: 3)")
    parsed = parser.parse_args()
    if min(parsed.questions, parsed.others, parsed.sessions, parsed.rounds) < 1:
        parser.error("every number is from 1")
    if parsed.sessions > OF_ORGANISATION:
        parser.error(f"an organisation has at most {OF_ORGANISATION} sessions")
    if parsed.quick:
        parsed.questions, parsed.sessions, parsed.rounds = 1000, 100, 1
    return parsed


class Bench:
    def __init__(self, options, folder, log):
        self.options, self.folder = options, folder
        self.client = Calls(options.peers / "calls", folder)
        self.samtal = Samtal(options.binaries, folder, log, ["--max-questions", "1000000",
                             "--max-questions-per-participant", "1000000"])
        self.lines, self.asked = [], 0

    def run(self):
        with serving(self.samtal.servers):
            self.organisation = Organisation(self.samtal, self.client, "exempelredaktionen")
            self.neighbour = Organisation(self.samtal, self.client, "grannredaktionen")
            for number in range(self.options.others):
                self.fill(self.organisation.sessions(1)[0])
                program.progress(f"filled {number + 1} of {self.options.others} sessions")
            self.one()
            self.many()
        self.sqlite()

    def questions(self, session, tokens, count):
        for index in range(count):
            self.asked += 1
            text = f"Fråga {self.asked}: vad händer nu? ".ljust(TEXT - 1, "x")
            yield tokens[index % len(tokens)], message(session, text, f"request-{self.asked:012}")

    def fill(self, session):
        tokens = self.organisation.participants(session, PARTICIPANTS)
        file = self.client.write(self.questions(session, tokens, self.options.questions))
        self.client.make(self.samtal.chat, f"{CHAT}/AskQuestion", file, in_flight=256)

    def asking(self):
        """Another organisation's participants go on asking, each question a new one."""
        session = self.neighbour.sessions(1)[0]
        tokens = self.neighbour.participants(session, PARTICIPANTS)
        file = self.client.write(self.questions(session, tokens, MOST_WAITING), "waiting")
        return self.client.meanwhile(self.samtal.chat, f"{CHAT}/AskQuestion", file, PAUSE)

    def one(self):
        """Erases one session at a time, with nothing else to erase."""
        self.took, waits, idle = [], [], []
        for number in range(self.options.rounds):
            session = self.organisation.sessions(1)[0]
            self.fill(session)
            self.organisation.administer(self.samtal.chat, f"{CHAT}/EndSession", [message(session)])
            token = self.organisation.token
            with self.asking() as alone:
                time.sleep(1)
            with self.asking() as beside:
                began = time.perf_counter()
                erased = self.client.answer(self.samtal.retention, f"{RETENTION}/EraseSession",
                                            message(session, session), token)
                self.took.append(time.perf_counter() - began)
            if field(erased, 3).decode() != session:
                sys.exit("the certificate is not the session's")
            self.gone(session)
            waits.append(beside[0])
            idle.append(alone[0])
            program.progress(f"erased in {self.took[-1] * 1000:.1f} ms; others waited {waits[-1].longest / 1000:.1f} ms at most")
        self.waits, self.idle = waits, idle

    def gone(self, session):
        if left := list(pathlib.Path(self.folder, "data", "chat").rglob(f"{session}*")):
            sys.exit(f"files of an erased session are left: {left}")

    def many(self):
        """Makes many sessions due at once: their organisation keeps them for 0 days from now on."""
        count = self.options.sessions
        owner = Organisation(self.samtal, self.client, "stora-redaktionen")
        chat, retention = self.samtal.chat, self.samtal.retention
        ids = []
        while len(ids) < count:
            ids += owner.sessions(min(count - len(ids), 1000))
            program.progress(f"{len(ids):,} of {count:,} sessions made")
        joined = self.client.answers(chat, f"{CHAT}/JoinSession", [("", message(id, "Anna")) for id in ids])
        tokens = [field(answer, 2).decode() for answer in joined]
        asked = [question for id, token in zip(ids, tokens) for question in self.questions(id, [token], 3)]
        self.client.make(chat, f"{CHAT}/AskQuestion", self.client.write(asked))
        for start in range(0, count, 1000):
            owner.administer(chat, f"{CHAT}/EndSession", [message(id) for id in ids[start : start + 1000]])
        with self.asking() as alone:
            time.sleep(1)
        # Retention learns of the ends soon after; only what it knows to have ended is due.
        limit = time.monotonic() + 120
        while True:
            preview = owner.administer(retention, f"{RETENTION}/PreviewPolicy", [message(owner.id, None)])[0]
            if field(preview, 6, 0) == count:
                break
            if time.monotonic() > limit:
                sys.exit(f"{field(preview, 6, 0)} of {count} sessions are known to have ended")
            time.sleep(0.5)
        before = self.certificates()
        with self.asking() as beside:
            began = time.perf_counter()
            owner.administer(retention, f"{RETENTION}/SetPolicy",
                             [message(owner.id, None, count, 1, field(preview, 8))])
            while (done := self.certificates() - before) < count:
                if time.perf_counter() - began > 3600:
                    sys.exit(f"{done} of {count} sessions were erased within an hour")
                if int(time.perf_counter() - began) % 10 == 0:
                    program.progress(f"{done:,} of {count:,} certified after {time.perf_counter() - began:.0f} s")
                time.sleep(1)
            self.expired = time.perf_counter() - began
        left = sum(1 for id in ids if list(pathlib.Path(self.folder, "data", "chat", "sessions").glob(f"{id}*")))
        if left:
            sys.exit(f"files of {left} erased sessions are left")
        self.beside, self.alone = beside[0], alone[0]

    def certificates(self):
        """How many the ledger holds."""
        newest = self.client.answer(self.samtal.retention, f"{RETENTION}/ListCertificates", message(None, 1, None, 1))
        return field(field(newest, 1), 1, 0)

    def sqlite(self):
        """The same content in one file: DELETE, VACUUM, and the log cut off."""
        questions, others = self.options.questions, self.options.others
        path = f"{self.folder}/one.sqlite"
        database = sqlite3.connect(path, isolation_level=None)
        database.executescript("""
            PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
            CREATE TABLE question (number INTEGER PRIMARY KEY, session INTEGER NOT NULL, id TEXT NOT NULL,
                author BLOB NOT NULL, request BLOB NOT NULL, ask_time INTEGER NOT NULL, author_name BLOB, text BLOB NOT NULL);
            CREATE INDEX question_session ON question (session)""")
        rounds = []
        for session in range(others):
            self.insert(database, session, questions)
        for _ in range(self.options.rounds):
            self.insert(database, others, questions)
            began = time.perf_counter()
            database.execute("DELETE FROM question WHERE session = ?", [others])
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            rounds.append(time.perf_counter() - began)
            program.progress(f"SQLite: {rounds[-1]:.1f} s")
        database.close()
        self.alone_took = rounds

    def insert(self, database, session, count):
        database.execute("BEGIN")
        database.executemany(
            "INSERT INTO question (session, id, author, request, ask_time, author_name, text) VALUES (?, ?, ?, ?, ?, ?, ?)",
            ((session, "i" * 29, b"a" * 16, os.urandom(16), 1700000000000 + index, b"n" * 33, os.urandom(157))
             for index in range(count)))
        database.execute("COMMIT")

    def table(self):
        def verdict(is_met, text):
            return f"{text}: {'met' if is_met else '**not met**'}"

        took, peer = statistics.median(self.took), statistics.median(self.alone_took)
        ratio = statistics.median(ours / other for ours, other in zip(self.took, self.alone_took))
        questions, others = self.options.questions, self.options.others
        one = f"one session of {questions:,} questions beside {questions * others:,}"
        many = f"{self.options.sessions:,} sessions due at once"
        longest = max(made.longest for made in self.waits) / 1000
        yield [one, "until it is certified, ms", f"{took * 1000:,.1f}",
               f"DELETE + VACUUM: {peer * 1000:,.0f}; {ratio:.4f} ×", verdict(ratio <= MANUAL_SHARE, f"≤ {MANUAL_SHARE} ×")]
        yield from self.waiting_lines(self.waits, self.idle, longest, verdict)
        yield [many, "until all are certified, s", f"{self.expired:,.1f}",
               f"{self.options.sessions / self.expired:,.0f} a second",
               verdict(self.expired <= EXPIRY_MINUTES * 60, f"≤ {EXPIRY_MINUTES} minutes")]
        yield from self.waiting_lines([self.beside], [self.alone], self.beside.longest / 1000, verdict)

    def waiting_lines(self, beside, alone, longest, verdict):
        for label, name in (("median", "median"), ("99 %", "p99"), ("longest", "longest")):
            values = [max(getattr(made, name) for made in of) / 1000 if name == "longest"
                      else statistics.median(getattr(made, name) for made in of) / 1000 for of in (beside, alone)]
            yield ["", f"another organisation's question meanwhile, {label}, ms", f"{values[0]:,.2f}",
                   f"with nothing to erase: {values[1]:,.2f}",
                   verdict(longest <= LONGEST_WAIT, f"≤ {LONGEST_WAIT} ms") if name == "longest" else ""]


def report(options, bench, folder):
    return "\n".join([
        "# Erasing",
        "",
        "Written by `Scripts/bench erase`; [what is measured](../README.md).",
        "",
        *machine.lines(folder),
        f"- one session: medians of {options.rounds} rounds, of waits the longest of all; due at once: one round",
        "",
        machine.table(["", "", "ours", "beside", "goal"], list(bench.table())),
        "",
    ])


def main():
    labels = ["one session beside others", "many sessions due at once"]
    program.run("erase", arguments(), labels, Bench, report, whole=True)


if __name__ == "__main__":
    main()
