"""The one structure that the page is made of: what ranks where, and how sure that is.

Everything here is plain data: :meth:`Standings.to_dict` gives what :func:`json.dumps` takes, with
the fields below in the same nesting and under the same names. Text in ``entry``, ``title``,
``name`` and ``source`` was written by submitters: it is checked
(:mod:`llpbench.board.fields`) but not escaped.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

FORMAT = 1


@dataclass(frozen=True)
class Value:
    """A score.

    Parameters
    ----------
    value : float or None
        None where it is not defined.
    low, high : float or None
        95 % interval; None for reported rows and below 5 divisions.
    per_class : dict of str to (float or None)
        By category, in their order; empty where the metric has no values by class.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    per_class: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Rank:
    """A place in the ranking by ``mae``.

    Parameters
    ----------
    rank : int
        1 is best; equal values share the better rank.
    low, high : int
        Best and worst rank that the data allow, all of them together with 95 %.
    group : int
        Tie group: 1 for the entries not told apart from the best one, 2 for those not told apart
        from the best of the rest, and so on.
    """

    rank: int
    low: int
    high: int
    group: int


@dataclass(frozen=True)
class Reproduction:
    """What became of running the entry's command again.

    Parameters
    ----------
    value : float
        ``mae`` of the new predictions.
    inside : bool
        Whether it lies in the entry's interval: the tier is ``reproduced`` if so.
    llpbench_version : str
    """

    value: float
    inside: bool
    llpbench_version: str


@dataclass(frozen=True)
class Row:
    """One row of a table: an entry on a dataset, or a reported result.

    Parameters
    ----------
    id : str
        Unique in its table, and the same in all tables: ``team__method``, or
        ``reported:<method>``. The name of the entry's page.
    kind : {"entry", "reference", "bound", "reported"}
        Only ``entry`` is ranked. ``reference`` is a floor (or a ceiling its makers call so),
        ``bound`` was supervised by chips or pixels, ``reported`` was printed elsewhere.
    tier : {"reported", "scored", "reproduced"}
    title : str
        What people read.
    team : str
        Empty for reported rows.
    rank : Rank or None
        None outside the ranking.
    metrics : dict of str to Value
        Keys are those of the table's ``metrics``; absent where the row has none.
    seeds : dict of str to float
        Seed to its own ``mae``.
    footprint : dict of str to (number or None)
        ``parameters``, ``bytes_int8``, ``latency_p50_ms``, ``label_uplink_bytes`` and so on, see
        :class:`llpbench.board.entry.Footprint`.
    supervision, trained_on : str
    command, source : str
        What makes the predictions again; where the result was printed (reported rows).
    fit_seconds : float or None
    entry : dict
        All of ``entry.yaml`` but ``datasets``; empty for reported rows.
    digests : dict
        ``dataset``, ``predictions`` (one a seed) and ``scorer``, and ``segmentations`` where the
        pixels were scored; empty for reported rows.
    errors : list of float
        Sum over the chips of each division of ``mae``, mean of the seeds, in the order of the
        table's ``divisions``; divide by their ``chips`` for the map, difference them for the
        paired test. Empty for reported rows.
    reliability : dict of str to list of (float, float, int)
        By category: mean predicted share, mean true share and number of chips, in tenths of the
        chips by predicted share.
    examples : dict of str to Example
        Chip id to what was predicted for it (first seed).
    reproduction : Reproduction or None
    """

    id: str
    kind: Literal["entry", "reference", "bound", "reported"]
    tier: Literal["reported", "scored", "reproduced"]
    title: str
    team: str
    rank: Rank | None
    metrics: dict[str, Value]
    seeds: dict[str, float] = field(default_factory=dict)
    footprint: dict[str, float | None] = field(default_factory=dict)
    supervision: str = ""
    trained_on: str = ""
    command: str = ""
    source: str = ""
    fit_seconds: float | None = None
    entry: dict[str, Any] = field(default_factory=dict)
    digests: dict[str, Any] = field(default_factory=dict)
    errors: list[float] = field(default_factory=list)
    reliability: dict[str, list[tuple[float, float, int]]] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)
    reproduction: Reproduction | None = None


@dataclass(frozen=True)
class Example:
    """What was predicted for one chip.

    Parameters
    ----------
    proportions : list of float
        In the order of the categories.
    segmentation : str
        Category numbers of a square grid as digits, row by row; empty without one. Its side is
        the root of its length.
    """

    proportions: list[float]
    segmentation: str = ""


@dataclass(frozen=True)
class Category:
    """A class group: its name and its colour, ``#rrggbb``."""

    name: str
    colour: str


@dataclass(frozen=True)
class Division:
    """A test division that owns scored chips.

    Parameters
    ----------
    id, name : str
    chips : int
        Scored chips that it owns; the empty id stands for chips of no division.
    outline : list of list of (float, float)
        Rings in degrees (longitude, latitude), simplified; holes are rings as well (fill by
        even-odd). Empty where unknown.
    """

    id: str
    name: str
    chips: int
    outline: list[list[tuple[float, float]]] = field(default_factory=list)


@dataclass(frozen=True)
class ExampleChip:
    """A test chip to show.

    Parameters
    ----------
    chip : str
    truth : list of float
        Shares in the score window.
    image, label : str
        ``data:image/png;base64,...`` of the score window: 96 x 96 pixels, the label in the
        colours of the categories, transparent where there is none.
    """

    chip: str
    truth: list[float]
    image: str
    label: str


@dataclass(frozen=True)
class Metric:
    """A column: ``name`` as in the rows, a title, and which values are good."""

    name: str
    title: str
    better: Literal["lower", "higher", "one", "zero"]


@dataclass(frozen=True)
class Table:
    """One dataset in one track.

    Parameters
    ----------
    dataset, track : str
    title : str
        Of the dataset, saying so where it is synthetic.
    synthetic : bool
    doi, licence, attribution : str
        Of the dataset; ``doi`` is empty where it has none.
    digest : str
        Of the dataset.
    chips, unscored_chips : int
        Test chips that count, and those without a label.
    note : str
        What must be said beside the intervals; empty where nothing.
    metrics : list of Metric
        All that any row has, the ranking one (``mae``) first.
    categories : list of Category
    divisions : list of Division
    examples : list of ExampleChip
    rows : list of Row
        Entries by rank, then references, bounds and reported rows, each by ``mae`` (or
        ``mae_hard``, where they have no other).
    """

    dataset: str
    track: str
    title: str
    synthetic: bool
    doi: str
    licence: str
    attribution: str
    digest: str
    chips: int
    unscored_chips: int
    note: str
    metrics: list[Metric]
    categories: list[Category]
    divisions: list[Division]
    examples: list[ExampleChip]
    rows: list[Row]


@dataclass(frozen=True)
class Standings:
    """The whole board.

    Parameters
    ----------
    tables : list of Table
        By dataset, then track; the data of a dataset are repeated in each of its tracks.
    scorer, llpbench_version : str
    protocol : int
    format : int
        Version of this structure.
    """

    tables: list[Table]
    scorer: str
    llpbench_version: str
    protocol: int
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """The same for JSON, without a NaN.

        Returns
        -------
        dict
        """
        return asdict(self)
