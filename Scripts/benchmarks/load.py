"""The load, the same for all servers: h2load."""

import dataclasses
import os
import pathlib
import re
import resource
import statistics
import subprocess

import messages
from answers import Answers

MANY = 100  # connections that take so long to open that it is to be left out
HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


class CallsFailed(Exception):
    """A run that is no figure."""


@dataclasses.dataclass
class Turn:
    """What one server did in one round."""

    rate: float  # calls or messages a second
    cpu: float  # of the server, µs for each
    client: float  # share of a core that the load generator used
    median: float | None = None  # latency, µs
    p99: float | None = None


@dataclasses.dataclass
class Run:
    """One run of h2load: how long it took, what the server's CPU and its own worked, in seconds."""

    output: str
    seconds: float
    server_cpu: float
    client_cpu: float

    @property
    def data(self):
        """Bytes of DATA frames."""
        return int(re.search(r"traffic:.*\((\d+)\) data", self.output)[1])

    def count(self, what):
        return int(re.search(rf"requests:.* (\d+) {what}", self.output)[1])


class Load:
    """One row's load, on any server."""

    def __init__(self, row, folder, patient_connect):
        self.row, self.patient_connect = row, patient_connect
        self.frame = os.path.join(folder, "frame")
        self.log = os.path.join(folder, "latencies")
        pathlib.Path(self.frame).write_bytes(messages.request(row.size))
        self.answers = Answers(row, self.frame, HEADERS)
        self.calls = {}  # in one turn of each server

    def prepare(self, server, seconds):
        """Checks the server's answers, warms it up, and finds out how much it does in a turn."""
        self.answers.check(server)
        if self.row.kind == "streaming":
            self.streamed(server, seconds)
            return
        calls = self.whole(0)
        for share in (0.25, 1):
            calls = self.whole(calls / self.called(server, calls).seconds * seconds * share)
        self.calls[server.name] = calls

    def whole(self, calls):
        """The same number on every connection, and enough to tell from what opening takes."""
        connections = self.row.connections
        least = (16 if connections > MANY else 4) * self.row.in_flight
        return -(-max(int(calls), least) // connections) * connections

    def turn(self, server, seconds):
        if self.row.kind == "streaming":
            return self.streamed(server, seconds)
        calls = self.calls[server.name]
        run = self.called(server, calls)
        spent, cpu = run.seconds, run.server_cpu
        if self.row.connections > MANY:
            # Opening them is no part of it: of two runs, the difference is.
            opening = self.called(server, self.row.connections)
            calls, spent, cpu = calls - self.row.connections, spent - opening.seconds, cpu - opening.server_cpu
        # Latencies in a run of their own: writing each down costs the client more than the call does.
        self.called(server, self.whole(calls / 4), f"--log-file={self.log}")
        latencies = sorted(self.logged())
        p99 = latencies[int(len(latencies) * 0.99)]
        return Turn(calls / spent, cpu / calls * 1e6, run.client_cpu / run.seconds, statistics.median(latencies), p99)

    def logged(self):
        """The latencies, in µs, without the first calls, that wait for the connection."""
        with open(self.log) as lines:
            started, _, took = zip(*(map(int, line.split("\t")) for line in lines))
        os.remove(self.log)
        return [took[index] for index in sorted(range(len(took)), key=started.__getitem__)[self.row.in_flight :]]

    def called(self, server, calls, *more):
        """Makes so many calls, all of which succeed."""
        run = self.h2load(server, "-n", str(calls), *more)
        good = re.search(r"status codes: (\d+) 2xx", run.output)
        if int(good[1]) != calls or run.data != calls * self.answers.size(server):
            self.fail(server, "not every call was answered", run.output)
        return run

    def streamed(self, server, seconds):
        """Reads streams that don't end, for so long."""
        run = self.h2load(server, f"--duration={seconds * 1000:.0f}ms")
        messages = run.data / self.answers.size(server)
        if run.count("done") or run.count("failed") or run.count("errored") or messages < self.row.in_flight:
            self.fail(server, "not every stream went on", run.output)
        return Turn(messages / seconds, run.server_cpu / messages * 1e6, run.client_cpu / seconds)

    def h2load(self, server, *more):
        environment = dict(os.environ)
        if self.row.connections > MANY:
            environment["LD_PRELOAD"] = str(self.patient_connect)
        before, server_before = resource.getrusage(resource.RUSAGE_CHILDREN), server.cpu_seconds()
        got = subprocess.run(
            ["h2load", "-c", str(self.row.connections), "-m", str(self.row.streams), "-t", "1",
             f"--base-uri=unix:{server.path}", *HEADERS, "-d", self.frame, *more, self.answers.url],
            capture_output=True, text=True, timeout=300, env=environment)
        server_cpu, after = server.cpu_seconds() - server_before, resource.getrusage(resource.RUSAGE_CHILDREN)
        finished = re.search(r"finished in ([\d.]+)(us|ms|s),", got.stdout)
        if got.returncode != 0 or not finished:
            self.fail(server, "h2load failed", got.stdout + got.stderr)
        seconds = float(finished[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1}[finished[2]]
        client_cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Run(got.stdout, seconds, server_cpu, client_cpu)

    def fail(self, server, what, output):
        raise CallsFailed(f"{server.name}: {self.row.label}: {what}\n{output[-2000:]}")

