"""Tables of results: methods carried across regions, and what methods cost on board."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llpbench.catalog.reported import ReportedResult
from llpbench.markdown import format_number, markdown_table
from llpbench.runs.results import Result

_METRICS = ("mae", "mae_hard", "f1_micro")

_COSTS = {
    "parameters": ("parameters", ",.0f"),
    "multiply-adds a chip": ("multiply_adds", ",.0f"),
    "ms a chip in Python": ("latency_p50_ms", ".3f"),
    "label bytes": ("label_uplink_bytes", ",.0f"),
    "pixel label bytes": ("pixel_label_bytes", ",.0f"),
}
"""Heading, key and number format of what a footprint tells."""

_FILE_COSTS = {
    "bytes of the file": ("bytes", ",.0f"),
    "its ms a chip": ("latency_p50_ms", ".3f"),
    "p95": ("latency_p95_ms", ".3f"),
    "memory": ("memory_bytes", ",.0f"),
}
"""The same of an exported file."""


def cross_region_table(results: Sequence[Result], reported: Sequence[ReportedResult]) -> str:
    """Write scores of methods on the region they were trained on and on others, in Markdown.

    A row a method, training region and test region; only methods that were carried over somewhere.
    What the paper ``reported`` is marked as such, and never exactly comparable.
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

    A row a method and region, without those carried over to another: weights, work, time, and
    bytes of the labels that must be sent up to train it on board, beside those of pixel labels
    of the same chips; where an exported file predicted, its bytes, time and memory.
    """
    results = [result for result in results if result.record.track != "cross-region"]
    has_files = any(result.record.export for result in results)
    rows = []
    for result in results:
        costs = [(result.record.footprint.get(cost), spec) for cost, spec in _COSTS.values()]
        if has_files:
            file = result.record.export
            costs += [(getattr(file, cost, None), spec) for cost, spec in _FILE_COSTS.values()]
        numbers = [format_number(value, spec) for value, spec in costs]
        mae = format_number(result.value("mae"), ".3f")
        rows.append([result.label, result.record.trained_on, mae, *numbers])
    headings = ["method", "trained on", "MAE", *_COSTS, *(_FILE_COSTS if has_files else ())]
    return markdown_table(headings, rows)
