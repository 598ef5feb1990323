"""What networks are trained towards, by the names that methods take."""

from __future__ import annotations

from llpbench_baselines.objectives.bags import DLLP, LSRN, Interpolated, MiniBag
from llpbench_baselines.objectives.chips import Broadcast, CorrelatedEasyLLP, EasyLLP
from llpbench_baselines.objectives.debiased_square import DebiasedSquare
from llpbench_baselines.objectives.field import L2PAHIL, LLPPVC, LLPVAT, MixBag
from llpbench_baselines.objectives.objective import Objective
from llpbench_baselines.objectives.self_training import ROT, SinkhornEM

OBJECTIVES: dict[str, type[Objective]] = {
    "broadcast": Broadcast,
    "dllp": DLLP,
    "interpolated": Interpolated,
    "minibag": MiniBag,
    "easyllp": EasyLLP,
    "easyllp-correlated": CorrelatedEasyLLP,
    "rot": ROT,
    "sinkhorn-em": SinkhornEM,
    "lsrn": LSRN,
    "l2p-ahil": L2PAHIL,
    "llp-vat": LLPVAT,
    "mixbag": MixBag,
    "llp-pvc": LLPPVC,
    "debiased-square": DebiasedSquare,
}

__all__ = ["OBJECTIVES", "Objective"]
