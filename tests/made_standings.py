"""Standings of any size, made of random numbers that hang together as real ones do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from llpbench.board.standings import (
    Category,
    Division,
    Example,
    ExampleChip,
    Metric,
    Rank,
    Reproduction,
    Row,
    Standings,
    Table,
    Value,
)
from llpbench.scoring.measures import BY_NAME

GROUPS = {
    "other": "#4477aa",
    "tree": "#117733",
    "shrub-grass-bare": "#ddcc77",
    "cropland": "#aa4499",
    "built-up": "#cc3311",
}
METRICS = ("mae", "mae_hard", "f1_micro", "skill", "division_consistency", "within_division_r2")
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAW"
    "jR9awAAAABJRU5ErkJggg=="
)
FIRST = ("Bag", "Ridge", "Mixture", "Deep", "Kernel", "Sparse", "Tiny", "Spectral", "Texture")
SECOND = ("ridge", "mixing", "transport", "U-Net", "regression", "forest", "prototypes", "matching")
TEAMS = ("tartu", "bogota", "delft", "kyoto", "nairobi", "leuven")


def make_entry(title: str, method: str, team: str) -> dict[str, Any]:
    """What an ``entry.yaml`` says, without its datasets."""
    return {
        "format": 1,
        "team": team,
        "method": method,
        "title": title,
        "description": "Matches bag proportions by a mixture of patch embeddings.",
        "authors": [
            {
                "name": "Marie Õun",
                "affiliation": "University of Tartu",
                "orcid": "0000-0002-1825-0097",
            },
            {"name": "A. Pérez", "affiliation": None, "orcid": None},
        ],
        "contact": "marie@example.org",
        "paper": {
            "title": "On bags",
            "url": "https://example.org/a",
            "doi": "10.1000/182",
            "bibtex": None,
        },
        "code": {"url": "https://example.org/code", "commit": "0" * 40},
        "licence": "CC-BY-4.0",
        "track": "inductive",
        "supervision": "division",
        "selection": "Lowest squared error of validation divisions.",
        "external_data": [],
        "pretrained_weights": [],
        "deterministic": False,
        "reference": False,
        "hyperparameters": {"alpha": 1e-3, "words": 128},
        "hardware": "two cores",
    }


def make_standings(entries: int = 12, divisions: int = 60, tables: int = 2) -> Standings:
    """A board of so many ranked entries and three rows of other kinds in each table."""
    places = [("made-esaworldcover", "inductive"), ("made-esaworldcover", "disaggregation")]
    made = [
        _table(dataset, track, entries if n == 0 else 3, divisions)
        for n, (dataset, track) in enumerate(places[:tables])
    ]
    return Standings(made, scorer="1.0", llpbench_version="0.0", protocol=1)


def _table(dataset: str, track: str, entries: int, divisions: int) -> Table:
    random = np.random.default_rng([entries, divisions])
    chips = np.random.default_rng(divisions).integers(3, 60, divisions)  # of the dataset
    rows = [_row(random, n, entries, chips) for n in range(entries)]
    rows.sort(key=_mae)
    width = max(2, entries // 8)
    ranked = [
        replace(row, rank=Rank(n + 1, max(1, n - width), min(entries, n + width), 1 + n // width))
        for n, row in enumerate(rows)
    ]
    return Table(
        dataset=dataset,
        track=track,
        title="Made land",
        synthetic=True,
        doi="10.5281/zenodo.1",
        licence="CC-BY-4.0",
        attribution="",
        digest="sha256:" + "a" * 64,
        chips=int(chips.sum()),
        unscored_chips=2,
        note="",
        metrics=[Metric(name, BY_NAME[name].title, BY_NAME[name].better) for name in METRICS],
        categories=[Category(name, colour) for name, colour in GROUPS.items()],
        divisions=[
            Division(f"d{n}", f"Division {n}", int(count), _outline(n, divisions))
            for n, count in enumerate(chips)
        ],
        examples=[
            ExampleChip(f"chip-{n}", random.dirichlet(np.ones(5)).round(4).tolist(), PIXEL, PIXEL)
            for n in range(2)
        ],
        rows=[
            *ranked,
            _special(random, "Train mean", "reference", chips, 0.21),
            _special(random, "Chip supervised", "bound", chips, 0.05),
            Row(
                id="reported:downconv",
                kind="reported",
                tier="reported",
                title="downconv",
                team="",
                rank=None,
                metrics={"mae_hard": Value(0.068), "f1_micro": Value(0.636)},
                footprint={"parameters": 5189},
                supervision="division",
                trained_on=dataset,
                source="arXiv:2306.12461",
            ),
        ],
    )


def _row(random: np.random.Generator, number: int, entries: int, chips: Any) -> Row:
    parameters = int(10 ** random.uniform(2, 7.5))
    level = 0.07 + 0.05 * random.random() + 0.1 * number / entries
    title = f"{FIRST[number % 9]} {SECOND[number // 9 % 8]} {number}"
    team = TEAMS[number % len(TEAMS)]
    row = _scored(random, title, team, "entry", chips, level, parameters)
    return replace(row, tier="reproduced") if number % 3 == 0 else row


def _scored(
    random: np.random.Generator,
    title: str,
    team: str,
    kind: Literal["entry", "reference", "bound"],
    chips: Any,
    level: float,
    parameters: int,
) -> Row:
    errors = chips * level * random.gamma(9, 1 / 9, len(chips))
    mae = float(errors.sum() / chips.sum())
    method = title.lower().replace(" ", "-")
    shares = np.sort(random.random((5, 10)), axis=1)
    return Row(
        id=f"{team}__{method}",
        kind=kind,
        tier="scored",
        title=title,
        team=team,
        rank=None,
        metrics={
            "mae": _value(random, mae, by_class=True),
            "mae_hard": _value(random, mae * 1.1, by_class=True),
            "f1_micro": _value(random, 1 - 4 * mae, by_class=True),
            "skill": _value(random, 1 - mae / 0.2),
            "division_consistency": _value(random, mae * 0.5),
            "within_division_r2": _value(random, 0.9 - 5 * mae),
        },
        seeds={"0": mae - 1e-3, "1": mae, "2": mae + 1e-3},
        footprint={
            "parameters": parameters,
            "bytes_int8": parameters,
            "bytes_float32": 4 * parameters,
            "latency_p50_ms": round(parameters**0.5 / 50, 3),
            "label_uplink_bytes": 4840,
            "pixel_label_bytes": 9_000_000,
        },
        supervision="chip" if kind == "bound" else "division",
        trained_on="made-esaworldcover",
        command=f"llpbench run {method} --dataset made-esaworldcover --seed 0 --seed 1 --seed 2",
        fit_seconds=123.4,
        entry=make_entry(title, method, team),
        digests={"dataset": "sha256:a", "predictions": ["sha256:b"], "scorer": "1.0"},
        errors=errors.round(9).tolist(),
        reliability={
            name: [(round(float(p), 4), round(float(p) ** 1.1, 4), 10) for p in shares[k]]
            for k, name in enumerate(GROUPS)
        },
        examples={
            f"chip-{n}": Example(
                random.dirichlet(np.ones(5)).round(4).tolist(),
                "".join(map(str, random.integers(0, 5, 24 * 24))),
            )
            for n in range(2)
        },
        reproduction=Reproduction(mae, True, "0.0"),
    )


def _special(random: np.random.Generator, title: str, kind: Any, chips: Any, level: float) -> Row:
    return _scored(random, title, "tartu", kind, chips, level, 5)


def _value(random: np.random.Generator, value: float, *, by_class: bool = False) -> Value:
    half = 0.004 + 0.004 * random.random()
    classes = {name: round(float(value * random.uniform(0.5, 1.5)), 9) for name in GROUPS}
    return Value(
        round(value, 9), round(value - half, 9), round(value + half, 9), classes if by_class else {}
    )


def _outline(number: int, divisions: int) -> list[list[tuple[float, float]]]:
    """A hexagon of a honeycomb."""
    columns = int(divisions**0.5) + 1
    y, x = divmod(number, columns)
    angles = np.pi / 3 * np.arange(7) + np.pi / 6
    middle = (4 + 0.1 * (x + 0.5 * (y % 2)), 50 + 0.055 * y)
    return [
        [
            (round(middle[0] + 0.058 * np.cos(a), 4), round(middle[1] + 0.0367 * np.sin(a), 4))
            for a in angles
        ]
    ]


def _mae(row: Row) -> float:
    value = row.metrics["mae"].value
    assert value is not None
    return value
