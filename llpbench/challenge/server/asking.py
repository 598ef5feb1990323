"""Who asks: from which address, and as which team."""

from __future__ import annotations

import ipaddress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from llpbench.challenge.server.audit import note
from llpbench.challenge.server.refusals import RefusalError
from llpbench.challenge.server.service import Service
from llpbench.challenge.server.sessions import form_token, is_form_token, team_of_cookie
from llpbench.challenge.server.teams import Team, team_of_token

COOKIE = "llpbench_challenge"


def service_of(request: Request) -> Service:
    """What this application serves."""
    service: Service = request.app.state.service
    return service


def address_of(request: Request) -> str:
    """Where a request comes from: an address, or the network of a host's many in IPv6."""
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


async def check_token(request: Request, token: str) -> Team:
    """The team of a token; unknown ones are noted, so many of an address and no more.

    Teams at the same address are let in all the same: nobody can lock them out.
    """
    service, address = service_of(request), address_of(request)
    team = await run_in_threadpool(team_of_token, service.database, token)
    if team is None:
        service.guesses.count(address)
        await run_in_threadpool(_note_guess, service, address)
        raise RefusalError(401, "this is no token of a team; ask the organisers for yours")
    return team


async def team_of_header(request: Request) -> Team:
    """The team whose token stands in the header ``Authorization``."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise RefusalError(401, "send the token of your team: Authorization: Bearer TOKEN")
    return await check_token(request, token.strip())


async def team_signed_in(request: Request) -> Team | None:
    """The team that is signed in on the pages, or None."""
    cookie = request.cookies.get(COOKIE)
    if cookie is None:
        return None
    return await run_in_threadpool(team_of_cookie, service_of(request).database, cookie)


def form_token_of(request: Request) -> str:
    """What the forms of this session carry."""
    return form_token(service_of(request).database, request.cookies.get(COOKIE, ""))


def check_form(request: Request, given: str) -> None:
    """Refuse a form that another site made."""
    cookie = request.cookies.get(COOKIE, "")
    if not is_form_token(service_of(request).database, cookie, given):
        raise RefusalError(403, "this form is of another session; load the page again")


def check_origin(request: Request) -> None:
    """Refuse what a browser sends on behalf of another site."""
    origin = request.headers.get("origin")
    is_ours = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not is_ours or request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise RefusalError(403, "this form was sent by another site; load the page again")


def _note_guess(service: Service, address: str) -> None:
    with service.database.writing() as connection:
        note(connection, "unknown token", address=address)
