"""The application: its routes, what is said where something is refused, and its headers."""

from __future__ import annotations

import logging

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from llpbench.challenge.server import api, pages
from llpbench.challenge.server.asking import service_of
from llpbench.challenge.server.headers import SafeHeaders
from llpbench.challenge.server.queue import waiting
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service

log = logging.getLogger(__name__)

_STUCK_SECONDS = 120
"""Without a submission being taken while one waits, beyond the time that scoring may take."""

_SENTENCES = {404: "there is no such page", 405: "this address takes other requests"}


def make_app(service: Service) -> ASGIApp:
    """Make the ASGI application of a challenge."""
    app = Starlette(
        routes=[*pages.ROUTES, *api.ROUTES, Route("/health", show_health, methods=["GET"])],
        exception_handlers={
            RefusalError: _refuse,
            HTTPException: _refuse_route,
            ClientDisconnect: _forget,
            Exception: _fail,
        },
    )
    app.router.redirect_slashes = False  # it would repeat whatever host it was asked for
    app.state.service = service
    return SafeHeaders(app)


async def show_health(request: Request) -> Response:
    """Say that the database answers and that what waits is scored; 503 where it is not."""
    service = service_of(request)
    count, seconds = await run_in_threadpool(waiting, service.database)
    is_stuck = seconds > service.rules.scoring_seconds + _STUCK_SECONDS
    said = {"status": "stuck" if is_stuck else "ok", "waiting": count}
    return JSONResponse(said, 503 if is_stuck else 200)


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusalError)
    return await _said(request, error.status, str(error), error.wait)


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = _SENTENCES.get(error.status_code, "this request cannot be understood")
    response = await _said(request, error.status_code, sentence)
    response.headers.update(error.headers or {})
    return response


async def _forget(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)


async def _fail(_request: Request, error: Exception) -> Response:
    log.error("a request failed", exc_info=error)
    return PlainTextResponse("something is wrong with this server; tell the organisers", 500)


async def _said(
    request: Request, status: int, sentence: str, wait: float | None = None
) -> Response:
    response: Response
    if status >= 500 or request.url.path.startswith(("/api/", "/health")):
        response = JSONResponse({"error": sentence}, status)
    else:
        response = await pages.problem_page(request, status, sentence)
    if wait is not None:
        response.headers["Retry-After"] = str(int(wait) + 1)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
