"""What results rest on beside this package: versions of the packages it needs."""

from __future__ import annotations

import re
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

_NOT_RUN = re.compile(r"""extra == ["'](test|dev|docs|all)["']""")
"""Of requirements that nothing is computed with."""


@cache
def package_versions() -> dict[str, str]:
    """Versions of the packages that llpbench or one of its extras names, if installed.

    Examples
    --------
    >>> from importlib.metadata import version
    >>> package_versions()["numpy"] == version("numpy")
    True
    """
    needed = (text for text in requires("llpbench") or [] if not _NOT_RUN.search(text))
    names = {re.split(r"[^\w.-]", text, maxsplit=1)[0] for text in needed}
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # of an extra that is not installed
            continue
    return found
