"""What every results file says of where it was measured, and how a table is written."""

import datetime
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time


def lines(folder):
    """The machine, the commit and the disk."""
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    here = pathlib.Path(__file__).resolve().parent

    def git(*command):
        return subprocess.run(["git", "-C", here, *command], capture_output=True, text=True).stdout.strip()

    changed = " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    medium = subprocess.run(["stat", "-f", "-c", "%T", folder], capture_output=True, text=True).stdout.strip()
    load = os.getloadavg()[0]
    return [
        f"- {datetime.date.today().isoformat()}, {os.cpu_count()} cores, {processor[1] if processor else '?'}, "
        f"Linux {platform.release()}; load of the last minute when it was written: {load:.1f}",
        f"- commit {git('rev-parse', '--short', 'HEAD') or '?'}{changed}",
        f"- {medium}, whose fdatasync after 16 KiB takes {synchronising(folder):,.0f} µs",
    ]


def synchronising(folder, count=200):
    """The median time of fdatasync in a folder, in µs."""
    path, took = pathlib.Path(folder) / "synchronised", []
    with open(path, "wb", buffering=0) as file:
        file.write(bytes(16384 * count))
        os.fsync(file)
        for index in range(count):
            os.pwrite(file.fileno(), os.urandom(16384), index * 16384)
            began = time.perf_counter()
            os.fdatasync(file)
            took.append((time.perf_counter() - began) * 1e6)
    path.unlink()
    return statistics.median(took)


def table(header, lines):
    """Rows of cells as Markdown; the first two columns and the last are text."""
    cells = [header, *lines]
    widths = [max(len(line[column]) for line in cells) for column in range(len(header))]
    left = {0, 1, len(widths) - 1}

    def written(line):
        padded = (c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths)))
        return f"| {' | '.join(padded)} |"

    rule = [("-" * w) if i in left else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([written(header), written(rule), *map(written, lines)])
