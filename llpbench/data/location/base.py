"""What can be done where a store stands, wherever that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Any, Self

PLAN = "plan"
NOTES = "notes"
"""What is there beside a store that is being written: of what it is made, and its blocks so far."""


class Location(ABC):
    """Where a store stands, or a part of it; its text is what users call it by.

    Files are named below it, with slashes. What an operation asks of a server that refuses it, or
    cannot be reached, is a StoreError in one sentence.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The last part of its path or address."""

    @abstractmethod
    def __truediv__(self, name: str) -> Self:
        """The folder of a name in it."""

    @abstractmethod
    def has(self, file: str) -> bool:
        """Whether there is a file."""

    @abstractmethod
    def size(self, file: str) -> int:
        """Bytes of a file.

        Raises
        ------
        FileNotFoundError
            If there is none.
        ValueError
            If it is no regular file, or a link to one elsewhere.
        """

    @abstractmethod
    def read(self, file: str, largest: int) -> bytes:
        """Read a file whole, which is refused (StoreError) where it has more bytes than that.

        Raises
        ------
        FileNotFoundError
            If there is none.
        """

    @abstractmethod
    def folders(self, most: int, known: Collection[str]) -> list[str]:
        """Names of the folders in it but hidden ones; ``known`` ones, where nobody can list them.

        Raises
        ------
        ValueError
            If there are more than ``most``.
        """

    @abstractmethod
    def opened(self, folders: Collection[str]) -> Any:
        """What Zarr reads a group from that has arrays in these folders."""

    @abstractmethod
    def put(self, file: str, content: bytes) -> bool:
        """Write a file, whole or not at all; False where somebody else has written it before."""

    @abstractmethod
    def filling(self, plan: str) -> AbstractContextManager[Location]:
        """Where the files of a new store are put, until it is whole at the end.

        A failure leaves what is done to the next call with the same plan, a text that tells one
        region from another.

        Raises
        ------
        StoreError
            If a store stands there already, or a plan that cannot be given up for this one.
        """
