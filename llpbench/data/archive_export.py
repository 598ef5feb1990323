"""Writing a dataset as a zip in the published layout, block by block."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from llpbench import catalog
from llpbench.catalog import NO_LABEL
from llpbench.data.geometry import GEOGRAPHIC, SQUARE_METRES_PER_KM2, equal_area
from llpbench.data.imagery import RGB_ONLY
from llpbench.data.store.layout import BLOCK
from llpbench.errors import ArchiveError
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr

_PROTOCOL = 4
_LEVEL = 3
"""Of DEFLATE: chips become a twentieth larger than at the usual 6, in a third of the time."""
_PIXEL_COLUMNS = [
    "chip",
    "image",
    "label",
    "bounds",
    "chip_proportions",
    "target",
    "own_division",
]
"""What the pickle of a chip is made of, in the order :func:`_chip` takes it."""


def write_archive(
    dataset: xr.Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    progress: bool = False,
) -> Path:
    """Write a dataset as a zip in the published layout.

    The zip holds file entries only, in one folder
    ``{region}_sentinel2-rgb-median-2020_{labels}``. Its bytes depend on nothing but the dataset,
    and :func:`llpbench.import_archive` makes the same dataset of it again: the same pixels,
    splits and divisions, and targets that differ by rounding alone.

    Parameters
    ----------
    dataset : Dataset, str or path
        An opened dataset, a name from :func:`llpbench.list_datasets` or the path of a store.
    path : path
        Where the zip will stand; nothing may stand there yet.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    Path
        The zip.

    Raises
    ------
    ArchiveError
        If something stands at ``path``, the zip cannot be written, or the dataset cannot be
        expressed in the published layout: grouped, without labels, or with chips that are
        labelled in part, or of other bands than red, green and blue. Nothing is left at ``path``.
    UnknownNameError, StoreError
        If there is no such dataset.

    Examples
    --------
    >>> write_archive("demo-pop", "demo_humanpop2015.zip")
    Traceback (most recent call last):
        ...
    llpbench.errors.UnknownNameError: there is no dataset 'demo-pop'; did you mean ...
    """
    path = Path(path)
    if path.exists():
        raise ArchiveError(f"{str(path)!r} exists already; remove it or choose another name")
    ds = _opened(dataset)
    region, labels = _names(ds)
    folder = f"{region}_sentinel2-rgb-median-2020_{labels}"
    try:
        with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
            _add(archive, f"{folder}/README.txt", [_readme(ds)])
            _add(archive, f"{folder}/splits.csv", _split_rows(ds))
            table = f"{folder}/{region}_partitions"
            _add(archive, f"{table}_aschips.geojson", _collection(_chip_features(ds, labels)))
            _add(archive, f"{table}_communes.geojson", _collection(_divisions(ds, labels)))
            for chip, content in _pickles(ds, progress):
                archive.writestr(_info(f"{folder}/data/{chip}.pkl"), content, compresslevel=_LEVEL)
    except OSError as error:
        raise ArchiveError(
            f"the archive {str(path)!r} could not be written ({error.strerror or error})"
        ) from error
    return path


def _opened(dataset: xr.Dataset | str | os.PathLike[str]) -> xr.Dataset:
    from llpbench.data.dataset import open_dataset

    ds = open_dataset(dataset) if isinstance(dataset, str | os.PathLike) else dataset
    if ds.llp.is_grouped or "label" not in ds or "chip_proportions" not in ds:
        raise ArchiveError(
            "an archive holds label classes and labels: export the dataset as it was opened, "
            "before .llp.group() or .llp.restrict()"
        )
    if dict(ds.llp.info.images) != dict(RGB_ONLY):
        held = "; ".join(f"{array} of {imagery}" for array, imagery in ds.llp.info.images.items())
        raise ArchiveError(
            f"the published layout holds red, green and blue alone, {ds.llp.info.name} has "
            f"{held}: copy the folder of the store instead"
        )
    return ds


def _names(ds: xr.Dataset) -> tuple[str, str]:
    """What file names call the region and its labels."""
    label_set, name = ds.llp.label_set, ds.llp.info.name
    entry = catalog.load().datasets.get(name)
    return entry.region if entry else name, (*label_set.archive_names, label_set.name)[0]


def _info(name: str) -> zipfile.ZipInfo:
    """A member dated 1980, so that the bytes of a zip do not depend on when it was made."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    info.external_attr = 0o644 << 16
    return info


def _add(archive: zipfile.ZipFile, name: str, parts: Iterable[str]) -> None:
    with archive.open(_info(name), "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as file:
        file.writelines(parts)


def _readme(ds: xr.Dataset) -> str:
    facts = {
        "DOI": ds.llp.info.doi,
        "Licence of the labels": ds.llp.info.licence,
        "Digest of the dataset": ds.llp.info.digest,
    }
    lines = [ds.llp.info.title, f"{ds.sizes['chip']} chips, {ds.sizes['division']} communes", ""]
    lines += [ds.llp.info.attribution, *(f"{key}: {fact}" for key, fact in facts.items() if fact)]
    return "\n".join([*lines, "Written by llpbench.", ""])


def _split_rows(ds: xr.Dataset) -> Iterator[str]:
    yield "identifier,split,split_communes\n"
    columns = (ds[name].to_numpy() for name in ("chip", "split_chip", "split"))
    yield from (f"{','.join(row)}\n" for row in zip(*columns, strict=True))


def _collection(features: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A GeoJSON text, feature by feature."""
    yield '{"type": "FeatureCollection", "features": ['
    for number, feature in enumerate(features):
        yield ", " * (number > 0) + json.dumps({"type": "Feature", **feature})
    yield "]}\n"


def _chip_features(ds: xr.Dataset, labels: str) -> Iterator[dict[str, Any]]:
    import geopandas as gpd
    import shapely

    squares = gpd.GeoSeries(shapely.box(*ds["bounds"].to_numpy().T), crs=GEOGRAPHIC)
    area = squares.to_crs(equal_area(squares)).area / SQUARE_METRES_PER_KM2
    own, target = ds["chip_proportions"].to_numpy(), ds["target"].to_numpy()
    chip, division, by_chip, by_division = (
        ds[name].to_numpy().tolist() for name in ("chip", "own_division", "split_chip", "split")
    )
    for number, square in enumerate(squares):
        properties = {
            "identifier": chip[number],
            "area_km2": area[number],
            f"{labels}_proportions": _shares(own[number]),
            f"{labels}_proportions_at_communes": _shares(target[number]),
            "foreignid_communes": division[number] or -1,
            "split": by_chip[number],
            "split_communes": by_division[number],
        }
        yield {"properties": properties, "geometry": shapely.geometry.mapping(square)}


def _divisions(ds: xr.Dataset, labels: str) -> Iterator[dict[str, Any]]:
    import shapely

    rows = ds.llp.divisions().itertuples()
    for row, shares in zip(rows, ds["division_proportions"].to_numpy(), strict=True):
        properties = {
            "identifier": row.Index,
            "name": row.name,
            "area_km2": row.area_km2,
            f"{labels}_proportions": _shares(shares),
        }
        yield {"properties": properties, "geometry": shapely.geometry.mapping(row.geometry)}


def _shares(row: NDArray[np.float32]) -> dict[str, float]:
    """Shares by class without those of 0, in as few digits as give the same float32 again."""
    return {str(number): float(str(row[number])) for number in np.flatnonzero(row > 0)}


def _pickles(ds: xr.Dataset, progress: bool) -> Iterator[tuple[str, bytes]]:
    from tqdm import tqdm

    chips = ds.sizes["chip"]
    with tqdm(
        total=chips, unit="chip", desc="exporting", disable=None if progress else True
    ) as bar:
        for start in range(0, chips, BLOCK):
            block = ds[_PIXEL_COLUMNS].isel(chip=slice(start, start + BLOCK)).load()
            columns = (block[name].to_numpy() for name in _PIXEL_COLUMNS)
            for row in zip(*columns, strict=True):
                content = _chip(*row)
                yield content["chip_id"], pickle.dumps(content, protocol=_PROTOCOL)
                bar.update()


def _chip(
    chip: str,
    image: NDArray[np.uint8],
    label: NDArray[np.uint8],
    bounds: NDArray[np.float64],
    proportions: NDArray[np.float32],
    target: NDArray[np.float32],
    division: str,
) -> dict[str, Any]:
    west, south, east, north = bounds
    content = {
        "chip": image.astype(np.int16),
        "chip_id": str(chip),
        "center_latlon": np.array([(south + north) / 2, (west + east) / 2]),
        "corners": {"nw": np.array([north, west]), "se": np.array([south, east])},
        "label": label.astype(np.int16),
        "label_proportions": {
            "partitions_aschip": _shares(proportions),
            "partitions_communes": _shares(target),
            "foreignid_communes": str(division) or -1,
        },
    }
    unlabelled = label == NO_LABEL
    if unlabelled.all():
        del content["label"]
    elif unlabelled.any():
        raise ArchiveError(
            f"chip {str(chip)!r} is labelled in part, which an archive cannot express: it holds "
            "a whole label or none"
        )
    return content
