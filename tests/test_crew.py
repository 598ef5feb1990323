"""Work shared out gives what one process gives, whatever becomes of those who do it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import UserList
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import crew_work
import numpy as np
import pytest

from llpbench.crew import Crew, gather
from llpbench.data.dataset import open_grouped
from llpbench.errors import CrewError
from llpbench.methods import gate
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
    monkeypatch.setattr(gate, "PART", 16)
    here = gate.predict(method, ds, "all", **origin)
    assert gate.predict(method, ds, "all", **origin, crew=crew).identical(here)
    for variable in whole.data_vars:
        np.testing.assert_allclose(here[variable], whole[variable], rtol=0, atol=1e-6)


def test_workers_and_a_scheduler_are_two_things(address: str) -> None:
    with pytest.raises(CrewError, match="not both"), gather(2, address):
        pass


@pytest.mark.parametrize(
    "wrong", ["tcp://127.0.0.1:1", "nonsense", "http://127.0.0.1:1", "127.0.0.1"]
)
def test_a_scheduler_that_is_not_there(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llpbench.crew._PATIENCE", 0.2)
    with pytest.raises(CrewError, match="there is no dask scheduler at"), gather(1, wrong):
        pass
