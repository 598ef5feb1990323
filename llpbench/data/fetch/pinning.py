"""For maintainers: write the records' archives into the catalog, so that no API is asked again."""

from __future__ import annotations

import json
import re
from pathlib import Path

from llpbench import catalog
from llpbench.catalog import RecordFile
from llpbench.data.fetch.record import ask_record
from llpbench.errors import DownloadError
from llpbench.reading import read_text
from llpbench.writing import replace_text


def pin_records(path: Path) -> dict[int, RecordFile]:
    """Ask each record of a catalog for its archive and write the answers into the file.

    Raises
    ------
    DownloadError
        If the file is no catalog, a record does not answer, or its md5 is not the one that is
        pinned already; the file then stays as it was.
    """
    text = read_text(path, error=DownloadError)
    try:
        entries = catalog.parse(text).datasets.values()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DownloadError(f"{path} is no catalog ({error!r:.200})") from error
    pinned: dict[int, RecordFile] = {}
    for entry in entries:
        if entry.record is None:
            continue
        pinned[entry.record] = now = ask_record(entry.record)
        before = entry.archive or now
        if now.md5 != before.md5:
            raise DownloadError(
                f"record {entry.record} is pinned with md5 {before.md5} ({before.name}) but now "
                f"holds md5 {now.md5} ({now.name}); remove it from {path} if that is meant"
            )
        text = _with_archive(text, entry.record, now)
    replace_text(path, text)
    return pinned


def _with_archive(text: str, record: int, file: RecordFile) -> str:
    name = json.dumps(file.name, ensure_ascii=False)  # as TOML writes a text, too
    line = f'archive = {{ name = {name}, size = {file.size}, md5 = "{file.md5}" }}'
    pattern = rf"^record = {record}$(?:\narchive = .*$)?"
    return re.sub(pattern, lambda _: f"record = {record}\n{line}", text, flags=re.MULTILINE)
