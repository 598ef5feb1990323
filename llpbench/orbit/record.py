"""What a simulation came to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from llpbench.brief import Brief

FORMAT = 2
RECORD, TABLE, PICTURE = "orbit.json", "passes.csv", "orbit.png"
DRIFT_TABLE, DRIFT_PICTURE, ALONE = "drift.csv", "drift.png", "alone"


@dataclass(frozen=True)
class Pass:
    """What is known after a pass; numbers of bytes and seconds are of all passes so far.

    Parameters
    ----------
    number : int
        From 1.
    chips, held : int
        Chips seen so far, and those whose raw pixels are held.
    divisions : int
        Those whose label proportions were sent up.
    mae : float or None
        Mean absolute error of the shares of val divisions, see
        :meth:`llpbench.data.divisions.Divisions.mae`; None as long as there is no model, for which
        two divisions are needed.
    uplinked_labels : int
        Bytes of label proportions.
    downlinked_model : int
        Bytes of the weights in float32, sent after each pass.
    downlinked_statistics : int or None
        Bytes of what each pass changed in the sums over divisions, which can be sent instead; None
        where a method needs chips.
    cpu_seconds : float
        Of training over all threads, without reading chips and without what the ground does.
    peak_memory : int
        Bytes above the level of the frameworks in this pass, at most.
    """

    number: int
    chips: int
    held: int
    divisions: int
    mae: float | None
    uplinked_labels: int
    downlinked_model: int
    downlinked_statistics: int | None
    cpu_seconds: float
    peak_memory: int


@dataclass(frozen=True, repr=False)
class Drift(Brief):
    """What a further season came to, and what updating the method with it brought.

    Parameters
    ----------
    dataset, dataset_digest : str
        The further season.
    unchanged : float
        Mean absolute error of its val divisions by the method of the first season.
    unchanged_test : dict of str to float
        The same of its test split, as :attr:`OrbitRecord.test`.
    passes : tuple of Pass
        Over the further season, by the method fitted to what has come of both; numbers, chips,
        bytes and seconds go on from the first season, ``mae`` is of val divisions of the further.
    test, test_before : dict of str to float
        Errors of the updated method on the test splits of the further season and of the first.
    alone, alone_test
        Errors of a method that began with the further season: of val divisions after each pass,
        and of the test split.
    known : float
        The part of test chips of the further season, by their ids, that are training chips of the
        first: of these places, shares of divisions were sent up before.
    """

    dataset: str
    dataset_digest: str
    unchanged: float
    unchanged_test: dict[str, float]
    passes: tuple[Pass, ...]
    test: dict[str, float]
    test_before: dict[str, float]
    alone: tuple[float | None, ...]
    alone_test: dict[str, float]
    known: float


@dataclass(frozen=True, repr=False)
class OrbitRecord(Brief):
    """What was simulated and what it came to; the contents of ``orbit.json``.

    Parameters
    ----------
    format : int
        Version of the file.
    protocol, llpbench_version
        Versions.
    method, settings, seed
        As of :class:`~llpbench.runs.record.RunRecord`.
    dataset, dataset_digest, synthetic
        What passed below, and whether a program made it.
    learning : {"statistics", "sample"}
        What is kept of chips.
    memory, frameworks : int
        Bytes for training, and those that the process took before.
    passes : tuple of Pass
        In their order.
    test : dict of str to float
        Mean absolute error of chips of the test split by their labels (``chips``) and of divisions
        by known shares (``divisions``), as far as these are known; predicted once, at the end.
    difference_to_batch : float or None
        Largest difference of shares of test chips from those of the method fitted to the same
        features of all chips at once; None where a method needs chips.
    then : Drift or None
        A further season, if one came.
    """

    format: int
    protocol: int
    llpbench_version: str
    method: str
    settings: dict[str, Any]
    seed: int
    dataset: str
    dataset_digest: str
    synthetic: bool
    learning: str
    memory: int
    frameworks: int
    passes: tuple[Pass, ...]
    test: dict[str, float]
    difference_to_batch: float | None
    then: Drift | None = None

    @property
    def peak(self) -> int:
        """Bytes of memory above the frameworks', at most in any pass."""
        further = () if self.then is None else self.then.passes
        return max(row.peak_memory for row in (*self.passes, *further))

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return asdict(self)

    def table(self) -> pd.DataFrame:
        """A row a pass."""
        return pd.DataFrame([asdict(each) for each in self.passes])

    def drift_table(self) -> pd.DataFrame:
        """A row for each pass over the further season, beside a method of that season alone.

        Columns are ``number`` of the pass and ``uplinked_labels`` in that season, 0 before the
        first, and the error of its val divisions: of the method of the first season
        (``unchanged``), the ``updated`` one, and one that saw this season ``alone``.
        """
        assert self.then is not None
        sent = self.passes[-1].uplinked_labels
        rows: list[tuple[int, int, float | None, float | None]]
        rows = [(0, 0, self.then.unchanged, None)]
        rows += [
            (number, row.uplinked_labels - sent, row.mae, error)
            for number, (row, error) in enumerate(
                zip(self.then.passes, self.then.alone, strict=True), 1
            )
        ]
        table = pd.DataFrame(rows, columns=["number", "uplinked_labels", "updated", "alone"])
        table.insert(2, "unchanged", self.then.unchanged)
        return table
