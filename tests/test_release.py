"""What is released: archives of the same bytes, whole, that lead somewhere; files that agree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from rattler_build import Stage0Recipe

import llpbench

ROOT = Path(__file__).resolve().parents[1]


def files_of_the_project() -> set[str]:
    """Those that git keeps; in an unpacked source archive, those it lists."""
    if not (ROOT / ".git").exists():
        pytest.skip("no clone of the repository")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.splitlines() if (ROOT / name).is_file()}


def build(sources: Path, out: Path, umask: int) -> dict[str, str]:
    """Archives of sources, made with the rights that a user gives new files, and their digests."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(sources)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(command, env=environment, umask=umask, capture_output=True, check=True)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in out.iterdir()}


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sdist and wheel of what git keeps, built twice: at other times, places and rights."""
    folder = tmp_path_factory.mktemp("release")
    kept = files_of_the_project()
    made = []
    for number, umask in enumerate((0o022, 0o077)):
        copy = folder / f"copy-{number}"
        for name in sorted(kept, reverse=bool(number)):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
            os.utime(copy / name, (number * 1e8, number * 1e8))
        made.append(build(copy, folder / f"out-{number}", umask))
    assert made[0] == made[1]
    return folder / "out-0"


def metadata(archives: Path) -> Message:
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


@pytest.mark.full
def test_the_same_sources_are_the_same_bytes(archives: Path) -> None:
    assert {path.suffix for path in archives.iterdir()} == {".whl", ".gz"}


@pytest.mark.full
def test_the_sdist_holds_all_that_git_keeps(archives: Path) -> None:
    (path,) = archives.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        entries = archive.getmembers()
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in entries} == {
        (0, 0, "", 1700000000)
    }
    held = {entry.name.partition("/")[2] for entry in entries if entry.isfile()}
    missing = files_of_the_project() - held
    assert {name for name in missing if not name.startswith((".ci/", ".gitignore"))} == set()


@pytest.mark.full
def test_the_page_of_a_package_index_renders_and_leads_somewhere(archives: Path) -> None:
    files = map(str, archives.iterdir())
    command = [sys.executable, "-m", "twine", "check", "--strict", *files]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    about = metadata(archives)
    links = re.findall(r"\]\(([^)\s]+)\)", about.get_payload())
    assert links
    version = about["Version"]
    for link in links:
        home = re.fullmatch(rf"{about['Home-page']}/(blob|raw)/v{version}/(.+)", link)
        assert home or link.startswith("https://"), link
        if home:
            assert (ROOT / home[2].split("#")[0]).exists(), link


@pytest.mark.full
def test_the_wheel_says_whose_it_is_and_what_it_needs(archives: Path) -> None:
    about = metadata(archives)
    assert about["Maintainer"] == "llpbench contributors"
    labels = {line.split(",")[0] for line in about.get_all("Project-URL", [])}
    assert labels == {"Changelog", "Documentation", "Issues", "Source"}
    needed = [Requirement(text) for text in about.get_all("Requires-Dist", [])]
    assert "affine" in {one.name for one in needed}
    (cuda,) = (one for one in needed if "and-cuda" in one.extras)
    assert cuda.marker is not None
    assert cuda.marker.evaluate({"extra": "gpu", "platform_system": "Linux"})
    assert not cuda.marker.evaluate({"extra": "gpu", "platform_system": "Darwin"})


def test_what_follows_from_settings_and_citation_is_up_to_date(tmp_path: Path) -> None:
    """The files as the script writes them from a copy of what they follow from."""
    shutil.copytree(ROOT / "packaging", tmp_path / "packaging")
    for name in ("setup.cfg", "CITATION.cff"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    script = tmp_path / "packaging" / "derive.py"
    subprocess.run([sys.executable, str(script)], check=True)
    for name in ("codemeta.json", ".zenodo.json", "packaging/conda/recipe.yaml"):
        fresh, kept = ((place / name).read_text(encoding="utf-8") for place in (tmp_path, ROOT))
        assert fresh == kept, f"{name} is behind: make metadata"


def test_the_conda_recipe_is_what_rattler_build_takes() -> None:
    """Its parser knows every field and version; what it cannot know offline is what there is."""
    recipe = Stage0Recipe.from_yaml((ROOT / "packaging/conda/recipe.yaml").read_text("utf-8"))
    (variant,) = recipe.render()
    rendered = variant.recipe.to_dict()
    assert rendered["source"][0]["url"].endswith(f"/llpbench-{llpbench.__version__}.tar.gz")
    assert rendered["requirements"]["host"][0] == "python 3.11.*"
    assert rendered["requirements"]["run"][0] == "python >=3.11,<3.14"
    assert {"dask-core >=2024.8", "matplotlib-base >=3.9"} <= {*rendered["requirements"]["run"]}


def test_lower_bounds_are_constraints(tmp_path: Path) -> None:
    (tmp_path / "packaging").mkdir()
    shutil.copyfile(ROOT / "packaging" / "requirements.py", tmp_path / "packaging" / "it.py")
    (tmp_path / "setup.cfg").write_text(
        "[options]\ninstall_requires =\n    dask[array]>=2024.8\n    numpy>=2.0\n"
        "[options.extras_require]\nfast =\n    rapid>=1.5,<3; platform_system == 'Linux'\n"
    )

    def run(*arguments: str) -> list[str]:
        command = [sys.executable, str(tmp_path / "packaging" / "it.py"), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    assert run() == ["dask[array]>=2024.8", "numpy>=2.0"]
    assert run("--oldest", "fast") == [
        "dask==2024.8",
        "numpy==2.0",
        'rapid==1.5; platform_system == "Linux"',
    ]


def test_every_address_of_the_project_is_the_one_in_the_citation() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    home = citation["repository-code"]
    owner = home.removeprefix("https://github.com/").split("/")[0]
    documents = [*ROOT.glob("*.md"), *(ROOT / ".github").rglob("*.yml"), ROOT / "setup.cfg"]
    for path in documents:
        for found in re.findall(rf"https://github\.com/{owner}/[\w.-]+", path.read_text("utf-8")):
            assert found == home, path
