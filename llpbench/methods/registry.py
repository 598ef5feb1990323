"""Finding methods by entry point."""

from __future__ import annotations

import importlib.metadata
from typing import Any

from llpbench.errors import UnknownNameError, unknown
from llpbench.methods.method import Method
from llpbench.methods.pipeline import compose

ENTRY_POINTS = "llpbench.baselines"
"""The entry-point group in which any package can offer methods."""


def method_names() -> list[str]:
    """Names of all installed methods.

    Returns
    -------
    list of str
        Sorted.
    """
    return sorted(point.name for point in importlib.metadata.entry_points(group=ENTRY_POINTS))


def method_class(name: str) -> type[Method]:
    """Find a method by its name.

    Parameters
    ----------
    name : str
        Such as ``"bag-ridge"``, or ``"downconv+emq"`` with post-processors, see
        :mod:`llpbench.methods.pipeline`.

    Returns
    -------
    type
        A subclass of :class:`Method`.

    Raises
    ------
    UnknownNameError
        With the nearest names, if no installed package offers it.
    """
    name, *post = name.split("+")
    points = importlib.metadata.entry_points(group=ENTRY_POINTS, name=name)
    if not points:
        raise UnknownNameError(unknown("method", name, method_names()))
    found: type[Method] = next(iter(points)).load()
    if post:
        return compose(found, name, post)
    return found


def make_method(name: str, **parameters: Any) -> Method:
    """Build a method by its name.

    Parameters
    ----------
    name : str
        Such as ``"downconv"``.
    **parameters
        Of its constructor; those it does not have are refused.

    Returns
    -------
    Method

    Raises
    ------
    UnknownNameError
        If there is no such method or parameter.
    """
    found = method_class(name)
    known = found().get_params()
    for key in parameters:
        if key not in known:
            raise UnknownNameError(unknown(f"parameter of {name}", key, known))
    return found(**parameters)
