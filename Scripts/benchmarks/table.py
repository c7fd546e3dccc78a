"""The table: ratios first, medians after them."""

import dataclasses
import statistics

from rows import CPP, SWIFT

PEERS = (CPP, SWIFT)
NONE = "–"


@dataclasses.dataclass(frozen=True)
class Measure:
    """A figure of a turn: how it is called and written."""

    name: str
    label: str
    form: str

    def of(self, turn):
        return getattr(turn, self.name)

    def written(self, value):
        return NONE if value is None else self.form.format(value)


CALLS = (
    Measure("rate", "calls/s", "{:,.0f}"),
    Measure("cpu", "CPU per call, µs", "{:,.2f}"),
    Measure("median", "median latency, µs", "{:,.0f}"),
    Measure("p99", "99 % latency, µs", "{:,.0f}"),
)
MESSAGES = (Measure("rate", "messages/s", "{:,.0f}"), Measure("cpu", "CPU per message, µs", "{:,.2f}"))
CLIENT = Measure("client", "h2load's share of a core, %", "{:.0%}")


class Table:
    """Lines of cells: what, ours against each peer, ours, each peer, goals."""

    def __init__(self, ours):
        self.header = [
            "", "", *(f"{ours} / {peer}" for peer in PEERS), ours, *PEERS, "goal",
        ]
        self.lines = []
        self.missed = 0

    def add(self, row, turns):
        """The measures of one row; `turns` has each server's, round by round, ours first."""
        for measure in MESSAGES if row.kind == "streaming" else CALLS:
            values = {name: [measure.of(turn) for turn in done] for name, done in turns.items()}
            goals = [goal for goal in row.goals if goal.measure == measure.name]
            self.line(row.label, measure, values, goals)
        if row.size >= 1 << 20:
            megabytes = {name: [turn.rate * row.size / 1e6 for turn in done] for name, done in turns.items()}
            self.line(row.label, Measure("", "MB/s, each way", "{:,.0f}"), megabytes, [])
        self.lines.append(
            [row.label, "h2load's share of a core", NONE, NONE]
            + [CLIENT.form.format(statistics.median(turn.client for turn in done)) for done in turns.values()]
            + [NONE] * (1 + len(PEERS) - len(turns)) + [""])

    def line(self, label, measure, values, goals=()):
        """One measure: values of each server, round by round, ours first."""
        ours = next(iter(values.values()))
        ratios, verdicts = {}, []
        for peer in PEERS:
            if values.get(peer):
                # Rounds are paired: what else the machine did in one round, both servers felt.
                ratios[peer] = statistics.median(a / b for a, b in zip(ours, values[peer]))
        for goal in goals:
            if goal.peer in ratios:
                met = goal.is_met(ratios[goal.peer])
                self.missed += not met
                verdicts.append(f"{goal}: {'met' if met else '**not met**'}")
        medians = [statistics.median(ours), *(statistics.median(values[p]) if p in values else None for p in PEERS)]
        self.lines.append(
            [label, measure.label]
            + [f"{ratios[peer]:.2f}" if peer in ratios else NONE for peer in PEERS]
            + [measure.written(value) for value in medians] + ["; ".join(verdicts)])

    def markdown(self):
        shown, last = [], None
        for label, *rest in self.lines:
            shown.append(["" if label == last else label, *rest])
            last = label
        cells = [self.header, *shown]
        widths = [max(len(line[column]) for line in cells) for column in range(len(self.header))]
        left = {0, 1, len(widths) - 1}

        def written(line):
            padded = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths)))
            return f"| {' | '.join(padded)} |"

        rule = [("-" * w) if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
        return "\n".join([written(self.header), written(rule), *map(written, shown)])
