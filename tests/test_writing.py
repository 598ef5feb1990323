"""Files and folders that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from llpbench.writing import replacing


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def _write_half(path: Path) -> None:
    with replacing(path) as beside:
        beside.write_text("new")
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
    with replacing(tmp_path / "a.zarr") as beside:
        beside.mkdir()
        (beside / "new").touch()
    assert _names(tmp_path) == {"a.zarr", "a.zarr/new"}


def test_a_file_never_takes_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "kept").touch()
    with pytest.raises(OSError, match="mine"), replacing(tmp_path / "mine") as beside:
        beside.write_text("new")
    assert _names(tmp_path) == {"mine", "mine/kept"}
