"""Challenges that are served in this process or in others, for tests."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from regions import make_region, write_region

import llpbench
from llpbench.board.truth import make_truth, scored_divisions, write_truth
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.server.service import Service, open_service
from llpbench.challenge.server.submissions import Submission, receive
from llpbench.challenge.server.teams import add_team, team_of_token
from llpbench.challenge.server.uploads import Arrival


@contextmanager
def served(service: Service) -> Iterator[int]:
    """A server in a thread of this process that scores nothing; its port."""
    from llpbench.challenge.server.serving import make_server

    port = free_port()
    server = make_server(service, "127.0.0.1", port)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield port
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def queueing(folder: Path, url: str) -> Iterator[Service]:
    """A challenge of three submissions a day, without a truth: its files are judged by others."""
    challenge = ChallengeFolder(folder)
    write_rules(challenge, submissions_a_day=3)
    challenge.private.mkdir()
    service = open_service(challenge, url)
    yield service
    service.database.close()


def make_challenge(folder: Path, **rules: Any) -> ChallengeFolder:
    """A challenge on the test split of a small grid of 24 divisions."""
    store = folder.with_name(f"{folder.name}-grid")
    write_region(make_region(24, 12, 6, 4), store)
    challenge, truth = ChallengeFolder(folder), make_truth(llpbench.open_dataset(store))
    challenge.private.mkdir(parents=True, mode=0o700)
    write_truth(truth, challenge.truth_file)
    divisions, chips = scored_divisions(truth)
    halves = draw_halves(divisions.tolist(), chips.tolist(), 0.5, seed=3)
    challenge.halves_file.write_text(json.dumps(asdict(halves)))
    write_rules(challenge, dataset=truth.attrs["name"], digest=truth.attrs["digest"], **rules)
    return challenge


def write_rules(challenge: ChallengeFolder, **changes: Any) -> None:
    """Rules of a challenge that is open, but for what is said otherwise."""
    rules = {
        "name": "grid",
        "title": "Shares of a small grid",
        "dataset": "grid",
        "digest": "sha256:" + "0" * 64,
        "tracks": ["inductive", "cross-region"],
        "opens": datetime(2020, 1, 1, tzinfo=UTC),
        "closes": datetime(2100, 1, 1, tzinfo=UTC),
    }
    lines = [f"{name} = {_toml(value)}\n" for name, value in {**rules, **changes}.items()]
    challenge.path.mkdir(exist_ok=True)
    challenge.rules_file.write_text("".join(lines))


def _toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else json.dumps(value)


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Answer(NamedTuple):
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Its body, read."""
        return json.loads(self.body)


def ask(port: int, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
    """Ask a server on this machine; underscores in names of headers stand for hyphens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, names)
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


class Process:
    """A server or a worker of :mod:`challenge_process`, which can be killed and started again."""

    def __init__(self, what: str, challenge: ChallengeFolder, url: str, port: int = 0) -> None:
        program = Path(__file__).with_name("challenge_process.py")
        self._command = [sys.executable, str(program), what, str(challenge.path), url, str(port)]
        self._is_server, self.port = what == "serve", port
        self._log = challenge.path.with_name(f"{what}.log")
        self.start()

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def kill(self) -> None:
        """End it as a machine does that loses power."""
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        """All that it wrote."""
        return self._log.read_text()

    def wait(self) -> None:
        """Wait until it answers."""
        for _ in range(1200):
            with contextlib.suppress(OSError):
                if ask(self.port, "GET", "/health").status == 200:
                    return
            assert self.process.poll() is None, self.said()
            time.sleep(0.05)
        raise RuntimeError("the server does not come up")


TRACK = "inductive"


class Served(NamedTuple):
    """A challenge that is served, and the token of its team."""

    service: Service
    port: int
    token: str

    def api(self, method: str, path: str, body: bytes | None = None, token: str = "") -> Answer:
        """Ask as a program does."""
        bearer = f"Bearer {token or self.token}"
        return ask(self.port, method, f"/api{path}", body, Authorization=bearer)

    def send(self, content: bytes, track: str = TRACK, token: str = "") -> Answer:
        """Send a file."""
        return self.api("POST", f"/submissions?track={track}", content, token)

    def post(self, path: str, cookie: str = "", headers: Any = (), **fields: str) -> Answer:
        """Send a form as a browser does."""
        body = urlencode(fields).encode()
        kind = "application/x-www-form-urlencoded"
        return ask(self.port, "POST", path, body, Cookie=cookie, Content_Type=kind, **dict(headers))

    def sign_in(self) -> tuple[str, str]:
        """The cookie of a session, and what its forms carry."""
        answer = self.post("/sign-in", token=self.token)
        assert (answer.status, answer.headers["location"]) == (303, "/submissions")
        cookie = answer.headers["set-cookie"].partition(";")[0]
        page = ask(self.port, "GET", "/submissions", Cookie=cookie)
        found = re.search(rb'name="form" value="([0-9a-f]{64})"', page.body)
        assert found is not None
        return cookie, found[1].decode()


def new_team(service: Service, name: str) -> str:
    """The id of a team that is new."""
    team = team_of_token(service.database, add_team(service.database, name))
    assert team is not None
    return team.id


def put(service: Service, team: str, text: str, track: str = TRACK) -> Submission:
    """Put a file into the queue."""
    with Arrival(service.inbox, service.rules.largest_file) as arrival:
        arrival.write(text.encode())
        upload = arrival.keep()
    return receive(service.database, service.rules, team, upload, track, "127.0.0.1")[0]
