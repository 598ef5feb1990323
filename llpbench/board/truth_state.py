"""Whether the test labels of a dataset are a secret, as scores on it must be read."""

from __future__ import annotations

from llpbench import catalog


def where_truth_is_public(name: str, *, synthetic: bool = False, doi: str | None = None) -> str:
    """Say where anybody finds the test labels of a dataset, in half a sentence.

    An empty text where nothing says that they are public.

    Examples
    --------
    >>> where_truth_is_public("demo-humanpop")
    'a program made them, which anybody can run again'
    >>> where_truth_is_public("mine")
    ''
    """
    known = catalog.load().datasets.get(name)
    if synthetic or (known is not None and known.synthetic):
        return "a program made them, which anybody can run again"
    if doi or known is not None:
        return "they are published with the dataset"
    return ""


def say_truth(where: str) -> str:
    """Say it in a sentence for readers of a page that shows some of them, as pages do."""
    return f"Test labels are public: {where or 'this page shows some of them'}."
