"""A region is looked at, cut and predicted by others as by one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from own_builds import call
from own_region import OwnRegion

import llpbench
from llpbench.cli import cli
from llpbench.crew import gather
from llpbench.data.building import presence
from llpbench.data.building.stack import StackLayer
from llpbench.data.store.blocks import BlockWriter
from llpbench.errors import BuildError

pytest.importorskip("distributed")
pytestmark = pytest.mark.usefixtures("no_pictures")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a scheduler that somebody runs."""
    with gather(2) as crew:
        assert crew._client is not None
        yield str(crew._client.scheduler.address)


@pytest.fixture
def holed(own: OwnRegion, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, ...]:
    """Options for a region of which one chip lacks a corner, and another most pixels."""
    monkeypatch.setattr(presence, "_BLOCK", 2)
    monkeypatch.setattr(presence, "_TASK", 8)
    image = np.maximum(own.image, 1)
    image[:, 0:10, 0:10] = 0
    image[:, 300:400, 500:590] = 0
    return ("--image", own.write_image(image, nodata=0))


def test_others_look_at_pixels_and_cut_chips(
    own: OwnRegion,
    tmp_path: Path,
    address: str,
    holed: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They alone: this process opens no image."""
    here = call(own, *holed, "--out", tmp_path / "here")
    assert "1 chips at the edge of the image or in its gaps were left out" in here.stderr
    monkeypatch.setattr(StackLayer, "open", None)
    elsewhere = call(own, *holed, "--out", tmp_path / "elsewhere", "--scheduler", address)
    assert (elsewhere.exit_code, elsewhere.stderr) == (0, here.stderr)
    assert len(llpbench.open_dataset(tmp_path / "here")["chip"]) == 29
    assert _same_digests(tmp_path / "here", tmp_path / "elsewhere")


def test_what_stops_a_look_elsewhere_is_said(
    own: OwnRegion, tmp_path: Path, address: str, holed: tuple[Any, ...]
) -> None:
    path = Path(holed[-1])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    done = call(own, *holed, "--out", tmp_path / "lost", "--scheduler", address)
    assert isinstance(done.exception, BuildError), done.output
    assert not (tmp_path / "lost").exists()


def _run(*words: Any) -> None:
    done = CliRunner().invoke(cli, list(map(str, words)))
    assert done.exit_code == 0, done.output


def _leave_it_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process can neither look for pixels nor write blocks any more."""
    for work in (presence._Look, BlockWriter):
        monkeypatch.setattr(work, "__call__", None)


def _same_digests(*stores: Path) -> bool:
    return len({llpbench.open_dataset(store).llp.info.digest for store in stores}) == 1


def test_others_write_made_and_published_datasets(
    tmp_path: Path, address: str, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They alone, and the same."""
    commands = {
        "made": ("synthesize", "made", "--chips", 60),
        "imported": ("import", archive, "--name", "imported"),
    }
    for name, words in commands.items():
        _run(*words, "--out", tmp_path / f"{name}-here")
    _leave_it_to_others(monkeypatch)
    for name, words in commands.items():
        _run(*words, "--out", tmp_path / f"{name}-elsewhere", "--scheduler", address)
        assert _same_digests(*(tmp_path / f"{name}-{where}" for where in ("here", "elsewhere")))


def test_others_predict_new_images(
    own: OwnRegion,
    tmp_path: Path,
    address: str,
    holed: tuple[Any, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They alone look and cut chips, beside the command; all numbers are the same."""
    monkeypatch.chdir(tmp_path)
    assert call(own, *holed).exit_code == 0
    _run("run", "bag-ridge", "--dataset", "mine", "--set", "words=4", "--out", "run")
    _run("predict", "run", *holed, "--force", "-o", "here")
    _leave_it_to_others(monkeypatch)
    _run("predict", "run", *holed, "--force", "-o", "elsewhere", "--scheduler", address)
    assert _same_digests(*(tmp_path / name / "dataset" for name in ("here", "elsewhere")))
    here, elsewhere = (
        llpbench.read_predictions(tmp_path / name / "predictions.parquet")
        for name in ("here", "elsewhere")
    )
    assert here["proportions"].equals(elsewhere["proportions"])
