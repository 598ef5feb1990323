"""Scoring what waits in the queue, one submission after the other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from llpbench.challenge.judging import judge_apart
from llpbench.challenge.server.climbing import finish
from llpbench.challenge.server.database import Database
from llpbench.challenge.server.queue import Job, reap, refuse, renew, take
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.submissions import kept_files
from llpbench.errors import PredictionsError
from llpbench.writing import discard

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
"""After which a submission is taken again whose scorer was killed; who is at work renews it."""

_PAUSE = 0.5
_LONGER = 10.0
_SWEEP = 600


def work(service: Service, over: threading.Event) -> None:
    """Score what comes until ``over`` is set; what goes wrong meanwhile is logged."""
    idle = 0
    while not over.is_set():
        pause = 0.0
        try:
            if not score_next(service):
                pause, idle = _PAUSE, idle + 1
            if idle == _SWEEP:
                service.inbox.sweep(kept_files(service.database))
                idle = 0
        except RefusalError as error:
            log.warning("%s", error)
            pause = _LONGER
        except Exception:  # the lease runs out, and what waits is taken again
            log.exception("a submission could not be scored")
            pause = _LONGER
        over.wait(pause)


def score_next(service: Service) -> bool:
    """Take the next submission and score or refuse it; False where none waits."""
    database = service.database
    reap(database)
    job = take(database, LEASE_SECONDS)
    if job is None:
        return False
    path = service.inbox.path(job.id, job.ending)
    with _renewing(database, job):
        try:
            marks = judge_apart(service.folder, path, job.track)
        except PredictionsError as error:
            if refuse(database, job, _told(error, service, path)):
                discard(path)
            return True
        finish(database, job, marks)
    return True


@contextmanager
def _renewing(database: Database, job: Job) -> Iterator[None]:
    """Keep a lease while this process is at work on it."""
    over = threading.Event()

    def renew_often() -> None:
        while not over.wait(LEASE_SECONDS / 3):
            with suppress(RefusalError):
                renew(database, job, LEASE_SECONDS)

    thread = threading.Thread(target=renew_often, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _told(error: PredictionsError, service: Service, path: Path) -> str:
    """What a team is told: without the places of this machine, and the names that files have."""
    text = str(error)
    for place in (path.absolute().parent, service.folder.path.absolute()):
        text = text.replace(f"{place}/", "")
    return text.replace(path.name, "the file")
