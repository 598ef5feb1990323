"""YAML of people nobody knows: bounded, plain, YAML 1.2's scalars, every key once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from llpbench.errors import BoardError, examples
from llpbench.reading import read_text

LARGEST = 64 * 1024
"""Bytes of the largest file read."""
DEEPEST = 10
"""How deep lists and mappings may be nested."""
MOST_EVENTS = 10_000

_SCALARS = (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]{1,18}", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN"),
)
"""Type, form and first characters of what is no text in YAML 1.2; no dates, no ``yes``."""


class _Loader(yaml.SafeLoader):
    """Refuses keys that are there twice."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (the base class's way)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping of text to anything."""
        mapping: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise BoardError(f"keys must be text, found {examples([key])}")
            if key in mapping:
                raise BoardError(f"the key {examples([key])} is there twice")
            mapping[key] = self.construct_object(value_node, deep=True)
        return mapping


class _Dumper(yaml.SafeDumper):
    """Quotes what the loader would take for no text."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  (the base class's way)

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


for _kind, _form, _first in _SCALARS:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_kind}", re.compile(f"^(?:{_form})$"), [*_first, ""]
        )
_Loader.add_constructor("tag:yaml.org,2002:float", lambda _loader, node: float(node.value))
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _loader, node: int(node.value))
_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_mapping)
_Dumper.add_representer(str, _represent_text)


def read_yaml(path: Path) -> Any:
    """Read a YAML file of at most 64 kB, trusting nothing in it.

    Refused are anchors, tags, several documents, a key twice, and what is too deep.
    """
    text = read_text(path, LARGEST, BoardError)
    try:
        _check_events(text)
        return yaml.load(text, _Loader)  # noqa: S506  (a safe loader, made safer)
    except BoardError as error:
        raise BoardError(f"{path.name}: {error}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BoardError(f"{path.name} is no YAML in UTF-8 ({_brief(error)})") from error


def write_yaml(content: Any) -> str:
    """YAML that :func:`read_yaml` reads back as it was.

    Examples
    --------
    >>> print(write_yaml({"rate": 1e-3, "text": "1e-3", "answer": "yes"}), end="")
    rate: 0.001
    text: '1e-3'
    answer: yes
    """
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=96)
    return text


def _check_events(text: str) -> None:
    """Refuse what could grow, before anything is built."""
    depth = documents = 0
    for number, event in enumerate(yaml.parse(text, yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        if getattr(event, "anchor", None) is not None:
            raise BoardError("anchors and aliases (& and *) are not read; write it out")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise BoardError(f"tags are not read, found {examples([tag])}")
        if depth > DEEPEST or number > MOST_EVENTS or documents > 1:
            raise BoardError(
                f"one document of at most {MOST_EVENTS} items, {DEEPEST} deep, is read"
            )


def _brief(error: Exception) -> str:
    """What PyYAML says, in one line without its excerpt of the file."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        line = "" if mark is None else f", line {mark.line + 1}"
        return f"{examples([error.problem])}{line}"
    return f"{type(error).__name__}"
