"""Scores as JSON and back: complete, versioned, with the sums that everything follows from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from llpbench.errors import PredictionsError

if TYPE_CHECKING:
    from llpbench.scoring.scores import Scores

FORMAT = 1
"""Version of the JSON form."""

_PLAIN = (
    *("dataset", "split", "synthetic", "digests", "attributes"),
    *("chips", "unscored_chips", "categories", "divisions"),
)


def dump_scores(scores: Scores) -> str:
    """Write scores, all but the chips, as JSON.

    Parameters
    ----------
    scores : Scores

    Returns
    -------
    str
    """
    content = {
        "format": FORMAT,
        **{name: getattr(scores, name) for name in _PLAIN},
        "note": scores.note,
        "metrics": _metrics(scores),
        "sums": {name: sums.tolist() for name, sums in scores.sums.items()},
    }
    return json.dumps(content, allow_nan=False)


def load_fields(text: str) -> dict[str, Any]:
    """Read what :func:`dump_scores` wrote.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict
        The fields of :class:`~llpbench.scoring.scores.Scores`.

    Raises
    ------
    PredictionsError
        If it is no such text, or of a newer format.
    """
    try:
        content = json.loads(text)
        found = content["format"]
        if found <= FORMAT:
            sums = {name: np.array(values, float) for name, values in content["sums"].items()}
            return {**{name: content[name] for name in _PLAIN}, "sums": sums}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PredictionsError(f"this is no JSON of scores ({error!r:.100})") from error
    raise PredictionsError(
        f"these scores have format {found}, this llpbench reads up to {FORMAT}: upgrade llpbench"
    )


def _metrics(scores: Scores) -> dict[str, dict[str, Any]]:
    """Values for people and other programs."""
    found: dict[str, dict[str, Any]] = {
        str(name): {column: _number(row[column]) for column in ("value", "low", "high")}
        for name, row in scores.table().iterrows()
    }
    for name, values in scores.per_class.items():
        found[str(name)]["per_class"] = {key: _number(item) for key, item in values.items()}
    return found


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
