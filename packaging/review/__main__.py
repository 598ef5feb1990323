"""Check, offline, what reviewers of packages and data sets ask for: ``make review``.

Every check is a function that looks at the project; what no program can tell is printed as such.
The exit code is 1 if a check found a fault.
"""

from __future__ import annotations

import sys

import data_sets  # noqa: F401  (each of these adds its points)
import documents  # noqa: F401
import package  # noqa: F401
from points import LISTS, POINTS


def main() -> int:
    """Print a line a point, faults below it, and a count."""
    failed = 0
    for source, address in LISTS.items():
        print(f"\n{source}: {address}")
        for one in (one for one in POINTS if one.source == source):
            if one.check is None:
                print(f"  people  {one.asks}: cannot be met by code: {one.why}")
                continue
            faults = list(one.check())
            failed += bool(faults)
            print(f"  {'FAILS ' if faults else 'passes'}  {one.asks}", flush=True)
            for fault in faults:
                print(f"            {fault}")
    checked = [one for one in POINTS if one.check is not None]
    people = len(POINTS) - len(checked)
    print(f"\n{len(checked) - failed} of {len(checked)} points are met; {people} are for people")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
