"""Results that others printed, read from ``reported.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class ReportedResult:
    """A row of a published table: as printed, not scored here.

    Parameters
    ----------
    method : str
        What the source calls it, in the spelling used here.
    dataset : str
        Catalog name of the dataset whose test split was predicted.
    trained_on : str
        Catalog name of the dataset it was trained on; another one in the cross-region track.
    source, url : str
        Where it is printed, and the address of that.
    parameters : int or None
        Trainable parameters, rounded where the source rounds; None where there are none.
    mae : float or None
        Mean absolute error of predicted shares.
    mae_hard : float or None
        Mean absolute error of shares counted on a segmentation.
    f1_micro : float or None
        Micro-averaged F1 of the segmentation.
    """

    method: str
    dataset: str
    trained_on: str
    source: str
    url: str
    parameters: int | None = None
    mae: float | None = None
    mae_hard: float | None = None
    f1_micro: float | None = None

    @property
    def track(self) -> str:
        """``inductive``, or ``cross-region`` where it was trained elsewhere."""
        return "inductive" if self.trained_on == self.dataset else "cross-region"


@cache
def reported_results() -> tuple[ReportedResult, ...]:
    """Read the packaged results of the paper.

    Returns
    -------
    tuple of ReportedResult
        The same object at each call. The original drops the last incomplete batch and averages
        batch means, so that exact scores differ in the third digit: ``docs/protocol.md``.

    Examples
    --------
    >>> first = reported_results()[0]
    >>> first.method, first.dataset, first.mae_hard, first.f1_micro
    ('downconv', 'benelux-esaworldcover', 0.068, 0.636)
    """
    text = resources.files("llpbench.catalog").joinpath("reported.toml").read_text(encoding="utf-8")
    return tuple(
        ReportedResult(
            method=table["method"],
            dataset=dataset,
            trained_on=table.get("trained_on", {}).get(dataset, dataset),
            source=table["source"],
            url=table["url"],
            parameters=table.get("parameters"),
            **scores,
        )
        for table in tomllib.loads(text)["results"]
        for dataset, scores in table["scores"].items()
    )
