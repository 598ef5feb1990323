"""Datasets of strangers: refused in one line whatever they hold, before any of it can act."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from hostile import Payload, assert_sentence

import llpbench
from llpbench.cli import main
from llpbench.data.store import verify_store
from llpbench.errors import LLPBenchError, PredictionsError, StoreError


@pytest.fixture
def copy(store: Path, tmp_path: Path) -> Path:
    """A store to damage."""
    return Path(shutil.copytree(store, tmp_path / "copy"))


def _refused(path: Path, match: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``info`` says in one line what is wrong, and opening raises it."""
    with pytest.raises(SystemExit) as left:
        main(["info", str(path)])
    assert left.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("llpbench: ")
    with pytest.raises(StoreError, match=match) as caught:
        llpbench.open_dataset(path).llp.divisions()
    assert_sentence(caught.value)


def _edit_json(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


# What Zarr would do


def _format_2(path: Path, marker: Path) -> None:
    """An array of format 2 whose filter unpickles what it is given."""
    array = path / "chips.zarr/split"
    shutil.rmtree(array)
    array.mkdir()
    metadata = {
        "zarr_format": 2,
        "shape": [36],
        "chunks": [36],
        "dtype": "|O",
        "compressor": None,
        "fill_value": None,
        "order": "C",
        "filters": [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 5}],
    }
    (array / ".zarray").write_text(json.dumps(metadata))
    (array / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["chip"]}')
    (array / "0").write_bytes(pickle.dumps(Payload(Path.touch, marker)))


def _whole_format_2(path: Path, marker: Path) -> None:
    _format_2(path, marker)
    (path / "chips.zarr/zarr.json").unlink()
    (path / "chips.zarr/.zgroup").write_text('{"zarr_format": 2}')


def _pickle_codec(path: Path, marker: Path) -> None:
    array = path / "chips.zarr/split"
    pickling = {"name": "numcodecs.pickle", "configuration": {"protocol": 5}}
    _edit_json(array / "zarr.json", lambda found: found["codecs"].append(pickling))
    (array / "c/0").write_bytes(pickle.dumps(Payload(Path.touch, marker)))


@pytest.mark.parametrize("harm", [_format_2, _whole_format_2, _pickle_codec])
def test_no_array_runs_code(
    harm: Callable[[Path, Path], None],
    copy: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    marker = tmp_path / "ran"
    harm(copy, marker)
    _refused(copy, r"zarr\.json|codecs", capsys)
    with pytest.raises(StoreError):
        verify_store(copy)
    assert not marker.exists()


ZARR: dict[str, tuple[str, Callable[[dict[str, Any]], object], str]] = {
    "gzip": ("target", lambda m: m["codecs"][1].update(name="gzip"), "codecs"),
    "objects": ("target", lambda m: m.update(data_type="object"), "type 'object'"),
    "bytes": ("target", lambda m: m.update(data_type={"name": "raw_bytes"}), "data_type"),
    "other types": ("target", lambda m: m.update(data_type="int32"), "target should be float32"),
    "another shape": ("target", lambda m: m.update(shape=[36, 11]), "target has 11 along category"),
    "a huge shape": ("target", lambda m: m.update(shape=[2**40, 12]), "more than 262144 files"),
    "no end of shape": ("target", lambda m: m.update(shape=[10**30, 12]), "shape"),
    "a negative shape": ("target", lambda m: m.update(shape=[-1, 12]), "shape"),
    "a huge chunk": (
        "target",
        lambda m: m["chunk_grid"]["configuration"].update(chunk_shape=[2**30, 12]),
        "268435456 bytes",
    ),
    "tiny chunks in shards": (
        "image",
        lambda m: m["codecs"][0]["configuration"].update(chunk_shape=[1, 1, 1, 1]),
        "65536 chunks in a shard",
    ),
    "odd chunks in shards": (
        "image",
        lambda m: m["codecs"][0]["configuration"].update(chunk_shape=[5, 100, 100, 3]),
        "do not fill shards",
    ),
    "transformers": ("target", lambda m: m.update(storage_transformers=[{}]), "storage"),
    "a group": ("target", lambda m: m.update(node_type="group"), "node_type"),
    "other names": ("target", lambda m: m.update(dimension_names=["x", "y"]), "target should be"),
    "too few names": ("target", lambda m: m.update(dimension_names=["chip"]), "differ in number"),
}


@pytest.mark.parametrize("name", ZARR)
def test_arrays_that_no_store_has(
    name: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    array, change, match = ZARR[name]
    _edit_json(copy / "chips.zarr" / array / "zarr.json", change)
    _refused(copy, match, capsys)


def _link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


def _linked_folder(file: Path) -> None:
    folder = file.parents[1]
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "lacks its file 'c/0/0', which would read as zeros"),
    "empty": (lambda file: file.write_bytes(b""), "'c/0/0' .0 bytes"),
    "4 TB": (lambda file: os.truncate(file, 2**42), "4398046511104 bytes"),
    "a folder": (lambda file: (file.unlink(), file.mkdir()), "no regular file"),
    "a link": (_link, "no regular file of this folder"),
    "in a linked folder": (_linked_folder, "no regular file of this folder"),
    "a pipe": (lambda file: (file.unlink(), os.mkfifo(file)), "no regular file"),
    "nonsense": (lambda file: file.write_bytes(bytes(100)), "cannot be read"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_of_an_array(name: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    harm, match = FILES[name]
    harm(copy / "chips.zarr/target/c/0/0")
    _refused(copy, match, capsys)


@pytest.mark.parametrize("name", ["image", "label"])
def test_a_missing_shard_is_not_black(
    name: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shard,) = (file for file in (copy / "chips.zarr" / name / "c").rglob("*") if file.is_file())
    shard.unlink()
    _refused(copy, f"array '{name}' lacks its file 'c/0/0/0", capsys)


def test_metadata_that_is_endless_deep_or_a_pipe(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = copy / "chips.zarr/target/zarr.json"
    whole = file.read_bytes()
    for content in (b"[" * 10**5, b'{"shape": "\xff"}', b"{}"):
        file.write_bytes(content)
        _refused(copy, "cannot be read", capsys)
    os.truncate(file, 2**42)
    _refused(copy, "4398046511104 bytes", capsys)
    file.unlink()
    os.mkfifo(file)
    _refused(copy, "no regular file", capsys)
    file.unlink()
    file.write_bytes(whole)
    deep = copy / "chips.zarr/.deep"
    for _ in range(60):
        deep = deep / "d"
    deep.mkdir(parents=True)
    assert llpbench.open_dataset(copy).sizes["chip"] == 36


def test_a_chunk_inflates_to_no_more_than_its_size(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame of 2**30 zeros takes 32 kB; a chunk of the target has 36 x 12 x 4 bytes."""
    from numcodecs.zstd import compress

    bomb = compress(bytes(2**28), 1)
    assert len(bomb) < 2**15
    (copy / "chips.zarr/target/c/0/0").write_bytes(bomb[: 36 * 12 * 4])
    _refused(copy, "would inflate to 268435456 bytes", capsys)


def test_damaged_pixels_are_one_sentence_whoever_reads_them(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (shard,) = (copy / "chips.zarr/label/c").rglob("0/0/0")
    content = bytearray(shard.read_bytes())
    content[:200] = bytes(200)
    shard.write_bytes(content)
    with pytest.raises(SystemExit) as left:
        main(["info", str(copy)])
    assert left.value.code == 1
    assert "pixels of a dataset cannot be read" in capsys.readouterr().err
    with pytest.raises(StoreError, match="pixels") as caught:
        llpbench.open_dataset(copy)["label"].load()
    assert_sentence(caught.value)


# What its tables say


def _set(name: str, place: Any, value: object) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        zarr.open_array(path / "chips.zarr" / name, mode="r+")[place] = value

    return change


CONTENTS: dict[str, tuple[Callable[[Path], object], str]] = {
    "an array too few": (lambda path: shutil.rmtree(path / "chips.zarr/lon"), "no array 'lon'"),
    "an array too many": (
        lambda path: shutil.copytree(path / "chips.zarr/lon", path / "chips.zarr/more"),
        "no store has: 'more'",
    ),
    "an unknown split": (_set("split", 0, "dev"), "found 'dev'"),
    "an unknown split of chips": (_set("split_chip", 0, "dev"), "found 'dev'"),
    "an unknown owner": (_set("own_division", 0, "nowhere"), "not there: 'nowhere'"),
    "an overlap of no chip": (_set("overlap_chip", 0, 36), "0 to 35, found 36"),
    "an overlap of a chip before": (_set("overlap_chip", 0, -1), "0 to 35, found -1"),
    "an overlap of no division": (_set("overlap_division", 0, 4), "0 to 3, found 4"),
    "a negative area": (_set("overlap_area", 0, -1.0), "areas"),
    "an area of NaN": (_set("overlap_area", 0, np.nan), "areas"),
    "an overlap twice": (
        lambda path: [_set(f"overlap_{what}", [0, 1], 0)(path) for what in ("chip", "division")],
        "twice",
    ),
    "numbers that are others": (_set("chip_number", 3, 7), "chip_number should be"),
    "an id twice": (_set("chip", slice(0, 2), "same"), "more than once: 'same'"),
    "an empty id": (_set("division", 0, ""), "1 to 200 characters"),
    "an id that turns the screen red": (_set("chip", 0, "\x1b[31mred"), "that print"),
    "a long id": (_set("chip", 0, "x" * 201), "1 to 200 characters"),
    "shares above 1": (_set("division_proportions", 0, 0.5), "1 rows of division_proportions"),
    "shares of NaN": (_set("target", (2, 0), np.nan), "1 rows of target"),
    "infinite bounds": (_set("bounds", (0, 0), np.inf), "bounds"),
    "other bands": (_set("band", 0, "blue"), "band should be"),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_tables_that_contradict(name: str, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change, match = CONTENTS[name]
    change(copy)
    _refused(copy, match, capsys)


def _classes(path: Path, number: int) -> dict[str, Any]:
    made = [{"name": f"class {n}", "colour": "#102030"} for n in range(number)]
    groups = [{"name": "all", "members": [*range(number)], "weight": 1.0, "colour": "#102030"}]
    return {"classes": made, "groups": groups}


INFO: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "a name that is a path": (lambda i: i.update(name="../../outside"), "name"),
    "an absolute name": (lambda i: i.update(name="/tmp/outside"), "name"),
    "a hidden name": (lambda i: i.update(name=".hidden"), "name"),
    "a name of two lines": (lambda i: i.update(name="grid\n"), "name"),
    "an escape in the title": (lambda i: i.update(title="\x1b]0;x\x07"), "title: .*not print"),
    "a lone surrogate": (lambda i: i.update(attribution="\ud800"), "attribution"),
    "a turned licence": (lambda i: i.update(licence="\u202eevil"), "licence: .*not print"),
    "no classes": (lambda i: i["label_set"].update(_classes(Path(), 0)), "has 0 label classes"),
    "300 classes": (lambda i: i["label_set"].update(_classes(Path(), 300)), "has 300 label"),
    "a wrong colour": (lambda i: i["label_set"]["classes"][0].update(colour="reddish"), "#rrggbb"),
    "a wrong group colour": (lambda i: i["label_set"]["groups"][1].update(colour="#12"), "#rrggbb"),
    "equal class names": (
        lambda i: i["label_set"]["classes"][0].update(name=i["label_set"]["classes"][1]["name"]),
        "two label classes are called",
    ),
    "equal group names": (
        lambda i: i["label_set"]["groups"][0].update(name=i["label_set"]["groups"][1]["name"]),
        "two class groups are called",
    ),
    "an empty class name": (lambda i: i["label_set"]["classes"][0].update(name=" "), "1 to 100"),
    "an escape in a class": (
        lambda i: i["label_set"]["classes"][0].update(name="\x1b[31m"),
        "not print",
    ),
    "a weight of NaN": (
        lambda i: i["label_set"]["groups"][0].update(weight=float("nan")),
        "the weight of",
    ),
    "a negative weight": (lambda i: i["label_set"]["groups"][0].update(weight=-1), "the weight of"),
    "no resolution": (lambda i: i["label_set"].update(resolution_m=0), "resolution_m"),
    "other classes": (
        lambda i: i["label_set"]["classes"][0].update(name="renamed"),
        "category_name should be",
    ),
    "no chips": (lambda i: i.update(chips=0), "chips"),
    "too many chips": (lambda i: i.update(chips=2_000_001), "less than or equal to 2000000"),
    "other chips": (lambda i: i.update(chips=35), "should hold 35 chips"),
    "a grid of no size": (
        lambda i: i.update(
            grid={"crs": "EPSG:32631", "west": 0, "north": 0, "width": 0, "height": 1}
        ),
        "grid",
    ),
    "a grid of no projection": (
        lambda i: i.update(grid={"crs": "flat", "west": 0, "north": 0, "width": 1, "height": 1}),
        "grid",
    ),
}


@pytest.mark.parametrize("name", INFO)
def test_descriptions_that_no_dataset_has(
    name: str, copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change, match = INFO[name]
    _edit_json(copy / "store.json", change)
    _refused(copy, match, capsys)


@pytest.mark.parametrize(
    "table",
    [
        {"id": ["a"], "name": ["a"]},
        {"id": [1], "name": ["a"], "area_km2": [1.0], "geometry": [b""]},
        {"id": ["a"], "name": ["a"], "area_km2": ["x"], "geometry": [b""]},
        {"id": ["a"], "name": ["a"], "area_km2": [1.0], "geometry": [b"no outline"]},
    ],
)
def test_a_damaged_table_of_divisions(table: dict[str, list[Any]], copy: Path) -> None:
    pq.write_table(pa.table(table), copy / "divisions.parquet")
    with pytest.raises(StoreError, match=r"divisions\.parquet cannot be read") as caught:
        llpbench.open_dataset(copy).llp.divisions()
    assert_sentence(caught.value)


@pytest.mark.parametrize("command", [["template", "-o", "p.csv"], ["leaderboard", "truth"]])
def test_a_name_that_is_a_path_writes_nowhere(
    command: list[str], copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _edit_json(copy / "store.json", lambda info: info.update(name="../../../outside"))
    work = tmp_path / "a/b/c/d"
    work.mkdir(parents=True)
    monkeypatch.chdir(work)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SystemExit) as left:
        main([*command, str(copy)])
    assert left.value.code == 1
    assert sorted(tmp_path.rglob("*")) == before


# Predictions are Zarr folders too


@pytest.fixture
def predictions(store: Path, tmp_path: Path) -> Path:
    """Predictions of class 0 everywhere, in a zarr folder."""
    test = llpbench.open_dataset(store, "test").llp.group()
    shares = np.zeros((test.sizes["chip"], test.sizes["category"]))
    shares[:, 0] = 1
    made = llpbench.make_predictions(
        test["chip"].to_numpy(),
        test["category_name"].to_numpy(),
        shares,
        np.zeros((test.sizes["chip"], 24, 24), dtype=np.uint8),
    )
    llpbench.write_predictions(made, tmp_path / "p.zarr")
    return tmp_path / "p.zarr"


def test_predictions_of_one_class_alone_are_whole(predictions: Path, store: Path) -> None:
    """Zarr by itself would leave out their chunks of zeros."""
    assert (predictions / "segmentation/c/0/0/0").is_file()
    assert llpbench.read_predictions(predictions)["segmentation"].max() == 0


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        (lambda path: (path / "segmentation/c/0/0/0").unlink(), "'segmentation' lacks its file"),
        (lambda path: _edit_json(path / "zarr.json", lambda m: m.update(zarr_format=2)), "format"),
        (
            lambda path: _edit_json(
                path / "proportions/zarr.json",
                lambda m: m["codecs"].append({"name": "numcodecs.pickle"}),
            ),
            "codecs",
        ),
    ],
)
def test_predictions_that_are_not_whole_or_plain(
    harm: Callable[[Path], object], match: str, predictions: Path
) -> None:
    harm(predictions)
    with pytest.raises(PredictionsError, match=match) as caught:
        llpbench.read_predictions(predictions)
    assert_sentence(caught.value)


# Other programs read what was opened


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_an_opened_dataset_goes_to_any_format(store: Path, tmp_path: Path) -> None:
    import xarray as xr

    ds = llpbench.open_dataset(store)
    ds.to_zarr(tmp_path / "two.zarr", zarr_format=2)
    ds.to_zarr(tmp_path / "three.zarr", zarr_format=3)
    tables = ds.drop_vars(["image", "label"])  # netCDF 3 has no uint8
    tables.to_netcdf(tmp_path / "tables.nc")
    for path, whole in (("two.zarr", ds), ("three.zarr", ds)):
        with xr.open_zarr(tmp_path / path) as copied:
            xr.testing.assert_equal(copied.load(), whole.load())
    with xr.open_dataset(tmp_path / "tables.nc") as copied:
        np.testing.assert_array_equal(copied["target"], ds["target"])


# Names


def test_a_folder_here_does_not_replace_a_dataset_of_its_name(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(store.parent))
    work = tmp_path / "work"
    (work / "grid").mkdir(parents=True)
    monkeypatch.chdir(work)
    with caplog.at_level("WARNING", logger="llpbench"):
        assert llpbench.open_dataset("grid").llp.info.store == store.resolve()
    assert "for the folder here, write ./grid" in caplog.text
    for named in ("./grid", Path("grid")):
        with pytest.raises(StoreError, match="is not a dataset"):
            llpbench.open_dataset(named)


def test_a_damaged_dataset_and_one_not_published_are_listed(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from dataclasses import replace

    from llpbench import catalog

    whole = catalog.load()
    planned = replace(whole.datasets["benelux-humanpop"], name="planned", record=None)
    changed = replace(whole, datasets={**whole.datasets, "planned": planned})
    monkeypatch.setattr(catalog, "load", lambda: changed)
    monkeypatch.setattr(catalog, "dataset", changed.datasets.__getitem__)
    monkeypatch.setenv("LLPBENCH_CACHE", str(copy.parent))
    (copy / "store.json").write_text("{")
    main_states = _states(capsys)
    assert (main_states["copy"], main_states["planned"]) == ("damaged", "absent")


def _states(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    main(["datasets", "--json"])
    return {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)}


def test_a_deep_folder_is_listed(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LLPBENCH_CACHE", str(copy.parent))
    monkeypatch.chdir(copy)
    for _ in range(1500):  # more than Python may recurse
        os.mkdir("d")  # noqa: PTH102
        os.chdir("d")
    monkeypatch.chdir(copy)
    assert _states(capsys)["copy"] == "ready"
    subprocess.run(["rm", "-rf", "d"], check=True)


# Two at once


_MAKE = "import llpbench, sys; print(llpbench.synthesize('twice', 'humanpop', chips=60, seed=1))"


def test_two_makers_of_one_name(tmp_path: Path) -> None:
    """One makes it, the other says that it is there; what stands there is whole."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-P", "-m", "llpbench", "synthesize", "twice", "--chips", "60"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=300) for process in processes]
    assert sorted(process.returncode for process in processes) == [0, 1], outputs
    assert verify_store(Path(os.environ["LLPBENCH_CACHE"]) / "twice").chips >= 1
    (failed,) = (output for output, done in zip(outputs, processes, strict=True) if done.returncode)
    assert "twice" in failed[1]
    assert "Traceback" not in failed[1]


def test_a_dataset_that_is_being_made_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The second writer waits for the lock of the first, and never writes into its part."""
    import threading

    from regions import make_region, write_region

    from llpbench.writing import locked, part_path

    path, errors = tmp_path / "grid", list[BaseException]()

    def second() -> None:
        try:
            write_region(make_region(), path)
        except BaseException as error:
            errors.append(error)

    with caplog.at_level("WARNING", logger="llpbench"), locked(path):
        thread = threading.Thread(target=second)
        thread.start()
        while "another process is busy with" not in caplog.text and thread.is_alive():
            thread.join(0.01)
        assert not part_path(path).exists()
        path.mkdir()
    thread.join()
    (error,) = errors
    assert isinstance(error, StoreError)
    assert "exists already" in str(error)


def test_cleaning_leaves_what_another_process_makes(tmp_path: Path) -> None:
    from llpbench.data.cache import cache_folder
    from llpbench.data.holdings import holdings, remove
    from llpbench.writing import locked, part_path

    path = cache_folder() / "grid"
    part_path(path).mkdir(parents=True)
    (part_path(path) / "plan").write_text("")
    (held,) = holdings()
    with locked(path), pytest.raises(LLPBenchError, match="another process is at work on"):
        remove(held)
    assert part_path(path).exists()
    remove(held)
    assert not part_path(path).exists()


def test_a_killed_clean_leaves_the_name_free(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from llpbench.data.cache import cache_folder, new_store_path
    from llpbench.data.holdings import holdings, remove

    shutil.copytree(store, cache_folder() / "grid")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    (held,) = holdings()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            remove(held)
    assert new_store_path("grid") == cache_folder() / "grid"
    (held,) = holdings()
    assert (held.name, held.kind) == ("grid", "partial")
    remove(held)
    assert not holdings()
