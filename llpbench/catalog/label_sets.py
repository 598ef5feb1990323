"""Classes of labels, and the groups that a task makes of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from llpbench.brief import Brief
from llpbench.errors import LabelSetError, examples

NO_LABEL = 255
"""The label of a pixel that has none."""

LONGEST_NAME = 100

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_HARMLESS = dict.fromkeys(map(ord, "\n\u200c\u200d"))
"""Line breaks, and the joiners that some scripts write words with."""


@dataclass(frozen=True)
class LabelClass:
    """One class of a label raster; its number is its place in :attr:`LabelSet.classes`.

    Its colour is ``#rrggbb``.
    """

    name: str
    colour: str


@dataclass(frozen=True)
class ClassGroup:
    """A class of the task, made of label classes.

    Parameters
    ----------
    name : str
        The category name in predictions and scores.
    members : tuple of int
        Label classes.
    weight : float
        Weight of the group in the published losses.
    colour : str
        ``#rrggbb``.
    """

    name: str
    members: tuple[int, ...]
    weight: float
    colour: str


@dataclass(frozen=True, repr=False)
class LabelSet(Brief):
    """Label classes and the class groups a task makes of them.

    Parameters
    ----------
    name, title : str
        Short and readable name.
    classes : tuple of LabelClass
        In the order of their numbers, from 0.
    groups : tuple of ClassGroup
        In the order of the task's categories; every label class is in exactly one.
    resolution_m : float
        Size of a label cell in metres.
    ordered : bool
        Whether categories have an order, as densities do.
    archive_names : tuple of str
        What published file names call it.
    licence, attribution : str
        Of the labels.
    """

    name: str
    title: str
    classes: tuple[LabelClass, ...]
    groups: tuple[ClassGroup, ...]
    resolution_m: float
    ordered: bool = False
    archive_names: tuple[str, ...] = ()
    licence: str = ""
    attribution: str = ""

    def __post_init__(self) -> None:
        """Refuse classes that a label cannot hold, and groups that do not divide them."""
        if not 1 <= len(self.classes) <= NO_LABEL:
            raise LabelSetError(
                f"{self.name!r} has {len(self.classes)} label classes; expected are 1 to {NO_LABEL}"
            )
        members = sorted(number for group in self.groups for number in group.members)
        if members != list(range(len(self.classes))):
            raise LabelSetError(
                f"the class groups of {self.name!r} must hold each of its {len(self.classes)} "
                f"label classes exactly once, but they hold {members!r:.200}"
            )
        _check_names("label classes", [item.name for item in self.classes])
        groups = [group.name for group in self.groups]
        _check_names("class groups", groups)
        if taken := TAKEN_NAMES.intersection(groups):
            raise LabelSetError(
                f"a group must not be called {examples(sorted(taken))}, as columns of maps and "
                "predictions are; rename it"
            )
        for text in (self.name, self.title, self.licence, self.attribution, *self.archive_names):
            check_printable(text)
        coloured: list[LabelClass | ClassGroup] = [*self.classes, *self.groups]
        for item in coloured:
            if not _COLOUR.fullmatch(item.colour):
                raise LabelSetError(
                    f"the colour of {examples([item.name])} should be #rrggbb, it is "
                    f"{examples([item.colour])}"
                )
        for group in self.groups:
            _check_amount(f"the weight of {examples([group.name])}", group.weight)
        _check_amount("resolution_m", self.resolution_m)


TAKEN_NAMES = {
    *("chip", "division", "split", "name", "area_km2", "predicted_km2", "geometry"),
    *("polygon", "covered", "stratum", "weight", "labels"),
}
"""Columns beside those of class groups: of predictions, maps, class areas and samples."""


def check_printable(text: str) -> str:
    r"""Refuse text with characters that do not print; lines and joiners of letters may be in it.

    Examples
    --------
    >>> check_printable("Põltsamaa")
    'Põltsamaa'
    >>> check_printable("\x1b[31mred")
    Traceback (most recent call last):
        ...
    llpbench.errors.LabelSetError: '\x1b[31mred' holds characters that do not print
    """
    if not text.translate(_HARMLESS).isprintable():
        raise LabelSetError(f"{examples([text])} holds characters that do not print")
    return text


def _check_names(what: str, names: list[str]) -> None:
    """Refuse names that cannot be told apart or shown."""
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise LabelSetError(f"two {what} are called {examples(sorted(twice))}")
    for name in names:
        if not 0 < len(name.strip()) <= LONGEST_NAME or "\n" in name:
            raise LabelSetError(
                f"{what} have names of 1 to {LONGEST_NAME} characters in one line, found "
                f"{examples([name])}"
            )
        check_printable(name)


def _check_amount(what: str, amount: float) -> None:
    if not 0 < amount < math.inf:
        raise LabelSetError(f"{what} should be above 0, it is {amount}")
