"""Print what setup.cfg asks for, one requirement a line, for tools that do not read that file.

    python packaging/requirements.py [--oldest] [EXTRA...]

With ``--oldest`` each is held at its lower bound, as constraints for pip: what these need in turn
is left to pip, which takes the newest that fits.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

from packaging.requirements import Requirement

SETTINGS = Path(__file__).resolve().parents[1] / "setup.cfg"


def main() -> None:
    """Read arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", metavar="EXTRA")
    parser.add_argument("--oldest", action="store_true")
    chosen = parser.parse_args()
    for needed in requirements(chosen.extras):
        print(at_its_lower_bound(needed) if chosen.oldest else needed)


def requirements(extras: list[str]) -> Iterator[Requirement]:
    """What the package needs, then what these extras add."""
    settings = ConfigParser()
    settings.read(SETTINGS, encoding="utf-8")
    groups = settings["options.extras_require"]
    for group in (settings["options"]["install_requires"], *(groups[name] for name in extras)):
        yield from map(Requirement, group.split("\n")[1:])


def at_its_lower_bound(needed: Requirement) -> str:
    """``numpy>=2.0`` as ``numpy==2.0``, without extras, which constraints do not take."""
    (bound,) = (part.version for part in needed.specifier if part.operator == ">=")
    return f"{needed.name}=={bound}" + (f"; {needed.marker}" if needed.marker else "")


if __name__ == "__main__":
    main()
