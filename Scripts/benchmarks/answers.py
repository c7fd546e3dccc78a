"""Answers read whole: h2load counts HTTP 200, which a failed call has too."""

import re
import subprocess
import sys

import messages

PATHS = {
    "unary": "/grpc.testing.BenchmarkService/UnaryCall",
    "streaming": "/grpc.testing.BenchmarkService/StreamingFromServer",
    "health": "/grpc.health.v1.Health/Check",
}
STREAMED = 1000  # messages of a stream that are looked at


class Answers:
    """What a row's call is answered with, by each server."""

    def __init__(self, row, frame, headers):
        self.row, self.frame, self.headers = row, frame, headers
        self.url = f"http://localhost{PATHS[row.kind]}"
        self.sizes = {}

    def size(self, server):
        """Bytes of one message with its prefix, as checked."""
        return self.sizes[server.name]

    def check(self, server):
        """Makes one call; anything but the answer that was asked for ends the run."""
        body, headers = self.read(server)
        problem = None
        try:
            received = list(messages.unframed(body))
            sizes = {0} if self.row.kind == "health" else {messages.payload_size(message) for message in received}
            wanted = STREAMED if self.row.kind == "streaming" else 1
            if len(received) < wanted or sizes != {self.row.size} or len(set(map(len, received))) != 1:
                problem = "not the answer that was asked for"
        except (ValueError, IndexError) as error:
            problem = f"an answer that can't be read: {error}"
        # A stream is left before its end, and so before its status.
        if self.row.kind != "streaming" and not re.search(r"^grpc-status: 0\s*$", headers, re.MULTILINE):
            problem = "the call failed"
        if problem:
            sys.exit(f"{server.name}: {self.row.label}: {problem}\n{headers}")
        self.sizes[server.name] = messages.PREFIX + len(received[0])

    def read(self, server):
        """The body, of a stream its beginning alone, and the headers with the trailers."""
        command = ["curl", "-s", "-N", "--max-time", "30", "-D", "/dev/stderr", "--http2-prior-knowledge",
                   "--unix-socket", server.path, *self.headers, "--data-binary", f"@{self.frame}", self.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as curl:
            if self.row.kind == "streaming":
                body = curl.stdout.read((self.row.size + 64) * STREAMED)
                curl.kill()
            else:
                body = curl.stdout.read()
            return body, curl.stderr.read().decode()
