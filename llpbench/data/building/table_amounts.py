"""Shares from fractions, percentages or areas, by the sums of rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from llpbench.catalog import ClassGroup, LabelClass
from llpbench.data.building.legend import Legend
from llpbench.data.building.table_units import RELATIVE, RENORMALISED, SQUARE_METRES, Sums
from llpbench.errors import BuildError, examples
from llpbench.style import DISTINCT

REST = "other"
"""The class of what a table of areas leaves over."""

_EXACT = 1e-6
"""How far a row may be from its sum without a remark."""


@dataclass(frozen=True)
class Amounts:
    """What a table says of divisions, by class, in one unit.

    Parameters
    ----------
    where : str
        The file's name.
    values : DataFrame
        By division and class; 0 in gaps.
    sums : Sums
        Of the rows, before gaps were filled by 0.
    unit : str
        That of ``values`` and ``sums``.
    gaps : ndarray of bool
        Rows in which a number is said to be unknown.
    renormalise : bool
        Whether sums may be off by 10 %.
    """

    where: str
    values: pd.DataFrame
    sums: Sums
    unit: str
    gaps: NDArray[np.bool_]
    renormalise: bool

    @property
    def parts(self) -> NDArray[np.float64]:
        """Part of each division that its row fills."""
        return self.sums.parts(self.unit)

    @property
    def tolerance(self) -> NDArray[np.float64]:
        """How far these may be from 1."""
        return self.sums.tolerance(self.unit, self.renormalise)


def shares_of_parts(amounts: Amounts) -> tuple[pd.DataFrame, list[str]]:
    """Shares of divisions from fractions or percentages, each row divided by its sum.

    Rows with gaps that do not sum to 1 are unknown.
    """
    parts = amounts.parts
    wrong = np.abs(parts - 1) > amounts.tolerance
    unknown = wrong & ~amounts.sums.complete & (parts < 1)
    unknown &= not wrong.all()
    if (wrong & ~unknown).any():
        raise BuildError(_wrong_sums(amounts, wrong & ~unknown))
    remarks = []
    if amounts.unit == "percent":
        remarks.append(f"{amounts.where} holds percentages; they were divided by 100")
    if (np.abs(parts[~unknown] - 1) > _EXACT).any():
        why = _slack(amounts)
        remarks.append(f"{amounts.where}: rows sum to {_span(parts[~unknown])}, {why}; each was "
                       "divided by its sum")  # fmt: skip
    return _divide(amounts, unknown, remarks), remarks


def shares_of_areas(amounts: Amounts, legend: Legend) -> tuple[Legend, pd.DataFrame, list[str]]:
    """Shares of divisions from areas, which fill them or leave a class for the rest.

    Shares are NaN in rows that gaps leave unknown; the remarks say what became of the rest.
    """
    parts, tolerance = amounts.parts, amounts.tolerance
    over = parts > 1 + tolerance
    if over.any():
        raise BuildError(_too_large(amounts, over))
    said = f"{amounts.where} holds areas in {amounts.unit}, which fill {_percent(parts)} of the "
    filled = parts >= 1 - tolerance
    whole_rows = amounts.sums.complete | filled
    if filled.any() and filled[whole_rows].all():
        remarks = [f"{said}divisions; each row was divided by its sum"]
        return legend, _divide(amounts, ~filled, remarks), remarks
    legend, name = _with_rest(legend)
    whole = amounts.sums.areas / SQUARE_METRES[amounts.unit]
    rest = np.maximum(whole - amounts.sums.total, 0)
    names = [entry.name for entry in legend.label_set.classes]
    values = amounts.values.reindex(columns=names, fill_value=0.0)
    values[name] += rest
    remarks = [f"{said}divisions; the rest became {name!r}"]
    unknown = amounts.gaps & ~filled
    return legend, _divide(replace(amounts, values=values), unknown, remarks), remarks


def _divide(amounts: Amounts, unknown: NDArray[np.bool_], remarks: list[str]) -> pd.DataFrame:
    """Rows divided by their sums; NaN where a gap leaves them unknown, which is said."""
    shares = amounts.values.div(amounts.values.sum(axis=1), axis=0)
    if unknown.any():
        shares[unknown] = np.nan
        remarks.append(
            f"{amounts.where}: the shares of {unknown.sum()} divisions are unknown for gaps in "
            f"their rows: {examples(shares.index[unknown])}"
        )
    return shares


def _with_rest(legend: Legend) -> tuple[Legend, str]:
    """A legend with a class for what is left over, in the group of that name if there is one."""
    labels = legend.label_set
    number = len(labels.classes)
    for entry in labels.classes:
        if entry.name.casefold() == REST:
            return legend, entry.name
    if legend.starts:
        raise BuildError(
            f"the legend {legend.name!r} has amounts, and no class for what the areas of the "
            "table leave over: name the columns of all its classes"
        )
    groups = [
        replace(group, members=(*group.members, number)) if group.name == REST else group
        for group in labels.groups
    ]
    if groups == list(labels.groups):
        groups.append(ClassGroup(REST, (number,), 0.0, DISTINCT[-1]))
        groups = [replace(group, weight=1 / len(groups)) for group in groups]
    labels = replace(
        labels, classes=(*labels.classes, LabelClass(REST, DISTINCT[-1])), groups=tuple(groups)
    )
    codes = (*legend.codes, ()) if legend.codes else ()
    return replace(legend, label_set=labels, codes=codes), REST


def _slack(amounts: Amounts) -> str:
    """Why sums are taken that are not 1."""
    if amounts.renormalise:
        return f"within the {RENORMALISED:.0%} of --renormalise"
    return "as rounding does"


def _wrong_sums(amounts: Amounts, wrong: NDArray[np.bool_]) -> str:
    total = amounts.sums.total[wrong]
    whole = f"{RELATIVE[amounts.unit]:g}"
    is_short = (amounts.parts < 1 - amounts.tolerance).all()
    rest = "; add a column of what is left over, or" if is_short else ";"
    way_out = (
        f"{rest} check the columns, or take sums up to {RENORMALISED:.0%} off with --renormalise"
        if not amounts.renormalise
        else f", also not within the {RENORMALISED:.0%} of --renormalise{rest} check the columns"
    )
    return (
        f"{amounts.where}: the shares of a division must sum to {whole}, but those of "
        f"{wrong.sum()} do not (sums from {total.min():.4g} to {total.max():.4g}), such as "
        f"{examples(amounts.values.index[wrong])}{way_out}"
    )


def _too_large(amounts: Amounts, over: NDArray[np.bool_]) -> str:
    worst = int(np.argmax(np.where(over, amounts.parts, 0)))
    whole = amounts.sums.areas[worst] / SQUARE_METRES[amounts.unit]
    way_out = (
        "" if amounts.renormalise else f", or take up to {RENORMALISED:.0%} with --renormalise"
    )
    return (
        f"{amounts.where}: the areas of a division must not exceed that of its outline, but those "
        f"of {over.sum()} do, such as {amounts.values.index[worst]!r} with "
        f"{amounts.sums.total[worst]:.6g} {amounts.unit} in {whole:.6g}; check unit, columns and "
        f"outlines{way_out}"
    )


def _span(parts: NDArray[np.float64]) -> str:
    return f"{parts.min():.6g} to {parts.max():.6g}"


def _percent(parts: NDArray[np.float64]) -> str:
    return f"{100 * parts.min():.4g} to {100 * parts.max():.4g} %"
