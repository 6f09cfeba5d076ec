"""How long a model may compute: a ceiling for its first image, and for batches its own pace."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

from saywhy_core.bounded.watched import OverTimeError, Watched, go_on, too_long
from saywhy_core.reading.ceilings import ceiling

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
PER_SECOND = 20_000_000  # bytes of weights for which one second more is allowed: some ten times what old machines need
MOST = 60.0  # seconds that weights allow for one image
MARGIN = 4  # times the pace of the first image; other programs may need the processor later
WARMING = 60.0  # seconds more on an accelerator, which compiles its kernels for each new shape
SHAPES = 1_000  # of which the pace is remembered


class Pace:
    """Computes batches within a time. What a model may take grows with its weights and with what its first image took.

    The first image of each shape is computed alone, for its time only, and its answer is dropped where it came with others.

    Args:
        where: the model, for errors.
        weights: bytes of it.
        alone: whether the model takes one image; otherwise the first batch is what its pace is measured with.
        steady: whether it computes the same for every batch of a shape. It is watched the first time only, which saves the
            way to another thread and back.
        accelerated: whether it runs on something else than the processor.
    """

    def __init__(
        self, where: str, weights: int, *, alone: bool = True, steady: bool = False, accelerated: bool = False
    ) -> None:
        self.where, self.alone, self.steady = where, alone, steady
        self.seconds = ceiling("seconds")
        self._of_weights = min(weights / PER_SECOND, MOST)
        self._warming = WARMING if accelerated else 0.0
        self._paces: dict[tuple[int, ...], float] = {}
        self._computed: set[tuple[int, ...]] = set()
        self._over: str | None = None
        self.watched = Watched("model")

    def timed(self, compute: Callable[[Any], A]) -> Callable[[Any], A]:
        """The same function of a batch, within the time."""
        return lambda batch: self(compute, batch)

    def __call__(self, compute: Callable[[Any], A], batch: Any, stop: Callable[[], None] | None = None) -> A:
        """What `compute` answers for a batch (N, ...).

        Raises:
            OverTimeError: it takes too long, or took too long before.
        """
        if batch.shape in self._computed:
            return compute(batch)
        shape = batch.shape[1:]
        if shape not in self._paces:
            if len(self._paces) >= SHAPES:
                self._paces.clear()
            first = batch[:1] if self.alone else batch
            start = time.monotonic()
            answer = self._timed(lambda: compute(first), self.allowed(len(first)) + self._warming, len(first), stop)
            self._paces[shape] = (time.monotonic() - start) / len(first)
            if len(first) == len(batch):
                return answer
            del answer
        seconds = self.allowed(len(batch), self._paces[shape]) + self._warming
        answer = self._timed(lambda: compute(batch), seconds, len(batch), stop)
        if self.steady and len(self._computed) < SHAPES:
            self._computed.add(batch.shape)
        return answer

    def opening(self, opened: Callable[[], A], growth: int | None = None) -> A:
        """What `opened` returns: the model, for which there is as long as for one image.

        Args:
            opened: reads the file and prepares what it says.
            growth: bytes of memory that it may take.

        Raises:
            OverTimeError: it takes too long, or more memory.
        """
        seconds = self.allowed(1) + self._warming
        return self.watched(
            opened, seconds, self.too_long("open", seconds), growth=growth,
            too_large=f"{self.where} took more than {growth or 0:,} bytes of memory to open, the most that is allowed for "
            f"a file of its size; if you trust it, raise the ceiling, for example with --ceiling array={2 * ceiling('array')}",
        )  # fmt: skip

    def allowed(self, images: int, pace: float = 0.0) -> float:
        """Seconds for that many images, of which each takes about as long as `pace` says."""
        return self.seconds + images * (self._of_weights + MARGIN * pace)

    def too_long(self, what: str, seconds: float) -> str:
        """The text of the error that something took too long."""
        return too_long(self.where, what, seconds, self.seconds)

    def _timed(self, compute: Callable[[], A], seconds: float, images: int, stop: Callable[[], None] | None) -> A:
        if self._over is not None:  # each further image would take as long
            raise OverTimeError(self._over)
        try:
            return self.watched(compute, seconds, lambda: self.too_long(f"compute {_counted(images)}", seconds), stop=stop)
        except OverTimeError as error:
            self._over = str(error)
            raise OverTimeError(self._over) from None


def interruptible(model: Any) -> None:
    """Let a torch module end between two of its parts where its computation is told to stop."""
    for part in model.modules():
        part.register_forward_pre_hook(lambda *_: go_on())


def _counted(images: int) -> str:
    return "one image" if images == 1 else f"{images:,} images"
