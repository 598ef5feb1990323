"""What all pictures share: colours by category, sizes, small drawing steps."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.errors import printable

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

log = logging.getLogger(__name__)

INK = "#333333"
"""Of lines and small text."""
MUTED = "#888888"
"""Of what is only there for reference."""
DISTINCT = (
    *("#313c66", "#cb800d", "#4399eb", "#720f24", "#477958"),
    *("#6753c8", "#fca1bd", "#938c8a", "#98bf7a", "#f0d749"),
)
"""For what has no colour of its own: told apart with any kind of colour vision."""
SPLIT_COLOURS = {"train": "#004488", "val": "#ddaa33", "test": "#bb5566"}
"""Of the splits: apart for any kind of colour vision, and in grey."""
BRIGHTENING = 1.5
"""Factor on image values: land seldom reflects more than two thirds of their range."""
LONGEST_NAME = 40
"""Letters of a name in a picture."""

_DARKEST = 0.02
"""Luminance of the darkest shade of a share, of a lightness of about 15."""
_MISSING: dict[str, Any] = {
    "facecolor": "#ebebeb",
    "edgecolor": "#cccccc",
    "hatch": "////",
    "lw": 0,
}


def new_figure(*, width: float = 7.0, height: float = 4.5) -> Figure:
    """Make an empty figure (inches) that belongs to no window; notebooks show it nevertheless.

    Its texts are shown as they are: names hold what Matplotlib would take for mathematics.
    """
    return _figure_class()(figsize=(width, height), layout="constrained", dpi=150)


@cache
def _figure_class() -> type[Figure]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    class Picture(Figure):
        def draw(self, renderer: Any) -> None:
            """Draw, the only step in which text is laid out."""
            # for ticks, which drawing makes
            with rc_context({"text.parse_math": False}), _one_note_of_letters():
                for text in self.findobj(Text):
                    text.set_parse_math(False)
                super().draw(renderer)

        def _repr_png_(self) -> bytes:
            """What IPython shows."""
            content = BytesIO()
            self.savefig(content, format="png", bbox_inches="tight")
            return content.getvalue()

    return Picture


@contextmanager
def _one_note_of_letters() -> Iterator[None]:
    """Say once that no font has a letter, where Matplotlib warns of each at every drawing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    missing = [one for one in caught if str(one.message).startswith("Glyph ")]
    if missing:
        _note_letters()
    for one in caught:
        if one not in missing:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


@cache
def _note_letters() -> None:
    log.warning("some letters of names are in no font of Matplotlib, pictures show boxes for them")


def short(name: str) -> str:
    """Cut a name so that it fits beside a picture, with what does not print as escapes.

    Examples
    --------
    >>> short("a" * 300), short("water")
    ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…', 'water')
    """
    text = printable(name)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def wrapped(name: str, inches: float, points: float) -> str:
    r"""Break a name, cut if need be, into lines that fit above a panel so wide.

    Examples
    --------
    >>> wrapped("herbaceous wetland", 1.0, 9)
    'herbaceous\nwetland'
    """
    letters = int(inches * 72 / (0.55 * points))
    return "\n".join(wrap(short(name), max(letters, 4))) or " "


def category_colours(ds: xr.Dataset) -> list[str]:
    """Colours of the categories of a dataset, ``#rrggbb`` in their order, grouped or not."""
    labels = ds.llp.label_set
    parts = labels.groups if ds.llp.is_grouped else labels.classes
    return [part.colour for part in parts]


def luminance(colours: ArrayLike) -> NDArray[np.float64]:
    """Relative luminance of sRGB colours (..., 3) from 0 to 1: 0 for black, 1 for white.

    As `WCAG 2.2 <https://www.w3.org/TR/WCAG22/#dfn-relative-luminance>`__ defines it.
    """
    values = np.asarray(colours, dtype=np.float64)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(linear @ (0.2126, 0.7152, 0.0722))


def ink_on(colour: ArrayLike) -> str:
    """Name the ink, black or white, that is read best on an sRGB colour (3,), from 0 to 1.

    Their contrasts, (1 + .05) / (Y + .05) and (Y + .05) / .05, are equal at a luminance Y of .179:
    the greater is never below 4.58.
    """
    return "black" if luminance(colour) > 0.179 else "white"


def share_colours(colour: str) -> Colormap:
    """Make the colour map of the share of a class: white at 0, its hue, a dark shade of it at 1.

    CIELAB lightness falls all the way, about evenly: the colour of the class (``#rrggbb``) stands
    where its own lightness is reached.
    """
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    hue = np.array(to_rgb(colour))
    shade = hue * min(1.0, (_DARKEST / max(float(luminance(hue)), 1e-6)) ** (1 / 2.4))
    white, own, dark = (np.cbrt(luminance(one)) for one in (np.ones(3), hue, shade))
    place = float((white - own) / (white - dark))
    between = [(place, hue)] if 0.05 < place < 0.95 else []
    steps = [(0.0, "white"), *between, (1.0, shade)]
    return LinearSegmentedColormap.from_list(f"share {colour}", steps)


def count_colours(colour: str) -> Colormap:
    """Make the colour map of counts from 1, of one hue: from a light tint to a dark shade."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    hue = np.array(to_rgb(colour))
    return LinearSegmentedColormap.from_list(colour, [0.4 * hue + 0.6, hue, 0.4 * hue])


def rim(width: float, colour: str = "white") -> list[Any]:
    """Make the rim of a line or a text that keeps it readable on any ground.

    ``width`` in points is that of the line and both rims.
    """
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=width, foreground=colour)]


def hatch_missing(axis: Axes) -> None:
    """Hatch the ground of a map, which shows where nothing is drawn: no share is taken for it."""
    axis.patch.set(**_MISSING)


def missing_patch(text: str) -> Patch:
    """Make the entry of a legend for what :func:`hatch_missing` hatches."""
    from matplotlib.patches import Patch

    return Patch(label=text, **_MISSING)


def strip(axis: Axes) -> None:
    """Leave the lower and the left side of a frame, with small ticks."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8, length=3)


def legend_below(figure: Figure, handles: Sequence[Any], *, columns: int, note: str = "") -> None:
    """Explain colours and marks below all panels, without a frame; a note stands above them."""
    options: dict[str, Any] = {"title": note, "title_fontsize": 7, "frameon": False, "fontsize": 8}
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, **options)


def draw_image(axis: Axes, image: NDArray[Any]) -> None:
    """Draw the image of a chip (y, x, 3), from 0 to 255, brightened by half, without ticks."""
    axis.imshow(np.clip(image * (BRIGHTENING / 255), 0, 1), interpolation="nearest")
    axis.set(xticks=[], yticks=[])


def draw_labels(axis: Axes, label: NDArray[np.uint8], colours: Sequence[str]) -> None:
    """Draw class numbers (y, x) in the colours of their categories, without ticks; others white."""
    from matplotlib.colors import to_rgb

    table = np.ones((256, 3))
    table[: len(colours)] = [to_rgb(colour) for colour in colours]
    axis.imshow(table[label], interpolation="nearest")
    axis.set(xticks=[], yticks=[])


def draw_shares(
    axis: Axes,
    shares: Mapping[str, NDArray[Any]],
    names: Sequence[str] | NDArray[np.str_],
    colours: Sequence[str],
) -> None:
    """Draw horizontal bars of shares, those of several kinds under one another.

    Parameters
    ----------
    shares : mapping of str to ndarray, shape (category,)
        What each kind is called, and its shares; the first is drawn faintly.
    """
    height = 0.8 / len(shares)
    places = np.arange(len(names))
    for number, (kind, values) in enumerate(shares.items()):
        opaque = 1.0 if number == len(shares) - 1 else 0.4
        axis.barh(
            places + (number - (len(shares) - 1) / 2) * height,
            np.nan_to_num(values),
            height,
            color=colours,
            alpha=opaque,
            edgecolor=INK,
            linewidth=0.4,
            label=kind,
        )
    axis.set_yticks(places, list(map(short, names)))
    axis.invert_yaxis()
    axis.set(xlim=(0, 1), xlabel="share", title=" (faint) and ".join(shares))
