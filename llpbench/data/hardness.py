"""How hard a dataset is: sizes of divisions, likeness within them, scores of doing nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from llpbench import metrics
from llpbench.brief import Brief
from llpbench.data.info import mark_synthetic
from llpbench.errors import LLPBenchError, printable
from llpbench.metrics.arrays import FloatArray, as_groups, as_shares
from llpbench.notebook import card, table
from llpbench.statistics import division_sums

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class NullScore:
    """Scores of predictions that look at no image.

    Parameters
    ----------
    mae : float
        On the scored chips of the test split.
    skill : float or None
        1 - MAE / MAE of the train mean; None where the train mean has no error.
    """

    mae: float
    skill: float | None

    def __str__(self) -> str:
        """Both as text."""
        skill = "" if self.skill is None else f" (skill {self.skill:.3f})"
        return f"{self.mae:.4f}{skill}"


@dataclass(frozen=True, repr=False)
class Hardness(Brief):
    """The hardness card of a dataset.

    Parameters
    ----------
    dataset : str
        Its name.
    synthetic : bool
        Whether it was made by a program and shows no real place.
    chips, divisions : int
        How many there are; divisions that own chips.
    chips_per_division : dict of str to float
        ``min``, ``median`` and ``max`` of the chips a division owns.
    border_chips : float
        Share of the chips that overlap more than one division.
    mixed_chips : float
        Share of the chips whose target mixes in divisions of another split than their own.
    intraclass_correlation : dict of str to float or None
        By class group, of ``chip_proportions`` between owning divisions; None for a class whose
        share is the same everywhere.
    null_scores : dict of str to NullScore
        ``train mean``, ``train median`` (by class, divided by its sum; left out where that is
        0) and ``own division`` (the known proportions of the division that owns a chip; the
        train mean where none does). Empty without a train or a test split.
    """

    dataset: str
    synthetic: bool
    chips: int
    divisions: int
    chips_per_division: dict[str, float]
    border_chips: float
    mixed_chips: float
    intraclass_correlation: dict[str, float | None]
    null_scores: dict[str, NullScore]

    def to_json(self) -> str:
        """The card as JSON."""
        return json.dumps(asdict(self), allow_nan=False)

    def lines(self) -> list[tuple[str, str]]:
        """The card as text.

        Returns
        -------
        list of (str, str)
            Names of figures and their values.
        """
        sizes = self.chips_per_division
        return [
            ("divisions", f"{self.divisions}, of {self.chips} chips"),
            (
                "chips a division",
                f"{sizes['min']:g} to {sizes['max']:g}, median {sizes['median']:g}",
            ),
            ("chips on a border of divisions", f"{100 * self.border_chips:.1f} %"),
            ("chips whose target mixes splits", f"{100 * self.mixed_chips:.1f} %"),
            *(
                (f"intraclass correlation of {name}", "" if value is None else f"{value:.3f}")
                for name, value in self.intraclass_correlation.items()
            ),
            *((f"MAE of the {name}", str(score)) for name, score in self.null_scores.items()),
        ]

    def __str__(self) -> str:
        """The card as aligned lines."""
        title = f"Hardness of {mark_synthetic(self.dataset, self.synthetic)}"
        lines = [title, *(f"  {what:<42}  {value}" for what, value in self.lines())]
        return "\n".join(map(printable, lines))

    def _repr_html_(self) -> str:
        title = f"Hardness of {mark_synthetic(self.dataset, self.synthetic)}"
        return card(title, table([], self.lines()))


def hardness(ds: xr.Dataset) -> Hardness:
    """Work out the hardness card of a dataset.

    Parameters
    ----------
    ds : Dataset
        All splits, with labels, grouped or not. Labels are read of the test split alone.

    Raises
    ------
    LLPBenchError
        If the labels were taken away, or there are no chips.
    """
    if "label" not in ds or "chip_proportions" not in ds:
        raise LLPBenchError("this dataset has no labels, without which its hardness is not known")
    if not ds.sizes["chip"]:
        raise LLPBenchError("a dataset without chips has no hardness")
    grouped = ds.llp.group()
    owner = grouped["own_division"].to_numpy()
    owned = owner != ""
    shares = grouped["chip_proportions"].to_numpy().astype(np.float64)
    labelled = owned & np.isfinite(shares).all(axis=1)
    names, sizes = np.unique(owner[owned], return_counts=True)
    correlation = np.full(shares.shape[1], np.nan)
    if labelled.any():
        correlation = intraclass_correlation(shares[labelled], owner[labelled])
    border, mixed = _borders(grouped)
    return Hardness(
        dataset=ds.llp.info.name,
        synthetic=ds.llp.info.synthetic,
        chips=ds.sizes["chip"],
        divisions=len(names),
        chips_per_division={
            name: float(of(sizes)) if len(sizes) else 0.0
            for name, of in (("min", np.min), ("median", np.median), ("max", np.max))
        },
        border_chips=float(border.mean()),
        mixed_chips=float(mixed.mean()),
        intraclass_correlation={
            str(name): float(value) if np.isfinite(value) else None
            for name, value in zip(grouped["category_name"].to_numpy(), correlation, strict=True)
        },
        null_scores=_null_scores(grouped),
    )


def intraclass_correlation(shares: ArrayLike, division: ArrayLike) -> FloatArray:
    r"""Intraclass correlation of class shares: how alike the chips of a division are.

    .. math:: \hat\rho = \frac{B - W}{B + (n_0 - 1) W}, \quad
              n_0 = \frac{1}{C - 1} \left(N - \frac{\sum_c n_c^2}{N}\right)

    with B and W the mean squares between and within the C divisions of :math:`n_c` chips, N in
    all.

    Parameters
    ----------
    shares : array_like, shape (n, K)
        Class shares of n chips, 0 to 1.
    division : array_like, shape (n,)
        Division of each chip: ids or numbers.

    Returns
    -------
    ndarray of float64, shape (K,)
        At most 1, where all chips of a division are equal; about 0 where divisions are no more
        than chance makes them; below 0 where chips of one division are less alike. NaN where a
        share does not vary, there is one division, or no division has two chips.

    Raises
    ------
    MetricError
        Shapes that do not fit each other, or values that are not finite.

    Notes
    -----
    The one-way analysis of variance estimator for groups of unequal size. Source: Donner (1986),
    International Statistical Review 54, 67-82, section 2; Fisher (1925), Statistical Methods for
    Research Workers, chapter 7.

    Examples
    --------
    >>> shares = [[0.1, 0.9], [0.3, 0.7], [0.5, 0.5], [0.7, 0.3]]
    >>> intraclass_correlation(shares, ["a", "a", "b", "b"]).round(3)
    array([0.778, 0.778])
    """
    values = as_shares(shares, "shares")
    groups = as_groups(division, len(values))
    _names, sums = division_sums(values, groups)
    count, sums, size = len(values), sums[:, :-1], sums[:, -1]
    number = len(size)
    if number < 2 or count == number:
        return np.full(values.shape[1], np.nan)
    means = sums / size[:, np.newaxis]
    between_squares = (size[:, np.newaxis] * np.square(means - values.mean(axis=0))).sum(axis=0)
    all_squares = np.square(values - values.mean(axis=0)).sum(axis=0)
    between = between_squares / (number - 1)
    within = np.maximum(all_squares - between_squares, 0) / (count - number)
    typical = (count - np.square(size).sum() / count) / (number - 1)
    varies = np.ptp(values, axis=0) > 1e-12
    total = np.where(varies, between + (typical - 1) * within, np.nan)
    return np.asarray((between - within) / total)


def _borders(ds: xr.Dataset) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which chips overlap several divisions, and which one that owns chips of another split."""
    overlaps = ds.llp.overlaps()
    chips = ds.indexes["chip"]
    split = ds["split"].to_series()
    split_of = split.groupby(ds["own_division"].to_numpy()).first().drop("", errors="ignore")
    theirs = overlaps["division"].map(split_of)
    foreign = theirs.notna() & (theirs.to_numpy() != split.loc[overlaps["chip"]].to_numpy())
    several = overlaps.groupby("chip").size().reindex(chips, fill_value=0) > 1
    mixed = foreign.groupby(overlaps["chip"]).any().reindex(chips, fill_value=False)
    return several.to_numpy(), mixed.to_numpy(dtype=bool)


def _null_scores(ds: xr.Dataset) -> dict[str, NullScore]:
    targets = ds.llp.split("train")["target"].to_numpy().astype(np.float64)
    targets = targets[np.isfinite(targets).all(axis=1)]
    test = ds.llp.split("test")
    if not len(targets) or not test.sizes["chip"]:
        return {}
    truth = test.llp.truth().to_numpy()
    scored = np.isfinite(truth).all(axis=1)
    if not scored.any():
        return {}
    mean, median = targets.mean(axis=0), np.median(targets, axis=0)
    predicted = {"train mean": mean}
    if median.sum() > 0:
        predicted["train median"] = median / median.sum()
    predicted["own division"] = _own_shares(test, mean)
    errors = {
        name: metrics.mae(truth[scored], np.broadcast_to(shares, truth.shape)[scored])
        for name, shares in predicted.items()
    }
    null = errors["train mean"]
    return {
        name: NullScore(error, 1 - error / null if null > 0 else None)
        for name, error in errors.items()
    }


def _own_shares(ds: xr.Dataset, otherwise: FloatArray) -> FloatArray:
    """Known proportions of the division that owns each chip."""
    rows = ds.indexes["division"].get_indexer(pd.Index(ds["own_division"].to_numpy()))
    known = ds["division_proportions"].to_numpy().astype(np.float64)[rows]
    has_one = (rows >= 0) & np.isfinite(known).all(axis=1)
    return np.where(has_one[:, np.newaxis], known, otherwise)
