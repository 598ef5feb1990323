"""Objects that people look at in a console, in one line whatever they hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from llpbench.errors import printable

MOST = 240
"""Characters of a line, beyond which further fields are left out."""
_MOST_TEXT, _MOST_ITEMS = 40, 5


class Brief:
    """A dataclass or a model that shows arrays by their shapes and cuts what is long.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> @dataclass(repr=False)
    ... class Errors(Brief):
    ...     method: str
    ...     values: np.ndarray
    >>> Errors("llpnet", np.zeros((3, 5)))
    Errors(method='llpnet', values=<ndarray 3 x 5>)
    """

    def __repr__(self) -> str:
        known: Any = type(self)
        names = [one.name for one in fields(known)] if is_dataclass(known) else known.model_fields
        said = ""
        for name in names:
            one = f"{name}={_brief(getattr(self, name))}"
            if said and len(said) + len(one) > MOST:
                said += ", ..."
                break
            said += f", {one}" if said else one
        return f"{type(self).__name__}({said})"


def _brief(value: Any) -> str:
    if value is None or isinstance(value, bool | int):
        return repr(value)
    if isinstance(value, Real):
        return f"{float(value):.4g}"
    if isinstance(value, str | Path):
        text = printable(str(value))
        return repr(text if len(text) <= _MOST_TEXT else f"{text[:_MOST_TEXT]}...")
    kind = type(value).__name__
    if isinstance(shape := getattr(value, "shape", None), tuple):
        return f"<{kind} {' x '.join(map(str, shape))}>"
    if isinstance(value, Collection):
        return _brief_items(value, kind)
    return f"<{kind}>"


def _brief_items(values: Collection[Any], kind: str) -> str:
    """A few plain items as they are, others by their number."""
    is_plain = all(isinstance(value, str | Real) for value in values)
    if not is_plain or not 0 < len(values) <= _MOST_ITEMS:
        return f"<{kind} of {len(values)}>"
    if hasattr(values, "items"):
        return "{" + ", ".join(f"{name}: {_brief(value)}" for name, value in values.items()) + "}"
    return "[" + ", ".join(map(_brief, values)) + "]"
