"""Points about the package: what it says of itself, how it is tested, built and released."""

from __future__ import annotations

import re
from collections.abc import Iterator
from configparser import ConfigParser
from importlib.metadata import metadata

import yaml
from points import ROOT, beyond_code, fails, point, tests_fail, text

LEAST_COVERAGE = 70
"""Percent of lines and branches."""
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@point("pyOpenSci", "metadata: author, address, licence, version, Pythons")
def says_whose_it_is() -> Iterator[str]:
    """As installed."""
    about = metadata("llpbench")
    for field in ("Author", "Maintainer", "Home-page", "Summary", "Version", "Requires-Python"):
        if not about[field]:
            yield f"setup.cfg gives no {field}"
    if not (about["License-Expression"] or about["License"]):
        yield "setup.cfg gives no licence"


@point("pyOpenSci", "an OSI licence, as a file and as metadata")
@point("JOSS", "a plain-text LICENSE of an OSI approved licence")
def has_an_osi_licence() -> Iterator[str]:
    """Apache-2.0, the same in all places."""
    if "Apache License" not in text("LICENSE")[:300]:
        yield "LICENSE is not the Apache License"
    for name in ("setup.cfg", "CITATION.cff", "codemeta.json", ".zenodo.json"):
        if "Apache-2.0" not in text(name):
            yield f"{name} does not say Apache-2.0"


@point("pyOpenSci", "continuous integration runs the tests on each Python that is supported")
def is_tested_on_each_python() -> Iterator[str]:
    """The matrix of the workflow and the classifiers."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = set(re.findall(r"Python :: (3\.\d+)", settings["metadata"]["classifiers"]))
    jobs = yaml.safe_load(text(".github/workflows/tests.yml"))["jobs"]
    tested = set(jobs["tests"]["strategy"]["matrix"]["python"])
    if tested != promised:
        yield f"setup.cfg promises {sorted(promised)}, the workflow tests {sorted(tested)}"
    if not any("make test-oldest" in str(job) for job in jobs.values()):
        yield "no workflow tests the oldest dependencies"
    if not any("make coverage" in str(job) for job in jobs.values()):
        yield "no workflow measures coverage"


@point("pyOpenSci", "test coverage is measured and has a floor")
def has_a_floor_of_coverage() -> Iterator[str]:
    """In pyproject.toml."""
    import tomllib

    settings = tomllib.loads(text("pyproject.toml"))["tool"]["coverage"]
    if not settings["run"]["branch"]:
        yield "branches are not measured"
    floor = settings["report"].get("fail_under", 0)
    if floor < LEAST_COVERAGE:
        yield f"coverage may fall to {floor} %, below {LEAST_COVERAGE}"


@point("pyOpenSci", "code style: linters pass")
def passes_linters() -> Iterator[str]:
    """The quick ones of ``make lint``, which has the others."""
    yield from fails("ruff", "check", ".")
    yield from fails("ruff", "format", "--check", ".")


@point("JOSS", "installation: dependencies are listed and handled by a package manager")
def declares_what_it_imports() -> Iterator[str]:
    """By deptry, on all requirements but those of development."""
    yield from tests_fail("tests/test_dependencies.py")


@point("pyOpenSci", "sdist and wheel: whole, reproducible, their page renders; versions agree")
@point("JOSS", "the version of the release is the same everywhere")
def builds_the_same_archives() -> Iterator[str]:
    """Built twice in copies of the project."""
    yield from tests_fail("tests/test_release.py", "tests/test_package.py")


@point("OpenSSF", "Pinned-Dependencies: actions are named by commits")
def pins_actions() -> Iterator[str]:
    """With the version beside them, which Dependabot reads."""
    for path in WORKFLOWS:
        for used in re.findall(r"uses: *(.+)", path.read_text(encoding="utf-8")):
            if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v[\d.]+", used):
                yield f"{path.name}: {used}"


@point("OpenSSF", "Token-Permissions, Dangerous-Workflow: workflows read, and say where they write")
def workflows_have_least_rights() -> Iterator[str]:
    """Rights at the top are to read; strangers' words never reach a shell."""
    for path in WORKFLOWS:
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "permissions" not in workflow:
            yield f"{path.name} takes the rights that there are"
        for job in workflow["jobs"].values():
            if "timeout-minutes" not in job:
                yield f"{path.name} has a job without a limit of time"
    yield from tests_fail("tests/test_workflows.py")


@point("OpenSSF", "Dependency-Update-Tool, Security-Policy, Packaging, Signed-Releases")
def has_the_habits() -> Iterator[str]:
    """Dependabot for actions, a policy, and a release without a token."""
    updates = yaml.safe_load(text(".github/dependabot.yml") or "updates: []")["updates"]
    if "github-actions" not in {one["package-ecosystem"] for one in updates}:
        yield "Dependabot does not look after actions"
    if "security/advisories/new" not in text("SECURITY.md"):
        yield "SECURITY.md does not say where to report"
    release = text(".github/workflows/release.yml")
    for needed in ("id-token: write", "attest-build-provenance@", "gh-action-pypi-publish@"):
        if needed not in release:
            yield f"release.yml has no {needed}"
    if "password" in release or "secrets." in release:
        yield "release.yml keeps a token"


@point("pyOpenSci", "containers: linted, bases pinned, their commands run without one")
def has_sound_containers() -> Iterator[str]:
    """Never built here, which their page says."""
    yield from tests_fail("tests/test_docker.py")


beyond_code(
    "JOSS",
    "the repository is public, with six months of open history, issues and releases",
    "it has no public home yet; docs/releasing.md lists what a maintainer does once",
)
beyond_code("JOSS", "authorship", "authors are people, and name themselves in CITATION.cff")
beyond_code(
    "pyOpenSci",
    "badges of tests, coverage, documentation and PyPI in README",
    "they show what services say of a public repository",
)
beyond_code("pyOpenSci", "two maintainers who answer", "people promise that")
beyond_code(
    "OpenSSF",
    "Branch-Protection, Code-Review, signed tags",
    "settings of the public repository (docs/releasing.md)",
)
