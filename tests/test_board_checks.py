"""Checking entries: what is refused, what is flagged for a person, what is only said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from boards import EXPORT, make_board, predict, write_entry
from click.testing import CliRunner
from hostile import assert_sentence
from regions import make_region, write_region

import llpbench
from llpbench.board.bundled import bundled_method
from llpbench.board.checking import check_entry
from llpbench.board.layout import Board
from llpbench.board.reproducing import reproduce
from llpbench.board.submission import read_submission
from llpbench.board.truth import read_truth
from llpbench.board.upkeep import score_board
from llpbench.cli import cli
from llpbench.errors import BoardError, MethodError
from llpbench.predictions.table import make_predictions
from llpbench_baselines.bag_ridge import BagRidge


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> xr.Dataset:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 9, 6, 3, unlabelled=12), path)
    return llpbench.open_dataset(path)


@pytest.fixture
def board(ds: xr.Dataset, tmp_path: Path) -> Board:
    return make_board(tmp_path / "leaderboard", ds)


@pytest.fixture
def truth(board: Board) -> xr.Dataset:
    return read_truth(board.truth("grid"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tartu__bag-ridge"


def found(folder: Path, board: Board, level: str) -> dict[str, str]:
    """What a level of the verdict says, by check."""
    reasons = check_entry(folder, board).reasons
    for reason in reasons:
        assert_sentence(BoardError(reason.sentence))
    return {reason.check: reason.sentence for reason in reasons if reason.level == level}


def test_a_good_entry_is_clean(folder: Path, board: Board, truth: xr.Dataset) -> None:
    verdict = check_entry(write_entry(folder, truth), board)
    assert verdict.level == "clean"
    assert [reason.check for reason in verdict.reasons] == ["command"]  # cannot be reproduced here


def test_three_seeds_are_needed(folder: Path, board: Board, truth: xr.Dataset) -> None:
    write_entry(folder, truth, [predict(truth), predict(truth, 1)])
    assert "at least 3 seeds" in found(folder, board, "refused")["seeds"]


def test_one_is_enough_if_deterministic(folder: Path, board: Board, truth: xr.Dataset) -> None:
    write_entry(folder, truth, [predict(truth)], {"deterministic": True})
    assert check_entry(folder, board).level == "clean"


def test_identical_seeds_are_refused(folder: Path, board: Board, truth: xr.Dataset) -> None:
    write_entry(folder, truth, [predict(truth, seed) for seed in (0, 1, 0)])
    assert "seeds 0 and 2 are identical" in found(folder, board, "refused")["seeds"]


def test_seeds_of_a_deterministic_method_that_differ_are_flagged(
    folder: Path, board: Board, truth: xr.Dataset
) -> None:
    write_entry(folder, truth, changes={"deterministic": True})
    assert "differ by" in found(folder, board, "flagged")["seeds"]


def test_another_version_of_the_dataset_is_refused(
    folder: Path, board: Board, truth: xr.Dataset
) -> None:
    write_entry(folder, truth, changes={"part.digest": "sha256:" + "0" * 64})
    assert "as it is published now" in found(folder, board, "refused")["digest"]


def test_a_dataset_without_truth_is_refused(folder: Path, board: Board, truth: xr.Dataset) -> None:
    write_entry(folder, truth)
    board.truth("grid").unlink()
    assert "llpbench leaderboard truth grid" in found(folder, board, "refused")["predictions"]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("seed", 7), ("split", "val"), ("track", "disaggregation"), ("trained_on", "elsewhere")],
)
def test_files_that_say_otherwise_are_refused(
    folder: Path, board: Board, truth: xr.Dataset, attribute: str, value: Any
) -> None:
    seeds = [predict(truth, seed) for seed in range(3)]
    write_entry(folder, truth, [seeds[0].assign_attrs({attribute: value}), *seeds[1:]])
    assert f"says {attribute}" in found(folder, board, "refused")["attributes"]


def test_files_and_seeds_must_agree(folder: Path, board: Board, truth: xr.Dataset) -> None:
    write_entry(folder, truth)
    (folder / "grid" / "seed-2.parquet").rename(folder / "grid" / "seed-9.parquet")
    refused = found(folder, board, "refused")
    assert "seed-9.parquet is not named" in refused["files"]
    assert "seed-2.parquet is missing" in refused["predictions"]


def _spoiled(one: xr.Dataset, value: float) -> xr.Dataset:
    shares = one["proportions"].to_numpy().copy()
    shares[3, 1] = value
    return one.assign(proportions=(("chip", "category"), shares))


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5, 2.0])
def test_wrong_shares_are_refused(
    folder: Path, board: Board, truth: xr.Dataset, value: float
) -> None:
    seeds = [predict(truth, seed) for seed in range(3)]
    write_entry(folder, truth, [seeds[0], _spoiled(seeds[1], value), seeds[2]])
    assert found(folder, board, "refused")["predictions"].startswith("grid/seed-1.parquet: ")


def test_missing_chips_are_refused(folder: Path, board: Board, truth: xr.Dataset) -> None:
    seeds = [predict(truth, seed).isel(chip=slice(1, None)) for seed in range(3)]
    write_entry(folder, truth, seeds)
    assert "rows and the columns" in found(folder, board, "refused")["predictions"]


def test_duplicates_are_refused_and_near_ones_flagged(
    tmp_path: Path, board: Board, truth: xr.Dataset
) -> None:
    seeds = [predict(truth, seed) for seed in range(3)]
    write_entry(board.entry("tartu__first"), truth, seeds)
    copied = write_entry(
        tmp_path / "other__copy", truth, [predict(truth, 8), predict(truth, 9), seeds[1]]
    )
    close = [predict(truth, 8), predict(truth, 9), 0.999 * seeds[1] + 0.001 * predict(truth, 7)]
    near = write_entry(tmp_path / "other__near", truth, close)
    files = {"part.export": EXPORT}
    stranger = write_entry(tmp_path / "other__file", truth, close, files)
    flown = write_entry(tmp_path / "tartu__file", truth, close, files)
    for _scored in (False, True):  # with and without stored scores to go by
        assert "identical to one of tartu__first" in found(copied, board, "refused")["duplicates"]
        assert "tartu__first by only" in found(near, board, "flagged")["duplicates"]
        assert "tartu__first by only" in found(stranger, board, "flagged")["duplicates"]
        assert "tartu__first by only" in found(flown, board, "note")["duplicates"]
        assert "duplicates" not in found(flown, board, "flagged")
        assert found(near, board, "refused") == {}
        list(score_board(board))
    assert check_entry(board.entry("tartu__first"), board).level == "clean"


def test_entries_that_cannot_be_read_do_not_stop_others(
    folder: Path, board: Board, truth: xr.Dataset
) -> None:
    broken = write_entry(board.entry("tartu__broken"), truth)
    (broken / "grid" / "seed-0.parquet").write_bytes(b"nonsense")
    (board.entry("tartu__empty")).mkdir()
    assert check_entry(write_entry(folder, truth), board).level == "clean"
    assert check_entry(broken, board).level == "refused"


def test_copied_labels_are_flagged(folder: Path, board: Board, truth: xr.Dataset) -> None:
    """Five chips of 54 are copied, to four digits; the grid's chips all have several classes."""
    shares = truth["truth"].to_numpy()
    some = np.flatnonzero(np.isfinite(shares[:, 0]))[:5]
    seeds = []
    for seed in range(3):
        one = predict(truth, seed, noise=0.9)
        wrong = one["proportions"].to_numpy().copy()
        wrong[some] = shares[some].round(4)
        seeds.append(one.assign(proportions=(("chip", "category"), wrong)))
    flagged = found(write_entry(folder, truth, seeds), board, "flagged")
    assert "equal the truth to four digits" in flagged["labels"]


def test_what_beats_pixel_supervision_twice_is_flagged(
    tmp_path: Path, board: Board, truth: xr.Dataset
) -> None:
    bound = [predict(truth, seed, noise=0.5) for seed in range(3)]
    write_entry(board.entry("tartu__bound"), truth, bound, {"supervision": "pixel"})
    list(score_board(board))
    for noise, expected in ((0.2, True), (0.3, False)):  # errors are proportional to noise
        entry = write_entry(
            tmp_path / f"tartu__noise-{round(10 * noise)}",
            truth,
            [predict(truth, seed, noise=noise) for seed in range(10, 13)],
        )
        assert ("labels" in found(entry, board, "flagged")) is expected


def test_divisions_that_fit_too_well_are_flagged(folder: Path, tmp_path: Path) -> None:
    """Where no border cuts a chip, every chip's target is its division's proportions."""
    write_region(make_region(18, 9, 6, 3, cut=0), tmp_path / "grid")
    board = make_board(tmp_path / "leaderboard", llpbench.open_dataset(tmp_path / "grid"))
    truth = read_truth(board.truth("grid"))
    flat = make_predictions(
        truth["chip"].to_numpy(), truth["category_name"].to_numpy(), truth["target"].to_numpy()
    )
    write_entry(folder, truth, [flat], {"deterministic": True})
    assert "does not see" in found(folder, board, "flagged")["proportions"]
    shutil.rmtree(folder)
    write_entry(folder, truth, [flat], {"deterministic": True, "track": "disaggregation"})
    assert found(folder, board, "flagged") == {}


@pytest.mark.parametrize(
    ("costs", "level", "said"),
    [
        ({"parameters": 1, "latency_p50_ms": 2.0, "latency_p95_ms": 1.0}, "refused", "is below"),
        ({"parameters": 1, "label_uplink_bytes": 1}, "flagged", "takes 60"),
        ({"parameters": 1, "pixel_label_bytes": 1}, "flagged", "takes 540000"),
    ],
)
def test_contradicting_footprints(
    folder: Path, board: Board, truth: xr.Dataset, costs: dict[str, Any], level: str, said: str
) -> None:
    """6 training divisions of 5 classes of 2 bytes; 54 training chips of 10,000 pixels."""
    write_entry(folder, truth, changes={"part.footprint": costs})
    assert said in found(folder, board, level)["footprint"]


@pytest.mark.parametrize(
    ("costs", "level", "said"),
    [
        ({"latency_p50_ms": 0.6}, "refused", "latency_p95_ms 0.5 is below latency_p50_ms 0.6"),
        ({"bytes": 79}, "flagged", "640 parameters in a file of 79 bytes are less than a bit each"),
        ({"bytes": 80}, "flagged", ""),  # 640 bits
    ],
)
def test_files_that_cannot_be(
    folder: Path, board: Board, truth: xr.Dataset, costs: dict[str, Any], level: str, said: str
) -> None:
    write_entry(folder, truth, changes={"part.export": EXPORT | costs})
    assert found(folder, board, level).get("export", "").startswith(said)
    assert ("export" in found(folder, board, level)) == bool(said)


def test_files_are_scored_and_never_run(folder: Path, board: Board, truth: xr.Dataset) -> None:
    """What trained them is looked at as any command; a command that trains is not reproduced."""
    train = "llpbench run bag-ridge --dataset grid --seed 0"
    for command in (train, f"{train} && llpbench run-exported FILE --dataset grid"):
        write_entry(folder, truth, changes={"part.export": EXPORT, "part.command": command})
        assert "by its command" in found(folder, board, "flagged")["command"]
        assert "a board does not run" in found(folder, board, "note")["command"]
        with pytest.raises(BoardError, match="only an entry by `llpbench run` can be reproduced"):
            next(reproduce(board, read_submission(folder)))
        shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("llpbench run downconv --dataset grid --seed 0 --seed 1 --seed 2", "parameters is 640"),
        ("llpbench run bag-ridge --dataset grid --seed 0", "seeds is [0, 1, 2]"),
        ("llpbench run bag-ridge --dataset other --seed 0 --seed 1 --seed 2", "trained_on"),
    ],
)
def test_commands_that_make_something_else_are_flagged(
    folder: Path, board: Board, truth: xr.Dataset, command: str, said: str
) -> None:
    write_entry(folder, truth, changes={"part.command": command})
    reasons = check_entry(folder, board).reasons
    assert any(said in one.sentence for one in reasons if one.level == "flagged")


def test_what_is_not_told_is_noted(
    folder: Path, board: Board, truth: xr.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BagRidge, "designed_on", ("elsewhere", "grid"))
    command = "llpbench run bag-ridge --dataset grid --seed 0 --seed 1 --seed 2"
    changes = {"code": None, "paper": None, "pretrained_weights": ["ImageNet"]}
    write_entry(folder, truth, changes={**changes, "part.command": command})
    notes = [one.sentence for one in check_entry(folder, board).reasons if one.level == "note"]
    assert sum("no code" in note or "no paper" in note for note in notes) == 2
    assert any("ImageNet" in note for note in notes)
    assert any("bag-ridge was designed or tuned on labels of this dataset" in one for one in notes)
    shutil.rmtree(folder)
    write_entry(folder, truth, changes={"designed_on": ["grid"], "part.command": command})
    assert not any(
        "designed or tuned" in one.sentence for one in check_entry(folder, board).reasons
    )


def test_the_command_prints_a_verdict_and_exits_with_it(
    folder: Path, board: Board, truth: xr.Dataset
) -> None:
    arguments = ["leaderboard", "check", str(folder), "--board", str(board.folder)]
    write_entry(folder, truth)
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0
    assert done.output.startswith("tartu__bag-ridge: clean\n")
    (folder / "grid" / "seed-1.parquet").unlink()
    done = CliRunner().invoke(cli, [*arguments, "--json"])
    assert done.exit_code == 1
    verdict = json.loads(done.output)
    assert verdict["entry"] == "tartu__bag-ridge"
    assert verdict["verdict"] == "refused"
    assert {"level", "check", "where", "sentence"} == set(verdict["reasons"][0])


def test_a_bundled_method_may_have_bundled_post_processors() -> None:
    assert bundled_method("bag-ridge+rake").track == "disaggregation"
    for name in ("bag-ridge+mine", "mine+rake"):
        with pytest.raises(MethodError, match="no method that ships"):
            bundled_method(name)
