"""Backups: all tables and all files of a challenge in one zip, the same for every database.

The dataset that is handed out is not part of it: all others have it, too.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import sqlalchemy as sa

from llpbench.challenge.server.service import Service
from llpbench.challenge.server.tables import ABOUT, FORMAT, METADATA, SUBMISSIONS, TEAMS
from llpbench.errors import LLPBenchError
from llpbench.reading import check_file
from llpbench.writing import is_name, replacing

_ABOUT, _TABLES, _INBOX, _FOLDER = "backup.json", "tables", "inbox", "challenge"
_ROWS = 500


def write_backup(service: Service, out: Path) -> None:
    """Write a backup that its owner alone can read, while the server goes on.

    It holds one state of all tables; files that arrive meanwhile may be in it as well.
    """
    with replacing(out) as part:
        file = os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b")
        with file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(_ABOUT, json.dumps({"format": FORMAT}))
            _write_tables(service, archive)
            for path in sorted(service.inbox.folder.iterdir()):
                if is_name(path.name):  # others are still arriving
                    _add(archive, path, f"{_INBOX}/{path.name}")
            for path in _own_files(service):
                _add(archive, path, f"{_FOLDER}/{path.relative_to(service.folder.path)}")


def restore_backup(backup: Path, service: Service) -> None:
    """Fill the empty tables and the inbox of a challenge with what a backup holds.

    Rules and private files are brought back where they are missing.

    Raises
    ------
    LLPBenchError
        If it is no backup or a newer one, or the challenge has teams already.
    """
    check_file(backup)
    try:
        with zipfile.ZipFile(backup) as archive:
            if json.loads(archive.read(_ABOUT))["format"] > FORMAT:
                raise LLPBenchError(f"{backup.name} is of a newer llpbench: upgrade")
            _read_tables(service, archive)
            for name in archive.namelist():
                place, _slash, last = name.partition("/")
                if place == _INBOX and is_name(last):
                    _extract(archive, name, service.inbox.folder / last)
    except (zipfile.BadZipFile, KeyError, ValueError, sa.exc.SQLAlchemyError) as error:
        raise LLPBenchError(
            f"{backup.name} is no backup of a challenge, or damaged; take another one"
        ) from error


def unpack_folder(backup: Path, folder: Path) -> None:
    """Bring back the rules and the private files of a challenge that are missing in its folder."""
    check_file(backup)
    try:
        with zipfile.ZipFile(backup) as archive:
            for name in archive.namelist():
                place, *parts = name.split("/")
                path = folder.joinpath(*parts)
                if place == _FOLDER and all(map(is_name, parts)) and not path.exists():
                    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                    _extract(archive, name, path)
    except zipfile.BadZipFile as error:
        raise LLPBenchError(f"{backup.name} is no backup of a challenge; take another") from error


def _own_files(service: Service) -> Iterator[Path]:
    folder = service.folder
    yield folder.rules_file
    yield from (path for path in sorted(folder.private.rglob("*")) if path.is_file())


def _add(archive: zipfile.ZipFile, path: Path, name: str) -> None:
    try:
        archive.write(path, name)
    except FileNotFoundError:  # refused or cancelled in between
        return


def _extract(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    with replacing(path) as part, archive.open(name) as source:
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as sink:
            shutil.copyfileobj(source, sink)


def _write_tables(service: Service, archive: zipfile.ZipFile) -> None:
    with service.database.reading() as connection:
        for table in METADATA.sorted_tables:
            rows = sa.select(table)
            if table is SUBMISSIONS:  # each after the one that it is kept by
                rows = rows.order_by(SUBMISSIONS.c.received, SUBMISSIONS.c.id)
            with archive.open(f"{_TABLES}/{table.name}.jsonl", "w") as file:
                for row in connection.execute(rows):
                    file.write(json.dumps(dict(row._mapping)).encode() + b"\n")


def _read_tables(service: Service, archive: zipfile.ZipFile) -> None:
    with service.database.writing() as connection:
        if connection.execute(sa.select(TEAMS.c.id).limit(1)).first() is not None:
            raise LLPBenchError(
                "expected a database without teams, found some; restore into an empty one"
            )
        connection.execute(sa.delete(ABOUT))
        for table in METADATA.sorted_tables:
            with archive.open(f"{_TABLES}/{table.name}.jsonl") as file:
                rows = map(json.loads, file)
                while some := list(islice(rows, _ROWS)):
                    connection.execute(sa.insert(table), some)
