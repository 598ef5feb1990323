"""Work shared out gives what one process gives, whatever becomes of those who do it."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import threading
from collections import UserList
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import crew_work
import numpy as np
import psutil
import pytest
from click.testing import CliRunner

from llpbench.cli import cli
from llpbench.crew import Crew, gather
from llpbench.data.dataset import open_grouped
from llpbench.errors import CrewError, MethodError
from llpbench.methods import gate, parts
from llpbench.methods.estimate import collect
from llpbench.methods.registry import make_method
from llpbench.running.coarseness import coarseness


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    with gather(2) as crew:
        yield crew


@pytest.fixture(scope="module")
def address(crew: Crew) -> str:
    """Of a scheduler that somebody runs."""
    assert crew._client is not None
    return str(crew._client.scheduler.address)


def test_one_worker_is_this_process() -> None:
    """Without anything of the engine."""
    script = (
        "import os, sys\nfrom llpbench.crew import gather\n"
        "with gather() as crew:\n"
        "    assert crew.is_here\n"
        "    assert [*crew.share_out(str, [1, 2])] == ['1', '2']\n"
        "    assert [*crew.as_finished(str, [3])] == [(3, '3')]\n"
        "assert 'distributed' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-P", "-c", script], check=True, timeout=60)


def test_outcomes_come_in_the_order_of_items(crew: Crew) -> None:
    assert not crew.is_here
    assert list(crew.share_out(crew_work.slow_first, range(40))) == list(range(40))
    assert list(crew.share_out(crew_work.square, [])) == []


def test_or_in_the_order_in_which_they_finish(crew: Crew) -> None:
    done = list(crew.as_finished(crew_work.slow_first, range(8)))
    assert sorted(done) == [(number, number) for number in range(8)]
    assert done[0][0] != 0


def test_items_are_taken_as_they_are_needed(crew: Crew) -> None:
    """However many there are, few are handed out."""

    class Items(UserList[int]):
        taken = 0

        def __getitem__(self, number: Any) -> Any:
            self.taken += 1
            return super().__getitem__(number)

    items = Items(range(1000))
    outcomes = crew.share_out(crew_work.square, items)
    assert [next(outcomes) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert items.taken < 50


def test_what_the_work_holds_may_be_large(crew: Crew) -> None:
    work = partial(crew_work.held, np.arange(3_000_000.0))  # 24 MB
    assert list(crew.share_out(work, [2, 2_999_999])) == [2, 2_999_999]


def test_an_error_of_the_work_is_raised_as_it_is(crew: Crew) -> None:
    with pytest.raises(KeyError, match="three"):
        list(crew.share_out(crew_work.fail_at_three, range(10)))
    assert list(crew.share_out(crew_work.square, [3])) == [9]


def test_tasks_of_killed_workers_are_done_again(crew: Crew, tmp_path: Path) -> None:
    done = list(crew.share_out(partial(crew_work.ending_once, tmp_path), range(4)))
    assert [number for number, _process in done] == list(range(4))
    assert os.getpid() not in {process for _number, process in done}
    assert len(list(tmp_path.iterdir())) == 2


def test_runs_on_a_cluster_of_the_users(address: str, store: Path) -> None:
    """They give the same numbers to the bit, and leave its workers there."""
    arguments = (store, ["train-mean", "bag-ridge"])
    here = coarseness(*arguments, factors=[1])
    assert coarseness(*arguments, factors=[1], scheduler=address).equals(here)
    with gather(scheduler=address) as crew:
        assert list(crew.share_out(crew_work.square, [3])) == [9]


@pytest.mark.parametrize("name", ["bag-ridge", "bag-ridge+rake", "downconv"])
def test_methods_predict_the_same_elsewhere(
    name: str, crew: Crew, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, by parts of which the last is smaller; a network is made anew in a worker."""
    ds = open_grouped(store)
    method = make_method(name, **({"epochs": 1} if name == "downconv" else {}))
    gate.fit(method, ds.llp.split("train"), ds.llp.split("val"))
    origin: dict[str, Any] = {"name": name, "seed": 0, "trained_on": "grid"}
    whole = collect(gate.predict_batches(method, ds), ds["chip"].to_numpy(), method.categories_)
    monkeypatch.setattr(parts, "PART", 16)
    here = gate.predict(method, ds, "all", **origin)
    assert gate.predict(method, ds, "all", **origin, crew=crew).identical(here)
    for variable in whole.data_vars:
        np.testing.assert_allclose(here[variable], whole[variable], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["bag-ridge", "goodman"])
def test_methods_of_one_pass_are_fitted_the_same_elsewhere(
    name: str, crew: Crew, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the bit, by parts of which the last is smaller; but for rounding, as in one part."""
    ds = open_grouped(store)
    train, val = ds.llp.split("train"), ds.llp.split("val")
    weights, shares = [], []
    for size, who in ((10_000, None), (16, None), (16, crew)):
        monkeypatch.setattr(parts, "PART", size)
        method = make_method(name)
        gate.fit(method, train, val, crew=who)
        weights.append(method.get_weights())
        shares.append(np.concatenate([e.shares for e in gate.predict_batches(method, val)]))
    for what, array in weights[1].items():
        np.testing.assert_array_equal(weights[2][what], array)
    # rounding chooses among penalties that fit two divisions equally well
    np.testing.assert_allclose(shares[1], shares[0], rtol=0, atol=1e-4)


def test_chips_of_one_part_are_described_at_a_time(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chip once, in order."""
    train = open_grouped(store).llp.split("train")
    method, described = make_method("bag-ridge", words=8, sample=200), []
    describe = type(method).describe

    def spy(method: Any, ds: Any) -> Any:
        described.append(ds["chip"].to_numpy())
        return describe(method, ds)

    monkeypatch.setattr(type(method), "describe", spy)
    monkeypatch.setattr(parts, "PART", 16)
    gate.fit(method, train, train)
    assert max(map(len, described)) == 16
    np.testing.assert_array_equal(np.concatenate(described), train["chip"].to_numpy())


def test_a_run_is_shared_out(address: str, store: Path, tmp_path: Path) -> None:
    """Parts of its chips go to a cluster, and all files of numbers are the same."""
    for name, options in (("here", []), ("elsewhere", ["--scheduler", address])):
        arguments = ["run", "bag-ridge", "--dataset", str(store), "--out", str(tmp_path / name)]
        done = CliRunner().invoke(cli, [*arguments, *options])
        assert done.exit_code == 0, done.output
    for file in ("predictions-test.parquet", "scores.json", "weights/weights.npz"):
        here, elsewhere = ((tmp_path / name / file).read_bytes() for name in ("here", "elsewhere"))
        assert here == elsewhere, file


def test_a_method_that_needs_chips_again_shares_nothing_out(store: Path, tmp_path: Path) -> None:
    arguments = ["run", "train-mean", "--dataset", str(store), "--out", str(tmp_path / "run")]
    done = CliRunner().invoke(cli, [*arguments, "--workers", "2"])
    assert isinstance(done.exception, MethodError)
    assert "train-mean is trained in one process" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_workers_and_a_scheduler_are_two_things(address: str) -> None:
    with pytest.raises(CrewError, match="not both"), gather(2, address):
        pass


def _works(process: psutil.Process) -> bool:
    """Whether it is one of the workers, which other tests' processes are not, nor the dead."""
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return "dask worker" in command or "multiprocessing.spawn" in command


@pytest.mark.full
def test_workers_are_killed_at_any_moment(crew: Crew) -> None:
    """Twenty times, while they start as well as while they work."""
    stop = threading.Event()
    kills = 0

    def kill() -> None:
        nonlocal kills
        generator = random.Random(0)
        while kills < 20 and not stop.wait(0.5 + generator.random()):
            workers = [one for one in psutil.Process().children(recursive=True) if _works(one)]
            if workers:
                generator.choice(workers).kill()
                kills += 1

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        assert list(crew.share_out(crew_work.slow, range(200))) == list(range(200))
        while kills < 20:
            assert list(crew.share_out(crew_work.slow, range(20))) == list(range(20))
    finally:
        stop.set()
        killer.join()


def test_workers_end_with_the_process_that_gathered_them() -> None:
    script = (
        "import crew_work, os, sys\nfrom llpbench.crew import gather\n"
        "if __name__ == '__main__':\n"
        "    with gather(1 + 1) as crew:\n"
        "        for _number, process in crew.as_finished(crew_work.process, range(9)):\n"
        "            print(process, flush=True)\n"
        "        sys.stdin.read()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(crew_work.__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        workers = {int(process.stdout.readline()) for _ in range(9)}
        process.kill()
    _gone, alive = psutil.wait_procs(
        [psutil.Process(pid) for pid in workers if psutil.pid_exists(pid)], 30
    )
    assert not alive


def test_a_scheduler_that_is_lost_is_one_sentence() -> None:
    with _cluster() as (address, scheduler):
        done = []
        lost = pytest.raises(CrewError, match="is lost; start one again, and the same command goes")
        with gather(scheduler=address) as crew, lost:
            for number in crew.share_out(crew_work.slow, range(100)):
                done.append(number)
                scheduler.kill()
        assert 0 < len(done) < 50


@contextmanager
def _cluster() -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A scheduler and a worker in processes of their own, as users start them."""
    common = ["--no-dashboard", "--host", "127.0.0.1"]
    dask = [sys.executable, "-m", "dask"]
    environment = {**os.environ, "PYTHONPATH": str(Path(crew_work.__file__).parent)}
    scheduler = subprocess.Popen(
        [*dask, "scheduler", "--port", "0", *common], stderr=subprocess.PIPE, text=True
    )
    assert scheduler.stderr is not None
    address = next(
        line.split()[-1] for line in scheduler.stderr if re.search(r"Scheduler at:.*tcp://", line)
    )
    worker = subprocess.Popen(
        [*dask, "worker", address, "--nthreads", "1", *common],
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    try:
        yield address, scheduler
    finally:
        for process in (worker, scheduler):
            process.kill()
            process.wait()
        scheduler.stderr.close()


@pytest.mark.parametrize(
    "wrong", ["tcp://127.0.0.1:1", "nonsense", "http://127.0.0.1:1", "127.0.0.1"]
)
def test_a_scheduler_that_is_not_there(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llpbench.crew._PATIENCE", 0.2)
    with pytest.raises(CrewError, match="there is no dask scheduler at"), gather(1, wrong):
        pass
