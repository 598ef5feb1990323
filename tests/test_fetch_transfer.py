"""One file over real sockets that fail in every way the network knows."""

from __future__ import annotations

import errno
import io
import re
import socket
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest
from fetching import MD5, NAME, PAYLOAD, RECORD, SIZE, eager
from zenodo_server import (
    Fault,
    ZenodoServer,
    content,
    cut,
    ignoring_range,
    refusal,
    stall,
    web_page,
)

from llpbench.catalog import RecordFile
from llpbench.data.fetch.record import file_url
from llpbench.data.fetch.transfer import Transfer
from llpbench.errors import DownloadError


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / f".{NAME}.part"


@pytest.fixture
def published(zenodo: ZenodoServer) -> ZenodoServer:
    zenodo.publish(RECORD, NAME, PAYLOAD)
    return zenodo


def run(url: str, part: Path, progress: bool) -> None:
    """Call a transfer as pooch does, with an empty file that it has made."""
    with tempfile.NamedTemporaryFile(dir=part.parent, delete=False) as output:
        Transfer(RecordFile(NAME, SIZE, MD5), part, progress)(url, output.name)
    assert Path(output.name).samefile(part)


def transfer(
    part: Path, waits: list[float] | None = None, *, url: str | None = None, **settings: Any
) -> None:
    """Run one transfer of the test file without waiting."""
    with eager(waits, **settings):
        run(url or file_url(RECORD, NAME), part, progress=False)


def test_a_clean_line_takes_one_request(published: ZenodoServer, part: Path) -> None:
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    (request,) = published.log
    assert "Range" not in request.headers
    assert request.path == f"/records/{RECORD}/files/{NAME}?download=1"


def test_cut_at_every_tenth_no_byte_is_fetched_twice(published: ZenodoServer, part: Path) -> None:
    tenths = [SIZE * tenth // 10 for tenth in range(1, 10)]
    for offset in tenths:
        published.fail("file", cut(offset))
    waits: list[float] = []
    transfer(part, waits, attempts=2)  # each tenth is progress, so 2 in a row never happen
    assert part.read_bytes() == PAYLOAD
    ranges = [request.headers.get("Range") for request in published.log]
    assert ranges == [None, *(f"bytes={offset}-" for offset in tenths)]
    assert sum(request.sent for request in published.log) == SIZE
    assert len(waits) == 9
    assert max(waits) <= 1


@pytest.mark.parametrize("tenth", range(10))
def test_a_reset_at_every_tenth(published: ZenodoServer, part: Path, tenth: int) -> None:
    published.fail("file", cut(SIZE * tenth // 10, reset=True))
    transfer(part)
    assert part.read_bytes() == PAYLOAD


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_part_of_an_earlier_run_is_continued(
    published: ZenodoServer, part: Path, tenth: int
) -> None:
    have = SIZE * tenth // 10
    part.write_bytes(PAYLOAD[:have])
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    (request,) = published.log
    assert request.headers["Range"] == f"bytes={have}-"
    assert (request.status, request.sent) == (206, SIZE - have)


def test_a_finished_part_takes_no_request(published: ZenodoServer, part: Path) -> None:
    part.write_bytes(PAYLOAD)
    transfer(part)
    assert published.log == []
    assert part.read_bytes() == PAYLOAD


def test_a_part_longer_than_the_file_is_begun_again(published: ZenodoServer, part: Path) -> None:
    part.write_bytes(PAYLOAD + b"more")
    transfer(part)
    assert part.read_bytes() == PAYLOAD


def test_416_without_reason_begins_again(published: ZenodoServer, part: Path) -> None:
    part.write_bytes(PAYLOAD[:1000])
    published.fail("file", refusal(416))
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert "Range" not in published.log[-1].headers


def test_416_from_a_shorter_file_keeps_the_part(published: ZenodoServer, part: Path) -> None:
    published.publish(RECORD, NAME, PAYLOAD[:500])
    part.write_bytes(PAYLOAD[:1000])
    with pytest.raises(DownloadError, match=rf"offers 500 bytes .* {SIZE} bytes"):
        transfer(part)
    assert part.read_bytes() == PAYLOAD[:1000]


def test_a_server_that_ignores_range_begins_again(published: ZenodoServer, part: Path) -> None:
    part.write_bytes(PAYLOAD[: SIZE // 2])
    published.fail("file", ignoring_range())
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert published.log[0].sent == SIZE


def test_a_server_that_ignores_range_and_cuts_at_the_same_place_ends(
    published: ZenodoServer, part: Path
) -> None:
    published.fail("file", Fault(ignore_range=True, cut_at=SIZE // 2), times=None)
    with pytest.raises(DownloadError, match="4 times in a row"):
        transfer(part, attempts=4)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_burst_of_refusals_is_waited_out(
    published: ZenodoServer, part: Path, status: int
) -> None:
    published.fail("file", refusal(status), times=5)
    waits: list[float] = []
    transfer(part, waits)
    assert part.read_bytes() == PAYLOAD
    assert len(waits) == 5


def test_retry_after_is_honoured_and_capped(published: ZenodoServer, part: Path) -> None:
    published.fail("file", refusal(429, "20"))
    published.fail("file", refusal(503, "86400"))
    waits: list[float] = []
    transfer(part, waits)
    assert 20 <= waits[0] <= 21
    assert 600 <= waits[1] <= 602


def test_refusals_amid_a_download_keep_what_arrived(published: ZenodoServer, part: Path) -> None:
    published.fail("file", cut(SIZE // 2))
    published.fail("file", refusal(429, "1"), times=2)
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert sum(request.sent for request in published.log) == SIZE


@pytest.mark.parametrize("status", [401, 403, 451])
def test_a_refusal_for_good_is_not_repeated(
    published: ZenodoServer, part: Path, status: int
) -> None:
    published.fail("file", refusal(status), times=None)
    with pytest.raises(DownloadError, match=f"answered {status}"):
        transfer(part)
    assert len(published.log) == 1


def test_a_stalled_read_is_given_up_and_continued(published: ZenodoServer, part: Path) -> None:
    published.fail("file", stall(SIZE // 3))
    transfer(part, timeout=0.2)
    assert part.read_bytes() == PAYLOAD
    assert [request.start for request in published.log] == [0, SIZE // 3]


def test_a_server_that_accepts_and_never_answers(part: Path, zenodo: ZenodoServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{NAME}"
        with pytest.raises(DownloadError, match=r"timed out.*2 times in a row"):
            transfer(part, url=url, attempts=2, timeout=0.1)


def test_a_refused_connection(part: Path, zenodo: ZenodoServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    waits: list[float] = []
    with pytest.raises(DownloadError, match=r"Connection refused\), 3 times in a row"):
        transfer(part, waits, url=f"http://127.0.0.1:{port}/{NAME}", attempts=3)
    assert len(waits) == 2


def test_a_web_page_with_status_200_never_enters_the_part(
    published: ZenodoServer, part: Path
) -> None:
    part.write_bytes(PAYLOAD[:1000])
    published.fail("file", web_page(), times=3)
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert published.log[-1].headers["Range"] == "bytes=1000-"


@pytest.mark.parametrize("other", [PAYLOAD + b"x", PAYLOAD[:-1], b"x"])
@pytest.mark.parametrize("have", [0, 1000])
def test_a_wrong_size_is_refused_before_a_byte_is_written(
    published: ZenodoServer, part: Path, other: bytes, have: int
) -> None:
    part.write_bytes(PAYLOAD[:have])
    published.fail("file", content(other), times=None)
    with pytest.raises(DownloadError, match=rf"offers {len(other)} bytes .* says {SIZE} bytes"):
        transfer(part)
    assert part.read_bytes() == PAYLOAD[:have]
    assert len(published.log) == 1


def test_a_file_that_changes_amid_a_download_is_begun_again(
    published: ZenodoServer, part: Path
) -> None:
    # The server's ETag is the md5, so that the other content has another one and If-Range fails.
    published.fail("file", Fault(content=bytes(SIZE), cut_at=SIZE // 2))
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert published.log[1].headers["If-Range"].strip('"')
    assert (published.log[1].status, published.log[1].start) == (200, 0)


@pytest.mark.parametrize(
    "extent",
    [
        *(f"bytes 0-{SIZE - 1}/{SIZE}", f"bytes 999-{SIZE - 1}/*", "bytes */*", "1000-1001/2000"),
        *(
            "",
            "bytes",
            "bytes 1000",
            "bytes \xb2000-1/2",
            f"bytes {'1' * 5000}-2/3",
            "bytes -1000-5/9",
        ),
    ],
)
def test_a_range_that_was_not_asked_for_is_refused(
    published: ZenodoServer, part: Path, extent: str
) -> None:
    part.write_bytes(PAYLOAD[:1000])
    wrong = {"Content-Range": extent, "Content-Type": "application/zip"}
    published.fail("file", Fault(206, wrong, b"x"), times=None)
    with pytest.raises(DownloadError, match="other bytes than those from 1000 on"):
        transfer(part)
    assert part.read_bytes() == PAYLOAD[:1000]


@pytest.mark.parametrize("extent", [f"bytes 1000-{SIZE - 1}/*", f"Bytes  1000-{SIZE - 1}/{SIZE}"])
def test_a_range_is_understood_in_every_spelling(
    published: ZenodoServer, part: Path, extent: str
) -> None:
    part.write_bytes(PAYLOAD[:1000])
    published.fail("file", Fault(206, {"Content-Range": extent}, PAYLOAD[1000:]))
    transfer(part)
    assert part.read_bytes() == PAYLOAD


def test_a_reencoded_file_is_refused(published: ZenodoServer, part: Path) -> None:
    published.fail("file", Fault(200, {"Content-Encoding": "gzip"}, b"x"), times=None)
    with pytest.raises(DownloadError, match="re-encoded"):
        transfer(part)
    assert not part.exists()


class Terminal(io.StringIO):
    """A standard error that is looked at."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_what_has_arrived_and_how_fast(
    published: ZenodoServer, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part.write_bytes(PAYLOAD[: SIZE // 2])
    for progress, shown in [(True, rf"{NAME}: +50%.*500k/1.00M.*{NAME}: 100%.*B/s"), (False, "$")]:
        monkeypatch.setattr("sys.stderr", terminal := Terminal())
        run(file_url(RECORD, NAME), part, progress)
        assert re.match(shown, terminal.getvalue().strip(), re.DOTALL)


def test_the_proxy_of_the_environment_is_used(
    published: ZenodoServer, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A proxy is asked for whole addresses, which the stand-in understands too. The host has no
    # address of its own, so nothing but the proxy could have given the file.
    monkeypatch.setenv("http_proxy", published.url)
    url = file_url(RECORD, NAME, "http://zenodo.invalid")
    transfer(part, url=url)
    assert part.read_bytes() == PAYLOAD
    assert published.log[0].path == url


def test_no_proxy_of_the_environment_is_respected(
    published: ZenodoServer, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ZenodoServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        transfer(part)
        assert proxy.log == []
    assert part.read_bytes() == PAYLOAD


def test_a_proxy_that_refuses(
    published: ZenodoServer, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(DownloadError, match="Connection refused"):
        transfer(part, attempts=2)
    assert published.log == []


def _no_address(*_arguments: object, **_options: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _no_route(self: socket.socket, address: object) -> NoReturn:
    raise OSError(errno.ENETUNREACH, "Network is unreachable")


@pytest.mark.parametrize(
    ("where", "fault", "said"),
    [
        ("socket.getaddrinfo", _no_address, "has no address on this network .Temporary failure"),
        ("socket.socket.connect", _no_route, "cannot be reached .Network is unreachable"),
    ],
)
def test_without_a_network_little_is_waited(
    where: str, fault: object, said: str, part: Path, zenodo: ZenodoServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(where, fault)
    waits: list[float] = []
    with pytest.raises(DownloadError, match=rf"{said}.*, 3 times in a row"):
        transfer(part, waits, url="http://192.0.2.1/a.zip")  # of no network (RFC 5737)
    assert sum(waits) < 5


def test_a_network_that_comes_and_goes_has_the_usual_patience(
    published: ZenodoServer, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a byte has come, a name that is not found may be again."""
    published.fail("file", cut(SIZE // 2))
    known, asked = socket.getaddrinfo, []

    def sometimes(*arguments: Any, **options: Any) -> Any:
        asked.append(arguments)
        if 2 <= len(asked) <= 5:
            _no_address()
        return known(*arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", sometimes)
    transfer(part)
    assert part.read_bytes() == PAYLOAD
    assert len(asked) == 6


def test_a_dead_proxy_is_named_without_its_password(
    part: Path, zenodo: ZenodoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", f"http://me:secret@127.0.0.1:{port}")
        waits: list[float] = []
        with pytest.raises(
            DownloadError, match=rf"the proxy 127\.0\.0\.1:{port} .*refused"
        ) as caught:
            transfer(part, waits, url=f"{scheme}://zenodo.invalid/a.zip")
        assert "secret" not in str(caught.value)
        assert sum(waits) < 5
