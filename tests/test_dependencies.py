"""Every import is declared, and what is declared is used, by deptry."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("tensorflow", "export", "torch", "wandb", "server", "cloud")


def deptry(tmp_path: Path, *leave_out: str) -> subprocess.CompletedProcess[str]:
    """What it says of the requirements, without some of them."""
    script = [sys.executable, str(ROOT / "packaging" / "requirements.py"), *EXTRAS]
    lines = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    kept = [line for line in lines if not line.startswith(leave_out or ("\n",))]
    (tmp_path / "requirements.txt").write_text("\n".join(kept))
    command = [sys.executable, "-m", "deptry", "llpbench", "baselines", "--no-ansi"]
    command += ["--requirements-files", str(tmp_path / "requirements.txt")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_imports_are_declared(tmp_path: Path) -> None:
    done = deptry(tmp_path)
    assert done.returncode == 0, done.stderr


def test_one_that_is_not_is_found(tmp_path: Path) -> None:
    done = deptry(tmp_path, "affine")
    assert done.returncode == 1
    assert "'affine' imported but it is a transitive dependency" in done.stderr
