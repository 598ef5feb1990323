"""The file that a published record holds."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llpbench.errors import DownloadError

_NAME = re.compile(r"[^/\\\x00-\x1f\x7f\ud800-\udfff]{1,200}\.zip", re.IGNORECASE)
_MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class RecordFile:
    """A record's archive.

    Parameters
    ----------
    name : str
        A file name that ends in ``.zip`` and names no folder.
    size : int
        Bytes, 1 to 2⁶³ - 1.
    md5 : str
        32 hexadecimal digits in lower case.

    Examples
    --------
    >>> RecordFile("../benelux.zip", 22, "76cdb2bad9582d23c1f6f4d868218d6c")
    Traceback (most recent call last):
        ...
    llpbench.errors.DownloadError: a record's archive must have a plain name that ends in .zip, a \
positive size and an md5, but this one has '../benelux.zip', 22 and \
'76cdb2bad9582d23c1f6f4d868218d6c'
    """

    name: str
    size: int
    md5: str

    def __post_init__(self) -> None:
        """Refuse anything that is not a plain file name, a size and an md5."""
        if not (
            isinstance(self.name, str)
            and _NAME.fullmatch(self.name)
            and type(self.size) is int
            and 0 < self.size < 2**63
            and isinstance(self.md5, str)
            and _MD5.fullmatch(self.md5)
        ):
            raise DownloadError(
                "a record's archive must have a plain name that ends in .zip, a positive size and "
                f"an md5, but this one has {self.name!r}, {self.size!r} and {self.md5!r}"
            )
