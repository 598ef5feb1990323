"""Packages are found here: setup.cfg cannot rename ``baselines`` to ``llpbench_baselines``."""

from setuptools import find_packages, setup

METHODS = find_packages(include=["baselines", "baselines.*"])

setup(
    packages=[
        *find_packages(include=["llpbench", "llpbench.*"]),
        *(name.replace("baselines", "llpbench_baselines", 1) for name in METHODS),
    ]
)
