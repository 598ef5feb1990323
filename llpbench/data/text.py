"""Text: names without what programs change, and arrays on disk and in memory."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain_name(name: str) -> str:
    """Take from a name what differs between spellings: case, accents, signs between words.

    Examples
    --------
    >>> plain_name(" Built.up") == plain_name("built_up"), plain_name("Árboles")
    (True, 'arboles')
    """
    letters = unicodedata.normalize("NFKD", str(name))
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[\W_]+", " ", bare).strip().casefold()


def fixed_width(values: Any) -> NDArray[np.str_]:
    """Text as numpy and xarray handle it best in memory.

    Examples
    --------
    >>> fixed_width(variable_width(["a", "bcd"]))
    array(['a', 'bcd'], dtype='<U3')
    """
    return np.asarray(values, dtype=object).astype(str)


def variable_width(values: Any) -> NDArray[Any]:
    """Text as Zarr stores it without a warning.

    Examples
    --------
    >>> variable_width(["a", "bcd"])
    array(['a', 'bcd'], dtype=StringDType())
    """
    return np.asarray(values, dtype=object).astype(np.dtypes.StringDType())
