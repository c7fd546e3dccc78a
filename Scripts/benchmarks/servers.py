"""The servers under load: processes, their CPU time and their memory."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

CLIENT_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
EMPTY_SETTINGS, SETTINGS_ACKNOWLEDGED = b"\0\0\0\4\0\0\0\0\0", b"\0\0\0\4\1\0\0\0\0"


class Server:
    """A server: how it is started, its process and its socket."""

    def __init__(self, name, command, path, log, environment=None):
        self.name, self.command, self.path, self.log = name, command, path, log
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def start(self, seconds=20):
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=self.environment)
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended with {self.process.returncode}")
            with contextlib.suppress(OSError), self.connection():
                return
            time.sleep(0.05)
        sys.exit(f"{self.name} did not serve within {seconds} s")

    def connection(self):
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.connect(self.path)  # waits while the server's backlog is full
            connected.settimeout(10)
        except OSError:
            connected.close()
            raise
        return connected

    def cpu_seconds(self):
        # The CPU clock of another process, in nanoseconds: clock_getcpuclockid(3) makes the number in this way.
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024

    def disk_bytes(self):
        """What the process has had written to the disk since it started."""
        return int(re.search(r"^write_bytes: (\d+)", pathlib.Path(f"/proc/{self.process.pid}/io").read_text(), re.M)[1])

    def settled_bytes(self, seconds=5):
        """Resident memory once it has stopped changing."""
        limit, last = time.monotonic() + seconds, self.resident_bytes()
        while time.monotonic() < limit:
            time.sleep(0.2)
            now = self.resident_bytes()
            if now == last:
                break
            last = now
        return last

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None
        with contextlib.suppress(FileNotFoundError):
            os.remove(self.path)


@contextlib.contextmanager
def serving(servers):
    try:
        for server in servers:
            server.start()
        yield
    finally:
        for server in servers:
            server.stop()


def idle_connections(server, count):
    """Connections that have been through HTTP/2's opening on both sides, and do nothing."""
    with contextlib.ExitStack() as stack:
        opened = [stack.enter_context(server.connection()) for _ in range(count)]
        for connection in opened:
            connection.sendall(CLIENT_PREFACE + EMPTY_SETTINGS)
        for connection in opened:
            opening = b""
            while len(opening) < 9:
                received = connection.recv(4096)
                if not received:
                    sys.exit(f"{server.name} closed a connection that was being opened")
                opening += received
            if opening[3] != 4:
                sys.exit(f"{server.name} opened a connection without SETTINGS")
            connection.sendall(SETTINGS_ACKNOWLEDGED)
        return stack.pop_all()


def memory(server, connections):
    """Resident bytes of a server that has just been started, and what each idle connection adds."""
    with serving([server]):
        idle = server.settled_bytes()
        with idle_connections(server, connections):
            return idle, (server.settled_bytes() - idle) / connections
