"""Scores predictions on Codabench: a program of its own, with nothing but Python 3.8 or later.

Usage: python3 score.py INPUT OUTPUT

INPUT/ref holds reference.json, INPUT/res one table of predictions, as text separated by commas: a
column ``chip`` and one for each class. OUTPUT/scores.json gets the mean absolute error, as
``llpbench evaluate`` computes it.

It imports nothing of llpbench, because images of Codabench have an older Python, and none of the
packages with which llpbench reads imagery; nothing is installed when a submission is scored.
"""

from __future__ import annotations

import csv
import json
import math
import struct
import sys
from pathlib import Path
from typing import Any

SUM_TOLERANCE = 1e-3


class SubmissionError(Exception):
    """What a team can do something about, in a sentence."""


def main(given: str, output: str) -> None:
    """Score what was submitted, and write that."""
    reference = json.loads(Path(given, "ref", "reference.json").read_text(encoding="utf-8"))
    try:
        shares = read_shares(Path(given, "res"), reference)
        mae = mean_absolute_error(shares, reference["truth"])
    except SubmissionError as error:
        sys.exit(f"This submission cannot be scored: {error}.")
    shown = rounded(mae, reference["step"] * mae)
    text = json.dumps({"mae": shown})
    Path(output, "scores.json").write_text(text, encoding="utf-8")


def read_shares(folder: Path, reference: dict[str, Any]) -> dict[str, list[float]]:
    """Shares of each chip in the order of the classes, in the single precision of llpbench."""
    files = [path for path in sorted(folder.rglob("*.csv")) if not path.name.startswith(".")]
    if len(files) != 1:
        raise SubmissionError(f"the zip must hold one .csv file, found {len(files)}")
    if files[0].stat().st_size > reference["largest_file"]:
        raise SubmissionError(f"at most {reference['largest_file']} bytes are read")
    try:
        with files[0].open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SubmissionError(f"it is no table of text separated by commas ({error})") from error
    head, expected = rows[0] if rows else [], ["chip", *reference["categories"]]
    if sorted(head) != sorted(expected):
        raise SubmissionError(f"its columns must be {', '.join(expected)}")
    places = [head.index(name) for name in expected]
    shares = {}
    for number, row in enumerate(rows[1:], 2):
        if not row:
            continue
        if len(row) != len(head):
            raise SubmissionError(f"line {number} has {len(row)} columns, the first {len(head)}")
        chip, *texts = (row[place] for place in places)
        if chip in shares:
            raise SubmissionError(f"the chip {chip[:80]!r} is there twice")
        shares[chip] = checked(texts, number)
    missing, unknown = set(reference["chips"]) - set(shares), set(shares) - set(reference["chips"])
    if missing or unknown:
        raise SubmissionError(
            f"each chip of the test split must be there once: {len(missing)} are missing, "
            f"{len(unknown)} unknown"
        )
    return shares


def checked(texts: list[str], number: int) -> list[float]:
    """Shares of a line: finite, not negative, summing to 1."""
    try:
        values = [float(text) for text in texts]
    except ValueError as error:
        raise SubmissionError(f"line {number} holds what is no number") from error
    if not all(math.isfinite(value) and value >= 0 for value in values):
        raise SubmissionError(f"shares in line {number} are not all finite and 0 or more")
    if abs(math.fsum(values) - 1) > SUM_TOLERANCE:
        raise SubmissionError(f"shares in line {number} do not sum to 1 within {SUM_TOLERANCE}")
    return [struct.unpack("f", struct.pack("f", value))[0] for value in values]


def mean_absolute_error(shares: dict[str, list[float]], truth: dict[str, list[float]]) -> float:
    """Over the chips that have a truth here, and over classes."""
    errors = [
        abs(predicted - true)
        for chip, known in truth.items()
        for predicted, true in zip(shares[chip], known)  # noqa: B905  (Python 3.8 knows no strict)
    ]
    return math.fsum(errors) / len(errors)


def rounded(value: float, step: float) -> float:
    """As the Ladder of llpbench rounds the first score of a team; a step of 0 leaves all digits."""
    if step <= 0:
        return value
    place = 10.0 ** math.floor(math.log10(step))
    unit = place * max(factor for factor in (1, 2, 5) if factor * place <= step * (1 + 1e-9))
    return round(round(value / unit) * unit, 9)


if __name__ == "__main__":
    main(*sys.argv[1:])
