"""The package as others get it: a wheel in an empty environment, its metadata, its documents."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from cffconvert import Citation

import llpbench

ROOT = Path(__file__).resolve().parents[1]


def _python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_the_core_never_imports_tensorflow_and_methods_say_what_to_install() -> None:
    """Every module of the library, in an interpreter in which TensorFlow cannot be found."""
    program = """
import importlib, pkgutil, sys
for name in ("tensorflow", "keras"):
    sys.modules[name] = None  # importing it raises ImportError
import llpbench
for module in pkgutil.walk_packages(llpbench.__path__, "llpbench."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from llpbench.methods.registry import method_class, method_names
print([name for name in method_names() if method_class(name).parameters is not None])
from llpbench.errors import MethodError
from llpbench_baselines.backend import load_backend
try:
    load_backend()
except MethodError as error:
    print(error)
"""
    done = _python(program)
    assert done.returncode == 0, done.stderr
    assert "downconv" in done.stdout
    assert "pip install 'llpbench[tensorflow]'" in done.stdout


def test_every_public_name_can_be_imported() -> None:
    for name in llpbench.__all__:
        assert getattr(llpbench, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = llpbench.nonsense


def test_the_version_is_the_same_everywhere() -> None:
    version = importlib.metadata.version("llpbench")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert llpbench.__version__ == version == citation["version"]
    assert f"## {version}" in changelog


def test_the_citation_file_names_paper_and_datasets() -> None:
    text = (ROOT / "CITATION.cff").read_text()
    Citation(text).validate()
    for known in ("2306.12461", "7935237", "7939348", "7935303", "7939365"):
        assert known in text


def test_packaging_settings_are_in_setup_cfg_only() -> None:
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert set(content) == {"build-system", "tool"}


@pytest.mark.full
def test_a_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    """Built from a copy of the sources, installed without extras, run on synthetic data."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("llpbench-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "llpbench/catalog/catalog.toml" in names
    assert "llpbench_baselines/py.typed" in names
    tops = {name.split("/")[0].split("-")[0] for name in names}
    assert tops == {"llpbench", "llpbench_baselines"}
    venv.create(tmp_path / "empty", with_pip=True)
    binaries = tmp_path / "empty" / "bin"
    subprocess.run(
        [str(binaries / "pip"), "install", "--quiet", str(wheel)], check=True, capture_output=True
    )
    environment = {**os.environ, "LLPBENCH_CACHE": str(tmp_path / "cache")}
    for arguments in (
        ["synthesize", "tiny", "--chips", "200"],
        ["run", "bag-ridge", "--dataset", "tiny", "--out", str(tmp_path / "run")],
        ["verify", "tiny"],
    ):
        done = subprocess.run(
            [str(binaries / "llpbench"), *arguments],
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
