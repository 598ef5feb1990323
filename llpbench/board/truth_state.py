"""Whether the test labels of a dataset are a secret, as scores on it must be read."""

from __future__ import annotations

from llpbench import catalog
from llpbench.data.info import DatasetInfo


def where_truth_is_public(info: DatasetInfo) -> str:
    """Say where anybody finds the test labels of a dataset, in half a sentence.

    An empty text where nothing says that they are public.

    Examples
    --------
    >>> where_truth_is_public(DatasetInfo("mine", "Mine", catalog.load().label_sets["humanpop"]))
    ''
    """
    known = catalog.load().datasets.get(info.name)
    if info.synthetic or (known is not None and known.synthetic):
        return "a program made them, which anybody can run again"
    if info.doi or known is not None:
        return "they are published with the dataset"
    return ""
