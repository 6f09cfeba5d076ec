"""Train the sign classifiers on drawings: `python -m saywhy.signs.train`, and with `--vit` the vision transformer.

It takes minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import nn

from saywhy.signs.draw import CLASS_NAMES, draw_signs
from saywhy.signs.model import SignClassifier, SignNetwork, fold, held_out, load, save
from saywhy.signs.vision_transformer import VIT_WEIGHTS, load_vit, save_vit, sign_transformer
from saywhy_core.disk.files import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable

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


@dataclass(frozen=True)
class Recipe:
    """How one of the networks is built, trained and written."""

    file: str
    build: Callable[[], nn.Module]
    save: Callable[[nn.Module, Path], None]
    load: Callable[[Path], SignClassifier]
    pictures: int
    passes: int
    rate: float  # the largest learning rate of the one cycle
    decay: float
    shift: int  # pixels by which a drawing is moved at most: what is drawn once is seen from several places


RECIPES = {
    "cnn": Recipe(
        "weights.npz", lambda: SignNetwork(normalise=True).to(memory_format=torch.channels_last),
        lambda network, path: save(fold(network), path), load, pictures=30_720, passes=2, rate=4e-3, decay=0.02, shift=0,
    ),
    # without convolutions it has to learn from the drawings that a sign may be moved, and needs to see more of them
    "vit": Recipe(
        VIT_WEIGHTS, sign_transformer, save_vit, load_vit, pictures=36_864, passes=8, rate=1.5e-3, decay=0.05, shift=2
    ),
}  # fmt: skip


def shifted(images: NDArray[np.float32], rng: np.random.Generator, shift: int) -> NDArray[np.float32]:
    """Move each picture by up to `shift` pixels in both directions; what comes in is mirrored at the edge."""
    if not shift:
        return images
    high, wide = images.shape[1:3]
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)), mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (high, wide), axis=(1, 2))
    down, right = rng.integers(0, 2 * shift + 1, (2, len(images)))
    return np.ascontiguousarray(windows[np.arange(len(images)), down, right].transpose(0, 2, 3, 1))


def train(recipe: Recipe, *, pictures: int, passes: int, seed: int) -> nn.Module:
    """Train on `pictures` drawings, each `passes` times. The same seed gives the same network on the same machine."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    network = recipe.build().train()
    blocks = -(-pictures // BLOCK)
    steps = blocks * passes * (BLOCK // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), lr=recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=recipe.rate, total_steps=steps, pct_start=0.25)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.03)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("training", total=steps)
        for block in range(blocks):
            labels = rng.permutation(np.arange(BLOCK) % len(CLASS_NAMES))
            images = draw_signs(labels, seed=int(rng.integers(2**62)))
            for _ in range(passes):
                order = rng.permutation(BLOCK)
                moved = shifted(images[order], rng, recipe.shift)
                seen = torch.from_numpy(stray_pixels(moved, rng)).permute(0, 3, 1, 2)
                for batch, truth in zip(seen.split(BATCH), torch.from_numpy(labels[order]).split(BATCH), strict=True):
                    optimiser.zero_grad()
                    loss = loss_of(network(batch), truth)
                    loss.backward()
                    optimiser.step()
                    schedule.step()
                    progress.advance(task)
            progress.update(task, description=f"training, block {block + 1}, loss {loss.item():.3f}")
    return network.eval()


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
    parser.add_argument("--vit", action="store_true", help="the vision transformer, not the convolutional network")
    parser.add_argument("--out", type=Path, help="file to write; without it, the file of the package")
    parser.add_argument("--pictures", type=int, help="drawings to train on")
    parser.add_argument("--passes", type=int, help="how often each drawing is trained on")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--check", action="store_true", help="train nothing; measure the weights in the file --out")
    options = parser.parse_args(arguments)
    recipe = RECIPES["vit" if options.vit else "cnn"]
    out = options.out or Path(__file__).with_name(recipe.file)
    if not options.check:
        network = train(
            recipe, pictures=options.pictures or recipe.pictures, passes=options.passes or recipe.passes, seed=options.seed
        )
        with atomic_path(out) as temporary:
            recipe.save(network, temporary)
    sys.stdout.write(f"{out.name}, {out.stat().st_size / 1000:.0f} kB: {report(recipe.load(out))}\n")


if __name__ == "__main__":
    main()
