"""Addresses of stores that are not folders of this machine."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from llpbench.errors import StoreError, examples

SCHEMES = ("s3", "gs", "az", "https", "http")

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]{1,5})?")
_PART = re.compile(r"(?!\.{1,2}$)[\w.+=~-]+")


def is_address(text: str) -> bool:
    """Whether a text is an address, of any kind, and not a path.

    Examples
    --------
    >>> is_address("s3://bucket/estonia"), is_address("data/estonia")
    (True, False)
    """
    return _SCHEME.match(text) is not None


def check_address(text: str) -> str:
    """Refuse addresses of other kinds, and those that hold a password; without a slash at its end.

    What is refused is not repeated in full: it may hold what nobody should read.

    Raises
    ------
    StoreError
        If nothing can be read there.

    Examples
    --------
    >>> check_address("s3://bucket/estonia/")
    's3://bucket/estonia'
    >>> check_address("s3://key:secret@bucket/estonia")
    Traceback (most recent call last):
        ...
    llpbench.errors.StoreError: an address of a dataset holds neither user, password nor query: ...
    """
    known = " or ".join([", ".join(f"{name}://" for name in SCHEMES[:-1]), f"{SCHEMES[-1]}://"])
    scheme, _, rest = text.partition("://")
    if scheme not in SCHEMES:
        raise StoreError(f"an address of a dataset begins with {known}, found {scheme[:20]!r}")
    if any(sign in rest for sign in "@?#"):
        raise StoreError(
            "an address of a dataset holds neither user, password nor query: credentials come from "
            "the environment, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    host, *parts = rest.rstrip("/").split("/")
    if not _HOST.fullmatch(host) or not all(map(_PART.fullmatch, parts)):
        raise StoreError(
            f"{examples([text])} is no address of a dataset: expected is {scheme}://HOST/FOLDER, "
            "with letters, digits and . _ - + = ~"
        )
    return f"{scheme}://{'/'.join([host, *parts])}"


def name_of(address: str) -> str:
    """The last part of an address, as a folder has a name."""
    parts = urlsplit(address)
    return parts.path.rpartition("/")[2] or parts.netloc
