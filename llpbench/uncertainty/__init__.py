"""How wrong predictions are where no chip has a label: what known shares of divisions tell.

:mod:`~llpbench.uncertainty.recalibration` corrects what divisions show to be biased,
:mod:`~llpbench.uncertainty.fading` says over what distance errors are alike,
:mod:`~llpbench.uncertainty.fitting` learns from residuals of divisions how large errors of chips
are, :mod:`~llpbench.uncertainty.error_model` is what was learned, and
:mod:`~llpbench.uncertainty.chip_error` the numbers that follow.
"""
