"""What every benchmark's program does: its common options, its progress, its results file."""

import argparse
import pathlib
import sys
import tempfile

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def parser(name, description, quick, listed="the rows"):
    """The options that all benchmarks have; `name` as in `Scripts/bench NAME`."""
    made = argparse.ArgumentParser(prog=f"Scripts/bench {name}", description=description)
    made.add_argument("--quick", action="store_true", help=f"{quick}: shows that all of it works")
    made.add_argument("--list", action="store_true", help=f"print {listed}, and measure nothing")
    made.add_argument("--output", metavar="FILE",
                      help=f"where the table is written; without it, results/{name}.md for a whole run and nowhere else")
    made.add_argument("--binaries", type=pathlib.Path, help=argparse.SUPPRESS)
    made.add_argument("--peers", type=pathlib.Path, help=argparse.SUPPRESS)
    return made


def add_folder(made):
    made.add_argument("--folder", metavar="DIR", help="where the data lies while it is measured (default: a new one)")


def progress(text):
    print(text, file=sys.stderr, flush=True)


def run(name, options, labels, bench, report, whole):
    """Measures with `bench(options, folder, log)`, prints what `report(options, bench, folder)` makes of it, and writes it.

    `whole`: whether all of it is measured, so that the results file is the place for it.
    """
    if options.list:
        print("\n".join(labels))
        return
    with tempfile.TemporaryDirectory(prefix="samtal-bench-", dir=getattr(options, "folder", None)) as folder:
        with open(f"{folder}/log", "w") as log:
            made = bench(options, folder, log)
            made.run()
        text = report(options, made, folder)
    print(f"\n{text}")
    output = options.output or (RESULTS / f"{name}.md" if whole and not options.quick else None)
    if output:
        pathlib.Path(output).write_text(text)
        progress(f"written to {output}")
