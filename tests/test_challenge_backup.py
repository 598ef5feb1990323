"""Backups of challenges, on SQLite and on Postgres, and what else lies on a disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from challenge_process import judge_quickly
from postgres import new_database
from serving import put, queueing

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.server import worker
from llpbench.challenge.server.backup import restore_backup, unpack_folder, write_backup
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.service import Service, open_service
from llpbench.challenge.server.submissions import submission_of, submissions_of
from llpbench.challenge.server.teams import add_team, team_of_token
from llpbench.errors import LLPBenchError


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A challenge of three submissions a day."""
    with queueing(tmp_path / "challenge", database_url) as service:
        yield service


def test_a_backup_of_either_database_fills_the_other(
    service: Service,
    database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it brings back goes on: tokens, the queue, the day, the ladder."""
    monkeypatch.setattr(worker, "judge_apart", judge_quickly)
    token = add_team(service.database, "tartu")
    team = team_of_token(service.database, token)
    assert team is not None
    scored, waits = (put(service, team.id, f"chip,a\n1,{count}\n") for count in range(2))
    worker.score_next(service)
    (service.folder.private / "truth.parquet").write_text("truth")
    backup = tmp_path / "backup.zip"
    write_backup(service, backup)
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    expected = submissions_of(service.database, team.id)

    folder = ChallengeFolder(tmp_path / "restored")
    folder.path.mkdir()
    unpack_folder(backup, folder.path)
    assert (folder.private / "truth.parquet").read_text() == "truth"
    for url in _others(database_url, tmp_path, request):
        other = open_service(folder, url)
        restore_backup(backup, other)
        assert team_of_token(other.database, token) == team
        assert submissions_of(other.database, team.id) == expected
        assert worker.score_next(other)
        assert submission_of(other.database, team.id, waits.id).state == "scored"
        assert submission_of(other.database, team.id, scored.id).state == "scored"
        with pytest.raises(LLPBenchError, match="restore into an empty one"):
            restore_backup(backup, other)
        other.database.close()
        for path in other.inbox.folder.iterdir():
            path.unlink()


def _others(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    yield f"sqlite:///{tmp_path / 'restored.sqlite'}"
    if url.startswith("postgresql"):
        with new_database(request.getfixturevalue("postgres_server")) as other:
            yield other


@pytest.mark.parametrize(
    ("url", "match"),
    [
        ("sqlite:///{}/none/a.sqlite", "does not answer"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "does not answer"),
        ("mysql://a/b", "expected a database of sqlite or postgresql"),
        ("sqlite://", "expected a database of sqlite or postgresql"),
        ("nonsense", "cannot be read"),
    ],
)
def test_a_database_that_is_none_is_said_in_a_sentence(
    url: str, match: str, tmp_path: Path
) -> None:
    with pytest.raises(LLPBenchError, match=match) as caught:
        Database(url.format(tmp_path))
    assert "secret" not in str(caught.value)


def test_files_that_nobody_was_told_of_are_swept(service: Service) -> None:
    names = ("0123456789abcdef.csv", ".fedcba9876543210.part", "kept.parquet")
    for name in names:
        path = service.inbox.folder / name
        path.write_text("a")
        os.utime(path, (0, 0))
    (service.inbox.folder / "young.csv").write_text("a")
    service.inbox.sweep({"kept"})
    assert {path.name for path in service.inbox.folder.iterdir()} == {"kept.parquet", "young.csv"}
