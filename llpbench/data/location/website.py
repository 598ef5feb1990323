"""A folder of a website, where a store stands that is only read."""

from __future__ import annotations

from collections.abc import Collection

from llpbench.data.location.bucket import Bucket
from llpbench.errors import StoreError


class Website(Bucket):
    """Served by HTTP, which can read files whole or in part, but lists none."""

    def size(self, file: str) -> int:
        """Bytes of a file, which is asked for by itself."""
        return self._head(file)

    def folders(self, _most: int, known: Collection[str] = ()) -> list[str]:
        """Those that should be there."""
        return sorted(known)

    def _claim(self, _plan: str) -> None:
        raise StoreError(
            f"{self} cannot be written: a website is only read; write to s3://, gs:// or az://"
        )
