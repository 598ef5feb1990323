"""A folder of this machine, where a store stands."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

from llpbench.data.location.base import NOTES, PLAN, Location
from llpbench.errors import CrewError, LLPBenchError, StoreError
from llpbench.reading import check_file
from llpbench.writing import discard, locked, part_path, replacing


@dataclass(frozen=True)
class Folder(Location):
    """A folder by its path, as the user gave it."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.name

    def __truediv__(self, name: str) -> Self:
        return type(self)(self.path / name)

    @cached_property
    def _root(self) -> Path:
        return self.path.resolve()

    def has(self, file: str) -> bool:
        """Whether there is a file, or a link to one."""
        return (self.path / file).is_file()

    def size(self, file: str) -> int:
        """Bytes of a file, which is a regular one of this folder."""
        path = self._root / file
        status = path.stat(follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or os.path.realpath(path) != str(path):
            raise ValueError("no regular file of this folder")
        return status.st_size

    def read(self, file: str, largest: int) -> bytes:
        """Read a file whole."""
        path = self.path / file
        if not path.exists():
            raise FileNotFoundError(path)
        return check_file(path, largest, StoreError).read_bytes()

    def folders(self, most: int, _known: Collection[str] = ()) -> list[str]:
        """Names of the folders in it but hidden ones; files are not looked at."""
        names = []
        with os.scandir(self.path) as items:
            for item in items:
                if item.is_dir() and not item.name.startswith("."):
                    names.append(item.name)
                if len(names) > most:
                    raise ValueError(f"it has more than {most} parts")
        return sorted(names)

    def opened(self, _folders: Collection[str]) -> Path:
        """Itself: Zarr reads folders."""
        return self.path

    def put(self, file: str, content: bytes) -> bool:
        """Write a file in one step; only one process fills a folder, so nothing is there yet."""
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(content)
        return True

    @contextmanager
    def filling(self, plan: str) -> Iterator[Folder]:
        """A hidden folder beside it, which takes its name when it is whole."""
        with locked(self.path):
            if self.path.exists():
                raise StoreError(f"{str(self)!r} exists already; remove it or choose another name")
            try:
                with replacing(self.path.absolute(), resume=True) as part:
                    yield _planned(Folder(part), plan)
                    (part / PLAN).unlink()
                    discard(part / NOTES)
            except CrewError:  # the workers are lost, and others go on with what they have done
                raise
            except LLPBenchError:  # the source is bad, and would be so again
                discard(part_path(self.path))
                raise


def _planned(part: Folder, plan: str) -> Folder:
    """Keep what an interrupted run with this plan left; what another one left is no use."""
    if not part.has(PLAN) or part.read(PLAN, len(plan)) != plan.encode():
        discard(part.path)
        part.put(PLAN, plan.encode())
    return part
