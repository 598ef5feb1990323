"""Tracking: nothing by default, a clear message without the package, files when offline."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from regions import make_region, write_region

from llpbench.errors import LLPBenchError, UnknownNameError
from llpbench.running.run import run_method
from llpbench.running.tracking import open_tracker

SMALL = {"filters": 4, "epochs": 2, "batch_size": 8}


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stores") / "grid"
    write_region(make_region(8, 3, 4, 1), path)
    return path


def test_a_missing_package_is_named_before_training(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(LLPBenchError, match=r"pip install 'llpbench\[wandb\]'"):
        run_method("train-mean", store, tracker="wandb", out=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def test_services_are_known_by_name(tmp_path: Path) -> None:
    with (
        pytest.raises(UnknownNameError, match="did you mean 'wandb'"),
        open_tracker("wandbb", tmp_path, {}),
    ):
        pass


class Service:
    """Stands for the package: writes down what it is told."""

    class Error(Exception):
        pass

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.rows: list[Mapping[str, Any]] = []
        self.summary: dict[str, float] = {}
        self.ended_with: object = "not yet"

    def init(self, **options: Any) -> Service:
        if self.failure is not None:
            raise self.failure
        self.options = options
        return self

    def Image(self, path: str) -> str:  # noqa: N802
        assert Path(path).read_bytes().startswith(b"\x89PNG")
        return path

    def log(self, row: Mapping[str, Any]) -> None:
        self.rows.append(row)

    def __enter__(self) -> Service:
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        self.ended_with = kind


def test_epochs_scores_and_pictures_are_sent(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorflow", reason="downconv needs TensorFlow")
    service = Service()
    monkeypatch.setitem(sys.modules, "wandb", service)  # type: ignore[arg-type]
    run = run_method(
        "downconv",
        store,
        settings=SMALL,
        tracker="wandb",
        tracker_tag="try",
        plots=True,
        out=tmp_path / "run",
    )
    assert service.options["tags"] == ["try"]
    assert service.options["config"]["filters"] == 4
    *epochs, pictures = service.rows
    assert [row["epoch"] for row in epochs] == [1, 2]
    assert set(epochs[0]) == {"epoch", "loss", "val_loss", "val_mae"}
    assert {"test/chips", "test/confusion"} <= set(pictures)
    assert service.summary["test/mae"] == run.scores.value("mae")
    assert service.ended_with is None


def test_a_service_that_refuses_ends_the_run(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Service(Service.Error("no key"))
    monkeypatch.setitem(sys.modules, "wandb", service)  # type: ignore[arg-type]
    with pytest.raises(LLPBenchError, match=r"does not start \(no key\); log in"):
        run_method("train-mean", store, tracker="wandb", out=tmp_path / "run")
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("default")  # of the package's own
def test_wandb_keeps_an_offline_run_in_the_folder(store: Path, tmp_path: Path) -> None:
    pytest.importorskip("wandb", reason="wandb is not installed")
    run = run_method("train-mean", store, tracker="wandb", tracker_tag="try", out=tmp_path / "run")
    (kept,) = (run.folder / "wandb").glob("offline-run-*")
    (binary,) = kept.glob("*.wandb")
    assert binary.stat().st_size > 0
    assert (run.folder / "run.json").exists()
