"""The benchmark's definition, read from ``catalog.toml``: datasets, label classes, class groups.

Nothing here touches the network or the disk beyond that one file, and nothing else in the
package knows a record number or a class name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

from pydantic import TypeAdapter

from llpbench.brief import Brief
from llpbench.catalog.label_sets import LabelSet
from llpbench.catalog.record_file import RecordFile
from llpbench.errors import UnknownNameError, unknown

SYNTHETIC_LICENCE = "CC0-1.0"
"""Of everything that was made by a program: nobody has rights in it."""


@dataclass(frozen=True)
class SyntheticRecipe:
    """How many chips an embedded dataset has, and the seed of every random field."""

    chips: int
    seed: int


@dataclass(frozen=True, repr=False)
class DatasetEntry(Brief):
    """A dataset of the benchmark.

    Parameters
    ----------
    name, title, region : str
        The catalog name, a readable one, and where it lies.
    label_set : LabelSet
        Its classes and class groups.
    chips : int
        Published number of chips.
    record : int or None
        Zenodo record of its archive.
    archive : RecordFile or None
        Name, size and md5 of that, once a maintainer has pinned them (``llpbench pin-records``).
    splits : mapping
        Published chip counts by split column (``split``: by division, ``split_chip``: by chip)
        and split name, as far as they are known.
    synthetic : SyntheticRecipe or None
        How it is made, where it is not published but generated.
    attribution : str
        Text that must accompany any use of it.
    """

    name: str
    title: str
    region: str
    label_set: LabelSet
    chips: int
    record: int | None = None
    archive: RecordFile | None = None
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    synthetic: SyntheticRecipe | None = None
    attribution: str = ""

    @property
    def doi(self) -> str | None:
        """DOI of the published record, None for a synthetic dataset."""
        return None if self.record is None else f"10.5281/zenodo.{self.record}"

    @property
    def licence(self) -> str:
        """SPDX identifier of the labels' licence."""
        return self.label_set.licence if self.synthetic is None else SYNTHETIC_LICENCE


@dataclass(frozen=True)
class Publication:
    """What datasets and methods were published with.

    Parameters
    ----------
    authors : tuple of str
        ``Family, Given``.
    title : str
        Without a full stop.
    year : int
        Of the first version.
    arxiv : str
        Its number there.
    """

    authors: tuple[str, ...]
    title: str
    year: int
    arxiv: str

    @property
    def url(self) -> str:
        """Where it is read."""
        return f"https://arxiv.org/abs/{self.arxiv}"

    def __str__(self) -> str:
        """The reference as people write it."""
        names = [" ".join(reversed(name.split(", "))) for name in self.authors]
        return f"{' and '.join(names)}: {self.title}. arXiv:{self.arxiv} ({self.year})."


@dataclass(frozen=True, repr=False)
class Catalog(Brief):
    """All datasets and label sets of one benchmark version.

    Parameters
    ----------
    paper : Publication
        That of the published datasets, and of the methods they came with.
    datasets, label_sets, attributions : mapping
        By name.
    label_noise : mapping
        What is known to be wrong with the labels of each label set, in sentences.
    """

    benchmark_version: int
    paper: Publication
    datasets: Mapping[str, DatasetEntry]
    label_sets: Mapping[str, LabelSet]
    attributions: Mapping[str, str]
    label_noise: Mapping[str, tuple[str, ...]]

    def record_file(self, record: int) -> RecordFile | None:
        """The archive that is pinned for a record, None where none is."""
        pinned = (entry.archive for entry in self.datasets.values() if entry.record == record)
        return next(pinned, None)


@cache
def load() -> Catalog:
    """Read the packaged catalog.

    Returns
    -------
    Catalog
        The same object at each call.

    Examples
    --------
    >>> load().datasets["benelux-esaworldcover"].doi
    '10.5281/zenodo.7935237'
    """
    file = resources.files("llpbench.catalog").joinpath("catalog.toml")
    return parse(file.read_text(encoding="utf-8"))


def parse(text: str) -> Catalog:
    """Read a catalog from a TOML text such as ``catalog.toml``."""
    raw = tomllib.loads(text)
    attributions = raw["attributions"]
    label_sets = {
        name: _label_set(name, values, attributions) for name, values in raw["label_sets"].items()
    }
    datasets = {
        name: _dataset(name, values, label_sets, attributions)
        for name, values in raw["datasets"].items()
    }
    return Catalog(
        benchmark_version=raw["benchmark_version"],
        paper=TypeAdapter(Publication).validate_python(raw["paper"]),
        datasets=datasets,
        label_sets=label_sets,
        attributions=attributions,
        label_noise={name: tuple(texts) for name, texts in raw["label_noise"].items()},
    )


def dataset(name: str) -> DatasetEntry:
    """Look a dataset up by its catalog name.

    Parameters
    ----------
    name : str
        Such as ``"benelux-humanpop"``.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such dataset.
    """
    datasets = load().datasets
    if name not in datasets:
        raise UnknownNameError(unknown("dataset", name, datasets))
    return datasets[name]


def recoloured(labels: LabelSet) -> LabelSet:
    """Take the colours of the catalog for one of its label sets, whenever that was written down.

    Datasets keep their label set as it was when they were made; those of the benchmark look alike
    in all pictures. A label set with other classes or groups stays as it is.
    """
    known = load().label_sets.get(labels.name)
    if known is None or _structure(known) != _structure(labels):
        return labels
    return replace(labels, classes=known.classes, groups=known.groups)


def _structure(labels: LabelSet) -> tuple[list[str], list[tuple[str, tuple[int, ...], float]]]:
    groups = [(group.name, group.members, group.weight) for group in labels.groups]
    return [one.name for one in labels.classes], groups


def label_set(name: str) -> LabelSet:
    """Look a label set up by its name, or by the name published files use.

    Parameters
    ----------
    name : str
        Such as ``"esaworldcover"`` or ``"esa-world-cover"``.

    Raises
    ------
    UnknownNameError
        If no label set has that name.

    Examples
    --------
    >>> [group.name for group in label_set("humanpop2015").groups]
    ['none', 'low', 'high']
    """
    label_sets = load().label_sets
    for candidate in label_sets.values():
        if name == candidate.name or name in candidate.archive_names:
            return candidate
    raise UnknownNameError(unknown("label set", name, label_sets))


def _label_set(name: str, raw: dict[str, Any], attributions: Mapping[str, str]) -> LabelSet:
    facts = {**raw, "name": name, "attribution": attributions[raw["attribution"]]}
    return TypeAdapter(LabelSet).validate_python(facts)


def _dataset(
    name: str,
    raw: dict[str, Any],
    label_sets: Mapping[str, LabelSet],
    attributions: Mapping[str, str],
) -> DatasetEntry:
    labels = label_sets[raw.pop("labels")]
    credit = [attributions["sentinel2"], labels.attribution]
    if "synthetic" in raw:
        credit = [attributions["synthetic"]]
    facts = {**raw, "name": name, "label_set": labels, "attribution": " ".join(credit)}
    return TypeAdapter(DatasetEntry).validate_python(facts)
