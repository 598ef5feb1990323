"""What is said of bands and embeddings: by info, datasets, datasheets and croissant."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from banded import BOTH, RADAR, TESSERA, banded_dataset
from click.testing import CliRunner

import llpbench
from llpbench.cli import cli
from llpbench.data.archive_export import write_archive
from llpbench.data.imagery import IMAGE, Band, Coding, Imagery
from llpbench.errors import ArchiveError
from llpbench.reporting.arrays import array_lines, band_rows, describe_arrays, value_range
from llpbench.reporting.croissant import describe_croissant

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> str:
    ds = banded_dataset(tmp_path_factory.mktemp("cache") / "both", BOTH, 12)
    return str(ds.attrs["store"])


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_info_tells_bands_and_embeddings_in_the_words_of_stac(both: str) -> None:
    """Values by the codings' formulas; names of fields by STAC 1.1, EO 2.0 and raster 2.0."""
    arrays = json.loads(run("info", both, "--json"))["arrays"]
    assert arrays["image"]["bands"][3] == {
        "name": "B8",
        "description": "near infrared",
        "data_type": "uint16",
        "nodata": 0,
        "eo:common_name": "nir",
        "eo:center_wavelength": 0.8328,
        "raster:scale": 1e-4,
        "raster:offset": -0.1,
    }
    assert arrays["image"]["values"] == pytest.approx([1e-4 - 0.1, 65535e-4 - 0.1], rel=1e-3)
    assert arrays["image"]["bytes_a_chip"] == 100 * 100 * 4 * 2
    cells = arrays["embedding"]
    assert cells["shape"] == [24, 24, 64]
    assert cells["values"] == pytest.approx([-((127 / 127.5) ** 2), (127 / 127.5) ** 2], rel=1e-3)
    assert cells["source"] == "AlphaEarth Foundations, 2024"
    assert cells["bands"][63] == {"name": "A63", "data_type": "int8", "nodata": -128}
    assert describe_arrays({"embedding": TESSERA})["embedding"]["bytes_a_chip"] == 24**2 * (128 + 4)
    assert value_range(RADAR) is None


def test_info_fits_however_many_bands_there_are(both: str) -> None:
    text = run("info", both)
    assert "embedding: A00, A01, A02, ..., A63 (64) of AlphaEarth Foundations, 2024; 24 x" in text
    assert "A30" not in text
    many = Imagery(tuple(Band(f"b{number}", "nir") for number in range(4096)), "float32")
    (line,) = array_lines({IMAGE: many})
    assert len(line) < 120
    rows = band_rows({IMAGE: many})
    assert len(rows) == 21
    assert rows[-1]["band"] == "and 4076 more"


def test_datasets_counts_bands_and_features(both: str) -> None:
    listed = CliRunner().invoke(cli, ["--cache-dir", str(Path(both).parent), "datasets", "--json"])
    rows = {row["name"]: row for row in json.loads(listed.output)}
    assert (rows["both"]["bands"], rows["both"]["features"]) == (4, 64)
    assert (rows["benelux-humanpop"]["bands"], rows["benelux-humanpop"]["features"]) == (3, None)
    assert "4 bands" not in repr(llpbench.open_dataset(both).llp)
    assert "; image: B2, B3, B4, B8 of Sentinel-2 L2A;" in repr(llpbench.open_dataset(both).llp)


def test_a_datasheet_has_a_section_on_bands(both: str) -> None:
    text = run("datasheet", both)
    assert "| B8 | nir | 832.8 | near infrared |" in text
    assert "red, green and blue" not in text
    assert "37 kB a chip" in text


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
def test_croissant_describes_bands_and_cells(both: str) -> None:
    croissant = pytest.importorskip("mlcroissant")
    logging.getLogger("absl").setLevel(logging.ERROR)
    ds = llpbench.open_dataset(both)
    described = json.loads(json.dumps(describe_croissant(ds)))
    found = croissant.Dataset(jsonld=described)
    assert not found.metadata.ctx.issues.errors
    assert described["geocr:bandConfiguration"]["geocr:bandNameList"] == ["B2", "B3", "B4", "B8"]
    waves = [one["geocr:centerWavelength"] for one in described["geocr:spectralBandMetadata"]]
    assert [wave["value"] for wave in waves] == [492.4, 559.8, 664.6, 832.8]
    (chips,) = (one for one in described["recordSet"] if one["@id"] == "chips")
    fields = {one["name"]: one for one in chips["field"]}
    assert fields["image"]["arrayShape"] == "100,100,4"
    assert "scale_factor 0.0001, add_offset -0.1" in fields["image"]["description"]
    assert fields["embedding"]["arrayShape"] == "24,24,64"


def test_cells_alone_are_described(tmp_path: Path) -> None:
    described = describe_croissant(banded_dataset(tmp_path / "cells", {"embedding": TESSERA}, 10))
    (chips,) = (one for one in described["recordSet"] if one["@id"] == "chips")
    names = [one["name"] for one in chips["field"]]
    assert "image" not in names
    assert {"embedding", "embedding_scale"} <= set(names)
    assert "satellite embeddings of 10 chips" in described["description"]


def test_the_published_layout_holds_red_green_and_blue_alone(both: str, tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="red, green and blue alone, both has image of B2, B3"):
        write_archive(both, tmp_path / "both.zip")
    assert not list(tmp_path.iterdir())


def test_what_is_not_linear_has_no_scale_of_stac() -> None:
    for coding in (Coding(power=2, scale=0.1), Coding(by_cell=True)):
        imagery = Imagery((Band("A"),), "int8", coding)
        (band,) = describe_arrays({"embedding": imagery})["embedding"]["bands"]
        assert band == {"name": "A", "data_type": "int8"}
