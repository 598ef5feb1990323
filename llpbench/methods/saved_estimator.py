"""What settings make, weights complete, and a folder keeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from numpy.typing import NDArray

from llpbench.errors import LLPBenchError, MethodError, UnknownNameError, unknown
from llpbench.methods.estimator import Estimator, check_fitted
from llpbench.methods.saved import read_saved, write_saved
from llpbench.methods.settings import check_settings


class SavedEstimator(Estimator):
    """An estimator that its settings and weights are all of, so that a folder can keep it.

    Attributes
    ----------
    ranges : dict of str to (float, float)
        Of values of settings, where they are not the usual ones.
    """

    ranges: Mapping[str, tuple[float, float]] = MappingProxyType({})

    @property
    def settings(self) -> dict[str, Any]:
        """Settings by name, ``random_state`` among them, of values that JSON can hold."""
        return self.get_params(deep=False)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], *, strict: bool = True) -> Self:
        """Build the method from settings by name, such as :attr:`settings` of another.

        By default they are keywords of the constructor.

        Parameters
        ----------
        settings : mapping
            Those left out have their usual values.
        strict : bool
            Whether settings are refused that the method has, but that are of no consequence
            with the others; runs of earlier versions hold such.

        Raises
        ------
        UnknownNameError
            If there is no such setting.
        MethodError
            If a value is of another type, or out of its range.
        """
        known = cls._get_param_names()
        for name in settings:
            if name not in known:
                raise UnknownNameError(unknown("setting", name, known))
        check_settings(cls, settings, cls.ranges)
        return cls(**settings)

    def get_weights(self) -> dict[str, NDArray[Any]]:
        """All that :meth:`fit` learned, as named arrays; those of text are no parameters."""
        raise NotImplementedError

    def set_weights(self, weights: Mapping[str, NDArray[Any]]) -> Self:
        """Become the method whose :meth:`get_weights` gave these."""
        raise NotImplementedError

    def save(self, folder: Path) -> None:
        """Write the fitted method into a folder.

        Parameters
        ----------
        folder : Path
            Receives ``method.json`` and ``weights.npz``.
        """
        check_fitted(self)
        write_saved(folder, type(self).__name__, self.settings, self.get_weights())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a fitted method from a folder that :meth:`save` wrote.

        Parameters
        ----------
        folder : Path
            With ``method.json`` and ``weights.npz``.

        Raises
        ------
        MethodError
            If there is none, or it is of another class.
        """
        settings, weights = read_saved(folder, cls.__name__)
        try:
            return cls.from_settings(settings, strict=False).set_weights(weights)
        except LLPBenchError as error:
            raise MethodError(f"{str(folder)!r}: {error}") from error
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            what = f"the weights in {str(folder)!r} are not those of a {cls.__name__}"
            raise MethodError(f"{what} ({error!r:.100})") from error
