"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llpbench.writing import replacing, unfinished


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _write_half(path: Path, *, resume: bool = False) -> None:
    with replacing(path, resume=resume) as part:
        part.write_text("half")
        raise ValueError("half")


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(ValueError, match="half"):
        _write_half(tmp_path / "a.txt")
    assert _names(tmp_path) == {"a.txt"}
    assert (tmp_path / "a.txt").read_text() == "old"


def test_a_folder_takes_the_place_of_one_with_nothing_of_it_or_of_leftovers(tmp_path: Path) -> None:
    for name in ("a.zarr", ".a.part.zarr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "old").touch()
    with replacing(tmp_path / "a.zarr") as part:
        part.mkdir()
        (part / "new").touch()
    assert _names(tmp_path) == {"a.zarr", "a.zarr/new"}


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").touch()
    with pytest.raises(OSError, match="mine"), replacing(tmp_path / "mine") as part:
        part.write_text("new")
    assert _names(tmp_path) == {"mine", "mine/kept"}


def test_a_part_that_may_be_resumed_stays_until_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.b.txt"
    with pytest.raises(ValueError, match="half"):
        _write_half(path, resume=True)
    assert [whole for whole, _part in unfinished(tmp_path)] == [path]
    with replacing(path, resume=True) as part, part.open("a") as file:
        file.write(" and half")
    assert path.read_text() == "half and half"
    assert _names(tmp_path) == {"a.b.txt"}


def test_the_disk_holds_all_bytes_before_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is flushed, by inode, and whether the name was there by then."""
    flushed: list[tuple[int, bool]] = []
    path = tmp_path / "a.zarr"
    monkeypatch.setattr(
        os, "fsync", lambda file: flushed.append((os.fstat(file).st_ino, path.exists()))
    )
    with replacing(path) as part:
        (part / "inner").mkdir(parents=True)
        (part / "inner" / "a").write_text("a")
        (part / "b").write_text("b")
    inside = {place.stat().st_ino for place in (path, *path.rglob("*"))}
    assert {inode for inode, named in flushed if not named} == inside
    assert (tmp_path.stat().st_ino, True) in flushed
