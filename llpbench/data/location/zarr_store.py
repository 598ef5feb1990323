"""Objects of a bucket as Zarr reads them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from typing import Any

from zarr.storage import ObjectStore


class ListedStore(ObjectStore[Any]):
    """Knows which arrays its group has, so that nothing is listed again, or where nobody lists."""

    def __init__(self, store: Any, arrays: Collection[str]) -> None:
        super().__init__(store, read_only=True)
        self._arrays = tuple(arrays)

    async def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        """Yield the names in a folder."""
        for name in () if prefix else self._arrays:
            yield name
