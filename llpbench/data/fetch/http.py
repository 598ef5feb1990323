"""One polite HTTP request, whose every failure is either worth repeating or a clear sentence."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import responses

import requests
import urllib3

from llpbench._version import __version__
from llpbench.data.fetch.retrying import (
    MissingError,
    Retries,
    SourceError,
    TransientError,
    UnreachableError,
)
from llpbench.errors import DownloadError

ZENODO = "https://zenodo.org"
_HEADERS = {
    "User-Agent": f"llpbench/{__version__} {requests.utils.default_user_agent()}",
    "Accept-Encoding": "identity",
}
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_NO_WAY = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def server_url(url: str | None = None) -> str:
    """Return a server's address without a slash at its end.

    Without one it is the environment's ``LLPBENCH_ZENODO_URL``, else Zenodo's own.

    Examples
    --------
    >>> server_url("http://localhost:8000/")
    'http://localhost:8000'
    """
    url = url or os.environ.get("LLPBENCH_ZENODO_URL") or ZENODO
    if not url.startswith(("http://", "https://")):
        raise DownloadError(
            f"a server's address begins with http:// or https://, but this one is {url!r}"
        )
    return url.rstrip("/")


@contextmanager
def get(url: str, headers: Mapping[str, str] | None = None) -> Iterator[requests.Response]:
    """Ask for an address and hold the response open, its body unread.

    Parameters
    ----------
    url : str
        It is asked through the proxies of the environment.
    headers : mapping or None
        Further headers. With a ``Range``, status 416 is an answer like others.

    Raises
    ------
    UnreachableError
        If the server has no address, there is no route to it, or a proxy does not give one.
    TransientError
        If the connection fails otherwise, also while the body is read; for a web page in place of
        a file; for 408, 425, 429 and 500 to 599.
    MissingError
        For 404 and 410.
    SourceError
        For any other failure.
    """
    outer = sys.exception()
    headers = _HEADERS | dict(headers or {})
    try:
        response = requests.get(url, headers=headers, stream=True, timeout=Retries.TIMEOUT)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _broken(url, error, outer) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{url} cannot be asked ({_reason(error)})") from error
    with response:
        if "Range" not in headers or response.status_code != 416:
            _refuse_failure(response)
        try:
            yield response
        except urllib3.exceptions.HTTPError as error:
            raise _broken(url, error, outer) from error


def _refuse_failure(response: requests.Response) -> None:
    status = response.status_code
    message = f"{response.url} answered {status} {responses.get(status, '')}".rstrip()
    if status in _LATER or status >= 500:
        raise TransientError(message, response.headers.get("Retry-After"))
    if not 200 <= status < 300:
        raise MissingError(message) if status in _GONE else SourceError(message)
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise TransientError(f"{response.url} answered with a web page instead")


def _broken(url: str, error: BaseException, outer: BaseException | None) -> Exception:
    """Find what the operating system said, and no further: ``outer`` is the caller's own affair."""
    through_proxy = isinstance(error, requests.exceptions.ProxyError)
    timed_out = isinstance(error, requests.ConnectTimeout)
    while (cause := error.__cause__ or error.__context__) not in (None, outer):
        error = cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceError(f"{url} has no certificate to be trusted ({_reason(error)})")
    if through_proxy:
        return UnreachableError(
            f"the proxy {_proxy(url)} of the environment gives no way to {url} ({_reason(error)})"
        )
    if isinstance(error, socket.gaierror):
        return UnreachableError(f"{url} has no address on this network ({_reason(error)})")
    if timed_out or (isinstance(error, OSError) and error.errno in _NO_WAY):
        return UnreachableError(f"{url} cannot be reached ({_reason(error)})")
    return TransientError(f"the connection to {url} failed ({_reason(error)})")


def _proxy(url: str) -> str:
    """Host and port of the proxy that an address is asked through, without a password."""
    proxy = requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url))
    return urllib3.util.parse_url(proxy or "").netloc or "in between"


def _reason(error: BaseException) -> str:
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return text or type(error).__name__
