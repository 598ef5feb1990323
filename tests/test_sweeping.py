"""Sweeps: which runs they are made of, going on after a stop, and the tables."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from regions import make_region, write_region

from llpbench.cli import main
from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.methods.method import IterativeMethod
from llpbench.methods.registry import make_method, method_class, method_names, split_name
from llpbench.running.completing import complete_run
from llpbench.running.sweep import run_sweep
from llpbench.running.sweep_plan import Grid, Job, read_preset
from llpbench.scoring import evaluate

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL = {"words": [4], "sample": [200]}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(8, 6, 4, 2), path)
    return path


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_grid_is_every_combination() -> None:
    jobs = Grid(["a", "b"], ["c"], [0, 1], {"x": [1, 2], "y": ["z"]}).jobs()
    assert len(jobs) == len({job.title for job in jobs}) == 2 * 1 * 2 * 2
    assert jobs[0] == Job("a", "c", {"x": 1, "y": "z"}, 0)
    assert [job.seed for job in jobs[:2]] == [0, 1]


def test_titles_stay_within_their_folder() -> None:
    title = Job("a", "/some/place/grid", {"weights": "../../x"}, 0).title
    assert title == "a-grid-weights=.._.._x-seed0"


def test_the_paper_is_what_the_paper_says() -> None:
    grids = read_preset("paper")
    datasets = [name for grid in grids for name in grid.datasets]
    assert set(datasets) == {
        f"{region}-{labels}"
        for region in ("benelux", "colombia-ne")
        for labels in ("esaworldcover", "humanpop")
    }
    epochs = {"esaworldcover": [32], "humanpop": [8], None: None}
    for grid in grids:
        assert grid.settings.get("epochs") == epochs[grid.label_set]
        for method in map(method_class, grid.methods):
            assert set(grid.settings) <= set(method().get_params())
            small = issubclass(method, IterativeMethod) and (method.parameters or 0) < 10_000
            assert len(grid.seeds) == (3 if small else 1)
    with pytest.raises(UnknownNameError, match="did you mean 'paper'"):
        read_preset("papers")


def test_presets_run_every_method_that_sees_images() -> None:
    named = set()
    for grid in (*read_preset("results"), *read_preset("field")):
        for method in grid.methods:
            make_method(method, **{name: values[0] for name, values in grid.settings.items()})
            named.add(split_name(method)[0])
    assert set(method_names()) - named == {"embedding-ridge", "embedding-multinomial"}


def test_a_preset_runs_on_other_datasets_by_their_label_set(store: Path) -> None:
    grids = read_preset("paper", [str(store)])
    epochs = {job.settings.get("epochs") for grid in grids for job in grid.jobs()}
    assert epochs == {32, None}


def test_a_sweep_goes_on_where_it_stopped(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before the third of four runs; the first two are not run again."""
    from llpbench.running import completing

    run, begun = completing.run_method, []

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        if len(begun) == 2 and not (tmp_path / "again").exists():
            raise KeyboardInterrupt
        begun.append(name)
        return run(name, *arguments, **options)

    monkeypatch.setattr(completing, "run_method", counted)
    grids = [
        Grid(["train-mean"], [str(store)]),
        Grid(["bag-ridge"], [str(store)], [0, 1, 2], SMALL),
    ]
    with pytest.raises(KeyboardInterrupt):
        run_sweep(grids, tmp_path / "sweep")
    assert [row["method"] for row in table(tmp_path / "sweep/results.csv")] == begun
    (tmp_path / "again").touch()
    found = run_sweep(grids, tmp_path / "sweep")
    assert begun == ["train-mean", "bag-ridge", "bag-ridge", "bag-ridge"]
    assert not found.failed
    assert not found.interrupted

    rows = table(tmp_path / "sweep/results.csv")
    assert [int(row["seed"]) for row in rows] == [0, 0, 1, 2]
    assert json.loads(rows[1]["settings"]) == {"words": 4, "sample": 200}
    for (_job, one), row in zip(found.done, rows, strict=True):
        assert float(row["mae"]) == one.scores.value("mae")

    files = [one.folder / "predictions-test.parquet" for _job, one in found.done[1:]]
    together = evaluate(files, store)
    lines = (tmp_path / "sweep/results.md").read_text().splitlines()
    cells = [cell.strip() for cell in lines[3].strip("|").split("|")]
    assert len(lines) == 2 + 2
    assert not np.isfinite(together.interval("mae").low), "two test divisions"
    assert cells[4:6] == [f"{together.value('mae'):.4f}", ""]
    assert cells[10] == "3"
    assert cells[-1] == (
        f"`llpbench run bag-ridge --dataset {store} --set words=4 --set sample=200 "
        "--seed 0 --seed 1 --seed 2`"
    )
    assert np.isfinite(float(cells[3]))


def test_an_interrupted_run_ends_the_sweep_and_is_not_in_its_tables(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str, *arguments: Any, **options: Any) -> Any:
        run = complete_run(name, *arguments, **options)
        return replace(run, record=replace(run.record, interrupted=options["seed"] == 1))

    monkeypatch.setattr("llpbench.running.sweep.complete_run", interrupted)
    options = ["--dataset", str(store), "--seed=0", "--seed=1", "--seed=2"]
    with pytest.raises(SystemExit) as left:
        main(["sweep", "--method=train-mean", *options, "--out", str(tmp_path / "sweep")])
    assert left.value.code == 130
    assert "interrupted; go on with the same command" in capsys.readouterr().err
    assert [row["seed"] for row in table(tmp_path / "sweep/results.csv")] == ["0"]
    assert len(list((tmp_path / "sweep/runs").iterdir())) == 2


def test_what_cannot_be_run_is_found_first(store: Path, tmp_path: Path) -> None:
    wrong = Grid(["bag-ridge"], [str(store)], settings={"word": [4]})
    with pytest.raises(UnknownNameError, match="did you mean 'words'"):
        run_sweep([Grid(["train-mean"], [str(store)]), wrong], tmp_path / "sweep")
    with pytest.raises(LLPBenchError, match="is not on this machine"):
        run_sweep(read_preset("paper"), tmp_path / "sweep")
    assert not (tmp_path / "sweep").exists()


def test_one_failure_does_not_stop_the_others(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--dataset", str(store), "--set=words=4", "--set=sample=200"]
    sizes = ["--set=patch_size=[7,8]", "--out", str(tmp_path / "sweep"), "--json"]
    with pytest.raises(SystemExit) as left:
        main(["sweep", "--method=bag-ridge", *options, *sizes])
    assert left.value.code == 1
    printed = capsys.readouterr()
    assert "patch_size=7-seed0 failed: patch_size must divide 96, found 7" in printed.err
    (row,) = json.loads(printed.out)
    assert json.loads(row["settings"])["patch_size"] == 8


@pytest.mark.parametrize(
    "arguments", [[], ["--method=bag-ridge"], ["--preset=paper", "--seed=1"]], ids=str
)
def test_half_a_sweep_is_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["sweep", *arguments])
    assert left.value.code == 2


def test_workers_make_the_same_runs(store: Path, tmp_path: Path) -> None:
    grids = [Grid(["train-mean"], [str(store)], [0, 1])]
    alone = run_sweep(grids, tmp_path / "alone")
    shared_out = run_sweep(grids, tmp_path / "shared", workers=2)
    assert [job for job, _run in shared_out.done] == [job for job, _run in alone.done]
    for (_job, run), (_same, other) in zip(shared_out.done, alone.done, strict=True):
        assert run.scores is not None
        assert other.scores is not None
        assert run.scores.value("mae") == other.scores.value("mae")
