"""The random game: nature plays player II. Pixels are drawn from the mixture, values evenly, and nothing is learned."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.moves import MoveTable
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog

    Steps: TypeAlias = Generator[NDArray[np.float32], NDArray[np.float64], None]

DRAWS = 8  # games a batch
IDLE = 200  # batches without a new best after which a game is held to be over


def random_search(account: QueryLog, palette: MoveTable, mixture: KeypointMixture, rng: np.random.Generator) -> Steps:
    """Games of drawn moves, each ended at a drawn length, and by bisection where it flipped."""
    yield from account.ask(account.image[None])
    if account.best is not None:
        return
    sizes = palette.size.reshape(-1, palette.count)
    open_pixels = np.flatnonzero(sizes.any(axis=1))
    logs = np.log(mixture.density.ravel()[open_pixels] + 1e-12)
    most, idle = len(open_pixels), 0
    while idle < IDLE and most > 0:
        before = account.distance
        order = open_pixels[np.argsort(-(logs + rng.gumbel(size=(DRAWS, len(logs)))), axis=1, kind="stable")]
        values = np.where(sizes[order] > 0, rng.random(sizes[order].shape), -1).argmax(axis=-1)
        changes = order * palette.count + values
        lengths = np.ceil(most ** rng.random(DRAWS)).astype(np.int64)
        games = [tuple(changes[game, : lengths[game]].tolist()) for game in range(DRAWS)]
        gaps = yield from account.ask(palette.render(games))
        for game in np.flatnonzero(account.value(gaps) > 0).tolist():
            holds, flips = 0, int(lengths[game])
            while flips - holds > 1:
                middle = (holds + flips) // 2
                found = yield from account.ask(palette.render([games[game][:middle]]))
                holds, flips = (holds, middle) if account.value(found)[0] > 0 else (middle, flips)
            most = min(most, flips - 1)
        idle = 0 if account.distance < before else idle + 1
