"""Standings of any size, made of random numbers that hang together as real ones do."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any, Literal

import numpy as np

from llpbench.board.card import Division, ExampleChip
from llpbench.board.comparing import EntryComparison
from llpbench.board.entry import Entry, Export
from llpbench.board.ranking import Rank
from llpbench.board.result import Digests, PixelScores, Rerun, Result
from llpbench.board.sorting import sort_rows
from llpbench.board.standings import (
    Category,
    Link,
    Metric,
    Overview,
    OverviewLine,
    Row,
    Standings,
    Table,
)
from llpbench.catalog import label_set
from llpbench.scoring.measures import BY_NAME
from llpbench.scoring.score import Score

GROUPS = {group.name: group.colour for group in label_set("esaworldcover").groups}
METRICS = ("mae", "mae_hard", "f1_micro", "skill", "division_consistency", "within_division_r2")
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAW"
    "jR9awAAAABJRU5ErkJggg=="
)
FIRST = ("Bag", "Ridge", "Mixture", "Deep", "Kernel", "Sparse", "Tiny", "Spectral", "Texture")
SECOND = ("ridge", "mixing", "transport", "U-Net", "regression", "forest", "prototypes", "matching")
TEAMS = ("tartu", "bogota", "delft", "kyoto", "nairobi", "leuven")


DATASET = "made-esaworldcover"
TUNED = 1
"""Number of the entry that was designed on labels of the synthetic dataset."""


def make_entry(
    title: str, method: str, team: str, supervision: str, parameters: int, dataset: str = DATASET
) -> Entry:
    """What an ``entry.yaml`` says."""
    affiliated = {"affiliation": "University of Tartu", "orcid": "0000-0002-1825-0097"}
    seeds = "--seed 0 --seed 1 --seed 2"
    part = {
        "digest": "sha256:" + "a" * 64,
        "trained_on": dataset,
        "seeds": [0, 1, 2],
        "command": f"llpbench run {method} --dataset {dataset} {seeds}",
        "fit_seconds": 123.4,
        "footprint": {
            "parameters": parameters,
            "latency_p50_ms": round(parameters**0.5 / 50, 3),
            "multiply_adds": 576 * parameters,
            "label_uplink_bytes": 4840,
            "pixel_label_bytes": 9_000_000,
        },
    }
    content = {
        "format": 1,
        "team": team,
        "method": method,
        "title": title,
        "description": "Matches bag proportions by a mixture of patch embeddings.",
        "authors": [{"name": "Marie Õun", **affiliated}, {"name": "A. Pérez"}],
        "contact": "marie@example.org",
        "paper": {"title": "On bags", "url": "https://example.org/a", "doi": "10.1000/182"},
        "code": {"url": "https://example.org/code", "commit": "0" * 40},
        "licence": "CC-BY-4.0",
        "track": "inductive",
        "supervision": supervision,
        "selection": "Lowest squared error of validation divisions.",
        "deterministic": False,
        "hyperparameters": {"alpha": 1e-3, "words": 128},
        "hardware": "two cores",
        "datasets": {dataset: part},
    }
    return Entry.model_validate(content)


def make_standings(
    entries: int = 12, divisions: int = 60, tables: int = 2, elsewhere: int = 0, exported: int = 0
) -> Standings:
    """A board of so many ranked entries and three rows of other kinds in each table.

    On datasets ``elsewhere``, real ones, the last entry was not scored. On the synthetic one the
    best ``exported`` entries are there once more, predicted by files.
    """
    real = [_table("inductive", entries - 1, divisions, n) for n in range(1, elsewhere + 1)]
    made = [
        _table(track, entries if n == 0 else 3, divisions)
        for n, track in enumerate(("inductive", "disaggregation")[:tables])
    ]
    return Standings(
        tables=[*real, _with_files(made[0], exported), *made[1:]],
        scorer="1.0",
        llpbench_version="0.0",
        protocol=1,
        built="2026-11-28",
        links=[Link(title="Repository", url="https://example.org/llpbench")],
        overviews=[make_overview([*real, made[0]])] if real else [],
    )


def _with_files(table: Table, count: int) -> Table:
    """Files of the first rows, entries by rank; some are beaten, some in all but latency."""
    sizes = (400_000, 90_000, 100_000, 500_000, 95_000, 12_000)
    kinds = list(product(("litert", "onnx"), ("none", "int8")))
    files = []
    for n, row in enumerate(table.rows[:count]):
        assert row.part is not None
        file_format, quantize = kinds[n % 4]
        latency = 0.05 * 3.0 ** (n % 4)
        export = Export(
            file_format=file_format,
            quantize=quantize,
            bytes=sizes[n],
            digests=["sha256:" + "c" * 64] * 3,
            latency_p50_ms=latency,
            latency_p95_ms=1.5 * latency,
            memory_bytes=None if n == 1 else 1_000_000 * (n + 1),
        )
        part = row.part.model_copy(update={"export": export})
        same = {
            "id": f"{row.id}-file",
            "title": f"{row.title}, a file",
            "part": part,
            "tier": "scored",
        }
        files.append(row.model_copy(update={**same, "kind": "file", "rank": None}))
    return table.model_copy(update={"rows": sort_rows([*table.rows, *files])})


def make_overview(tables: list[Table]) -> Overview:
    """Skill in all tables, and its mean where there are all."""
    rows = {row.id: row for table in tables for row in table.rows if row.kind != "reported"}
    scores = {
        name: [
            next((row.metrics["skill"] for row in table.rows if row.id == name), None)
            for table in tables
        ]
        for name in rows
    }
    lines = [
        OverviewLine(
            id=name,
            kind=row.kind,
            title=row.title,
            team=row.team,
            scores=scores[name],
            aggregate=_mean([score for score in scores[name] if score], len(tables)),
        )
        for name, row in rows.items()
    ]
    lines.sort(key=lambda line: -(line.aggregate.value or 0) if line.aggregate else np.inf)
    return Overview(
        track="inductive",
        metric=Metric.of(BY_NAME["skill"]),
        datasets=[table.dataset for table in tables],
        titles=[table.title for table in tables],
        aggregated="mean",
        note="The mean is over all of these.",
        lines=lines,
    )


def _mean(scores: list[Score], datasets: int) -> Score | None:
    if len(scores) < datasets:
        return None
    means = np.array([[one.value, one.low, one.high] for one in scores], float).mean(axis=0)
    return Score(**dict(zip(("value", "low", "high"), means.tolist(), strict=True)))


def _table(track: str, entries: int, divisions: int, number: int = 0) -> Table:
    """Number 0 is synthetic, the others are real."""
    random = np.random.default_rng([entries, divisions, *([number] if number else [])])
    chips = np.random.default_rng(divisions).integers(3, 60, divisions)  # of the dataset
    dataset = f"real-{number}" if number else DATASET
    rows = [_row(random, n, entries, chips, dataset) for n in range(entries)]
    rows.sort(key=_mae)
    width = max(2, entries // 8)
    ranked = [
        row.model_copy(update={"rank": _rank(n, width, entries)}) for n, row in enumerate(rows)
    ]
    scored = [
        *ranked,
        _scored(random, "Train mean", "tartu", "reference", chips, 0.21, 5, dataset),
        _scored(random, "Chip supervised", "tartu", "bound", chips, 0.05, 5, dataset),
    ]
    return Table(
        dataset=dataset,
        track=track,
        title=f"Place {number}" if number else "Made land",
        synthetic=not number,
        finding="Made of random numbers, so that nobody is best.",
        doi="10.5281/zenodo.1",
        licence="CC-BY-4.0",
        attribution="",
        digest="sha256:" + "a" * 64,
        chips=int(chips.sum()),
        unscored_chips=2,
        metrics=[Metric.of(BY_NAME[name]) for name in METRICS],
        categories=[Category(name=name, colour=colour) for name, colour in GROUPS.items()],
        divisions=[
            Division(
                id=f"d{n}", name=f"Division {n}", chips=int(count), outline=_outline(n, divisions)
            )
            for n, count in enumerate(chips)
        ],
        examples=[
            ExampleChip(chip=f"chip-{n}", truth=_shares(random), image=PIXEL, label=PIXEL)
            for n in range(2)
        ],
        rows=[
            *scored,
            Row(
                id="reported:downconv",
                kind="reported",
                tier="reported",
                title="downconv",
                supervision="division",
                trained_on=dataset,
                metrics={"mae_hard": Score(value=0.068), "f1_micro": Score(value=0.636)},
                footprint={"parameters": 5189},
                source="arXiv:2306.12461",
            ),
        ],
        comparisons=[_compare(dataset, one, other) for one, other in combinations(scored[:20], 2)],
    )


def _rank(number: int, width: int, entries: int) -> Rank:
    low, high = max(1, number - width), min(entries, number + width)
    return Rank(rank=number + 1, low=low, high=high, group=1 + number // width)


def _compare(dataset: str, one: Row, other: Row) -> EntryComparison:
    """A plausible comparison; what it says of the difference is true."""
    difference = _mae(one) - _mae(other)
    p_value = round(float(np.exp(-abs(difference) * 200)), 6)
    return EntryComparison(
        dataset=dataset,
        metric="mae",
        first=one.id,
        second=other.id,
        difference=difference,
        low=difference - 0.01,
        high=difference + 0.01,
        p_value=p_value,
        corrected=min(1.0, 3 * p_value) if one.rank and other.rank else None,
    )


def _row(random: np.random.Generator, number: int, entries: int, chips: Any, dataset: str) -> Row:
    parameters = int(10 ** random.uniform(2, 7.5))
    level = 0.07 + 0.05 * random.random() + 0.1 * number / entries
    title = f"{FIRST[number % 9]} {SECOND[number // 9 % 8]} {number}"
    team = TEAMS[number % len(TEAMS)]
    row = _scored(random, title, team, "entry", chips, level, parameters, dataset)
    changes: dict[str, Any] = {"scored": f"2026-{1 + number % 9:02}-15"}
    if number % 3 == 0:
        changes["tier"] = "reproduced"
    if number == TUNED and row.entry is not None:
        changes["designed_here"] = dataset == DATASET
        changes["entry"] = row.entry.model_copy(update={"designed_on": [DATASET]})
    return row.model_copy(update=changes)


def _scored(
    random: np.random.Generator,
    title: str,
    team: str,
    kind: Literal["entry", "reference", "bound"],
    chips: Any,
    level: float,
    parameters: int,
    dataset: str,
) -> Row:
    supervision = "chip" if kind == "bound" else "division"
    entry = make_entry(
        title, title.lower().replace(" ", "-"), team, supervision, parameters, dataset
    )
    result = _result(random, entry.name, chips, level, dataset)
    part = entry.datasets[dataset]
    return Row(
        id=entry.name,
        kind=kind,
        tier="scored",
        title=title,
        team=team,
        supervision=supervision,
        trained_on=dataset,
        metrics=result.metrics,
        footprint=part.footprint.model_dump(),
        entry=entry,
        part=part,
        result=result,
    )


def _result(
    random: np.random.Generator, entry: str, chips: Any, level: float, dataset: str
) -> Result:
    errors = (chips * level * random.gamma(9, 1 / 9, len(chips))).round(9)
    mae = float(errors.sum() / chips.sum())
    digests = Digests(dataset="sha256:a", predictions=["sha256:b"], scorer="1.0")
    shares = np.sort(random.random((5, 10)), axis=1)
    return Result(
        entry=entry,
        dataset=dataset,
        digests=digests,
        metrics={
            "mae": _score(random, mae, by_class=True),
            "mae_hard": _score(random, mae * 1.1, by_class=True),
            "f1_micro": _score(random, 1 - 4 * mae, by_class=True),
            "skill": _score(random, 1 - mae / 0.2),
            "division_consistency": _score(random, mae * 0.5),
            "within_division_r2": _score(random, 0.9 - 5 * mae),
        },
        seeds={"0": mae - 1e-3, "1": mae, "2": mae + 1e-3},
        errors=[errors.tolist()],
        chips=int(chips.sum()),
        unscored_chips=2,
        note="",
        reliability={
            name: [(round(float(p), 4), round(float(p) ** 1.1, 4), 10) for p in shares[k]]
            for k, name in enumerate(GROUPS)
        },
        examples={f"chip-{n}": _shares(random) for n in range(2)},
        pixels=PixelScores(
            digests=digests,
            metrics={},
            sums={},
            examples={
                f"chip-{n}": "".join(map(str, random.integers(0, 5, 24 * 24))) for n in range(2)
            },
        ),
        rerun=Rerun(predictions=["sha256:b"], value=mae, inside=True, llpbench_version="0.0"),
    )


def _shares(random: np.random.Generator) -> list[float]:
    return list(random.dirichlet(np.ones(5)).round(4).tolist())


def _score(random: np.random.Generator, value: float, *, by_class: bool = False) -> Score:
    half = 0.004 + 0.004 * random.random()
    classes = {name: float(value * random.uniform(0.5, 1.5)) for name in GROUPS}
    score = Score(
        value=value, low=value - half, high=value + half, per_class=classes if by_class else {}
    )
    return score.rounded(9)


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
