"""Train the sign classifier on drawings: `python -m saywhy.signs.train --out weights.npz`. It takes minutes on two cores."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from saywhy.signs.draw import CLASS_NAMES, draw_signs
from saywhy.signs.model import SignClassifier, SignNetwork, fold, held_out, load, save
from saywhy_core.disk.files import atomic_path

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 64
BLOCK = 1_536  # pictures drawn at a time
STRAY = 0.02  # largest share of pixels that are replaced by random colours, so that no single pixel decides


def stray_pixels(images: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Replace a random share of the pixels of each picture, at most `STRAY`, by corners of the colour cube."""
    share = rng.uniform(0, STRAY, (len(images), 1, 1)) * (rng.random((len(images), 1, 1)) < 0.5)
    hit = rng.random(images.shape[:3]) < share
    corners = rng.integers(0, 2, images.shape).astype(np.float32)
    return np.where(hit[..., None], corners, images)


def train(*, pictures: int, passes: int, seed: int) -> SignNetwork:
    """Train on `pictures` drawings, each `passes` times. The same seed gives the same network on the same machine."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    network = SignNetwork(normalise=True).to(memory_format=torch.channels_last)
    blocks = -(-pictures // BLOCK)
    steps = blocks * passes * (BLOCK // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=4e-3, total_steps=steps, pct_start=0.25)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.03)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("training", total=steps)
        for block in range(blocks):
            labels = rng.permutation(np.arange(BLOCK) % len(CLASS_NAMES))
            images = draw_signs(labels, seed=int(rng.integers(2**62)))
            for _ in range(passes):
                order = rng.permutation(BLOCK)
                seen = torch.from_numpy(stray_pixels(images[order], rng)).permute(0, 3, 1, 2)
                for batch, truth in zip(seen.split(BATCH), torch.from_numpy(labels[order]).split(BATCH), strict=True):
                    optimiser.zero_grad()
                    loss = loss_of(network(batch), truth)
                    loss.backward()
                    optimiser.step()
                    schedule.step()
                    progress.advance(task)
            progress.update(task, description=f"training, block {block + 1}, loss {loss.item():.3f}")
    return fold(network)


def report(classifier: SignClassifier) -> str:
    """The accuracy on the held-out pictures in a sentence: overall, of the weakest class, and with stray pixels added."""
    images, labels = held_out()
    right = classifier.predict(images).argmax(1) == labels
    each = np.array([right[labels == label].mean() for label in range(len(CLASS_NAMES))])
    weakest = int(each.argmin())
    strayed = classifier.predict(stray_pixels(images, np.random.default_rng(0))).argmax(1) == labels
    return (
        f"{right.mean():.2%} of {len(labels):,} held-out pictures are classified correctly (weakest class: "
        f"{CLASS_NAMES[weakest]}, {each[weakest]:.1%}); with up to {STRAY:.0%} stray pixels {strayed.mean():.2%}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Train, write the weights and measure them on held-out pictures; with `--check`, only measure existing weights."""
    parser = argparse.ArgumentParser(prog="python -m saywhy.signs.train", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("weights.npz"), help="file to write")
    parser.add_argument("--pictures", type=int, default=30_720, help="drawings to train on")
    parser.add_argument("--passes", type=int, default=2, help="how often each drawing is trained on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="train nothing; measure the weights in the file --out")
    options = parser.parse_args(arguments)
    if not options.check:
        network = train(pictures=options.pictures, passes=options.passes, seed=options.seed)
        with atomic_path(options.out) as temporary:
            save(network, temporary)
    sys.stdout.write(f"{options.out.name}, {options.out.stat().st_size / 1000:.0f} kB: {report(load(options.out))}\n")


if __name__ == "__main__":
    main()
