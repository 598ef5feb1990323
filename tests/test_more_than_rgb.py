"""The page "More than RGB" does what it says: its commands and its Python run in their order."""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sensor_files
from click.testing import CliRunner

import llpbench
from llpbench.cli import cli
from llpbench.errors import LLPBenchError
from llpbench.methods import registry
from llpbench_baselines.division_regression import DivisionRegression

pytestmark = pytest.mark.usefixtures("no_pictures", "outlines_read_here")

PAGE = Path(__file__).resolve().parents[1] / "docs" / "howto" / "more-than-rgb.md"
SAME = ("note: bands are", "note: red, green", "note: the embedding", "note: as in", "llpbench:")
"""What is said of a smaller region, too."""
FRAMEWORKS = ("llpnet", "torch")
SLOW = (*FRAMEWORKS, "predict runs/")
"""What the small region goes without."""


def blocks() -> Iterator[tuple[str, str]]:
    """Language and text of each block of code."""
    for found in re.finditer(r"^```(\w+)\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S):
        yield found[1], found[2]


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block, and the lines shown below it."""
    for part in re.split(r"^\$ ", block.replace("\\\n", ""), flags=re.M)[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def expand(word: str) -> list[str]:
    """What a shell makes of a word."""
    return sorted(map(str, Path().glob(word))) if "*" in word else [word]


def said_by(command: str) -> str:
    """Run a command; what it says."""
    arguments = [path for word in shlex.split(command)[1:] for path in expand(word)]
    done = CliRunner().invoke(cli, arguments)
    if isinstance(done.exception, LLPBenchError):
        return f"llpbench: {done.exception}"
    assert done.exit_code == 0, done.output
    return done.output


class Alike(doctest.OutputChecker):
    """Outputs are the same but for numbers."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return re.sub(r"\d+", "0", want) == re.sub(r"\d+", "0", got)


def follow(
    chips: int,
    known: tuple[str, ...],
    checker: doctest.OutputChecker,
    without: tuple[str, ...] = FRAMEWORKS,
) -> None:
    """Go through the page, and look for the lines shown that begin like those known."""
    names: dict[str, Any] = {}
    for language, block in blocks():
        if language == "console":
            for command, lines in commands(block):
                if command.startswith("python benchmarks/sensor_files"):
                    sensor_files.write_files(Path("files"), chips)
                elif command.startswith("llpbench") and not any(
                    word in command for word in without
                ):
                    said = said_by(command).splitlines()
                    shown = [line for line in lines if line.startswith(known)]
                    assert [line for line in shown if line not in said] == []
        elif ">>>" in block:
            part = doctest.DocTestParser().get_doctest(block, names, PAGE.name, None, None)
            done = doctest.DocTestRunner(checker).run(part, clear_globs=False)
            assert not done.failed
            names = part.globs
        elif language == "python" and not any(word in block for word in without):
            exec(block, names)


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The method that the page writes, and a folder to work in."""
    usual = registry.method_class
    own = "ndvi-ridge"

    def find(name: str) -> type[llpbench.Method]:
        if name != own:
            return usual(name)
        return next(kind for kind in llpbench.Method.__subclasses__() if "NDVI" in kind.__name__)

    monkeypatch.setattr(registry, "method_class", find)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_installed")
def test_the_page_runs_on_a_small_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for setting, few in {"words": 16, "sample": 5_000}.items():
        monkeypatch.setitem(DivisionRegression.__init__.__kwdefaults__, setting, few)
    follow(16, SAME, Alike(), SLOW)


@pytest.mark.full
@pytest.mark.usefixtures("_installed")
def test_what_is_shown_is_what_comes_out() -> None:
    follow(400, ("",), doctest.OutputChecker())
