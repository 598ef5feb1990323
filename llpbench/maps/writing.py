"""All files of a map."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.dataset import open_dataset
from llpbench.errors import BuildError
from llpbench.maps.cells import Cells, find_cells
from llpbench.maps.picture import draw_map
from llpbench.maps.rasters import write_classes, write_intervals, write_shares
from llpbench.maps.tables import chip_table, division_table
from llpbench.plots.writing import write_figure
from llpbench.predictions.files import read_predictions
from llpbench.predictions.part import check_part
from llpbench.style import category_colours
from llpbench.writing import replacing

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class MapFiles:
    """Where the parts of a map are.

    Parameters
    ----------
    shares, classes : Path
        GeoTIFFs: a band for each class, a pixel for each chip; and classes with a colour table, for
        each pixel where pixels were predicted.
    chips, divisions : Path
        GeoParquet.
    picture : Path
        PNG.
    intervals : Path or None
        GeoTIFF: a band for each bound of each class at each level, a pixel for each chip; a file of
        its own, so that the one of shares has a band a class. None without intervals.
    """

    shares: Path
    classes: Path
    chips: Path
    divisions: Path
    picture: Path
    intervals: Path | None = None

    @property
    def paths(self) -> dict[str, Path]:
        """Those that there are, by their name here."""
        return {name: path for name, path in vars(self).items() if path is not None}


def write_map(
    predictions: xr.Dataset | str | os.PathLike[str],
    dataset: xr.Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
) -> MapFiles:
    """Write predictions as a map.

    Parameters
    ----------
    predictions : Dataset or path
        Of any chips of the dataset.
    dataset : Dataset, str or path
        What :func:`llpbench.open_dataset` opens, or has opened.
    path : path
        Ends in ``.tif``: the GeoTIFF of shares. The other files are beside it, with names that
        begin alike; those that are there are replaced.

    Raises
    ------
    PredictionsError
        If the predictions are not about chips of this dataset.
    BuildError
        If the chips stand on no grid, or the file would not be a GeoTIFF.
    """
    import xarray as xr

    path = Path(path)
    if path.suffix.lower() not in (".tif", ".tiff"):
        raise BuildError(f"a map is written as GeoTIFF: {path.name!r} must end in .tif")
    ds = dataset if isinstance(dataset, xr.Dataset) else open_dataset(dataset)
    ds = ds.llp.group()
    if not isinstance(predictions, xr.Dataset):
        predictions = read_predictions(predictions, ds)
    predictions, part = check_part(predictions, ds)
    cells, colours, tags = find_cells(part), category_colours(part), _tags(predictions, part)
    endings = ("-classes.tif", "-chips.parquet", "-divisions.parquet", ".png")
    files = MapFiles(path, *(path.with_name(path.stem + ending) for ending in endings))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_shares(predictions, cells, files.shares, tags)
    write_classes(predictions, cells, files.classes, tags, colours)
    chips, divisions = (table(predictions, part, cells) for table in (chip_table, division_table))
    for table, file in ((chips, files.chips), (divisions, files.divisions)):
        with replacing(file) as part_file:
            table.to_parquet(part_file)
    figure = draw_map(files.classes, files.shares, divisions, colours, _title(predictions, part))
    write_figure(figure, files.picture)
    return replace(files, intervals=_write_intervals(predictions, cells, path, tags))


def _write_intervals(
    predictions: xr.Dataset, cells: Cells, shares: Path, tags: dict[str, str]
) -> Path | None:
    """Write the GeoTIFF of intervals beside that of shares, or leave none there."""
    path = shares.with_name(f"{shares.stem}-intervals.tif")
    if "low" not in predictions:
        path.unlink(missing_ok=True)  # those of an earlier map of this name
        return None
    write_intervals(predictions, cells, path, tags)
    return path


def _tags(predictions: xr.Dataset, ds: xr.Dataset) -> dict[str, str]:
    tags = {
        "dataset": ds.llp.info.name,
        "synthetic": str(ds.llp.info.synthetic).lower(),
        **{name: str(predictions.attrs.get(name, "")) for name in ("method", "warning", "match")},
        "licence": ds.llp.info.licence,
        "TIFFTAG_COPYRIGHT": ds.llp.info.attribution,
        "TIFFTAG_SOFTWARE": "llpbench",
    }
    return {key: text for key, text in tags.items() if text}


def _title(predictions: xr.Dataset, ds: xr.Dataset) -> str:
    method = predictions.attrs.get("method", "predictions")
    return f"{method} on {ds.llp.info.shown_name}, {ds.sizes['chip']} chips"
