"""What the numbers in a label raster mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llpbench.catalog import NO_LABEL, ClassGroup, LabelClass, LabelSet
from llpbench.catalog.label_sets import TAKEN_NAMES
from llpbench.errors import BuildError, examples
from llpbench.style import DISTINCT


@dataclass(frozen=True)
class Legend:
    """What the numbers in a label raster mean.

    Parameters
    ----------
    codes : tuple of tuple of int
        The numbers of each class; empty where the raster holds amounts.
    no_label : tuple of int
        Numbers that stand for no class.
    starts : tuple of float
        Where the raster holds amounts: the least amount of each class, ascending.
    cell_m : float
        Side of the cell that those amounts are counted in.
    """

    name: str
    label_set: LabelSet
    codes: tuple[tuple[int, ...], ...] = ()
    no_label: tuple[int, ...] = ()
    starts: tuple[float, ...] = ()
    cell_m: float = 0.0

    def classify(self, values: NDArray[Any]) -> NDArray[np.uint8]:
        """Replace the numbers of a raster by classes, 255 for no label.

        Examples
        --------
        >>> from llpbench.data.building.legends import find_legend
        >>> find_legend("esa-worldcover").classify(np.array([10, 95, 0]))
        array([ 1, 10,  0], dtype=uint8)
        """
        if self.starts:
            return self._divide(values)
        known, classes = self._table()
        place = np.minimum(np.searchsorted(known, values), len(known) - 1)
        strange = known[place] != values
        if strange.any():
            raise BuildError(
                f"the label raster holds {examples(np.unique(values[strange]).tolist())}, which "
                f"the legend {self.name!r} does not know; name another with --legend, or write "
                "those numbers as no_label into a legend file"
            )
        return classes[place]

    def fits(self, values: Iterable[float]) -> bool:
        """Whether all numbers are codes of this legend."""
        return set(values) <= {*self.no_label, *(code for codes in self.codes for code in codes)}

    def for_cells(self, side: float) -> Legend:
        """The same for a raster of cells of a side in metres: amounts grow with their area."""
        if not self.starts:
            return self
        factor = (side / self.cell_m) ** 2
        return replace(self, starts=tuple(s * factor for s in self.starts), cell_m=side)

    def grouped(self) -> Legend:
        """The same with the class groups in the place of the classes."""
        groups = self.label_set.groups
        if self.starts:
            raise BuildError(
                f"the legend {self.name!r} has amounts, which cannot be grouped: name the columns "
                "of all its classes"
            )
        codes = [[c for n in group.members for c in self.codes[n]] for group in groups]
        label_set = plain_label_set(
            f"{self.label_set.name}-groups",
            [group.name for group in groups],
            [group.colour for group in groups],
            like=self.label_set,
        )
        return replace(self, label_set=label_set, codes=tuple(map(tuple, codes)))

    def _divide(self, amounts: NDArray[Any]) -> NDArray[np.uint8]:
        known = np.isfinite(amounts) & ~np.isin(amounts, self.no_label)
        below = known & (amounts < self.starts[0])
        if below.any():
            least = "is negative" if self.starts[0] == 0 else f"is less than {self.starts[0]:g}"
            raise BuildError(
                f"the label raster holds {examples(np.unique(amounts[below]).tolist())}, but no "
                f"amount of the legend {self.name!r} {least}; if such a number stands for no data, "
                "say so in the file: `gdal_translate -a_nodata NUMBER labels.tif new.tif`"
            )
        number = np.searchsorted(self.starts, amounts, side="right") - 1
        return np.where(known, number, NO_LABEL).astype(np.uint8)

    def _table(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        pairs = [(code, number) for number, codes in enumerate(self.codes) for code in codes]
        pairs += [(code, NO_LABEL) for code in self.no_label]
        if not any(self.codes):
            raise BuildError(
                f"the legend {self.name!r} does not say which numbers its classes have in a label "
                "raster; give them codes"
            )
        known, classes = np.array(sorted(pairs)).T
        return known, classes.astype(np.uint8)


def check_names(label_set: LabelSet) -> None:
    """Refuse classes that no method could learn, or that could not be told apart or shown."""
    for kind, entries in (("class", label_set.classes), ("group", label_set.groups)):
        names = [entry.name for entry in entries]
        plain = Counter(name.strip().casefold() for name in names)
        twice = [name for name in names if plain[name.strip().casefold()] > 1]
        if twice:
            raise BuildError(f"two {kind} names are the same: {examples(twice)}; rename one")
        if taken := TAKEN_NAMES & {*names}:
            raise BuildError(
                f"a {kind} must not be called {examples(sorted(taken))}, as columns of maps and "
                "predictions are; rename it"
            )
    if not 2 <= len(label_set.groups) <= len(label_set.classes) <= NO_LABEL:
        raise BuildError(
            f"there must be 2 to {NO_LABEL} classes in at least 2 groups to tell apart, found "
            f"{len(label_set.classes)} in {len(label_set.groups)}, such as "
            f"{examples(entry.name for entry in label_set.classes)}; give the others as well"
        )


def plain_label_set(
    name: str,
    names: Sequence[str],
    colours: Sequence[str] = (),
    *,
    like: LabelSet | None = None,
) -> LabelSet:
    """Make a label set in which each class is a class group of its own.

    Colours are ``#rrggbb``; resolution, order, licence and attribution are those of ``like``.
    """
    colours = colours or [DISTINCT[n % len(DISTINCT)] for n in range(len(names))]
    pairs = list(zip(names, colours, strict=True))
    return LabelSet(
        name=name,
        title=like.title if like else name,
        classes=tuple(LabelClass(*pair) for pair in pairs),
        groups=tuple(
            ClassGroup(title, (n,), 1 / len(pairs), colour)
            for n, (title, colour) in enumerate(pairs)
        ),
        resolution_m=like.resolution_m if like else 10.0,
        ordered=bool(like and like.ordered),
        licence=like.licence if like else "",
        attribution=like.attribution if like else "",
    )
