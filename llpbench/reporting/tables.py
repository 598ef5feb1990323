"""Tables of results: methods carried across regions, and what methods cost on board."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llpbench.catalog.reported import ReportedResult
from llpbench.markdown import markdown_table
from llpbench.runs.results import Result

_METRICS = ("mae", "mae_hard", "f1_micro")


def cross_region_table(results: Sequence[Result], reported: Sequence[ReportedResult]) -> str:
    """Scores of methods on the region they were trained on and on others, in Markdown.

    Parameters
    ----------
    results : sequence of Result
    reported : sequence of ReportedResult
        What the paper printed; marked as such, and never exactly comparable.

    Returns
    -------
    str
        A row a method, training region and test region. Only methods that were carried over
        somewhere.
    """
    rows = [
        _row(one.label, one.record.trained_on, one.record.dataset, "", map(one.value, _METRICS))
        for one in results
    ]
    rows += [
        _row(
            one.method, one.trained_on, one.dataset, "reported", (getattr(one, m) for m in _METRICS)
        )
        for one in reported
    ]
    carried = {(method, source) for method, here, there, source, *_ in rows if here != there}
    rows = [row for row in rows if (row[0], row[3]) in carried]
    headings = ["method", "trained on", "tested on", "source", "MAE", "MAE hard", "F1"]
    return markdown_table(headings, sorted(rows, key=lambda row: (row[3], row[0], row[1:3])))


def footprint_table(results: Sequence[Result]) -> str:
    """What each method costs where bytes and watts are few, in Markdown.

    Parameters
    ----------
    results : sequence of Result

    Returns
    -------
    str
        A row a method and region, without those carried over to another: weights, work, time, and
        bytes of the labels that must be sent up to train it on board, beside those of pixel labels
        of the same chips.
    """
    rows = []
    for one in results:
        if one.record.track == "cross-region":
            continue
        cost = one.record.footprint
        rows.append(
            [
                one.label,
                one.record.trained_on,
                _number(one.value("mae")),
                _count(cost.get("parameters")),
                _count(cost.get("multiply_adds")),
                _count(cost.get("bytes_float32")),
                _count(cost.get("bytes_int8")),
                _number(cost.get("latency_p50_ms")),
                _count(cost.get("label_uplink_bytes")),
                _count(cost.get("pixel_label_bytes")),
            ]
        )
    headings = [
        *("method", "trained on", "MAE", "parameters", "multiply-adds a chip"),
        *("bytes (float32)", "bytes (int8)", "ms a chip", "label bytes", "pixel label bytes"),
    ]
    return markdown_table(headings, rows)


def _row(
    method: str, trained_on: str, dataset: str, source: str, scores: Iterable[float | None]
) -> list[str]:
    return [method, trained_on, dataset, source, *map(_number, scores)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _count(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
