"""Datasheets and GeoCroissant metadata: what they say is in the store and the catalog."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner
from hostile import assert_sentence
from regions import make_region, write_region

import llpbench
from llpbench import catalog
from llpbench.catalog.responsible import read_responsible
from llpbench.cli import cli
from llpbench.errors import LLPBenchError
from llpbench.reporting.croissant import describe_croissant
from llpbench.reporting.datasheet import describe_entry
from llpbench.reporting.map_errors import describe_map_errors
from llpbench.reporting.responsible import NOT_SAID, describe_responsible, responsible_of
from llpbench.running.crossvalidation import crossvalidate
from llpbench.uncertainty.chip_error import ASSUMPTIONS

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cards")


@pytest.fixture(scope="module")
def published(folder: Path) -> xr.Dataset:
    """A made grid that says it is the published dataset."""
    entry = catalog.dataset("benelux-esaworldcover")
    report = write_region(
        make_region(12, 6, 4, 3, unlabelled=5),
        folder / entry.name,
        title=entry.title,
        doi=entry.doi,
        licence=entry.licence,
        attribution=entry.attribution,
    )
    return llpbench.open_dataset(report.path)


@pytest.fixture(scope="module")
def made(folder: Path) -> xr.Dataset:
    report = write_region(make_region(), folder / "made", synthetic=True)
    return llpbench.open_dataset(report.path)


def records(described: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in described["recordSet"] if one["@id"] == name)
    return dict(found)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
@pytest.mark.parametrize("name", ["published", "made", "own"])
def test_mlcroissant_finds_nothing_wrong(name: str, request: pytest.FixtureRequest) -> None:
    croissant = pytest.importorskip("mlcroissant")
    logging.getLogger("absl").setLevel(logging.ERROR)
    described = json.loads(json.dumps(describe_croissant(request.getfixturevalue(name))))
    found = croissant.Dataset(jsonld=described)
    assert not found.metadata.ctx.issues.errors
    # one made here has no date of publication
    warned = [str(warning) for warning in found.metadata.ctx.issues.warnings]
    assert ["datePublished" in one for one in warned] == [True] * (name != "published")
    assert found.metadata.data_limitations == described["rai:dataLimitations"]
    assert found.metadata.data_social_impact == described["rai:dataSocialImpact"]
    assert found.metadata.name == request.getfixturevalue(name).attrs["name"]
    classes = list(found.records("classes"))
    assert len(classes) == 12
    assert classes[4]["classes/name"] in ("cropland", b"cropland")


def test_croissant_tells_the_place_the_bands_and_the_noise(published: xr.Dataset) -> None:
    described = describe_croissant(published)
    bounds = published["bounds"].to_numpy()
    south, west, north, east = map(float, described["spatialCoverage"]["geo"]["box"].split())
    expected = [*bounds.min(axis=0)[:2], *bounds.max(axis=0)[2:]]
    np.testing.assert_allclose([west, south, east, north], expected, atol=1e-6)
    assert described["url"] == "https://doi.org/10.5281/zenodo.7935237"
    assert described["license"] == "https://spdx.org/licenses/CC-BY-4.0"
    assert "74.4 %" in described["rai:dataBiases"][0]
    bands = described["geocr:spectralBandMetadata"]
    waves = [band["geocr:centerWavelength"]["value"] for band in bands]
    assert waves == [665, 560, 490]  # B4, B3, B2: red, green, blue
    assert described["geocr:bandConfiguration"]["geocr:bandNameList"] == ["red", "green", "blue"]


MINIMAL = (
    *("rai:dataLimitations", "rai:dataBiases", "rai:personalSensitiveInformation"),
    *("rai:dataUseCases", "rai:dataSocialImpact", "rai:hasSyntheticData"),
    *("prov:wasDerivedFrom", "prov:wasGeneratedBy"),
)
"""What NeurIPS asks of a dataset (Evaluations and Datasets Track, 2026, hosting guidelines)."""


@pytest.mark.parametrize("name", catalog.load().datasets)
def test_responsible_ai_of_every_dataset_is_data(name: str, published: xr.Dataset) -> None:
    """Nothing is left open for the published datasets and the embedded ones."""
    entry = catalog.dataset(name)
    info = replace(
        published.llp.info,
        label_set=entry.label_set,
        doi=entry.doi,
        synthetic=entry.synthetic is not None,
    )
    described = describe_responsible(responsible_of(info))
    assert set(described) == set(MINIMAL)
    assert NOT_SAID not in json.dumps(described)
    assert described["rai:hasSyntheticData"] is (entry.synthetic is not None)
    text = describe_entry(entry)
    for sentence in described["rai:dataUseCases"] + described["rai:dataLimitations"]:
        assert sentence in text


def test_croissant_conforms_to_what_it_uses(published: xr.Dataset) -> None:
    described = describe_croissant(published)
    base = "http://mlcommons.org/croissant"
    assert described["conformsTo"] == [f"{base}/1.1", f"{base}/RAI/1.0", f"{base}/geo/1.0"]
    assert {
        "@id": "https://doi.org/10.5281/zenodo.5571936",
        "prov:label": "ESA WorldCover 2020 v100",
    } in (described["prov:wasDerivedFrom"])
    prefixes = {name.partition(":")[0] for name in described if ":" in name}
    assert prefixes <= set(described["@context"])


@pytest.fixture(scope="module")
def own(folder: Path) -> xr.Dataset:
    """Somebody's own: neither published nor made by this program."""
    said = {"attribution": "The land office. " * 200}
    return llpbench.open_dataset(write_region(make_region(seed=2), folder / "own", **said).path)


def test_of_a_dataset_of_ones_own_nothing_is_made_up(own: xr.Dataset, tmp_path: Path) -> None:
    """What its maker says stands first; hostile text does not leave its line."""
    done = CliRunner().invoke(cli, ["croissant", own.attrs["store"]], catch_exceptions=False)
    assert "nobody has said of this dataset: sensitive_information, " in done.stderr
    described = json.loads(done.stdout)
    assert described["rai:personalSensitiveInformation"] == [NOT_SAID]
    assert "rai:hasSyntheticData" not in described
    file = tmp_path / "answers.toml"
    file.write_text(
        'sensitive_information = ["Names of | farms.\\u202e"]\nsynthetic = false\n'
        'sources = [{ name = "Land register", url = "https://example.org/register" }]\n'
        'limitations = ["Winter alone."]\n',
        "utf-8",
    )
    done = CliRunner().invoke(
        cli, ["croissant", own.attrs["store"], "--rai", str(file)], catch_exceptions=False
    )
    assert done.stderr == ""
    described = json.loads(done.stdout)
    assert described["rai:personalSensitiveInformation"] == ["Names of | farms.\\u202e"]
    assert described["rai:dataLimitations"][0] == "Winter alone."
    assert len(described["rai:dataLimitations"]) > 1
    assert described["rai:hasSyntheticData"] is False
    assert described["prov:wasDerivedFrom"][0]["@id"] == "https://example.org/register"
    text = run("datasheet", own.attrs["store"], "--rai", str(file))
    assert "Names of \\| farms." in text
    assert "- Land register, <https://example.org/register>" in text


@pytest.mark.parametrize(
    "text",
    [
        "limits = []",
        'limitations = "one"',
        "limitations = [5]",
        'sources = [{ name = "x", url = "javascript:alert(1)" }]',
        "synthetic = 1",
        "limitations = [",
        "limitations = " + "[" * 50_000,
        '"\\u202e" = []',
        f"uses = ['{'x' * 3000}']",
        f"# {'x' * 70_000}",
    ],
)
def test_answers_that_are_none_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "answers.toml").write_text(text, "utf-8")
    with pytest.raises(LLPBenchError) as caught:
        read_responsible(tmp_path / "answers.toml")
    assert_sentence(caught.value)


def test_croissant_describes_the_arrays_as_they_are(published: xr.Dataset) -> None:
    fields = {one["name"]: one for one in records(describe_croissant(published), "chips")["field"]}
    for name, field in fields.items():
        shape = ",".join(map(str, published[name].shape[1:]))
        assert field.get("arrayShape", "") == shape
    assert fields["image"]["arrayShape"] == "100,100,3"
    groups = {
        one["classes/name"]: one["classes/group"]
        for one in records(describe_croissant(published), "classes")["data"]
    }
    assert groups["grassland"] == "shrub-grass-bare"
    columns = {one["name"] for one in records(describe_croissant(published), "divisions")["field"]}
    assert columns <= set(published.llp.divisions().reset_index(names="id").columns)


def test_what_is_made_has_no_sensor_and_no_noise(made: xr.Dataset) -> None:
    described = describe_croissant(made)
    assert "no real place" in described["description"]
    assert described["rai:hasSyntheticData"] is True
    assert described["rai:dataBiases"][0].startswith("None of a real place.")
    assert not {"geocr:spectralBandMetadata", "temporalCoverage", "url"} & set(described)


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_a_datasheet_counts_what_is_there(published: xr.Dataset, folder: Path) -> None:
    text = run("datasheet", published.attrs["store"])
    assert text.startswith("# Benelux, ESA WorldCover\n")
    assert "72 chips of 1 km" in text
    assert "in 12 administrative divisions" in text
    split = published["split"].to_numpy()
    without = published["chip_proportions"].isnull().any("category").to_numpy()
    for name in ("train", "val", "test"):
        assert f"| {name} | 24 | 4 | {without[split == name].sum()} |" in text
    grouped = published.llp.group()
    means = [
        float(grouped["chip_proportions"][split == name, 1].mean())  # xarray skips NaN
        for name in ("train", "val", "test")
    ]
    assert "| tree | " + " | ".join(f"{mean:.3f}" for mean in means) + " |" in text
    for sentence in catalog.load().label_noise["esaworldcover"]:
        assert sentence in text
    assert published.attrs["digest"] in text
    assert "MAE of the train mean" in text


def test_a_datasheet_of_what_is_not_here_says_what_was_published() -> None:
    text = run("datasheet", "benelux-humanpop")
    assert "72,213 chips" in text
    assert "| by division (scored) | 45,288 | 12,450 | 14,475 |" in text
    assert "doi:10.5281/zenodo.7939348" in text
    assert "How hard" not in text
    assert "by division (scored)" not in run("datasheet", "colombia-ne-humanpop")


def test_a_made_datasets_sheet_says_so(made: xr.Dataset) -> None:
    text = run("datasheet", made.attrs["store"])
    assert "(synthetic)" in text.splitlines()[0]
    assert "None of a real place. Images were made from the labels" in text


def test_cards_are_written_to_files(made: xr.Dataset, tmp_path: Path) -> None:
    run("croissant", made.attrs["store"], "-o", str(tmp_path / "made.json"))
    assert json.loads((tmp_path / "made.json").read_text("utf-8")) == describe_croissant(made)
    run("datasheet", made.attrs["store"], "-o", str(tmp_path / "made.md"))
    assert (tmp_path / "made.md").read_text("utf-8") == run("datasheet", made.attrs["store"])
    assert {path.name for path in tmp_path.iterdir()} == {"made.json", "made.md"}


@pytest.fixture(scope="module")
def validated(made: xr.Dataset, folder: Path) -> Path:
    """A cross-validation whose error of chips is set by hand."""
    done = crossvalidate("train-mean", made.attrs["store"], folds=3, out=folder / "validated")
    content = json.loads((done.folder / "crossvalidation.json").read_text("utf-8"))
    content["chip_error"] = {"value": 0.1234, "low": 0.1, "high": 0.2, "per_class": {}}
    (done.folder / "crossvalidation.json").write_text(json.dumps(content), "utf-8")
    return done.folder


def test_a_datasheet_says_how_good_maps_are(made: xr.Dataset, validated: Path) -> None:
    """The mean over divisions and classes of the absolute differences in ``divisions.csv``."""
    text = run("datasheet", made.attrs["store"], "--crossvalidation", str(validated))
    table = pd.read_csv(validated / "divisions.csv")
    names = [name.removesuffix(" known") for name in table if name.endswith(" known")]
    errors = [(table[f"{name} predicted"] - table[f"{name} known"]).abs() for name in names]
    assert f"| train-mean | {len(table)} | {np.mean(errors):.3f} | " in text
    assert " | 0.123 | 0.100 to 0.200 |" in text
    assert f"The error of chips is {ASSUMPTIONS}." in text
    assert "How good" not in run("datasheet", made.attrs["store"])


def test_a_cross_validation_of_anybody_is_judged(
    made: xr.Dataset, published: xr.Dataset, validated: Path, tmp_path: Path
) -> None:
    info = made.llp.info
    with pytest.raises(LLPBenchError, match=r"cross-validation on '.*', and not of 'benelux"):
        describe_map_errors([validated], published.llp.info)
    with pytest.raises(LLPBenchError, match="no file"):
        describe_map_errors([tmp_path], info)
    file = tmp_path / "crossvalidation.json"
    content = json.loads((validated / file.name).read_text("utf-8"))
    scores = content["scores"]
    for wrong in (
        [],
        {**content, "method": 5},
        {**content, "chip_error": {"value": 2.0, "low": 0.0, "high": 1.0}},
        {**content, "chip_error": {"value": 0.1, "low": 0.0}},
        {**content, "scores": {}},
        {**content, "scores": {**scores, "known": scores["known"][1:]}},
        {**content, "scores": {**scores, "predicted": [[[float("nan")]]]}},
    ):
        file.write_text(json.dumps(wrong), "utf-8")
        with pytest.raises(LLPBenchError, match="is no record of a cross-validation"):
            describe_map_errors([tmp_path], info)
    named = {**content, "method": "a|<b>\n# x\u202e", "settings": {"x": "y" * 10_000}}
    file.write_text(json.dumps({**named, "chip_error": None}), "utf-8")
    text = describe_map_errors([tmp_path], info)
    assert "| a\\|&lt;b&gt;\\\\n\\# x\\\\u202e x=yyy" in text
    assert len(text) < 1_500
    assert "The error of chips is" not in text
