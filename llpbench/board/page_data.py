"""What the page holds as JSON: at once what its tables show, on demand all else."""

from __future__ import annotations

from typing import Any

from llpbench.board.standings import Standings

DIGITS = 6
"""Decimals of scores and errors; ``results/`` has more."""

_BOARD = ("format", "scorer", "llpbench_version", "protocol")
_TABLE = (
    *("dataset", "track", "title", "synthetic", "doi", "licence", "attribution", "digest"),
    *("chips", "unscored_chips", "note", "metrics", "categories"),
)
_ROW = ("id", "kind", "tier", "title", "team", "rank", "footprint", "supervision", "trained_on")
_DETAILS = (
    *("seeds", "command", "source", "fit_seconds", "entry", "digests", "reliability", "examples"),
    "reproduction",
)


def page_data(standings: Standings) -> dict[str, Any]:
    """Split standings into what is parsed at once and what is parsed when it is looked at.

    Parameters
    ----------
    standings : Standings

    Returns
    -------
    dict
        ``board``: tables and their rows with ``[value, low, high]`` of each metric; ``details``:
        a list by table of what else is known of a row, by its id; ``places``: divisions and
        example chips of each dataset.

    Examples
    --------
    >>> page_data(Standings([], scorer="1.0", llpbench_version="0", protocol=1))["details"]
    []
    """
    content = standings.to_dict()
    tables = content["tables"]
    return {
        "board": {**_pick(content, _BOARD), "tables": [_table(table) for table in tables]},
        "details": [{row["id"]: _details(row) for row in table["rows"]} for table in tables],
        "places": {
            table["dataset"]: _pick(table, ("divisions", "examples"))
            for table in sorted(tables, key=lambda table: len(table["divisions"]))
        },
    }


def _pick(content: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: content[name] for name in names}


def _table(table: dict[str, Any]) -> dict[str, Any]:
    return {
        **_pick(table, _TABLE),
        "divisions": len(table["divisions"]),
        "rows": [_row(row) for row in table["rows"]],
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    metrics = {
        name: [_rounded(score[key]) for key in ("value", "low", "high")]
        for name, score in row["metrics"].items()
    }
    beyond = ("external_data", "pretrained_weights")
    return {
        **_pick(row, _ROW),
        "metrics": metrics,
        "beyond": [name.replace("_", " ") for name in beyond if row["entry"].get(name)],
    }


def _details(row: dict[str, Any]) -> dict[str, Any]:
    return {
        **_pick(row, _DETAILS),
        "errors": [_rounded(error) for error in row["errors"]],
        "per_class": {
            name: {category: _rounded(value) for category, value in score["per_class"].items()}
            for name, score in row["metrics"].items()
            if score["per_class"]
        },
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)
