"""Entries made to harm: always a verdict in sentences, nothing followed, nothing large read."""

from __future__ import annotations

import os
import random
import shutil
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xarray as xr
from boards import make_board, write_entry
from hostile import assert_sentence
from mutating import mutate
from regions import make_region, write_region

import llpbench
from llpbench.board.adding import add_entry
from llpbench.board.checking import check_entry
from llpbench.board.layout import Board
from llpbench.board.links import board_links
from llpbench.board.truth import read_truth
from llpbench.errors import BoardError

COUNTS = [
    pytest.param(75, id="few"),
    pytest.param(5000, id="all", marks=[pytest.mark.full, pytest.mark.timeout(1800)]),
]
MOST_MEMORY = 64 * 2**20


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Board, Path]:
    """A board, and an entry to spoil copies of."""
    folder = tmp_path_factory.mktemp("board")
    write_region(make_region(6, 3, 3, 1), folder / "grid")
    board = make_board(folder / "leaderboard", llpbench.open_dataset(folder / "grid"))
    return board, write_entry(folder / "tartu__bag-ridge", read_truth(board.truth("grid")))


@pytest.fixture
def board(made: tuple[Board, Path]) -> Board:
    return made[0]


@pytest.fixture
def truth(board: Board) -> xr.Dataset:
    return read_truth(board.truth("grid"))


@pytest.fixture
def entry(made: tuple[Board, Path], tmp_path: Path) -> Path:
    """A copy of the good entry."""
    folder = tmp_path / "tartu__bag-ridge"
    shutil.copytree(made[1], folder)
    return folder


def assert_refused(folder: Path, board: Board, said: str) -> None:
    """Refused in one sentence, and not added."""
    before = sorted(board.folder.rglob("*"))
    verdict = check_entry(folder, board)
    assert verdict.is_refused
    refused = [one.sentence for one in verdict.reasons if one.level == "refused"]
    assert any(said in sentence for sentence in refused), refused
    for sentence in refused:
        assert_sentence(BoardError(sentence))
    assert add_entry(folder, board)[0].is_refused
    assert sorted(board.folder.rglob("*")) == before


@pytest.mark.parametrize(
    "name",
    ["tartu", "Tartu__Ridge", "tartu__", "__x", "a__b__c", "tartu__bag ridge", "a_b__c", "é__a"],
)
def test_folders_of_other_names_are_refused(entry: Path, board: Board, name: str) -> None:
    assert_refused(entry.rename(entry.with_name(name)), board, "<team>__<method>")


def test_an_entry_under_another_name_is_refused(entry: Path, board: Board) -> None:
    assert_refused(entry.rename(entry.with_name("other__ridge")), board, "must be called")


@pytest.mark.parametrize("name", ["run.sh", ".git", "grid/seed-0.csv", "grid/seed-00.parquet",
                                  "grid/seed--1.parquet", "grid/deep/seed-0.parquet"])  # fmt: skip
def test_files_that_have_no_place_are_refused(entry: Path, board: Board, name: str) -> None:
    (entry / name).parent.mkdir(exist_ok=True)
    (entry / name).write_text("hello")
    assert_refused(entry, board, "no place in an entry")


@pytest.mark.parametrize("name", ["entry.yaml", "grid/seed-0.parquet"])
@pytest.mark.parametrize("target", ["/etc/passwd", "../../elsewhere", "/dev/zero"])
def test_links_to_files_are_refused(entry: Path, board: Board, name: str, target: str) -> None:
    (entry / name).unlink()
    (entry / name).symlink_to(target)
    assert_refused(entry, board, "no link")


def test_links_to_folders_are_refused(entry: Path, board: Board, tmp_path: Path) -> None:
    (entry / "grid").rename(tmp_path / "elsewhere")
    (entry / "grid").symlink_to(tmp_path / "elsewhere")
    assert_refused(entry, board, "no place in an entry")
    entry.rename(tmp_path / "moved")
    entry.symlink_to(tmp_path / "moved")
    assert_refused(entry, board, "must be a folder")


def test_links_inside_a_segmentation_are_refused(entry: Path, board: Board) -> None:
    inside = entry / "grid" / "seed-0.zarr" / "c"
    inside.mkdir(parents=True)
    (inside / "0").symlink_to("/etc/passwd")
    assert_refused(entry, board, "holds a link")


def test_pipes_are_refused_and_not_waited_for(entry: Path, board: Board) -> None:
    (entry / "entry.yaml").unlink()
    os.mkfifo(entry / "entry.yaml")
    assert_refused(entry, board, "no regular file")


@pytest.mark.parametrize("name", ["entry.yaml", "grid/seed-1.parquet"])
def test_huge_files_are_refused_unread(entry: Path, board: Board, name: str) -> None:
    os.truncate(entry / name, 2**40)  # sparse: takes no room
    tracemalloc.start()
    try:
        assert_refused(entry, board, "bytes; at most")
        assert tracemalloc.get_traced_memory()[1] < MOST_MEMORY
    finally:
        tracemalloc.stop()


def test_many_files_are_refused(entry: Path, board: Board) -> None:
    for number in range(1100):
        (entry / "grid" / f"seed-{number}.parquet").touch()
    assert_refused(entry, board, "more than 1001 files")


def test_an_empty_folder_is_refused(tmp_path: Path, board: Board) -> None:
    (tmp_path / "a__b").mkdir()
    assert_refused(tmp_path / "a__b", board, "holds no entry.yaml")
    assert_refused(tmp_path / "no__where", board, "must be a folder")


def test_paths_in_metadata_are_refused(entry: Path, board: Board) -> None:
    path = entry / "entry.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\n  grid:", "\n  ../../grid:"), encoding="utf-8")
    assert_refused(entry, board, "datasets")


def _tables(truth: xr.Dataset) -> dict[str, pa.Table]:
    """Predictions as few bytes that would be many in memory, or of wrong types."""
    names, count = truth["category_name"].to_numpy(), truth.sizes["chip"]
    chips = pa.array(truth["chip"].to_numpy().astype(object), pa.string())
    share = pa.array([1 / len(names)] * count)
    good = {"chip": chips, **dict.fromkeys(names, share)}
    one = pa.array([0] * count, pa.int32())
    long = pa.DictionaryArray.from_arrays(one, pa.array(["x" * 10_000_000]))
    return {
        "a long id": pa.table({**good, "chip": long}),
        "long text for a share": pa.table({**good, names[0]: long}),
        "text for a share": pa.table({**good, names[0]: pa.array(["0.2"] * count)}),
        "lists for shares": pa.table({**good, names[0]: pa.array([[0.2]] * count)}),
        "numbers for ids": pa.table({**good, "chip": pa.array(range(count))}),
        "nothing for ids": pa.table({**good, "chip": pa.nulls(count, pa.string())}),
        "nothing for shares": pa.table({**good, names[0]: pa.nulls(count)}),
        "a column more": pa.table({**good, "more": share}),
        "no chip": pa.table({name: column for name, column in good.items() if name != "chip"}),
        "a row less": pa.table(good).slice(1),
    }


@pytest.mark.parametrize("number", range(10))
def test_tables_of_other_forms_are_refused(
    entry: Path, board: Board, truth: xr.Dataset, number: int
) -> None:
    table = list(_tables(truth).values())[number]
    pq.write_table(table, entry / "grid" / "seed-0.parquet", compression="zstd")
    assert_refused(entry, board, "seed-0.parquet")


def test_metadata_in_a_file_cannot_be_anything(entry: Path, board: Board) -> None:
    path = entry / "grid" / "seed-0.parquet"
    table = pq.read_table(path)
    for content in (b"[" * 100_000, b'{"seed": [1]}', b'{"dataset": "x"}', b"\xff"):
        pq.write_table(table.replace_schema_metadata({b"llpbench": content}), path)
        verdict = check_entry(entry, board)
        for reason in verdict.reasons:
            assert_sentence(BoardError(reason.sentence))
        assert verdict.is_refused is (content != b'{"seed": [1]}')


MARKUP = "<script>alert('x')</script><img src=x onerror=alert(1)> {{7*7}} ${x} [a](javascript:b)"


def test_markup_in_every_text_field_is_text_or_refused(
    tmp_path: Path, board: Board, truth: xr.Dataset
) -> None:
    free = {
        "title": MARKUP,
        "description": MARKUP + "\n" + MARKUP,
        "authors": [{"name": MARKUP, "affiliation": MARKUP}],
        "paper": {"title": MARKUP, "bibtex": MARKUP},
        "selection": MARKUP,
        "external_data": [MARKUP],
        "pretrained_weights": [MARKUP],
        "hardware": MARKUP,
        "hyperparameters": {"a": MARKUP},
        "part.command": MARKUP,
    }
    assert check_entry(write_entry(tmp_path / "a__b", truth, changes=free), board).level == "clean"
    bound = ("team", "method", "contact", "licence", "track", "supervision", "code", "datasets")
    for field in (*bound, "part.digest", "part.trained_on", "part.seeds", "part.footprint"):
        folder = write_entry(tmp_path / "c__d", truth, changes={field: MARKUP})
        assert_refused(folder, board, "entry.yaml: ")
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format: 1\nrepository: javascript:alert(1)\n", "repository: must begin with https://"),
        ("format: 1\npaper: http://example.org\n", "paper: must begin with https://"),
        (
            'format: 1\nprotocol: https://a.b/"><script>x</script>\n',
            "protocol: String should match",
        ),
        (f"format: 1\ntitle: {MARKUP!r}\n", "title: Extra inputs are not permitted"),
        ("format: 2\n", "format: Input should be 1"),
        ("- 1\n", "valid dictionary"),
        ("paper: !!python/name:os.system\n", "tags are not read"),
        ("a: 1\n" * 20_000, "bytes"),
    ],
)
def test_addresses_of_a_board_are_checked(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "board.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(BoardError, match=r"board\.yaml") as caught:
        board_links(Board(tmp_path))
    assert said in str(caught.value)
    assert_sentence(caught.value)


def test_addresses_follow_from_the_host_where_nothing_else_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where GitHub shows files and folders: its documented addresses of a branch, here HEAD."""
    for name in ("SERVER_URL", "REPOSITORY"):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)
    assert board_links(Board(tmp_path)) == []
    monkeypatch.setenv("GITHUB_SERVER_URL", "https://github.com")
    monkeypatch.setenv("GITHUB_REPOSITORY", 'a/b"><script>')
    assert board_links(Board(tmp_path)) == []
    monkeypatch.setenv("GITHUB_REPOSITORY", "a/b")
    text = "format: 1\ndocumentation: https://docs.example.org\npaper: https://arxiv.org/abs/1\n"
    (tmp_path / "board.yaml").write_text(text, encoding="utf-8")
    assert {link.title: link.url for link in board_links(Board(tmp_path))} == {
        "Repository": "https://github.com/a/b",
        "Documentation": "https://docs.example.org",
        "Protocol": "https://github.com/a/b/blob/HEAD/docs/protocol.md",
        "Paper": "https://arxiv.org/abs/1",
    }


def test_names_of_fields_cannot_be_markup(tmp_path: Path, board: Board, truth: xr.Dataset) -> None:
    folder = write_entry(tmp_path / "a__b", truth, changes={MARKUP: 1})
    assert_refused(folder, board, "Extra inputs are not permitted")


@pytest.mark.parametrize("count", COUNTS)
def test_mutated_entries_get_a_verdict(
    count: int, entry: Path, board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Damaged metadata and predictions: never another error, never much memory, never a call."""

    def forbidden(*arguments: object) -> None:
        raise AssertionError(f"a mutant was executed with {arguments!r}")

    monkeypatch.setattr("os.system", forbidden)
    monkeypatch.setattr("builtins.eval", forbidden)
    files = {name: (entry / name).read_bytes() for name in ("entry.yaml", "grid/seed-0.parquet")}
    levels = dict.fromkeys(("refused", "flagged", "clean"), 0)
    tracemalloc.start()
    try:
        for seed in range(count):
            chance = random.Random(seed)
            name = chance.choice(list(files))
            (entry / name).write_bytes(mutate(files[name], chance))
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            verdict = check_entry(entry, board)
            assert tracemalloc.get_traced_memory()[1] - before < MOST_MEMORY, seed
            for reason in verdict.reasons:
                assert_sentence(BoardError(reason.sentence))
            levels[verdict.level] += 1
            (entry / name).write_bytes(files[name])
    finally:
        tracemalloc.stop()
    assert levels["refused"] > count / 2
    assert levels["clean"] > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tartu__bag-ridge"]
