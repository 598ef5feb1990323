"""Units of a table of shares: what its heading says, and what the sums of its rows say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from llpbench.errors import BuildError, examples

ROUNDING = 0.005
"""How far the shares of a division may be from their sum, whatever their digits."""

FILLED = 0.02
"""How far areas may be from that of a division's outline which they fill."""

RENORMALISED = 0.1
"""The same for both where the user asks for it."""

_LEAST_PART: Mapping[str, float] = MappingProxyType(
    {"fraction": 0.05, "percent": 0.05, "ha": 0.05, "km2": 0.5, "m2": 0.05}
)
"""Part of the divisions that a table of some classes fills at least, in the median, to tell its
unit by it: so that in the next smaller unit areas would fill less than half a percent."""

RELATIVE: Mapping[str, float] = MappingProxyType({"fraction": 1.0, "percent": 100.0})
"""What a whole division is in a unit of shares."""

SQUARE_METRES: Mapping[str, float] = MappingProxyType(
    {
        "ha": 1e4,
        "km2": 1e6,
        "m2": 1.0,
        "1000 ha": 1e7,
        "acres": 4046.8564224,
        "sq mi": 2589988.110336,
    }
)
"""Of a unit of area; the last ones only where a heading says so."""

UNITS = ("fraction", "percent", "ha", "km2", "m2")
"""That are told by sums, and can be named."""

_WORDS = {
    "percent": r"%|pct|percent(?:age)?|per cent|prozent|pour ?cent|por ?cient[oa]|procent",
    "1000 ha": r"(?:1[ ,.]?000|thousand) ?(?:ha|hectares)|kha",
    "ha": r"ha|hectares?|hect[aá]reas|hektar",
    "km2": r"km\^?2|sq\.? ?km|square kilomet(?:re|er)s",
    "m2": r"m\^?2|sq\.? ?m|square met(?:re|er)s",
    "acres": r"acres?",
    "sq mi": r"sq\.? ?mi|mi\^?2|square miles",
    "fraction": r"fraction",
}
_ANY = "|".join(f"(?P<u{n}>{words})" for n, words in enumerate(_WORDS.values()))
_LAST = re.compile(rf"(?P<name>.+?)(?:[\s_\-,.(\[/]+(?:in )?|(?=%))(?:{_ANY})[)\]]*", re.IGNORECASE)
_FIRST = re.compile(rf"(?:{_ANY})[\s_\-.:]+(?P<name>.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Sums:
    """Row sums of a table, and what they may be off by rounding, both in the table's unit.

    ``areas`` of the divisions are in m².
    """

    total: NDArray[np.float64]
    rounding: NDArray[np.float64]
    areas: NDArray[np.float64]
    complete: NDArray[np.bool_]

    def parts(self, unit: str) -> NDArray[np.float64]:
        """Part of each division that its row fills, if the table is in a unit."""
        return self.total / self._whole(unit)

    def tolerance(self, unit: str, renormalise: bool) -> NDArray[np.float64]:
        """How far from 1 the part of a division may be that its row fills."""
        least = ROUNDING if unit in RELATIVE else FILLED
        least = RENORMALISED if renormalise else least
        return np.maximum(least, self.rounding / self._whole(unit)) + 1e-9

    def fits(self, unit: str, renormalise: bool) -> NDArray[np.bool_]:
        """Whether each row fills its division, if the table is in a unit."""
        return np.abs(self.parts(unit) - 1) <= self.tolerance(unit, renormalise)

    def _whole(self, unit: str) -> NDArray[np.float64]:
        if unit in RELATIVE:
            return np.full(len(self.total), RELATIVE[unit])
        return self.areas / SQUARE_METRES[unit]


def split_heading(heading: str) -> tuple[str, str | None]:
    """Part the heading of a column into a name and a unit.

    Examples
    --------
    >>> [split_heading(text) for text in ("crops_ha", "forest (km²)", "% water", "alpha")]
    [('crops', 'ha'), ('forest', 'km2'), ('water', 'percent'), ('alpha', None)]
    """
    text = unicodedata.normalize("NFKC", heading).strip()
    found = _LAST.fullmatch(text) or _FIRST.fullmatch(text)
    if found is None:
        return heading.strip(), None
    unit = next(unit for n, unit in enumerate(_WORDS) if found[f"u{n}"])
    return found["name"].strip(), unit


def is_unit(text: str) -> bool:
    """Whether a text is the name of a unit, as in a line of units below a heading.

    Examples
    --------
    >>> [is_unit(text) for text in ("(km²)", "ha", "%", "tree")]
    [True, True, True, False]
    """
    plain = unicodedata.normalize("NFKC", text).strip(" ()[]").removeprefix("in ")
    return re.fullmatch(_ANY, plain, re.IGNORECASE) is not None


def recognise_unit(sums: Sums, where: str, *, renormalise: bool) -> str:
    """Recognise the unit of a table by what its rows sum to.

    Fractions sum to 1 and percentages to 100; areas to that of the division, or to less where a
    class is missing. Where not all rows do, most must. Rows without gaps count, if there are any.
    """
    seen = sums
    if sums.complete.any():
        keep = sums.complete
        seen = Sums(sums.total[keep], sums.rounding[keep], sums.areas[keep], keep[keep])
    fitting = [unit for unit in UNITS if seen.fits(unit, renormalise).all()]
    if fitting:
        return _one(fitting, seen, where)
    by_row = np.stack([seen.fits(unit, renormalise) for unit in UNITS])
    if by_row.any(axis=0).all():
        found = [unit for unit, rows in zip(UNITS, by_row, strict=True) if rows.any()]
        raise BuildError(
            f"{where}: rows are in different units: some sum to what {found[0]!r} would, others "
            f"to what {found[1]!r} would; write all in one unit"
        )
    mostly = [unit for unit, rows in zip(UNITS, by_row, strict=True) if rows.mean() > 0.5]
    near = [unit for unit in UNITS if (np.abs(seen.parts(unit) - 1) <= 0.5).all()]
    partly = [unit for unit in _LEAST_PART if _is_part(seen, unit)]
    return _one(mostly or list(dict.fromkeys(near + partly)), seen, where)


def _is_part(sums: Sums, unit: str) -> bool:
    """Whether numbers in a unit would fill a good part of the divisions."""
    parts = sums.parts(unit)
    within = parts <= 1 + sums.tolerance(unit, False)
    return bool(within.all() and np.median(parts) >= _LEAST_PART[unit])


def _one(fitting: list[str], sums: Sums, where: str) -> str:
    """The only unit, or the first of those that give the same shares."""
    parts = [sums.parts(unit) for unit in fitting]
    if parts and all(np.allclose(part, parts[0], rtol=2 * FILLED) for part in parts):
        return fitting[0]
    spans = f"rows sum to {_span(sums.total)}, the divisions have {_span(sums.areas / 1e4)} ha"
    if fitting:
        raise BuildError(
            f"{where} may be in {' or '.join(fitting)}: {spans}; say it with --unit, and "
            f"take sums up to {RENORMALISED:.0%} off with --renormalise"
        )
    raise BuildError(
        f"{where} holds neither fractions nor percentages nor areas that can be told apart: "
        f"{spans}; check the columns, name those of classes with --column, or say the unit with "
        "--unit"
    )


def check_unit(unit: str, sums: Sums, where: str) -> None:
    """Refuse a unit that a heading names where the sums can only be another's."""
    others = [other for other in UNITS if other != unit and sums.fits(other, False).all()]
    if sums.fits(unit, False).all() or not others:
        return
    raise BuildError(
        f"{where}: the heading says {unit!r}, but the rows sum to {_span(sums.total)}, as "
        f"{examples(others)} would; correct it, or say the unit with --unit"
    )


def _span(numbers: NDArray[np.float64]) -> str:
    low, high = float(numbers.min()), float(numbers.max())
    return f"{low:.6g}" if np.isclose(low, high) else f"{low:.6g} to {high:.6g}"
