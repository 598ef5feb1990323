"""The digest of a store: hashed again from bytes that struct and json write."""

from __future__ import annotations

import hashlib
import json
import struct
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from llpbench.data.store.digest import combine, describe, hash_array, hash_blocks, small_parts


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("array", "content", "kind"),
    [
        (np.array([1, -2, 3], dtype="<i4"), struct.pack("<3i", 1, -2, 3), "<i4"),
        (np.array([1, -2, 3], dtype=">i4"), struct.pack("<3i", 1, -2, 3), "<i4"),
        (np.array([[1.5, 2], [3, 4]], dtype=">f8"), struct.pack("<4d", 1.5, 2, 3, 4), "<f8"),
        (np.array([[1, 2], [3, 4]], dtype="<i2").T, struct.pack("<4h", 1, 3, 2, 4), "<i2"),
        (np.array([7, 8, 9, 10], dtype="<u2")[::2], struct.pack("<2H", 7, 9), "<u2"),
        (np.array([[5, 6]], dtype=np.uint8), bytes([5, 6]), "|u1"),
        (np.array([True, False]), bytes([1, 0]), "|b1"),
        (np.zeros((0, 2), dtype="<f4"), b"", "<f4"),
        (np.array(["a", "é"]), b'["a", "\\u00e9"]', "text"),
        (np.array(["a", 'b"'], dtype=object), json.dumps(["a", 'b"']).encode(), "text"),
        (np.array([["a"], ["b"]], dtype=np.dtypes.StringDType()), b'["a", "b"]', "text"),
    ],
)
def test_an_array_is_its_numbers_and_not_how_they_lie(
    array: NDArray[Any], content: bytes, kind: str
) -> None:
    assert hash_array(array) == sha256(content)
    assert describe(array) == (kind, array.shape, sha256(content))


def test_the_digest_is_of_a_line_for_each_array_by_name() -> None:
    parts = {"label": ("|u1", (2, 3), "cd"), "image": ("<u2", (2,), "ab")}
    text = b"image|<u2|(2,)|ab\nlabel||u1|(2, 3)|cd\n"
    assert combine(parts) == "sha256:" + sha256(text)
    assert combine(dict(reversed(parts.items()))) == combine(parts)


def test_every_part_of_an_array_counts() -> None:
    """As many bytes in another shape, of another type or by another name are another dataset."""
    zeros = np.zeros((2, 3), dtype="<i4")
    others = {
        "shape": {"a": zeros.reshape(3, 2)},
        "type": {"a": zeros.view("<u4")},
        "name": {"b": zeros},
        "number": {"a": zeros + 1},
        "more": {"a": zeros, "b": zeros},
    }
    digests = {
        name: combine({key: describe(array) for key, array in arrays.items()})
        for name, arrays in {"same": {"a": zeros}, **others}.items()
    }
    assert len(set(digests.values())) == len(digests)


def test_blocks_are_hashed_in_their_order() -> None:
    first, second = sha256(b"1"), sha256(b"2")
    assert hash_blocks(iter([first, second])) == sha256((first + second).encode())


def test_names_of_divisions_are_text_even_where_they_are_numbers() -> None:
    divisions = gpd.GeoDataFrame(
        {"name": [7, 8], "area_km2": [2, 4]}, geometry=[shapely.box(0, 0, 1, 1)] * 2
    )
    assert small_parts({}, divisions)["divisions.name"] == ("text", (2,), sha256(b'["7", "8"]'))


def test_divisions_are_their_names_areas_and_outlines() -> None:
    outlines = [shapely.box(0, 0, 1, 2), shapely.box(3, 4, 5, 6)]
    divisions = gpd.GeoDataFrame(
        {"id": ["x", "y"], "name": ["Aarlen", "Gent"], "area_km2": [2, 4]}, geometry=outlines
    )
    numbers = np.arange(3, dtype="<i2")
    wkb = [shapely.to_wkb(outline, hex=True, byte_order=1).lower() for outline in outlines]
    assert wkb[0].startswith("01")  # little-endian on every machine
    assert small_parts({"chip_number": numbers}, divisions) == {
        "chip_number": ("<i2", (3,), sha256(struct.pack("<3h", 0, 1, 2))),
        "divisions.geometry": ("text", (2,), sha256(json.dumps(wkb).encode())),
        "divisions.name": ("text", (2,), sha256(b'["Aarlen", "Gent"]')),
        "divisions.area_km2": ("<f8", (2,), sha256(struct.pack("<2d", 2, 4))),
    }
