"""How fast the server of a challenge acknowledges files, when many teams send at once.

    python benchmarks/challenge_load.py [--rate 200] [--seconds 60] [--database URL]

It makes a challenge in a temporary folder, serves it with one worker that scores meanwhile, and
sends files of predictions of 20 teams at a steady rate, as `curl` would. It prints the times from
the first byte sent to the answer that a file is in the queue.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from llpbench import open_dataset
from llpbench.board.truth import make_truth, scored_divisions, write_truth
from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.halves import draw_halves
from llpbench.challenge.server.database import sqlite_url
from llpbench.challenge.server.service import open_service
from llpbench.challenge.server.teams import add_team

TEAMS = 20


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rate", type=int, default=200, help="files a minute")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--database", metavar="URL", help="an empty one; SQLite by default")
    parser.add_argument("--dataset", default="demo-esaworldcover")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        challenge = _make_challenge(Path(folder), given.dataset)
        url = given.database or sqlite_url(Path(folder) / "challenge.sqlite")
        service = open_service(challenge, url)
        tokens = [add_team(service.database, f"team {number}") for number in range(TEAMS)]
        service.database.close()
        files = _files(challenge, given.rate * given.seconds // 60)
        port = _free_port()
        command = [
            sys.executable,
            "-m",
            "llpbench",
            "challenge",
            "serve",
            "-c",
            str(challenge.path),
        ]
        server = subprocess.Popen([*command, "--port", str(port), "--database", url])
        try:
            _wait(port)
            times = _send_all(port, tokens, files, 60 / given.rate)
            said = json.loads(_ask(port, "GET", "/health", b"", "")[1])
        finally:
            server.kill()
            server.wait()
    p50, p95, longest = np.percentile(times, [50, 95, 100])
    print(f"{len(times)} files of {len(files[0])} bytes, {given.rate} a minute")
    print(f"acknowledged after {p50:.3f} s (p50), {p95:.3f} s (p95), {longest:.3f} s (longest)")
    print(f"scored meanwhile: {len(times) - said['waiting']}")


def _make_challenge(folder: Path, dataset: str) -> ChallengeFolder:
    challenge, truth = ChallengeFolder(folder), make_truth(open_dataset(dataset))
    challenge.private.mkdir(mode=0o700)
    write_truth(truth, challenge.truth_file)
    divisions, chips = scored_divisions(truth)
    halves = draw_halves(divisions.tolist(), chips.tolist(), 0.5, seed=secrets.randbits(32))
    challenge.halves_file.write_text(json.dumps(asdict(halves)))
    rules = {
        "name": "load",
        "title": "Load",
        "dataset": truth.attrs["name"],
        "digest": truth.attrs["digest"],
        "tracks": ["inductive"],
        "submissions_a_day": 1000,
    }
    now = datetime.now(UTC)
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in rules.items()]
    lines += [f"opens = {now - timedelta(1)}\n", f"closes = {now + timedelta(1)}\n"]
    challenge.rules_file.write_text("".join(lines))
    return challenge


def _files(challenge: ChallengeFolder, count: int) -> list[bytes]:
    """Tables of random shares of all chips."""
    truth, random = challenge.truth(), np.random.default_rng(5)
    names, chips = truth["category_name"].to_numpy(), truth["chip"].to_numpy()
    head = ",".join(["chip", *names]) + "\n"
    shares = random.dirichlet(np.ones(len(names)), (count, len(chips)))
    return [
        (head + "".join(_row(c, s) for c, s in zip(chips, one, strict=True))).encode()
        for one in shares
    ]


def _row(chip: str, shares: np.ndarray) -> str:
    return f"{chip},{','.join(f'{share:.6f}' for share in shares)}\n"


def _send_all(port: int, tokens: list[str], files: list[bytes], every: float) -> list[float]:
    start = time.perf_counter()

    def send(number: int) -> float:
        time.sleep(max(0.0, start + number * every - time.perf_counter()))
        begun = time.perf_counter()
        path = "/api/submissions?track=inductive"
        status, said = _ask(port, "POST", path, files[number], tokens[number % TEAMS])
        assert status == 202, said
        sent = json.loads(said)["sha256"]
        assert sent == hashlib.sha256(files[number]).hexdigest()
        return time.perf_counter() - begun

    with ThreadPoolExecutor(TEAMS) as pool:
        return list(pool.map(send, range(len(files))))


def _ask(port: int, method: str, path: str, body: bytes, token: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(port: int) -> None:
    while True:
        try:
            if _ask(port, "GET", "/health", b"", "")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
