"""What goes wrong with input, said in one sentence a user can act on.

Every error that a wrong file, name or option can cause is an :class:`LLPBenchError`; the command
line prints its message alone and exits with 1. Anything else that escapes is a bug.
"""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_SHORT.maxlevel = 1


class LLPBenchError(Exception):
    """Base of all errors about what the user gave or what the machine lacks."""


class BusyError(LLPBenchError):
    """Something that another process is making at this moment."""


class WritingError(LLPBenchError, OSError):
    """A file that cannot be written where it should stand."""


class UnknownNameError(LLPBenchError, KeyError):
    """A dataset, method, split or class name that does not exist."""

    def __str__(self) -> str:
        return str(self.args[0])


class ArchiveError(LLPBenchError):
    """A published archive that is damaged, hostile or not one."""


class BuildError(LLPBenchError):
    """Rasters, divisions or tables that cannot become a dataset, or be mapped."""


class DriftError(BuildError):
    """Images that lie outside those a method was trained on; ``drift`` says by how much."""

    def __init__(self, message: str, drift: object) -> None:
        super().__init__(message)
        self.drift = drift


class LabelSetError(LLPBenchError, ValueError):
    """Label classes or class groups that no dataset can have."""


class StoreError(LLPBenchError):
    """A dataset on disk that is missing, incomplete, too new or wrong."""


class DatasetWarning(UserWarning):
    """Something about a dataset that is out of order but could be mended or does no harm."""


class DownloadError(LLPBenchError):
    """A file that could not be fetched whole and verified."""


class PredictionsError(LLPBenchError, ValueError):
    """Predictions that do not fit the dataset they are scored on."""


class DisorderError(PredictionsError):
    """Predictions that are not in the order of the dataset, where they must be."""


class BoardError(LLPBenchError):
    """An entry of the leaderboard, or a board, that is out of order."""


class ChallengeError(LLPBenchError):
    """A challenge that is out of order, or a submission that it does not take."""


class ZarrError(StoreError, PredictionsError):
    """A Zarr folder that is damaged, incomplete, too large or of a kind that is not read."""


class UnscoredError(LLPBenchError):
    """Predictions without anything to score them by: no labels, or no known shares."""


class MetricError(LLPBenchError, ValueError):
    """Arrays or options that a metric or a statistic cannot take."""


class CrewError(LLPBenchError):
    """A cluster that cannot be reached, is lost, or whose workers do not fit."""


class MethodError(LLPBenchError):
    """A method that cannot be found, built or trained."""


def examples(items: Iterable[object], most: int = 3) -> str:
    """Up to three of ``items`` for an error message, quoted, and shortened where they are long.

    Examples
    --------
    >>> examples(["a", "b", "c", "d"])
    "'a', 'b', 'c', ..."
    """
    shown = [str(item) if isinstance(item, str) else item for item in items]
    text = ", ".join(map(_SHORT.repr, shown[:most]))
    return text + ", ..." if len(shown) > most else text


def printable(text: str) -> str:
    r"""Text of anybody, as a terminal, a log and any encoding can take it: in one line.

    What does not print is written as an escape: control characters, which terminals obey,
    characters that change the direction of text, and bytes of names that are not UTF-8.

    Examples
    --------
    >>> print(printable("red\x1b[31m, \u202e, \udcff, Õun"))
    red\x1b[31m, \u202e, \udcff, Õun
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence about a name that does not exist, with the nearest of those that do.

    Examples
    --------
    >>> unknown("dataset", "demo-pop", ["benelux-humanpop", "demo-humanpop"])
    "there is no dataset 'demo-pop'; did you mean 'demo-humanpop'?"
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=2, cutoff=0.5)
    if near:
        return f"there is no {kind} {name!r}; did you mean {' or '.join(map(repr, near))}?"
    return f"there is no {kind} {name!r}; there are: {printable(', '.join(names))}"


def first_problem(error: Exception) -> str:
    """Place and text of the first problem in pydantic's ValidationError; another error's text."""
    problems = getattr(error, "errors", None)  # no import: this module is part of every command
    if problems is None:
        return str(error)
    problem = problems()[0]
    place = ".".join(map(str, problem["loc"]))
    text = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {text}" if place else text
