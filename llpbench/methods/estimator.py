"""What scikit-learn asks of an estimator, without its import, which takes most of a second."""

from __future__ import annotations

import inspect
from typing import Any, Self

from llpbench.errors import UnknownNameError, unknown


class Estimator:
    """Something that keeps the arguments of its constructor under their names.

    ``sklearn.base.clone`` and others that go by ``get_params`` and ``set_params`` take it.

    Examples
    --------
    >>> class Words(Estimator):
    ...     def __init__(self, *, words: int = 256) -> None:
    ...         self.words = words
    >>> Words().set_params(words=8)
    Words(words=8)
    """

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Names of the arguments of the constructor, sorted."""
        parameters = inspect.signature(cls).parameters.values()
        return sorted(one.name for one in parameters if one.kind is not one.VAR_KEYWORD)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Arguments by name.

        Parameters
        ----------
        deep : bool
            Whether those of an argument that is an estimator are there too, as
            ``argument__name``.
        """
        params = {}
        for name in self._get_param_names():
            params[name] = value = getattr(self, name)
            if deep and isinstance(value, Estimator):
                params |= {f"{name}__{key}": own for key, own in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Change arguments by the names that :meth:`get_params` gives.

        Raises
        ------
        UnknownNameError
            If there is no such argument.
        """
        for key, value in params.items():
            name, _, inner = key.partition("__")
            if name not in self._get_param_names():
                raise UnknownNameError(unknown("setting", name, self._get_param_names()))
            if inner:
                getattr(self, name).set_params(**{inner: value})
            else:
                setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        said = ", ".join(f"{name}={value!r}" for name, value in self.get_params(deep=False).items())
        return f"{type(self).__name__}({said})"


def check_fitted(estimator: Estimator) -> None:
    """Refuse an estimator without attributes that ``fit`` sets, whose names end in ``_``."""
    if any(name.endswith("_") and not name.startswith("__") for name in vars(estimator)):
        return
    from sklearn.exceptions import NotFittedError

    raise NotFittedError(f"this {type(estimator).__name__} is not fitted yet; call fit first")
