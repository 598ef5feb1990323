"""Zips in order whose tables or chips are not: refused in one sentence, leaving nothing."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hostile import (
    Payload,
    assert_refused,
    edit_chip,
    name_of,
    write_zip,
)

Members = dict[str, bytes]


def _csv(change: Callable[[str], str]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        name = name_of(members, "splits.csv")
        members[name] = change(members[name].decode()).encode("utf-8", "surrogatepass")

    return edit


def _table(ending: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        name = name_of(members, ending)
        table = json.loads(members[name])
        changed = change(table)
        members[name] = json.dumps(table if changed is None else changed).encode()

    return edit


def _chips(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    return _table("aschips.geojson", change)


def _communes(change: Callable[[dict[str, Any]], object]) -> Callable[[Members], None]:
    return _table("communes.geojson", change)


def _text(ending: str, content: bytes) -> Callable[[Members], None]:
    def edit(members: Members) -> None:
        members[name_of(members, ending)] = content

    return edit


def _set(key: str, value: Any, row: int = 0) -> Callable[[dict[str, Any]], None]:
    return lambda table: table["features"][row]["properties"].update({key: value})


def _shape(value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda table: table["features"][0].update(geometry=value)


def _polygon(*points: tuple[Any, Any]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [points]}


SHARES = "esa-world-cover_proportions"
WRONG: dict[str, tuple[Callable[[Members], None], str]] = {
    "csv without a column": (
        _csv(lambda text: text.replace("split_communes", "split_munes")),
        "lacks column 'split_communes'",
    ),
    "csv without header": (_csv(lambda text: text.partition("\n")[2]), "lacks column"),
    "csv of nothing": (_csv(lambda text: ""), "cannot be read"),
    "csv of bytes": (_text("splits.csv", b"\xff\xfe\0\x80" * 30), "cannot be read|lacks column"),
    "csv of one endless name": (_csv(lambda text: "x" * 9_000 + text), "lacks column"),
    "chip in no split": (
        _csv(lambda text: "\n".join(text.splitlines()[:-1])),
        "1 chips are in no split",
    ),
    "split without a name": (
        _csv(lambda text: text.replace(",train\n", ",\n", 1)),
        "expected train, val or test, found ''",
    ),
    "unknown split": (
        _csv(lambda text: text.replace(",train\n", ",dev\n", 1)),
        "expected train, val or test, found 'dev'",
    ),
    "chip in two splits": (
        _csv(lambda text: text + text.splitlines()[1].replace("train", "test") + "\n"),
        "chips in two splits",
    ),
    "row with too many fields": (
        _csv(lambda text: text + "a,b,c,d,e,f\n"),
        "cannot be read",
    ),
    "geojson of text": (_text("aschips.geojson", b"not json"), "cannot be read"),
    "geojson of bytes": (_text("communes.geojson", b"\xff\xfe\x80"), "cannot be read"),
    "geojson nested without end": (_text("communes.geojson", b"[" * 9_000), "cannot be read"),
    "geojson with an endless number": (_text("communes.geojson", b"9" * 9_000), "cannot be read"),
    "geojson of a list": (_chips(lambda table: [1, 2, 3]), "cannot be read"),
    "geojson without features": (_chips(lambda table: table.pop("features") and None), "features"),
    "features of nothing": (_chips(lambda table: table.update(features=[])), "cannot be read"),
    "features as numbers": (_chips(lambda table: table.update(features=[1, 2])), "cannot be read"),
    "features as text": (_chips(lambda table: table.update(features="abc")), "cannot be read"),
    "features without identifier": (
        _chips(
            lambda table: [f["properties"].pop("identifier") for f in table["features"]] and None
        ),
        "cannot be read",
    ),
    "features without properties": (
        _communes(lambda table: [f.pop("properties") for f in table["features"]] and None),
        "cannot be read",
    ),
    "a chip that the table lacks": (
        _chips(lambda table: table["features"].pop(3) and None),
        "lacks 1 chips",
    ),
    "chip twice": (
        _chips(lambda table: table["features"].append(table["features"][0])),
        "names '.*' twice",
    ),
    "commune twice": (
        _communes(lambda table: table["features"].append(table["features"][0])),
        "names '.*' twice",
    ),
    "a point": (_chips(_shape({"type": "Point", "coordinates": [4, 50]})), "than polygons"),
    "no outline": (_communes(_shape(None)), "than polygons"),
    "an outline of text": (_communes(_shape("POLYGON ((0 0))")), "cannot be read"),
    "an outline of another type": (
        _communes(_shape({"type": "Curve", "coordinates": []})),
        "cannot be read|than polygons",
    ),
    "an outline of two points": (_communes(_shape(_polygon((4, 50), (5, 50)))), "cannot be read"),
    "an outline of text points": (
        _communes(_shape(_polygon(("a", "b"), ("c", "d"), ("e", "f"), ("a", "b")))),
        "cannot be read",
    ),
    "an outline without points": (
        _communes(_shape({"type": "Polygon", "coordinates": []})),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline of endless numbers": (
        _communes(_shape(_polygon((10**400, 0), (1, 0), (1, 1), (10**400, 0)))),
        "cannot be read",
    ),
    "an outline not a number": (
        _communes(_shape(_polygon((float("nan"), 0), (1, 0), (1, 1), (float("nan"), 0)))),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline without bounds": (
        _communes(_shape(_polygon((float("inf"), 0), (1, 0), (1, 1), (float("inf"), 0)))),
        "not in degrees on Earth|cannot be read",
    ),
    "an outline in metres": (
        _chips(_shape(_polygon((600000, 5e6), (601000, 5e6), (601000, 5.001e6), (600000, 5e6)))),
        "not in degrees on Earth",
    ),
    "unknown labels": (
        _text(
            "communes.geojson",
            b'{"features": [{"properties": {"identifier": "a", "corine_proportions": {}},'
            b'"geometry": {"type": "Polygon", "coordinates": [[[4,50],[5,50],[5,51],[4,50]]]}}]}',
        ),
        "label set in the catalog; found 'corine_proportions'",
    ),
    "no labels": (
        _communes(lambda table: [f["properties"].pop(SHARES) for f in table["features"]] and None),
        "found none",
    ),
    "shares as a number": (_communes(_set(SHARES, 0.5)), "shares of commune '00d0c0ffee0d1'"),
    "shares as a list": (_communes(_set(SHARES, [0.5])), "shares of commune"),
    "shares missing": (_communes(_set(SHARES, None)), "shares of commune"),
    "shares as bad text": (_communes(_set(SHARES, "{'1': 0.5}")), "shares of commune"),
    "shares nested without end": (_communes(_set(SHARES, "[" * 50_000)), "shares of commune"),
    "shares of a class out of range": (_communes(_set(SHARES, {"12": 1})), "class '12'"),
    "shares below 0": (_communes(_set(SHARES, {"1": -1})), "no number from 0 to 1"),
    "shares as text": (_communes(_set(SHARES, {"1": "a"})), "no number from 0 to 1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_tables(tmp_path: Path, members: Members, what: str) -> None:
    edit, match = WRONG[what]
    edit(members)
    assert_refused(write_zip(tmp_path / "x.zip", members), match)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"chip_id": "aaaaaaaaaaaaa"}, "of another chip, 'aaaaaaaaaaaaa'"),
        ({"chip_id": "a\nb" * 1000}, "of another chip"),
        ({"chip": np.zeros((50, 50, 3), "i2")}, "has shape"),
        ({"label": np.full((100, 100), 12, "i2")}, "outside 0 to 11"),
        ({"label": np.zeros((100, 100))}, "instead of integers"),
        ({"corners": {"nw": [95.0, 0.0], "se": [0.0, 0.0]}}, "not on Earth"),
        ({"label_proportions": {"partitions_communes": {"99": 1.0}}}, "class '99'"),
    ],
)
def test_wrong_chips(tmp_path: Path, members: Members, changes: dict[str, Any], match: str) -> None:
    chip = list(members)[-3]
    members[chip] = edit_chip(members[chip], **changes)
    assert_refused(write_zip(tmp_path / "x.zip", members), match)


def test_a_chip_that_calls_is_refused_and_not_executed(tmp_path: Path, members: Members) -> None:
    canary = tmp_path / "canary"
    chip = list(members)[-3]
    for call in (Payload(os.system, f"touch {canary}"), Payload(Path.touch, canary)):
        whole = pickle.dumps(call, 4)
        pickle.loads(whole)  # the attack works on a careless reader
        assert canary.exists()
        canary.unlink()
        for attack in (whole, edit_chip(members[chip], chip_id=call)):
            path = write_zip(tmp_path / "x.zip", {**members, chip: attack})
            assert_refused(path, f"chip '{Path(chip).stem}': it names")
            assert not canary.exists()
