"""Class groups, against the original's values and a slow loop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llpbench.catalog import ClassGroup, LabelClass, LabelSet, label_set
from llpbench.data.archive.chip import share_vector
from llpbench.data.grouping import group_labels, group_shares

REFUSED_HERE_TOO = {"esa_missing_class", "esa_repeated_class"}
"""A label set must hold every class exactly once."""
ALLOWED_HERE = {
    "esa_zero_not_first": "class 0 may stand in any group: no code relies on it being first",
    "esa_list_group": "members are numbers in any sequence, not a tuple or a single number",
    "esa_commune_sum_0": "a chip that only touches a division: shares of 0 are NaN before grouping",
}


def _groups(members: list[Any]) -> list[ClassGroup]:
    as_lists = [[item] if isinstance(item, int) else item for item in members]
    return [
        ClassGroup(f"group {number}", tuple(group), 1.0, "#000000")
        for number, group in enumerate(as_lists)
    ]


def _label_set(classes: int, groups: list[ClassGroup]) -> LabelSet:
    named = tuple(LabelClass(str(number), "#000000") for number in range(classes))
    return LabelSet("a", "A", named, tuple(groups), 10.0)


def _communes(shares: dict[str, Any]) -> dict[str, float]:
    found = shares.get("partitions_communes", shares.get("partitionscommunes"))
    return found.get("proportions", found)


def _own(shares: dict[str, Any]) -> dict[str, float]:
    return shares.get("partitions_aschip", shares.get("partitionsaschip"))


def test_golden_cases(shared: Path) -> None:
    cases = json.loads((shared / "golden/grouping.json").read_text())["cases"]
    arrays = np.load(shared / "golden/grouping.npz")
    seen = set()
    for case in cases:
        name, classes, groups = case["name"], case["number_of_classes"], _groups(case["groups"])
        if "error" in case:
            seen.add(name)
            if name in REFUSED_HERE_TOO:
                with pytest.raises(ValueError, match="exactly once"):
                    _label_set(classes, groups)
            else:
                assert name in ALLOWED_HERE
                _label_set(classes, groups)
            continue
        _label_set(classes, groups)
        label = arrays[f"{name}__label"].astype(np.uint8)
        np.testing.assert_array_equal(
            group_labels(label, groups), arrays[f"{name}__label_grouped"], name
        )
        before, after = case["input_proportions"], case["out_label_proportions"]
        assert case["out_number_of_classes"] == len(groups)
        found = group_shares([share_vector(_own(before), classes)], groups)
        np.testing.assert_allclose(found[0], share_vector(_own(after), len(groups)), atol=1e-12)
        mixed = share_vector(_communes(before), classes)
        found = group_shares([mixed / mixed.sum()], groups)  # one case sums to another number
        expected = share_vector(_communes(after), len(groups))
        np.testing.assert_allclose(found[0], expected / expected.sum(), atol=1e-12)
    assert seen == REFUSED_HERE_TOO | set(ALLOWED_HERE)


@pytest.mark.parametrize("name", ["esaworldcover", "humanpop"])
def test_the_tasks_of_the_benchmark(name: str) -> None:
    labels = label_set(name)
    every = np.arange(len(labels.classes), dtype=np.uint8)
    expected = [
        next(number for number, group in enumerate(labels.groups) if value in group.members)
        for value in every.tolist()
    ]
    np.testing.assert_array_equal(group_labels(every, labels.groups), expected)


@given(st.data())
def test_shares_of_groups_are_shares_counted_on_grouped_labels(data: st.DataObject) -> None:
    classes = data.draw(st.integers(1, 12))
    owner = data.draw(st.lists(st.integers(0, 3), min_size=classes, max_size=classes))
    members = [[c for c in range(classes) if owner[c] == g] for g in sorted(set(owner))]
    groups = _groups(members)
    values = data.draw(st.lists(st.integers(0, classes - 1), min_size=1, max_size=30))
    label = np.array(values, dtype=np.uint8)
    counted = [[values.count(number) / len(values) for number in range(classes)]]
    grouped = group_labels(label, groups).tolist()
    expected = [grouped.count(number) / len(values) for number in range(len(groups))]
    np.testing.assert_allclose(group_shares(counted, groups)[0], expected)
    assert group_shares(counted, groups).sum() == pytest.approx(1)


def test_pixels_and_chips_without_a_label_stay_so() -> None:
    groups = list(label_set("humanpop").groups)
    label = np.array([[255, 0], [30, 254]], dtype=np.uint8)
    np.testing.assert_array_equal(group_labels(label, groups), [[255, 0], [2, 255]])
    assert np.isnan(group_shares(np.full((2, 31), np.nan), groups)).all()
