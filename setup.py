"""What setup.cfg cannot say: two names of packages, links for readers elsewhere, equal archives."""

from __future__ import annotations

import gzip
import os
import re
import runpy
import tarfile
import time
from configparser import ConfigParser
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist

os.umask(0o022)  # files of the archives have the same rights, whoever packs them

METHODS = find_packages(include=["baselines", "baselines.*"])


def readme() -> str:
    """README with links that also lead somewhere from a package index: to this version's files."""
    settings = ConfigParser()
    settings.read("setup.cfg", encoding="utf-8")
    version = runpy.run_path("llpbench/_version.py")["__version__"]
    home = settings["metadata"]["url"]

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link[1].endswith((".png", ".svg")) else "blob"
        return f"]({home}/{kind}/v{version}/{link[1]})"

    text = Path("README.md").read_text(encoding="utf-8")
    return re.sub(r"\]\((?!https?:|mailto:|#)([^()\s]+)\)", absolute, text)


class Sdist(sdist):
    """A source archive in which the same files are the same bytes, whoever packs them when."""

    def make_archive(self, base_name: str, *_: object, base_dir: str, **__: object) -> str:  # type: ignore[override]
        """Pack a folder: in order, of one time (``SOURCE_DATE_EPOCH``), owned by nobody."""
        when = int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))

        def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
            entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = when, 0, 0, "", ""
            entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
            return entry

        path = Path(f"{base_name}.tar.gz")
        with (
            path.open("wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=when) as packed,
            tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(base_dir, filter=plain)  # sorts what is in a folder
        return str(path)


setup(
    packages=[
        *find_packages(include=["llpbench", "llpbench.*"]),
        *(name.replace("baselines", "llpbench_baselines", 1) for name in METHODS),
    ],
    long_description=readme(),
    cmdclass={"sdist": Sdist},
)
