"""The driver: full batches, no attack left behind, checks counted; with searches written out by hand."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from adversarial.distances import DISTANCES
from adversarial.query_log import QueryLog
from adversarial.run import ImageAttack, drive
from saywhy_core.classifiers import CallableClassifier, ClassifierError

SIDE = 4


class Asking:
    """Asks about so many images in each step; every image is another one."""

    def __init__(self, log, steps):
        self.log, self.plan, self.seen = log, steps, []

    def steps(self):
        number = 0
        for count in self.plan:
            made = np.zeros((count, SIDE * SIDE), dtype=np.float32)
            for row in range(count):
                number += 1
                made[row, 0], made[row, 1] = number / 100, self.log.image[0, 0, 0]
            gaps = yield from self.log.ask(made.reshape(-1, SIDE, SIDE, 1))
            self.seen.append(len(gaps))

    def evidence(self):
        return np.zeros((SIDE, SIDE))


def opened(index, steps, budget=40, limit=39):
    image = np.full((SIDE, SIDE, 1), (index + 1) / 50, dtype=np.float32)
    log = QueryLog(image, 0, None, distance=DISTANCES.get("l0"), budget=budget, kind="logits", limit=limit)
    return ImageAttack(index, log, Asking(log, steps), None)


def run(plans, batch_size, predict=lambda batch: np.tile([1.0, 0.0], (len(batch), 1)), **options):
    sizes, done = [], []

    def counted(batch):
        sizes.append(len(batch))
        return predict(batch)

    openings = [partial(opened, index, plan, **options) for index, plan in enumerate(plans)]
    drive(CallableClassifier(counted), openings, batch_size, done.append)
    return sizes, done


def test_batches_are_filled_across_images():
    sizes, done = run([[3, 3], [3, 3], [3, 3]], 6)
    assert sizes == [6, 6, 5, 3, 1]  # two together, the check of both with the third, and the third's check
    assert [attack.index for attack in done] == [0, 1, 2]
    for attack in done:
        assert attack.search.seen == [3, 3]
        assert attack.log.queries == 7  # and the check


def test_a_step_larger_than_a_batch_is_answered_in_parts():
    sizes, (attack,) = run([[10, 1]], 4)
    assert sizes == [4, 4, 2, 1, 1]
    assert attack.search.seen == [10, 1]


def test_the_budget_ends_a_search():
    _, (attack,) = run([[3, 3, 3]], 8, budget=8, limit=8)
    assert attack.search.seen == [3, 3, 2]
    assert attack.log.queries == 8  # budgets below 10 have no check


def test_a_search_that_asks_nothing_ends_at_once():
    sizes, done = run([[], [2]], 4)
    assert sizes[0] == 2
    assert sorted(attack.index for attack in done) == [0, 1]


def test_images_are_finished_in_their_order_and_reported_at_once():
    """Each asks 4 at a time, 16 in all, in batches of 8: two are on their way at any time, and the first ends first."""
    order = []

    def opening(index):
        order.append(f"open {index}")
        return opened(index, [4, 4, 4, 4])

    def predict(batch):
        order.append(len(batch))
        return np.tile([1.0, 0.0], (len(batch), 1))

    openings = [partial(opening, index) for index in range(4)]
    drive(CallableClassifier(predict), openings, 8, lambda attack: order.append(f"done {attack.index}"))
    first_two = ["open 0", "open 1", 8, 8, 8, 8]
    # the checks of both share the next batch with the images that follow: 2 checks, 4 of the third, 2 of the fourth
    checked = ["open 2", "open 3", 8, "done 0", "done 1"]
    assert order == [*first_two, *checked, 6, 8, 8, 5, "done 2", 1, "done 3"]


def test_the_first_gets_its_images_in_before_the_others():
    sizes, done = run([[6, 6], [6, 6], [6, 6]], 8)
    assert [attack.index for attack in done] == [0, 1, 2]
    assert sizes[:2] == [8, 8]  # 6 of the first and 2 of the second, twice


def test_images_are_opened_when_there_is_room():
    order = []

    def opening(index):
        order.append(("open", index))
        return opened(index, [4])

    def predict(batch):
        order.append(("ask", len(batch)))
        return np.tile([1.0, 0.0], (len(batch), 1))

    drive(CallableClassifier(predict), [partial(opening, index) for index in range(3)], 4, lambda attack: None)
    # the check of the first shares a batch with the second, and so on
    full = [("open", 0), ("ask", 4), ("open", 1), ("ask", 4), ("open", 2), ("ask", 4)]
    assert order == [*full, ("ask", 2), ("ask", 1)]


def test_another_answer_to_the_same_image_is_an_error():
    answers = iter([[1.0, 0.0], [3.0, 0.0]])

    with pytest.raises(ClassifierError, match="another answer"):
        run([[1]], 4, predict=lambda batch: np.tile(next(answers), (len(batch), 1)))
