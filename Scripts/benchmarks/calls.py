"""Unary calls by calls.c, each with a request of its own."""

import contextlib
import dataclasses
import json
import os
import pathlib
import struct
import subprocess
import sys
import time

import messages

PARTICIPANT, ADMINISTRATOR = "samtal-participant", "authorization"
SETTLING = 0.5  # seconds that calls are made before and after what they are made beside


@dataclasses.dataclass(frozen=True)
class Made:
    """What became of calls."""

    calls: int
    seconds: float
    cpu: float  # of the client, seconds
    median: int  # latency, µs
    p99: int
    longest: int
    failed: int
    first_failure: str

    @property
    def rate(self):
        return self.calls / self.seconds


class Calls:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def write(self, calls, name="calls"):
        """Writes pairs of token and message to a file of calls."""
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            for token, message in calls:
                token, body = token.encode(), messages.framed(message)
                file.write(struct.pack("<I", len(token)) + token + struct.pack("<I", len(body)) + body)
        return path

    def make(self, server, method, file, header=PARTICIPANT, connections=1, in_flight=64, answers=None):
        """Makes the calls of a file, all of which must succeed."""
        command = [self.program, server.path, f"/{method}", header, connections, in_flight, file]
        got = subprocess.run([*map(str, command), *([answers] if answers else [])], capture_output=True, text=True,
                             timeout=900)
        return self.made(server, method, got.returncode, got.stdout, got.stderr)

    def made(self, server, method, status, output, errors):
        if status != 0:
            sys.exit(f"{server.name}: {method}: {errors}")
        made = Made(**json.loads(output))
        if made.failed:
            sys.exit(f"{server.name}: {made.failed} calls of {method} failed, the first with {made.first_failure}")
        return made

    @contextlib.contextmanager
    def meanwhile(self, server, method, file, pause):
        """Makes the calls of a file one after the other, with a pause in µs between them, while something else happens.

        Yields a list that holds what became of them afterwards.
        """
        command = [self.program, server.path, f"/{method}", PARTICIPANT, "1", "1", file, "-", str(pause)]
        outcome = []
        with subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            try:
                time.sleep(SETTLING)
                yield outcome
                time.sleep(SETTLING)
                if process.poll() is not None:
                    sys.exit(f"{server.name}: {method}: the calls were over before what they were made beside")
            finally:
                process.terminate()
                output, errors = process.communicate()
        outcome.append(self.made(server, method, process.returncode, output, errors))

    def answers(self, server, method, calls, header=PARTICIPANT, in_flight=64):
        """Makes calls that are no part of a figure, and returns what answered them."""
        path = os.path.join(self.folder, "answers")
        self.make(server, method, self.write(calls, "some-calls"), header, 1, in_flight, path)
        return read_answers(path)

    def answer(self, server, method, message, token="", header=ADMINISTRATOR):
        return self.answers(server, method, [(token, message)], header, 1)[0]


def read_answers(path):
    """The messages of a file of answers, in the order of the calls."""
    data, offset, found = pathlib.Path(path).read_bytes(), 0, []
    while offset < len(data):
        (length,) = struct.unpack_from("<I", data, offset)
        found.append(data[offset + 4 : offset + 4 + length])
        offset += 4 + length
    return found
