"""Predictions that are written file by file: those of one pass, and nothing predicted twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from regions import make_region, write_region

import llpbench
from llpbench.errors import MethodError, PredictionsError
from llpbench.methods import gate
from llpbench.methods.registry import make_method
from llpbench.running.mapping import map_predictions
from llpbench.running.predicting_parts import predict_parts

pytestmark = pytest.mark.usefixtures("no_pictures", "no_map_pictures")

FACTS: dict[str, Any] = {
    "name": "bag-ridge",
    "seed": 0,
    "trained_on": "grid",
    "track": "inductive",
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(12, 6, 6, 3), path)
    return path


@pytest.fixture(scope="module")
def ds(store: Path) -> xr.Dataset:
    return llpbench.open_dataset(store).llp.group()


@pytest.fixture(scope="module")
def method(ds: xr.Dataset) -> Any:
    made = make_method("bag-ridge", random_state=0)
    gate.fit(made, ds.llp.split("train"), ds.llp.split("val"))
    return made


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 20 chips, the last of 12."""
    monkeypatch.setattr("llpbench.running.predicting_parts.FILE", 20)


def test_parts_hold_what_is_predicted_in_one_pass(
    ds: xr.Dataset, method: Any, tmp_path: Path
) -> None:
    predict_parts(tmp_path / "parts", method, ds, "all", **FACTS)
    names = sorted(file.name for file in (tmp_path / "parts").iterdir())
    assert names == [f"part-{number:06}.parquet" for number in range(4)]
    found = llpbench.read_predictions(tmp_path / "parts")
    expected = gate.predict(method, ds, "all", **FACTS).drop_vars("segmentation", errors="ignore")
    xr.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    assert found.attrs == expected.attrs


def test_a_second_start_repeats_no_file(
    ds: xr.Dataset, method: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, predicted, whole = tmp_path / "parts", [], gate.predict_part

    def counting(method: Any, seen: xr.Dataset, part: slice, **options: Any) -> Any:
        if part.start == 40 and len(predicted) < 3:
            raise MemoryError
        predicted.append(part.start)
        return whole(method, seen, part, **options)

    monkeypatch.setattr(gate, "predict_part", counting)
    with pytest.raises(MemoryError):
        predict_parts(folder, method, ds, "all", **FACTS)
    assert len(list(folder.iterdir())) == 2
    predicted.append(-1)
    predict_parts(folder, method, ds, "all", **FACTS)
    assert predicted == [0, 20, -1, 40, 60]
    expected = gate.predict(method, ds, "all", **FACTS)["proportions"]
    found = llpbench.read_predictions(folder)["proportions"]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_other_predictions_are_not_gone_on_with(
    ds: xr.Dataset, method: Any, tmp_path: Path
) -> None:
    predict_parts(tmp_path / "parts", method, ds, "test", **FACTS)
    with pytest.raises(PredictionsError, match="other predictions, which differ in 'seed'"):
        predict_parts(tmp_path / "parts", method, ds, "test", **FACTS | {"seed": 1})
    raked = make_method("train-mean+rake")
    with pytest.raises(MethodError, match="looks at all chips at once"):
        predict_parts(tmp_path / "other", raked, ds, "test", **FACTS)
    assert not (tmp_path / "other").exists()


def test_a_large_map_of_a_run_is_predicted_in_parts(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = llpbench.run_method("bag-ridge", str(store), out=tmp_path / "run").folder
    small = map_predictions(run, tmp_path / "small.tif", dataset=str(store), split="all")
    for place in ("running.mapping", "maps.writing"):
        monkeypatch.setattr(f"llpbench.{place}.MOST_IN_FILE", 5)
    large = map_predictions(run, tmp_path / "large.tif", dataset=str(store), split="all")
    assert len(list((tmp_path / "large-predictions").iterdir())) == 4
    assert large.divisions.read_bytes() == small.divisions.read_bytes()
