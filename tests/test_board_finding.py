"""The sentences above a table, and the order of its rows.

Expected sentences are written down from the numbers of each case by hand.
"""

from __future__ import annotations

from typing import Any

import pytest
from made_standings import make_entry

from llpbench.board.card import Division
from llpbench.board.comparing import EntryComparison
from llpbench.board.finding import describe_finding
from llpbench.board.ranking import Rank
from llpbench.board.result import Digests, Result
from llpbench.board.sorting import shared_metric, sort_rows
from llpbench.board.standings import Metric, Row, Table
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score


def scored(
    title: str, mae: float, group: int = 0, team: str = "a", kind: Any = "entry", **known: Any
) -> Row:
    """A row of an entry; only what sentences are made of."""
    result = Result(
        entry=title,
        dataset="grid",
        digests=Digests(dataset="", predictions=[], scorer="1.0"),
        metrics={},
        seeds={"0": mae},
        errors=[[mae]],
        chips=1,
        unscored_chips=0,
        note="",
        reliability={},
        examples={},
    )
    return Row(
        id=f"{team}__{title}",
        kind=kind,
        tier="scored",
        title=title,
        team=team,
        supervision={"bound": "pixel"}.get(kind, "division"),
        trained_on="grid",
        rank=Rank(rank=group, low=1, high=9, group=group) if group else None,
        metrics={"mae": Score(value=mae, low=mae - 0.01, high=mae + 0.01)},
        footprint={},
        entry=make_entry(title, title, team, "division", 5).model_copy(update=known),
        result=result,
        designed_here=known.get("designed_here", False),
    )


def reported(title: str, **values: float) -> Row:
    return Row(
        id=f"reported:{title}",
        kind="reported",
        tier="reported",
        title=title,
        supervision="division",
        trained_on="grid",
        metrics={name: Score(value=value) for name, value in values.items()},
        footprint={},
        source="arXiv:1, results on test",
    )


def finding(*rows: Row, pairs: tuple[EntryComparison, ...] = (), **changes: Any) -> str:
    ordered = sort_rows(rows)
    table = Table(
        dataset="grid",
        track="inductive",
        title="Grid",
        synthetic=False,
        doi="",
        licence="",
        attribution="",
        chips=1200,
        sorted_by=shared_metric(ordered),
        metrics=[Metric.of(BY_NAME[name]) for name in ("mae", "mae_hard", "f1_micro")],
        categories=[],
        divisions=[Division(id=str(n), name="", chips=1, outline=[]) for n in range(40)],
        rows=ordered,
        comparisons=list(pairs),
    )
    return describe_finding(table.model_copy(update=changes))


def pair(first: str, second: str, low: float | None, corrected: float | None) -> EntryComparison:
    high = None if low is None else low + 0.02
    return EntryComparison(
        dataset="grid",
        metric="mae",
        first=first,
        second=second,
        difference=0.0,
        low=low,
        high=high,
        p_value=0.0004,
        corrected=corrected,
    )


def test_numbers_that_are_nearly_equal_are_not_said_to_be_equal_or_apart() -> None:
    said = finding(
        scored("x", 0.19999, 1),
        scored("mean", 0.2, kind="reference"),
        scored("pixels", 0.19999, kind="bound"),
    )
    assert "99.9 % of the error of mean, the reference, and level with pixels, " in said
    assert "The highest F1, micro among them is 0.9, of a." in finding(
        reported("a", f1_micro=0.9), reported("b", f1_micro=0.2)
    )


def test_the_best_its_margin_and_where_it_stands() -> None:
    rows = [
        scored("x", 0.05, 1),
        scored("y", 0.09, 2, team="b"),
        scored("mean", 0.2, kind="reference"),
        scored("pixels", 0.03, kind="bound"),
        scored("chips", 0.04, kind="bound"),
    ]
    assert finding(*rows, pairs=(pair("a__x", "b__y", -0.05, 0.0125),)) == (
        "x has the lowest error of 2 ranked entries, MAE 0.0500 (95 % 0.0400 to 0.0600), 0.0400 "
        "(95 % 0.0300 to 0.0500; paired test, corrected p = 0.013) below y, the next. "
        "That is 25 % of the error of mean, the reference, and 0.0200 above pixels, supervised by "
        "pixels, on 1,200 chips in 40 divisions of real data."
    )


def test_ties_are_named_up_to_three_and_the_margin_is_to_the_next_group() -> None:
    tied = [scored(name, 0.06, 1) for name in "bcdef"]
    last = scored("z", 0.1, 2)
    pairs = (pair("a__z", "a__a", 0.03, 0.0002),)  # the other way round
    said = finding(scored("a", 0.05, 1), *tied, last, pairs=pairs)
    assert said.startswith(
        "a has the lowest error of 7 ranked entries, MAE 0.0500 (95 % 0.0400 to 0.0600), not told "
        "apart from b, c, d and 2 more, 0.0500 (95 % 0.0300 to 0.0500; paired test, corrected "
        "p < 0.001) below z, the best that is told apart from it. Scored on 1,200 chips"
    )
    assert said.endswith("Bear in mind: all ranked entries are by one team, a.")
    assert "told apart from b and c. Scored" in finding(scored("a", 0.05, 1), *tied[:2])


def test_what_is_not_known_is_not_said() -> None:
    rows = [scored("x", 0.05, 1), scored("y", 0.09, 2, team="b")]
    rows[0] = rows[0].model_copy(update={"metrics": {"mae": Score(value=0.05)}})
    data = "Scored on 1,200 chips in 40 divisions of real data."
    start = "x has the lowest error of 2 ranked entries, MAE 0.0500, 0.0400"
    assert finding(*rows) == f"{start} below y, the next. {data}"
    said = finding(*rows, pairs=(pair("a__x", "b__y", None, None),))
    assert said == f"{start} (paired test, p < 0.001) below y, the next. {data}"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (0.01, "less than the 0.0300 of pixels, supervised by pixels"),
        (0.25, "no less than the 0.2000 of mean, the reference, and 0.2200 above pixels"),
    ],
)
def test_a_bound_that_is_beaten_and_a_reference_that_is_not(error: float, said: str) -> None:
    others = scored("mean", 0.2, kind="reference"), scored("pixels", 0.03, kind="bound")
    found = finding(scored("x", error, 1), *others)
    assert found.startswith(f"x is the only ranked entry, with MAE {error:.4f} (95 % ")
    assert said in found


def test_what_speaks_against_an_independent_result_is_said() -> None:
    weights = {"pretrained_weights": ["ImageNet"], "external_data": ["roads"]}
    said = finding(scored("x", 0.05, 1, **weights), synthetic=True)
    assert said.endswith(
        "of synthetic data. Bear in mind: it starts from pretrained weights; it learned from "
        "data outside the benchmark."
    )
    rows = scored("x", 0.05, 1, designed_here=True), scored("y", 0.09, 1)
    assert finding(*rows).endswith(
        "This is no independent result: it was designed or tuned on labels of these data; all "
        "ranked entries are by one team, a."
    )


def test_without_a_ranked_entry_there_is_no_best() -> None:
    others = scored("mean", 0.2, kind="reference"), scored("pixels", 0.03, kind="bound")
    assert finding(*others) == (
        "No entry is ranked here yet: mean has MAE 0.2000, and pixels has MAE 0.0300. Scored on "
        "1,200 chips in 40 divisions of real data."
    )


def test_printed_results_are_sorted_by_what_they_share() -> None:
    """The mean has the only ``mae``: nothing says that .165 is worse than .068 of another score."""
    rows = [
        reported("mean", mae=0.165),
        reported("b", mae_hard=0.085, f1_micro=0.5),
        reported("a", mae_hard=0.068, f1_micro=0.6),
        reported("c", mae_hard=0.068, f1_micro=0.4),
    ]
    assert [row.title for row in sort_rows(rows)] == ["a", "c", "b", "mean"]
    assert finding(*rows) == (
        "Nothing was scored here: no entry predicts these real data yet. 4 results are shown as "
        "printed in arXiv:1, without intervals or ranks. The lowest MAE, hard among them is 0.068, "
        "of a and c. Not to be compared with it: mean, printed without."
    )
    assert finding(rows[0]).endswith(
        "1 result is shown as printed in arXiv:1, without intervals or ranks."
    )


def test_namesakes_are_told_apart() -> None:
    said = finding(scored("x", 0.05, 1), scored("x", 0.06, 1, team="b"))
    assert said.startswith("x (a__x) has the lowest")
    assert "not told apart from x (b__x)." in said
