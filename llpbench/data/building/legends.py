"""Legends by name: the published ones, which are data, and those in files."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from llpbench import catalog
from llpbench.catalog import NO_LABEL
from llpbench.data.building.legend import Legend
from llpbench.data.building.legend_files import parse_legend, read_legend
from llpbench.errors import BuildError, UnknownNameError, examples, unknown

AUTO = "auto"
"""The name that asks for :func:`recognise`."""

FIRST = "esa-worldcover"
LAST = frozenset({"humanpop", "treecover", "soilph", "eucrops"})
"""The legend that is preferred, and class numbers that are put last, where several would fit."""


def find_legend(name: str) -> Legend:
    """Look a legend up by its name, or read a legend file.

    Parameters
    ----------
    name : str
        A published legend (such as ``"corine"``); a label set of the catalog (such as
        ``"esaworldcover"``), whose raster holds the class numbers themselves; or the path of a
        TOML file.

    Examples
    --------
    >>> [group.name for group in find_legend("dynamic-world").label_set.groups]
    ['other', 'tree', 'shrub-grass-bare', 'cropland', 'built-up']
    """
    known = published()
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix.lower() == ".toml" and path.is_file():
        return read_legend(path)
    raise UnknownNameError(unknown("legend", name, known) + "; or give the path of a .toml file")


def recognise(values: Iterable[float]) -> Legend:
    """Recognise the legend of a raster by numbers that occur in it.

    ESA WorldCover's if its codes fit, else the only one whose codes do; the numbers of population
    classes, which are nearly all there are, only if nothing else fits.

    Examples
    --------
    >>> recognise([10, 40, 50]).name, recognise([111, 311]).name
    ('esa-worldcover', 'corine')
    """
    numbers = sorted(set(values))
    fitting = [name for name, legend in published().items() if legend.fits(numbers)]
    if FIRST in fitting:
        return published()[FIRST]
    fitting = [name for name in fitting if name not in LAST] or fitting
    if len(fitting) == 1:
        return published()[fitting[0]]
    held = f"the label raster holds {examples(numbers, 6)}"
    if fitting:
        *some, last = sorted(fitting)
        raise BuildError(
            f"{held}, which may be {', '.join(some)} or {last}: say which with --legend"
        )
    raise BuildError(
        f"{held}, which is no legend known here: name one with --legend, or describe it in a file"
    )


@cache
def published() -> Mapping[str, Legend]:
    """All legends that are known by name: of published rasters, then of class numbers."""
    text = resources.files("llpbench.data.building").joinpath("legends.toml").read_text("utf-8")
    known = {name: parse_legend(name, content) for name, content in tomllib.loads(text).items()}
    for name, label_set in catalog.load().label_sets.items():
        numbers = tuple((number,) for number in range(len(label_set.classes)))
        known[name] = Legend(name, label_set, numbers, no_label=(NO_LABEL,))
    return known
