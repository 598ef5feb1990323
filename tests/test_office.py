"""A statistical office's way from its files, as they are, to a map, and to next year's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from own_region import north_up, write_raster
from scipy.ndimage import gaussian_filter

import llpbench
from llpbench.cli import cli
from llpbench.errors import DriftError

pytestmark = pytest.mark.usefixtures("no_pictures")

CLASSES = ("Bosque", "Ca\u00f1a de az\u00facar", "\u00c1rea urbana")
COLUMNS, ROWS = 16, 12  # chips of 1 km
WEST, NORTH, CRS = 600_000, 900_000, "EPSG:32618"


def land(year: int) -> NDArray[np.intp]:
    """Classes of pixels of 10 m in fields of 100 m; a little of it changes from year to year."""
    shape = (10 * ROWS, 10 * COLUMNS)
    fields = [np.random.default_rng(n).normal(size=shape) for n in range(3)]
    change = [np.random.default_rng(10 * year + n).normal(size=shape) for n in range(3)]
    smooth = [
        gaussian_filter(field + 0.3 * new, 4) for field, new in zip(fields, change, strict=True)
    ]
    return np.argmax(smooth, axis=0).repeat(10, axis=0).repeat(10, axis=1)


def write_year(folder: Path, year: int, classes: NDArray[Any], offset: int) -> None:
    """Four tiles of B2, B3, B4, B8 in digital numbers of Sentinel-2."""
    colours = np.array([[300, 500, 350, 2600], [700, 1100, 900, 3200], [1500, 1600, 1700, 2000]])
    noise = np.random.default_rng(100 + year).normal(0, 120, (*classes.shape, 4))
    bands = np.moveaxis(colours[classes] + noise + offset, -1, 0).clip(1).astype(np.uint16)
    half = (50 * ROWS, 50 * COLUMNS)
    (folder / str(year)).mkdir()
    for row in (0, 1):
        for column in (0, 1):
            rows = slice(row * half[0], (row + 1) * half[0])
            columns = slice(column * half[1], (column + 1) * half[1])
            corner = north_up(WEST + 10 * columns.start, NORTH - 10 * rows.start, 10)
            path = folder / str(year) / f"tile{row}{column}.tif"
            write_raster(path, bands[:, rows, columns], corner, CRS, nodata=0)
            _name_bands(path)


def _name_bands(path: Path) -> None:
    import rasterio

    with rasterio.open(path, "r+") as file:
        file.descriptions = ("B2", "B3", "B4", "B8")


def write_statistics(folder: Path, classes: NDArray[Any]) -> None:
    """Communes of 4 x 4 km as a shapefile, and their hectares as a Spanish spreadsheet has them."""
    codes, outlines, lines = [], [], [";".join(["C\u00f3digo", "Municipio", *CLASSES])]
    for row in range(0, ROWS, 4):
        for column in range(0, COLUMNS, 4):
            code = f"05{len(codes):03d}"
            x, y = WEST + 1000 * column, NORTH - 1000 * row
            outlines.append(shapely.box(x, y - 4000, x + 4000, y))
            own = classes[100 * row : 100 * (row + 4), 100 * column : 100 * (column + 4)]
            hectares = np.bincount(own.ravel(), minlength=3) / 100
            numbers = [_spanish(value) for value in hectares]
            lines.append(";".join([code, f"Pe\u00f1a {len(codes)}", *numbers]))
            codes.append(code)
    table = gpd.GeoDataFrame({"COD_MUN": codes}, geometry=outlines, crs=CRS)
    table.to_file(folder / "municipios.shp")
    lines.append(";".join(["Total", "", *["9.999,9"] * 3]))
    (folder / "usos.csv").write_bytes("\r\n".join(lines).encode("latin-1"))


def _spanish(value: float) -> str:
    """1234.5 as ``1.234,5``."""
    return f"{value:,.1f}".translate(str.maketrans(",.", ".,"))


def call(*arguments: object) -> Result:
    done = CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def error_of(predictions: Path, classes: NDArray[Any]) -> float:
    """Mean absolute error of the shares of all chips, from the pixels of the land itself."""
    table = llpbench.read_predictions(predictions)["proportions"].to_pandas()
    chips = llpbench.open_dataset("mine")
    places = gpd.points_from_xy(chips["lon"], chips["lat"], crs=4326).to_crs(CRS)
    errors = []
    for chip, place in zip(chips["chip"].to_numpy(), places, strict=True):
        row, column = int((NORTH - place.y) // 1000), int((place.x - WEST) // 1000)
        own = classes[100 * row + 2 : 100 * row + 98, 100 * column + 2 : 100 * column + 98]
        truth = np.bincount(own.ravel(), minlength=3) / own.size
        errors.append(np.abs(table.loc[chip, list(CLASSES)].to_numpy() - truth))
    return float(np.mean(errors))


def test_an_office_maps_its_land_and_next_years(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLPBENCH_CACHE", str(tmp_path / "cache"))
    first, second = land(1), land(2)
    write_year(tmp_path, 1, first, offset=0)
    write_year(tmp_path, 2, second, offset=1000)
    write_statistics(tmp_path, first)

    files = ("--image", "1", "--divisions", "municipios.shp", "--shares", "usos.csv")
    done = call("build", "mine", *files, "--bands", "red,green,blue")
    for said in ("3 (B4), 2 (B3), 1 (B2)", "Windows-1252", "areas in ha", "'Total' is the total"):
        assert said in done.stderr
    small = ("--set", "words=32", "--set", "sample=5000")
    call("run", "bag-ridge", "--dataset", "mine", "--train-on", "all", *small, "--out", "run")
    call("map", "run", "-o", "map.tif")
    with pytest.raises(DriftError, match="offset makes them: try --scale 1000 4000"):
        CliRunner().invoke(
            cli, ["predict", "run", "--image", "2", "-o", "n"], catch_exceptions=False
        )
    assert Path("n/drift.png").read_bytes()[:4] == b"\x89PNG"
    call("predict", "run", "--image", "2", "--scale", 1000, 4000, "-o", "next")
    assert Path("next/map.png").read_bytes()[:4] == b"\x89PNG"

    now = error_of(tmp_path / "run/predictions-all.parquet", first)
    assert now < 0.1, now
    assert error_of(tmp_path / "next/predictions.parquet", second) < 1.3 * now
