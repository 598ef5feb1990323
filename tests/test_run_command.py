"""Commands of runs: written, and read without a shell."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import assert_sentence
from hypothesis import given
from hypothesis import strategies as st

from llpbench.errors import MethodError
from llpbench.runs.command import RunCommand, parse_run_command

_names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
_values = st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none() | _names


@given(
    method=_names,
    dataset=_names,
    seeds=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    settings=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), _values, max_size=3),
    apply_to=st.none() | _names,
    deterministic=st.booleans(),
)
def test_what_is_written_is_read_back(seeds: list[int], **said: Any) -> None:
    command = RunCommand(seeds=tuple(seeds), **said)
    assert parse_run_command(str(command)) == command


def test_both_ways_to_give_a_value_are_read() -> None:
    command = parse_run_command("llpbench run qkm --dataset=grid --epochs=4 --set loss=squared")
    assert command == RunCommand("qkm", "grid", (0,), {"loss": "squared", "epochs": 4})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "'",
        "rm -r data",
        "llpbench",
        "llpbench download grid",
        "llpbench run",
        "llpbench run qkm",
        "llpbench run qkm --dataset",
        "llpbench run qkm --dataset grid; rm -r data",
        "llpbench run qkm --dataset grid && true",
        "llpbench run qkm --dataset $(true)",
        "llpbench run qkm --dataset ../grid",
        "llpbench run qkm --dataset /data/grid",
        "llpbench run ./qkm --dataset grid",
        "llpbench run qkm --dataset grid --out /tmp/x",
        "llpbench run qkm --dataset grid --track wandb",
        "llpbench run qkm --dataset grid --resume",
        "llpbench run qkm --dataset grid --data other",
        "llpbench run qkm --dataset grid --seed one",
        "llpbench run qkm --dataset grid --set epochs",
        "llpbench run qkm --dataset grid --set weights=/etc/passwd",
        "llpbench run qkm --dataset grid --set weights=../x",
        "llpbench run qkm --dataset grid --set a=[1]",
        "llpbench run qkm --dataset grid --help",
        "llpbench run qkm --dataset grid -h",
        "python -m llpbench run qkm --dataset grid",
        "@file",
        "llpbench run @file --dataset grid",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(MethodError, match="this is no") as caught:
        parse_run_command(text)
    assert_sentence(caught.value)
