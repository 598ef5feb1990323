"""Files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write beside a file, and put that in its place when it is whole.

    Parameters
    ----------
    path : Path
        Need not exist; its folder must.

    Yields
    ------
    Path
        What to write: hidden, in the same folder, with the same ending. Nothing of it is left
        if writing fails.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as beside:
    ...         _ = beside.write_text("whole")
    ...     beside.name, [path.name for path in Path(folder).iterdir()]
    ('.a.part.txt', ['a.txt'])
    """
    beside = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def replace_text(path: Path, text: str) -> None:
    """Write a text in one step.

    Parameters
    ----------
    path : Path
        A file that is there is replaced.
    text : str
    """
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")
