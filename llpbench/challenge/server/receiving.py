"""A file on its way from a request into the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from llpbench.challenge.server.asking import address_of, check_form, service_of
from llpbench.challenge.server.bodies import LARGEST_FORM, read_body, read_parts
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.submissions import Submission, check_dates, receive
from llpbench.challenge.server.teams import Team
from llpbench.challenge.server.uploads import Arrival
from llpbench.writing import discard

FILE = "file"
"""The field of a form that holds the file, behind all others."""


async def receive_bytes(request: Request, team: Team) -> tuple[Submission, bool]:
    """Receive a body that is a file; the track stands in the address."""
    service = service_of(request)
    track = request.query_params.get("track", "")
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise RefusalError(415, "send the bytes of the file alone: curl --data-binary @FILE")
    with _arriving(service, team) as arrival:
        async for chunk in read_body(request, service.rules.largest_file):
            arrival.write(chunk)
        return await run_in_threadpool(_keep, service, team, arrival, track, address_of(request))


async def receive_form(request: Request, team: Team) -> tuple[Submission, bool]:
    """Receive a form that holds a file, once it is known to be one of ours."""
    service, fields, is_checked = service_of(request), dict[str, str](), False
    with _arriving(service, team) as arrival:
        async for name, value in read_parts(request, service.rules.largest_file):
            if name == FILE:
                if not is_checked:
                    check_form(request, fields.get("form", ""))
                    is_checked = True
                arrival.write(value)
            else:
                fields[name] = fields.get(name, "") + value.decode("ascii", "replace")
                if sum(map(len, fields.values())) > LARGEST_FORM:
                    raise RefusalError(413, "this form has more text than ours; load it again")
        if not is_checked:
            raise RefusalError(422, "choose a file of predictions")
        track = fields.get("track", "")
        return await run_in_threadpool(_keep, service, team, arrival, track, address_of(request))


@contextmanager
def _arriving(service: Service, team: Team) -> Iterator[Arrival]:
    check_dates(service.rules)
    if service.folder.is_revealed:
        raise RefusalError(403, "the private half has been shown; nothing more is scored")
    service.uploads.count(team.id)
    service.inbox.check_space(service.rules.largest_file)
    with (
        service.arriving.taken(team.id),
        Arrival(service.inbox, service.rules.largest_file) as arrival,
    ):
        yield arrival


def _keep(
    service: Service, team: Team, arrival: Arrival, track: str, address: str
) -> tuple[Submission, bool]:
    upload = arrival.keep()
    path = service.inbox.path(upload.id, upload.ending)
    try:
        found = receive(service.database, service.rules, team.id, upload, track, address)
    except RefusalError as error:
        if error.status < 500:  # else it may be in the queue, and nobody could say so
            discard(path)
        raise
    if not found[1]:
        discard(path)
    return found
