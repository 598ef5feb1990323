"""A challenge served by commands, from a dataset to a backup that goes on elsewhere."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from boards import predict
from regions import make_region, write_region
from serving import ask, free_port, make_challenge, write_rules

from llpbench.challenge.folder import ChallengeFolder
from llpbench.cli import main
from llpbench.predictions.files import write_predictions


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command prints."""
    main(list(arguments))
    return capsys.readouterr().out.strip()


@pytest.mark.full
def test_from_a_dataset_to_a_backup_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, folder = tmp_path / "region", tmp_path / "challenge"
    write_region(make_region(24, 12, 6, 4), store)
    call(capsys, "challenge", "new", str(store), "-o", str(folder))
    where = ("-c", str(folder))
    token = call(capsys, "challenge", "team", "add", "tartu", *where)
    predictions = tmp_path / "predictions.csv"
    write_predictions(predict(ChallengeFolder(folder).truth()), predictions)
    port = free_port()
    command = [sys.executable, "-m", "llpbench", "challenge", "serve", *where, "--port", str(port)]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        state = _send(port, token, predictions.read_bytes())
    finally:
        server.terminate()
        said = server.communicate(timeout=60)[1]
    assert state == "scored"
    assert (server.returncode, said) == (
        -signal.SIGTERM,
        f"serving challenge at http://127.0.0.1:{port}\n",
    )
    assert stat.S_IMODE((folder / "server").stat().st_mode) == 0o700

    backup, again = tmp_path / "backup.zip", tmp_path / "again"
    assert call(capsys, "challenge", "backup", *where, "-o", str(backup)) == str(backup)
    call(capsys, "challenge", "restore", str(backup), "-o", str(again))
    listed = call(capsys, "challenge", "team", "list", "-c", str(again))
    assert listed.splitlines()[-1].split() == ["tartu", "1", "0", "0"]
    assert ChallengeFolder(again).truth().identical(ChallengeFolder(folder).truth())
    for path in (again / "private").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    renewed = call(capsys, "challenge", "team", "renew", "tartu", "-c", str(again))
    assert renewed.startswith("llpb_")
    assert renewed != token


def _send(port: int, token: str, content: bytes) -> str:
    """Send a file as soon as the server is there, and wait for what becomes of it."""
    bearer, identity = f"Bearer {token}", None
    for _ in range(1200):
        time.sleep(0.05)
        try:
            if identity is None:
                path = "/api/submissions?track=inductive"
                identity = ask(port, "POST", path, content, Authorization=bearer).json()["id"]
            found = ask(port, "GET", f"/api/submissions/{identity}", Authorization=bearer).json()
        except OSError:  # it is not there yet
            continue
        if found["state"] not in ("waiting", "scoring"):
            return str(found["state"])
    raise AssertionError(found)


def test_what_a_server_lacks_is_said_when_it_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    challenge = ChallengeFolder(tmp_path / "challenge")
    write_rules(challenge)
    with pytest.raises(SystemExit):
        call(capsys, "challenge", "serve", "-c", str(challenge.path))
    said = capsys.readouterr().err
    assert "truth" in said
    assert said.count("\n") == 1
    (none := tmp_path / "none.zip").write_bytes(b"PK")
    with pytest.raises(SystemExit):
        call(capsys, "challenge", "restore", str(none), "-o", str(tmp_path / "other"))
    assert "no backup of a challenge" in capsys.readouterr().err


def test_a_server_without_its_packages_says_which_are_missing(tmp_path: Path) -> None:
    """As after an installation without the extra, or with half of it."""
    serve = ["challenge", "serve", "-c", str(make_challenge(tmp_path / "challenge").path)]
    for missing in ("sqlalchemy", "python_multipart"):
        forbidden = f"import sys; sys.modules[{missing!r}] = None"
        program = f"{forbidden}; from llpbench.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", program, *serve], capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith(f"llpbench: the server needs {missing}")
        assert "pip install 'llpbench[server]'" in done.stderr
        assert "Traceback" not in done.stderr
