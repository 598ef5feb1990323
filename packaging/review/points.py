"""What a point of a review is, and what checks of them share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LISTS = {
    "pyOpenSci": "https://www.pyopensci.org/software-peer-review/how-to/reviewer-guide.html#peer-review-template",
    "JOSS": "https://joss.readthedocs.io/en/latest/review_checklist.html",
    "NeurIPS": "https://neurips.cc/Conferences/2026/EvaluationsDatasetsHosting",
    "OpenSSF": "https://github.com/ossf/scorecard/blob/main/docs/checks.md",
}
"""Lists that reviewers go by, and where they stand; read in November 2026."""

Check = Callable[[], Iterable[str]]


@dataclass(frozen=True)
class Point:
    """One line of a list: what it asks, and what finds faults; or why no program can tell."""

    source: str
    asks: str
    check: Check | None = None
    why: str = ""


POINTS: list[Point] = []


def point(source: str, asks: str) -> Callable[[Check], Check]:
    """Make a function the check of a point: it yields a sentence for each fault."""

    def keep(check: Check) -> Check:
        POINTS.append(Point(source, asks, check))
        return check

    return keep


def beyond_code(source: str, asks: str, why: str) -> None:
    """Name a point that only people or a public place can meet."""
    POINTS.append(Point(source, asks, why=why))


def text(name: str) -> str:
    """A file of the project; one that is not there is empty."""
    path = ROOT / name
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def fails(*command: str) -> list[str]:
    """The last lines of what a program of this environment says, if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()[-8:] if done.returncode else []


def tests_fail(*files: str) -> list[str]:
    """What of these test files fails, full counts included."""
    missing = [name for name in files if not (ROOT / name).is_file()]
    return [f"{name} is not there" for name in missing] or fails("pytest", "-q", *files)
