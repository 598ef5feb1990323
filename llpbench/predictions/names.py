"""Names in a table that mean those of a dataset, and ids that a spreadsheet has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from llpbench.data.text import plain_name
from llpbench.errors import examples


def match_categories(found: Iterable[str], expected: Collection[str]) -> dict[str, str]:
    """Which names stand for which categories: equal ones, and those that R or people respelled.

    Found to expected, only where each stands for just one of the other.

    Examples
    --------
    >>> match_categories(["built.up", "Tree", "x"], ["tree", "built-up", "other"])
    {'Tree': 'tree', 'built.up': 'built-up'}
    >>> match_categories(["X1.year"], ["1 year"])  # R begins names with a letter
    {'X1.year': '1 year'}
    """
    spelled = match(found, expected, plain_name)
    rest = [name for name in expected if name not in spelled.values()]
    begun = match(
        (name for name in found if name not in spelled),
        [f"X{name}" for name in rest if not name[:1].isalpha()],
        plain_name,
    )
    return spelled | {name: meant[1:] for name, meant in begun.items()}


def match_ids(found: Iterable[str], expected: Collection[str]) -> dict[str, str]:
    """Which ids stand for which chips: equal ones, and those in quotes, spaces or another case.

    Examples
    --------
    >>> match_ids(["'00a1'", '="00A2"', "a1"], ["00a1", "00a2"])
    {"'00a1'": '00a1', '="00A2"': '00a2'}
    """
    return match(found, expected, lambda name: name.strip("='\"` \t\u00a0").casefold())


def match(
    found: Iterable[str], expected: Collection[str], key: Callable[[str], str]
) -> dict[str, str]:
    """Equal names, then those of one key where there is no other on either side."""
    found, known = list(found), set(expected)
    same = {name: name for name in found if name in known}
    left = _by_key((name for name in found if name not in same), key)
    right = _by_key((name for name in expected if name not in same), key)
    pairs = (
        (left[text][0], right[text][0])
        for text in right
        if len(right[text]) == len(left.get(text, ())) == 1
    )
    return same | dict(pairs)


def _by_key(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


_SHORTENED = re.compile(r"[-+]?\d+([.,]\d+)?e[-+]?\d+", re.IGNORECASE)
_FRACTION = re.compile(r"(\d+)[.,]0+")
_DATE = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T]\d{2}:\d{2}.*)?"
    r"|\d{1,4}[- ][A-Za-z]{3,9}|[A-Za-z]{3,9}[- ]\d{1,4}"
)


def mangled(unknown: Iterable[str], missing: Collection[str]) -> str:
    """Say what a spreadsheet has made of ids, if that is why they are not those of the chips.

    It is a clause, empty where none of it is seen in the ids that are not known.

    Examples
    --------
    >>> mangled(["1.23E+12"], ["1230000000001"])
    "'1.23E+12' was shortened by a spreadsheet and cannot be told"
    >>> mangled(["12"], ["0012", "0013"])
    "'12' has lost the zeros of '0012'"
    """
    unknown = list(unknown)
    bare = {name.lstrip("0"): name for name in missing}
    for name in unknown:
        whole = _FRACTION.fullmatch(name)
        if whole and whole[1].lstrip("0") in bare:
            return (
                f"{examples([name])} was made a number of {examples([bare[whole[1].lstrip('0')]])}"
            )
        if name.lstrip("0") in bare:
            return f"{examples([name])} has lost the zeros of {examples([bare[name.lstrip('0')]])}"
    for pattern, what in ((_SHORTENED, "shortened"), (_DATE, "made a date")):
        changed = [name for name in unknown if pattern.fullmatch(name.strip())]
        if changed:
            return f"{examples(changed)} was {what} by a spreadsheet and cannot be told"
    return ""
