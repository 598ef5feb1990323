"""What an attacker sends, and what must hold whenever it is refused."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from llpbench import import_archive
from llpbench.data.cache import cache_folder
from llpbench.errors import ArchiveError, LLPBenchError


class Payload:
    """Its pickle calls a function when it is loaded carelessly."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.call


def assert_sentence(error: BaseException) -> None:
    """One clear sentence: a line, neither empty nor endless, that prints."""
    text = str(error)
    assert isinstance(error, LLPBenchError)
    assert 10 <= len(text) <= 700, text
    assert "\n" not in text
    assert "Traceback" not in text
    text.encode()


def assert_refused(archive: Path, match: str) -> None:
    """Importing the archive fails with a sentence and leaves no trace of a store."""
    with pytest.raises(ArchiveError, match=match) as caught:
        import_archive(archive, "refused")
    assert_sentence(caught.value)
    assert not any(cache_folder().iterdir())


def read_zip(path: Path) -> dict[str, bytes]:
    """Name to content of every member."""
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    """A zip of these members, as the published ones are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def name_of(members: Mapping[str, bytes], ending: str) -> str:
    """The first member that ends so."""
    return next(name for name in members if name.endswith(ending))


def edit_chip(content: bytes, **changes: Any) -> bytes:
    """The pickle of a chip with other entries; None takes one away."""
    chip = {**pickle.loads(content), **changes}
    return pickle.dumps({key: value for key, value in chip.items() if value is not None}, 4)
