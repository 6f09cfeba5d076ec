"""What it costs to finish images in their order, against moving all of them on together: calls, batches, the first result.

Run: python benchmarks/attack_order.py [--images 20] [--budget 600]
Pictures of the demo's classifier are attacked both ways. The time is that of a classifier that takes 50 ms per call, whatever
the size of the batch, so that it does not depend on the machine.
"""

from __future__ import annotations

import argparse
import sys
from collections import deque
from pathlib import Path

import numpy as np

# Python puts this folder first on the path, where verbalize.py would be taken for the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

import adversarial.streaming  # noqa: E402
from adversarial import CallableClassifier, FeatureGuidedAttack  # noqa: E402
from adversarial.run import drive  # noqa: E402
from saywhy import signs  # noqa: E402

CALL = 0.05  # seconds


def in_lockstep(classifier, openings, batch_size, finished, _failed=None):
    """The earlier order: whoever was served first is served last the next time, and what has ended waits for a full batch."""
    waiting, running, ended = deque(openings), deque(), []
    while waiting or running:
        while waiting and sum(attack.waiting for attack in running) < batch_size:
            attack = waiting.popleft()()
            (running if attack.advance() else ended).append(attack)
        room, parts = batch_size, []
        for attack in running:
            first, images = attack.next_images(room)
            room -= len(images)
            if len(images):
                parts.append((attack, first, images))
        answers = classifier(np.concatenate([images for *_, images in parts]))
        start, served = 0, []
        for attack, first, images in parts:
            if attack.answer(first, answers[start : start + len(images)]):
                served.append(attack)
            start += len(images)
        running.rotate(-1)
        for attack in served:
            if not attack.advance():
                running.remove(attack)
                ended.append(attack)
        if len(ended) >= batch_size or not (waiting or running):
            checks = [check for attack in ended if (check := attack.to_check()) is not None]
            classifier.ask_again(np.stack([image for image, _ in checks]))
            for attack in ended:
                attack.log.count_check()
                finished(attack)
            ended.clear()


class Watched(CallableClassifier):
    """Notes the size of each batch of questions, and the number of calls with the checks."""

    def __init__(self, predict):
        self.sizes, self.calls = [], 0
        super().__init__(self._counted(predict))

    def _counted(self, predict):
        def counted(batch):
            self.calls += 1
            return predict(batch)

        return counted

    def __call__(self, images):
        """As `CallableClassifier`."""
        self.sizes.append(len(images))
        return super().__call__(images)


def measured(driver, distance, pictures, labels, budget):
    """Calls, the mean size of a batch, seconds until the first and until the last result, and the distances found."""
    classifier, times = Watched(signs.load().predict), []
    adversarial.streaming.drive = driver
    try:
        results = FeatureGuidedAttack(distance=distance, budget=budget).run(
            classifier, pictures, labels, progress=lambda *_: times.append(classifier.calls * CALL)
        )
    finally:
        adversarial.streaming.drive = drive
    return classifier.calls, float(np.mean(classifier.sizes)), times[0], times[-1], [result.distance for result in results]


def main():
    """Attack both ways, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--budget", type=int, default=600)
    options = parser.parse_args()
    pictures, labels = signs.samples()
    chosen = np.arange(options.images) % len(pictures)
    noise = np.random.default_rng(0).normal(0, 0.01, (options.images, *pictures.shape[1:]))
    pictures, labels = np.clip(pictures[chosen] + noise, 0, 1).astype(np.float32), labels[chosen]
    for distance in ("l0", "l2"):
        before, after = (measured(driver, distance, pictures, labels, options.budget) for driver in (in_lockstep, drive))
        for name, (calls, fill, first, last, _) in (("together", before), ("in order", after)):
            print(f"{distance} {name}: {calls} calls, {fill:.1f} images per batch, first {first:.1f} s, last {last:.1f} s")
        same = "the same" if before[4] == after[4] else "OTHER"
        calls, first = after[0] / before[0], after[2] / before[2]
        print(f"{distance}: {calls:.2f} times the calls, the first result after {first:.2f} of the time; {same} distances")


if __name__ == "__main__":
    main()
