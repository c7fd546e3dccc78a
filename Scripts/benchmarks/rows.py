"""What is measured: each dimension varied on its own, and what is asked of the result."""

import dataclasses
import re

KIB, MIB = 1024, 1024 * 1024
CPP, SWIFT = "gRPC C++", "grpc-swift-2"


@dataclasses.dataclass(frozen=True)
class Goal:
    """What the ratio of ours to the peer's has to be."""

    measure: str
    peer: str
    at_least: float | None = None
    below: float | None = None

    def is_met(self, ratio):
        return ratio >= self.at_least if self.at_least is not None else ratio < self.below

    def __str__(self):
        return f"≥ {self.at_least:g} × {self.peer}" if self.at_least is not None else f"< {self.peer}"


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    kind: str  # unary, streaming or health
    size: int = 0  # bytes of the payload, of the request's and of each response's
    streams: int = 64  # in flight on each connection
    connections: int = 1
    goals: tuple = ()

    @property
    def in_flight(self):
        return self.streams * self.connections


LESS_CPU = (Goal("cpu", CPP, below=1), Goal("cpu", SWIFT, below=1))
FASTER = (Goal("rate", CPP, at_least=2.5), Goal("rate", SWIFT, at_least=10)) + LESS_CPU
STREAMING = (Goal("rate", CPP, at_least=1),) + LESS_CPU

ROWS = (
    Row("unary, empty, 64 in flight", "unary", goals=FASTER),
    Row("unary, 128 B, 64 in flight", "unary", size=128, goals=FASTER),
    Row("unary, 4 KiB, 64 in flight", "unary", size=4 * KIB, goals=LESS_CPU),
    # 64 of these would be 64 MiB of requests: more than a server should let one connection keep in its memory.
    Row("unary, 1 MiB, 8 in flight", "unary", size=MIB, streams=8, goals=LESS_CPU),
    Row("unary, empty, 1 in flight", "unary", streams=1, goals=LESS_CPU),
    Row("unary, empty, 8 in flight", "unary", streams=8, goals=LESS_CPU),
    Row("unary, empty, 512 in flight", "unary", streams=512, goals=LESS_CPU),
    Row("unary, empty, 16 connections, 4 in flight each", "unary", connections=16, streams=4, goals=LESS_CPU),
    Row("unary, empty, 1,000 connections, 1 in flight each", "unary", connections=1000, streams=1, goals=LESS_CPU),
    Row("streaming, empty messages, 1 stream", "streaming", streams=1, goals=STREAMING),
    Row("streaming, 128 B messages, 1 stream", "streaming", size=128, streams=1, goals=STREAMING),
    Row("streaming, 4 KiB messages, 1 stream", "streaming", size=4 * KIB, streams=1, goals=STREAMING),
    Row("streaming, 128 B messages, 64 streams", "streaming", size=128, streams=64, goals=STREAMING),
    Row("samtal-chat's health check, 64 in flight", "health", goals=(Goal("cpu", CPP, below=1),)),
    Row("samtal-chat's health check, 1 in flight", "health", streams=1, goals=(Goal("cpu", CPP, below=1),)),
)

MEMORY = "memory"  # the rows about memory, as --only knows them


def selected(pattern):
    """The rows whose label matches, and whether memory is measured."""
    matches = re.compile(pattern or "", re.IGNORECASE).search
    return [row for row in ROWS if matches(row.label)], bool(matches(MEMORY))
