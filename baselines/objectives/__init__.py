"""What networks are trained towards, by the names that methods take."""

from __future__ import annotations

from llpbench_baselines.objectives.bags import DLLP
from llpbench_baselines.objectives.broadcast import Broadcast
from llpbench_baselines.objectives.easyllp import CorrelatedEasyLLP, EasyLLP
from llpbench_baselines.objectives.interpolated import Interpolated
from llpbench_baselines.objectives.lsrn import LSRN
from llpbench_baselines.objectives.minibag import MiniBag
from llpbench_baselines.objectives.objective import Objective
from llpbench_baselines.objectives.rot import ROT
from llpbench_baselines.objectives.sinkhorn_em import SinkhornEM

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
}

__all__ = ["OBJECTIVES", "Objective"]
