"""A prefix of a bucket, where a store stands: S3, Google's and Azure's, through obstore."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from llpbench.data.location.address import name_of
from llpbench.data.location.base import NOTES, PLAN, Location
from llpbench.errors import StoreError

MOST_FILES = 2**20
"""Objects of a store: 10^8 chips in files of 512 have some 400,000."""

_RETRY = {"max_retries": 8}
_LARGEST_PLAN = 1000
_ROUND = 1000
"""Objects whose names are asked for at once."""


@dataclass(frozen=True)
class Bucket(Location):
    """A prefix of a bucket by its address; nobody's credentials are part of it.

    It may be sent to another process, which opens it with the credentials of its own environment.
    Names of files are asked for once: a location is made anew for each look at a store.
    """

    address: str

    def __str__(self) -> str:
        return self.address

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.address,)

    @property
    def name(self) -> str:
        """The last part of its prefix."""
        return name_of(self.address)

    def __truediv__(self, name: str) -> Self:
        return type(self)(f"{self.address}/{name}")

    @cached_property
    def store(self) -> Any:
        """The bucket as obstore knows it."""
        with self._asked() as obstore:
            store = obstore.store
            kinds = {"s3": store.S3Store, "gs": store.GCSStore, "az": store.AzureStore}
            kind = kinds.get(self.address.partition(":")[0], store.HTTPStore)
            options = {"allow_http": True} if self.address.startswith("http:") else None
            return kind.from_url(self.address, retry_config=_RETRY, client_options=options)

    def has(self, file: str) -> bool:
        """Whether there is an object."""
        try:
            self._head(file)
        except FileNotFoundError:
            return False
        return True

    def size(self, file: str) -> int:
        """Bytes of an object, as it was listed."""
        try:
            return self._sizes[file]
        except KeyError:
            raise FileNotFoundError(file) from None

    def read(self, file: str, largest: int) -> bytes:
        """Read an object whole, and no more of it than that whatever its server says."""
        content = bytearray()
        with self._asked() as obstore:
            for chunk in obstore.get(self.store, file).stream():
                content += chunk
                if len(content) > largest:
                    raise StoreError(f"{self}/{file} is large; at most {largest} bytes are read")
        return bytes(content)

    def folders(self, most: int, _known: Collection[str] = ()) -> list[str]:
        """First parts of the names of objects, but hidden ones."""
        names = {file.split("/")[0] for file in self._sizes if "/" in file}
        names = {name for name in names if not name.startswith(".")}
        if len(names) > most:
            raise ValueError(f"it has more than {most} parts")
        return sorted(names)

    def opened(self, folders: Collection[str]) -> Any:
        """A store of Zarr's that asks for no list of what is known."""
        from llpbench.data.location.zarr_store import ListedStore

        return ListedStore(self.store, folders)

    def put(self, file: str, content: bytes) -> bool:
        """Put an object if there is none of its name."""
        try:
            with self._asked() as obstore:
                obstore.put(self.store, file, content, mode="create")
        except FileNotFoundError:
            raise StoreError(f"{self} cannot be written: there is no such bucket") from None
        except FileExistsError:
            return False
        return True

    @contextmanager
    def filling(self, plan: str) -> Iterator[Bucket]:
        """The prefix itself: it is no store before its last object is there, ``store.json``.

        Nothing is removed but plan and notes, at the end.
        """
        self._claim(plan)
        yield self
        self._remove_notes()

    def _claim(self, plan: str) -> None:
        """Put the plan down, or find it there; refuse what somebody else has put."""
        is_free = self._first() is None or self.has(PLAN)
        if not is_free or not (
            self.put(PLAN, plan.encode()) or self.read(PLAN, _LARGEST_PLAN) == plan.encode()
        ):
            raise StoreError(
                f"at {self} stands something else, or an unfinished dataset of other sources; "
                "remove it or choose another address"
            )

    def _first(self) -> str | None:
        with self._asked() as obstore:
            return next(
                (item["path"] for items in obstore.list(self.store) for item in items), None
            )

    def _remove_notes(self) -> None:
        with self._asked() as obstore:
            for items in obstore.list(self.store, NOTES, chunk_size=_ROUND):
                obstore.delete(self.store, [item["path"] for item in items])
            obstore.delete(self.store, PLAN)

    @cached_property
    def _sizes(self) -> dict[str, int]:
        sizes: dict[str, int] = {}
        with self._asked() as obstore:
            for items in obstore.list(self.store, chunk_size=_ROUND):
                sizes.update((item["path"], item["size"]) for item in items)
                if len(sizes) > MOST_FILES:
                    raise StoreError(f"{self} has more than {MOST_FILES} files")
        return sizes

    def _head(self, file: str) -> int:
        with self._asked() as obstore:
            return int(obstore.head(self.store, file)["size"])

    @contextmanager
    def _asked(self) -> Iterator[Any]:
        """Whatever a server refuses, in one sentence without what it was sent."""
        try:
            import obstore
            from obstore import exceptions, store  # noqa: F401  (obstore.store)
        except ImportError as error:
            raise StoreError(
                f"{self} needs {error.name}, which is not installed: pip install 'llpbench[cloud]'"
            ) from error
        try:
            yield obstore
        except exceptions.AlreadyExistsError:
            raise FileExistsError(self.address) from None
        except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
            raise StoreError(
                f"access to {self} is denied ({_reason(error)}); check the credentials in the "
                "environment"
            ) from None
        except exceptions.BaseError as error:
            raise StoreError(f"{self} cannot be reached ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    """What a server answered, in few words: obstore repeats the request, which may hold secrets.

    Examples
    --------
    >>> _reason(Exception("Generic S3 error: GET http://host/?sig=1 in 2s - HTTP error: no answer"))
    'HTTP error: no answer'
    """
    text = str(error)
    if code := re.search(r"<Code>(\w+)<", text):
        return code[1]
    line = text.partition("\n")[0].rpartition(" - ")[2].partition("<")[0]
    return re.sub(r"\S+://\S+", "...", line).strip(" :")[:200]
