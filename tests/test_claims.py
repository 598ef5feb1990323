"""Two processes at one name, and processes killed while they give a folder its name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from regions import GridPixels, make_region, write_region

from llpbench.catalog import ClassGroup, LabelClass
from llpbench.errors import BusyError, LLPBenchError
from llpbench.plots.writing import write_plots
from llpbench.running.run import run_method
from llpbench.running.sweep import run_sweep
from llpbench.running.sweep_plan import Grid
from llpbench.runs.folder import claimed_folder
from llpbench.runs.record import read_run
from llpbench.writing import locked, part_path, replacing

pytestmark = pytest.mark.usefixtures("no_pictures")

COLOURS = ("#112233", "#445566", "#778899", "#aabbcc")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(8, 3, 4, 1), path)
    return path


def test_a_second_run_takes_another_name_and_neither_is_lost(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is still at work, and its folder not there yet, when the second begins."""
    monkeypatch.chdir(tmp_path)
    with claimed_folder(None, "train-mean-grid-seed0", resume=False) as first:
        assert not first.exists()
        second = run_method("train-mean", store)
    assert (first.name, second.folder.name) == ("train-mean-grid-seed0", "train-mean-grid-seed0-2")
    assert run_method("train-mean", store).folder == first
    assert {path.name for path in Path("runs").iterdir()} == {first.name, second.folder.name}


def test_a_folder_that_is_being_written_is_refused(store: Path, tmp_path: Path) -> None:
    with (
        claimed_folder(tmp_path / "run", "", resume=False),
        pytest.raises(BusyError, match="another process is at work"),
    ):
        run_method("train-mean", store, out=tmp_path / "run")
    grid = Grid(["train-mean"], [str(store)])
    with locked(tmp_path / "sweep"), pytest.raises(BusyError, match="another process"):
        run_sweep([grid], tmp_path / "sweep")


def test_two_writers_of_one_file_wait_for_one_another(tmp_path: Path) -> None:
    """The second would remove the part of the first."""
    script = (
        "import sys, time\nfrom pathlib import Path\nfrom llpbench.writing import replacing\n"
        "with replacing(Path(sys.argv[1])) as part:\n"
        "    part.write_text(sys.argv[2])\n    print(flush=True)\n    time.sleep(0.5)\n"
    )
    file = tmp_path / "a.txt"
    commands = [[sys.executable, "-P", "-c", script, str(file), text] for text in ("one", "two")]
    with subprocess.Popen(commands[0], stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        first.stdout.readline()
        subprocess.run(commands[1], check=True)
    assert first.returncode == 0
    assert file.read_text() == "two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from llpbench.writing import replacing
folder, event, step, taken = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), 0
def count(name, arguments):
    global taken
    taken += name == event
    if name == event and taken == step:
        os.kill(os.getpid(), signal.SIGKILL)
with replacing(folder, resume=True) as part:
    shutil.copytree(folder, part)
    sys.addaudithook(count)
"""


@pytest.mark.parametrize(("event", "step"), [("os.rename", 1), ("os.rename", 2), ("os.rmdir", 1)])
def test_a_run_survives_a_kill_while_it_is_replaced(
    store: Path, tmp_path: Path, event: str, step: int
) -> None:
    """Killed before the old one steps aside, before the new one has its name, and after it."""
    folder = run_method("train-mean", store, out=tmp_path / "run").folder
    arguments = ["-P", "-c", KILLED, str(folder), event, str(step)]
    done = subprocess.run([sys.executable, *arguments], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert read_run(folder).record.method == "train-mean"
    with replacing(folder, resume=True) as part:
        part.mkdir(exist_ok=True)
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_links_stay_and_pipes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "there" / "a.txt")
    with replacing(tmp_path / "link.txt") as part:
        part.write_text("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "a.txt").read_text() == "new"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(LLPBenchError, match="is a pipe or a device"), replacing(tmp_path / "pipe"):
        pass
    assert (tmp_path / "pipe").is_fifo()


def test_workers_end_with_a_killed_sweep(tmp_path: Path) -> None:
    """A process whose parent dies is handed to another one."""
    script = (
        "import os, sys, time\nfrom llpbench.running.workers import _end_with\n"
        "parent = os.getpid()\n"
        "if child := os.fork():\n    print(child, flush=True)\n    time.sleep(60)\n"
        "_end_with(parent)\ntime.sleep(60)\n"
    )
    command = [sys.executable, "-P", "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    assert _ends(lambda: Path(f"/proc/{child}").exists())


def _ends(is_there: Callable[[], bool]) -> bool:
    for _ in range(300):
        if not is_there():
            return True
        time.sleep(0.1)
    return False


def test_no_class_name_costs_a_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is drawn, as text: Matplotlib takes the first for mathematics and cannot read it."""
    monkeypatch.setattr("llpbench.plots.write_plots", write_plots)
    write_named(["$10k_$20k", "rest", "a" * 100, "b\\^{"], tmp_path / "grid")
    run_method("train-mean", tmp_path / "grid", out=tmp_path / "run", plots=True)
    assert "could not be drawn" not in caplog.text
    assert len(list((tmp_path / "run" / "plots").iterdir())) >= 4


def test_classes_that_nothing_can_be_said_of_are_refused_first(tmp_path: Path) -> None:
    write_named(["only"], tmp_path / "grid")
    with pytest.raises(LLPBenchError, match="at least two are needed"):
        run_method("train-mean", tmp_path / "grid", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def write_named(names: list[str], path: Path) -> None:
    """A store of a region whose classes, each a group, have these names."""
    region = make_region(8, 3, 4, 1, labels="humanpop")
    classes = [LabelClass(name, colour) for name, colour in zip(names, COLOURS, strict=False)]
    groups = [ClassGroup(one.name, (n,), 1.0, one.colour) for n, one in enumerate(classes)]
    labels = replace(region.label_set, name="mine", classes=tuple(classes), groups=tuple(groups))
    shares = np.full((len(region.divisions), len(names)), 1 / len(names))
    read = GridPixels(len(names))
    region = replace(region, label_set=labels, division_proportions=shares, read=read)
    write_region(region, path)


def test_a_picture_that_fails_costs_no_run(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise ValueError("no picture")

    monkeypatch.setattr("llpbench.plots.write_plots", fail)
    done = run_method("train-mean", store, out=tmp_path / "run", plots=True)
    assert read_run(done.folder).record == done.record
    assert done.predictions.exists()


def test_parts_follow_links(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    assert part_path(tmp_path / "link") == part_path(tmp_path / "a.txt")
