"""One chip's pickle, in every layout that occurs and in every wrong shape."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import assert_sentence
from hypothesis import given
from hypothesis import strategies as st

from llpbench.catalog import NO_LABEL
from llpbench.data.archive.chip import ArchivedChip, read_chip, share_vector
from llpbench.errors import ArchiveError

CLASSES = 12
RANDOM = np.random.default_rng(0)
IMAGE = RANDOM.integers(0, 256, (101, 101, 3), dtype=np.int16)
LABEL = RANDOM.integers(0, CLASSES, (101, 101), dtype=np.int16)
CORNERS = {"nw": np.array([50.01, 4.0]), "se": np.array([50.0, 4.014])}
BOUNDS = (4.0, 50.0, 4.014, 50.01)
OWN = {"1": 0.75, "4": 0.25}
MIX = {"1": 0.5, "11": 0.5}
DIVISION = "0317cf42be0eb"


def make(size: int = 100, **changes: Any) -> dict[str, Any]:
    """A chip in the current layout; None takes an entry away."""
    chip = {
        "chip": IMAGE[:size, :size],
        "chip_id": "0b58fcf227576",
        "center_latlon": np.array([50.004, 4.006]),
        "corners": CORNERS,
        "label": LABEL[:size, :size],
        "label_proportions": {
            "partitions_aschip": OWN,
            "partitions_communes": MIX,
            "foreignid_communes": DIVISION,
        },
    }
    return {key: value for key, value in {**chip, **changes}.items() if value is not None}


def read(chip: Any) -> ArchivedChip:
    return read_chip(pickle.dumps(chip, 4), CLASSES)


def vector(shares: dict[str, float]) -> np.ndarray[Any, Any]:
    return np.array([shares.get(str(number), 0.0) for number in range(CLASSES)])


LAYOUTS = {
    "current": make(),
    "nested": make(
        label_proportions={
            "partitions_aschip": OWN,
            "partitions_communes": {"partition_id": DIVISION, "proportions": MIX},
        }
    ),
    "flat-key": make(
        label_proportions={
            "partitionsaschip": OWN,
            "partitionscommunes": MIX,
            "foreignidcommunes": DIVISION,
        }
    ),
    "chipmean": make(chip=None, chipmean=IMAGE[:100, :100]),
    "metadata": make(corners=None, metadata={"corners": CORNERS, "other": [1, None]}),
    "101": make(101),
    "fortran-order": make(chip=np.asfortranarray(IMAGE[:100, :100])),
    "other-integers": make(chip=IMAGE[:100, :100].astype(">u4"), label=LABEL[:100, :100] * 1),
    "corner-lists": make(corners={"nw": [50.01, 4.0], "se": (50.0, 4.014)}),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_says_the_same(layout: str) -> None:
    found = read(LAYOUTS[layout])
    assert found.chip_id == "0b58fcf227576"
    assert found.image.dtype == found.label.dtype == np.uint8
    np.testing.assert_array_equal(found.image, IMAGE[:100, :100])
    np.testing.assert_array_equal(found.label, LABEL[:100, :100])
    assert found.bounds == BOUNDS
    np.testing.assert_array_equal(found.stated_target, vector(MIX))


def test_golden_chips(shared: Path) -> None:
    for file in sorted((shared / "golden/pickles").glob("*.pkl")):
        classes = 31 if file.name.startswith("pop") else 12
        expected = pickle.loads(file.read_bytes())
        found = read_chip(file.read_bytes(), classes)
        shares = expected["label_proportions"]
        communes = next(
            shares[key] for key in shares if key.startswith("partitions") and "comm" in key
        )
        communes = communes.get("proportions", communes)
        assert found.chip_id == expected["chip_id"]
        np.testing.assert_array_equal(found.image, expected["chip"][:100, :100])
        np.testing.assert_array_equal(found.label, expected["label"][:100, :100])
        if sum(communes.values()) > 0:
            np.testing.assert_array_equal(
                found.stated_target, [communes.get(str(number), 0) for number in range(classes)]
            )
        else:
            assert np.isnan(found.stated_target).all()


def test_a_chip_without_a_label() -> None:
    for chip in (make(label=None), {**make(), "label": None}):
        found = read(chip)
        assert found.label.shape == (100, 100)
        assert (found.label == NO_LABEL).all()


def test_a_chip_outside_every_division_or_touching_one_by_an_edge() -> None:
    outside = {"partitions_aschip": OWN, "partitions_communes": {}, "foreignid_communes": -1}
    touching = {**outside, "partitions_communes": {"1": 0.0, "2": 0.0}, "foreignid_communes": "-1"}
    for shares in (outside, touching, {"partitions_aschip": OWN}, {}, None):
        found = read(make(label_proportions=shares))
        assert np.isnan(found.stated_target).all()


def test_a_chip_without_corners() -> None:
    assert read(make(corners=None)).bounds is None


SQUARE = np.zeros((100, 100), dtype=np.int16)
WRONG = {
    "no dictionary": ([1, 2], "list instead of a dictionary"),
    "no id": (make(chip_id=None), "chip_id"),
    "id is a number": (make(chip_id=7), "chip_id"),
    "no image": (make(chip=None), "no image"),
    "image is a list": (make(chip=[[0] * 100] * 100), "list instead of an array"),
    "image is text": (make(chip="image"), "str instead of an array"),
    "image of floats": (make(chip=IMAGE[:100, :100] / 255), "instead of integers"),
    "image of booleans": (make(chip=IMAGE[:100, :100] > 9), "instead of integers"),
    "image below 0": (make(chip=IMAGE[:100, :100] - 1), "outside 0 to 255"),
    "image above 255": (make(chip=IMAGE[:100, :100] + 1), "outside 0 to 255"),
    "image above 255, as uint8 would wrap": (make(chip=IMAGE[:100, :100] + 256), "outside 0"),
    "image of one band": (make(chip=SQUARE), "shape"),
    "image of four bands": (make(chip=np.zeros((100, 100, 4), "i2")), "shape"),
    "image with bands first": (make(chip=np.zeros((3, 100, 100), "i2")), "shape"),
    "image of 99 rows": (make(chip=np.zeros((99, 100, 3), "i2")), "shape"),
    "image of 100x101": (make(chip=np.zeros((100, 101, 3), "i2")), "shape"),
    "image without pixels": (make(chip=np.zeros((0, 100, 3), "i2")), "shape"),
    "image without dimensions": (make(chip=np.zeros((), "i2")), "shape"),
    "label of 99": (make(label=np.zeros((99, 100), "i2")), "shape"),
    "label of three dimensions": (make(label=SQUARE[..., np.newaxis]), "shape"),
    "label of floats": (make(label=SQUARE * 1.0), "instead of integers"),
    "label of text": (make(label="label"), "str instead of an array"),
    "class below 0": (make(label=SQUARE - 1), "outside 0 to 11"),
    "class out of range": (make(label=SQUARE + CLASSES), "outside 0 to 11"),
    "class 255": (make(label=SQUARE + 255), "outside 0 to 11"),
    "class 256, as uint8 would wrap": (make(label=SQUARE + 256), "outside 0 to 11"),
    "corners as a list": (make(corners=[1, 2]), "dictionary"),
    "one corner": (make(corners={"nw": [50.0, 4.0]}), "'se'"),
    "corner of three": (make(corners={"nw": [50.0, 4.0, 0.0], "se": [50.0, 4.0]}), "'nw'"),
    "corner of text": (make(corners={"nw": ["a", "b"], "se": [50.0, 4.0]}), "on Earth"),
    "corner as a table": (make(corners={"nw": np.zeros((2, 2)), "se": [0.0, 0.0]}), "on Earth"),
    "corner beyond the pole": (make(corners={"nw": [90.1, 4.0], "se": [50.0, 4.0]}), "on Earth"),
    "corner beyond 180": (make(corners={"nw": [50.1, 4.0], "se": [50.0, -180.5]}), "on Earth"),
    "corner not a number": (make(corners={"nw": [np.nan, 4.0], "se": [50.0, 4.0]}), "on Earth"),
    "corner infinite": (make(corners={"nw": np.array([np.inf, 4]), "se": [50.0, 4.0]}), "on Earth"),
    "metadata as a number": (make(corners=None, metadata=3), "dictionary"),
    "shares as a list": (make(label_proportions=[OWN]), "dictionary"),
    "shares of the chip as a list": (
        make(label_proportions={"partitions_communes": [0.5]}),
        "dictionary",
    ),
    "nested shares as a number": (
        make(label_proportions={"partitions_communes": {"proportions": 1}}),
        "dictionary",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_chips_are_refused(what: str) -> None:
    chip, match = WRONG[what]
    with pytest.raises(ArchiveError, match=match) as caught:
        read(chip)
    assert_sentence(caught.value)


@pytest.mark.parametrize(
    ("shares", "match"),
    [
        ({"12": 0.5}, "class '12'"),
        ({12: 0.5}, "class 12, but classes are 0 to 11"),
        ({"-1": 0.5}, "class '-1'"),
        ({"1.0": 0.5}, "class '1.0'"),
        ({"²": 0.5}, "class '²'"),
        ({"x" * 10_000: 0.5}, r"class 'x+\.\.\.x+'"),
        ({None: 0.5}, "class None"),
        ({(1, 2): 0.5}, r"class \(1, 2\)"),
        ({"1": -0.01}, "share of class 1"),
        ({"1": 1.01}, "share of class 1"),
        ({"1": float("nan")}, "share of class 1"),
        ({"1": float("inf")}, "share of class 1"),
        ({"1": 10**400}, "share of class 1"),
        ({"1": "0.5"}, "share of class 1"),
        ({"1": None}, "share of class 1"),
        ({"1": [0.5]}, "share of class 1"),
        ({str(number): 0.0 for number in range(13)}, "more than 12"),
    ],
)
@pytest.mark.parametrize("key", ["partitionscommunes", "partitions_communes"])
def test_malformed_shares_are_refused(key: str, shares: dict[Any, Any], match: str) -> None:
    with pytest.raises(ArchiveError, match=match) as caught:
        read(make(label_proportions={key: shares}))
    assert_sentence(caught.value)


def test_parts_that_are_shared_a_million_times_are_not_walked() -> None:
    laugh: Any = {"1": 0.5}
    for _ in range(60):
        laugh = {"1": laugh, "2": laugh}
    for chip in (
        make(chip_id=laugh),
        make(chip=laugh),
        make(label=laugh),
        make(corners=laugh),
        make(corners={"nw": laugh, "se": laugh}),
        make(label_proportions={"partitions_communes": laugh}),
    ):
        with pytest.raises(ArchiveError) as caught:
            read(chip)
        assert_sentence(caught.value)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=31))
def test_shares_come_back_whatever_their_order_and_keys(shares: list[float]) -> None:
    count = len(shares)
    named = {str(number): share for number, share in enumerate(shares) if share}
    numbered = {number: shares[number] for number in reversed(range(count))}
    np.testing.assert_array_equal(share_vector(named, count), shares)
    np.testing.assert_array_equal(share_vector(numbered, count), shares)
