"""What programs ask the server, in JSON, with a token in the header."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from llpbench.challenge.rules import Rules
from llpbench.challenge.server.asking import address_of, service_of, team_of_header
from llpbench.challenge.server.board import board_of
from llpbench.challenge.server.receiving import receive_bytes
from llpbench.challenge.server.submissions import (
    Submission,
    cancel,
    left_today,
    submission_of,
    submissions_of,
)
from llpbench.challenge.server.times import iso


async def send(request: Request) -> JSONResponse:
    """Put a file into the queue; 202 if it is new there, 200 if it was there already."""
    team = await team_of_header(request)
    submission, is_new = await receive_bytes(request, team)
    return JSONResponse(describe(submission, service_of(request).rules), 202 if is_new else 200)


async def list_own(request: Request) -> JSONResponse:
    """List the submissions of the team, and how many it may still send today."""
    team, service = await team_of_header(request), service_of(request)
    found = await run_in_threadpool(submissions_of, service.database, team.id)
    left = await run_in_threadpool(left_today, service.database, service.rules, team.id)
    return JSONResponse(
        {"left_today": left, "submissions": [describe(one, service.rules) for one in found]}
    )


async def show(request: Request) -> JSONResponse:
    """Say what came of one submission."""
    team, identity = await team_of_header(request), request.path_params["identity"]
    service = service_of(request)
    found = await run_in_threadpool(submission_of, service.database, team.id, identity)
    return JSONResponse(describe(found, service.rules))


async def take_back(request: Request) -> JSONResponse:
    """Cancel one submission."""
    team, identity = await team_of_header(request), request.path_params["identity"]
    service, address = service_of(request), address_of(request)
    found = await run_in_threadpool(cancel, service.database, team.id, identity, address)
    return JSONResponse(describe(found, service.rules))


async def show_board(request: Request) -> JSONResponse:
    """List the standings, as everybody may see them."""
    return JSONResponse(await run_in_threadpool(board_of, service_of(request)))


def describe(submission: Submission, rules: Rules) -> dict[str, Any]:
    """A submission as its team may see it."""
    finished = submission.finished
    return {
        "id": submission.id,
        "track": submission.track,
        "bytes": submission.bytes,
        "sha256": submission.sha256,
        "received": iso(submission.received),
        "state": submission.state,
        "finished": None if finished is None else iso(finished),
        "sentence": submission.sentence,
        "score": submission.shown if rules.shown == "ladder" else None,
    }


ROUTES = [
    Route("/api/submissions", send, methods=["POST"]),
    Route("/api/submissions", list_own, methods=["GET"]),
    Route("/api/submissions/{identity}", show, methods=["GET"]),
    Route("/api/submissions/{identity}", take_back, methods=["DELETE"]),
    Route("/api/standings", show_board, methods=["GET"]),
]
