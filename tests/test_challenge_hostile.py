"""What anybody may send to the server of a challenge: mutated, endless, slow, forged requests."""

from __future__ import annotations

import contextlib
import random
import re
import select
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from serving import Process, ask, free_port, served, write_rules

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.server import bodies, serving
from llpbench.challenge.server.database import sqlite_url
from llpbench.challenge.server.service import Service, open_service
from llpbench.challenge.server.teams import add_team, team_of_token

PATIENCE = 1.0
"""Seconds in which a request that is whole is answered."""

SENTENCE_OR_PAGE = (200, 202, 303, *range(400, 432))
PIECES = (
    *(b"' OR 1=1 --", b'"; DROP TABLE teams; --', b"${7*7}{{7*7}}", b"<script>alert(1)</script>"),
    *(
        b"../../../../etc/passwd",
        b"%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        b"..\\..\\private\\truth.parquet",
    ),
    *(
        b"\0",
        b"%00",
        b"\xff\xfe\xfd",
        b"\r\n",
        b"\r\nSet-Cookie: a=b",
        b"\n\n",
        b"\xf0\x9f\x92\xa9",
    ),
    *(b"a" * 5000, b"9" * 25, b"-1", b"NaN", b"\xed\xa0\x80", b"%ed%a0%80", b"; ", b"=", b"&" * 50),
)
LEAKS = re.compile(rb"Traceback|sqlalchemy|sqlite3|psycopg|File \"|/llpbench|root:|\.parquet'|\.py")


class Target:
    """A server that is sent to, its team's token and a session of it."""

    def __init__(self, process: Process, token: str) -> None:
        self.process, self.port, self.token = process, process.port, token
        body = f"token={token}".encode()
        answer = ask(self.port, "POST", "/sign-in", body)
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        page = ask(self.port, "GET", "/submissions", Cookie=self.cookie).body
        self.form = re.findall(rb'name="form" value="([0-9a-f]+)"', page)[0]

    def requests(self, number: int) -> list[bytes]:
        """Requests as they should be, as bytes; their files are new."""
        bearer = f"Authorization: Bearer {self.token}"
        cookie = f"Cookie: {self.cookie}"
        parts = {"form": self.form, "track": b"inductive", "file": b"chip,a\n%d,1\n" % number}
        lines = [
            b'--X\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
            % (name.encode(), b'; filename="a.csv"' if name == "file" else b"", value)
            for name, value in parts.items()
        ]
        form = b"".join(lines) + b"--X--\r\n"
        kind = "Content-Type: multipart/form-data; boundary=X"
        upload = "POST /api/submissions?track=inductive"
        identity = f"{number:016x}"
        fields = b"form=" + self.form
        return [
            _request(upload, b"chip,a\n1,%d\n" % number, bearer),
            _request("POST /submissions", form, cookie, kind),
            _request("POST /sign-in", b"token=" + self.token.encode()),
            _request(f"POST /submissions/{identity}/cancel", fields, cookie),
            _request(f"GET /api/submissions/{identity}", b"", bearer),
            _request(f"DELETE /api/submissions/{identity}", b"", bearer),
            _request("GET /submissions", b"", cookie),
            _request("GET /api/standings", b""),
            _request("GET /style.css?a=b", b""),
        ]


def _request(line: str, body: bytes, *headers: str) -> bytes:
    head = [f"{line} HTTP/1.1", "Host: a", "Connection: close", *headers]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "", ""]).encode() + body


def mutate(request: bytes, chosen: random.Random) -> bytes:
    """A request with something of it changed, and its length perhaps put right."""
    content = bytearray(request)
    for _ in range(chosen.randint(1, 3)):
        at = chosen.randrange(len(content) or 1)
        end = min(len(content), at + chosen.choice([0, 0, 1, 4, 40]))
        what = chosen.randrange(5)
        if what == 0:
            content[at:end] = chosen.choice(PIECES)
        elif what == 1:
            content[at:end] = chosen.randbytes(end - at + 1)
        elif what == 2:
            del content[at:end]
        elif what == 3:  # in the place of a value
            values = [found.span() for found in re.finditer(rb"[\w.+/-]{3,}", content)]
            start, stop = chosen.choice(values) if values else (0, 0)
            content[start:stop] = chosen.choice(PIECES)
        else:
            content[at:at] = content[at:end] * chosen.choice([1, 100])
    head, gap, body = bytes(content).partition(b"\r\n\r\n")
    if chosen.random() < 0.8:
        head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
    return head + gap + body


def exchange(port: int, request: bytes) -> bytes:
    """What a server answers to bytes, however they look; nothing where it waits for more."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            connection.sendall(request)
            while select.select([connection], [], [], PATIENCE)[0]:
                some = connection.recv(2**16)
                found += some
                if not some:
                    break
        except ConnectionError:  # it was closed before all was sent
            pass
    return found


def memory(process: Process) -> int:
    """Most bytes that a process had in memory so far."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process.process.pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server as a process of its own, whose files are small."""
    tmp_path = tmp_path_factory.mktemp("target")
    challenge = ChallengeFolder(tmp_path / "challenge")
    write_rules(challenge, largest_file=2**14, submissions_a_day=1000)
    url = sqlite_url(tmp_path / "challenge.sqlite")
    service = open_service(challenge, url)
    token = add_team(service.database, "tartu")
    service.database.close()
    process = Process("serve", challenge, url, free_port())
    process.wait()
    yield Target(process, token)
    process.kill()


@pytest.mark.parametrize("count", [200, pytest.param(5000, marks=pytest.mark.full)])
def test_mutated_requests_find_sentences_and_nothing_else(target: Target, count: int) -> None:
    """No fault of ours in answers or in the log, nothing of ours told, memory bounded."""
    if not Path("/proc/self/status").exists():
        pytest.skip("memory of a process is read from /proc")
    chosen = random.Random(5)
    sent = [mutate(chosen.choice(target.requests(number)), chosen) for number in range(count)]
    exchange(target.port, target.requests(0)[0])
    before = memory(target.process)
    with ThreadPoolExecutor(8) as pool:
        answers = [one for one in pool.map(lambda one: exchange(target.port, one), sent) if one]
    assert len(answers) > count / 2
    statuses = {_check_answer(one) for one in answers}
    assert {200, 202, 303, 400, 401, 403, 404, 422} <= statuses
    assert "Traceback" not in target.process.said()
    assert memory(target.process) < before + 2**26
    bearer = f"Bearer {target.token}"
    assert ask(target.port, "GET", "/api/submissions", Authorization=bearer).status == 200


def _check_answer(answer: bytes) -> int:
    """The status of an answer that tells nothing of the server."""
    head = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    assert head is not None, answer
    assert int(head[1]) in SENTENCE_OR_PAGE, answer
    assert not LEAKS.search(answer), answer
    assert b"a=b" not in answer.partition(b"\r\n\r\n")[0]
    return int(head[1])


def test_large_requests_are_not_held(target: Target) -> None:
    """Heads of megabytes, bodies that say little or nothing of their length and do not end."""
    bearer = f"Authorization: Bearer {target.token}"
    before = memory(target.process)
    assert b" 400 " in exchange(target.port, _request("GET /", b"", "X: " + "a" * 2**20))[:20]
    assert b" 400 " in exchange(target.port, _request("GET /" + "a" * 2**20, b""))[:20]
    said = exchange(
        target.port, _request("POST /api/submissions", b"", bearer, "Content-Length: 9")
    )
    assert b" 400 " in said[:20]
    upload = "POST /api/submissions?track=inductive"
    large = _request(upload, b"a" * 2**25, bearer)
    assert b" 413 " in exchange(target.port, large)[:20] or exchange(target.port, large) == b""
    chunked = f"{upload} HTTP/1.1\r\nHost: a\r\n{bearer}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"a" * 2**16 + b"\r\n"
    found = exchange(target.port, chunked.encode() + chunk * 500)
    assert not found or b" 413 " in found[:20]
    assert memory(target.process) < before + 2**25


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A challenge to be served in this process."""
    challenge = ChallengeFolder(tmp_path / "challenge")
    write_rules(challenge)
    service = open_service(challenge, None)
    yield service
    service.database.close()


def test_who_is_slow_is_not_waited_for(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for a head, nor for a body, nor for what comes after an answer."""
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.3)
    monkeypatch.setattr(bodies, "MOST_IDLE", 0.3)
    monkeypatch.setattr(bodies, "MOST_SECONDS", 0.9)
    token = add_team(service.database, "tartu")
    head = (
        "POST /api/submissions?track=inductive HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    )
    with served(service) as port:
        assert _drip(port, [b""]) == b""
        assert _drip(port, [b"GET / HTTP/1.1\r\n", *[b"A: b\r\n"] * 1000]) == b""
        assert b" 408 " in _drip(port, [head.encode() + b"chip"])[:20]
        assert b" 408 " in _drip(port, [head.encode(), *[b"a"] * 900])[:20]
        refused = head.replace("Bearer", "Basic").encode()
        assert b" 401 " in _drip(port, [refused, *[b"a"] * 900])[:20]
        assert ask(port, "GET", "/health").status == 200
    assert list(service.inbox.folder.iterdir()) == []


def _drip(port: int, pieces: list[bytes]) -> bytes:
    """Send pieces slowly until the server hangs up, and say what it answered."""
    found = b""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.02)
            while some := connection.recv(2**16):
                found += some
        except ConnectionError:
            connection.setblocking(False)
            with contextlib.suppress(OSError):
                found += connection.recv(2**16)
    return found


def test_a_team_sends_few_files_at_the_same_time(service: Service) -> None:
    """Who holds lines open holds those of its team alone."""
    tokens = [add_team(service.database, name) for name in ("slow", "other")]
    head = "POST /api/submissions?track=inductive HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n"
    with served(service) as port:
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for one in held:
            one.sendall(f"{head}Authorization: Bearer {tokens[0]}\r\n\r\nchip".encode())
        time.sleep(0.3)
        statuses = [
            ask(
                port,
                "POST",
                "/api/submissions?track=inductive",
                b"chip",
                Authorization=f"Bearer {t}",
            )
            for t in tokens
        ]
        assert [one.status for one in statuses] == [429, 202]
        for one in held:
            one.close()
        time.sleep(0.3)
        assert team_of_token(service.database, tokens[0]) is not None
        again = ask(
            *(port, "POST", "/api/submissions?track=inductive", b"chip"),
            Authorization=f"Bearer {tokens[0]}",
        )
        assert again.status == 202
