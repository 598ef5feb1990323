"""Scores of chips and of divisions, as commands print them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llpbench.cli.output import echo, print_table, say

if TYPE_CHECKING:
    from llpbench.scoring import DivisionScores, Scores


def scores_json(scores: Scores | None, divisions: DivisionScores | None) -> str:
    """Scores of chips as JSON, with those of divisions as ``division_scores``; null without any."""
    content = {} if scores is None else json.loads(scores.to_json())
    if divisions is not None:
        content["division_scores"] = json.loads(divisions.to_json())
    return json.dumps(content or None, allow_nan=False)


def print_scores(scores: Scores | DivisionScores) -> None:
    """Print all metrics with their intervals."""
    say(str(scores))
    echo()
    print_table(
        [
            {"metric": row.title, "value": row.value, "low": row.low, "high": row.high}
            for row in scores.table().itertuples()
        ]
    )
    note = f"; {scores.note}" if scores.note else ""
    echo()
    say(f"intervals: 95 %, over divisions{note}")


def print_classes(divisions: DivisionScores) -> None:
    """Print what divisions say of each class: its error, its bias with an interval, its line."""
    bias = divisions.per_class_interval("bias")
    rows: list[dict[str, Any]] = [
        {
            "class": name,
            "MAE": values["mae"],
            "bias": values["bias"],
            "low": bias.at[name, "low"],
            "high": bias.at[name, "high"],
            "R²": values["r2"],
            "slope": values["calibration_slope"],
        }
        for name, values in divisions.per_class.iterrows()
    ]
    echo()
    print_table(rows)
