"""From a record number to a verified archive on disk, over a bad line, once."""

from llpbench.data.fetch.archive import Archive, ArchiveState
from llpbench.data.fetch.disk import free_bytes, require_space
from llpbench.data.fetch.pinning import pin_records
from llpbench.data.fetch.retrying import SourceError

__all__ = [
    "Archive",
    "ArchiveState",
    "SourceError",
    "free_bytes",
    "pin_records",
    "require_space",
]
