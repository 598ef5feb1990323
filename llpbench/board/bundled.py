"""The methods that ship with llpbench: the only ones that a board runs."""

from __future__ import annotations

import importlib.metadata

from llpbench.errors import MethodError, examples
from llpbench.methods.registry import (
    METHODS,
    POST_PROCESSORS,
    MethodInfo,
    describe_method,
    split_name,
)
from llpbench.runs.command import RunCommand, parse_run_command

PACKAGE = "llpbench_baselines"


def bundled_method(name: str) -> MethodInfo:
    """Find a method that ships with llpbench, such as ``"llpnet+rake"``, importing nothing else."""
    method, post = split_name(name)
    if not all([_ships(METHODS, method), *(_ships(POST_PROCESSORS, step) for step in post)]):
        raise MethodError(f"{examples([name])} is no method that ships with llpbench")
    return describe_method(name)


def _ships(group: str, name: str) -> bool:
    """Whether llpbench offers that name, and nobody else does."""
    points = importlib.metadata.entry_points(group=group, name=name)
    return [point.module.split(".")[0] for point in points] == [PACKAGE]


def bundled_command(text: str) -> tuple[RunCommand, MethodInfo]:
    """Read the command of an entry: ``llpbench run`` of a method that ships with llpbench."""
    command = parse_run_command(text)
    return command, bundled_method(command.method)
