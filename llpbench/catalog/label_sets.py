"""Classes of labels, and the groups that a task makes of them."""

from __future__ import annotations

from dataclasses import dataclass

NO_LABEL = 255
"""The label of a pixel that has none."""


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


@dataclass(frozen=True)
class LabelSet:
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
        """Refuse groups that leave a label class out or use one twice."""
        members = sorted(number for group in self.groups for number in group.members)
        if members != list(range(len(self.classes))):
            raise ValueError(
                f"the class groups of {self.name!r} must hold each of its {len(self.classes)} "
                f"label classes exactly once, but they hold {members}"
            )
