"""Scores as JSON and back: complete, versioned, with the tallies that everything follows from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from llpbench.errors import PredictionsError
from llpbench.metrics.arrays import FloatArray
from llpbench.scoring.score import Score

FORMAT = 2
"""Version of the JSON form. Format 1 kept sums for every metric instead of tallies."""

PLAIN_FIELDS = (
    *("dataset", "split", "synthetic", "digests", "attributes"),
    *("chips", "unscored_chips", "categories", "divisions"),
)
"""Fields of scores that are JSON as they are."""


def dump_scores(
    fields: Mapping[str, Any],
    tallies: Mapping[str, FloatArray],
    metrics: Mapping[str, Score],
    note: str,
) -> str:
    """Write scores, all but the chips, as JSON.

    Parameters
    ----------
    fields : mapping
        The values of ``PLAIN_FIELDS``.
    tallies : mapping of str to ndarray, shape (seed, division, m)
        What :func:`load_fields` reads again.
    metrics : mapping of str to Score
        For people and other programs.
    note : str
        A caution, for people.
    """
    content = {
        "format": FORMAT,
        **fields,
        "note": note,
        "metrics": {name: score.model_dump() for name, score in metrics.items()},
        "tallies": {name: tally.tolist() for name, tally in tallies.items()},
    }
    return json.dumps(content, allow_nan=False)


def load_fields(text: str) -> dict[str, Any]:
    """Read what :func:`dump_scores` wrote, now or in format 1.

    Parameters
    ----------
    text : str
        The JSON.

    Returns
    -------
    dict
        ``PLAIN_FIELDS`` and ``tallies``.

    Raises
    ------
    PredictionsError
        If it is no such text, or of a newer format.
    """
    try:
        content = json.loads(text)
        version = content["format"]
        if version <= FORMAT:
            stored = content["sums" if version == 1 else "tallies"]
            arrays = {name: np.array(values, float) for name, values in stored.items()}
            tallies = tallies_of_sums(arrays) if version == 1 else arrays
            return {**{name: content[name] for name in PLAIN_FIELDS}, "tallies": tallies}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PredictionsError(f"this is no JSON of scores ({error!r:.100})") from error
    raise PredictionsError(
        f"these scores have format {version}, this llpbench reads up to {FORMAT}: upgrade llpbench"
    )


_TALLY_OF_SUMS = {
    "errors": "mae",
    "squared_errors": "rmse",
    "moments": "r2",
    "soft_iou": "soft_iou",
    "jensen_shannon": "jensen_shannon",
    "hellinger": "hellinger",
    "skill": "skill",
    "earth_mover": "earth_mover",
    "hard_errors": "mae_hard",
    "confusion": "f1_micro",
    "iou_per_image": "iou_per_image",
    "gaps": "division_consistency",
}
"""Tallies that format 1 kept under the name of a metric, with others of the same content."""


def tallies_of_sums(sums: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Make tallies of the sums that format 1 kept for every metric.

    Parameters
    ----------
    sums : mapping of str to ndarray, shape (..., m)
        By metric; some may be missing.

    Returns
    -------
    dict of str to ndarray, shape (..., m)
        Those tallies that follow.
    """
    return {tally: sums[metric] for tally, metric in _TALLY_OF_SUMS.items() if metric in sums}
