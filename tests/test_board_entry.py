"""What an entry says of itself: its schema, its YAML, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from boards import ENTRY, EXPORT, changed
from hostile import assert_sentence
from hypothesis import given
from hypothesis import strategies as st

from llpbench.board.entry import entry_schema, validate_entry
from llpbench.board.yaml_files import read_yaml, write_yaml
from llpbench.errors import BoardError

ROOT = Path(__file__).resolve().parents[1]


def test_the_published_schema_is_that_of_the_model() -> None:
    published = (ROOT / "leaderboard" / "entry.schema.json").read_text(encoding="utf-8")
    assert published == entry_schema()


def test_the_schema_takes_what_the_model_takes() -> None:
    schema = json.loads(entry_schema())
    validator = jsonschema.Draft7Validator(schema)  # nothing in it is newer
    validator.check_schema(schema)
    validator.validate(ENTRY)
    assert not validator.is_valid(changed({"team": "Tartu"}))
    validate_entry(ENTRY)


HOSTILE = "<script>alert(1)</script>"
WRONG: list[tuple[str, Any]] = [
    ("format", 2),
    ("format", "1"),
    ("team", "Tartu"),
    ("team", "../tartu"),
    ("team", "a__b"),
    ("team", "a\n"),
    ("method", HOSTILE),
    ("title", ""),
    ("title", "x" * 101),
    ("title", "two\nlines"),
    ("title", "\u202edesrever"),
    ("title", "null\x00"),
    ("title", "FILL IN: a title"),
    ("title", 3),
    ("authors", []),
    ("authors", "Marie"),
    ("authors.0.name", None),
    ("authors.0.orcid", "0000-0002-1825-009"),
    ("contact", "javascript:alert(1)"),
    ("contact", "marie at example"),
    ("paper.url", "javascript:alert(1)"),
    ("paper.url", 'https://example.org/"onload="x'),
    ("paper.url", "https://example.org/<b>"),
    ("paper.url", "file:///etc/passwd"),
    ("paper.doi", HOSTILE),
    ("code.commit", "main"),
    ("licence", "free <b>"),
    ("track", "cross-region"),
    ("track", "other"),
    ("supervision", "none"),
    ("selection", ""),
    ("deterministic", "true"),
    ("external_data", "none"),
    ("external_data", ["x"] * 21),
    ("hyperparameters", {HOSTILE: 1}),
    ("hyperparameters", {"a": float("inf")}),
    ("hyperparameters", {"a": [1]}),
    ("datasets", {}),
    ("datasets", {"../x": ENTRY["datasets"]["grid"]}),
    ("datasets.grid.digest", "a" * 64),
    ("datasets.grid.trained_on", "other"),
    ("datasets.grid.seeds", []),
    ("datasets.grid.seeds", [0, 0]),
    ("datasets.grid.seeds", [-1]),
    ("datasets.grid.seeds", list(range(21))),
    ("datasets.grid.seeds", [1.0]),
    ("datasets.grid.footprint", {}),
    ("datasets.grid.footprint.parameters", -1),
    ("datasets.grid.footprint.parameters", float("nan")),
    ("datasets.grid.fit_seconds", float("nan")),
    ("datasets.grid.export", EXPORT | {"file_format": "pickle"}),
    ("datasets.grid.export", EXPORT | {"bytes": 0}),
    ("datasets.grid.export", EXPORT | {"digests": EXPORT["digests"][:2]}),
    ("datasets.grid.export", {"bytes": 9170}),
    ("datasets.other", ENTRY["datasets"]["grid"] | {"trained_on": "other", "export": EXPORT}),
    ("datasets.grid.segmentations", {"digests": []}),
    ("datasets.grid.segmentations", {"digests": ["sha256:" + "a" * 64] * 2}),
    ("unknown", 1),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=lambda value: str(value)[:30])
def test_what_is_out_of_order_is_refused_in_a_sentence(path: str, value: Any) -> None:
    with pytest.raises(BoardError, match=r"entry\.yaml: ") as caught:
        validate_entry(changed({path: value}))
    assert_sentence(caught.value)


def test_bytes_that_earlier_versions_computed_are_left_aside() -> None:
    """An entry that was on a board before stays readable; what was never measured is not shown."""
    old = {"parameters": 640, "bytes_float32": 2560, "bytes_float16": 1280, "bytes_int8": 640}
    entry = validate_entry(changed({"datasets.grid.footprint": old}))
    assert entry.datasets["grid"].footprint.model_dump(exclude_unset=True) == {"parameters": 640}


def test_markup_in_free_text_is_text() -> None:
    """It is for the page to escape; nothing here gives it another meaning."""
    assert validate_entry(changed({"title": HOSTILE})).title == HOSTILE


YAML_WRONG = {
    "an alias": "a: &x [1]\nb: *x",
    "a billion laughs": "a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]",
    "an anchor": "a: &x 1",
    "a tag": "a: !!python/object/apply:os.system ['true']",
    "a binary tag": "a: !!binary aGk=",
    "a key twice": "a: 1\na: 2",
    "a key twice, nested": "a: {b: 1, 'b': 2}",
    "keys that are no text": "1: 2",
    "a list as key": "? [1]\n: 2",
    "deep": "[" * 3000,
    "deep mappings": "{a: " * 3000,
    "wide": "a: [" + "1," * 20_000 + "]",
    "documents": "--- 1\n--- 2",
    "no YAML": "a: [",
    "a tab": "\ta: 1",
    "large": "a: " + "x" * 70_000,
}


@pytest.mark.parametrize("text", YAML_WRONG.values(), ids=YAML_WRONG)
def test_yaml_of_an_attacker_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "entry.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BoardError, match=r"entry\.yaml") as caught:
        read_yaml(path)
    assert_sentence(caught.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "entry.yaml"
    path.write_bytes(b"a: \xff\xfe")
    with pytest.raises(BoardError, match="no text in UTF-8"):
        read_yaml(path)


def test_scalars_are_those_of_yaml_1_2(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: no\nb: 1e-3\nc: 2024-01-01\nd: 010\ne: 0x1F\nf: 1:30\ng:\nh: -2\ni: .inf\n")
    expected = {"a": "no", "b": 0.001, "c": "2024-01-01", "d": 10, "e": "0x1F", "f": "1:30"}
    assert read_yaml(path) == {**expected, "g": None, "h": -2, "i": ".inf"}


_plain = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30)
_scalars = st.none() | st.booleans() | st.integers(-(10**15), 10**15) | _plain
_scalars |= st.floats(allow_nan=False, allow_infinity=False)


@given(content=st.dictionaries(_plain, _scalars | st.lists(_scalars, max_size=3), max_size=5))
def test_what_is_written_is_read_back(
    content: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("yaml") / "x.yaml"
    path.write_text(write_yaml(content), encoding="utf-8")
    assert read_yaml(path) == content


def test_an_entry_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "entry.yaml"
    path.write_text(write_yaml(ENTRY), encoding="utf-8")
    assert validate_entry(read_yaml(path)) == validate_entry(ENTRY)
