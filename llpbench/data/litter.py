"""Files that desktops leave in folders and zips, which say nothing."""

from __future__ import annotations

from pathlib import PurePath

_NAMES = {
    *("__macosx", ".ds_store", ".appledouble", ".spotlight-v100", ".trashes", ".fseventsd"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", ".directory", "@eadir"),
}


def is_litter(path: PurePath) -> bool:
    """Whether a file is litter, or in a folder that is.

    Examples
    --------
    >>> is_litter(PurePath("__MACOSX/data/._a.pkl")), is_litter(PurePath("data/a.pkl"))
    (True, False)
    """
    return any(part.casefold() in _NAMES or part.startswith("._") for part in path.parts)
