"""Predictions as R, Julia and spreadsheets write them: the same shares, or a sentence."""

from __future__ import annotations

import csv
import decimal
import gzip
import json
import os
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
import zarr
from click.testing import CliRunner
from hostile import assert_sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from regions import make_region, write_region
from zarr.codecs import GzipCodec

import llpbench
from llpbench.cli import cli
from llpbench.errors import PredictionsError
from llpbench.predictions.names import match_categories, match_ids
from llpbench.predictions.table import check_predictions, make_predictions
from llpbench.predictions.text import read_text_table

CATEGORIES = ["other", "tree", "shrub-grass-bare", "cropland", "built-up"]
R_NAMES = ["other", "tree", "shrub.grass.bare", "cropland", "built.up"]
Table = pd.DataFrame


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 3, 2), path)
    return llpbench.open_dataset(path, "test")


@pytest.fixture(scope="module")
def table(split: xr.Dataset) -> Table:
    """Shares in steps of 1/1024, which every form here holds exactly or within its decimals."""
    random = np.random.default_rng(0)
    shares = random.multinomial(1024, np.full(5, 0.2), split.sizes["chip"]) / 1024
    made = pd.DataFrame(shares, columns=CATEGORIES)
    made.insert(0, "chip", split["chip"].to_numpy().astype(object))
    return made


def _shares(table: Table, change: Callable[[Table], Table]) -> Table:
    """The table with other cells of shares."""
    return pd.concat([table[["chip"]], change(table[CATEGORIES])], axis=1)


def _r(table: Table, path: Path, **options: object) -> None:
    """As `write.csv` of R does: names in quotes, row names, dots in the place of other signs."""
    renamed = table.set_axis(["chip", *R_NAMES], axis=1).set_axis(range(1, len(table) + 1))
    renamed.to_csv(path, quoting=csv.QUOTE_NONNUMERIC, **options)  # type: ignore[call-overload]


def _r_table(table: Table, path: Path) -> None:
    """As `write.table` of R: spaces, and one name less than columns."""
    _r(table, path, sep=" ")
    head, _, body = path.read_text().partition("\n")
    path.write_text(head.removeprefix('"" ') + "\n" + body)


def _excel(table: Table, path: Path) -> None:
    """As a German Excel: semicolons, decimal commas, a mark, and the line that names them."""
    text = table.to_csv(index=False, sep=";", decimal=",")
    path.write_text("sep=;\n" + text, encoding="utf-8-sig")


def _percent_signs(table: Table, path: Path) -> None:
    text = _shares(table, lambda s: (100 * s).map(lambda v: f"{v:.5f} %".replace(".", ",")))
    text.to_csv(path, index=False, sep="\t", encoding="utf-16")


def _more_columns(table: Table, path: Path) -> None:
    named = table.assign(division="Põlva", note="").iloc[:, [6, 3, 0, 5, 1, 2, 4, 7]]
    named.sample(frac=1, random_state=0).to_csv(path, index=False, encoding="latin-1")


def _decimals(table: Table, path: Path) -> None:
    exact = {
        name: pa.array([decimal.Decimal(value) for value in table[name]]) for name in CATEGORIES
    }
    pq.write_table(pa.table({"chip": table["chip"].tolist(), **exact}), path)


def _categorical_index(table: Table, path: Path) -> None:
    table.assign(chip=table["chip"].astype("category")).set_index("chip").to_parquet(path)


WRITTEN: dict[str, tuple[str, Callable[[Table, Path], object], str]] = {
    "R": ("p.csv", _r, "'' numbers the rows.*'shrub.grass.bare' for 'shrub-grass-bare'"),
    "R, table": ("p.txt", _r_table, "'' numbers the rows"),
    "R, zipped": ("p.csv.gz", lambda t, p: _r(t, p, compression="gzip"), "numbers the rows"),
    "pandas twice": (
        "p.csv",
        lambda t, p: t.reset_index().to_csv(p, index_label="Unnamed: 0"),
        "'Unnamed: 0', 'index' numbers the rows",
    ),
    "pandas, filtered": ("p.csv", lambda t, p: t.set_axis(range(7, 31)).to_csv(p), "numbers the"),
    "chips as index": ("p.csv", lambda t, p: t.set_index("chip").to_csv(p, index_label=""), "chip"),
    "index, categorical": ("p.parquet", _categorical_index, ""),
    "Excel": ("p.csv", _excel, ""),
    "percent signs": ("p.tsv", _percent_signs, "percentages"),
    "percent": ("p.csv", lambda t, p: _shares(t, lambda s: 100 * s).to_csv(p), "percentages"),
    "names and notes, other order": ("p.csv", _more_columns, "Windows-1252.*'division', 'note'"),
    "spaces": (
        "p.csv",
        lambda t, p: p.write_text(t.to_csv(index=False).replace(",", ", ")),
        "",
    ),
    "capitals and spaces": (
        "p.csv",
        lambda t, p: t.rename(columns=str.upper).to_csv(p, index=False),
        "'CHIP' was taken for 'chip'.*'TREE' for 'tree'",
    ),
    "ids in quotes": (
        "p.csv",
        lambda t, p: t.assign(chip="'" + t["chip"] + "'").to_csv(p, index=False),
        "names of chip are spelled otherwise",
    ),
    "ids as formulas": (
        "p.csv",
        lambda t, p: t.assign(chip='="' + t["chip"] + '"').to_csv(p, index=False),
        "names of chip are spelled otherwise",
    ),
    "separators at the end": (
        "p.csv",
        lambda t, p: p.write_text(t.to_csv(index=False).replace("\n", ",\n")),
        "",
    ),
    "lines of an old Mac": (
        "p.csv",
        lambda t, p: p.write_bytes(t.to_csv(index=False).replace("\n", "\r").encode()),
        "",
    ),
    "half precision": ("p.pq", lambda t, p: _shares(t, lambda s: s.astype("f2")).to_parquet(p), ""),
    "decimals": ("p.parquet", _decimals, ""),
    "text in parquet": (
        "p.parquet",
        lambda t, p: t.assign(division="a" * 300, when=pd.Timestamp(0)).to_parquet(p),
        "'division', 'when' holds no numbers",
    ),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_shares_are_the_same_however_they_are_written(
    name: str, table: Table, split: xr.Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, write, said = WRITTEN[name]
    write(table, tmp_path / file)
    read = check_predictions(llpbench.read_predictions(tmp_path / file, split), split)
    np.testing.assert_allclose(read["proportions"], table[CATEGORIES], atol=6e-8)
    notes = "; ".join(record.message for record in caplog.records)
    assert pd.Series([notes]).str.contains(said, regex=True).all() if said else not notes, notes


def test_whole_numbers_are_shares_too(split: xr.Dataset, tmp_path: Path) -> None:
    one_hot = pd.DataFrame(np.eye(5, dtype=np.int64)[np.arange(24) % 5], columns=CATEGORIES)
    one_hot.insert(0, "chip", split["chip"].to_numpy().astype(object))
    for file in ("p.csv", "p.parquet"):
        one_hot.to_csv(tmp_path / file) if file == "p.csv" else one_hot.to_parquet(tmp_path / file)
        read = check_predictions(llpbench.read_predictions(tmp_path / file, split), split)
        np.testing.assert_array_equal(read["proportions"], one_hot[CATEGORIES])


REFUSED: dict[str, tuple[str, Callable[[Table, Path], object], str]] = {
    "shortened ids": (
        "p.csv",
        lambda t, p: t.assign(chip=["1.23E+12", *t["chip"][1:]]).to_csv(p, index=False),
        r"'1\.23E\+12' was shortened by a spreadsheet",
    ),
    "dates for ids": (
        "p.csv",
        lambda t, p: t.assign(chip=["03.04.2024", *t["chip"][1:]]).to_csv(p, index=False),
        "'03.04.2024' was made a date by a spreadsheet",
    ),
    "coordinates": ("p.csv", lambda t, p: t.assign(lon=4.5, lat=50).to_csv(p), "'lat', 'lon'"),
    "text where shares belong": (
        "p.csv",
        lambda t, p: t.astype({"tree": object}).replace({"tree": {t.iloc[3, 2]: "some"}}).to_csv(p),
        "column 'tree' must hold numbers only, found text such as 'some'",
    ),
    "one chip in percent": (
        "p.csv",
        lambda t, p: _shares(t, lambda s: s.mul([100, *[1] * 23], axis=0)).to_csv(p),
        "sums from 1 to 100",
    ),
    "two columns of a name": (
        "p.csv",
        lambda t, p: t.set_axis(
            ["chip", "other", "tree", "tree", "cropland", "built-up"], axis=1
        ).to_csv(p, index=False),
        "two columns 'tree'",
    ),
    "names that could mean two": (
        "p.csv",
        lambda t, p: t.rename(columns={"tree": "Tree", "other": "TREE"}).to_csv(p),
        r"2 missing \('other', 'tree'\); 2 unknown \('TREE', 'Tree'\)",
    ),
    "a row too short": (
        "p.csv",
        lambda t, p: p.write_text(t.to_csv(index=False).rstrip().rpartition(",")[0]),
        "cannot be read.*must have 6 cells.*row 24 has 5",
    ),
    "a missing share": (
        "p.csv",
        lambda t, p: t.assign(tree=["NA", *t["tree"][1:]]).to_csv(p),
        "must be finite",
    ),
    "nothing but zeros": ("p.csv", lambda t, p: p.write_bytes(bytes(99)), "no text|no columns"),
    "a pipe": ("p.csv", lambda t, p: os.mkfifo(p), "no regular file"),
    "a pointer": (
        "p.parquet",
        lambda t, p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "pointer of Git LFS.*git lfs pull",
    ),
    "feather": ("p.feather", lambda t, p: p.write_bytes(b"ARROW1"), "must end in .csv"),
    "half a gzip": (
        "p.csv.gz",
        lambda t, p: p.write_bytes(gzip.compress(t.to_csv().encode())[:200]),
        "cannot be read",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(
    name: str, table: Table, split: xr.Dataset, tmp_path: Path
) -> None:
    file, write, message = REFUSED[name]
    write(table, tmp_path / file)
    with pytest.raises(PredictionsError, match=message) as caught:
        llpbench.evaluate(tmp_path / file, split)
    assert_sentence(caught.value)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (["7", "8"], "'7' has lost the zeros of '0007'"),
        (["7.0", "8.0"], "'7.0' was made a number of '0007'"),
        (["0007", "8"], "'8' has lost the zeros of '0008'"),
    ],
)
def test_ids_that_became_numbers_say_so(ids: list[str], message: str, split: xr.Dataset) -> None:
    two = split.isel(chip=[0, 1]).assign_coords(chip=["0007", "0008"])
    with pytest.raises(PredictionsError, match=message):
        check_predictions(make_predictions(ids, CATEGORIES, np.full((2, 5), 0.2)), two)


# Size


@contextmanager
def little_memory() -> Iterator[None]:
    """What is done within takes few bytes, of Python and of Arrow."""
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
        assert pa.total_allocated_bytes() - before < 16 * 2**20
    finally:
        tracemalloc.stop()


def _long_id(table: Table, path: Path) -> None:
    table.assign(chip=["x" * 10**6, *table["chip"][1:]]).to_csv(path, index=False)


def _many_rows(table: Table, path: Path) -> None:
    count = 2 * 10**6
    one = pa.array(np.zeros(count, dtype=np.int32))
    ids = pa.DictionaryArray.from_arrays(one, pa.array(["x" * 200]))
    columns = dict.fromkeys(CATEGORIES, pa.array(np.full(count, 0.2)))
    pq.write_table(pa.table({"chip": ids, **columns}), path, compression="zstd")


LARGE: dict[str, tuple[str, Callable[[Table, Path], object], str]] = {
    "a long id": ("p.csv", _long_id, "field larger than field limit"),
    "a thousand-fold csv": (
        "p.csv.gz",
        lambda t, p: p.write_bytes(gzip.compress(b"chip,tree\n" + b"," * 10**8)),
        "would be more than",
    ),
    "a wide csv": (
        "p.csv",
        lambda t, p: p.write_text("chip" + "," * 1000),
        "more than 1,000 columns",
    ),
    "many rows": ("p.parquet", _many_rows, "2000000 rows"),
    "a large csv": ("p.csv", lambda t, p: p.write_bytes(b",\n" * 10**7), "bytes; at most"),
}


@pytest.mark.parametrize("name", LARGE)
def test_memory_is_bounded_by_the_split(
    name: str, table: Table, split: xr.Dataset, tmp_path: Path
) -> None:
    file, write, message = LARGE[name]
    write(table, tmp_path / file)
    with little_memory(), pytest.raises(PredictionsError, match=message) as caught:
        llpbench.read_predictions(tmp_path / file, split)
    assert_sentence(caught.value)


def _edit(array: str, **changes: object) -> Callable[[Path], None]:
    def edit(path: Path) -> None:
        file = path / array / "zarr.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))

    return edit


def _grow(path: Path) -> None:
    with (path / "chip/c/0").open("r+b") as file:
        file.truncate(2**42)


def _deepen(path: Path) -> None:
    path.joinpath(*["d"] * 50).mkdir(parents=True)


def _gzipped(path: Path) -> None:
    shutil.rmtree(path / "segmentation")
    group = zarr.open_group(path, mode="r+")
    grid = group.create_array(
        "segmentation",
        shape=(24, 24, 24),
        dtype="uint8",
        compressors=GzipCodec(),
        dimension_names=("chip", "row", "column"),
    )
    grid[:] = 1


def _bomb(path: Path) -> None:
    """A chunk that inflates to 1000 times what it should have."""
    import numcodecs

    chunk = numcodecs.Zstd().encode(bytes(24 * 24 * 24 * 1000))
    (path / "segmentation/c/0/0/0").write_bytes(chunk)


def _chunks(*sides: int) -> dict[str, object]:
    return {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": sides}}}


HARMFUL: dict[str, tuple[Callable[[Path], object], str]] = {
    "a sparse file": (_grow, "4398046511104 bytes"),
    "a deep folder": (_deepen, "there is no zarr.json"),
    "a missing chunk": (
        lambda p: (p / "segmentation/c/0/0/0").unlink(),
        "lacks its file",
    ),
    "a large array": (_edit("segmentation", shape=[24, 10**6, 10**6]), "larger chunks"),
    "a large chunk": (_edit("segmentation", **_chunks(10**6, 10**4, 1)), "takes more than"),
    "tiny chunks": (_edit("segmentation", **_chunks(1, 1, 1)), "lacks its file"),
    "a chunk without extent": (
        _edit("segmentation", **_chunks(24, 0, 24)),
        "equal to 1",
    ),
    "a chunk that grows": (_bomb, "inflate|larger"),
    "another codec": (_edit("chip", codecs=[{"name": "pickle"}]), "pickle"),
    "a codec that hides sizes": (_gzipped, "gzip"),
    "objects": (_edit("chip", data_type="object"), "type 'object'"),
    "an older format": (_edit("chip", zarr_format=2), "zarr_format"),
    "nonsense": (lambda p: (p / "chip/zarr.json").write_text("[" * 10**5), "cannot be read"),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_zarr_folders_are_judged_before_they_are_opened(
    name: str, table: Table, split: xr.Dataset, tmp_path: Path
) -> None:
    harm, message = HARMFUL[name]
    grid = np.zeros((24, 24, 24), dtype=np.uint8)
    path = tmp_path / "p.zarr"
    made = make_predictions(table["chip"].to_numpy(), CATEGORIES, table[CATEGORIES], grid)
    llpbench.write_predictions(made, path)
    xr.testing.assert_equal(llpbench.read_predictions(path, split), made)
    harm(path)
    with little_memory(), pytest.raises(PredictionsError, match=message) as caught:
        llpbench.read_predictions(path, split)
    assert_sentence(caught.value)


# Parsers


@given(st.binary(max_size=300))
@settings(max_examples=40)
def test_any_bytes_are_a_table_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        llpbench.read_predictions(path)
    except PredictionsError as error:
        assert_sentence(error)


_NAMES = st.lists(
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=5),
    min_size=2,
    max_size=5,
    unique_by=lambda name: name.strip("\"'"),
)


@given(_NAMES, st.integers(1, 4), st.sampled_from(",;\t|"))
@settings(max_examples=40)
def test_a_table_that_csv_writes_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], rows: int, separator: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "names.csv"
    cells = [[f"{row}{name}" for name in names] for row in range(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([names, *cells])
    read = read_text_table(path, 10**6)
    assert read.column_names == names
    assert [list(row.values()) for row in read.rename_columns(list(map(str, range(len(names)))))
            .to_pylist()] == cells  # fmt: skip


@given(st.lists(st.sampled_from(["a b", "a.b", "A-B", "ab", "X1", "1", " 1", "x.1"]), unique=True))
def test_names_are_matched_one_to_one_or_not_at_all(found: list[str]) -> None:
    for match, expected in ((match_categories, ["a-b", "1"]), (match_ids, ["ab", "x1", "A B"])):
        meant = match(found, expected)
        assert len(set(meant.values())) == len(meant)
        assert set(meant) <= set(found)
        assert set(meant.values()) <= set(expected)
        assert all(meant[name] == name for name in found if name in expected)


# The command


def test_convert_goes_round(table: Table, split: xr.Dataset, tmp_path: Path) -> None:
    dataset = str(split.llp.info.store)
    _r(table, tmp_path / "r.csv")
    run = CliRunner().invoke
    steps = ["r.csv", "a.parquet", "b.zarr", "c.csv.gz", "d.pq"]
    for number, (source, target) in enumerate(pairwise(steps)):
        paths = [str(tmp_path / source), str(tmp_path / target)]
        known = ["--dataset", dataset] if number == 0 else []
        done = run(cli, ["convert", *paths, *known])
        assert done.exit_code == 0, done.output
    last = llpbench.read_predictions(tmp_path / "d.pq")
    assert last["category"].to_numpy().tolist() == CATEGORIES
    assert last["chip"].to_numpy().tolist() == split["chip"].to_numpy().tolist()
    np.testing.assert_array_equal(last["proportions"], table[CATEGORIES].astype(np.float32))
    again = run(cli, ["convert", str(tmp_path / "d.pq"), "-o", str(tmp_path / "a.parquet")])
    assert isinstance(again.exception, PredictionsError)
    assert "exists" in str(again.exception)


def test_convert_fills_the_folder_of_an_entry(
    table: Table, split: xr.Dataset, tmp_path: Path
) -> None:
    files = [str(tmp_path / f"{name}.csv") for name in ("first", "second")]
    for file in files:
        _excel(table, Path(file))
    entry = tmp_path / "tartu__r"
    command = ["convert", *files, str(entry), "--dataset", str(split.llp.info.store)]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    names = sorted(path.name for path in (entry / "grid").iterdir())
    assert names == ["seed-0.parquet", "seed-1.parquet"]
    read = pd.read_parquet(entry / "grid" / "seed-1.parquet")
    assert read.columns.tolist() == ["chip", *CATEGORIES]
    np.testing.assert_allclose(read[CATEGORIES], table[CATEGORIES], atol=1e-7)
    assert isinstance(CliRunner().invoke(cli, command).exception, PredictionsError)  # is there
    assert CliRunner().invoke(cli, ["convert", files[0], str(entry)]).exit_code == 2


def test_percentages_that_were_rounded_need_renormalise(
    table: Table, split: xr.Dataset, tmp_path: Path
) -> None:
    path = tmp_path / "p.csv"
    _shares(table, lambda s: (100 * s).round()).to_csv(path, index=False)
    with pytest.raises(PredictionsError, match="--renormalise"):
        check_predictions(llpbench.read_predictions(path, split), split)
    read = check_predictions(llpbench.read_predictions(path, split), split, renormalise=True)
    rounded = (100 * table[CATEGORIES]).round()
    expected = rounded.div(rounded.sum(axis=1), axis=0)
    np.testing.assert_allclose(read["proportions"], expected, rtol=1e-6)
