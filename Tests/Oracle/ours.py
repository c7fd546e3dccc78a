"""Asks the implementation under test, which reads its requests from our output and writes its answers to our input."""

import struct
import sys


class Refused(Exception):
    """It does not read the bytes; the text is its error."""


class Ours:
    def __init__(self):
        self.requests = sys.stdout.buffer
        self.answers = sys.stdin.buffer
        # What else is printed must not get between the requests.
        sys.stdout = sys.stderr

    def _ask(self, operation, name, payload):
        body = operation + struct.pack("B", len(name)) + name.encode() + payload
        self.requests.write(struct.pack(">I", len(body)) + body)
        self.requests.flush()
        (length,) = struct.unpack(">I", self._read(4))
        answer = self._read(length)
        if answer[0] != 0:
            raise Refused(answer[1:].decode())
        return answer[1:]

    def _read(self, count):
        data = self.answers.read(count)
        if len(data) != count:
            raise SystemExit("the implementation under test has ended")
        return data

    def encode_again(self, name, data):
        """Decodes, and encodes what it has decoded."""
        return self._ask(b"E", name, data)

    def to_json(self, name, data):
        return self._ask(b"J", name, data)

    def from_json(self, name, text):
        """Reads JSON, and encodes what it has read."""
        return self._ask(b"P", name, text)
