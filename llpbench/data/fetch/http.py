"""One polite HTTP request, whose every failure is either worth repeating or a clear sentence."""

from __future__ import annotations

import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import responses

import requests
import urllib3

from llpbench._version import __version__
from llpbench.data.fetch.faults import MissingError, SourceError, TransientError
from llpbench.data.fetch.retry import RetryPolicy, parse_retry_after
from llpbench.errors import DownloadError

ZENODO = "https://zenodo.org"
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def server_url(url: str | None = None) -> str:
    """Return the server's address without a slash at its end.

    Parameters
    ----------
    url : str or None
        An address; default the environment's ``LLPBENCH_ZENODO_URL``, else Zenodo's own.

    Returns
    -------
    str
        An address that begins with ``http://`` or ``https://``.

    Raises
    ------
    DownloadError
        If it begins with anything else.

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


def open_session() -> requests.Session:
    """Open a session that names this project and takes proxies from the environment.

    Returns
    -------
    requests.Session
        To be closed by the caller.

    Examples
    --------
    >>> with open_session() as session:
    ...     session.headers["User-Agent"].startswith("llpbench/")
    True
    """
    session = requests.Session()
    session.headers["User-Agent"] = f"llpbench/{__version__} {requests.utils.default_user_agent()}"
    session.headers["Accept-Encoding"] = "identity"
    return session


@contextmanager
def get(
    session: requests.Session,
    url: str,
    policy: RetryPolicy,
    headers: Mapping[str, str] | None = None,
) -> Iterator[requests.Response]:
    """Ask for an address and hold the answer open, its body unread.

    Parameters
    ----------
    session : requests.Session
        From :func:`open_session`.
    url : str
        What to ask for.
    policy : RetryPolicy
        For its timeouts.
    headers : mapping or None
        Headers of this request.

    Yields
    ------
    requests.Response
        Of any status: see :func:`refuse_failure`.

    Raises
    ------
    TransientError
        If the connection fails, also while the body is read.
    SourceError
        If the address cannot be asked at all, or its certificate is not to be trusted.
    """
    outer = sys.exception()
    timeout = (policy.connect_timeout, policy.read_timeout)
    try:
        answer = session.get(url, headers=headers, stream=True, timeout=timeout)
    except (requests.ConnectionError, requests.Timeout) as error:
        raise _broken(url, error, outer) from error
    except (OSError, ValueError) as error:
        raise SourceError(f"{url} cannot be asked ({_reason(error)})") from error
    with answer:
        try:
            yield answer
        except urllib3.exceptions.HTTPError as error:
            raise _broken(url, error, outer) from error


def refuse_failure(answer: requests.Response) -> None:
    """Raise what an unsuccessful status means.

    Parameters
    ----------
    answer : requests.Response
        From :func:`get`.

    Raises
    ------
    TransientError
        For 408, 425, 429 and 500 to 599, with the server's ``Retry-After``.
    MissingError
        For 404 and 410.
    SourceError
        For any other status that is not 200 to 299.
    """
    status = answer.status_code
    if 200 <= status < 300:
        return
    said = f"{answer.url} answered {status} {responses.get(status, '')}".rstrip()
    if status in _LATER or status >= 500:
        raise TransientError(said, parse_retry_after(answer.headers.get("Retry-After")))
    raise MissingError(said) if status in _GONE else SourceError(said)


def is_web_page(answer: requests.Response) -> bool:
    """Whether a server sent a page for people instead of what was asked for.

    Parameters
    ----------
    answer : requests.Response
        From :func:`get`.

    Returns
    -------
    bool
        True for HTML.
    """
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return kind in ("text/html", "application/xhtml+xml")


def _broken(
    url: str, error: BaseException, outer: BaseException | None
) -> SourceError | TransientError:
    """Find what the operating system said, and no further: ``outer`` is the caller's own affair."""
    while (cause := error.__cause__ or error.__context__) not in (None, outer):
        error = cause
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceError(f"{url} has no certificate to be trusted ({_reason(error)})")
    return TransientError(f"the connection to {url} failed ({_reason(error)})")


def _reason(error: BaseException) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return said or type(error).__name__
