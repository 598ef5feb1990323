"""Which setting is chosen: by the divisions of the val split, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llpbench.brief import Brief
from llpbench.errors import MethodError
from llpbench.methods.method import Method
from llpbench.running.sweep_plan import Job
from llpbench.runs.record import Run
from llpbench.runs.results import validation_mae


@dataclass(frozen=True, repr=False)
class Candidate(Brief):
    """A setting that was run on the val split with all its seeds.

    ``error`` is the mean over seeds of ``validation`` in :class:`~llpbench.runs.record.RunRecord`.
    """

    jobs: tuple[Job, ...]
    runs: tuple[Run, ...]
    error: float

    @property
    def tests(self) -> list[Job]:
        """The runs that show how well it does on the test split."""
        return [replace(job, split="test") for job in self.jobs]


def rank_candidates(
    done: Sequence[tuple[Job, Run]], failed: Sequence[Job] = ()
) -> dict[str, list[Candidate]]:
    """Rank the settings of each dataset by the error of its val divisions, the best first.

    Runs of other splits do not count, nor do settings of which a seed failed.
    """
    incomplete = {job.setting for job in failed}
    groups: dict[tuple[str, str], list[tuple[Job, Run]]] = {}
    for job, run in done:
        if job.split == "val" and job.setting not in incomplete:
            groups.setdefault((job.dataset, job.setting), []).append((job, run))
    ranking: dict[str, list[Candidate]] = {}
    for (dataset, _setting), group in groups.items():
        jobs, runs = zip(*group, strict=True)
        error = validation_mae(runs)
        if error is not None:
            ranking.setdefault(dataset, []).append(Candidate(jobs, runs, error))
    return {name: sorted(some, key=lambda one: one.error) for name, some in ranking.items()}


def check_candidate(name: str, method: Method) -> None:
    """Refuse a method whose error on the val divisions says nothing."""
    if method.track == "disaggregation":
        raise MethodError(
            f"{name} is shown the shares of the divisions that it predicts, so their error ranks "
            "no setting; sweep it without --select"
        )
