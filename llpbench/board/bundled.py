"""The methods that ship with llpbench: the only ones that a board runs."""

from __future__ import annotations

import importlib.metadata

from llpbench.errors import MethodError, examples
from llpbench.method import ENTRY_POINTS, Method, method_class
from llpbench.run_command import RunCommand, parse_run_command

PACKAGE = "llpbench_baselines"


def bundled_method(name: str) -> type[Method]:
    """Find a method that ships with llpbench, importing nothing else.

    Parameters
    ----------
    name : str

    Returns
    -------
    type

    Raises
    ------
    MethodError
        If it does not ship with llpbench.
    """
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=name)
    if not any(point.module.split(".")[0] == PACKAGE for point in points) or len(points) > 1:
        raise MethodError(f"{examples([name])} is no method that ships with llpbench")
    return method_class(name)


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
