"""Workflows: entries of strangers are checked without rights, and nothing of theirs is run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
import yaml
from boards import make_board, predict, write_entry
from click.testing import CliRunner
from regions import make_region, write_region

import llpbench
from llpbench.board.layout import Board
from llpbench.board.truth import read_truth
from llpbench.cli import cli

ROOT = Path(__file__).resolve().parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
STRANGERS = r"head|title|body|label|user|message|actor|name|email|ref_name"
"""Parts of an event that whoever opens a pull request writes."""


def read(path: Path) -> dict[str, Any]:
    """PyYAML takes the key ``on`` for a truth value."""
    content: dict[Any, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {"on" if key is True else key: value for key, value in content.items()}


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_no_workflow_gives_strangers_a_hand(path: Path) -> None:
    workflow = read(path)
    assert "pull_request_target" not in workflow["on"]
    assert "permissions" in workflow
    for step in steps(workflow):
        for expression in re.findall(r"\$\{\{(.*?)\}\}", step.get("run", "")):
            assert not re.search(STRANGERS, expression), expression


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_pull_requests_start_may_only_read(path: Path) -> None:
    workflow = read(path)
    if "pull_request" in workflow["on"]:
        assert workflow["permissions"] == {"contents": "read"}
        assert not any("permissions" in job for job in workflow["jobs"].values())
        assert "secrets" not in path.read_text(encoding="utf-8")


def test_the_check_installs_the_base_branch_alone() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "entry-check.yml")
    places = {
        step["with"]["path"]: step["with"]
        for step in steps(workflow)
        if "actions/checkout" in step.get("uses", "")
    }
    assert places["base"]["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert places["submitted"]["sparse-checkout"] == "leaderboard/entries"
    assert not any(place["persist-credentials"] for place in places.values())
    commands = "\n".join(step.get("run", "") for step in steps(workflow))
    assert re.findall(r"pip install \S+ (\S+)", commands) == ["./base"]
    assert re.findall(r"\S*submitted\S*", commands) == ["submitted/leaderboard"]


def test_the_comment_sees_nothing_but_a_text() -> None:
    workflow = read(ROOT / ".github" / "workflows" / "entry-comment.yml")
    rights = {"actions": "read", "contents": "read", "pull-requests": "write"}
    assert workflow["permissions"] == rights
    assert not any(step.get("uses") for step in steps(workflow))


GH = """#!{python}
import os, pathlib, sys
words = sys.argv[1:]
with open("called", "a") as log:
    print(*words, file=log)
if words[0] == "api":
    print(os.environ["FILES" if "compare" in words[1] else "NUMBER"])
elif words[:2] == ["run", "download"]:
    folder = pathlib.Path("verdict")
    folder.mkdir()
    if "LINK" in os.environ:
        (folder / "verdict.md").symlink_to(os.environ["LINK"])
    else:
        (folder / "verdict.md").write_bytes(os.environb[b"VERDICT"])
"""
"""A stand-in for the command line of GitHub, which notes what it was called for."""


def comment(folder: Path, *files: str, number: str = "7", **said: str) -> tuple[int, str, str]:
    """What the workflow runs: exit code, the comment, and what was asked of GitHub."""
    (step,) = steps(read(ROOT / ".github" / "workflows" / "entry-comment.yml"))
    (folder / "gh").write_text(GH.format(python=sys.executable), "utf-8")
    (folder / "gh").chmod(0o755)
    event = {"REPOSITORY": "us/llpbench", "MAIN": "main", "RUN": "12", "CONCLUSION": "success"}
    event |= {"COMMIT": "c" * 40, "OWNER": "tartu", "BRANCH": "entry"}
    known = {"PATH": f"{folder}:{os.environ['PATH']}", "NUMBER": number, "FILES": "\n".join(files)}
    script = ["bash", "-e", "-c", step["run"]]
    done = subprocess.run(script, cwd=folder, env={**event, **known, **said}, capture_output=True)
    body = folder / "comment.md"
    called = (folder / "called").read_text("utf-8")
    return done.returncode, body.read_text("utf-8") if body.exists() else "", called


ENTRY = "leaderboard/entries/tartu__a/entry.yaml"


def test_a_verdict_is_shown_as_text_and_bounded(tmp_path: Path) -> None:
    hostile = "tartu__a: clean\n````\n@everyone <b>\u202e\x1b[1m" + "x" * 50_000
    code, text, called = comment(tmp_path, ENTRY, VERDICT=hostile)
    assert code == 0
    lines = text.splitlines()
    assert lines[:3] == ["**Entry check: success**", "", "````text"]
    assert [number for number, line in enumerate(lines) if "````" in line] == [2, len(lines) - 2]
    assert text.isascii()
    assert "\x1b" not in text
    assert len(text) < 30_300
    assert "pulls -f state=open -f base=main -f head=tartu:entry" in called
    assert f"compare/main...{'c' * 40}" in called
    assert called.splitlines()[-1].startswith("pr comment 7 --repo us/llpbench")


def test_a_pull_request_that_could_change_the_check_is_not_believed(tmp_path: Path) -> None:
    """Nor is anything of it fetched."""
    for number, files in enumerate(
        (
            [ENTRY, ".github/workflows/entry-check.yml"],
            ["llpbench/board/checking.py"],
            [ENTRY] * 300,
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        code, text, called = comment(folder, *files, VERDICT="tartu__a: clean")
        assert code == 1
        assert text.startswith("**Entry check: refused.**")
        assert "download" not in called


def test_a_verdict_belongs_to_a_pull_request_that_github_names(tmp_path: Path) -> None:
    for number in ("", "7; echo"):
        folder = tmp_path / f"n{len(number)}"
        folder.mkdir()
        assert comment(folder, ENTRY, number=number, VERDICT="x")[:2] == (0, "")
    (tmp_path / "linked").mkdir()
    _code, text, _called = comment(tmp_path / "linked", ENTRY, LINK="/etc/passwd")
    assert "The check left no verdict" in text


def test_scores_are_committed_and_shown() -> None:
    """The page that is committed is the one on Pages; who may write is who needs to."""
    jobs = read(ROOT / ".github" / "workflows" / "leaderboard.yml")["jobs"]
    assert "permissions" not in jobs["replay"]
    assert jobs["publish"]["permissions"] == {"contents": "write"}
    assert jobs["deploy"]["permissions"] == {"pages": "write", "id-token": "write"}
    (commit,) = (
        step["run"] for step in jobs["publish"]["steps"] if "git add" in step.get("run", "")
    )
    kept = {"leaderboard/results", "leaderboard/site", "leaderboard/README.md"}
    assert set(re.findall(r"leaderboard/\S+", commit)) == kept
    uploaded = next(s for s in jobs["replay"]["steps"] if "upload-artifact" in s.get("uses", ""))
    assert set(uploaded["with"]["path"].split()) == kept
    assert not any("run" in step for step in jobs["deploy"]["steps"])
    shown = next(s for s in jobs["deploy"]["steps"] if "upload-pages" in s["uses"])
    assert shown["with"]["path"] == "leaderboard/site"


@pytest.mark.parametrize("name", ["entry-check", "entry-comment", "leaderboard"])
def test_actions_are_pinned(name: str) -> None:
    """By the commit, with its version beside it for people."""
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    used = re.findall(r"uses: (.*)", text)
    assert all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one) for one in used)


def test_commands_of_workflows_exist() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS)
    used = set(re.findall(r"llpbench leaderboard (\w+)", text)) - {"build"}
    assert used == {"score", "replay", "check"}
    for command in used:
        assert CliRunner().invoke(cli, ["leaderboard", command, "--help"]).exit_code == 0


@pytest.fixture
def boards(tmp_path: Path) -> tuple[Board, Board, xr.Dataset]:
    """That of the base branch with an entry, and that of a pull request with the same."""
    write_region(make_region(6, 3, 3, 1), tmp_path / "grid")
    base = make_board(tmp_path / "base", llpbench.open_dataset(tmp_path / "grid"))
    truth = read_truth(base.truth("grid"))
    write_entry(base.entry("tartu__first"), truth)
    shutil.copytree(base.folder / "entries", tmp_path / "submitted" / "entries")
    return base, Board(tmp_path / "submitted"), truth


def check(boards: tuple[Board, Board, xr.Dataset], out: Path) -> tuple[int, str]:
    """What the workflow runs: exit code and verdict."""
    base, submitted, _truth = boards
    script = ROOT / ".github" / "check_entries.py"
    arguments = [str(script), str(base.folder), str(submitted.folder), str(out)]
    done = subprocess.run([sys.executable, "-P", *arguments], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    return done.returncode, (out / "verdict.md").read_text(encoding="utf-8")


def test_new_entries_are_checked(boards: tuple[Board, Board, xr.Dataset], tmp_path: Path) -> None:
    _base, submitted, truth = boards
    assert check(boards, tmp_path / "none") == (
        1,
        "0 entries differ from the board; 1 to 50 are checked\n",
    )
    seeds = [predict(truth, seed) for seed in (3, 4, 5)]
    folder = write_entry(submitted.entry("tartu__new"), truth, seeds)
    code, verdict = check(boards, tmp_path / "good")
    assert (code, verdict.splitlines()[0]) == (0, "tartu__new: clean")
    (folder / "run.sh").write_text("touch stolen")
    code, verdict = check(boards, tmp_path / "bad")
    assert code == 1
    assert "'run.sh' has no place in an entry" in verdict


def test_changed_entries_are_checked(
    boards: tuple[Board, Board, xr.Dataset], tmp_path: Path
) -> None:
    _base, submitted, truth = boards
    path = submitted.entry("tartu__first") / "grid" / "seed-0.parquet"
    llpbench.write_predictions(predict(truth, 9), path)
    code, verdict = check(boards, tmp_path / "changed")
    assert code == 1, "whose entry it is, only a person can tell"
    assert verdict.startswith("tartu__first: clean")
    assert "tartu__first: changed; an entry that is on the board is left as it is" in verdict
    path.unlink()
    path.symlink_to("/etc/passwd")
    code, verdict = check(boards, tmp_path / "linked")
    assert code == 1
    assert "no link" in verdict


def test_taking_an_entry_away_is_refused(
    boards: tuple[Board, Board, xr.Dataset], tmp_path: Path
) -> None:
    _base, submitted, truth = boards
    shutil.rmtree(submitted.entry("tartu__first"))
    write_entry(submitted.entry("tartu__new"), truth, [predict(truth, n) for n in (3, 4, 5)])
    code, verdict = check(boards, tmp_path / "out")
    assert code == 1
    assert "tartu__first: taken away" in verdict
    assert verdict.isascii()


def test_a_folder_that_is_a_link_is_refused(
    boards: tuple[Board, Board, xr.Dataset], tmp_path: Path
) -> None:
    base, submitted, _truth = boards
    (submitted.folder / "entries" / "tartu__linked").symlink_to(base.entry("tartu__first"))
    code, verdict = check(boards, tmp_path / "out")
    assert (code, verdict.splitlines()[0]) == (1, "tartu__linked: refused")
