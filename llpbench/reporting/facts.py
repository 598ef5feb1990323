"""What a dataset holds, in numbers: for ``llpbench info`` and for datasheets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.protocol import SPLITS
from llpbench.reporting.arrays import describe_arrays

if TYPE_CHECKING:
    import xarray as xr


def describe_facts(ds: xr.Dataset) -> dict[str, Any]:
    """Describe a dataset, all splits, in plain values: fields of ``ds.llp.info``, sizes and tables.

    ``splits`` are those of :func:`split_rows`, ``classes`` those of :func:`class_rows`.
    """
    info = ds.llp.info
    return {
        **{name: getattr(info, name) for name in ("name", "title", "licence", "attribution")},
        "doi": info.doi or "",
        "images": "" if info.recipe is None else str(info.recipe),
        "arrays": describe_arrays(info.images),
        "digest": info.digest,
        "synthetic": info.synthetic,
        "chips": ds.sizes["chip"],
        "divisions": ds.sizes["division"],
        "label_classes": [label_class.name for label_class in info.label_set.classes],
        "splits": split_rows(ds),
        "classes": class_rows(ds),
        "store": str(info.store),
    }


def split_rows(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Count chips and divisions of each split, and chips with something missing.

    ``chips across splits`` overlap a division of another split as well.
    """
    rows = []
    for name in SPLITS:
        part = ds.llp.split(name)
        here = ds["overlap_chip"].isin(part["chip_number"])
        away = here & ~ds["overlap_division"].isin(part["division_number"])
        rows.append(
            {
                "split": name,
                "chips": part.sizes["chip"],
                "divisions": part.sizes["division"],
                "chips across splits": len(np.unique(ds["overlap_chip"][away])),
                "chips without target": _incomplete(part["target"]),
                "chips without label": _incomplete(part["chip_proportions"]),
            }
        )
    return rows


def class_rows(ds: xr.Dataset) -> list[dict[str, Any]]:
    """Average the shares of each class group over the chips of each split that have labels."""
    by_chip, split = ds.llp.group()["chip_proportions"].astype(float), ds["split"]
    shares = {
        name: by_chip[(split == name).to_numpy()].mean("chip").to_numpy().tolist()
        for name in SPLITS
    }
    return [
        {"class group": group.name}
        | {name: None if np.isnan(means[n]) else means[n] for name, means in shares.items()}
        for n, group in enumerate(ds.llp.label_set.groups)
    ]


def _incomplete(shares: xr.DataArray) -> int:
    return int(shares.isnull().any("category").sum())
