"""Where a store stands: a folder, a prefix of a bucket, or a folder of a website."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from llpbench.data.location.address import check_address, is_address
from llpbench.data.location.base import Location
from llpbench.data.location.bucket import Bucket
from llpbench.data.location.folder import Folder
from llpbench.data.location.website import Website

__all__ = [
    "Bucket",
    "Folder",
    "Location",
    "Website",
    "Where",
    "check_address",
    "is_address",
    "locate",
]

Where: TypeAlias = str | os.PathLike[str] | Location


def locate(where: Where) -> Location:
    """The location that a path or an address names.

    Raises
    ------
    StoreError
        If an address is none that is read, or the packages that read it are not installed.

    Examples
    --------
    >>> locate("data/estonia"), locate("https://example.org/estonia/").name
    (Folder(path=PosixPath('data/estonia')), 'estonia')
    """
    if isinstance(where, Location):
        return where
    text = os.fspath(where)
    if not is_address(text):
        return Folder(Path(text))
    address = check_address(text)
    return Website(address) if address.startswith("http") else Bucket(address)
