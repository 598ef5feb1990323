"""Write the files that follow from ``setup.cfg`` and ``CITATION.cff``: ``make metadata``.

``codemeta.json`` (codemeta.github.io, version 3), ``.zenodo.json`` (what Zenodo takes of a release)
and ``packaging/conda/recipe.yaml`` (what conda-forge builds: format 1 of rattler-build).
"""

from __future__ import annotations

import json
from configparser import ConfigParser
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from requirements import requirements

ROOT = Path(__file__).resolve().parents[1]
CONDA_NAMES = {"isal": "python-isal", "matplotlib": "matplotlib-base", "dask": "dask-core"}
"""Of packages that conda-forge calls otherwise; of dask the part that the library needs."""
CONDA_EXTRAS = {"distributed": "distributed"}
"""Packages that stand for extras of a dependency."""


def main() -> None:
    """Write them all."""
    for path, text in derived().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def derived() -> dict[Path, str]:
    """Files and what should be in them."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    recipe = yaml.safe_dump(conda_recipe(citation, settings), sort_keys=False, width=100)
    return {
        ROOT / "codemeta.json": _json(codemeta(citation, settings)),
        ROOT / ".zenodo.json": _json(zenodo(citation)),
        ROOT / "packaging" / "conda" / "recipe.yaml": f"# By packaging/derive.py.\n{recipe}",
    }


def codemeta(citation: dict[str, Any], settings: ConfigParser) -> dict[str, Any]:
    """The software for catalogues of software."""
    authors = [{"type": "Organization", "name": one["name"]} for one in citation["authors"]]
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "type": "SoftwareSourceCode",
        "name": "llpbench",
        "description": " ".join(citation["abstract"].split()),
        "version": citation["version"],
        "datePublished": str(citation["date-released"]),
        "author": authors,
        "maintainer": authors,
        "license": f"https://spdx.org/licenses/{citation['license']}",
        "url": citation["url"],
        "codeRepository": citation["repository-code"],
        "issueTracker": f"{citation['repository-code']}/issues",
        "continuousIntegration": f"{citation['repository-code']}/actions",
        "programmingLanguage": "Python",
        "runtimePlatform": f"Python {settings['options']['python_requires']}",
        "keywords": citation["keywords"],
        "referencePublication": next(
            one["url"] for one in citation["references"] if one["type"] == "article"
        ),
    }


def zenodo(citation: dict[str, Any]) -> dict[str, Any]:
    """A release for Zenodo, which takes the version from the tag and the day from itself."""
    papers = [
        {"identifier": one["identifiers"][0]["value"], "relation": "references"}
        for one in citation["references"]
        if one["type"] == "article"
    ]
    datasets = [
        {"identifier": one["doi"], "relation": "references", "resource_type": "dataset"}
        for one in citation["references"]
        if one["type"] == "data"
    ]
    return {
        "upload_type": "software",
        "title": citation["title"],
        "description": " ".join(citation["abstract"].split()),
        "creators": [{"name": one["name"]} for one in citation["authors"]],
        "license": citation["license"],
        "keywords": citation["keywords"],
        "related_identifiers": [*papers, *datasets],
    }


def conda_recipe(citation: dict[str, Any], settings: ConfigParser) -> dict[str, Any]:
    """The library without extras, which Python packages of conda-forge do not have.

    The source archive holds the recipe, so its digest can only be put in once it is released.
    """
    oldest, newest = settings["options"]["python_requires"].removeprefix(">=").split(",")
    return {
        "schema_version": 1,
        "context": {"version": citation["version"], "python_min": oldest},
        "package": {"name": "llpbench", "version": "${{ version }}"},
        "source": {
            "url": "https://pypi.org/packages/source/l/llpbench/llpbench-${{ version }}.tar.gz",
            "sha256": "0" * 64,
        },
        "build": {
            "number": 0,
            "noarch": "python",
            "script": "${{ PYTHON }} -m pip install . --no-deps --no-build-isolation -vv",
            "python": {"entry_points": ["llpbench = llpbench.cli:main"]},
        },
        "requirements": {
            "host": ["python ${{ python_min }}.*", "pip", "setuptools >=77", "wheel"],
            "run": [
                f"python >=${{{{ python_min }}}},{newest}",
                *chain.from_iterable(map(_conda, requirements([]))),
            ],
        },
        "tests": [
            {
                "python": {
                    "imports": ["llpbench", "llpbench_baselines"],
                    "pip_check": True,
                    "python_version": "${{ python_min }}.*",
                }
            },
            {"script": ["llpbench --version", "llpbench doctor"]},
        ],
        "about": {
            "homepage": citation["url"],
            "repository": citation["repository-code"],
            "license": citation["license"],
            "license_file": "LICENSE",
            "summary": settings["metadata"]["description"],
        },
        "extra": {"recipe-maintainers": ["llpbench"]},
    }


def _conda(needed: Requirement) -> list[str]:
    names = [CONDA_NAMES.get(needed.name, needed.name)]
    names += [CONDA_EXTRAS[extra] for extra in needed.extras if extra in CONDA_EXTRAS]
    return [f"{name} {needed.specifier}".lower() for name in names]


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
