"""Buildings times how many live in them, learned from the classes of divisions."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import xarray as xr

from llpbench.errors import MethodError
from llpbench.methods.journal import Journal
from llpbench.methods.method import Method, Progress
from llpbench_baselines.backend import keras
from llpbench_baselines.cell_training import CellTraining
from llpbench_baselines.chip_input import ChipInput
from llpbench_baselines.context_network import DECAY, ContextNetwork
from llpbench_baselines.exporting.numbers import Numbers
from llpbench_baselines.llpnet import LLPNet
from llpbench_baselines.training import Lesson


class OccupancyNetwork(ContextNetwork):
    """The context network, whose classes follow from one density of each cell.

    Parameters
    ----------
    categories : int
        Number of class groups, at least 2, in their order.
    seen : ChipInput, optional
        See :class:`~llpbench_baselines.context_network.ContextNetwork`.
    """

    def __init__(self, categories: int, seen: ChipInput | None = None) -> None:
        from llpbench_baselines.occupancy_head import OccupancyHead

        super().__init__(categories, seen)
        decay = keras.regularizers.L2(DECAY)
        self.local_head = [OccupancyHead(categories, decay, name="local_head")]
        self.context[-1] = OccupancyHead(categories, decay, name="head")

    def end(self, seen: Any, numbers: Numbers, sharpness: float) -> Any:
        """Logits from the last layer in float32, times a factor: it is two products of one unit."""
        return sharpness * self.context[-1](numbers.unrounded(seen))


class OccupancyTraining(CellTraining):
    """Each round after the first epoch trains on divisions as well."""

    local_rate = 3e-3

    def refine(self, number: int) -> Lesson:
        """Train all that sees surroundings until divisions hold their proportions."""
        steps = self.settings["first_steps" if number == 1 else "later_steps"]
        return self.match_divisions(self.network.context, self.features, steps, self.local_rate)


class Popcorn(LLPNet):
    r"""Learn a building score and an occupancy, whose product is a density with ordered classes.

    After POPCORN, which predicts for each pixel a building score times an occupancy rate, and is
    trained on sums over census regions. Datasets here give shares of classes of density, not
    totals; so each cell of 40 m has

    .. math:: \log \text{density} = \log b + \log r, \qquad
              P(\text{class} > k) = \sigma\big((\log \text{density} - t_k) / s\big),

    with b from 0 to 1, r positive, ascending thresholds :math:`t_k` and s learned (a cumulative
    logit), and training is on shares of divisions, :math:`-\sum_d a_d \sum_k p_{dk} \log
    \bar f_{dk}` over cells drawn from whole divisions (DLLP). Cells are described as in ``llpnet``,
    whose kinds of texture are learned first, by such a head of their own; there is no later step
    on labels of cells. The paper's building score is of a network trained on buildings; here both
    are learned from divisions, so that b need not be buildings: only the product is known.

    Classes are taken in the order of the class groups, lowest first. Datasets whose label set is
    not said to be ordered are refused.

    Parameters
    ----------
    rounds : int
        Trainings of the layers that see surroundings, one after the other; the one that fits
        validation divisions best is kept.
    local_steps, first_steps, later_steps : int
        Steps of gradient descent: of the local layers, in the first round, in each later one.
    chips, random_state, deterministic
        See :class:`~llpbench_baselines.llpnet.LLPNet`.

    References
    ----------
    After Metzger, Caye Daudt, Tuia and Schindler, High-resolution population maps derived from
    Sentinel-1 and Sentinel-2, Remote Sensing of Environment 314, 2024, arXiv 2311.14006. The
    cumulative logit: McCullagh, Journal of the Royal Statistical Society B 42(2), 1980. DLLP:
    Ardehaly and Culotta, arXiv 1709.04108.
    """

    parameters = 224 + 1056 + 6534 + 1760 + 70
    source = "after Metzger et al., Remote Sensing of Environment 2024, arXiv 2311.14006"
    design = (
        "The network was designed on the demo regions: there this is no independent result. What "
        "differs from it was not tuned."
    )
    curriculum: ClassVar[type[CellTraining]] = OccupancyTraining
    temperature: ClassVar[float] = 1.0  # it is not taught its own labels

    def __init__(
        self,
        *,
        rounds: int = 4,
        local_steps: int = 1200,
        first_steps: int = 1200,
        later_steps: int = 600,
        chips: int = 6000,
        random_state: int = 0,
        deterministic: bool = False,
    ) -> None:
        self.rounds = rounds
        self.local_steps = local_steps
        self.first_steps = first_steps
        self.later_steps = later_steps
        self.chips = chips
        self.random_state = random_state
        self.deterministic = deterministic

    @classmethod
    def _get_param_names(cls) -> list[str]:
        """Those above alone: labels of cells, and what couples them, are not made."""
        return sorted(super(Method, cls)._get_param_names())

    def build(self, categories: int) -> Any:
        """Make the layers and the network."""
        self._layers = OccupancyNetwork(categories, self.input_)
        return self._layers.model()

    def fit(
        self,
        train: xr.Dataset,
        val: xr.Dataset,
        *,
        progress: Progress | None = None,
        journal: Journal | None = None,
    ) -> Self:
        """Train on divisions; choose round and read-out on validation divisions."""
        labels = train.llp.label_set
        if not labels.ordered:
            raise MethodError(
                f"popcorn learns classes that have an order, as densities do, and those of "
                f"{labels.name!r} are not said to have one: choose another method, or say "
                "ordered: true in the legend that the dataset is built with"
            )
        return super().fit(train, val, progress=progress, journal=journal)
