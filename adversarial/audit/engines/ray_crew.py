"""Workers for proofs on a Ray cluster."""

from __future__ import annotations

import os
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from adversarial.audit.engines.ray_session import ray_session
from adversarial.audit.proofs.worker import ProofWorker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from adversarial.audit.proofs.crew import Hand
    from adversarial.audit.proofs.prover import ProofWork
    from adversarial.audit.proofs.worker import ProofMessage, ProofSetup
    from adversarial.audit.workers.mailbox import Broken, Unusable


class RayCrews:
    """Actors of a Ray cluster, each with one processor; see `adversarial.audit.proofs.crew.Crews`.

    Args:
        address: see `adversarial.audit.engines.cluster.run`.
        workers: likewise.
    """

    def __init__(self, *, address: str | None = None, workers: int | None = None) -> None:
        self._address, self._workers = address, workers
        self.most: int | None = workers or (os.cpu_count() if address is None else None)

    @contextmanager
    def open(self, setup: ProofSetup) -> Iterator[_RayCrew]:
        """The workers; see `Crews`."""
        with ray_session(self._address, self._workers) as ray:
            yield _RayCrew(ray, setup, self._workers or max(1, int(ray.cluster_resources().get("CPU", 1))))


class _RayCrew:
    def __init__(self, ray: Any, setup: ProofSetup, most: int) -> None:
        self._ray, self.most = ray, most
        self._setup = ray.put(setup)
        self._actor = ray.remote(ProofWorker)

    def hire(self) -> _Actor:
        return _Actor(self._ray, self._actor.options(num_cpus=1, max_restarts=0, max_task_retries=0).remote(self._setup))

    def wait(self, hands: Sequence[Hand], seconds: float) -> list[Hand]:
        calls = {hand.calls[0]: hand for hand in hands if isinstance(hand, _Actor) and hand.calls}
        if not calls:
            return []
        ready, _ = self._ray.wait(list(calls), num_returns=1, timeout=seconds)
        return [calls[call] for call in ready]


class _Actor:
    """An actor as this process sees it; `calls` are those that are not answered."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self.calls: deque[Any] = deque()

    def ask(self, work: ProofWork | None = None, journal: bytes | None = None, *, stop: bool = False) -> None:
        self.calls.append(self._actor.exchange.remote(work, journal, stop=stop))

    def answer(self) -> list[ProofMessage | Unusable | Broken] | None:
        try:
            messages: list[ProofMessage | Unusable | Broken] = self._ray.get(self.calls[0])
        except self._ray.exceptions.RayTaskError:
            raise
        except self._ray.exceptions.RayError:
            return None
        self.calls.popleft()
        return messages

    def end(self) -> None:
        self._ray.kill(self._actor)
