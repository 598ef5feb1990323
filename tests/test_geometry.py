"""Overlaps and mixes, against slow loops, geodesics and the original's values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from llpbench.data.geometry import (
    EQUAL_AREA,
    GEOGRAPHIC,
    SQUARE_METRES_PER_KM2,
    TOUCH,
    mix,
    overlap_areas,
    overlap_matrix,
)

whole = st.integers(0, 8)


@st.composite
def rectangles(draw: st.DrawFn) -> list[shapely.Polygon]:
    """On a lattice, so that edges and corners often touch."""
    corners = draw(st.lists(st.tuples(whole, whole, whole, whole), min_size=1, max_size=6))
    return [
        shapely.box(x, y, x + width, y + height)
        for x, y, width, height in corners
        if width and height
    ]


def _slow(chips: list[Any], divisions: list[Any]) -> dict[tuple[int, int], float]:
    found = {}
    for i, chip in enumerate(chips):
        for j, division in enumerate(divisions):
            area = chip.intersection(division).area
            if area > 0:
                found[i, j] = area
    return found


def _fast(chips: list[Any], divisions: list[Any]) -> dict[tuple[int, int], float]:
    pairs = overlap_areas(gpd.GeoSeries(chips), gpd.GeoSeries(divisions))
    assert pairs[["chip", "division"]].to_numpy().tolist() == sorted(
        pairs[["chip", "division"]].to_numpy().tolist()
    )
    return {(row.chip, row.division): row.area for row in pairs.itertuples()}


@settings(max_examples=100)
@given(rectangles(), rectangles(), st.floats(-60, 60))
def test_overlaps_are_those_of_a_slow_loop(
    chips: list[shapely.Polygon], divisions: list[shapely.Polygon], angle: float
) -> None:
    assert _fast(chips, divisions) == pytest.approx(_slow(chips, divisions))
    turned = [shapely.affinity.rotate(shape, angle, origin=(4, 4)) for shape in divisions]
    slow, fast = _slow(chips, turned), _fast(chips, turned)
    assert fast == pytest.approx({pair: slow[pair] for pair in fast})
    assert all(slow[i, j] < 1.01 * TOUCH * chips[i].area for i, j in slow.keys() - fast.keys())


def test_a_division_with_a_hole_and_one_of_several_parts() -> None:
    ring = shapely.Polygon(
        shapely.box(0, 0, 10, 10).exterior.coords, [shapely.box(2, 2, 6, 6).exterior.coords]
    )
    islands = shapely.MultiPolygon([shapely.box(20, 0, 21, 1), shapely.box(22, 0, 23, 1)])
    chips = [
        shapely.box(3, 3, 4, 4),  # in the hole
        shapely.box(1, 1, 3, 3),  # 4, of which a corner of 1 lies in the hole
        shapely.box(20.5, 0, 22.5, 1),  # half of each island
    ]
    assert _fast(chips, [ring, islands]) == {(1, 0): 3, (2, 1): 1}


def test_a_bow_tie_counts_once() -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])  # two triangles of area 1
    assert _fast([shapely.box(0, 0, 2, 2)], [bow_tie]) == {(0, 0): pytest.approx(2)}


def test_two_reference_systems_are_refused() -> None:
    chips = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=GEOGRAPHIC)
    with pytest.raises(ValueError, match="must share one CRS"):
        overlap_areas(chips, chips.to_crs(EQUAL_AREA))


def test_the_matrix_holds_the_pairs() -> None:
    chips, divisions = [shapely.box(0, 0, 2, 1)], [shapely.box(1, 0, 3, 1), shapely.box(8, 8, 9, 9)]
    pairs = overlap_areas(gpd.GeoSeries(chips), gpd.GeoSeries(divisions))
    np.testing.assert_array_equal(overlap_matrix(pairs, (1, 2)).toarray(), [[1, 0]])


def test_areas_are_those_on_the_ellipsoid() -> None:
    """Chips of 1 km from the equator to 70 degrees; a geodesic area is another definition."""
    geod = pyproj.Geod(ellps="WGS84")
    places = [(-73.5, 8.0), (4.5, 50.5), (25.0, 70.0), (0.0, 0.0), (140.0, -35.0)]
    chips = [shapely.box(x, y, x + 0.014, y + 0.009) for x, y in places]
    projected = gpd.GeoSeries(chips, crs=GEOGRAPHIC).to_crs(EQUAL_AREA)
    for chip, area in zip(chips, projected.area, strict=True):
        geodesic = abs(geod.geometry_area_perimeter(chip)[0])
        assert area == pytest.approx(geodesic, rel=1e-3)
    assert projected.area[0] / SQUARE_METRES_PER_KM2 == pytest.approx(1.54, abs=0.01)


def test_the_projection_keeps_a_chip_a_rectangle() -> None:
    """Its outline is projected exactly by its corners, so no edge needs more points."""
    chip = shapely.box(4.0, 50.0, 4.014, 50.009)
    dense = shapely.segmentize(chip, 1e-4)
    areas = gpd.GeoSeries([chip, dense], crs=GEOGRAPHIC).to_crs(EQUAL_AREA).area
    assert areas[0] == pytest.approx(areas[1], rel=1e-12)


# Mixes


def _slow_mix(weights: np.ndarray[Any, Any], shares: np.ndarray[Any, Any]) -> list[list[float]]:
    mixed = []
    for row in weights:
        total, summed = 0.0, np.zeros(shares.shape[1])
        for weight, share in zip(row, shares, strict=True):
            if not np.isnan(share).any():
                total += weight
                summed += weight * share
        mixed.append((summed / total if total else np.full(shares.shape[1], np.nan)).tolist())
    return mixed


@settings(max_examples=100)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_a_mix_is_the_weighted_mean_of_what_is_known(
    chips: int, divisions: int, categories: int, seed: int
) -> None:
    from scipy.sparse import csr_array

    chosen = np.random.default_rng(seed)
    weights = chosen.random((chips, divisions)) * (chosen.random((chips, divisions)) < 0.6)
    shares = chosen.dirichlet(np.ones(categories), divisions)
    shares[chosen.random(divisions) < 0.3] = np.nan
    found = mix(csr_array(weights), shares)
    np.testing.assert_allclose(found, _slow_mix(weights, shares), atol=1e-12)
    known = np.isfinite(found).all(axis=1)
    np.testing.assert_allclose(found[known].sum(axis=1), 1)


def _shares(named: dict[str, float]) -> np.ndarray[Any, Any]:
    return np.array([named.get(str(number), 0.0) for number in range(12)])


def test_golden_chips_are_mixed_as_the_original_mixed_them(shared: Path) -> None:
    """In the golden file's plane of degrees; a chip that only touches a division has no mix."""
    golden = json.loads((shared / "golden/communes.json").read_text())
    communes = golden["communes"]
    divisions = gpd.GeoSeries([shapely.Polygon(c["coords"]) for c in communes])
    names = list(golden["chips"])
    chips = gpd.GeoSeries([shapely.Polygon(golden["chips"][name]["geometry"]) for name in names])
    pairs = overlap_areas(chips, divisions)
    overlaps = overlap_matrix(pairs, (len(names), len(communes)))
    found = mix(overlaps, [_shares(commune["proportions"]) for commune in communes])
    for name, target, row in zip(names, found, overlaps.toarray(), strict=True):
        expected = golden["chips"][name]
        if name in ("outside", "touch_corner_only"):
            assert np.isnan(target).all()
            assert expected["foreign_id"] == "-1" or name == "touch_corner_only"
            continue
        np.testing.assert_allclose(target, _shares(expected["proportions"]), atol=1e-12)
        largest = np.flatnonzero(np.isclose(row, row.max()))
        assert expected["foreign_index"] in largest  # of two equal parts either may be named
    assert set(np.flatnonzero(overlaps.toarray()[names.index("edge_touch")])) == {0}
