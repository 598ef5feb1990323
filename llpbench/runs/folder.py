"""The folder of a run: a new one, or an interrupted one to go on in; whole or not there."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from llpbench.errors import BusyError, LLPBenchError
from llpbench.methods.journal import CHECKPOINT
from llpbench.runs.record import RECORD
from llpbench.writing import discard, is_name, locked, part_path, recover, replacing


@contextmanager
def claimed_folder(out: Path | None, name: str, *, resume: bool) -> Iterator[Path]:
    """Choose a folder as :func:`choose_folder` does, and keep other processes out of it.

    Without ``out`` one that another process is writing counts as taken.
    """
    busy: set[Path] = set()
    while True:
        folder = choose_folder(out, name, resume=resume, busy=busy)
        with ExitStack() as claim:
            try:
                claim.enter_context(locked(folder, wait=False))
            except BusyError:
                if out or resume:
                    raise
                busy.add(folder)
                continue
            recover(folder)
            if choose_folder(out, name, resume=resume, busy=busy) == folder:
                yield folder
                return


def choose_folder(
    out: Path | None, name: str, *, resume: bool, busy: Collection[Path] = ()
) -> Path:
    """Choose where a run is written, or find the last interrupted one, to resume it.

    Without ``out`` it is below ``runs/`` in the working folder, under this name, numbered from the
    second on; those that are ``busy`` are passed over.
    """
    if not out and not is_name(name):
        raise LLPBenchError(f"{name!r} cannot name a folder of runs; give one with --out")
    if resume:
        return _interrupted(out, name)
    free = (path for path in _numbered(name) if not path.exists() and path not in busy)
    folder = out or next(free)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LLPBenchError(f"{str(folder)!r} is not empty; give --out a new folder")
    return folder


def can_resume(folder: Path) -> bool:
    """Whether an interrupted run left a checkpoint in its folder, or in the part when killed."""
    return any((place / CHECKPOINT).exists() for place in (part_path(folder), folder))


@contextmanager
def working_folder(folder: Path, *, resume: bool) -> Iterator[Path]:
    """Make the part of a folder, which becomes it when all went well.

    What fails leaves nothing, but for a checkpoint: that stays in the part, to go on from.
    A resumed run begins with the checkpoint that is there.
    """
    with replacing(folder, resume=True) as part:
        part.mkdir(parents=True, exist_ok=True)
        for path in part.iterdir():
            if not (resume and path.name == CHECKPOINT):
                discard(path)
        is_copy = resume and not (part / CHECKPOINT).exists()
        if is_copy:
            shutil.copyfile(folder / CHECKPOINT, part / CHECKPOINT)
        try:
            yield part
        except BaseException as error:
            is_bad = isinstance(error, LLPBenchError) and (is_copy or not resume)
            if is_bad or not (part / CHECKPOINT).exists():
                discard(part)
            raise


def _interrupted(out: Path | None, name: str) -> Path:
    if out is None:
        places = itertools.takewhile(
            lambda path: path.exists() or part_path(path).exists(), _numbered(name)
        )
        interrupted = [path for path in places if can_resume(path)]
        if not interrupted:
            raise LLPBenchError(f"no interrupted run {name!r} is in runs/; name it with --out")
        return interrupted[-1]
    if not can_resume(out):
        state = "is complete" if (out / RECORD).exists() else "was never begun"
        raise LLPBenchError(f"there is nothing to resume: the run in {str(out)!r} {state}")
    return out


def _numbered(name: str) -> Iterator[Path]:
    yield Path("runs") / name
    for number in itertools.count(2):
        yield Path("runs") / f"{name}-{number}"
