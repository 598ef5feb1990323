"""Tables as offices write them: read right, or refused in one sentence that says what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from own_region import OwnRegion, write_divisions
from spreadsheets import write_ods, write_xlsx

import llpbench
from llpbench.cli import cli
from llpbench.data.building import build_region
from llpbench.data.building.joining import Joining
from llpbench.data.building.table_files import Cells, read_cells
from llpbench.data.building.table_numbers import parse
from llpbench.errors import BuildError, LLPBenchError

pytestmark = pytest.mark.usefixtures("outlines_read_here")

GROUPS = ["other", "tree", "shrub-grass-bare", "cropland", "built-up"]
CODES = ["05001", "05002", "15001", "15002"]
SHARES = np.array(
    [
        [0.125, 0.5, 0.125, 0.0625, 0.1875],
        [0.25, 0.125, 0.25, 0.3125, 0.0625],
        [0.0625, 0.0625, 0.625, 0.125, 0.125],
        [0.5, 0.1875, 0.0625, 0.125, 0.125],
    ]
)
"""By division of ``place``, of the class groups of ESA WorldCover."""

AREAS = np.array([2.0, 2.8, 3.0, 4.2])
"""Of the divisions in ha."""


@pytest.fixture
def place(tmp_path: Path) -> OwnRegion:
    return OwnRegion(tmp_path)


def _recipe(place: OwnRegion, **options: Any) -> Any:
    """Divisions of 2 to 4.2 chips of a hectare, told by ``code``."""
    corners = {0: (0, 0, 2, 1), 1: (2, 0, 4.8, 1), 2: (0, 1, 3, 2), 3: (0, 2, 4.2, 3)}
    outlines = {code: place.box(*corners[n]) for n, code in enumerate(CODES)}
    columns = options.pop("outline_columns", {"code": CODES})
    made = place.divisions(outlines).drop(columns=["code", "name"]).assign(**columns).to_crs(4326)
    divisions = write_divisions(place.folder / "d.geojson", made)
    options = {"labels": (), "legend": "esa-worldcover", **options}
    return place.recipe(divisions=divisions, **options)


def _text(
    rows: Any,
    form: Callable[[float], str] = "{:.6f}".format,
    separator: str = ",",
    heading: Sequence[str] = ("code", *GROUPS),
    ids: Sequence[object] = CODES,
) -> str:
    lines = [[str(key), *map(form, row)] for key, row in zip(ids, rows, strict=True)]
    return "".join(separator.join(line) + "\n" for line in [list(heading), *lines])


def _build(place: OwnRegion, content: str | bytes | Path, **options: Any) -> tuple[Any, str]:
    """Shares by division and class of a table, and all remarks."""
    path = content if isinstance(content, Path) else place.folder / "t.csv"
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        path.write_bytes(content)
    region, remarks = build_region(_recipe(place, shares=path, **options))
    names = [entry.name for entry in region.label_set.classes]
    table = pd.DataFrame(region.division_proportions, region.divisions.index, names)
    return table, "\n".join(remarks)


def _comma(digits: int, between: str = "") -> Callable[[float], str]:
    def form(number: float) -> str:
        whole, part = f"{number:,.{digits}f}".split(".")
        return f"{whole.replace(',', between)},{part}"

    return form


HA = SHARES * AREAS[:, None]
READ: dict[str, str | bytes] = {
    "semicolons": _text(SHARES, separator=";"),
    "tabs": _text(SHARES, separator="\t"),
    "bars": _text(SHARES, separator="|"),
    "decimal comma": _text(SHARES, _comma(4), ";"),
    "quoted decimal comma": _text(SHARES, lambda v: f'"{v:.4f}"'.replace(".", ",")),
    "1.234,5": _text(HA * 1e4, _comma(1, "."), ";"),
    "1 234,5": _text(HA * 1e4, _comma(1, " "), ";"),
    "1 234,5 with narrow spaces": _text(HA * 1e4, _comma(1, "\u202f"), ";"),
    "1'234.5": _text(HA * 1e4, lambda v: f"{v:,.1f}".replace(",", "'")),
    "1,234": _text(HA * 1e4, lambda v: f'"{v:,.0f}"'),
    "1.234": _text(HA * 1e4, lambda v: f"{v:,.0f}".replace(",", "."), ";"),
    "three decimals": _text(SHARES * 100, "{:.3f}".format),
    "a byte order mark": _text(SHARES).encode("utf-8-sig"),
    "utf-16": _text(SHARES).encode("utf-16"),
    "old line ends": _text(SHARES).replace("\n", "\r"),
    "lines above": "Land use\nYear,2021\n\n" + _text(SHARES),
    "comments": "# made by a program\n" + _text(SHARES),
    "separators at the ends": _text(SHARES).replace("\n", ",\n"),
    "square metres": _text(HA * 1e4),
    "hectares": _text(HA),
    "square kilometres in the heading": _text(
        HA / 100, heading=["code", *[f"{name} (km²)" for name in GROUPS]]
    ),
    "two units of area": _text(
        HA * [1, 1, 1, 0.01, 0.01],
        heading=["code", *[f"{g}_ha" for g in GROUPS[:3]], "cropland_km2", "built-up (sq km)"],
    ),
    "percent": _text(SHARES * 100),
    "marks of estimates": _text(SHARES * 100, "{:.4f} b".format),
    "a mark of a footnote": _text(SHARES * 100).replace("50.000000", "50.000000*"),
    "a line of units": _text(HA).replace("\n", "\n,ha,ha,ha,ha,ha\n", 1),
    "numbers of no class": "".join(
        f"{line},{number},4.5\n"
        for number, line in zip(["prov_code", 5, 5, 5, 5], _text(HA).splitlines(), strict=True)
    ).replace("4.5", "lon", 1),
    "percent signs": _text(SHARES * 100, "{:.4f} %".format),
    "percent in the heading": _text(SHARES * 100, heading=["code", *[f"% {g}" for g in GROUPS]]),
    "notes": "".join(
        f"{line},{note}\n"
        for line, note in zip(
            _text(SHARES).splitlines(), ["note", "", "see p. 3", "", ""], strict=True
        )
    ),
    "an index": "".join(
        f"{number},{line}\n"
        for number, line in zip(["", 1, 2, 3, 4], _text(SHARES).splitlines(), strict=True)
    ),
}


@pytest.mark.parametrize("case", READ)
def test_tables_are_read_however_they_are_written(case: str, place: OwnRegion) -> None:
    found, _remarks = _build(place, READ[case])
    np.testing.assert_allclose(found.loc[CODES, GROUPS], SHARES, atol=1e-3)


@pytest.mark.parametrize("ending", ["xlsx", "ods", "parquet"])
def test_other_files_than_csv(ending: str, place: OwnRegion) -> None:
    path = place.folder / f"t.{ending}"
    rows = [["code", *GROUPS], *([k, *v] for k, v in zip(CODES, SHARES.tolist(), strict=True))]
    if ending == "parquet":
        pd.DataFrame(rows[1:], columns=rows[0]).set_index("code").to_parquet(path)
    else:
        write = write_xlsx if ending == "xlsx" else write_ods
        write(path, {"Notes": [["Land use"]], "Data 2021": [["Land use, 2021"], [], *rows]})
        with pytest.raises(BuildError, match="2 sheets, 'Notes', 'Data 2021': name one with --she"):
            _build(place, path)
        with pytest.raises(LLPBenchError, match="no sheet 'Data'; did you mean 'Data 2021'"):
            _build(place, path, sheet="Data")
    options = {} if ending == "parquet" else {"sheet": "2"}
    found, remarks = _build(place, path, **options)
    np.testing.assert_allclose(found.loc[CODES, GROUPS], SHARES)
    assert ending == "parquet" or "'Land use, 2021'" in remarks
    if options:
        by_name, _remarks = _build(place, path, sheet="Data 2021")
        pd.testing.assert_frame_equal(by_name, found)


def test_a_long_text_in_many_rows_is_kept_once(tmp_path: Path) -> None:
    """20,000 times 20 kB, which are 20 kB in the file: told by the texts being one object."""
    notes = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000, pa.int32()), ["x" * 20_000])
    table = pa.table(
        {"code": [str(n) for n in range(20_000)], "note": notes, "tree": [0.5] * 20_000}
    )
    pq.write_table(table, tmp_path / "t.parquet", store_schema=False)
    assert len({id(note) for note in read_cells(tmp_path / "t.parquet").values["note"]}) == 1


def test_a_spreadsheet_that_would_take_all_memory_is_refused(place: OwnRegion) -> None:
    """Two cells at opposite ends of a sheet: 17 thousand million in between."""
    cells = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"/></row>'
    cells = cells.replace('"XFD1048576"/>', '"XFD1048576"><v>1</v></c>')
    path = write_xlsx(place.folder / "t.xlsx", {"S": cells})
    with pytest.raises(BuildError, match="too large for a table of shares; save its sheet as csv"):
        _build(place, path)


# Units, sums and gaps


@pytest.mark.parametrize(("unit", "in_ha"), [("ha", 1.0), ("km2", 0.01), ("m2", 1e4)])
def test_what_areas_leave_over_is_a_class(unit: str, in_ha: float, place: OwnRegion) -> None:
    """The legend has a group 'other' in which it belongs; without legend it is a new class."""
    content = _text(HA[:, 1:] * in_ha, heading=["code", *GROUPS[1:]])
    for legend in ("esa-worldcover", "auto"):
        found, remarks = _build(place, content, legend=legend)
        np.testing.assert_allclose(found.loc[CODES, GROUPS], SHARES, atol=2e-3)
        assert f"holds areas in {unit}, which fill 49.9" in remarks
        assert "the rest became 'other'" in remarks
    assert list(found) == [*GROUPS[1:], "other"]


def test_one_class_of_small_areas_needs_a_unit(place: OwnRegion) -> None:
    """A hundredth of the region in hectares could as well be all of it in square kilometres."""
    small = _text(HA[:, 1:2] / 100, heading=["code", "vineyards"])
    with pytest.raises(BuildError, match="say the unit with --unit"):
        _build(place, small, legend="auto")
    expected = np.stack([SHARES[:, 1] / 100, 1 - SHARES[:, 1] / 100], axis=1)
    named = small.replace("vineyards", "vineyards [ha]")
    for content, options in ((small, {"unit": "ha"}), (named, {})):
        found, _remarks = _build(place, content, legend="auto", **options)
        np.testing.assert_allclose(found.loc[CODES, ["vineyards", "other"]], expected, atol=1e-3)


@pytest.mark.parametrize("digits", [0, 2])
def test_rounded_rows_are_divided_by_their_sums(digits: int, place: OwnRegion) -> None:
    rows = np.round(100 * SHARES, digits)
    found, remarks = _build(place, _text(rows, f"{{:.{digits}f}}".format))
    expected = rows / rows.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.loc[CODES, GROUPS], expected, atol=1e-6)
    assert ("as rounding does" in remarks) == (digits == 0)


def test_sums_beyond_rounding_are_divided_if_asked(place: OwnRegion) -> None:
    """Five classes of two decimals may be 0.025 off, and no more."""
    near, far = (SHARES * factor for factor in (1.06, 1.2))
    with pytest.raises(BuildError, match="take sums up to 10% off with --renormalise"):
        _build(place, _text(near, "{:.2f}".format))
    found, remarks = _build(place, _text(near), renormalise=True)
    np.testing.assert_allclose(found.loc[CODES, GROUPS], SHARES, atol=1e-5)
    assert "within the 10% of --renormalise" in remarks
    with pytest.raises(BuildError, match="also not within the 10% of --renormalise"):
        _build(place, _text(far), renormalise=True, unit="fraction")


def test_gaps_are_said_and_make_short_rows_unknown(place: OwnRegion) -> None:
    for sign in (":", "..", "n/a", "-", ""):
        content = _text(SHARES).replace("05001,0.125000,", f"05001,{sign},")
        found, remarks = _build(place, content)
        assert np.isnan(found.loc["05001"]).all()
        assert "the shares of 1 divisions are unknown for gaps in their rows: '05001'" in remarks
        assert f"1 cells hold no number ('{sign}')" in remarks
        np.testing.assert_allclose(found.loc[CODES[1:], GROUPS], SHARES[1:], atol=1e-5)


def test_a_gap_in_areas_is_not_the_rest(place: OwnRegion) -> None:
    heading = ["code", *GROUPS[1:]]
    content = _text(HA[:, 1:], heading=heading).replace("05001,1.000000,", "05001,:,")
    found, _remarks = _build(place, content)
    assert np.isnan(found.loc["05001"]).all()
    np.testing.assert_allclose(found.loc[CODES[1:], GROUPS], SHARES[1:], atol=2e-3)


REFUSED = {
    "a cell below what is measured": (
        _text(SHARES * 100, "{:.4f}".format).replace("6.2500", "<6.3", 1),
        "column 'cropland' must hold numbers, found '<6.3'; .* with --column",
    ),
    "percentages of some classes": (
        _text(SHARES[:, 1:3] * 100, heading=["code", "tree", "shrub-grass-bare"]),
        "sum to 100, but those of 4 do not .* add a column of what is left over",
    ),
    "fractions or hectares of some classes": (
        _text(SHARES[:, 1:3], heading=["code", "tree", "shrub-grass-bare"]),
        "may be in fraction or ha: .* say it with --unit",
    ),
    "ids with names behind": (
        _text(SHARES, ids=[f"{code} - Lier" for code in CODES]),
        "'05001 - Lier' says more than the id alone: write the ids of both files alike",
    ),
    "ids with a country in front": (
        _text(SHARES, ids=[f"CO{code}" for code in CODES]),
        "'CO05001' says more than the id alone",
    ),
    "rows in two units": (
        _text(np.concatenate([SHARES[:2], 100 * SHARES[2:]])),
        "rows are in different units: some sum to what 'fraction' would, others to what 'percent'",
    ),
    "areas larger than the division": (
        _text(HA * 1.2, heading=["code", *[f"{g}_ha" for g in GROUPS]]),
        "must not exceed that of its outline, but those of 4 do, such as '[01]500[12]' with",
    ),
    "a heading that says another unit": (
        _text(HA / 100, heading=["code", *[f"{g}_ha" for g in GROUPS]]),
        "the heading says 'ha', but the rows sum to .* as 'km2' would",
    ),
    "percent in the heading of fractions": (
        _text(SHARES, heading=["code", *[f"{g} (%)" for g in GROUPS]]),
        "the heading says 'percent', .* as 'fraction' would",
    ),
    "shares and areas": (
        _text(HA, heading=["code", "other_pct", *[f"{g}_ha" for g in GROUPS[1:]]]),
        "columns are in 'ha', 'percent'; keep those of one unit",
    ),
    "a point and a comma": (
        _text(SHARES).replace("0.500000", '"0,5"'),
        "some numbers have a decimal point, others a decimal comma",
    ),
    "unquoted decimal commas": (
        _text(SHARES, _comma(4)),
        "lines have more cells than the heading",
    ),
    "no heading": (_text(SHARES).split("\n", 1)[1], "must have a heading"),
    "100,000 columns": (
        _text(np.zeros((1, 100_000)), "{:.0f}".format, heading=["code"] * 100_001, ids=["05001"]),
        "more than 1,000 columns",
    ),
    "one line without end": ("a" * 2_000_000, "more than 1,000 columns"),
    "bytes": (b"a,b\n\0,1\n", "is no text; save the table as csv in UTF-8"),
    "nothing": (b"", "is empty"),
    "a zip of something else": (b"PK\x03\x04" + bytes(90), "cannot be read as a spreadsheet"),
    "parquet of something else": (b"PAR1" + bytes(90), "cannot be read as parquet"),
    "gzip": (b"\x1f\x8b" + bytes(90), "is compressed; unpack it first"),
    "two columns of one name": (
        _text(SHARES, heading=["code", "tree", "tree", *GROUPS[2:]]),
        "found twice: 'tree'",
    ),
    "a class in two units": (
        _text(SHARES[:, :2], heading=["code", "tree_ha", "tree_pct"]),
        "columns 'tree_ha' and 'tree_pct' are both of 'tree'",
    ),
    "a group and a class of it": (
        _text(
            SHARES[:, :3] / SHARES[:, :3].sum(axis=1, keepdims=True),
            heading=["code", "other", "shrub-grass-bare", "grassland"],
        ),
        "columns of the groups 'shrub-grass-bare' and of classes in them",
    ),
    "ids that a spreadsheet cut": (_text(SHARES, ids=["1.23E+12"] * 4), "has cut long ids"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_in_one_sentence(case: str, place: OwnRegion) -> None:
    content, expected = REFUSED[case]
    with pytest.raises(BuildError, match=expected) as caught:
        _build(place, content)
    assert "\n" not in str(caught.value)


def test_a_table_is_checked_before_a_raster_is_opened(place: OwnRegion) -> None:
    with pytest.raises(BuildError, match="must hold numbers, found 'half'"):
        _build(place, _text(SHARES).replace("0.500000", "half"), images=[place.folder / "none.tif"])


def test_classes_that_columns_make_are_named(place: OwnRegion) -> None:
    """A column of numbers that is no class would else be one without a word."""
    _found, remarks = _build(place, _text(SHARES), legend="auto")
    assert "the classes are its columns of numbers: 'other', 'tree', 'shrub-grass-bare'" in remarks


def test_rows_that_are_left_out_are_named(place: OwnRegion) -> None:
    total = "Totaal," + ",".join(map(str, HA.sum(axis=0))) + "\n"
    content = _text(HA[:3], ids=CODES[:3]) + "99999,1,1,1,1,1\n" + total
    found, remarks = _build(place, content)
    assert "'Totaal' is the total of other rows" in remarks
    assert "1 rows are of no division and were left out: '99999'" in remarks
    assert "no shares of 1 divisions, such as '15002'" in remarks
    np.testing.assert_allclose(found.loc[CODES[:3], GROUPS], SHARES[:3], atol=1e-3)


# Ids


@pytest.mark.parametrize(
    ("outlines", "table"),
    [
        (CODES, [5001, 5002, 15001, 15002]),
        ([5001, 5002, 15001, 15002], CODES),
        (CODES, ["5001.0", "5002.0", "15001.0", "15002.0"]),
        (CODES, [" 05001", "05002 ", "15 001", "15002"]),
        (CODES, ["'05001", "'05002", "'15001", "'15002"]),
        (CODES, [f'"=""{code}"""' for code in CODES]),
        (["Liège", "Łódź", "Saint-Josse", "GENT"], ["LIEGE", "Łódź ", "saint josse", "Gent"]),
        (["Évry", "a", "b", "c"], ["E\u0301vry", "A", "B", "C"]),
        ([f"communes.{n}" for n in (4, 3, 2, 1)], [f"communes.{n}" for n in (4, 3, 2, 1)]),
    ],
)
def test_ids_that_are_the_same_to_a_person(
    outlines: list[Any], table: list[Any], place: OwnRegion
) -> None:
    content = _text(SHARES, heading=["INS", *GROUPS], ids=table)
    found, remarks = _build(place, content, outline_columns={"nr": outlines})
    np.testing.assert_allclose(found.loc[list(map(str, outlines)), GROUPS], SHARES, atol=1e-5)
    assert "its column 'INS' was joined to 'nr' of the outlines" in remarks
    assert ("ids are those of divisions but for" in remarks) == (outlines != table)


def test_ids_are_found_by_looking_at_both_files(place: OwnRegion) -> None:
    """Row numbers of features, ranks and names of regions stand beside the codes."""
    columns = {"id": [0, 1, 2, 3], "province": ["a", "a", "b", "b"], "gemeente": [3, 1, 4, 2]}
    content = _text(SHARES, heading=["k", *GROUPS], ids=[3, 1, 4, 2])
    found, _remarks = _build(place, content, outline_columns=columns)
    np.testing.assert_allclose(found.loc[["3", "1", "4", "2"], GROUPS], SHARES, atol=1e-5)


def test_two_ways_to_join_are_one_too_many(place: OwnRegion) -> None:
    columns = {"nr": [1, 2, 3, 4], "rank": [4, 3, 2, 1]}
    content = _text(SHARES, heading=["k", *GROUPS], ids=[1, 2, 3, 4])
    with pytest.raises(BuildError, match="by 'k' and 'nr', or by 'k' and 'rank'; name the column"):
        _build(place, content, outline_columns=columns)
    for named, ids in (("nr", "1234"), ("rank", "4321")):
        found, _remarks = _build(place, content, outline_columns=columns, division_id=named)
        rows = SHARES if named == "nr" else SHARES[::-1]
        np.testing.assert_allclose(found.loc[list(ids), GROUPS], rows, atol=1e-5)


@given(st.lists(st.sampled_from(["1", "01", "001", "1.0", "a", "A", "b"]), min_size=1, unique=True))
def test_ids_are_joined_one_to_one(texts: list[str]) -> None:
    """What could be two rows is none, unless one of them has the very text."""
    cells = Cells(Path("t.csv"), pd.DataFrame({"k": texts, "x": range(len(texts))}))
    joining = Joining(cells, None)
    ids = pd.Index(["1", "a"])
    try:
        assert joining.outline_column(pd.DataFrame({"k": ids})) == "k"
    except BuildError:
        assert not {"1", "01", "001", "1.0", "a", "A"} & set(texts)
        return
    rows, _remarks = joining.join(ids)
    for key, alike in (("1", {"1", "01", "001", "1.0"}), ("a", {"a", "A"})):
        same = [text for text in texts if text in alike]
        expected = [key] if key in texts else same if len(same) == 1 else []
        assert [texts[n] for n in rows["x"][rows.index == key]] == expected


# Numbers


@given(
    st.decimals(min_value=0, max_value=10**7, places=2),
    st.sampled_from([(".", ""), (".", ","), (",", "."), (",", " "), (",", "\u202f"), (".", "'")]),
)
def test_numbers_of_every_convention(number: Any, marks: tuple[str, str]) -> None:
    """Python's own format, with its marks exchanged."""
    decimal, between = marks
    text = f"{number:,.2f}".replace(",", "_").replace(".", decimal).replace("_", between)
    found = parse(pd.DataFrame({"a": [text, "-", f"-{text}"]}), decimal)
    assert found.values["a"].fillna(-1).tolist() == [float(number), -1, -float(number)]
    assert found.decimals == 2


# Legends


def test_classes_and_groups_may_be_mixed(place: OwnRegion) -> None:
    rows = np.insert(SHARES, 3, SHARES[:, 2] / 2, axis=1)
    rows[:, 2] /= 2
    heading = ["code", "other", "tree", "Shrubland", "grassland", "cropland", "built_up"]
    found, _remarks = _build(place, _text(rows, heading=heading))
    assert list(found) == GROUPS
    np.testing.assert_allclose(found.loc[CODES, GROUPS], SHARES, atol=1e-5)


def test_colours_and_names_of_a_legend_without_codes_arrive_in_the_dataset(
    place: OwnRegion,
) -> None:
    """Through the command, from a table in latin-1, into classes, groups and the map's colours."""
    legend = place.folder / "legend.toml"
    legend.write_text(
        'classes = [{name = "árboles", colour = "#00FF00"}, {name = "$10k_$20k", group = "urbano"},'
        ' {name = "cultivos", colour = "#aa0000", group = "rural"}]\n'
        'groups = [{name = "árboles"}, {name = "urbano", colour = "#123456"}, {name = "rural"}]\n'
    )
    shares = SHARES[:, :3] / SHARES[:, :3].sum(axis=1, keepdims=True)
    heading = ["code", "árboles", "$10k_$20k", "cultivos"]
    table = place.folder / "t.csv"
    table.write_bytes(_text(shares, _comma(4), ";", heading).encode("latin-1"))
    recipe = _recipe(place)
    files = ["--image", recipe.images[0], "--divisions", recipe.divisions, "--shares", table]
    options = ["--chip-km", 0.1, "--legend", legend]
    done = CliRunner().invoke(cli, list(map(str, ["build", "mine", *files, *options])))
    assert done.exit_code == 0, done.output
    ds = llpbench.open_dataset("mine").llp.group()
    labels = ds.llp.info.label_set
    assert [entry.colour for entry in labels.classes][::2] == ["#00ff00", "#aa0000"]
    groups = {group.name: group.colour for group in labels.groups}
    assert groups == {"árboles": "#00ff00", "urbano": "#123456", "rural": "#aa0000"}
    known = ds["division_proportions"].sel(division=CODES)
    np.testing.assert_allclose(known, shares, atol=1e-4)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["tree"], "at least 2 groups to tell apart, found 1"),
        (["a" * 300, "b"], "1 to 100 characters in one line"),
        (["chip", "b"], "must not be called 'chip'"),
        (["a", "name", "division"], "must not be called 'division', 'name'"),
        (["stratum", "b"], "must not be called 'stratum'"),
        (["Tree", "tree "], "two class names are the same"),
    ],
)
def test_classes_that_nobody_could_tell_apart(
    names: list[str], expected: str, place: OwnRegion
) -> None:
    shares = np.full((4, len(names)), 1 / len(names))
    columns = [(name, f"c{n}") for n, name in enumerate(names)]
    heading = ["code", *[column for _, column in columns]]
    with pytest.raises(LLPBenchError, match=expected):
        _build(place, _text(shares, heading=heading), legend="auto", columns=columns)


def test_labels_need_codes(place: OwnRegion) -> None:
    legend = place.folder / "legend.toml"
    legend.write_text('classes = [{name = "tree"}, {name = "cropland"}]\n')
    shares = SHARES[:, [1, 3]] / SHARES[:, [1, 3]].sum(axis=1, keepdims=True)
    content = _text(shares, heading=["code", "tree", "cropland"])
    labels = [place.write_label()]
    found, _remarks = _build(place, content, legend=str(legend))
    np.testing.assert_allclose(found.loc[CODES], shares, atol=1e-5)
    region, _remarks2 = build_region(
        _recipe(place, shares=place.folder / "t.csv", legend=str(legend), labels=labels)
    )
    with pytest.raises(BuildError, match="which numbers its classes have in a label raster"):
        region.read(list(region.chips.index))
