"""Archives as people have them: unzipped, packed again, with what desktops add, or none at all."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hostile import assert_refused, name_of, write_zip

from llpbench import catalog, import_archive
from llpbench.data.archive.reader import read_archive

Members = dict[str, bytes]
APPLE = b"\0\5\26\7" + bytes(100)


def _as_zip(change: Callable[[str], str]) -> Callable[[Path, Members], Path]:
    return lambda path, members: write_zip(path, {change(n): c for n, c in members.items()})


def _beside(place: str) -> Callable[[Path, Members], Path]:
    """With a file of a Mac for each member."""

    def write(path: Path, members: Members) -> Path:
        extra = {}
        for name in members:
            folder, _, file = name.rpartition("/")
            extra[f"{place}{folder}/._{file}"] = APPLE
        litter = dict.fromkeys(("grid/.DS_Store", "grid/data/Thumbs.db", "grid/desktop.ini"), APPLE)
        return write_zip(path, {**members, **extra, **litter})

    return write


def _zip64(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(content)
    return path


def _unzipped(path: Path, members: Members) -> Path:
    folder = path.with_suffix("")
    for name, content in {**members, "grid/.DS_Store": APPLE, "grid/data/._a.pkl": APPLE}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


FOUND: dict[str, Callable[[Path, Members], Path]] = {
    "as published": _as_zip(lambda name: name),
    "without its folder": _as_zip(lambda name: name.partition("/")[2]),
    "in another folder": _as_zip(lambda name: f"My data/{name}"),
    "with backslashes": _as_zip(lambda name: name.replace("/", "\\")),
    "from a Mac": _beside("__MACOSX/"),
    "from a Mac's disk": _beside(""),
    "zip64": _zip64,
    "unzipped": _unzipped,
    "the folder in it": lambda path, members: next(_unzipped(path, members).iterdir()),
}


@pytest.mark.parametrize("name", FOUND)
def test_the_dataset_is_the_same(
    name: str, archive: Path, members: Members, tmp_path: Path
) -> None:
    report = import_archive(FOUND[name](tmp_path / "x.zip", members), "found")
    assert (report.digest, report.remarks) == _published(archive)


@pytest.mark.parametrize("shape", ["folder/{}", "{}", "mine/folder/{}"])
def test_the_published_licence_is_found_whatever_the_folder(
    shape: str, members: Members, tmp_path: Path
) -> None:
    files = {
        shape.format(name.partition("/")[2].replace("grid_", "benelux_")): content
        for name, content in members.items()
    }
    region, _remarks = read_archive(write_zip(tmp_path / "x.zip", files))
    assert region.origin == catalog.dataset("benelux-esaworldcover")


def _cut(path: Path, members: Members) -> None:
    content = write_zip(path, members).read_bytes()
    path.write_bytes(content[: len(content) // 2])


@cache
def _published(archive: Path) -> tuple[str, tuple[str, ...]]:
    report = import_archive(archive, "published")
    return report.digest, tuple(report.remarks)


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
NONE: dict[str, tuple[Callable[[Path, Members], object], str]] = {
    "cut off": (_cut, "its end is missing: it was cut off"),
    "a pointer": (lambda path, _: path.write_bytes(POINTER), "pointer of Git LFS.*git lfs pull"),
    "a web page": (lambda path, _: path.write_text("<!DOCTYPE html><html>"), "it is a web page"),
    "a tar": (lambda path, _: path.write_bytes(b"\x1f\x8b" + bytes(99)), "gzip archive; unpack it"),
    "nothing": (lambda path, _: path.write_bytes(b""), "it is empty"),
    "a zip in a zip": (
        lambda path, members: write_zip(path, {"a/grid.zip": b"PK"}),
        "holds another zip, 'grid.zip'; import that",
    ),
    "litter alone": (
        lambda path, members: write_zip(path, {"__MACOSX/data/._a.pkl": APPLE}),
        "holds no chips",
    ),
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_none_says_what_it_is(name: str, members: Members, tmp_path: Path) -> None:
    write, message = NONE[name]
    write(tmp_path / "x.zip", members)
    assert_refused(tmp_path / "x.zip", message)


def test_folders_are_looked_at_as_zips_are(members: Members, tmp_path: Path) -> None:
    chip, folder = name_of(members, ".pkl"), _unzipped(tmp_path / "x.zip", members)
    harms: list[tuple[Callable[[Path], object], str]] = [
        (lambda path: path.write_bytes(POINTER), "pointer of Git LFS"),
        (lambda path: path.write_bytes(bytes(2**20 + 1)), "at most 1048576 are expected"),
        (lambda path: (path.unlink(), path.symlink_to("/etc/passwd")), "holds a link"),
    ]
    for harm, message in harms:
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
        harm(copy / chip)
        assert_refused(copy, message)
        shutil.rmtree(copy)
