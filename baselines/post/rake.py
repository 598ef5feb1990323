"""Predictions made to add up to the known proportions of the divisions that they are in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from llpbench.methods.estimate import Estimate
from llpbench.methods.postprocessing import PostProcessor, Transform
from llpbench_baselines.raking import apply_factors, log_factors


class Rake(PostProcessor):
    """Multiply the method's own probabilities of pixels by factors, and take their means.

    Shares that do not follow from pixels have factors of their own. Factors are of each division,
    and so of each chip, see :mod:`llpbench_baselines.raking`.
    """

    track = "disaggregation"
    design = "Variants of raking were compared on labels of a demo region."
    designed_on = ("demo-esaworldcover", "demo-humanpop")

    def prepare(self, estimate: Estimate, ds: xr.Dataset) -> Transform:
        """Find the factors of each chip."""
        bags, proportions = ds.llp.bags(), ds["division_proportions"].to_numpy()
        single = estimate.shares[:, np.newaxis]
        of_pixels = (
            None if estimate.pixels is None else log_factors(estimate.own_pixels, bags, proportions)
        )
        of_shares = None if estimate.follow else log_factors(single, bags, proportions)

        def transform(batch: Estimate, rows: slice) -> Estimate:
            if of_pixels is not None:
                own = apply_factors(batch.own_pixels, of_pixels[rows])
                batch = batch.with_own_pixels(own.astype(np.float32))
            if of_shares is not None:
                shares = apply_factors(batch.shares[:, np.newaxis], of_shares[rows])[:, 0]
                batch = replace(batch, shares=shares)
            return batch

        return transform
