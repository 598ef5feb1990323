"""Commands in documents are such as the program takes: their options, names and settings."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sklearn.model_selection import ParameterGrid

from llpbench.cli import cli
from llpbench.errors import ChallengeError
from llpbench.methods.registry import make_method

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("docs", "baselines", "benchmarks", "leaderboard", "docker", "packaging")
FILES = "does not exist|is a directory|is a file|is no challenge"
"""What may be wrong: files that the commands speak of are not here."""


def documented() -> Iterator[tuple[str, str]]:
    """Pages and their commands, each as one line without what follows a pipe or a comment."""
    rooms = (page for room in ROOMS for page in (ROOT / room).rglob("*.md"))
    for page in [*ROOT.glob("*.md"), *rooms]:
        for block in re.findall(r"^ *```console\n(.*?)```", page.read_text("utf-8"), re.M | re.S):
            for line in block.replace("\\\n", " ").splitlines():
                found = re.match(r" *\$ (?:[A-Z_]+=\S+ )*llpbench (.*)", line)
                if found:
                    yield str(page.relative_to(ROOT)), re.split(r"\s+[|>&] *|\s+#", found[1])[0]


def parse(command: click.Command, words: list[str]) -> click.Context:
    """The context of the innermost command; groups have no options but to say what they are."""
    if not isinstance(command, click.Group) or not words or words[0].startswith("-"):
        return command.make_context("llpbench", words)
    _name, inner, rest = command.resolve_command(click.Context(command), words)
    assert inner is not None
    return parse(inner, rest)


COMMANDS = {command: page for page, command in documented()}


@pytest.mark.parametrize(("command", "page"), COMMANDS.items(), ids=list(COMMANDS))
def test_the_program_takes_it(command: str, page: str) -> None:
    try:
        given = parse(cli, shlex.split(command)).params
    except click.exceptions.Exit:  # --help, --version
        return
    except (click.UsageError, ChallengeError) as error:
        said = getattr(error, "message", str(error))
        assert re.search(FILES, said), f"{page}: {said}"
        return
    named = given.get("method") or given.get("methods") or ()
    settings = {
        name: value if isinstance(value, list) else [value]
        for name, value in (given.get("settings") or {}).items()
    }
    objective = {"objective": given["objective"]} if given.get("objective") else {}
    for method in [named] if isinstance(named, str) else named:
        for chosen in ParameterGrid(settings):
            make_method(method, **objective, **chosen)


def test_many_are_looked_at() -> None:
    assert len(COMMANDS) > 100
