"""Unary gRPC calls over one Unix-socket connection: samtal-chat against gRPC C++, by h2load, in turns."""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

PATH = "/grpc.health.v1.Health/Check"
HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
ANSWER_BYTES = 7  # a five-byte prefix, and status = SERVING in two


class Server:
    """A server under load: its process and its socket."""

    def __init__(self, name, command, socket, log):
        self.name, self.socket = name, socket
        self.process = subprocess.Popen(command, stdout=log, stderr=log)

    def wait_until_serving(self, frame, seconds=20):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode}")
            if os.path.exists(self.socket) and self.answers_ok(frame):
                return
            time.sleep(0.05)
        sys.exit(f"{self.name} did not serve within {seconds} s")

    def answers_ok(self, frame):
        """h2load counts HTTP 200 alone, which a failed call has too: so one call is read whole."""
        got = subprocess.run(
            ["curl", "-s", "-D", "-", "-o", "/dev/null", "--http2-prior-knowledge", "--unix-socket", self.socket,
             *HEADERS, "--data-binary", f"@{frame}", f"http://localhost{PATH}"],
            capture_output=True, text=True)
        return re.search(r"^grpc-status: 0\s*$", got.stdout, re.M) is not None

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_megabytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def h2load(server, calls, in_flight, frame, *more):
    got = subprocess.run(
        ["h2load", "-n", str(calls), "-c", "1", "-m", str(in_flight), "-t", "1", f"--base-uri=unix:{server.socket}",
         *HEADERS, "-d", frame, *more, f"http://localhost{PATH}"],
        capture_output=True, text=True, timeout=300)
    rate = re.search(r"finished in .*?, ([\d.]+) req/s", got.stdout)
    data = re.search(r"traffic:.*\((\d+)\) data", got.stdout)
    good = re.search(r"status codes: (\d+) 2xx", got.stdout)
    if not rate or not data or int(good.group(1)) != calls or int(data.group(1)) != ANSWER_BYTES * calls:
        sys.exit(f"{server.name}: not every call was answered\n{got.stdout}{got.stderr}")
    return float(rate.group(1))


def load(server, calls, in_flight, frame, folder):
    """One turn. Returns calls/s, server CPU in µs a call, and the median latency in µs."""
    before = server.cpu_seconds()
    rate = h2load(server, calls, in_flight, frame)
    cpu = server.cpu_seconds() - before
    # Latencies in a run of their own: writing each down costs the client more than the call does.
    log = os.path.join(folder, "latencies")
    h2load(server, calls // 4, in_flight, frame, f"--log-file={log}")
    with open(log) as lines:
        latencies = [int(line.split("\t")[2]) for line in lines]
    os.remove(log)
    return rate, cpu / calls * 1e6, statistics.median(latencies)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ours", required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds takes a number from 1")
    with tempfile.TemporaryDirectory(prefix="samtal-bench-") as folder:
        run(arguments, folder)


def run(arguments, folder):
    frame = os.path.join(folder, "frame")
    pathlib.Path(frame).write_bytes(b"\0\0\0\0\0")
    log = open(os.path.join(folder, "log"), "w")
    ours_socket, peer_socket = f"{folder}/data/run/chat.sock", f"{folder}/peer.sock"
    servers = [
        Server("samtal-chat", [arguments.ours, "--data", f"{folder}/data"], ours_socket, log),
        Server("gRPC C++", [arguments.peer, peer_socket], peer_socket, log),
    ]
    try:
        for server in servers:
            server.wait_until_serving(frame)
            load(server, 20_000, 64, frame, folder)  # warm
        print(f"\n{os.cpu_count()} cores, {arguments.rounds} rounds, in turns; medians\n")
        print(f"{'':22} {'samtal-chat':>14} {'gRPC C++':>14} {'ratio':>8}")
        for in_flight, calls in ((64, 200_000), (1, 20_000)):
            compare(servers, in_flight, calls, arguments.rounds, frame, folder)
        memory = [server.resident_megabytes() for server in servers]
        print(f"{'resident memory, MB':22} {memory[0]:14.1f} {memory[1]:14.1f} {memory[0] / memory[1]:8.2f}")
        if not all(server.answers_ok(frame) for server in servers):
            sys.exit("a server no longer answers")
    finally:
        for server in servers:
            server.stop()
        log.close()


def compare(servers, in_flight, calls, rounds, frame, folder):
    turns = {server.name: [] for server in servers}
    for number in range(rounds):
        order = servers if number % 2 == 0 else servers[::-1]
        for server in order:
            turns[server.name].append(load(server, calls, in_flight, frame, folder))
    print(f"{in_flight} in flight")
    for index, (label, form) in enumerate(
        (("  calls/s", "{:14,.0f}"), ("  CPU per call, µs", "{:14.2f}"), ("  median latency, µs", "{:14.0f}"))
    ):
        ours, peer = ([turn[index] for turn in turns[server.name]] for server in servers)
        ratio = statistics.median(a / b for a, b in zip(ours, peer) if b)
        print(f"{label:22} {form.format(statistics.median(ours))} {form.format(statistics.median(peer))} {ratio:8.2f}")


if __name__ == "__main__":
    main()
