"""Servers and workers of a challenge are killed at any moment, on both databases."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from challenge_process import judge_quickly
from serving import Process, ask, free_port, write_rules

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.ladder import Ladder
from llpbench.challenge.server.service import Service, open_service
from llpbench.challenge.server.tables import AUDIT, MARKS, SUBMISSIONS
from llpbench.challenge.server.teams import add_team

TRACK = "inductive"


def send(port: int, token: str, content: bytes) -> tuple[int, Any]:
    """Send a file until the server says what becomes of it."""
    while True:
        try:
            path = f"/api/submissions?track={TRACK}"
            answer = ask(port, "POST", path, content, Authorization=f"Bearer {token}")
        except (OSError, HTTPException):  # it is killed at the moment, perhaps amid its answer
            time.sleep(0.1)
            continue
        if answer.status != 503:
            return answer.status, answer.json()


@pytest.mark.parametrize(
    ("teams", "each", "kills", "database_url"),
    [
        (4, 4, 3, "sqlite"),
        *(
            pytest.param(20, 15, 50, database, marks=pytest.mark.full)
            for database in ("sqlite", "postgres")
        ),
    ],
    indirect=["database_url"],
)
def test_killed_at_any_moment_nothing_is_lost_or_scored_twice(
    tmp_path: Path, database_url: str, teams: int, each: int, kills: int
) -> None:
    """Of each team's files, one is wrong; it is allowed as many as are right, and one more."""
    chosen, challenge = random.Random(kills), ChallengeFolder(tmp_path / "challenge")
    write_rules(challenge, submissions_a_day=each)
    service = open_service(challenge, database_url)
    tokens = [add_team(service.database, f"team {number}") for number in range(teams)]
    server = Process("serve", challenge, database_url, free_port())
    processes = [server, Process("worker", challenge, database_url)]
    is_over = threading.Event()

    def kill_often() -> None:
        for _ in range(kills):
            time.sleep(0.3 + chosen.random())
            killed = chosen.choice(processes)
            killed.kill()
            killed.start()
        is_over.set()

    def send_all(number: int) -> dict[str, bytes]:
        acknowledged = {}
        for count in range(each):
            content = f"chip,a\n{number},{'wrong' if count == 1 else count}\n".encode()
            status, said = send(server.port, tokens[number], content)
            assert status in (200, 202), said
            acknowledged[said["id"]] = content
            is_over.wait(1.6 * chosen.random() * kills / each)
        return acknowledged

    killer = threading.Thread(target=kill_often)
    killer.start()
    try:
        with ThreadPoolExecutor(teams) as pool:
            sent = list(pool.map(send_all, range(teams)))
        killer.join()
        _drain(service)
        _check(service, sent)
        server.wait()
        for number, token in enumerate(tokens):
            assert send(server.port, token, f"chip,a\n{number},more\n".encode())[0] == 202
            status, said = send(server.port, token, f"chip,a\n{number},too many\n".encode())
            assert (status, f"may send {each} submissions a day" in said["error"]) == (429, True)
    finally:
        killer.join()
        for process in processes:
            process.kill()
        service.database.close()
    assert "Traceback" not in server.said()


def _drain(service: Service) -> None:
    """Wait until the queue is empty; a lease that would not end is waited for in vain."""
    for _ in range(2400):
        with service.database.reading() as connection:
            states = Counter(connection.execute(sa.select(SUBMISSIONS.c.state)).scalars())
        if not states["waiting"] + states["scoring"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"the queue does not empty: {states}")


def _check(service: Service, sent: list[dict[str, bytes]]) -> None:
    expected = dict(itertools.chain.from_iterable(one.items() for one in sent))
    answered = {sha256(content).hexdigest(): identity for identity, content in expected.items()}
    with service.database.reading() as connection:
        rows = connection.execute(sa.select(SUBMISSIONS).order_by(SUBMISSIONS.c.received)).all()
        marks = {row.submission: row.content for row in connection.execute(sa.select(MARKS))}
        lines = Counter(
            (line.submission, line.action) for line in connection.execute(sa.select(AUDIT))
        )
    assert {row.sha256: row.id for row in rows} == answered, "the last of each file"
    ladders: dict[str, Ladder] = {}
    for row in rows:
        content = expected[answered[row.sha256]]
        # refused before its answer got through, a file that is sent again is refused again
        assert row.id in expected or b"wrong" in content
        assert lines[row.id, "received"] == 1
        assert lines[row.id, "scored"] + lines[row.id, "refused"] == 1
        if b"wrong" in content:
            assert (row.state, row.sentence) == ("refused", "the file is wrong; correct it")
            continue
        assert row.state == "scored"
        path = service.inbox.path(row.id, row.ending)
        assert path.read_bytes() == content
        judged = judge_quickly(service.folder, path, TRACK)
        assert marks.pop(row.id) == judged.to_json()
        ladders[row.team] = ladders.get(row.team, Ladder()).after(judged)
        assert row.shown == ladders[row.team].score
    assert not marks
