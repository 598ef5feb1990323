"""Error against the coarseness of supervision: table, picture, command."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from regions import make_region, write_region

import llpbench
from llpbench.cli import main
from llpbench.methods.registry import make_method
from llpbench.plots import draw_coarseness
from llpbench.protocol import prediction_inputs
from llpbench.running.coarseness import coarseness


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(18, 8, 6, 4), path)
    return path


def test_each_row_is_a_method_on_rebagged_divisions(store: Path) -> None:
    table = coarseness(store, ["train-mean", "bag-ridge+rake"], factors=[1, 4], seeds=[0, 1])
    assert table["divisions"].tolist() == [8, 2, 8, 2]
    assert table["chips"].tolist() == [6, 24, 6, 24]
    ds = llpbench.open_dataset(store).llp.group().llp.rebag(coarser=4)
    train, val = (ds.llp.split(part).llp.restrict("division") for part in ("train", "val"))
    method = make_method("train-mean").fit(train, val)
    inputs = prediction_inputs(ds.llp.split("test"), "inductive")
    expected = llpbench.evaluate(method.predict(inputs), store)
    assert table["mae"][1] == pytest.approx(expected.value("mae"))
    assert ((table["low"] <= table["mae"]) & (table["mae"] <= table["high"])).all()


def test_the_picture_shows_the_table() -> None:
    table = pd.DataFrame(
        {
            "method": ["a", "a", "b", "b"],
            "way": "merge",
            "chips": [8.0, 32.0, 8.0, 32.0],
            "mae": [0.1, 0.12, 0.08, 0.09],
            "low": 0.05,
            "high": 0.15,
        }
    )
    axis = draw_coarseness(table, "somewhere").axes[0]
    lines = {str(line.get_label()): line for line in axis.lines}
    np.testing.assert_allclose(lines["b"].get_xydata(), [[8, 0.08], [32, 0.09]])
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["8", "32"]


def test_the_command_writes_both(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["coarseness", "--dataset", str(store), "--method", "train-mean", "--points", "9"]
    main([*arguments, "--coarser", "2", "--how", "random", "--out", str(tmp_path / "out")])
    assert re.search(r"train-mean  random +2\.0 +4 ", capsys.readouterr().out)
    main([*arguments, "--coarser", "2", "--json", "--out", str(tmp_path / "out")])
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["way"], row["coarser"], row["divisions"]) == ("merge", 2, 4)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "coarseness.csv",
        "coarseness.png",
    }
    assert pd.read_csv(tmp_path / "out" / "coarseness.csv")["divisions"].tolist() == [4]
