"""All files of a map."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from llpbench.data.dataset import open_dataset
from llpbench.errors import BuildError
from llpbench.maps.cells import find_cells
from llpbench.maps.picture import draw_map
from llpbench.maps.rasters import write_classes, write_intervals, write_shares
from llpbench.maps.tables import chip_table, division_table
from llpbench.maps.tiles import MOST_IN_FILE, Writer, write_tiles
from llpbench.plots.writing import write_figure
from llpbench.predictions.files import read_predictions
from llpbench.predictions.part import check_part
from llpbench.style import category_colours
from llpbench.writing import replacing

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr


@dataclass(frozen=True)
class MapFiles:
    """Where the parts of a map are.

    Parameters
    ----------
    shares, classes : Path
        GeoTIFFs: a band for each class, a pixel for each chip; and classes with a colour table, for
        each pixel where pixels were predicted. VRTs of such tiles, where the map is large.
    chips, divisions : Path
        GeoParquet; where the map is large, ``chips`` is the folder of the tiles, which holds such a
        table, the GeoTIFFs and a STAC item of each.
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
        begin alike; those that are there are replaced. Of more chips than
        :data:`~llpbench.maps.tiles.MOST_IN_FILE` a map is written in tiles.

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
    files = _files(path, is_large=part.sizes["chip"] > MOST_IN_FILE, levels="low" in predictions)
    path.parent.mkdir(parents=True, exist_ok=True)
    writers: dict[Path, Writer] = {
        files.shares: partial(write_shares, tags=tags),
        files.classes: partial(write_classes, tags=tags, colours=colours),
    }
    if files.intervals is not None:
        writers[files.intervals] = partial(write_intervals, tags=tags)
    if files.chips.suffix:
        for file, write in writers.items():
            write(predictions, cells, file)
        _write_table(chip_table(predictions, part, cells), files.chips)
    else:
        write_tiles(predictions, part, cells, files.chips, writers)
    divisions = division_table(predictions, part, cells)
    _write_table(divisions, files.divisions)
    figure = draw_map(files.classes, files.shares, divisions, colours, _title(predictions, part))
    write_figure(figure, files.picture)
    return files


def _files(path: Path, *, is_large: bool, levels: bool) -> MapFiles:
    """Where the files of a map go; what an earlier map of this name has and this has not goes."""
    raster, chips = (".vrt", "-tiles") if is_large else (".tif", "-chips.parquet")

    def beside(ending: str) -> Path:
        return path.with_name(path.stem + ending)

    intervals = beside(f"-intervals{raster}")
    if not levels:
        intervals.unlink(missing_ok=True)
    return MapFiles(
        shares=beside(f"-shares{raster}") if is_large else path,
        classes=beside(f"-classes{raster}"),
        chips=beside(chips),
        divisions=beside("-divisions.parquet"),
        picture=beside(".png"),
        intervals=intervals if levels else None,
    )


def _write_table(table: gpd.GeoDataFrame, file: Path) -> None:
    with replacing(file) as part:
        table.to_parquet(part)


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
