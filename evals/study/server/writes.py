"""What requests write, gathered: while one transaction goes to the disk, the next ones wait and then go together."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from evals.study.server.store import Store

_TOGETHER = 100  # works of one transaction: more would let the first of them wait for long


class Writes:
    """Works that write, of many requests at once.

    Args:
        store: where they write.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._busy: asyncio.Task[None] | None = None

    async def done(self, work: Callable[[], Any]) -> Any:
        """Do a work; when this returns, what it wrote is on the disk. Whatever it raises is raised here."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._busy is None or self._busy.done():
            self._busy = asyncio.create_task(self._go())
        return await future

    async def _go(self) -> None:
        while self._waiting:
            now, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            works = [work for work, future in now if not future.cancelled()]
            futures = [future for _, future in now if not future.cancelled()]
            try:
                results = await run_in_threadpool(partial(self.store.together, works))
            except Exception as error:  # noqa: BLE001 - a full disk, for example: nothing of all this was written
                results = [error] * len(futures)
            for future, result in zip(futures, results, strict=True):
                if future.cancelled():
                    continue
                if isinstance(result, BaseException):
                    future.set_exception(result)
                else:
                    future.set_result(result)


async def run_in_threadpool(work: Callable[[], Any]) -> Any:
    """Do something that waits for the disk in another thread."""
    from starlette.concurrency import run_in_threadpool as run

    return await run(work)
