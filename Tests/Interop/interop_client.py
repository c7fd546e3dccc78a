"""The cases of gRPC's interoperability tests on grpcio, and a few of our own; see README.md.

Prints PASS or FAIL for each. Whether an answer came compressed is nothing that grpcio tells a caller: the two cases of
compressed answers check the answers alone.
"""

import sys

import grpc
import interop_calls  # noqa: F401, registers its cases
import interop_messages  # noqa: F401, registers its cases
import interop_stubs
from interop_checks import CASES, Failure


def main():
    parser = interop_stubs.arguments(__doc__)
    parser.add_argument("--target", help="unix:PATH or unix-abstract:NAME")
    parser.add_argument("--case", default="all", choices=["all", *CASES], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    options = parser.parse_args()
    if options.list:
        print("\n".join(CASES))
        return 0
    if not options.target:
        parser.error("--target is needed")
    failed = 0
    for name, body in CASES.items():
        if options.case not in ("all", name):
            continue
        try:
            body(options.target)
            print(f"PASS {name}", flush=True)
        except (Failure, grpc.RpcError, StopIteration) as error:
            failed += 1
            print(f"FAIL {name}: {' '.join(str(error).split())}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
