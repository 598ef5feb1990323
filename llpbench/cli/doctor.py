"""What a report of a fault should say of the machine."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from typing import Any

import click

from llpbench._version import __version__
from llpbench.cli import options
from llpbench.cli.output import echo, print_json, readable

_DEVICES = """
import json, tensorflow
devices = tensorflow.config.list_physical_devices()
about = [tensorflow.config.experimental.get_device_details(one) for one in devices]
print(json.dumps([more.get("device_name", one.device_type) for one, more in zip(devices, about)]))
"""
_PATIENCE = 300
"""Seconds that TensorFlow may take to start."""


@click.command()
@options.json_option
def doctor(as_json: bool) -> None:
    """Print versions, cache and devices: what a report of a fault needs.

    Nothing is changed, nothing sent, and of the cache no more is told than its place, its size and
    the names of datasets.
    """
    facts = {
        "llpbench": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "cache": _cache(),
        "devices": _devices(),
        "libraries": _libraries(),
        "packages": _packages(),
    }
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        for line in _lines(name, value):
            echo(line)


def _lines(name: str, value: Any) -> list[str]:
    """A fact as lines, with one line for each fact inside it."""
    if isinstance(value, dict):
        return [name, *(line for key, one in value.items() for line in _lines(f"  {key}", one))]
    if isinstance(value, list):
        value = ", ".join(value) or "none"
    return [f"{name:22}{'not known' if value is None else value}"]


def _packages() -> dict[str, str]:
    from llpbench.environment import package_versions

    return package_versions()


def _libraries() -> dict[str, str]:
    """Of the geographic packages, whose wheels and builds bring different ones."""
    import pyproj
    import rasterio
    import shapely

    return {
        "GDAL": rasterio.__gdal_version__,
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
    }


def _cache() -> dict[str, Any]:
    from llpbench.data.cache import cache_folder, stored_names
    from llpbench.data.holdings import folder_size

    folder = cache_folder()
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    return {
        "folder": str(folder),
        "writable": "yes" if os.access(there, os.W_OK) else "no",
        "datasets": stored_names(),
        "holds": readable(folder_size(folder)) if folder.is_dir() else readable(0),
        "free": readable(shutil.disk_usage(there).free),
    }


def _devices() -> list[str] | None:
    """What TensorFlow computes on, asked in a process of its own, which it may take down.

    None without TensorFlow, or if it does not start.
    """
    try:
        done = subprocess.run(  # noqa: S603  (this interpreter, and a program of ours)
            [sys.executable, "-P", "-c", _DEVICES],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            check=True,
        )
    except subprocess.SubprocessError:
        return None
    devices: list[str] = json.loads(done.stdout.splitlines()[-1])
    return devices
