"""The game, played by the stock `mcts` package, as an attack: slow, for cross-checking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adversarial.attacks.feature_guided.shrink import towards_original
from adversarial.attacks.mcts_game.engine import run_mcts
from adversarial.attacks.mcts_game.game import make_game
from adversarial.attacks.random_pixels import change_map
from adversarial.attacks.registry import Attack, Task
from adversarial.query_log import BudgetSpent
from saywhy_core.classifiers import ask, comparable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adversarial.query_log import Search


class StockSearch:
    """One image's search by `run_mcts`.

    The package calls its rollouts and can't be halted in the middle, so that this search asks the classifier itself, about
    one image at a time.
    """

    def __init__(self, task: Task) -> None:
        if task.mixture is None:
            raise ValueError("the game needs the features of a mixture")
        self.task, self.mixture = task, task.mixture

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        task, log = self.task, self.task.log
        yield from log.ask(log.image[None])
        if log.found() or log.left < 1:
            return

        def evaluate(images: NDArray[np.float32]) -> NDArray[np.float64]:
            if (images == log.image).all() and log.clean is not None:
                return comparable(log.clean[None], log.kind)
            if log.left < len(images):
                raise BudgetSpent
            images = log.on_grid(images)
            scores = ask(task.classifier, images)
            log.take(images, scores)
            return comparable(scores, log.kind)

        game = make_game(
            log.image, self.mixture, evaluate, log.label, target=log.target, distance=task.distance.name,
            manipulation=task.manipulation,
        )  # fmt: skip
        run_mcts(game, budget=log.left + 1, seed=task.seed)  # the game asks about the original, which is known by now
        if task.distance.nearest is not None and log.left > 0:
            yield from towards_original(log)

    def evidence(self) -> NDArray[np.float64]:
        """(H, W) how far each pixel was changed in the nearest adversarial image."""
        return change_map(self.task.log.image, self.task.log.best)


MCTS_GAME = Attack(
    name="mcts_game", start=StockSearch, uses_mixture=True, uses_manipulation=True, uses_batches=False, keeps_to_mask=False
)
