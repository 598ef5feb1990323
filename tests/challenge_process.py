"""A challenge served, or its queue worked on, by a process that tests kill.

Run as a script: ``challenge_process.py serve|worker CHALLENGE URL [PORT]``. Files are judged here
by what is written in them, and at once, so that many are judged while processes are killed; leases
are short, and teams may send as fast as they can.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from pathlib import Path

from llpbench.challenge.folder import ChallengeFolder
from llpbench.challenge.marks import Half, Marks
from llpbench.challenge.server import serving, submissions, worker
from llpbench.challenge.server.rates import Rate, Slots
from llpbench.challenge.server.service import open_service
from llpbench.errors import PredictionsError

LEASE = 2.0
MANY = 10**6


def judge_quickly(_folder: ChallengeFolder, predictions: Path, track: str) -> Marks:
    """Marks that follow from the bytes of a file, in the time that something can be killed in."""
    time.sleep(random.random() / 10)
    content = predictions.read_bytes()
    if b"wrong" in content:
        raise PredictionsError(f"{predictions.name} is wrong; correct it")
    digest = hashlib.sha256(content).hexdigest()
    drawn = random.Random(digest)
    halves = [Half.of([drawn.random() for _ in range(8)], [10] * 8) for _ in range(2)]
    return Marks(digest, track, *halves)


if __name__ == "__main__":
    what, folder, url, *port = sys.argv[1:]
    worker.judge_apart = judge_quickly
    worker.LEASE_SECONDS = LEASE
    submissions.MOST_AN_HOUR = MANY
    service = open_service(ChallengeFolder(Path(folder)), url)
    service.uploads, service.arriving = Rate(MANY, 60), Slots(MANY, MANY)
    if what == "serve":
        serving.serve(service, "127.0.0.1", int(port[0]), workers=1)
    else:
        serving.work_until_told(service)
