"""What the page holds as JSON: at once what its tables show, on demand all else."""

from __future__ import annotations

from typing import Any

import numpy as np

from llpbench.board.entry import Export
from llpbench.board.standings import Standings, Table
from llpbench.data.info import mark_synthetic

_LATER = {"rows", "comparisons", "divisions", "examples"}
"""What a table shows only when it is looked at."""

_ROW: Any = {
    "metrics": {"__all__": {"value", "low", "high"}},
    "entry": {"external_data", "pretrained_weights"},
    "part": {"export": set(Export.model_fields) - {"digests"}},
    **dict.fromkeys(("id", "kind", "tier", "title", "team", "rank", "footprint"), True),
    **dict.fromkeys(("supervision", "trained_on", "scored", "designed_here"), True),
}
_DETAILS: Any = {
    "metrics": {"__all__": {"per_class"}},
    **dict.fromkeys(("source", "source_url", "errors", "entry", "part", "result"), True),
}
_NOT_SHOWN: Any = {
    "entry": {"datasets"},
    "result": {"metrics": True, "errors": True, "pixels": {"metrics", "sums"}},
}


def page_data(standings: Standings) -> dict[str, Any]:
    """Split standings into what is parsed at once and what is parsed when it is looked at.

    ``board``: tables and their rows with the values and intervals of each metric; ``details``: a
    list by table of what else is known of each row, by its id, and of pairs; ``places``: divisions
    and example chips of each dataset.

    Examples
    --------
    >>> page_data(Standings(tables=[], scorer="1.0", llpbench_version="0", protocol=1))["details"]
    []
    """
    tables = standings.tables
    return {
        "board": {
            **standings.model_dump(exclude={"tables", "overviews"}),
            "overviews": [
                {**one.model_dump(), "titles": [_say_once(title) for title in one.titles]}
                for one in standings.overviews
            ],
            "tables": [_table(table) for table in tables],
        },
        "details": [_details(table) for table in tables],
        "places": {
            table.dataset: table.model_dump(include={"divisions", "examples"})
            for table in sorted(tables, key=lambda table: len(table.divisions))
        },
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        **table.model_dump(exclude=_LATER),
        "title": _say_once(table.title),
        "divisions": len(table.divisions),
        "error_scale": _error_scale(table),
        "rows": [row.model_dump(include=_ROW) for row in table.rows],
    }


def _say_once(title: str) -> str:
    """The title of a dataset, which says that it is synthetic once.

    >>> _say_once("Synthetic demo region (synthetic)"), _say_once("Made land (synthetic)")
    ('Synthetic demo region', 'Made land (synthetic)')
    """
    short = title.removesuffix(mark_synthetic("", True))
    return short if "synthetic" in short.lower() else title


def _error_scale(table: Table) -> float | None:
    """Error that few divisions of any row exceed, so that maps of all rows share their colours."""
    chips = np.array([division.chips for division in table.divisions])
    errors = [row.errors for row in table.rows if row.result]
    return float(np.quantile(np.array(errors) / chips, 0.98).round(6)) if errors else None


def _details(table: Table) -> dict[str, Any]:
    return {
        "rows": {
            row.id: row.model_dump(include=_DETAILS, exclude=_NOT_SHOWN) for row in table.rows
        },
        "comparisons": [
            pair.model_dump(exclude={"dataset", "metric", "note"}) for pair in table.comparisons
        ],
    }
