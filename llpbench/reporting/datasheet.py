"""The card of a dataset: what it holds, where from, what is known to be wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llpbench import catalog
from llpbench.catalog import DatasetEntry, LabelSet
from llpbench.catalog.responsible import Responsible, responsible
from llpbench.data.imagery import IMAGE, RGB, RGB_ONLY, Imagery
from llpbench.errors import printable
from llpbench.markdown import escape_markdown, markdown_table
from llpbench.protocol import CHIP_SIZE, SPLITS
from llpbench.reporting.arrays import array_lines, band_rows
from llpbench.reporting.facts import class_rows, split_rows
from llpbench.reporting.map_errors import describe_map_errors
from llpbench.reporting.responsible import NOT_SAID, responsible_of

if TYPE_CHECKING:
    import xarray as xr

DEGREE_M = 111_195.0
"""Metres of a degree of latitude, on a sphere of the Earth's mean radius."""


def describe_dataset(
    ds: xr.Dataset, crossvalidations: Sequence[Path] = (), said: Responsible | None = None
) -> str:
    """Write the datasheet of a dataset that is here, in Markdown.

    Parameters
    ----------
    ds : Dataset
        All of it.
    crossvalidations : sequence of Path
        Folders of cross-validations on it, which tell how good maps made from its shares are.
    said : Responsible or None
        What its maker says that its users must know, see
        :func:`llpbench.catalog.responsible.read_responsible`.

    Returns
    -------
    str
        Its sizes, splits and classes as they are, its sources, known label noise, how hard it
        is, what it is for and what it is not, its limits, what is in it of people, and whose it is:
        in the words of its Croissant.
    """
    labels, synthetic = ds.llp.label_set, ds.llp.info.synthetic
    known = responsible_of(ds.llp.info, said)
    sections = [
        f"# {_plain(ds.llp.info.title)}\n",
        _opening(
            labels, ds.sizes["chip"], ds.sizes["division"], pixel_metres(ds), ds.llp.info.images
        ),
        *_arrays(ds.llp.info.images),
        _provenance(ds.llp.info.doi and _plain(ds.llp.info.doi), known, synthetic=synthetic),
        f"## Splits\n\n{_splits(ds)}",
        f"## Classes\n\n{_classes(labels)}\n{_shares(ds)}",
        _noise(known, synthetic=synthetic),
    ]
    if not ds["chip_proportions"].isnull().all():
        rows = [[what, value] for what, value in ds.llp.hardness().lines()]
        sections.append(f"## How hard it is\n\n{markdown_table(['', ''], rows)}")
    if crossvalidations:
        sections.append(describe_map_errors(crossvalidations, ds.llp.info))
    sections += [*_must_know(known), _rights(ds.llp.info.licence, ds.llp.info.attribution)]
    sections.append(f"Contents: `{ds.llp.info.digest}`\n")
    return "\n".join(sections)


def describe_entry(entry: DatasetEntry) -> str:
    """Write the datasheet of a dataset of the catalog without looking into it, in Markdown.

    As :func:`describe_dataset`, with the counts that were published and no measured shares.
    """
    rows = [
        [{"split": "by division (scored)", "split_chip": "by chip"}[column]]
        + [f"{counts[name]:,}" for name in SPLITS]
        for column, counts in entry.splits.items()
    ]
    known = responsible("synthetic" if entry.synthetic else "published", entry.label_set.name)
    sections = [
        f"# {_plain(entry.title)}\n",
        _opening(entry.label_set, entry.chips, None),
        _provenance(entry.doi, known, synthetic=entry.synthetic is not None),
        f"## Splits\n\nChips, as published.\n\n{markdown_table(['assignment', *SPLITS], rows)}",
        f"## Classes\n\n{_classes(entry.label_set)}",
        _noise(known, synthetic=entry.synthetic is not None),
        *_must_know(known),
        _rights(entry.licence, entry.attribution),
    ]
    return "\n".join(sections)


def pixel_metres(ds: xr.Dataset) -> float:
    """Side of a pixel in metres, with two digits, from the median height of chips in degrees."""
    _west, south, _east, north = ds["bounds"].to_numpy().T
    return float(f"{np.median(north - south) * DEGREE_M / CHIP_SIZE:.2g}")


def _opening(
    labels: LabelSet,
    chips: int,
    divisions: int | None,
    pixel: float = 10,
    images: Mapping[str, Imagery] = RGB_ONLY,
) -> str:
    colours = ", red, green and blue" if images.get(IMAGE) == RGB else ""
    among = "" if divisions is None else f" in {divisions:,} administrative divisions"
    return (
        f"{chips:,} chips of {CHIP_SIZE * pixel / 1000:g} km ({CHIP_SIZE} x {CHIP_SIZE} pixels of "
        f"{pixel:g} m{colours}){among}, labelled with {_plain(labels.title)} at "
        f"{labels.resolution_m:g} m: "
        f"{len(labels.classes)} label classes, which make {len(labels.groups)} class groups. "
        "Shares of the label classes are known for every division, labels are there for scoring "
        "and as upper bounds.\n"
    )


def _arrays(images: Mapping[str, Imagery]) -> list[str]:
    """A section on bands and embeddings; none where there are red, green and blue alone."""
    if images == RGB_ONLY:
        return []
    text, rows = _list(map(_plain, array_lines(images))), band_rows(images)
    if rows:
        cells = [
            ["" if cell is None else _plain(str(cell)) for cell in row.values()] for row in rows
        ]
        text += "\n" + markdown_table([*rows[0]], cells)
    return [f"## Bands\n\n{text}"]


def _provenance(doi: str | None, known: Responsible, *, synthetic: bool) -> str:
    if synthetic:
        text = (
            "Made by a program from random fields; it shows no real place, and results on it say "
            "nothing about any."
        )
    elif doi:
        text = (
            f"Published as [doi:{doi}](https://doi.org/{doi}) by Ramos-Pollán and González "
            "([arXiv:2306.12461](https://arxiv.org/abs/2306.12461)). Images are medians of "
            "cloudless Sentinel-2 images of 2020, bands B4, B3 and B2, stretched from "
            "reflectances of 0 to 0.3 to 0 to 255."
        )
    else:
        text = (
            "Imported or built on this machine; ask who made it where images and labels are from."
        )
    sources = [
        f"{_plain(one.name)}, <{one.url}>" if one.url else _plain(one.name) for one in known.sources
    ]
    made = f"\nMade of:\n\n{_list(sources)}" if sources else ""
    done = f"\nHow:\n\n{_list(map(_sentence, known.activities))}"
    return f"## Where it comes from\n\n{text}\n{made}{done}"


def _splits(ds: xr.Dataset) -> str:
    names = ("split", "chips", "divisions", "chips without label")
    rows = [[row[name] for name in names] for row in split_rows(ds)]
    return (
        "Whole divisions belong to one split. A chip on a border may overlap divisions of another "
        "split; their shares never enter its target.\n\n"
        + markdown_table(names, [[name, *map("{:,}".format, counts)] for name, *counts in rows])
    )


def _classes(labels: LabelSet) -> str:
    rows = (
        [_plain(group.name), _plain(", ".join(labels.classes[n].name for n in group.members))]
        for group in labels.groups
    )
    return markdown_table(["class group", "made of"], rows)


def _shares(ds: xr.Dataset) -> str:
    rows = [
        [_plain(name), *("" if share is None else f"{share:.3f}" for share in shares)]
        for name, *shares in (row.values() for row in class_rows(ds))
    ]
    return "Mean shares in the chips:\n\n" + markdown_table(["class group", *SPLITS], rows)


def _noise(known: Responsible, *, synthetic: bool) -> str:
    if synthetic:
        return f"## Known label noise\n\n{_list(map(_sentence, known.biases))}"
    if not known.biases:
        return "## Known label noise\n\nNothing is known of the noise in these labels.\n"
    return (
        "## Known label noise\n\nLabels are maps made by others, not observations of the ground. "
        "Scores measure agreement with them, and shares of divisions have the same errors.\n\n"
        + _list(map(_sentence, known.biases))
    )


def _must_know(known: Responsible) -> list[str]:
    """Sections in the words of Croissant's metadata."""
    sections = {
        "What it is for": known.uses,
        "Its limits": known.limitations,
        "Personal and sensitive information": known.sensitive_information,
        "Social impact": known.social_impact,
    }
    return [
        f"## {title}\n\n{_list(map(_sentence, sentences or [NOT_SAID]))}"
        for title, sentences in sections.items()
    ]


def _rights(licence: str, attribution: str) -> str:
    return (
        "## Licence and attribution\n\n"
        + _list([f"Licence of the labels: {_plain(licence)}.", _plain(attribution)])
        + f"\nCite: {catalog.load().paper}\n"
    )


def _plain(text: str) -> str:
    """Text of whoever made the dataset, which Markdown and HTML show as it is."""
    return escape_markdown(printable(text)).replace("https\\:", "https:")


def _sentence(text: str) -> str:
    """A sentence of anybody; its colons link to nothing and stay as people wrote them."""
    return _plain(text).replace("\\: ", ": ").replace("doi\\:", "doi:")


def _list(sentences: Iterable[str]) -> str:
    return "".join(f"- {sentence}\n" for sentence in sentences)
