"""Reported results: as printed, on datasets that exist."""

from __future__ import annotations

from llpbench import catalog

RESULTS = {(one.method, one.trained_on, one.dataset): one for one in catalog.reported_results()}


def test_figures_are_those_printed() -> None:
    printed = {
        ("downconv", "benelux-esaworldcover"): (0.068, 0.636, 5189),
        ("qkm", "colombia-ne-esaworldcover"): (0.053, 0.778, 3457),
        ("vgg16unet", "benelux-humanpop"): (0.139, 0.624, 23_700_000),
        ("customunet", "colombia-ne-humanpop"): (0.026, 0.958, 482_000),
    }
    for (method, dataset), expected in printed.items():
        found = RESULTS[method, dataset, dataset]
        assert (found.mae_hard, found.f1_micro, found.parameters) == expected
        assert found.mae is None
        assert found.track == "inductive"


def test_the_train_mean_has_shares_and_no_segmentation() -> None:
    for dataset, expected in {
        "benelux-esaworldcover": 0.1650,
        "colombia-ne-esaworldcover": 0.1258,
        "benelux-humanpop": 0.1978,
        "colombia-ne-humanpop": 0.0244,
    }.items():
        found = RESULTS["train-mean", dataset, dataset]
        assert (found.mae, found.mae_hard, found.f1_micro) == (expected, None, None)


def test_across_regions_another_dataset_of_the_same_labels_was_trained_on() -> None:
    across = [one for one in catalog.reported_results() if one.track == "cross-region"]
    assert len(across) == 4
    for one in across:
        trained_on, dataset = catalog.dataset(one.trained_on), catalog.dataset(one.dataset)
        assert trained_on.label_set is dataset.label_set
        assert trained_on.region != dataset.region
    found = RESULTS["downconv", "benelux-esaworldcover", "colombia-ne-esaworldcover"]
    assert (found.mae_hard, found.f1_micro) == (0.181, 0.395)
    found = RESULTS["downconv", "colombia-ne-humanpop", "benelux-humanpop"]
    assert (found.mae_hard, found.f1_micro) == (0.259, 0.611)


def test_every_row_is_whole_and_there_once() -> None:
    assert len(RESULTS) == len(catalog.reported_results()) == 5 * 4 + 4
    for one in catalog.reported_results():
        assert catalog.dataset(one.dataset).record is not None
        assert one.source.startswith("arXiv:2306.12461")
        assert one.mae is not None or (one.mae_hard is not None and one.f1_micro is not None)
