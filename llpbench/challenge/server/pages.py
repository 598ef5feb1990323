"""The pages: the board for all; signing in, sending and watching submissions for teams."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from llpbench.challenge.server.asking import (
    COOKIE,
    address_of,
    check_form,
    check_origin,
    check_token,
    form_token_of,
    service_of,
    team_signed_in,
)
from llpbench.challenge.server.audit import note
from llpbench.challenge.server.board import board_of
from llpbench.challenge.server.bodies import read_form
from llpbench.challenge.server.receiving import receive_form
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.sessions import SECONDS, make_cookie
from llpbench.challenge.server.submissions import (
    cancel,
    check_dates,
    left_today,
    submissions_of,
)
from llpbench.challenge.server.teams import Team
from llpbench.challenge.server.times import readable
from llpbench.templates import page_templates

if TYPE_CHECKING:
    from jinja2 import Environment

_STYLES = ("theme", "page", "entry")
"""Of the leaderboard, whose look these pages have."""


async def show_board(request: Request) -> Response:
    """Show the standings to everybody."""
    board = await run_in_threadpool(board_of, service_of(request))
    return await _page(request, "board.html", board=board)


async def show_sign_in(request: Request) -> Response:
    """Ask for the token of a team."""
    return await _page(request, "sign_in.html", problem=None)


async def sign_in(request: Request) -> Response:
    """Take a token and give a cookie, which scripts cannot read and other sites not send."""
    check_origin(request)
    form = await read_form(request)
    try:
        team = await check_token(request, form.get("token", "").strip())
    except RefusalError as error:
        return await _page(request, "sign_in.html", error.status, problem=str(error))
    service = service_of(request)
    await run_in_threadpool(_note_sign_in, service, team, address_of(request))
    response = RedirectResponse("/submissions", 303)
    response.set_cookie(
        COOKIE,
        make_cookie(service.database, team),
        max_age=SECONDS,
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


async def sign_out(request: Request) -> Response:
    """Take the cookie back."""
    check_origin(request)
    check_form(request, (await read_form(request)).get("form", ""))
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE)
    return response


async def show_submissions(request: Request) -> Response:
    """Show a team what it sent, and let it send more."""
    team = await team_signed_in(request)
    return _to_sign_in() if team is None else await _submissions(request, team)


async def send(request: Request) -> Response:
    """Put a file into the queue, or say beside the form why not."""
    check_origin(request)
    team = await team_signed_in(request)
    if team is None:
        return _to_sign_in()
    try:
        await receive_form(request, team)
    except RefusalError as error:
        return await _submissions(request, team, error.status, str(error))
    return RedirectResponse("/submissions", 303)


async def take_back(request: Request) -> Response:
    """Cancel a submission."""
    check_origin(request)
    team = await team_signed_in(request)
    if team is None:
        return _to_sign_in()
    check_form(request, (await read_form(request)).get("form", ""))
    database, identity = service_of(request).database, request.path_params["identity"]
    try:
        await run_in_threadpool(cancel, database, team.id, identity, address_of(request))
    except RefusalError as error:
        return await _submissions(request, team, error.status, str(error))
    return RedirectResponse("/submissions", 303)


async def show_style(_request: Request) -> Response:
    """The style of all pages."""
    return Response(_style(), media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def problem_page(request: Request, status: int, sentence: str) -> Response:
    """Say what went wrong, as a page."""
    return await _page(request, "problem.html", status, sentence=sentence)


async def _submissions(
    request: Request, team: Team, status: int = 200, problem: str | None = None
) -> Response:
    service = service_of(request)
    rows = await run_in_threadpool(submissions_of, service.database, team.id)
    left = await run_in_threadpool(left_today, service.database, service.rules, team.id)
    closed = _why_closed(service)
    content = {"submissions": rows, "left": left, "closed": closed, "problem": problem}
    return await _page(request, "submissions.html", status, **content)


async def _page(request: Request, name: str, status: int = 200, **content: Any) -> Response:
    team = await team_signed_in(request)
    text = (
        _environment()
        .get_template(name)
        .render(
            rules=service_of(request).rules,
            team=team,
            form=form_token_of(request) if team else None,
            **content,
        )
    )
    return HTMLResponse(text, status)


def _why_closed(service: Service) -> str | None:
    try:
        check_dates(service.rules)
    except RefusalError as error:
        return str(error)
    return None


def _to_sign_in() -> Response:
    return RedirectResponse("/sign-in", 303)


def _note_sign_in(service: Service, team: Team, address: str) -> None:
    with service.database.writing() as connection:
        note(connection, "signed in", team=team.id, address=address)


@cache
def _environment() -> Environment:
    environment = page_templates("llpbench.challenge.server")
    environment.filters["readable"] = readable
    return environment


@cache
def _style() -> str:
    board = resources.files("llpbench.board") / "templates" / "styles"
    own = resources.files("llpbench.challenge.server") / "templates" / "challenge.css"
    files = (*(board / f"{name}.css" for name in _STYLES), own)
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


ROUTES = [
    Route("/", show_board, methods=["GET"]),
    Route("/sign-in", show_sign_in, methods=["GET"]),
    Route("/sign-in", sign_in, methods=["POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/submissions", show_submissions, methods=["GET"]),
    Route("/submissions", send, methods=["POST"]),
    Route("/submissions/{identity}/cancel", take_back, methods=["POST"]),
    Route("/style.css", show_style, methods=["GET"]),
]
