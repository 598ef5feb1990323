"""From a record number to a verified archive on disk, over a bad line, once."""

from llpbench.data.fetch.archive_cache import fetch_archive, verify_archive
from llpbench.data.fetch.disk import free_bytes, require_space
from llpbench.data.fetch.http import server_url
from llpbench.data.fetch.pinning import pin_records
from llpbench.data.fetch.places import (
    ArchiveState,
    archive_path,
    archive_state,
    part_path,
    record_folder,
    remove_archive,
)
from llpbench.data.fetch.record import ask_record, file_url, lookup
from llpbench.data.fetch.registry import RecordFile, known
from llpbench.data.fetch.retry import RetryPolicy

__all__ = [
    "ArchiveState",
    "RecordFile",
    "RetryPolicy",
    "archive_path",
    "archive_state",
    "ask_record",
    "fetch_archive",
    "file_url",
    "free_bytes",
    "known",
    "lookup",
    "part_path",
    "pin_records",
    "record_folder",
    "remove_archive",
    "require_space",
    "server_url",
    "verify_archive",
]
