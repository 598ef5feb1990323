"""How often intervals hold the truth with few divisions, and whether interval and test agree.

    python benchmarks/interval_coverage.py [--simulations 1000] [--out docs/protocol-coverage]

Simulated score tables: divisions of log-normal size (sigma .75), errors of two methods that share a
part with their division, skewed (log-normal, gamma) or not, with or without correlation to size.
Writes ``coverage.csv`` (a row for each table, number of divisions, quantity and method; ``below``
counts intervals that lie below the truth), ``coverage.png``, and ``seeds.csv`` for differences
between means over three seeds; prints the tables of ``docs/protocol.md``. About five CPU minutes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from small_png import write_small

from llpbench.statistics import division_interval, sign_flip_test

Array = NDArray[np.float64]
TABLES = {
    "even tails": ("normal", 0.0),
    "gamma": ("gamma", 0.0),
    "log-normal": ("log-normal", 0.0),
    "larger are worse": ("log-normal", 0.3),
    "larger are better": ("log-normal", -0.3),
}
DIVISIONS = (12, 18, 22, 31, 60, 100)
SEEDS = 3
SEED_VARIANCES = ((0, 2), (1, 2), (1, 1), (4, 2), (4, 1))  # multiple of divisions, methods
DRAWS = 999
TAIL = 0.025


def spread(generator: np.random.Generator, kind: str, variation: float, shape: object) -> Array:
    """Positive numbers of mean 1 with a coefficient of variation."""
    if kind == "gamma":
        return generator.gamma(variation**-2, variation**2, shape)
    if kind == "log-normal":
        sigma = np.log1p(variation**2) ** 0.5
        return generator.lognormal(-(sigma**2) / 2, sigma, shape)
    return np.clip(1 + variation * generator.standard_normal(shape), 0.02, 1.98)


def tables(
    generator: np.random.Generator, kind: str, power: float, shape: tuple[int, int]
) -> tuple[Array, Array, Array]:
    """Error sums of two methods and numbers of chips, (simulation, division) each."""
    weight = generator.lognormal(0, 0.75, shape)
    chips = np.maximum(1, np.round(9 * weight))
    shared = 0.06 * weight**power * spread(generator, kind, 0.5, shape) * chips
    first, second = spread(generator, kind, 0.35, (2, *shape))
    return shared * first, shared * second, chips


def percentile(errors: Array, chips: Array, draws: Array) -> tuple[Array, Array]:
    """Percentiles of resampled ratios, and their bootstrap-t limits by linearised errors."""
    number = len(chips)
    ratio, total = (draws @ errors) / (draws @ chips), draws @ chips
    value = errors.sum() / chips.sum()
    squares = draws @ errors**2 - 2 * ratio * (draws @ (errors * chips))
    squares += ratio**2 * (draws @ chips**2)
    error = np.sqrt(np.maximum(squares, 0) * number / (number - 1)) / total
    own = np.sqrt(np.square(errors - value * chips).sum() * number / (number - 1)) / chips.sum()
    studentised = (ratio - value) / np.where(error > 1e-6 * own, error, np.nan)
    return np.quantile(ratio, [TAIL, 1 - TAIL]), value - own * np.nanquantile(
        studentised, [1 - TAIL, TAIL]
    )


def corrected_percentile(errors: Array, chips: Array, draws: Array) -> Array:
    """BCa limits (Efron 1987)."""
    ratio, value = (draws @ errors) / (draws @ chips), errors.sum() / chips.sum()
    bias = stats.norm.ppf(np.clip((ratio < value).mean(), 1e-3, 1 - 1e-3))
    without = (errors.sum() - errors) / (chips.sum() - chips)
    moved = without.mean() - without
    skew = (moved**3).sum() / (6 * (moved**2).sum() ** 1.5)
    z = bias + stats.norm.ppf([TAIL, 1 - TAIL])
    return np.quantile(ratio, stats.norm.cdf(bias + z / (1 - skew * z)))


def intervals(
    quantity: str, sums: tuple[Array, Array, Array], generator: np.random.Generator
) -> Iterator[tuple[str, float, float, float]]:
    """Method, its limits and CPU seconds, of the error of one method or of the difference."""
    first, second, chips = sums
    errors = first - (second if quantity == "difference" else 0)
    start = process_time()
    draws = generator.multinomial(len(chips), np.full(len(chips), 1 / len(chips)), DRAWS)
    both = percentile(errors, chips, draws.astype(float))
    cost = (process_time() - start) / 2
    yield "percentile", *both[0], cost
    yield "bootstrap-t", *both[1], cost
    yield "BCa", *corrected_percentile(errors, chips, draws.astype(float)), cost
    share = chips / chips.sum()
    value = errors.sum() / chips.sum()
    error = np.sqrt(np.square((errors / chips - value) * share).sum())
    wide = stats.t.ppf(1 - TAIL, len(chips) - 1) * error
    yield "linearised t", value - wide, value + wide, 0.0
    one = np.column_stack([errors, chips])
    start = process_time()
    plain = division_interval(one)
    cost = process_time() - start
    yield "jackknife t, effective df", float(plain.low), float(plain.high), cost
    if quantity == "score":
        root = division_interval(one, least=0, most=1)
        yield "same on arcsine scale", float(root.low), float(root.high), cost
    start = process_time()
    test = sign_flip_test(one, one * [0, 1], draws=DRAWS)
    yield "sign flips inverted", float(test.low), float(test.high), process_time() - start
    assert (test.p_value < 2 * TAIL) == (test.low > 0 or test.high < 0)


def simulate(simulations: int) -> pd.DataFrame:
    """Coverage, misses, widths and cost of every method."""
    rows = []
    for name, (kind, power) in TABLES.items():
        generator = np.random.default_rng(0)
        first, _second, chips = tables(generator, kind, power, (200_000, 10))
        truths = {"score": first.sum() / chips.sum(), "difference": 0.0}
        for divisions in DIVISIONS:
            made = tables(generator, kind, power, (simulations, divisions))
            for quantity, truth in truths.items():
                found: dict[str, list[tuple[float, float, float]]] = {}
                for sums in zip(*made, strict=True):
                    for method, *limits in intervals(quantity, sums, generator):
                        found.setdefault(method, []).append(tuple(limits))
                for method, limits in found.items():
                    low, high, cost = np.array(limits).T
                    rows.append(
                        {
                            "table": name,
                            "divisions": divisions,
                            "quantity": quantity,
                            "method": method,
                            "coverage": np.mean((low <= truth) & (truth <= high)),
                            "below": np.mean(high < truth),
                            "above": np.mean(low > truth),
                            "median_width": np.median(high - low),
                            "p99_width": np.quantile(high - low, 0.99),
                            "cpu_ms": 1000 * cost.mean(),
                        }
                    )
    return pd.DataFrame(rows)


def table_of(found: pd.DataFrame) -> str:
    """Mean and worst coverage of the tables as lines of Markdown."""
    coverage = found.groupby(["quantity", "method", "divisions"])["coverage"].agg(["mean", "min"])
    lines = [
        "| of | interval | " + " | ".join(map(str, DIVISIONS)) + " |",
        "|---" * (2 + len(DIVISIONS)) + "|",
    ]
    for names, own in coverage.groupby(level=["quantity", "method"]):
        cells = (f"{mean:.3f}, {worst:.3f}" for mean, worst in own.to_numpy())
        lines.append("| " + " | ".join([*names, *cells]).replace("0.", ".") + " |")
    return "\n".join(lines)


def simulate_seeds(simulations: int) -> pd.DataFrame:
    """How often differences between means over seeds hold 0, and are told apart at .01.

    Every seed shifts all errors of its method. The variance which that gives the difference is a
    multiple of what the divisions give it, and comes from both methods or from one alone.
    """
    rows = []
    for number, (name, (kind, power)) in enumerate(TABLES.items(), 1):
        generator = np.random.default_rng(number)
        for divisions in (12, 22, 60):
            first, second, chips = tables(generator, kind, power, (simulations, divisions))
            between = np.var((first - second).sum(axis=1) / chips.sum(axis=1))
            for multiple, varied in SEED_VARIANCES:
                spread_of_seeds = np.sqrt(multiple * between * SEEDS / varied)
                held = rejected = 0
                for one, two, size in zip(first, second, chips, strict=True):
                    shifts = spread_of_seeds * generator.standard_normal((2, SEEDS, 1))
                    shifts[varied:] = 0
                    errors = np.stack([one, two])[:, np.newaxis] + shifts * size
                    sums = np.stack(np.broadcast_arrays(errors, size), axis=-1)
                    test = sign_flip_test(*sums, draws=DRAWS)
                    held += test.low <= 0 <= test.high
                    rejected += test.p_value < 0.01
                rows.append(
                    {
                        "table": name,
                        "divisions": divisions,
                        "multiple": multiple,
                        "methods": varied,
                        "coverage": held / simulations,
                        "rejected_at_.01": rejected / simulations,
                    }
                )
    return pd.DataFrame(rows)


def draw(found: pd.DataFrame, path: Path) -> None:
    """Mean and worst coverage of tables, by number of divisions."""
    methods = list(found["method"].unique())
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.4), sharey=True, layout="constrained")
    for axis, quantity in zip(axes, ("score", "difference"), strict=True):
        part = found[found["quantity"] == quantity]
        for method, own in part.groupby("method", sort=False):
            number = methods.index(method)
            mean = own.groupby("divisions")["coverage"].mean()
            style = {"color": f"C{number}", "marker": "osD^vPX"[number], "markersize": 5}
            axis.plot(range(len(mean)), mean, label=method, **style)
            worst = own.groupby("divisions")["coverage"].min()
            axis.plot(range(len(worst)), worst, color=style["color"], linestyle=":", linewidth=1)
        axis.axhline(0.95, color="black", linewidth=1)
        axis.set_xticks(range(len(DIVISIONS)), [str(one) for one in DIVISIONS])
        axis.set_xlabel("divisions")
        axis.set_title("error of one method" if quantity == "score" else "paired difference")
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("95 % intervals that hold the truth\nmean of five tables; dotted: the worst")
    axes[0].legend(frameon=False, fontsize=9)
    write_small(figure, path, dpi=110)


def main() -> None:
    """Simulate, write the table, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("docs/protocol-coverage"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = simulate(options.simulations)
    found.round(5).to_csv(options.out / "coverage.csv", index=False)
    draw(found, options.out / "coverage.png")
    print(table_of(found))
    seeds = simulate_seeds(options.simulations)
    seeds.round(5).to_csv(options.out / "seeds.csv", index=False)
    print(seeds.groupby(["multiple", "methods", "divisions"])[list(seeds)[-2:]].mean())


if __name__ == "__main__":
    main()
