"""Small-area estimates of Fay and Herriot: direct estimates of areas, and a line through all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from llpbench.brief import Brief
from llpbench.errors import MetricError

FloatArray = NDArray[np.float64]

_GRID = 60
"""Places at which the likelihood, which may have several peaks, is looked at first."""


@dataclass(frozen=True, repr=False)
class FayHerriot(Brief):
    """Empirical best linear unbiased predictors of areas.

    Parameters
    ----------
    value, mse : ndarray, shape (area,)
        Estimates, and estimates of their mean squared errors.
    coefficients : ndarray, shape (covariate,)
        Of the line.
    variance : float
        Of the areas around it, not negative.
    """

    value: FloatArray
    mse: FloatArray
    coefficients: FloatArray
    variance: float


def fay_herriot(
    direct: ArrayLike,
    variances: ArrayLike,
    covariates: ArrayLike,
    fit: Literal["reml", "ml"] = "reml",
) -> FayHerriot:
    r"""Fit the area-level model of Fay and Herriot.

    A direct estimate is :math:`y_d = x_d' \beta + u_d + e_d`, with areas :math:`u_d` of one unknown
    variance :math:`A` and sampling errors :math:`e_d` of known variances :math:`\psi_d` (Fay and
    Herriot, JASA 1979, 74, 269-277). Its predictor is :math:`\gamma_d y_d + (1 - \gamma_d)
    x_d' \hat\beta` with :math:`\gamma_d = A / (A + \psi_d)`. Mean squared errors are
    :math:`g_1 + g_2 + 2 g_3` with restricted likelihood, and with likelihood less the bias of
    :math:`g_1` (Prasad and Rao, JASA 1990, 85, 163-171; Datta and Lahiri, Statistica Sinica 2000,
    10, 613-627).

    Parameters
    ----------
    direct : array, shape (area,)
        In any unit; NaN for areas without a sample, which the line alone then predicts, with the
        mean squared error :math:`A + x_d' V(\hat\beta) x_d`.
    variances : array, shape (area,)
        Of the direct estimates, above 0.
    covariates : array, shape (area, covariate)
        Known of all areas, a column of ones among them.
    fit : {"reml", "ml"}
        Whether the restricted likelihood of the variance is maximised, or the likelihood.

    Raises
    ------
    MetricError
        If there are not more areas with a sample than covariates, or a number is out of its range.

    Examples
    --------
    Three areas that are alike but for their samples, and one without any:

    >>> fitted = fay_herriot([1.0, 2.0, 3.0, np.nan], [0.5, 0.5, 0.5, 1.0], np.ones((4, 1)))
    >>> round(fitted.variance, 3), fitted.value.round(3).tolist()
    (0.5, [1.5, 2.0, 2.5, 2.0])
    """
    y, psi, x = (np.asarray(values, np.float64) for values in (direct, variances, covariates))
    known = np.isfinite(y)
    _check(y[known], psi[known], x, known)
    model = _Model(y[known], psi[known], x[known])
    variance = _maximum(model.restricted if fit == "reml" else model.likelihood, model.scale)
    beta, covariance = model.line(variance)
    synthetic = x @ beta
    leverage = np.einsum("ij,jk,ik->i", x, covariance, x)
    value, mse = synthetic.copy(), variance + leverage
    shrunk = psi[known] / (variance + psi[known])
    value[known] += (1 - shrunk) * (model.y - synthetic[known])
    of_variance = 2 / np.sum((variance + model.psi) ** -2)
    g3 = shrunk**2 / (variance + model.psi) * of_variance
    mse[known] = variance * shrunk + shrunk**2 * leverage[known] + 2 * g3
    if fit == "ml":
        mse[known] -= model.bias(variance) * shrunk**2
    return FayHerriot(value, mse, beta, variance)


def _check(y: FloatArray, psi: FloatArray, x: FloatArray, known: NDArray[np.bool_]) -> None:
    if not (x.ndim == 2 and len(x) == len(known)):
        raise MetricError(f"covariates must be of shape (area, covariate), found {x.shape}")
    if not (np.isfinite(psi).all() and (psi > 0).all() and np.isfinite(x).all()):
        raise MetricError("variances must be above 0, and covariates finite, of every area")
    if len(y) <= x.shape[1] + 1:
        raise MetricError(
            f"a line of {x.shape[1]} coefficients needs direct estimates of at least "
            f"{x.shape[1] + 2} areas, found {len(y)}"
        )
    if np.linalg.matrix_rank(x[known]) < x.shape[1]:
        raise MetricError("covariates must differ between areas, and no two say the same")


@dataclass(frozen=True)
class _Model:
    y: FloatArray
    psi: FloatArray
    x: FloatArray

    @property
    def scale(self) -> float:
        """More than the variance of areas can be: that of all residuals."""
        residual = self.y - self.x @ np.linalg.lstsq(self.x, self.y)[0]
        return float(residual @ residual / (len(self.y) - self.x.shape[1]) * 4 + self.psi.max())

    def line(self, variance: float) -> tuple[FloatArray, FloatArray]:
        """Coefficients by generalised least squares, and their covariance."""
        weighted = self.x / (variance + self.psi)[:, np.newaxis]
        covariance = np.asarray(np.linalg.inv(weighted.T @ self.x), np.float64)
        return covariance @ (weighted.T @ self.y), covariance

    def likelihood(self, variance: float) -> float:
        """Minus twice the logarithm of the likelihood, but for a constant."""
        residual = self.y - self.x @ self.line(variance)[0]
        total = variance + self.psi
        return float(np.sum(np.log(total) + residual**2 / total))

    def restricted(self, variance: float) -> float:
        """Minus twice the logarithm of the restricted likelihood, but for a constant."""
        _sign, determinant = np.linalg.slogdet(self.line(variance)[1])
        return self.likelihood(variance) - float(determinant)

    def bias(self, variance: float) -> float:
        """Of the variance that maximises the likelihood (Datta and Lahiri 2000, section 3)."""
        total = variance + self.psi
        squared = (self.x / total[:, np.newaxis] ** 2).T @ self.x
        return float(-np.trace(self.line(variance)[1] @ squared) / np.sum(total**-2))


def _maximum(deviance: Callable[[float], float], scale: float) -> float:
    """Variance from 0 to a scale with the least deviance."""
    from scipy.optimize import minimize_scalar

    grid = np.concatenate([[0.0], scale * np.geomspace(1e-6, 1, _GRID)])
    best = int(np.argmin([deviance(variance) for variance in grid]))
    bounds = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = minimize_scalar(
        deviance, bounds=bounds, method="bounded", options={"xatol": 1e-10 * scale}
    )
    return float(found.x) if found.fun < deviance(0.0) else 0.0
