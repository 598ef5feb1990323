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


def dump_scores(
    fields: Mapping[str, Any],
    tallies: Mapping[str, FloatArray],
    metrics: Mapping[str, Score],
    note: str,
) -> str:
    """Write scores, all but the chips, as JSON.

    ``fields`` are the values of ``PLAIN_FIELDS``; ``tallies`` (seed, division, m) is what
    :func:`load_fields` reads again, ``metrics`` and ``note`` are for people and other programs.
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
    """Read ``PLAIN_FIELDS`` and ``tallies`` that :func:`dump_scores` wrote, now or in format 1."""
    try:
        content = json.loads(text)
        version = content["format"]
        if version <= FORMAT:
            stored = content["sums" if version == 1 else "tallies"]
            arrays = {name: np.array(values, float) for name, values in stored.items()}
            if version == 1:
                arrays = {t: arrays[m] for t, m in _TALLY_OF_SUMS.items() if m in arrays}
            plain = {name: content[name] for name in PLAIN_FIELDS}
            _check(plain, arrays)
            return {**plain, "tallies": arrays}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PredictionsError(f"this is no JSON of scores ({error!r:.100})") from error
    raise PredictionsError(
        f"these scores have format {version}, this llpbench reads up to {FORMAT}: upgrade llpbench"
    )


def _check(plain: Mapping[str, Any], tallies: Mapping[str, FloatArray]) -> None:
    """Refuse fields of other types, and tallies of other seeds and divisions than the others."""
    texts = [plain["dataset"], plain["split"], *plain["categories"], *plain["divisions"]]
    whole = [plain["chips"], plain["unscored_chips"]]
    is_typed = (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(number, int) for number in whole)
        and isinstance(plain["digests"], dict)
        and isinstance(plain["attributes"], dict)
        and "errors" in tallies
    )
    shapes = {tally.shape[:2] if tally.ndim == 3 else () for tally in tallies.values()}
    if not is_typed or len(shapes) != 1 or shapes.pop()[1:] != (len(plain["divisions"]),):
        raise ValueError("fields are of other types or sizes")
