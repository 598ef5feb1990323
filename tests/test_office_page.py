"""The page on an office's files lists every message that they may lead to, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "howto" / "office-files.md"
SOURCES = (
    *("data/building/*.py", "data/archive/*.py", "predictions/*.py"),
    *(f"data/fetch/{name}.py" for name in ("archive", "disk", "http", "record", "retrying")),
    "data/fetch/transfer.py",
    *("data/appearance.py", "data/cache.py", "data/downloading.py", "data/folders.py"),
    *("data/text_tables.py", "data/store/tables.py", "data/store/writing.py", "reading.py"),
    *("data/location/*.py", "data/store/blocks.py"),
    *(
        f"running/{name}.py"
        for name in ("drifting", "mapping", "predicting", "recoding", "reusing")
    ),
    "running/reusing_embedding.py",
)
WORDS = 3
"""Words in lower case that make a text a message, or a part of one that says something alone."""

MOST_ALIKE = 6
"""Messages that one entry of the page may stand for."""


def messages() -> dict[str, str]:
    """What the library may say of files, … for what changes, and where."""
    found = {}
    for pattern in SOURCES:
        paths = sorted((ROOT / "llpbench").glob(pattern))
        assert paths, f"{pattern} has moved"
        for path in paths:
            tree = ast.parse(path.read_text("utf-8"))
            for line, text in texts(tree):
                if is_message(text):
                    found[text] = f"{path.relative_to(ROOT)}:{line}"
    return found


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """All texts but docstrings and what is asserted."""
    silent = {
        id(node)
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Expr | ast.Assert | ast.JoinedStr)
        for node in ast.walk(parent)
        if isinstance(parent, ast.Assert) or node in ast.iter_child_nodes(parent)
    }
    silent |= {  # what Python says of a name that is not there
        id(node)
        for parent in ast.walk(tree)
        if isinstance(parent, ast.Call) and ast.unparse(parent.func) == "AttributeError"
        for node in parent.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) not in silent:
            parts = [str(v.value) if isinstance(v, ast.Constant) else "…" for v in node.values]
            yield node.lineno, "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in silent:
                yield node.lineno, re.sub("%[.0-9]*[sdf]", "…", node.value)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "unknown":
            yield node.lineno, f"there is no {ast.literal_eval(node.args[0])} …"


def is_message(text: str) -> bool:
    is_pattern = re.search(r"[|\\+]\S", text)
    return not is_pattern and len(re.findall(r"(?<!\S)[(,;]?[a-z']+[:;,.)]?(?!\S)", text)) >= WORDS


def listed() -> list[str]:
    """Words of messages, as the first column of the page's tables has them."""
    rows = re.findall(r"^\| (`.*?`) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    return [words for row in rows for words in re.findall("`([^`]+)`", row)]


def stands_in(words: str, text: str) -> bool:
    return re.search(".*".join(map(re.escape, words.split("…"))), text) is not None


def test_every_message_is_explained() -> None:
    known = listed()
    assert known
    for text, place in messages().items():
        assert any(stands_in(words, text) for words in known), f"{place} is not listed: {text}"


def test_every_message_listed_is_one_that_is_said() -> None:
    said = list(messages())
    for words in listed():
        found = sum(stands_in(words, text) for text in said)
        assert found, f"nothing says {words!r}"
        assert found <= MOST_ALIKE, f"{words!r} is too short to tell a message by"
