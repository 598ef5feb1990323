"""`llpbench estimate`: class areas of polygons, samples to label, labels filled in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from click.testing import CliRunner
from hostile import assert_sentence
from pyproj import Geod
from regions import SOUTH, WEST, WIDTH, latitude, longitude

import llpbench
from llpbench.cli import cli
from llpbench.data.chip_outlines import chip_outlines
from llpbench.errors import LLPBenchError
from llpbench.estimation import estimate_areas
from llpbench.estimation.areas import ClassAreas
from llpbench.estimation.labels import read_sample
from llpbench.estimation.means import predicted_means
from llpbench.estimation.polygons import read_polygons, whole_region
from llpbench.estimation.sampling import allocate, draw_sample, expected_widths
from llpbench.estimation.writing import write_areas
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import make_predictions
from llpbench.style import category_colours

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture(autouse=True)
def _sample_read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    from llpbench.data.building.outline_file import read_file

    monkeypatch.setattr("llpbench.estimation.labels.read_outlines", read_file)


@pytest.fixture
def ds(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store).llp.group()


@pytest.fixture
def predictions(ds: xr.Dataset) -> xr.Dataset:
    shares = np.random.default_rng(0).dirichlet(np.ones(5), ds.sizes["chip"])
    names = ds["category_name"].to_numpy()
    return make_predictions(ds["chip"].to_numpy(), names, shares, method="chance")


@pytest.fixture
def file(predictions: xr.Dataset, tmp_path: Path) -> Path:
    path = tmp_path / "predictions.csv"
    llpbench.write_predictions(predictions, path)
    return path


def _polygons(path: Path, **boxes: tuple[float, float, float, float]) -> Path:
    """Columns and rows of the grid that boxes begin and end at."""
    outlines = [
        shapely.box(longitude(w), latitude(s), longitude(e), latitude(n))
        for w, s, e, n in boxes.values()
    ]
    gpd.GeoDataFrame({"NAME": list(boxes)}, geometry=outlines, crs=4326).to_file(path)
    return path


def _run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, list(map(str, arguments)))


def _refused(*arguments: object) -> str:
    error = _run("estimate", *arguments).exception
    assert isinstance(error, LLPBenchError), error
    assert_sentence(error)
    return str(error)


def test_the_whole_region_has_the_area_of_its_chips(
    ds: xr.Dataset, predictions: xr.Dataset
) -> None:
    """The area of the rectangle of chips on the ellipsoid, its parallels in short steps."""
    areas = estimate_areas(predictions, ds)
    east, north = longitude(9), latitude(4)
    x = np.linspace(WEST, east, 500)
    ring = np.concatenate([x, x[::-1]]), np.repeat([SOUTH, north], 500)
    expected = abs(Geod(ellps="WGS84").polygon_area_perimeter(*ring)[0]) / 1e6
    table = areas.table()
    assert table["km2"].sum() == pytest.approx(expected, rel=1e-4)
    assert table["covered"].tolist() == [1] * 5
    mean = predictions["proportions"].to_numpy().mean(axis=0)
    np.testing.assert_allclose(table["km2"] / expected, mean, rtol=1e-3)
    assert table["low"].isna().all()


def test_polygons_get_the_parts_of_chips_inside(
    ds: xr.Dataset, predictions: xr.Dataset, tmp_path: Path
) -> None:
    """Half a column and a whole one; one that reaches beyond; one that hardly touches."""
    path = _polygons(tmp_path / "p.gpkg", a=(1.5, 0, 3, 4), b=(7, 0, 9.2, 4), c=(8, 0, 90, 4))
    table = estimate_areas(predictions, ds, divisions=path, by="NAME").table()
    assert set(table["polygon"]) == {"a", "b"}
    column = np.round((ds["lon"].to_numpy() - WEST) / WIDTH - 0.5).astype(int)
    shares = predictions["proportions"].to_numpy().astype(float)
    weight = np.select([column == 1, column == 2], [0.5, 1.0])
    a, b = (table[table["polygon"] == name] for name in "ab")
    mean = weight @ shares / weight.sum()
    np.testing.assert_allclose(a["km2"] / a["km2"].sum(), mean, rtol=1e-3)
    np.testing.assert_allclose(b["covered"], 2 / 2.2, rtol=1e-6)
    np.testing.assert_allclose(b["km2"].sum() / a["km2"].sum(), 2.2 / 1.5, rtol=1e-6)


def test_squares_of_a_grid_are_chips(ds: xr.Dataset) -> None:
    """Without a grid what bounds span; with one, its cells, here of the same degrees."""
    from dataclasses import replace

    from llpbench.data.grid import ChipGrid

    bounds = chip_outlines(ds)
    np.testing.assert_allclose(bounds.bounds.to_numpy(), ds["bounds"].to_numpy())
    grid = ChipGrid("EPSG:4326", WEST, latitude(4), WIDTH, 0.009)
    gridded = ds.assign_attrs(replace(ds.llp.info, grid=grid).attributes())
    np.testing.assert_allclose(
        chip_outlines(gridded).bounds.to_numpy(), bounds.bounds.to_numpy(), atol=1e-9
    )


def test_the_command_prints_a_table_and_says_what_is_missing(file: Path, store: Path) -> None:
    done = _run("estimate", file, "--dataset", store)
    assert done.exit_code == 0, done.output
    assert "a map on grid, predictions alone, 1 polygon\n" in done.stdout
    assert "whole region" in done.stdout
    assert "--sample 100" in done.stderr
    rows = json.loads(_run("estimate", file, "--dataset", store, "--json").stdout)
    assert len(rows) == 5
    assert rows[0]["low"] is None
    assert rows[0]["km2"] > 0


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_areas_are_written_with_a_picture(
    ending: str, file: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if ending == "parquet":  # drawn once, which takes longer than all else
        monkeypatch.setattr("llpbench.estimation.writing.draw_class_areas", lambda *_: None)
        monkeypatch.setattr("llpbench.estimation.writing.write_figure", lambda _, path: path)
    polygons = _polygons(tmp_path / "p.gpkg", a=(0, 0, 4, 4), b=(4, 0, 9, 4))
    out = tmp_path / "new" / f"areas.{ending}"
    done = _run(
        "estimate", file, "--dataset", store, "--divisions", polygons, "--by", "NAME", "-o", out
    )
    assert done.exit_code == 0, done.output
    ds = llpbench.open_dataset(store).llp.group()
    expected = estimate_areas(read_predictions(file), ds, divisions=polygons, by="NAME").table()
    if ending == "csv":
        np.testing.assert_allclose(pd.read_csv(out)["km2"], expected["km2"])
        assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
    else:
        found = gpd.read_parquet(out).set_index("polygon")
        table = expected.pivot(index="polygon", columns="class", values="km2")
        np.testing.assert_allclose(found[table.columns], table)
        np.testing.assert_allclose(found["area_km2"], table.sum(axis=1))


def test_a_run_knows_its_dataset(store: Path, tmp_path: Path) -> None:
    """The way of an office: a map of the whole region, then areas by province."""
    run = tmp_path / "run"
    done = _run("run", "train-mean", "--dataset", store, "--train-on", "all", "--out", run)
    assert done.exit_code == 0, done.output
    polygons = _polygons(tmp_path / "p.gpkg", Luik=(0, 0, 4, 4), Namen=(4, 0, 9, 4))
    done = _run(
        "estimate", run, "--dataset", store, "--divisions", polygons, "--by", "NAME", "--json"
    )
    rows = json.loads(done.stdout)
    assert {row["name"] for row in rows} == {"Luik", "Namen"}
    areas = pd.DataFrame(rows).pivot(index="class", columns="name", values="km2")
    np.testing.assert_allclose(areas["Namen"] / areas["Luik"], 5 / 4, rtol=1e-6)


def test_text_of_files_is_no_formula_and_no_markup(
    ds: xr.Dataset, predictions: xr.Dataset, tmp_path: Path
) -> None:
    """In the table that spreadsheets open, and in the picture."""
    whole = whole_region(ds, ds)
    hostile = whole.outlines.assign(name="=cmd()$x_").set_axis(["+1$"], axis=0)
    polygons = type(whole)(hostile, whole.areas, whole.overlaps)
    means = predicted_means(polygons.weights, predictions["proportions"].to_numpy().astype(float))
    areas = ClassAreas(
        polygons, [str(n) for n in ds["category_name"].to_numpy()], means, "t\x1b[31m"
    )
    path, picture = write_areas(areas, tmp_path / "a.csv", category_colours(ds))
    assert "\n'+1$,'=cmd()$x_," in path.read_text()
    assert picture.exists()
    assert str(areas) == "t\\x1b[31m, 1 polygon"


def _fill(path: Path, ds: xr.Dataset) -> gpd.GeoDataFrame:
    """The truth of drawn chips; a chip without any label stays empty."""
    truth = ds.llp.truth().to_pandas()
    table = gpd.read_file(path)
    names = [str(name) for name in ds["category_name"].to_numpy()]
    return table.assign(**dict(zip(names, truth.loc[table["chip"]].to_numpy().T, strict=True)))


@pytest.mark.parametrize("kind", ["geojson", "csv", "xlsx"])
def test_a_sample_is_drawn_filled_in_and_read(
    kind: str, file: Path, store: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    drawn = tmp_path / "s" / "sample.geojson"
    done = _run("estimate", file, "--dataset", store, "--sample", 25, "-o", drawn)
    assert done.exit_code == 0, done.output
    assert "labels" in done.stdout
    content = json.loads(drawn.read_text())
    assert len(content["features"]) == 25
    first = content["features"][0]["properties"]
    assert [*first][:3] == ["chip", "stratum", "weight"]
    assert first["tree"] is None
    filled = _fill(drawn, ds)
    assert filled["weight"].sum() == pytest.approx(36)
    path = tmp_path / f"filled.{kind}"
    if kind == "csv":  # as an office with decimal commas writes it, in percent
        names = filled.columns[3:8]
        percent = filled.assign(**{name: 100 * filled[name] for name in names})
        percent.drop(columns="geometry").to_csv(path, sep=";", decimal=",", index=False)
    elif kind == "xlsx":
        from spreadsheets import write_xlsx

        cells = filled.drop(columns="geometry").astype(object)
        write_xlsx(
            path, {"a": [list(cells.columns), *cells.where(cells.notna(), "").values.tolist()]}
        )
    else:
        filled.to_file(path)
    sample = read_sample(path, ds)
    assert sample.weight.sum() == pytest.approx(36)
    chips = ds["chip"].to_numpy()[sample.chip]
    np.testing.assert_allclose(sample.shares, ds.llp.truth().sel(chip=chips).to_numpy(), atol=1e-6)
    rows = json.loads(_run("estimate", file, "--dataset", store, "--labels", path, "--json").stdout)
    total = sum(row["km2"] for row in rows)
    assert all(row["low"] <= row["km2"] <= row["high"] for row in rows if row["low"] is not None)
    truth = np.nanmean(ds.llp.truth().to_numpy(), axis=0) * total
    inside = [row["low"] <= t <= row["high"] for row, t in zip(rows, truth, strict=True)]
    assert sum(inside) >= 4


def test_a_sample_may_be_as_small_as_two_chips_a_stratum(
    predictions: xr.Dataset, store: Path, file: Path
) -> None:
    """Though half of it could not be drawn: expected widths begin with the smallest that can."""
    sizes = np.bincount(predictions["proportions"].to_numpy().argmax(axis=1))
    fewest = int(np.minimum(sizes, 2).sum())
    said = _refused(file, "--dataset", store, "--sample", fewest - 1)
    assert f"{fewest} chips in all, found {fewest - 1}" in said
    for count, first in ((fewest, fewest), (fewest + 1, fewest), (2 * fewest + 2, fewest + 1)):
        done = _run("estimate", file, "--dataset", store, "--sample", count, "--json")
        assert json.loads(done.stdout)[0]["labels"] == first


def test_a_sample_is_the_same_of_the_same_seed(predictions: xr.Dataset) -> None:
    shares = predictions["proportions"].to_numpy()
    first, again, other = (draw_sample(shares, 20, seed)[0].tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_points_lie_in_chips(ds: xr.Dataset, tmp_path: Path) -> None:
    """Each the middle of a chip, two of one chip; one class is spelled in capitals."""
    place = [3, 5, 3, 8, 20, 30]
    classes = ["tree", "TREE", "cropland", "other", "Built-up", "tree"]
    columns = {"Lon": ds["lon"].to_numpy()[place], "Lat": ds["lat"].to_numpy()[place]}
    path = tmp_path / "points.csv"
    pd.DataFrame({**columns, "class": classes}).to_csv(path, index=False)
    sample = read_sample(path, ds)
    assert sample.chip.tolist() == place
    names = ds["category_name"].to_numpy()
    assert names[sample.shares.argmax(axis=1)].tolist() == [name.lower() for name in classes]
    assert sample.units.tolist() == [np.inf]


def test_small_areas_are_those_of_the_divisions(
    file: Path, store: Path, ds: xr.Dataset, tmp_path: Path
) -> None:
    """Five columns of the grid as areas, with labels in all of them."""
    path = tmp_path / "labels.csv"
    truth = ds.llp.truth()
    labelled = truth[np.isfinite(truth).all("category")].isel(chip=slice(None, None, 2))
    names = [str(name) for name in ds["category_name"].to_numpy()]
    table = pd.DataFrame(labelled.to_numpy(), columns=names)
    table.insert(0, "chip", labelled["chip"].to_numpy())
    table.to_csv(path, index=False)
    boxes = {f"c{n}": (1.5 * n, 0, 1.5 * n + 1.5, 4) for n in range(6)}
    polygons = _polygons(tmp_path / "p.gpkg", **boxes)
    arguments = ("--dataset", store, "--labels", path, "--small-areas", "--json")
    rows = json.loads(
        _run("estimate", file, *arguments, "--divisions", polygons, "--by", "NAME").stdout
    )
    assert len(rows) == 30
    assert all(row["low"] <= row["km2"] <= row["high"] for row in rows if row["low"] is not None)
    assert "at least 5 polygons, found 4" in _refused(file, *arguments)


_CLASSES = "other,tree,shrub-grass-bare,cropland,built-up"
_TABLES = {
    "a,b\n1,2\n3,4\n": "must have a column 'chip'",
    "chip,other,tree\nX,1,0\n": "a column for each class, found none of 'shrub-grass-bare'",
    f"chip,{_CLASSES}\nnone,1,0,0,0,0\n": "were not predicted",
    f"chip,{_CLASSES}\nX,,,,,\nY,,,,,\n": "has no labels",
    f"chip,{_CLASSES}\nX,1,1,0,0,0\n": "sum to 1, or to 100 %",
    f"chip,{_CLASSES}\nX,2,-1,0,0,0\n": "are not negative",
    f"chip,{_CLASSES}\nX,much,0,0,0,1\n": "must be numbers",
    f"chip,{_CLASSES}\nX,1,0,0,0,0\nX,1,0,0,0,0\n": "several rows",
    "lon,lat,class\n0,0,tree\n": "lie in no predicted chip",
    "lon,lat,class\nE,0,tree\n": "must be degrees",
    "lon,lat,class\n4.007,50.004,lake\n": "there is no class 'lake'; the classes are 'other'",
    f"chip,stratum,weight,{_CLASSES}\nX,a,3,1,0,0,0,0\n"
    "Y,b,2,1,0,0,0,0\n": "sum to the 36 predicted chips, found a sum of 5",
    f"chip,stratum,{_CLASSES}\nX,a,1,0,0,0,0\n"
    "Y,b,1,0,0,0,0\n": "has the columns 'stratum' and 'weight'",
    f"chip,stratum,weight,{_CLASSES}\nX,a,w,1,0,0,0,0\n"
    "Y,b,2,1,0,0,0,0\n": "weights must be numbers",
    f"chip,stratum,weight,{_CLASSES}\nX,a,18,1,0,0,0,0\n"
    "Y,b,18,,,,,\n": "strata 'a', 'b' have fewer than two labelled chips",
    f"chip,stratum,weight,{_CLASSES}\nX,a,17.5,1,0,0,0,0\n"
    "Y,b,18.5,1,0,0,0,0\n": "those of 'a', 'b' have not: keep strata and weights",
    f"chip,{_CLASSES}\nX,1,0,0,0,0\nY,1,0,0,0,0\n": "at least 5 labelled chips are needed, found 2",
}


@pytest.mark.parametrize("text", _TABLES)
def test_a_table_that_is_no_sample_is_refused(
    text: str, ds: xr.Dataset, predictions: xr.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    first, second = map(str, ds["chip"].to_numpy()[:2])
    path.write_text(text.replace("\nX", f"\n{first}").replace("\nY", f"\n{second}"))
    with pytest.raises(LLPBenchError) as refused:
        estimate_areas(predictions, ds, labels=path)
    assert_sentence(refused.value)
    assert _TABLES[text] in str(refused.value)


def test_what_cannot_be_estimated_is_refused(
    file: Path, store: Path, tmp_path: Path, ds: xr.Dataset, predictions: xr.Dataset
) -> None:
    data = (file, "--dataset", store)
    assert "end in .csv or .parquet" in _refused(*data, "-o", tmp_path / "a.txt")
    assert "end in .geojson" in _refused(*data, "--sample", 20, "-o", tmp_path / "a.csv")
    assert "before there are labels" in _refused(*data, "--sample", 20, "--labels", file)
    assert "99 chips cannot be drawn of 36" in _refused(*data, "--sample", 99)
    assert "two chips of each of its" in _refused(*data, "--sample", 3)
    assert "give it with --divisions" in _refused(*data, "--by", "NAME")
    assert "give a table with --labels" in _refused(*data, "--small-areas")
    assert "no folder of a run" in _refused(file)
    far = _polygons(tmp_path / "far.gpkg", a=(900, 0, 901, 4))
    assert "no predicted chip lies in any" in _refused(*data, "--divisions", far, "--by", "NAME")
    wide = _polygons(tmp_path / "wide.gpkg", a=(0, 0, 90, 4))
    assert "cover 10% of a polygon" in _refused(*data, "--divisions", wide, "--by", "NAME")
    with pytest.raises(LLPBenchError, match="cover 50% of a polygon at most"):
        estimate_areas(predictions.isel(chip=slice(18)), ds)
    strata = tmp_path / "labels.csv"
    strata.write_text("chip,stratum\na,1\nb,2\n")
    for design in ("simple", "division"):
        said = _refused(*data, "--labels", strata, "--design", design)
        assert "chips were not all drawn alike" in said
    both = ("--labels", strata, "--crossvalidation", tmp_path)
    assert "from labels or from held-out divisions" in _refused(*data, *both)
    said = _refused(*data, "--crossvalidation", tmp_path, "--sample", 20)
    assert "--crossvalidation away" in said


def test_strata_get_what_neyman_gives_them() -> None:
    """Cochran 1977, equation 5.26, to a chip; none more than there are, none fewer than 5."""
    sizes, spread = np.array([1000, 500, 200, 0, 3]), np.array([1.0, 3.0, 0.0, 1.0, 1.0])
    drawn = allocate(sizes, spread, 108)
    assert drawn.tolist() == [40, 60, 5, 0, 3]
    assert allocate(sizes, spread, 1703).tolist() == sizes.tolist()


def test_the_expected_width_is_what_labels_give() -> None:
    """Of labels that are spread as predicted: the mean width over many draws."""
    from scipy.sparse import csr_array

    from llpbench.estimation.sample import Sample
    from llpbench.estimation.survey import survey_means

    shares = np.random.default_rng(4).dirichlet([0.5, 1, 1.5], 600)
    expected = expected_widths(shares, [120]).to_numpy()[0]
    sizes = np.bincount(shares.argmax(axis=1))
    widths = []
    for seed in range(40):
        chip, stratum, _weight = draw_sample(shares, 120, seed)
        sample = Sample.stratified(chip, shares[chip], stratum, sizes)
        everywhere = csr_array(np.full((1, 600), 1 / 600))
        low, high = survey_means(sample, shares, everywhere, np.ones(600), "labels").interval()
        widths.append((high - low)[0])
    np.testing.assert_allclose(np.mean(widths, axis=0), expected, rtol=0.05)


def test_polygons_of_one_name_are_one(ds: xr.Dataset, tmp_path: Path) -> None:
    outlines = [shapely.box(longitude(n), SOUTH, longitude(n + 1), latitude(4)) for n in (0, 3)]
    path = tmp_path / "p.gpkg"
    gpd.GeoDataFrame({"id": ["a", "a"]}, geometry=outlines, crs=4326).to_crs(3812).to_file(path)
    polygons = read_polygons(path, ds)
    assert len(polygons) == 1
    np.testing.assert_allclose(polygons.coverage, 1, atol=1e-4)
    np.testing.assert_allclose(polygons.areas, 8 * whole_region(ds, ds).areas / 36, rtol=1e-4)
