"""The methods that ship with llpbench: the only ones that a board runs."""

from __future__ import annotations

import importlib.metadata

from llpbench.errors import MethodError, examples
from llpbench.methods.method import Method
from llpbench.methods.postprocessing import ENTRY_POINTS as POST_PROCESSORS
from llpbench.methods.registry import ENTRY_POINTS, method_class
from llpbench.runs.command import RunCommand, parse_run_command

PACKAGE = "llpbench_baselines"


def bundled_method(name: str) -> type[Method]:
    """Find a method that ships with llpbench, importing nothing else.

    Parameters
    ----------
    name : str
        With its post-processors, such as ``"llpnet+rake"``.

    Returns
    -------
    type

    Raises
    ------
    MethodError
        If it does not ship with llpbench.
    """
    method, *post = name.split("+")
    if not all([_ships(ENTRY_POINTS, method), *(_ships(POST_PROCESSORS, one) for one in post)]):
        raise MethodError(f"{examples([name])} is no method that ships with llpbench")
    return method_class(name)


def _ships(group: str, name: str) -> bool:
    """Whether llpbench offers that name, and nobody else does."""
    points = importlib.metadata.entry_points(group=group, name=name)
    return [point.module.split(".")[0] for point in points] == [PACKAGE]


def bundled_command(text: str) -> tuple[RunCommand, type[Method]]:
    """Read the command of an entry.

    Parameters
    ----------
    text : str

    Returns
    -------
    RunCommand, type

    Raises
    ------
    MethodError
        If it is no ``llpbench run`` of a method that ships with llpbench.
    """
    command = parse_run_command(text)
    return command, bundled_method(command.method)
