"""Container files: nothing to complain of for hadolint, pinned bases, and commands that exist."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from llpbench.cli import cli

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = ROOT / "docker" / "Dockerfile"
PINNED = r"[a-z/]+:\d+(\.\d+)+-[a-z-]+@sha256:[0-9a-f]{64}"

if not DOCKERFILE.exists():
    pytest.skip("only a checkout has container files", allow_module_level=True)


def instructions(word: str) -> list[str]:
    """Arguments of an instruction, with continued lines in one."""
    text = DOCKERFILE.read_text("utf-8").replace("\\\n", " ")
    return re.findall(rf"^{word} (.*)$", text, re.MULTILINE)


def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (ROOT / "docker" / "challenge.yaml").read_text("utf-8")
    )
    return content


def test_hadolint_has_no_finding() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if hadolint is None:
        pytest.skip("hadolint is not here (the extra dev brings it)")
    done = subprocess.run([hadolint, str(DOCKERFILE)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_bases_are_pinned() -> None:
    (base,) = instructions("FROM")
    assert re.fullmatch(PINNED, base)
    assert re.fullmatch(PINNED, compose()["services"]["database"]["image"])


def test_extras_are_there() -> None:
    known = configparser.ConfigParser()
    known.read(ROOT / "setup.cfg", "utf-8")
    (default,) = instructions("ARG")
    texts = [DOCKERFILE.read_text("utf-8"), (ROOT / "docker" / "README.md").read_text("utf-8")]
    named = {*re.findall(r"EXTRAS=(\w+)", "\n".join(texts)), default.partition("=")[2]}
    named.add(compose()["x-llpbench"]["build"]["args"]["EXTRAS"])
    assert named == {"tensorflow", "gpu", "server"}
    assert named <= set(known["options.extras_require"])


def test_what_is_copied_is_the_whole_package(tmp_path: Path) -> None:
    """Installed from these files alone, it has the methods of this installation, and its pages."""
    source = tmp_path / "source"
    source.mkdir()
    for copied in instructions("COPY"):
        *names, to = copied.split()
        for name in names:
            place = tmp_path / to.lstrip("/")  # a folder's contents go there, a file into it
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, place)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = [
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        str(tmp_path / "there"),
    ]
    subprocess.run([*pip, *offline, str(source)], check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "there")}
    command = [sys.executable, "-P", "-m", "llpbench", "baselines", "--json"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True
    )
    expected = CliRunner().invoke(cli, ["baselines", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout) == json.loads(expected.stdout)
    for page in ("board/templates/page.html", "challenge/server/templates", "catalog/catalog.toml"):
        assert (tmp_path / "there" / "llpbench" / page).exists()


def test_commands_of_containers_exist() -> None:
    (command,) = instructions("CMD")
    services = compose()["services"]
    commands = [json.loads(command)]
    commands += [shlex.split(services[name]["command"]) for name in ("server", "worker")]
    assert [words[:3] for words in commands] == [
        ["llpbench", "demo"],
        ["llpbench", "challenge", "serve"],
        ["llpbench", "challenge", "worker"],
    ]
    for _program, *words in commands:
        names = words[: 1 if words[0] == "demo" else 2]
        text = CliRunner().invoke(cli, [*names, "--help"], catch_exceptions=False).output
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"(^|\s){option}\b", text), option
