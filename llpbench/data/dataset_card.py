"""What is shown of ``ds.llp``: what the dataset is, and what can be called next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from llpbench.data.imagery import RGB, SIDES
from llpbench.data.info import DatasetInfo
from llpbench.errors import printable
from llpbench.notebook import Html, card, escape_html, swatch, table
from llpbench.protocol import SPLITS

if TYPE_CHECKING:
    import xarray as xr

_NEXT = {
    'split("train")': "the chips of a split and their divisions",
    "group()": "label classes made into class groups, which are predicted",
    "divisions()": "outlines, names and known shares",
    "truth()": "shares counted on labels",
    "plot_chip(ID)": "a picture of a chip",
    "hardness()": "how hard the dataset is",
}


def dataset_line(ds: xr.Dataset) -> str:
    """Write how large a dataset is and what it has but RGB: the text of ``repr(ds.llp)``."""
    sizes = (f"{ds.sizes.get(name, 0)} {name}s" for name in ("chip", "division"))
    images = {} if "label_set" not in ds.attrs else ds.llp.info.images
    held = [f"; {array}: {images[array]}" for array in images if images[array] != RGB]
    name = ds.attrs.get("name") or "a dataset"
    return printable(f"<ds.llp of {name}: {', '.join(sizes)}{''.join(held)}>")


def dataset_card(ds: xr.Dataset) -> str:
    """Write the card of a dataset as HTML; one line where it has no classes."""
    if "label_set" not in ds.attrs:
        return card(dataset_line(ds))
    info = ds.llp.info
    calls = table([], [[Html(f"<code>ds.llp.{call}</code>"), what] for call, what in _NEXT.items()])
    shown = [row for row in _rows(ds, info) if row[1]]
    return card(info.title, table([], shown), "What can be called next:", calls)


def _rows(ds: xr.Dataset, info: DatasetInfo) -> Iterator[tuple[str, str]]:
    yield "name", info.shown_name
    yield "chips", f"{ds.sizes['chip']:,}{_count_splits(ds)}"
    yield "divisions", f"{ds.sizes['division']:,}"
    groups = info.label_set.groups
    names = (f"{swatch(group.colour)} {escape_html(group.name)}" for group in groups)
    yield "class groups", Html(", ".join(names))
    for array in SIDES:
        if array in ds and array in info.images:
            yield array, f"{info.images[array]} ({ds[array].dtype})"
    yield "labels", "of pixels" if "label" in ds else "none here"
    yield "source", f"doi:{info.doi}" if info.doi else ""
    yield "licence", info.licence
    yield "attribution", info.attribution
    yield "digest", info.digest


def _count_splits(ds: xr.Dataset) -> str:
    if "split" not in ds:
        return ""
    split = ds["split"].to_numpy()
    counts = {name: int(np.count_nonzero(split == name)) for name in SPLITS}
    said = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    return f" ({said})" if said else ""
