"""A dataset written in the published layout, and read back."""

from __future__ import annotations

import errno
import io
import json
import pickle
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hostile import assert_sentence, name_of, read_zip
from regions import make_region, write_region

from llpbench import import_archive, open_dataset
from llpbench.cli import cli
from llpbench.data.archive_export import write_archive
from llpbench.errors import ArchiveError

FOLDER = "grid_sentinel2-rgb-median-2020_esa-world-cover"


def test_the_layout_is_the_published_one(archive: Path, store: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        infos = file.infolist()
    names = {info.filename for info in infos}
    ids = open_dataset(store)["chip"].to_numpy().tolist()
    assert names == {
        f"{FOLDER}/README.txt",
        f"{FOLDER}/splits.csv",
        f"{FOLDER}/grid_partitions_aschips.geojson",
        f"{FOLDER}/grid_partitions_communes.geojson",
        *(f"{FOLDER}/data/{chip}.pkl" for chip in ids),
    }
    assert {info.compress_type for info in infos} == {zipfile.ZIP_DEFLATED}
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}


def test_a_chip_is_what_plain_pickle_and_numpy_expect(archive: Path, store: Path) -> None:
    members = read_zip(archive)
    ds = open_dataset(store).load()
    for index, chip in enumerate(ds["chip"].to_numpy().tolist()):
        data = members[f"{FOLDER}/data/{chip}.pkl"]
        found = pickle.loads(data)
        row = ds.isel(chip=index)
        assert data[:2] == b"\x80\x04"
        assert found["chip_id"] == chip
        assert found["chip"].dtype == np.int16
        np.testing.assert_array_equal(found["chip"], row["image"])
        west, south, east, north = row["bounds"].to_numpy()
        np.testing.assert_array_equal(found["corners"]["nw"], [north, west])
        np.testing.assert_array_equal(found["corners"]["se"], [south, east])
        np.testing.assert_allclose(found["center_latlon"], [row["lat"], row["lon"]])
        shares = found["label_proportions"]
        assert shares["foreignid_communes"] == (row["own_division"].item() or -1)
        if (row["label"] == 255).all():
            assert "label" not in found
            assert shares["partitions_aschip"] == {}
        else:
            assert found["label"].dtype == np.int16
            np.testing.assert_array_equal(found["label"], row["label"])
            counts = np.bincount(found["label"].ravel(), minlength=12) / 10_000
            assert shares["partitions_aschip"] == {
                str(number): share for number, share in enumerate(counts) if share
            }
        mixed = [shares["partitions_communes"].get(str(number), 0.0) for number in range(12)]
        target = row["target"].fillna(0).to_numpy()
        np.testing.assert_array_equal(np.float32(mixed), target)


def test_the_tables_say_what_the_dataset_says(archive: Path, store: Path) -> None:
    members = read_zip(archive)
    ds = open_dataset(store)
    splits = pd.read_csv(io.BytesIO(members[f"{FOLDER}/splits.csv"]))
    assert splits.columns.tolist() == ["identifier", "split", "split_communes"]
    assert splits["identifier"].tolist() == ds["chip"].to_numpy().tolist()
    assert splits["split"].tolist() == ds["split_chip"].to_numpy().tolist()
    assert splits["split_communes"].tolist() == ds["split"].to_numpy().tolist()

    chips = json.loads(members[name_of(members, "aschips.geojson")])["features"]
    first = chips[0]["properties"]
    assert list(first) == [
        "identifier",
        "area_km2",
        "esa-world-cover_proportions",
        "esa-world-cover_proportions_at_communes",
        "foreignid_communes",
        "split",
        "split_communes",
    ]
    # 0.014 by 0.009 degrees on the sphere of equal area: R^2 dlon (sin n - sin s)
    for feature, (west, south, east, north) in zip(chips, ds["bounds"].to_numpy(), strict=True):
        sines = np.sin(np.radians([south, north]))
        sphere = 6371.0072**2 * np.radians(east - west) * (sines[1] - sines[0])
        assert feature["properties"]["area_km2"] == pytest.approx(sphere, rel=5e-3)

    communes = json.loads(members[name_of(members, "communes.geojson")])["features"]
    for feature, shares in zip(communes, ds["division_proportions"].to_numpy(), strict=True):
        stated = feature["properties"]["esa-world-cover_proportions"]
        assert sum(stated.values()) == pytest.approx(1, abs=1e-6)
        assert all(np.float32(share) == shares[int(number)] for number, share in stated.items())


@pytest.mark.parametrize("labels", ["esaworldcover", "humanpop"])
def test_a_dataset_survives_the_round_trip(tmp_path: Path, labels: str) -> None:
    region = make_region(12, 6, 3, 3, outside=2, unlabelled=3, labels=labels, seed=4)
    write_region(region, tmp_path / "there")
    zipped = write_archive(tmp_path / "there", tmp_path / "there.zip")
    report = import_archive(zipped, "back")
    assert report.remarks == ("12 chips lie outside every division",)
    there, back = open_dataset(tmp_path / "there").load(), open_dataset("back").load()
    assert set(there.variables) == set(back.variables)
    close = {"target", "division_proportions"}
    for name in set(there.variables) - close:
        np.testing.assert_array_equal(there[name].to_numpy(), back[name].to_numpy(), str(name))
    for name in close:
        np.testing.assert_allclose(there[name], back[name], rtol=0, atol=1e-6)
    divisions, again = there.llp.divisions(), back.llp.divisions()
    assert divisions["name"].equals(again["name"])
    assert divisions.geometry.geom_equals_exact(again.geometry, 0).all()
    assert there.llp.label_set == back.llp.label_set


def test_the_bytes_depend_on_the_dataset_alone(archive: Path, store: Path, tmp_path: Path) -> None:
    again = write_archive(open_dataset(store), tmp_path / "again.zip")
    assert again.read_bytes() == archive.read_bytes()


def test_a_catalog_dataset_is_named_by_its_region(tmp_path: Path) -> None:
    write_region(make_region(4, 2), tmp_path / "benelux-esaworldcover")
    path = write_archive(tmp_path / "benelux-esaworldcover", tmp_path / "x.zip")
    assert name_of(read_zip(path), "aschips.geojson") == (
        "benelux_sentinel2-rgb-median-2020_esa-world-cover/benelux_partitions_aschips.geojson"
    )


@pytest.mark.full
def test_memory_does_not_grow_with_the_chips(tmp_path: Path) -> None:
    peaks = []
    for rows in (64, 256):  # 1 and 4 blocks of 512 chips
        write_region(make_region(8, rows), tmp_path / str(rows))
        tracemalloc.start()
        write_archive(tmp_path / str(rows), tmp_path / f"{rows}.zip")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_what_the_layout_cannot_express_is_refused(store: Path, tmp_path: Path) -> None:
    ds = open_dataset(store)
    for wrong in (ds.llp.group(), ds.llp.restrict("division"), ds.llp.restrict("chip")):
        with pytest.raises(ArchiveError, match=r"\.llp\.group") as caught:
            write_archive(wrong, tmp_path / "x.zip")
        assert_sentence(caught.value)
    half = ds.load().copy(deep=True)
    half["label"][5, 50:] = 255
    with pytest.raises(ArchiveError, match="labelled in part") as caught:
        write_archive(half, tmp_path / "x.zip")
    assert_sentence(caught.value)
    assert not any(tmp_path.iterdir())


def test_nothing_is_overwritten(archive: Path, store: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(ArchiveError, match="exists already") as caught:
        write_archive(store, archive)
    assert_sentence(caught.value)
    assert archive.read_bytes() == before


def test_a_full_disk_leaves_nothing(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(ArchiveError, match="No space left on device") as caught:
        write_archive(store, tmp_path / "x.zip")
    assert_sentence(caught.value)
    with pytest.raises(ArchiveError, match="could not be written"):
        write_archive(store, tmp_path / "no" / "folder.zip")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "licence", "attribution", "synthetic"),
    [
        ("benelux-esaworldcover", "CC-BY-4.0", "ESA WorldCover", False),
        ("demo-esaworldcover", "CC0-1.0", "Made by llpbench from random fields", True),
        ("mine", "not known", "", False),
    ],
)
def test_only_a_dataset_of_the_catalog_is_credited(
    tmp_path: Path, name: str, licence: str, attribution: str, synthetic: bool
) -> None:
    write_region(make_region(), tmp_path / name)
    path = write_archive(tmp_path / name, tmp_path / "x.zip")
    import_archive(path, "again")
    runner = CliRunner()
    text = runner.invoke(cli, ["info", "again"]).output
    assert f"licence: {licence}\n" in text
    assert attribution in text
    assert ("ESA" in text, "Made by llpbench" in text) == (name[0] == "b", synthetic)
    assert (
        json.loads(runner.invoke(cli, ["info", "again", "--json"]).output)["synthetic"] is synthetic
    )


def test_the_command(store: Path, archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.zip"
    result = CliRunner().invoke(cli, ["export-archive", str(store), str(path)])
    assert result.exit_code == 0, result.output
    assert str(path) in result.stdout
    assert path.read_bytes() == archive.read_bytes()
