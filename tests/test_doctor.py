"""What a report of a fault says of the machine, and what a run keeps of it."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from regions import make_region, write_region

from llpbench.cli import cli
from llpbench.running.run import run_method
from llpbench.runs.record import read_run

pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Devices are asked of a program that fails, as where TensorFlow is missing or broken."""
    monkeypatch.setattr("llpbench.cli.doctor._DEVICES", "import os; os.abort()")


@pytest.mark.usefixtures("no_tensorflow")
def test_it_names_versions_cache_and_devices(tmp_path: Path) -> None:
    write_region(make_region(4, 2, 2, 1), tmp_path / "cache" / "grid")
    facts = json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).stdout)
    assert facts["llpbench"] == version("llpbench")
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["packages"]["zarr"] == version("zarr")
    assert not {"pytest", "ruff", "sphinx"} & set(facts["packages"])
    assert facts["cache"]["datasets"] == ["grid"]
    assert facts["cache"]["folder"] == str(tmp_path / "cache")
    assert facts["devices"] is None, "what breaks TensorFlow does not break the report"
    text = CliRunner().invoke(cli, ["doctor"]).stdout
    assert f"zarr{version('zarr'):>24}".replace(" ", "") in text.replace(" ", "")
    assert "not known" in text


@pytest.mark.full
def test_devices_are_those_of_tensorflow() -> None:
    pytest.importorskip("tensorflow")
    devices = json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).stdout)["devices"]
    assert "CPU" in devices


@pytest.mark.usefixtures("no_tensorflow")
def test_a_cache_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    facts = json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).stdout)
    assert facts["cache"]["datasets"] == []
    assert facts["cache"]["holds"] == "0 bytes"
    assert not (tmp_path / "cache").exists(), "looking makes nothing"


def test_a_run_keeps_versions_and_one_without_is_read(tmp_path: Path) -> None:
    write_region(make_region(8, 3, 4, 1), tmp_path / "grid")
    run = run_method("train-mean", tmp_path / "grid", out=tmp_path / "run")
    assert run.record.versions is not None
    assert run.record.versions["numpy"] == version("numpy")
    path = tmp_path / "run" / "run.json"
    content = json.loads(path.read_text())
    del content["versions"]
    path.write_text(json.dumps(content))
    assert read_run(tmp_path / "run").record.versions is None
