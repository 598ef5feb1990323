"""The marks of a submission: what follows from it on both halves. Never shown as they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from llpbench.metrics.arrays import FloatArray


@dataclass(frozen=True)
class Half:
    """What a submission scores on one half.

    Parameters
    ----------
    mae : float
        Mean absolute error of shares, over chips and categories.
    errors : tuple of float
        For each division of the half, in the order of their ids, the sum over its chips of the
        mean absolute error over categories.
    chips : tuple of int
        Scored chips of each division.
    """

    mae: float
    errors: tuple[float, ...]
    chips: tuple[int, ...]

    @classmethod
    def of(cls, errors: ArrayLike, chips: ArrayLike) -> Half:
        """Make it of errors and chips of divisions, both of shape (division,).

        Examples
        --------
        >>> Half.of([0.5, 1.0], [10, 20]).mae
        0.05
        """
        sums = np.asarray(errors, dtype=np.float64)
        counts = np.asarray(chips, dtype=np.int64)
        mae = float(sums.sum() / counts.sum())
        return cls(mae, tuple(sums.tolist()), tuple(counts.tolist()))

    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """Errors and chips, each of shape (division,)."""
        return np.array(self.errors), np.array(self.chips, dtype=np.float64)


@dataclass(frozen=True)
class Marks:
    """What a submission scores.

    Parameters
    ----------
    digest : str
        Of the predictions, whatever the file they came in.
    track : str
        That it was submitted to.
    public, private : Half
        What is scored before, and after the challenge closes.
    """

    digest: str
    track: str
    public: Half
    private: Half

    def to_json(self) -> str:
        """As JSON, for the private side; every digit is kept."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Marks:
        """Read what :meth:`to_json` wrote."""
        content = json.loads(text)
        halves = {name: _half(content[name]) for name in ("public", "private")}
        return cls(digest=content["digest"], track=content["track"], **halves)


def _half(content: dict[str, Any]) -> Half:
    return Half(content["mae"], tuple(content["errors"]), tuple(content["chips"]))
