"""What the server of a challenge answers, asked over HTTP."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from boards import predict
from serving import TRACK, Served, ask, make_challenge, served, write_rules

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.judging import judge
from llpbench.challenge.ladder import Ladder
from llpbench.challenge.marks import Marks
from llpbench.challenge.server import asking, submissions, worker
from llpbench.challenge.server.headers import HEADERS
from llpbench.challenge.server.rates import Rate
from llpbench.challenge.server.service import open_service
from llpbench.challenge.server.tables import AUDIT, MARKS
from llpbench.challenge.server.teams import add_team, renew_token
from llpbench.predictions.files import write_predictions

pytestmark = pytest.mark.parametrize(
    "database_url",
    ["sqlite", pytest.param("postgres", marks=pytest.mark.full)],
    indirect=True,
)
WRONG = b"chip,tree\nnobody,1\n"
SIGNIFICANT = 6


@pytest.fixture(scope="module")
def challenge(tmp_path_factory: pytest.TempPathFactory) -> ChallengeFolder:
    """A challenge with its truth; tests change its rules alone."""
    return make_challenge(tmp_path_factory.mktemp("challenge") / "grid")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are judged in this process, which does not take a second to start."""
    monkeypatch.setattr(worker, "judge_apart", judge)


@pytest.fixture
def site(challenge: ChallengeFolder, database_url: str) -> Iterator[Served]:
    """The challenge served, on either database."""
    service = open_service(challenge, database_url)
    with served(service) as port:
        yield Served(service, port, add_team(service.database, "Tartu <b>&"))
    service.database.close()
    for path in service.inbox.folder.iterdir():
        path.unlink()


@pytest.fixture(scope="module")
def files(challenge: ChallengeFolder, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Predictions, the second much better than the first, the third a little worse than it."""
    folder, truth = tmp_path_factory.mktemp("files"), challenge.truth()
    paths = []
    for noise, ending in ((0.5, "csv"), (0.1, "parquet"), (0.11, "csv")):
        paths.append(folder / f"noise-{noise}.{ending}")
        write_predictions(predict(truth, noise=noise), paths[-1])
    return paths


def score_all(site: Served) -> None:
    """Score all that waits."""
    while worker.score_next(site.service):
        pass


def test_a_file_becomes_a_score_on_the_board(site: Served, files: list[Path]) -> None:
    """What is shown is what the ladder makes of marks that are judged here."""
    sent = [site.send(path.read_bytes()) for path in files]
    assert [answer.status for answer in sent] == [202, 202, 202]
    first = sent[0].json()
    assert (first["state"], first["score"], first["bytes"]) == (
        *("waiting", None),
        files[0].stat().st_size,
    )
    again = site.send(files[0].read_bytes())
    assert (again.status, again.json()["id"]) == (200, first["id"])
    wrong = site.send(WRONG).json()
    score_all(site)

    marks = [judge(site.service.folder, path, TRACK) for path in files]
    scores = [Ladder.of(marks[: count + 1]).score for count in range(3)]
    assert scores[1] == scores[2] != scores[0]
    found = site.api("GET", "/submissions").json()
    assert found["left_today"] == 2
    listed = {one["id"]: one for one in found["submissions"]}
    assert [listed[one.json()["id"]]["score"] for one in sent] == scores
    assert site.api("GET", f"/submissions/{first['id']}").json() == listed[first["id"]]
    refused = listed[wrong["id"]]
    assert (refused["state"], refused["score"]) == ("refused", None)
    assert "96 missing" in refused["sentence"]
    assert str(site.service.folder.path) not in refused["sentence"]
    board = site.api("GET", "/standings").json()
    assert board["tracks"]["cross-region"] == []
    (row,) = board["tracks"][TRACK]
    assert (row["team"], row["score"], row["rank"], row["submissions"]) == (
        *("Tartu <b>&", scores[2], 1, 3),
    )
    page = ask(site.port, "GET", "/").body.decode()
    assert "Tartu &lt;b&gt;&amp;" in page
    assert f"<td>{scores[2]}</td>" in page


def test_before_closing_no_answer_holds_a_mark(site: Served, files: list[Path]) -> None:
    """Errors of divisions and both halves, by their digits; the board tells them at the end."""
    sent = [site.send(path.read_bytes()).json()["id"] for path in files]
    sent.append(site.send(WRONG).json()["id"])
    score_all(site)
    with site.service.database.reading() as connection:
        contents = list(connection.execute(sa.select(MARKS.c.content)).scalars())
    secrets = {digits for content in contents for digits in _digits(json.loads(content))}
    assert len(secrets) > 20
    cookie, _form = site.sign_in()
    paths = ["/", "/submissions", "/sign-in", "/style.css", "/health", "/nothing"]
    answers = [ask(site.port, "GET", path, Cookie=cookie) for path in paths]
    answers += [site.api("GET", f"/submissions/{one}") for one in sent]
    answers += [site.api("GET", path) for path in ("/submissions", "/standings")]
    answers += [site.send(path.read_bytes()) for path in files]
    for answer in answers:
        text = repr(answer.headers) + answer.body.decode()
        assert not {digits for digits in secrets if digits in text}

    write_rules(site.service.folder, **_truth_of(site), closes=datetime.now(UTC))
    site.service.rules = site.service.folder.rules()
    assert site.api("GET", "/standings").json()["revealed"] is False
    site.service.folder.revealed_file.touch()
    (row,) = site.api("GET", "/standings").json()["tracks"][TRACK]
    kept = min((Marks.from_json(one) for one in contents), key=lambda one: one.public.mae)
    assert (row["public"], row["private"]) == (kept.public.mae, kept.private.mae)
    page = ask(site.port, "GET", "/").body.decode()
    assert f"<td>{kept.private.mae:.5f}</td>" in page
    late = site.send(b"chip,tree\n")
    assert (late.status, "closed on" in late.json()["error"]) == (403, True)
    write_rules(site.service.folder, **_truth_of(site))
    site.service.folder.revealed_file.unlink()


def _truth_of(site: Served) -> dict[str, str]:
    return {"dataset": site.service.rules.dataset, "digest": site.service.rules.digest}


def _digits(content: Any) -> Iterator[str]:
    """The first digits of all fractions in marks, with their point and without."""
    if isinstance(content, dict | list):
        for one in content.values() if isinstance(content, dict) else content:
            yield from _digits(one)
    elif isinstance(content, float) and content:
        yield f"{content:.17f}"[: SIGNIFICANT + 2]
        yield f"{content * 10.0 ** -math.floor(math.log10(content)):.15f}".replace(".", "")[:8]


def test_where_nothing_is_shown_nothing_is(site: Served, files: list[Path]) -> None:
    site.service.rules = site.service.rules.model_copy(update={"shown": "nothing"})
    identity = site.send(files[0].read_bytes()).json()["id"]
    score_all(site)
    found = site.api("GET", f"/submissions/{identity}").json()
    assert (found["state"], found["score"]) == ("scored", None)
    (row,) = site.api("GET", "/standings").json()["tracks"][TRACK]
    assert row["score"] is row["rank"] is None
    cookie, _form = site.sign_in()
    for path in ("/", "/submissions"):
        assert b"Score shown" not in ask(site.port, "GET", path, Cookie=cookie).body


def test_a_team_sees_and_cancels_its_own_alone(site: Served) -> None:
    other = add_team(site.service.database, "other")
    identity = site.send(b"chip,tree\n").json()["id"]
    for method in ("GET", "DELETE"):
        assert site.api(method, f"/submissions/{identity}", token=other).status == 404
    assert site.api("GET", "/submissions", token=other).json()["submissions"] == []
    assert site.api("DELETE", f"/submissions/{identity}").json()["state"] == "cancelled"
    assert site.api("DELETE", f"/submissions/{identity}").status == 409


def test_bounds_of_a_day_an_hour_and_a_minute(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "MOST_AN_HOUR", 7)
    for count in range(5):
        assert site.send(b"chip,tree\n1,%d\n" % count).status == 202
    sixth = site.send(b"chip,tree\n1,6\n")
    assert (sixth.status, "5 submissions a day" in sixth.json()["error"]) == (429, True)
    assert 0 < int(sixth.headers["retry-after"]) <= 86_401
    score_all(site)  # all are refused
    assert [site.send(b"chip,tree\n2,%d\n" % count).status for count in range(3)] == [202, 202, 429]
    site.service.uploads = Rate(1, 60)
    assert [site.send(b"chip,tree\n1,0\n").status for _ in range(2)] == [429, 429]
    site.service.guesses = Rate(2, 60)
    guesses = [site.send(b"chip,tree\n", token="llpb_" + "a" * 43).status for _ in range(3)]
    assert guesses == [401, 401, 429]
    assert site.api("GET", "/submissions").status == 200  # nobody is locked out
    with site.service.database.reading() as connection:
        noted = connection.execute(sa.select(AUDIT.c.action, AUDIT.c.address)).all()
    assert noted.count(("unknown token", "127.0.0.1")) == 2


@pytest.mark.parametrize(
    ("content", "status", "match"),
    [
        (b"", 422, "the file is empty"),
        (b"\x89PNG\r\n\0\0", 415, "found another file"),
        (b"chip\n" + b"a" * 2**11, 413, "more than 1024 bytes|at most 1024 bytes"),
    ],
)
def test_a_file_that_is_none_is_refused_and_gone(
    site: Served, content: bytes, status: int, match: str
) -> None:
    site.service.rules = site.service.rules.model_copy(update={"largest_file": 2**10})
    answer = site.send(content)
    assert answer.status == status
    assert re.search(match, answer.json()["error"])
    assert list(site.service.inbox.folder.iterdir()) == []
    assert site.send(b"chip,tree\n", "nonsense").status == 422
    assert list(site.service.inbox.folder.iterdir()) == []


def test_a_session_is_nobody_elses(site: Served) -> None:
    """Cookies that are changed, out of date, or of a renewed token; forms of others."""
    cookie, form = site.sign_in()
    name, _equals, value = cookie.partition("=")
    team, ends, signature = value.split(".")
    assert ask(site.port, "GET", "/submissions", Cookie=cookie).status == 200
    for changed in (
        f"{team}.{ends}.{signature[:-1]}{'0' if signature[-1] != '0' else '1'}",
        f"{team}.{int(ends) + 1}.{signature}",
        f"{team[::-1]}.{ends}.{signature}",
        f"{team}.{int(ends) - 10**9}.{signature}",
        "",
    ):
        answer = ask(site.port, "GET", "/submissions", Cookie=f"{name}={changed}")
        assert (answer.status, answer.headers["location"]) == (303, "/sign-in")
    identity = site.send(b"chip,tree\n").json()["id"]
    cancel = f"/submissions/{identity}/cancel"
    elsewhere = {"Origin": "https://evil.example"}
    for given, headers in (
        ("", {}),
        ("0" * 64, {}),
        ("é", {}),
        (form, elsewhere),
        (form, {"Sec-Fetch-Site": "same-site"}),
    ):
        assert site.post(cancel, cookie, headers, form=given).status == 403
        assert site.post("/sign-out", cookie, headers, form=given).status == 403
    assert site.post("/sign-in", headers=elsewhere, token=site.token).status == 403
    ours = {"Origin": f"http://127.0.0.1:{site.port}", "Sec-Fetch-Site": "same-origin"}
    assert site.post(cancel, cookie, ours, form=form).status == 303
    renew_token(site.service.database, "Tartu <b>&")
    assert ask(site.port, "GET", "/submissions", Cookie=cookie).status == 303


def test_every_answer_keeps_browsers_from_harm(site: Served) -> None:
    answer = site.post("/sign-in", headers={"X-Forwarded-Proto": "https"}, token=site.token)
    said = answer.headers["set-cookie"].lower().split("; ")
    assert {"httponly", "secure", "samesite=lax"} <= set(said)
    for method, path in (("GET", "/"), ("GET", "/nothing"), ("PUT", "/"), ("GET", "/style.css")):
        answer = ask(site.port, method, path)
        assert {name.lower(): answer.headers[name.lower()] for name in HEADERS} == {
            name.lower(): value for name, value in HEADERS.items()
        }
        assert "server" not in answer.headers
    assert "script" not in ask(site.port, "GET", "/").body.decode()


def test_addresses_are_networks_of_hosts(site: Served) -> None:
    """Those of IPv6 by 64 bits, of which a host has all; what is none is not written down."""
    expected = {
        "192.0.2.7": "192.0.2.7",
        "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
        "'; --": "unknown",
    }
    for said in expected:
        ask(site.port, "GET", "/api/submissions", Authorization="Bearer a", X_Forwarded_For=said)
    with site.service.database.reading() as connection:
        found = set(connection.execute(sa.select(AUDIT.c.address)).scalars())
    assert set(expected.values()) <= found


def test_what_waits_too_long_is_seen_from_outside(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(site.port, "GET", "/health").json() == {"status": "ok", "waiting": 0}
    site.send(b"chip,tree\n")
    assert ask(site.port, "GET", "/health").json() == {"status": "ok", "waiting": 1}
    monkeypatch.setattr("llpbench.challenge.server.app._STUCK_SECONDS", -10_000)
    answer = ask(site.port, "GET", "/health")
    assert (answer.status, answer.json()["status"]) == (503, "stuck")


def test_a_fault_of_ours_is_told_to_nobody(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(asking, "team_of_token", fail)
    answer = site.api("GET", "/submissions")
    assert answer.status == 500
    assert answer.body == b"something is wrong with this server; tell the organisers"
    assert answer.headers["x-content-type-options"] == "nosniff"
