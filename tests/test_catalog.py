"""The benchmark's definition is the published one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from regions import make_region, write_region

import llpbench
from llpbench import catalog
from llpbench.catalog import ClassGroup, LabelClass, LabelSet
from llpbench.data.archive_export import write_archive
from llpbench.errors import UnknownNameError

PUBLISHED = {
    "benelux-esaworldcover": ("benelux", "esaworldcover", 72213, 7935237),
    "benelux-humanpop": ("benelux", "humanpop", 72213, 7939348),
    "colombia-ne-esaworldcover": ("colombia-ne", "esaworldcover", 69193, 7935303),
    "colombia-ne-humanpop": ("colombia-ne", "humanpop", 69193, 7939365),
}


def test_published_datasets() -> None:
    published = {name: e for name, e in catalog.load().datasets.items() if e.record}
    assert {
        name: (entry.region, entry.label_set.name, entry.chips, entry.record)
        for name, entry in published.items()
    } == PUBLISHED
    for name, entry in published.items():
        assert entry.doi == f"10.5281/zenodo.{PUBLISHED[name][3]}"
        assert entry.synthetic is None
        assert "Copernicus Sentinel-2" in entry.attribution
        assert ("WorldCover" in entry.attribution) == name.endswith("esaworldcover")
        assert ("GHSL" in entry.attribution) == name.endswith("humanpop")


def test_published_splits_add_up_to_the_published_chips() -> None:
    for name, entry in catalog.load().datasets.items():
        if entry.record:
            assert "split_chip" in entry.splits
            assert ("split" in entry.splits) == name.startswith("benelux")
            for counts in entry.splits.values():
                assert set(counts) == {"train", "val", "test"}
                assert sum(counts.values()) == entry.chips
    benelux = catalog.dataset("benelux-humanpop").splits
    assert benelux["split"] == {"train": 45288, "test": 14475, "val": 12450}
    assert benelux["split_chip"] == {"train": 43092, "test": 15011, "val": 14110}
    colombia = catalog.dataset("colombia-ne-humanpop").splits
    assert colombia == {"split_chip": {"train": 34715, "test": 17506, "val": 16972}}


def test_class_groups_are_the_papers() -> None:
    cover, population = catalog.label_set("esaworldcover"), catalog.label_set("humanpop")
    assert (len(cover.classes), len(population.classes)) == (12, 31)
    assert [(group.name, group.members) for group in cover.groups] == [
        ("other", (0, 7, 8, 9, 10, 11)),
        ("tree", (1,)),
        ("shrub-grass-bare", (2, 3, 6)),
        ("cropland", (4,)),
        ("built-up", (5,)),
    ]
    assert [(group.name, group.members) for group in population.groups] == [
        ("none", (0,)),
        ("low", tuple(range(1, 10))),
        ("high", tuple(range(10, 31))),
    ]
    assert (cover.resolution_m, population.resolution_m) == (10.0, 250.0)
    assert (cover.ordered, population.ordered) == (False, True)


def test_population_classes_are_named_by_their_bounds() -> None:
    """Class k holds [10k - 9, 10k + 1) inhabitants, the last everything from 291."""
    names = [label_class.name for label_class in catalog.label_set("humanpop").classes]
    for number, name in enumerate(names[1:30], start=1):
        low, high = (int(text) for text in name.split(" to "))
        assert (low, high) == (10 * number - 9, 10 * number)
    assert names[0] == "below 1"
    assert names[30] == "291 and more"


def test_every_colour_is_one_and_no_two_categories_share_one() -> None:
    for labels in catalog.load().label_sets.values():
        for coloured in (labels.classes, labels.groups):
            colours = [item.colour for item in coloured]
            assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)
            assert len(set(colours)) == len(colours)


def test_embedded_datasets_are_synthetic_and_say_so() -> None:
    embedded = [e for e in catalog.load().datasets.values() if e.synthetic]
    assert [entry.name for entry in embedded] == ["demo-esaworldcover", "demo-humanpop"]
    for entry in embedded:
        assert entry.synthetic is not None
        assert entry.synthetic.chips == entry.chips == 2000
        assert entry.doi is None
        assert "synthetic" in entry.title.lower()
        assert "no real place" in entry.attribution


def test_label_sets_are_found_by_the_names_of_published_files() -> None:
    for name in ("esaworldcover", "esa-world-cover"):
        assert catalog.label_set(name).name == "esaworldcover"
    for name in ("humanpop", "humanpop2015", "humanpop-2015"):
        assert catalog.label_set(name).name == "humanpop"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("benelux-esaworldcove", "did you mean 'benelux-esaworldcover'"),
        ("benelux-pop", "did you mean 'benelux-humanpop'"),
        ("colombia-humanpop", "did you mean 'colombia-ne-humanpop'"),
        ("demo", "there is no dataset 'demo'"),
        ("zzzz", "there are: 'benelux-esaworldcover'|there are: benelux-esaworldcover"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, suggestion: str) -> None:
    with pytest.raises(UnknownNameError, match=suggestion) as caught:
        catalog.dataset(name)
    assert "\n" not in str(caught.value)
    assert not str(caught.value).startswith("'")  # as a KeyError's text would be


def test_an_unknown_label_set() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'humanpop'"):
        catalog.label_set("humanpopulation")


@pytest.mark.parametrize("members", [[(0,), (1,)], [(0, 1), (1, 2)], [(0, 1, 2, 3)], []])
def test_groups_must_hold_each_class_once(members: list[tuple[int, ...]]) -> None:
    classes = tuple(LabelClass(name, "#000000") for name in "abc")
    groups = tuple(ClassGroup(str(m), m, 1.0, "#000000") for m in members)
    with pytest.raises(ValueError, match="exactly once"):
        LabelSet("x", "X", classes, groups, 10.0)


def test_no_group_is_called_like_a_column_of_tables() -> None:
    classes = tuple(LabelClass(name, "#000000") for name in "ab")
    groups = tuple(ClassGroup(n, (i,), 1.0, "#000000") for i, n in enumerate(["tree", "geometry"]))
    with pytest.raises(ValueError, match="must not be called 'geometry', as columns of maps"):
        LabelSet("x", "X", classes, groups, 10.0)


def test_further_label_sets_of_the_published_code() -> None:
    """Class counts and weights of its loaders; without groups, each class is one, of weight 1/n."""
    expected = {
        "treecover": ("treecover2020", [1, 1, 1, 1, 0.01], True),
        "soilph": ("soil-ph", [0.2] * 5, True),
        "eucrops": ("eucropmap-2018", [round(1 / 23, 4)] * 23, False),
    }
    for name, (archive_name, weights, ordered) in expected.items():
        labels = catalog.label_set(archive_name)
        assert labels.name == name
        assert [group.weight for group in labels.groups] == weights
        assert [group.members for group in labels.groups] == [(n,) for n in range(len(weights))]
        assert labels.ordered == ordered


def test_what_is_wrong_with_every_label_set_is_said() -> None:
    known = catalog.load()
    assert set(known.label_noise) == set(known.label_sets)
    assert all(sentence.endswith(".") for said in known.label_noise.values() for sentence in said)


@pytest.mark.parametrize("labels", ["treecover", "soilph", "eucrops"])
def test_an_archive_of_further_labels_needs_data_only(labels: str, tmp_path: Path) -> None:
    region = make_region(labels=labels)
    write_region(region, tmp_path / "made")
    archive = write_archive(tmp_path / "made", tmp_path / "made.zip")
    llpbench.import_archive(archive, "again")
    made = llpbench.open_dataset(tmp_path / "made")
    again = llpbench.open_dataset("again").sel(chip=made["chip"].to_numpy())
    assert again.llp.label_set == catalog.label_set(labels)
    np.testing.assert_array_equal(again["label"], made["label"])
    np.testing.assert_allclose(again["target"], made["target"], atol=1e-6)
    grouped = again.llp.group()
    assert grouped.sizes["category"] == len(region.label_set.groups)
    np.testing.assert_array_equal(grouped["label"], made["label"])  # each class is its own group


def test_a_dataset_made_before_looks_like_all_others_of_its_label_set(tmp_path: Path) -> None:
    """Its own classes keep the colours that somebody gave them."""
    labels = catalog.label_set("humanpop")
    groups = tuple(replace(group, colour="#123456") for group in labels.groups)
    before, own = replace(labels, groups=groups), replace(labels, name="mine", groups=groups)
    for written, shown in ((before, labels), (own, own)):
        region = replace(make_region(labels="humanpop"), label_set=written)
        write_region(region, tmp_path / written.name)
        assert llpbench.open_dataset(tmp_path / written.name).llp.label_set == shown
