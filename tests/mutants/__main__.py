"""``make mutants``: change the library in one place at a time; some test must fail each time.

``python tests/mutants [MODULE ...]`` changes the modules of ``mutants.toml`` (or those named),
prints the share of the changes that their tests notice, and fails if a change goes unnoticed that
``mutants.toml`` does not list with a reason, or lists in vain.
"""

from __future__ import annotations

import argparse
import os
import sys
import tomllib
from pathlib import Path
from typing import Any

from generating import Mutant, mutants
from results import Results, module_path
from running import judge, warm_up

CONFIGURATION = Path(__file__).with_name("mutants.toml")


def main() -> int:
    """Judge the mutants of every module, report, and say whether all is as listed."""
    configuration = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    warm_up()
    results = Results()
    made = killed = wrong = 0
    for module in options.modules or configuration["tests"]:
        made_here = list(mutants(module, module_path(module).read_text(encoding="utf-8")))
        files = configuration["tests"][module]
        survivors = _survivors(made_here, files, results, options.processes)
        made, killed = made + len(made_here), killed + len(made_here) - len(survivors)
        print(f"{module}: {_share(len(made_here) - len(survivors), len(made_here))}", flush=True)
        wrong += _differences(module, survivors, configuration.get("survivors", []))
    print(f"{_share(killed, made)} in all; {wrong} differences from the list of survivors")
    return 1 if wrong else 0


def _survivors(
    made: list[Mutant], files: list[str], results: Results, processes: int
) -> list[Mutant]:
    unknown = [mutant for mutant in made if not results.get(mutant, files)[0]]
    if unknown:
        path = module_path(unknown[0].module)
        for mutant, killer in judge(unknown, files, path, processes):
            results.put(mutant, files, killer)
            results.save()
    return [mutant for mutant in made if results.get(mutant, files)[1] is None]


def _share(killed: int, made: int) -> str:
    return f"{killed} of {made} mutants killed ({killed / max(made, 1):.1%})"


def _differences(module: str, survivors: list[Mutant], listed: list[dict[str, Any]]) -> int:
    """Print and count survivors that are not listed, and those that are listed in vain."""
    entries = [entry for entry in listed if entry["module"] == module]
    expected = {change.strip() for entry in entries for change in entry["changes"]}
    found = {f"{mutant.place or 'module'}\n{mutant.change}" for mutant in survivors}
    for change in sorted(found - expected):
        print(f"\nsurvives, and is not listed with a reason:\n'''\n{change}\n''',")
    for change in sorted(expected - found):
        print(f"\nis listed, but was killed or is no more:\n'''\n{change}\n''',")
    return len(found ^ expected)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on from here")
