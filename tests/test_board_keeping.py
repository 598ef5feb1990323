"""From a run to an entry on the board; and scores that are kept, replayed and reproduced."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from boards import make_board, predict, write_entry
from click.testing import CliRunner, Result
from hostile import assert_sentence
from regions import make_region, write_region

import llpbench
from llpbench import __version__
from llpbench.board import submission
from llpbench.board.comparing import compare_entries
from llpbench.board.entry import validate_entry
from llpbench.board.layout import Board
from llpbench.board.replaying import replay
from llpbench.board.result import Result as StoredResult
from llpbench.board.result import read_stored, write_stored
from llpbench.board.submission import read_submission
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import score_board
from llpbench.board.yaml_files import read_yaml, write_yaml
from llpbench.cli import cli, main
from llpbench.errors import BoardError, UnknownNameError
from llpbench.predictions.files import read_predictions
from llpbench.predictions.table import check_predictions
from llpbench.scoring import digest_predictions
from llpbench.statistics import holm
from llpbench_baselines.train_mean import TrainMean

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, unlabelled=12), path)
    return path


@pytest.fixture(autouse=True)
def _cached(store: Path) -> None:
    """The grid is known by its name."""
    cache = Path(os.environ["LLPBENCH_CACHE"])
    cache.mkdir()
    shutil.copytree(store, cache / "grid")


@pytest.fixture
def board(store: Path, tmp_path: Path) -> Board:
    return make_board(tmp_path / "leaderboard", llpbench.open_dataset(store))


@pytest.fixture
def truth(board: Board) -> xr.Dataset:
    return read_truth(board.truth("grid"))


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=False)


def test_from_a_run_to_the_board_in_three_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a board that knows the dataset, as the published one does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(TrainMean, "designed_on", ("grid",))
    assert call("leaderboard", "truth", "grid").exit_code == 0
    runs = ("--seed", 0, "--seed", 1, "--out", "runs")
    assert call("run", "train-mean", "--dataset", "grid", *runs).exit_code == 0
    said = ("--author", "Marie Õun", "--contact", "https://example.org", "--title", "Mean")
    done = call("leaderboard", "new", "tartu__mean", "--from-run", "runs", *said)
    assert "filled in" not in done.output
    done = call("leaderboard", "add", "tartu__mean", "--json")
    assert done.exit_code == 0
    added = json.loads(done.stdout)
    assert "Marie Õun" in Path(added["written"][0]).read_text("utf-8")
    (scores,) = added["scores"]
    expected = llpbench.Scores.from_json(
        (tmp_path / "runs" / "train-mean-grid-seed0" / "scores.json").read_text()
    )
    assert scores["MAE"] == pytest.approx(expected.value("mae"), abs=1e-9)
    entry = read_submission(Path("leaderboard/entries/tartu__mean")).entry
    assert entry.deterministic  # both seeds gave the same, so one is kept
    assert entry.reference
    assert entry.designed_on == ["grid"]
    assert entry.selection.startswith(f"Settings are the defaults of llpbench {__version__}.")
    machine = [platform.machine(), f"{os.cpu_count()} cores", platform.system()]
    assert entry.hardware == ", ".join(machine)
    assert entry.datasets["grid"].seeds == [0]
    assert entry.datasets["grid"].command == "llpbench run train-mean --dataset grid --seed 0"
    assert entry.datasets["grid"].footprint.parameters == 5
    done = call("leaderboard", "reproduce", "tartu__mean", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)[0]["inside"] is True
    assert call("leaderboard", "replay").output.startswith("1 scored again, 0 moved, 0 wrong")


def test_help_needs_nothing_that_takes_long() -> None:
    program = (
        "import sys; from llpbench.cli import main\n"
        "try: main(['leaderboard', '--help'])\n"
        "finally: print([m for m in sys.modules if m in "
        "('numpy', 'pandas', 'xarray', 'zarr', 'pydantic', 'yaml', 'pyarrow')])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("[]")
    for command in ("new", "check", "add", "score", "replay", "reproduce", "compare", "truth"):
        assert f"  {command} " in done.stdout


def test_an_entry_to_be_filled_says_what_is_missing(tmp_path: Path, board: Board) -> None:
    folder = tmp_path / "tartu__mine"
    done = call("leaderboard", "new", folder)
    assert "fields are to be filled in" in done.output
    done = call("leaderboard", "check", folder, "--board", board.folder)
    assert done.exit_code == 1
    assert "description: is still to be written ('FILL IN: what the method does" in done.output


@pytest.mark.parametrize("name", ["mine", "../x__y/..", "A__b"])
def test_new_refuses_names_of_no_entry(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(["leaderboard", "new", str(tmp_path / name)])
    assert left.value.code == 1
    assert "<team>__<method>" in capsys.readouterr().err


def test_new_refuses_runs_that_do_not_belong_together(tmp_path: Path) -> None:
    for method, settings in (("train-mean", {}), ("bag-ridge", {"words": 8, "sample": 500})):
        llpbench.run_method(method, "grid", settings=settings, out=tmp_path / f"{method}-0")
    first, other = tmp_path / "train-mean-0", tmp_path / "bag-ridge-0"
    for runs, said in (((first, other), "one method"), ((first, first), "there twice")):
        with pytest.raises(BoardError, match=said):
            from_runs(tmp_path, *runs)
    assert not list(tmp_path.glob("*tartu__x*"))


def test_runs_by_files_say_which_files(tmp_path: Path) -> None:
    """The largest of the files, their mean times, the most memory; only files of one kind."""
    settings = {"words": 8, "sample": 500}
    for seed, memory in ((0, 300), (1, 500)):
        run = llpbench.run_method(
            "bag-ridge", "grid", seed=seed, settings=settings, out=tmp_path / f"runs/{seed}"
        )
        cost = {"latency_p50_ms": 0.3 + seed, "latency_p95_ms": 0.4 + seed, "memory_bytes": memory}
        file = {"file_format": "onnx", "quantize": "none", "bytes": 900 + seed, "sha256": "0" * 64}
        record = json.loads((run.folder / "run.json").read_text())
        record["export"] = file | cost
        (run.folder / "run.json").write_text(json.dumps(record))
    content = read_yaml(from_runs(tmp_path, tmp_path / "runs"))
    assert content["title"] == "bag-ridge (onnx, float32)"
    part = content["datasets"]["grid"]
    assert "fit_seconds" not in part
    assert part["command"] == (
        "llpbench run bag-ridge --dataset grid --set sample=500 --set words=8 --seed 0 --seed 1 && "
        "llpbench export RUN --format onnx -o FILE && llpbench run-exported FILE --dataset grid"
    )
    assert part["export"] == {
        "file_format": "onnx",
        "quantize": "none",
        "bytes": 901,
        "digests": ["sha256:" + "0" * 64] * 2,
        "latency_p50_ms": 0.8,
        "latency_p95_ms": 0.9,
        "memory_bytes": 500,
    }
    record["export"]["quantize"] = "int8"
    (run.folder / "run.json").write_text(json.dumps(record))
    shutil.rmtree(tmp_path / "tartu__x")
    with pytest.raises(BoardError, match="of one format and quantisation"):
        from_runs(tmp_path, tmp_path / "runs")


def from_runs(tmp_path: Path, *runs: Path) -> Any:
    from llpbench.board.drafting import draft_entry

    return draft_entry(tmp_path / "tartu__x", runs, {})


def test_settings_and_the_other_region_are_in_the_command(store: Path, tmp_path: Path) -> None:
    cache = Path(os.environ["LLPBENCH_CACHE"])
    write_region(make_region(18, 9, 6, 3, seed=1), cache / "other")
    settings = {"words": 8, "sample": 500}
    llpbench.run_method(
        "bag-ridge", "grid", apply_to="other", settings=settings, out=tmp_path / "run"
    )
    path = from_runs(tmp_path, tmp_path / "run")
    part = read_yaml(path)["datasets"]["other"]
    assert part["trained_on"] == "grid"
    assert part["command"] == (
        "llpbench run bag-ridge --dataset grid --apply-to other --set sample=500 --set words=8 "
        "--seed 0"
    )


def test_a_draft_asks_what_no_run_knows(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How settings were found, what others put into their methods, where an older run was made."""
    settings = {"words": 8, "sample": 500}
    folder = llpbench.run_method(
        "bag-ridge", "grid", settings=settings, out=tmp_path / "run"
    ).folder
    content = read_yaml(from_runs(tmp_path, folder))
    assert content["selection"].startswith("FILL IN")
    assert content["designed_on"] == ["semi-esa"]  # as bag-ridge says of itself
    assert (content["external_data"], content["pretrained_weights"]) == ([], [])
    shutil.rmtree(tmp_path / "tartu__x")
    record = json.loads((folder / "run.json").read_text())
    del record["hardware"]
    (folder / "run.json").write_text(json.dumps({**record, "format": 5}))
    monkeypatch.setattr("llpbench.board.bundled.PACKAGE", "another")
    content = read_yaml(from_runs(tmp_path, folder))
    asked = ("selection", "hardware", "designed_on", "external_data", "pretrained_weights")
    assert all("FILL IN" in str(content[name]) for name in asked)
    with pytest.raises(BoardError, match=r"designed_on\.0: is still to be written"):
        validate_entry({**content, "authors": [{"name": "A"}], "contact": "a@b.org"})


def test_runs_of_two_machines_name_both(store: Path, tmp_path: Path) -> None:
    for seed, machine in enumerate(("riscv64, 4 cores, Linux", "aarch64, 8 cores, Darwin")):
        run = llpbench.run_method(
            "train-mean", "grid", seed=seed, out=tmp_path / "runs" / str(seed)
        )
        record = json.loads((run.folder / "run.json").read_text())
        (run.folder / "run.json").write_text(json.dumps({**record, "hardware": machine}))
    content = read_yaml(from_runs(tmp_path, tmp_path / "runs"))
    assert content["hardware"] == "aarch64, 8 cores, Darwin; riscv64, 4 cores, Linux"


def test_add_refuses_what_is_refused_and_what_is_there(
    tmp_path: Path, board: Board, truth: xr.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_entry(tmp_path / "tartu__a", truth, [predict(truth)])
    assert call("leaderboard", "add", folder, "--board", board.folder).exit_code == 1
    assert not board.entries()
    shutil.rmtree(folder)
    write_entry(folder, truth)
    assert call("leaderboard", "add", folder, "--board", board.folder).exit_code == 0
    with pytest.raises(SystemExit):
        main(["leaderboard", "add", str(folder), "--board", str(board.folder)])
    assert "remove" in capsys.readouterr().err
    on_board = board.entry("tartu__a")
    assert call("leaderboard", "add", on_board, "--board", board.folder).exit_code == 0


def test_stored_scores_are_those_of_evaluate(store: Path, board: Board, truth: xr.Dataset) -> None:
    seeds = [predict(truth, seed) for seed in range(3)]
    write_entry(board.entry("tartu__a"), truth, seeds)
    (done,) = score_board(board)
    expected = llpbench.evaluate(seeds, store)
    table = expected.table()
    assert set(done.result.metrics) == set(table.index)
    for name, score in done.result.metrics.items():
        row = table.loc[name]
        assert (score.value, score.low, score.high) == pytest.approx(
            (row["value"], row["low"], row["high"]), abs=1e-9
        ), name
        if name in expected.per_class:
            assert score.per_class == pytest.approx(expected.per_class[name].to_dict(), abs=1e-9)
    assert done.result.digests.predictions == expected.digests["predictions"]
    assert np.mean(list(done.result.seeds.values())) == pytest.approx(expected.value("mae"))


def test_nothing_is_scored_twice(
    board: Board, truth: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days are those that ``date -u -d @…`` gives for the seconds."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764288000")
    folder = write_entry(board.entry("tartu__a"), truth)
    path = board.result("grid", "tartu__a")
    assert [one.proportions for one in score_board(board)] == ["scored"]
    before = path.read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1764374400")
    assert [one.proportions for one in score_board(board)] == ["kept"]
    stored = read_stored(path, StoredResult)
    assert stored is not None
    _store_other(board, digests=stored.digests.model_copy(update={"scorer": "0.9"}))
    (again,) = score_board(board)
    assert (again.proportions, again.result.scored) == ("scored", "2025-11-28")
    assert path.read_bytes() == before
    shutil.rmtree(folder)
    write_entry(folder, truth, [predict(truth, seed) for seed in (3, 4, 5)])
    (other,) = score_board(board, ["tartu__a"])
    assert (other.proportions, other.result.scored) == ("scored", "2025-11-29")
    assert path.read_bytes() != before
    with pytest.raises(BoardError, match="has no entry 'tartu__b'"):
        list(score_board(board, ["tartu__b"]))


@pytest.fixture
def with_pixels(board: Board, truth: xr.Dataset) -> list[xr.Dataset]:
    """An entry with segmentations beside it, and what is in them."""
    seeds = [predict(truth, seed, side=24) for seed in range(3)]
    digests = [digest_predictions(seed) for seed in seeds]
    changes = {"part.segmentations": {"doi": "10.5281/zenodo.1", "digests": digests}}
    write_entry(board.entry("tartu__a"), truth, seeds, changes)
    return seeds


def test_pixels_are_scored_where_the_imagery_is_and_kept(
    store: Path, board: Board, with_pixels: list[xr.Dataset]
) -> None:
    (first,) = score_board(board)
    assert first.pixels == "none"
    (done,) = score_board(board, pixels=True)
    assert (done.proportions, done.pixels) == ("kept", "scored")
    expected = llpbench.evaluate(with_pixels, store)
    assert done.result.pixels is not None
    for name, score in done.result.pixels.metrics.items():
        interval = expected.interval(name)
        assert (score.value, score.low, score.high) == pytest.approx(
            (expected.value(name), interval.low, interval.high), abs=1e-9
        ), name
    assert set(done.result.metrics) | set(done.result.pixels.metrics) == set(expected.metrics)
    for path in board.entry("tartu__a").rglob("*.zarr"):
        shutil.rmtree(path)  # as in a clone, which has no segmentations
    (kept,) = score_board(board, pixels=True)
    assert (kept.pixels, kept.result) == ("kept", done.result)
    (replayed,) = replay(board)
    assert (replayed.problem, replayed.moved) == ("", {})
    _as_by_an_older_scorer(board)
    (again,) = score_board(board)  # without segmentations: intervals of today, of the stored sums
    assert again.result.pixels is not None
    assert again.result.pixels.metrics == done.result.pixels.metrics
    (compared,) = compare_entries_of_a_copy(board)
    assert compared.difference == 0


def _as_by_an_older_scorer(board: Board) -> None:
    """Scores that are stored, of proportions and of pixels, whose intervals were others."""
    stored = read_stored(board.result("grid", "tartu__a"), StoredResult)
    assert stored is not None
    assert stored.pixels is not None
    digests = stored.digests.model_copy(update={"scorer": "0.9"})
    other = {
        name: score.model_copy(update={"low": 0.0}) for name, score in stored.pixels.metrics.items()
    }
    pixels = stored.pixels.model_copy(update={"digests": digests, "metrics": other})
    _store_other(board, digests=digests, pixels=pixels)


def compare_entries_of_a_copy(board: Board) -> Any:
    """Pixels are compared by their stored sums."""
    shutil.copytree(board.entry("tartu__a"), board.entry("tartu__b"))
    path = board.entry("tartu__b") / "entry.yaml"
    path.write_text(write_yaml(read_yaml(path) | {"method": "b"}), encoding="utf-8")
    result = read_stored(board.result("grid", "tartu__a"), StoredResult)
    assert result is not None
    write_stored(result.model_copy(update={"entry": "tartu__b"}), board.result("grid", "tartu__b"))
    return compare_entries(board, ["tartu__a", "tartu__b"], "f1_micro")


def test_pixel_scores_of_other_predictions_are_not_kept(
    store: Path, board: Board, truth: xr.Dataset, with_pixels: list[xr.Dataset]
) -> None:
    """One seed of three is another one: what was computed of the old one goes with it."""
    list(score_board(board, pixels=True))
    llpbench.write_predictions(
        predict(truth, 9), board.entry("tartu__a") / "grid" / "seed-1.parquet"
    )
    (replayed,) = replay(board)
    assert "of another predictions" in replayed.problem
    assert replayed.moved["f1_micro"][1] is None
    with pytest.raises(UnknownNameError, match="f1_micro"):
        compare_entries_of_a_copy(board)
    shutil.rmtree(board.entry("tartu__b"))
    (done,) = score_board(board, ["tartu__a"])
    assert (done.proportions, done.pixels, done.result.pixels) == ("scored", "none", None)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often predictions are read, checked and digested, wherever that is called from."""
    counts: Counter[str] = Counter()

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            counts[function.__name__] += 1
            return function(*arguments, **options)

        return call

    for function in (read_predictions, check_predictions, digest_predictions):
        spy = counted(function)
        for name, module in list(sys.modules.items()):
            if name.startswith("llpbench") and vars(module).get(function.__name__) is function:
                monkeypatch.setattr(module, function.__name__, spy)
    return counts


def test_a_command_reads_checks_and_digests_predictions_once(
    tmp_path: Path, board: Board, truth: xr.Dataset, reads: Counter[str]
) -> None:
    """Three files; `add` checks, scores and shows them."""
    once = dict.fromkeys(("read_predictions", "check_predictions", "digest_predictions"), 3)
    folder = write_entry(tmp_path / "tartu__a", truth)
    for command in (("check", folder), ("add", folder), ("score",), ("replay",)):
        reads.clear()
        assert call("leaderboard", *command, "--board", board.folder).exit_code == 0
        assert reads == once, command
    board.result("grid", "tartu__a").unlink()
    reads.clear()
    assert [one.proportions for one in score_board(board)] == ["scored"]
    assert reads == once


def test_other_segmentations_are_refused(
    board: Board, truth: xr.Dataset, with_pixels: list[xr.Dataset]
) -> None:
    path = board.entry("tartu__a") / "grid" / "seed-1.zarr"
    llpbench.write_predictions(predict(truth, 9, side=24), path)
    with pytest.raises(BoardError, match=r"not those in entry\.yaml") as caught:
        list(score_board(board, pixels=True))
    assert_sentence(caught.value)


def test_segmentations_of_other_proportions_are_refused(board: Board, truth: xr.Dataset) -> None:
    seeds = [predict(truth, seed, side=24) for seed in range(3)]
    digests = [digest_predictions(seed) for seed in seeds]
    folder = write_entry(
        board.entry("tartu__a"), truth, seeds, {"part.segmentations": {"digests": digests}}
    )
    llpbench.write_predictions(predict(truth, 9), folder / "grid" / "seed-1.parquet")
    with pytest.raises(BoardError, match="must come from one run"):
        list(score_board(board, pixels=True))


def test_segmentations_that_are_not_there_are_asked_for(
    board: Board, with_pixels: list[xr.Dataset]
) -> None:
    shutil.rmtree(board.entry("tartu__a") / "grid" / "seed-1.zarr")
    with pytest.raises(BoardError, match=r"of doi:10\.5281/zenodo\.1"):
        list(score_board(board, pixels=True))


def _store_other(board: Board, **changes: Any) -> None:
    """Change a stored result."""
    path = board.result("grid", "tartu__a")
    result = read_stored(path, StoredResult)
    assert result is not None
    write_stored(result.model_copy(update=changes), path)


def _moved_by(board: Board, amount: float) -> dict[str, Any]:
    result = read_stored(board.result("grid", "tartu__a"), StoredResult)
    assert result is not None
    mae = result.metrics["mae"]
    assert mae.value is not None
    score = mae.model_copy(update={"value": mae.value + amount})
    return {"metrics": {**result.metrics, "mae": score}}


@pytest.mark.parametrize(("amount", "fails"), [(2e-6, True), (5e-7, False)])
def test_a_score_that_moves_fails(
    board: Board, truth: xr.Dataset, amount: float, fails: bool
) -> None:
    write_entry(board.entry("tartu__a"), truth)
    list(score_board(board))
    _store_other(board, **_moved_by(board, amount))
    done = call("leaderboard", "replay", "--board", board.folder, "--json")
    assert done.exit_code == fails
    (one,) = json.loads(done.stdout)
    assert bool(one["problem"]) is fails
    assert list(one["moved"]) == ["mae"] * fails


@pytest.mark.parametrize("part", ["seeds", "errors"])
def test_what_ranks_follow_from_may_not_move(board: Board, truth: xr.Dataset, part: str) -> None:
    write_entry(board.entry("tartu__a"), truth)
    (done,) = score_board(board)
    seeds = {**done.result.seeds, "0": 0.5}
    errors = [[value * 0.9 for value in row] for row in done.result.errors]
    _store_other(board, **{part: {"seeds": seeds, "errors": errors}[part]})
    (one,) = replay(board)
    assert "moved though the scorer is still" in one.problem
    assert list(one.moved) == [{"seeds": "mae, seed 0", "errors": "mae, by division"}[part]]


def test_scores_of_other_predictions_fail(board: Board, truth: xr.Dataset) -> None:
    folder = write_entry(board.entry("tartu__a"), truth)
    assert "no stored scores" in replay(board)[0].problem
    list(score_board(board))
    llpbench.write_predictions(predict(truth, 9), folder / "grid" / "seed-1.parquet")
    assert "of another predictions" in replay(board)[0].problem
    shutil.rmtree(folder)
    assert "no such entry" in replay(board)[0].problem


def test_a_new_scorer_may_move_scores_and_shows_ranks(
    board: Board, truth: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stored by an older scorer, whose errors were upside down."""
    for name, noise in (("a", 0.2), ("b", 0.5)):
        seeds = [predict(truth, seed, noise=noise) for seed in range(3)]
        write_entry(board.entry(f"tartu__{name}"), truth, seeds)
    done = list(score_board(board))
    for one, other in zip(done, reversed(done), strict=True):
        old = one.result.digests.model_copy(update={"scorer": "0.9"})
        result = one.result.model_copy(
            update={"digests": old, "metrics": other.result.metrics, "errors": other.result.errors}
        )
        write_stored(result, board.result("grid", one.entry))
    replayed = replay(board)
    assert [(one.stored_rank, one.rank) for one in replayed] == [(2, 1), (1, 2)]
    assert all(one.moved and not one.problem for one in replayed)
    shown = call("leaderboard", "replay", "--board", board.folder)
    assert shown.exit_code == 0
    assert "2 scored again, 2 moved, 0 wrong" in shown.output
    said = "by scorer 0.9, whose intervals are not those of .* run `llpbench leaderboard score`"
    with pytest.raises(BoardError, match=said):
        call("leaderboard", "build", "--board", board.folder)
    assert [one.proportions for one in score_board(board)] == ["scored", "scored"]
    monkeypatch.setattr(submission, "SCORER_VERSION", "9")  # and a newer one scores anew
    assert [one.proportions for one in score_board(board)] == ["scored", "scored"]


def test_only_bundled_methods_are_reproduced(
    board: Board, truth: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by a shell, and not by importing anything else."""

    def forbidden(*arguments: object, **options: object) -> None:
        raise AssertionError(f"{arguments!r} was run")

    monkeypatch.setattr("os.system", forbidden)
    monkeypatch.setattr("subprocess.Popen", forbidden)
    monkeypatch.setattr("llpbench.board.reproducing.run_method", forbidden)
    commands = {
        "touch stolen": "this is no",
        "llpbench run train-mean --dataset grid --seed 0; touch stolen": "this is no",
        "llpbench run nonsense --dataset grid": "no method that ships",
        "llpbench run train-mean --dataset other --seed 0": "its entry says",
        "llpbench run train-mean --dataset grid --seed 0": "not up to date",
    }
    folder = board.entry("tartu__a")
    for command, said in commands.items():
        changes = {"deterministic": True, "part.command": command}
        write_entry(folder, truth, [predict(truth)], changes)
        runner = CliRunner().invoke(
            cli, ["leaderboard", "reproduce", "tartu__a", "--board", str(board.folder)]
        )
        assert runner.exit_code == 1
        assert said in str(runner.exception)
        shutil.rmtree(folder)


def test_what_cannot_be_reproduced_stays_scored(board: Board, truth: xr.Dataset) -> None:
    """Better predictions than the train mean makes, under its command."""
    changes = {
        "deterministic": True,
        "part.command": "llpbench run train-mean --dataset grid --seed 0",
    }
    write_entry(board.entry("tartu__a"), truth, [predict(truth, noise=0.1)], changes)
    list(score_board(board))
    done = call("leaderboard", "reproduce", "tartu__a", "--board", board.folder, "--json")
    assert done.exit_code == 1
    (row,) = json.loads(done.stdout)
    assert row["inside"] is False
    assert row["again"] > row["high"]
    result = read_stored(board.result("grid", "tartu__a"), StoredResult)
    assert result is not None
    assert result.rerun is not None
    assert not result.rerun.inside
    # other predictions are another matter: the rerun is forgotten with them
    path = board.entry("tartu__a") / "grid" / "seed-0.parquet"
    llpbench.write_predictions(predict(truth, 3), path)
    (again,) = score_board(board)
    assert again.result.rerun is None


def test_comparisons_are_those_of_the_scores(store: Path, board: Board, truth: xr.Dataset) -> None:
    seeds = {
        f"tartu__{name}": [predict(truth, seed, noise=noise) for seed in range(3)]
        for name, noise in (("a", 0.2), ("b", 0.25), ("c", 0.5))
    }
    for name, predictions in seeds.items():
        write_entry(board.entry(name), truth, predictions)
    found = compare_entries(board, list(seeds))
    scores = {name: llpbench.evaluate(one, store) for name, one in seeds.items()}
    expected = [scores[one.first].compare(scores[one.second]) for one in found]
    assert [(one.first[-1], one.second[-1]) for one in found] == [*map(tuple, ("ab", "ac", "bc"))]
    for one, other in zip(found, expected, strict=True):
        assert (one.difference, one.low, one.high, one.p_value, one.note) == (
            *(other.difference, other.low, other.high, other.p_value),
            other.note,
        )
    corrected = holm([one.p_value for one in expected])
    np.testing.assert_array_equal([one.corrected for one in found], corrected)
    with pytest.raises(UnknownNameError, match="mae_hard"):
        compare_entries(board, list(seeds), "mae_hard")
    done = call("leaderboard", "compare", *seeds, "--board", board.folder, "--json")
    assert len(json.loads(done.stdout)) == 3
    assert CliRunner().invoke(cli, ["leaderboard", "compare", "tartu__a"]).exit_code == 2


def test_what_shares_no_dataset_is_not_compared(board: Board, truth: xr.Dataset) -> None:
    write_entry(board.entry("tartu__a"), truth)
    with pytest.raises(BoardError, match="share no dataset"):
        compare_entries(board, ["tartu__a", "tartu__a"])


def test_results_that_are_none_are_refused(board: Board, truth: xr.Dataset) -> None:
    write_entry(board.entry("tartu__a"), truth)
    path = board.result("grid", "tartu__a")
    path.parent.mkdir(parents=True)
    for text in ("", "[]", '{"format": 2}', "[" * 10_000):
        path.write_text(text)
        with pytest.raises(BoardError, match="no stored scores") as caught:
            list(score_board(board))
        assert_sentence(caught.value)


def test_an_entry_of_csv_files(
    tmp_path: Path, board: Board, truth: xr.Dataset, store: Path
) -> None:
    """As R writes them; what is on the board is what was in the files."""
    for seed in range(3):
        table = predict(truth, seed)["proportions"].to_pandas().rename_axis("chip")
        renamed = table.rename(columns=lambda name: name.replace("-", "."))
        renamed.reset_index().to_csv(tmp_path / f"{seed}.csv", sep=";", decimal=",")
    folder = tmp_path / "tartu__r"
    files = [option for seed in range(3) for option in ("--predictions", tmp_path / f"{seed}.csv")]
    done = call("leaderboard", "new", folder, *files, "--dataset", store)
    assert "fields are to be filled in" in done.output
    content = read_yaml(folder / "entry.yaml")
    part = content["datasets"]["grid"]
    asked = ("description", "selection", "hardware", "designed_on", "external_data")
    assert all("FILL IN" in str(content[name]) for name in asked)
    assert (part["digest"], part["seeds"]) == (truth.llp.info.digest, [0, 1, 2])
    for seed in range(3):
        stored = check_predictions(read_predictions(folder / f"grid/seed-{seed}.parquet"), truth)
        expected = predict(truth, seed)["proportions"]
        np.testing.assert_allclose(stored["proportions"], expected, atol=1e-7)
    assert call("leaderboard", "new", tmp_path / "a__b", *files).exit_code == 2


def test_what_desktops_leave_is_passed_over_and_other_files_name_the_entry(
    tmp_path: Path, board: Board, truth: xr.Dataset
) -> None:
    folder = write_entry(tmp_path / "tartu__a", truth)
    for name in (".DS_Store", "grid/Thumbs.db", "grid/._seed-0.parquet"):
        (folder / name).write_bytes(b"x")
    (board.folder / "entries").mkdir(parents=True, exist_ok=True)
    (board.folder / "entries" / "desktop.ini").write_bytes(b"x")
    assert call("leaderboard", "add", folder, "--board", board.folder).exit_code == 0
    placed = board.entry("tartu__a")
    names = {path.name for path in placed.rglob("*") if path.is_file()}
    assert names == {"entry.yaml", "seed-0.parquet", "seed-1.parquet", "seed-2.parquet"}
    (placed / "notes.txt").write_text("x")
    for command in ("score", "build", "replay"):
        with pytest.raises(BoardError, match=r"tartu__a: 'notes\.txt' has no place"):
            call("leaderboard", command, "--board", board.folder)
