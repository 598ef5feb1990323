"""Tables of results: methods carried across regions, and what methods cost on board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llpbench.catalog.reported import ReportedResult
from llpbench.markdown import format_number, markdown_table
from llpbench.runs.results import Result

_METRICS = ("mae", "mae_hard", "f1_micro")

_COSTS = {
    "parameters": "parameters",
    "multiply-adds a chip": "multiply_adds",
    "bytes (float32)": "bytes_float32",
    "bytes (int8)": "bytes_int8",
    "ms a chip": "latency_p50_ms",
    "label bytes": "label_uplink_bytes",
    "pixel label bytes": "pixel_label_bytes",
}
"""Heading and key of what a footprint tells."""
_TIMES = ("latency_p50_ms",)


def cross_region_table(results: Sequence[Result], reported: Sequence[ReportedResult]) -> str:
    """Write scores of methods on the region they were trained on and on others, in Markdown.

    Parameters
    ----------
    reported : sequence of ReportedResult
        What the paper printed; marked as such, and never exactly comparable.

    Returns
    -------
    str
        A row a method, training region and test region. Only methods that were carried over
        somewhere.
    """
    rows: list[tuple[Any, ...]] = []
    for scored in results:
        regions = (scored.record.trained_on, scored.record.dataset)
        rows.append((scored.label, *regions, "", *map(scored.value, _METRICS)))
    for printed in reported:
        regions = (printed.trained_on, printed.dataset)
        scores = (getattr(printed, metric) for metric in _METRICS)
        rows.append((printed.method, *regions, "reported", *scores))
    carried = {(method, source) for method, here, there, source, *_ in rows if here != there}
    rows = sorted(
        (row for row in rows if (row[0], row[3]) in carried), key=lambda row: (row[3], *row[:3])
    )
    headings = ["method", "trained on", "tested on", "source", "MAE", "MAE hard", "F1"]
    return markdown_table(
        headings, [[*row[:4], *(format_number(score, ".3f") for score in row[4:])] for row in rows]
    )


def footprint_table(results: Sequence[Result]) -> str:
    """Write what each method costs where bytes and watts are few, in Markdown.

    Returns
    -------
    str
        A row a method and region, without those carried over to another: weights, work, time, and
        bytes of the labels that must be sent up to train it on board, beside those of pixel labels
        of the same chips.
    """
    rows = [
        [result.label, result.record.trained_on, format_number(result.value("mae"), ".3f")]
        + [
            format_number(result.record.footprint.get(cost), ".3f" if cost in _TIMES else ",.0f")
            for cost in _COSTS.values()
        ]
        for result in results
        if result.record.track != "cross-region"
    ]
    return markdown_table(["method", "trained on", "MAE", *_COSTS], rows)
