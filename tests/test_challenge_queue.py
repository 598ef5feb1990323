"""The queue of a challenge, its teams and its backups, on SQLite and on Postgres."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from challenge_process import judge_quickly
from serving import TRACK, new_team, put, queueing

from llpbench.challenge.ladder import Ladder
from llpbench.challenge.marks import Marks
from llpbench.challenge.server import queue, worker
from llpbench.challenge.server.climbing import finish
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.queue import Job, reap, refuse, renew, take
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.submissions import (
    cancel,
    left_today,
    submission_of,
)
from llpbench.challenge.server.tables import METADATA
from llpbench.challenge.server.teams import add_team, renew_token, team_of_token
from llpbench.errors import LLPBenchError


@pytest.fixture
def service(tmp_path: Path, database_url: str) -> Iterator[Service]:
    """A challenge of three submissions a day."""
    with queueing(tmp_path / "challenge", database_url) as service:
        yield service


def marks_of(service: Service, job: Job) -> Marks:
    """What a job is worth."""
    return judge_quickly(service.folder, service.inbox.path(job.id, job.ending), job.track)


def state(service: Service, team: str, identity: str) -> str:
    """How a submission stands."""
    return submission_of(service.database, team, identity).state


def test_a_lease_that_ran_out_is_worth_nothing(service: Service) -> None:
    team, database = new_team(service, "tartu"), service.database
    one = put(service, team, "chip,a\n1,1\n")
    lost = take(database, -1)
    assert lost is not None
    assert take(database, 60) is None
    reap(database)
    held = take(database, 60)
    assert held is not None
    assert held.id == lost.id == one.id
    assert not finish(database, lost, marks_of(service, lost))
    assert not refuse(database, lost, "a sentence")
    assert state(service, team, one.id) == "scoring"
    assert finish(database, held, marks_of(service, held))
    assert not finish(database, held, marks_of(service, held))
    assert state(service, team, one.id) == "scored"


def test_a_lease_that_is_renewed_does_not_run_out(service: Service) -> None:
    put(service, new_team(service, "tartu"), "chip,a\n1,1\n")
    job = take(service.database, -1)
    assert job is not None
    renew(service.database, job, 60)
    reap(service.database)
    assert take(service.database, 60) is None


def test_what_kills_its_scorer_is_given_up_and_costs_nothing(service: Service) -> None:
    team = new_team(service, "tartu")
    one = put(service, team, "chip,a\n1,1\n")
    for _ in range(queue.MOST_ATTEMPTS):
        assert take(service.database, -1) is not None
        reap(service.database)
    found = submission_of(service.database, team, one.id)
    assert (found.state, found.shown) == ("failed", None)
    assert "tell the organisers" in str(found.sentence)
    assert left_today(service.database, service.rules, team) == 3
    assert put(service, team, "chip,a\n1,1\n").id != one.id


def test_teams_take_turns_and_theirs_are_scored_in_order(service: Service) -> None:
    busy, other = new_team(service, "busy"), new_team(service, "other")
    first = [put(service, busy, f"chip,a\n1,{count}\n") for count in range(3)]
    second = put(service, other, "chip,a\n1,9\n")
    taken = [take(service.database, 60) for _ in range(3)]
    assert [job and job.team for job in taken[:2]] != [busy, busy]
    assert {job and job.id for job in taken} == {first[0].id, second.id, None}
    for job in taken[:2]:
        assert job is not None
        assert finish(service.database, job, marks_of(service, job))
    again = take(service.database, 60)
    assert again is not None
    assert again.id == first[1].id


def test_many_scorers_take_each_submission_once(service: Service) -> None:
    teams = [new_team(service, f"team {number}") for number in range(8)]
    sent = {put(service, team, f"chip,a\n{team},{n}\n").id for team in teams for n in range(3)}
    active, together, taken = set[str](), list[str](), list[str]()
    lock = threading.Lock()

    def score_all(_number: int) -> None:
        idle = 0
        while idle < 20:
            job = take(service.database, 60)
            if job is None:
                idle += 1
                time.sleep(0.01)
                continue
            with lock:
                together.extend({job.team} & active)
                active.add(job.team)
                taken.append(job.id)
            marks = marks_of(service, job)
            with lock:
                active.remove(job.team)
            assert finish(service.database, job, marks)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(score_all, range(6)))
    assert sorted(taken) == sorted(sent)
    assert together == []


def test_the_day_counts_what_is_scored_or_waits(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is refused or cancelled costs none, and the same again is no second one."""
    monkeypatch.setattr(worker, "judge_apart", judge_quickly)
    team = new_team(service, "tartu")
    sent = [put(service, team, f"chip,a\n1,{count}\n") for count in range(3)]
    assert put(service, team, "chip,a\n1,1\n").id == sent[1].id
    assert left_today(service.database, service.rules, team) == 0
    with pytest.raises(RefusalError, match="3 submissions a day") as caught:
        put(service, team, "chip,a\n1,3\n")
    assert caught.value.status == 429
    assert cancel(service.database, team, sent[2].id, "127.0.0.1").state == "cancelled"
    wrong = put(service, team, "wrong")
    while worker.score_next(service):
        pass
    found = submission_of(service.database, team, wrong.id)
    assert (found.state, found.sentence) == ("refused", "the file is wrong; correct it")
    assert left_today(service.database, service.rules, team) == 1
    with pytest.raises(RefusalError, match="is scored and cannot be cancelled"):
        cancel(service.database, team, sent[0].id, "127.0.0.1")
    assert put(service, team, "chip,a\n1,2\n").state == "waiting"
    service.inbox.sweep(set())  # younger than an hour
    assert service.inbox.path(sent[0].id, ".csv").exists()


def test_a_submission_that_is_cancelled_while_it_is_scored_stays_so(service: Service) -> None:
    team = new_team(service, "tartu")
    one = put(service, team, "chip,a\n1,1\n")
    job = take(service.database, 60)
    assert job is not None
    cancel(service.database, team, one.id, "127.0.0.1")
    assert not finish(service.database, job, marks_of(service, job))
    assert state(service, team, one.id) == "cancelled"


def test_the_ladder_of_a_track_goes_on_from_what_is_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As :meth:`Ladder.of` climbs in one go; tracks and teams have their own."""
    monkeypatch.setattr(worker, "judge_apart", judge_quickly)
    shown: dict[tuple[str, str], list[float | None]] = {}
    marks: dict[tuple[str, str], list[Marks]] = {}
    for team in (new_team(service, "tartu"), new_team(service, "other")):
        for count, track in enumerate((TRACK, "cross-region", TRACK)):
            one = put(service, team, f"chip,a\n{team[0]},{count}\n", track)
            worker.score_next(service)
            path = service.inbox.path(one.id, ".csv")
            marks.setdefault((team, track), []).append(judge_quickly(service.folder, path, track))
            found = submission_of(service.database, team, one.id)
            shown.setdefault((team, track), []).append(found.shown)
    for key, values in shown.items():
        assert values == [Ladder.of(marks[key][: n + 1]).score for n in range(len(values))]


def test_tokens_are_known_by_digest_and_renewed(service: Service, database_url: str) -> None:
    token = add_team(service.database, "tartu")
    with service.database.reading() as connection:
        for table in METADATA.sorted_tables:
            assert token not in repr(connection.execute(sa.select(table)).all())
    elsewhere = Database(database_url)
    renewed = renew_token(elsewhere, "tartu")
    elsewhere.close()
    assert team_of_token(service.database, token) is None
    team = team_of_token(service.database, renewed)
    assert team is not None
    assert team.name == "tartu"
    for name in ("tartu", "", " tartu", "a\nb", "a" * 61):
        with pytest.raises(LLPBenchError, match="team"):
            add_team(service.database, name)
    with pytest.raises(LLPBenchError, match="no team 'nobody'"):
        renew_token(service.database, "nobody")
