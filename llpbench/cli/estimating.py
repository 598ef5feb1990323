"""Class areas of polygons, and chips to label for them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llpbench.cli import options
from llpbench.cli.output import LOG, echo, print_rows, print_table

if TYPE_CHECKING:
    import xarray as xr

    from llpbench.uncertainty.error_model import ErrorModel

NO_INTERVALS = (
    "there are no intervals, as predictions alone do not say how wrong they are: give the folder "
    "of `llpbench crossvalidate` with --crossvalidation; or draw chips to label with `llpbench "
    "estimate ... --sample 100 -o sample.geojson`, fill in shares, and give them with --labels"
)


@click.command()
@options.predictions_argument
@options.predicted_option
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test", "all"]),
    help="Which chips count: by default all that a file holds, or what the run predicted.",
)
@click.option(
    "--divisions", type=options.PATH, help="File of polygons, by default the whole region."
)
@click.option(
    "--by", "--division-id", "by", metavar="COLUMN", help="Column of the ids or names of polygons."
)
@click.option("--layer", help="Layer of polygons, where their file has several.")
@options.crossvalidation_option
@click.option("--labels", type=options.PATH, help="Table of labelled chips or points.")
@click.option(
    "--design",
    type=click.Choice(["simple", "stratified", "division"]),
    help="How the labelled chips were drawn; by default by strata where they have some, else at "
    "random.",
)
@click.option(
    "--estimator",
    type=click.Choice(["tuned", "difference", "regression", "labels"]),
    default="tuned",
    help="How the map helps the labels.",
)
@click.option(
    "--small-areas",
    is_flag=True,
    help="Estimate many divisions with few labels each, after Fay and Herriot.",
)
@click.option(
    "--sample", type=options.COUNT, metavar="N", help="Draw N chips to label, and estimate nothing."
)
@click.option("--seed", type=options.SEED, default=0, help="Seed of the draw.")
@options.out_option("File of areas, a .csv or .parquet; of --sample a .geojson.")
@options.wide_option
@options.json_option
def estimate(
    predictions: Path,
    dataset: str | None,
    split: str | None,
    sample: int | None,
    seed: int,
    out: Path | None,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Estimate areas of classes in polygons, in km², from predictions and any labels.

    PREDICTIONS are a file, or those of a run, given by its folder. With --crossvalidation, or a run
    of METHOD+interval, areas have 95 % intervals, from how far off held-out divisions were; those
    of --labels hold however wrong the map is.
    """
    from llpbench.errors import LLPBenchError
    from llpbench.running.mapping import find_predictions

    used = [predictions, *(chosen[name] for name in ("labels", "divisions", "crossvalidation"))]
    if sample is not None and any(used[1:]):
        raise LLPBenchError(
            "a sample is drawn of all predicted chips, before there are labels: leave --labels, "
            "--divisions and --crossvalidation away"
        )
    if chosen["labels"] and chosen["crossvalidation"]:
        raise LLPBenchError(
            "intervals follow from labels or from held-out divisions: give --labels or "
            "--crossvalidation"
        )
    if out is not None:
        _check_out(out, [path for path in used if path is not None], sample is not None)
    found, ds = find_predictions(predictions, dataset, split)
    if sample is not None:
        _draw(found, ds, sample, seed, out, as_json)
        return
    folder = chosen.pop("crossvalidation")
    chosen["errors"] = None if chosen["labels"] else _errors(predictions, folder, found, ds)
    _estimate(found, ds, out, as_json, chosen)


def _errors(
    source: Path, folder: Path | None, found: xr.Dataset, ds: xr.Dataset
) -> ErrorModel | None:
    """How wrong predictions are, from a cross-validation or the run that learned intervals."""
    from llpbench.running.fold_errors import read_fold_errors, read_run_errors

    if folder is None:
        return read_run_errors(source, found.sizes["category"])
    return read_fold_errors(folder, found, ds)


def _check_out(out: Path, used: list[Path], is_sample: bool) -> None:
    """Refuse, before anything is done, a file that cannot be written or is one of those read."""
    from llpbench.errors import LLPBenchError
    from llpbench.estimation.sampling import check_place
    from llpbench.estimation.writing import check_ending

    if any(out.exists() and path.exists() and out.samefile(path) for path in used):
        raise LLPBenchError(f"{str(out)!r} is what areas are estimated from; choose another --out")
    (check_place if is_sample else check_ending)(out)


def _estimate(
    found: xr.Dataset, ds: xr.Dataset, out: Path | None, as_json: bool, chosen: dict[str, Any]
) -> None:
    from llpbench.estimation import estimate_areas
    from llpbench.style import category_colours

    areas = estimate_areas(found, ds, **chosen)
    if not as_json:
        echo(f"{areas}\n")
    table = areas.table().astype(object)
    rows: Any = table.where(table.notna(), None).to_dict("records")
    print_rows(rows if as_json else [_shown(row) for row in rows], as_json, prose=("class",))
    for remark in areas.remarks():
        LOG.warning(remark)
    if not areas.has_intervals and not chosen["labels"]:
        LOG.warning(NO_INTERVALS)
    if out is not None:
        from llpbench.estimation.writing import write_areas

        colours = category_colours(ds.llp.group())
        LOG.info("written to %s", " and ".join(map(str, write_areas(areas, out, colours))))


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    effective = row["effective_sample"]
    shown = {name: row[name] for name in ("name", "class", "km2", "low", "high")}
    return {
        **{name: round(v, 2) if isinstance(v, float) else v for name, v in shown.items()},
        "covered": f"{row['covered']:.0%}",
        "labels' worth": None if effective is None else round(effective),
    }


def _draw(
    found: xr.Dataset, ds: xr.Dataset, count: int, seed: int, out: Path | None, as_json: bool
) -> None:
    from llpbench.estimation.sampling import (
        draw_sample,
        expected_widths,
        fewest_chips,
        sample_table,
        write_sample,
    )
    from llpbench.predictions.part import check_part

    predictions, part = check_part(found, ds.llp.group())
    shares = predictions["proportions"].to_numpy().astype(float)
    drawn = draw_sample(shares, count, seed)
    half = max(count // 2, fewest_chips(shares))
    counts = sorted({min(n, len(shares)) for n in (half, count, 2 * count, 4 * count)})
    widths = expected_widths(shares, counts)
    names = [str(name) for name in part["category_name"].to_numpy()]
    rows = [
        {"labels": n, **dict(zip(names, map(float, widths.loc[n]), strict=True))} for n in counts
    ]
    print_rows(rows, True) if as_json else print_table(rows)
    LOG.info(
        "width of 95 % intervals of mean shares, from labels alone, if shares are spread as they "
        "are predicted to be; with the map's help they are narrower"
    )
    if out is not None:
        write_sample(sample_table(part, *drawn), out)
        LOG.info("fill in the shares of the %d chips in %s and give it with --labels", count, out)
