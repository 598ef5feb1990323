"""Values of settings: of the types that constructors state, and in ranges that mean something."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from llpbench.errors import MethodError, examples

MOST = 10_000_000
"""Of anything that is counted."""

RANGES: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"random_state": (0, 2**32 - 1), "memory": (0, 2**50)}
)
"""Of settings that many methods have; other whole numbers count something, from 1 on."""

_TYPES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "str": ("a text", lambda value: isinstance(value, str)),
    "int": ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    "float": (
        "a finite number",
        lambda value: (
            isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf
        ),
    ),
    "None": ("null", lambda value: value is None),
}
"""What an annotation asks for. An annotation with any other part is not checked."""


def check_settings(
    kind: type, settings: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]
) -> None:
    """Refuse values that are not of the type that a class or its bases state, or out of range.

    Examples
    --------
    >>> class Words:
    ...     def __init__(self, *, words: int = 256) -> None: ...
    >>> check_settings(Words, {"words": 8}, {})
    >>> check_settings(Words, {"words": 0}, {})
    Traceback (most recent call last):
        ...
    llpbench.errors.MethodError: words must be from 1 to 10000000, found 0
    """
    stated: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base):
            parameters = inspect.signature(vars(base)["__init__"]).parameters.values()
            named = (one for one in parameters if one.kind is not one.VAR_KEYWORD)
            stated |= {parameter.name: parameter.annotation for parameter in named}
    for name, value in settings.items():
        _check_type(name, value, stated.get(name, ""))
        low, high = {**RANGES, **ranges}.get(name, (1, MOST))
        is_counted = isinstance(value, int) and stated.get(name) in ("int", "int | None")
        if (is_counted or name in ranges) and value is not None and not low <= value <= high:
            found = examples([value])
            raise MethodError(f"{name} must be from {low:.10g} to {high:.10g}, found {found}")


def _check_type(name: str, value: Any, annotation: Any) -> None:
    stated = getattr(annotation, "__name__", str(annotation)).split(" | ")
    if not set(stated) <= _TYPES.keys() or any(_TYPES[part][1](value) for part in stated):
        return
    wanted = " or ".join(_TYPES[part][0] for part in stated)
    found = examples([value])
    raise MethodError(f"it cannot be trained with {name} {found}: that must be {wanted}")
