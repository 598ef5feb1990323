"""What can go wrong between a server and a file, sorted by what to do about it."""

from __future__ import annotations

from llpbench.errors import DownloadError


class TransientError(Exception):
    """A fault that may pass: the same request is worth repeating after a wait.

    Parameters
    ----------
    what : str
        What happened, as the beginning of a sentence.
    retry_after : float or None
        Seconds the server asks to wait, where it does.
    """

    def __init__(self, what: str, retry_after: float | None = None) -> None:
        super().__init__(what)
        self.retry_after = retry_after


class SourceError(DownloadError):
    """One server cannot give the file; another may."""


class MissingError(SourceError):
    """The server knows no such address."""
