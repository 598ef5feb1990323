"""Work shared out: done in this process, by others of this machine, or by a cluster of the user's.

The engine is dask.distributed. Work is cut into tasks that can be done twice: a worker that is
killed is replaced, and its task is done again by another. What comes of a task does not depend on
who did it.
"""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from llpbench._version import __version__
from llpbench.errors import CrewError

if TYPE_CHECKING:
    from distributed import Client, Future, LocalCluster

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

_KILLS = 32
"""How often a task is begun again whose worker was killed."""

_AHEAD = 3
"""Tasks that are handed out for each thread, so that no worker waits for its next one."""

_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

_PATIENCE = 10
"""Seconds in which a scheduler has to answer."""


class Crew:
    """Who does the work; :func:`gather` makes it."""

    def __init__(self, client: Client | None = None) -> None:
        self._client = client

    @property
    def is_here(self) -> bool:
        """Whether all work is done in this process."""
        return self._client is None

    def share_out(
        self, work: Callable[[Item], Outcome], items: Iterable[Item], *, threads: int = 1
    ) -> Iterator[Outcome]:
        """Do the same work on each item, and give what came of it in their order, as it comes.

        Parameters
        ----------
        work : callable
            Picklable, as items and outcomes are. It may be done twice on an item, so that it has
            to leave the same then. It is sent once and may hold much; items are sent one by one.
        items : iterable
            It is gone through as they are needed. What comes of one that is early waits in memory
            for those before it.
        threads : int
            Of this process, where it does all by itself.

        Raises
        ------
        CrewError
            If the scheduler is lost, or a task ended its worker time and again.
        Exception
            Whatever the work raises; it ends all.
        """
        early: dict[int, Outcome] = {}
        following = 0
        for (number, _item), outcome in self._numbered(work, items, threads):
            early[number] = outcome
            while following in early:
                yield early.pop(following)
                following += 1

    def as_finished(
        self, work: Callable[[Item], Outcome], items: Iterable[Item], *, threads: int = 1
    ) -> Iterator[tuple[Item, Outcome]]:
        """Do the same as :meth:`share_out`, and give each item with its outcome when it is done."""
        for (_number, item), outcome in self._numbered(work, items, threads):
            yield item, outcome

    def _numbered(
        self, work: Callable[[Item], Outcome], items: Iterable[Item], threads: int
    ) -> Iterator[tuple[tuple[int, Item], Outcome]]:
        if self._client is not None:
            yield from _collect(self._client, work, items)
        elif threads > 1:
            yield from _in_threads(work, items, threads)
        else:
            yield from (((number, item), work(item)) for number, item in enumerate(items))


@contextmanager
def gather(workers: int = 1, scheduler: str | None = None) -> Iterator[Crew]:
    """Gather those who do the work, and let them go at the end.

    Parameters
    ----------
    workers : int
        Processes of this machine, with a thread each. With one, all work is done in this process.
    scheduler : str, optional
        Address of a dask scheduler that the user runs, such as ``tcp://10.0.0.1:8786``; its workers
        are used instead, and stay when all is done.

    Raises
    ------
    CrewError
        If the scheduler cannot be reached, or both are given.

    Examples
    --------
    >>> with gather() as crew:
    ...     list(crew.share_out(abs, [-1, 2]))
    [1, 2]
    """
    if scheduler is not None and workers > 1:
        raise CrewError("give a number of workers or the address of a scheduler, not both")
    if scheduler is None and workers == 1:
        yield Crew()
        return
    with ExitStack() as stack:
        yield Crew(stack.enter_context(_connected(workers, scheduler)))


@contextmanager
def _connected(workers: int, scheduler: str | None) -> Iterator[Client]:
    import dask
    from distributed import Client
    from distributed.utils import silence_logging_cmgr

    settings = {
        "distributed.scheduler.allowed-failures": _KILLS,
        # one that is killed again while it starts is given up else, and with the last of them all
        "distributed.deploy.lost-worker-timeout": "1h",
        "distributed.admin.large-graph-warning-threshold": "1TB",  # what is sent once may be large
        # not the threshold of malloc, by which arrays are given back and asked for all the time
        "distributed.nanny.pre-spawn-environ": dict.fromkeys(_ONE_THREAD, 1),
    }
    with ExitStack() as stack:
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        stack.enter_context(dask.config.set(settings))
        where = stack.enter_context(_local_workers(workers)) if scheduler is None else scheduler
        if scheduler is not None:
            _require_scheduler(scheduler)
        client = stack.enter_context(Client(where, set_as_default=False))
        if not client.nthreads():
            log.warning("the scheduler at %s has no workers yet; waiting for some", scheduler)
        yield client


@contextmanager
def _local_workers(workers: int) -> Iterator[LocalCluster]:
    from distributed import LocalCluster

    ended = threading.Event()
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",  # with none, it takes port 8787 of all networks
        memory_limit=0,  # one that needs more than its part has it while others need less
        silence_logs=logging.CRITICAL,
    ) as cluster:
        keeper = threading.Thread(target=_keep, args=(cluster, workers, ended), daemon=True)
        keeper.start()
        try:
            yield cluster
        finally:
            ended.set()
            keeper.join()


def _keep(cluster: LocalCluster, workers: int, ended: threading.Event) -> None:
    """Start workers anew that were killed while they started, which dask gives up."""
    while not ended.wait(2):
        for name, nanny in list(cluster.workers.items()):
            if nanny.status.name == "failed":
                cluster.workers.pop(name, None)
        cluster.scale(workers)


def _require_scheduler(address: str) -> None:
    """Knock first: a client that meets nobody says so again when it is thrown away."""
    import asyncio

    from distributed.comm import connect

    async def knock() -> None:
        comm = await connect(address, timeout=_PATIENCE)
        await comm.close()

    try:
        asyncio.run(knock())
    except (OSError, ValueError) as error:
        raise CrewError(
            f"there is no dask scheduler at {address!r}; start one with `dask scheduler`, and give "
            "the address that it prints"
        ) from error


def _in_threads(
    work: Callable[[Item], Outcome], items: Iterable[Item], threads: int
) -> Iterator[tuple[tuple[int, Item], Outcome]]:
    pool = ThreadPoolExecutor(threads)
    try:
        futures = {pool.submit(work, item): (number, item) for number, item in enumerate(items)}
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        pool.shutdown(cancel_futures=True)  # after an error or Ctrl-C: ends with these items


def _collect(
    client: Client, work: Callable[[Item], Outcome], items: Iterable[Item]
) -> Iterator[tuple[tuple[int, Item], Outcome]]:
    """Keep so many tasks handed out that nobody waits, and give outcomes when they are there."""
    from distributed import as_completed as as_they_come
    from distributed.protocol.pickle import dumps, loads

    # a task, unlike scattered data, is done again where all who hold what came of it are killed
    sent = client.submit(loads, dumps(work), pure=False)
    waiting = enumerate(items)
    handed_out: dict[Future, tuple[int, Item]] = {}
    finished = as_they_come(loop=client.loop)

    def hand_out() -> None:
        with _naming_a_lost_scheduler(client):
            free = _AHEAD * max(1, sum(client.nthreads().values())) - len(handed_out)
        for number, item in itertools.islice(waiting, max(0, free)):
            with _naming_a_lost_scheduler(client):
                future = client.submit(_do, sent, item, __version__, pure=False)
                handed_out[future] = number, item
                finished.add(future)

    try:
        hand_out()
        for future in finished:
            outcome = _outcome(client, future)
            done = handed_out.pop(future)
            hand_out()
            yield done, outcome
    finally:
        if handed_out and client.status == "running":
            client.cancel(list(handed_out))


def _outcome(client: Client, future: Future) -> Any:
    """What came of a task; an error of the work is raised as it is."""
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except CancelledError as error:
        raise _lost(client) from error
    except KilledWorker as error:
        raise CrewError(
            "a task ended its worker time and again, as the system does to one that takes too much "
            "memory; use fewer workers, or machines with more memory"
        ) from error


@contextmanager
def _naming_a_lost_scheduler(client: Client) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _lost(client) from error


def _lost(client: Client) -> CrewError:
    return CrewError(
        f"the dask scheduler at {client.scheduler.address} is lost; start one again, and the same "
        "command goes on with what is left"
    )


def _do(work: Callable[[Item], Outcome], item: Item, version: str) -> Outcome:
    """Do a task in a worker, which has to be as the one who asks."""
    import dask
    from distributed import get_worker

    threads = get_worker().state.nthreads
    if threads > 1:
        raise CrewError(
            f"a dask worker has {threads} threads, and methods need a process for each: start "
            "workers with `dask worker --nthreads 1 --nworkers N`"
        )
    if version != __version__:
        raise CrewError(
            f"a dask worker has llpbench {__version__} and this process has {version}; install "
            "the same for all"
        )
    with dask.config.set(scheduler="synchronous"):  # else chips would be read by other workers
        return work(item)
