"""The pages of a challenge in a browser, from signing in to the private half."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from boards import predict
from browsing import AXE, NARROW, WIDE, axe_script
from serving import make_challenge, served

from llpbench.challenge.judging import judge
from llpbench.challenge.server import worker
from llpbench.challenge.server.service import Service, open_service
from llpbench.challenge.server.teams import add_team
from llpbench.predictions.files import write_predictions

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("Tartu <b>& friends</b>", "a team with a rather long name that does not end " + "ab" * 5)


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A challenge with its truth, whose files are judged in this process."""
    monkeypatch.setattr(worker, "judge_apart", judge)
    service = open_service(make_challenge(tmp_path / "challenge"), None)
    yield service
    service.database.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window in which no script of a page runs and nothing is asked for elsewhere."""
    context = browser.new_context(viewport=WIDE, bypass_csp=True)  # for axe
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert all(url.startswith(("http://127.0.0.1:", "data:")) for url in asked)


def check(page: Page, url: str, scheme: Literal["light", "dark"] = "light") -> None:
    """No violation that axe-core finds; no page wider than a phone."""
    page.emulate_media(color_scheme=scheme)
    page.goto(url)
    page.evaluate(axe_script())
    assert page.evaluate(AXE, "html") == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size(WIDE)


def send(page: Page, path: Path) -> None:
    """Choose a file and send it."""
    page.get_by_label("inductive").check()
    page.set_input_files("#file", path)
    page.get_by_role("button", name="Send").click()


def test_a_team_sends_files_and_sees_what_became_of_them(
    page: Page, service: Service, tmp_path: Path
) -> None:
    """Without a script: wrong tokens, files of another kind, cancelling, scores, the shake-up."""
    from playwright.sync_api import expect

    tokens = [add_team(service.database, name) for name in NAMES]
    files = [tmp_path / name for name in ("first.csv", "second.parquet", "third.csv", "none.csv")]
    for path, noise in zip(files[:3], (0.5, 0.1, 0.3), strict=True):
        write_predictions(predict(service.folder.truth(), noise=noise), path)
    files[3].write_bytes(b"\x89PNG\0\0")
    with served(service) as port:
        site = f"http://127.0.0.1:{port}"
        check(page, f"{site}/sign-in")
        page.get_by_label("Token").fill("nonsense")
        page.get_by_role("main").get_by_role("button", name="Sign in").click()
        assert "no token of a team" in page.get_by_role("alert").inner_text()
        for token, name, own in zip(tokens, NAMES, (files[:2], files[2:3]), strict=True):
            page.get_by_label("Token").fill(token)
            page.get_by_role("main").get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("navigation")).to_contain_text(name)
            send(page, files[3])
            assert "found another file" in page.get_by_role("alert").inner_text().lower()
            for path in own:
                send(page, path)
            expect(page.get_by_text("waiting", exact=True)).to_have_count(len(own))
            (wrong := tmp_path / "wrong.csv").write_text(f"chip,tree\n{name[:3]},1\n")
            send(page, wrong)
            page.goto(f"{site}/submissions")
            page.get_by_role("button", name="Cancel").first.click()
            expect(page.get_by_text("cancelled", exact=True)).to_have_count(1)
            send(page, wrong)
            expect(page.get_by_text("waiting", exact=True)).to_have_count(len(own) + 1)
            while worker.score_next(service):
                pass
            check(page, f"{site}/submissions", "dark" if token == tokens[0] else "light")
            assert page.get_by_text("scored", exact=True).count() == len(own)
            assert "name each chip once" in page.locator(".why").inner_text()
            page.get_by_role("button", name="Sign out").click()
            page.get_by_role("link", name="Sign in").click()
        check(page, site)
        assert page.get_by_role("rowheader").all_inner_texts() == list(NAMES)
        check(page, f"{site}/nothing")
        service.folder.revealed_file.touch()
        service.rules = service.rules.model_copy(update={"closes": datetime.now(UTC)})
        check(page, site)
        cells: list[Any] = page.get_by_role("row").nth(1).get_by_role("cell").all_inner_texts()
        best = judge(service.folder, files[1], "inductive")
        private, public = (f"{half.mae:.5f}" for half in (best.private, best.public))
        assert cells == ["1", private, public, "1", "0", "2"]
