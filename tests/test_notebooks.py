"""Every notebook runs from its first cell to its last, on a small demo dataset."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

import llpbench

EXECUTE = "from nbclient.cli import main; main()"
SMALLER = """
from llpbench_baselines.division_regression import DivisionRegression
DivisionRegression.__init__.__kwdefaults__.update(words=16, sample=5_000)
"""
"""Makes bag-ridge quick where a notebook leaves its settings alone."""
IN_REDUCED_TESTS = ("first-steps", "how-good-is-my-map", "office-files")
"""The others run with the full counts."""
NOTEBOOKS = sorted((Path(__file__).resolve().parents[1] / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache whose embedded dataset has 240 chips instead of 2,000."""
    path = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLPBENCH_CACHE", str(path))
        llpbench.synthesize("demo-esaworldcover", "esaworldcover", chips=240, seed=0)
    return path


def _marked(notebook: Path) -> Any:
    marks = () if notebook.stem in IN_REDUCED_TESTS else (pytest.mark.full,)
    return pytest.param(notebook, id=notebook.stem, marks=marks)


@pytest.mark.parametrize("notebook", [_marked(path) for path in NOTEBOOKS])
def test_a_notebook_runs(notebook: Path, cache: Path, tmp_path: Path) -> None:
    executed, begun = tmp_path / notebook.name, tmp_path / "begun.ipynb"
    content = nbformat.read(notebook, 4)
    content.cells.insert(0, nbformat.v4.new_code_cell(SMALLER))
    nbformat.write(content, begun)
    environment = {
        **os.environ,
        "LLPBENCH_CACHE": str(cache),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "jupyter"),
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-c", EXECUTE, str(begun), f"--output={executed.with_suffix('')}"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    cells = [cell for cell in nbformat.read(executed, 4).cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    said = [str(output) for cell in cells for output in cell.outputs]
    assert not any("Warning" in text for text in said)
    for cell in cells:
        if "draw_" in cell.source.splitlines()[-1]:
            assert "image/png" in cell.outputs[-1].data


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_as_they_were_run_last(notebook: Path) -> None:
    """From the first cell to the last, with outputs in which no machine can be recognised."""
    content = nbformat.read(notebook, 4)
    nbformat.validate(content)
    assert content.cells[0].source.startswith("# ")
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells), "make notebooks"
    for cell in cells:
        assert "execution" not in cell.metadata
        for output in cell.outputs:
            said = json.dumps({**output, "data": _without_pictures(output.get("data", {}))})
            assert output.output_type != "error"
            assert not re.search(r"/(?:root|home|tmp|work|Users|var|private)/|0x[0-9a-f]{6}", said)
            assert not re.search(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", said)


def _without_pictures(data: dict[str, Any]) -> dict[str, Any]:
    return {kind: content for kind, content in data.items() if not kind.startswith("image/")}


def test_notebooks_are_small_enough_for_a_repository() -> None:
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 3_000_000


def test_the_tutorial_lists_every_notebook() -> None:
    tutorial = (NOTEBOOKS[0].parents[1] / "docs" / "tutorial.md").read_text("utf-8")
    listed = [line.strip() for line in tutorial.splitlines() if line.startswith("notebooks/")]
    assert sorted(listed) == [f"notebooks/{path.stem}" for path in NOTEBOOKS]
