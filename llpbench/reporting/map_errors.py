"""How good maps are that methods make of a dataset's shares: for its datasheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llpbench.data.info import DatasetInfo
from llpbench.errors import printable
from llpbench.markdown import escape_markdown, format_interval, format_number, markdown_table
from llpbench.runs.fold_record import FoldRecord, read_fold_record

_HEADINGS = ("method", "divisions", "MAE of divisions", "95 %", "MAE of chips, estimated", "95 %")
_LONGEST = 300
"""Characters of a method with its settings, which are those of anybody's file."""


def describe_map_errors(folders: Sequence[Path], dataset: DatasetInfo) -> str:
    """Write what cross-validations say of maps made from the shares of divisions, in Markdown.

    Parameters
    ----------
    folders : sequence of Path
        That :func:`llpbench.running.crossvalidation.crossvalidate` wrote, see
        :func:`llpbench.runs.fold_record.read_fold_record`; those of other datasets are refused.
    dataset : DatasetInfo
        What they are of.
    """
    from llpbench.uncertainty.chip_error import ASSUMPTIONS

    records = [read_fold_record(folder, dataset) for folder in folders]
    text = (
        "## How good maps made from these shares are\n\n"
        "Mean absolute errors of methods that had not seen the divisions which they predict, with "
        "95 % intervals: of shares of these divisions, which are known, and of single chips, "
        "estimated from these. No label was looked at.\n\n"
        + markdown_table(_HEADINGS, map(_row, records))
    )
    notes = [f"- {_label(one)}: {one.scores.note}\n" for one in records if one.scores.note]
    if notes:
        text += "\n" + "".join(notes)
    if any(record.chip_error for record in records):
        text += f"\nThe error of chips is {ASSUMPTIONS}.\n"
    return text


def _row(record: FoldRecord) -> list[str]:
    mae, chips = record.scores.score("mae"), record.chip_error
    cells = [_label(record), f"{len(record.scores.divisions):,}"]
    for error in (mae, chips):
        if error is None:
            cells += ["", ""]
        else:
            interval = format_interval(error.low, error.high, decimals=3, to=" to ")
            cells += [format_number(error.value, ".3f"), interval]
    return cells


def _label(record: FoldRecord) -> str:
    return escape_markdown(printable(f"{record.label:.{_LONGEST}}"))
