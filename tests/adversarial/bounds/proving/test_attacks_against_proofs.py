"""No attack finds what a proof denies: networks of shared/data/verify, where they are."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial import FeatureGuidedAttack, fewest_pixels  # noqa: E402
from adversarial.bounds.networks import activations, read_onnx  # noqa: E402
from adversarial.bounds.networks.evaluating import compute, running  # noqa: E402
from saywhy_core.classifiers import load_classifier  # noqa: E402

DATA = Path(os.environ.get("SAYWHY_DATA", Path(__file__).resolve().parents[5] / "shared" / "data"))


def white_box(network, picture, label, pixels, rng, rounds=40):
    """The least margin found by gradients: among the pixels that matter most, sets of so many and the values of each in turn."""
    high, wide, channels = picture.shape
    least = np.inf
    worst = picture
    for start in range(rounds):
        image = picture.astype(np.float64)
        if start:  # the gradient elsewhere is another one
            image = np.clip(image + rng.normal(0, 0.3 * start / rounds, image.shape), 0, 1)
        given = torch.tensor(image[None], requires_grad=True)
        *_, scores = running(network, given, compute)
        others = scores[0].clone()
        others[label] = -torch.inf
        (scores[0, label] - others.max()).backward()
        slope = given.grad[0].numpy()
        gain = np.maximum(-slope * (1 - picture), slope * picture).sum(2).ravel()
        short = np.argsort(-gain)[:24]
        sets = np.array([rng.choice(short, pixels, replace=False) for _ in range(64)])
        images = np.repeat(picture.astype(np.float64)[None], len(sets), axis=0).reshape(len(sets), -1, channels)
        images[np.arange(len(sets))[:, None], sets] = (slope.reshape(-1, channels)[sets] < 0).astype(float)
        for _ in range(2):
            for place in range(pixels):
                for channel in range(channels):
                    tried = np.repeat(images[None], 9, axis=0)
                    tried[:, np.arange(len(sets)), sets[:, place], channel] = np.linspace(0, 1, 9)[:, None]
                    found = activations(network, tried.reshape(-1, high, wide, channels))[-1].numpy()
                    margins = found[:, label] - np.delete(found, label, axis=1).max(1)
                    margins = margins.reshape(9, len(sets))
                    images = tried[margins.argmin(0), np.arange(len(sets))]
        if margins.min() < least:
            least = float(margins.min())
            worst = images[margins.min(0).argmin()].reshape(high, wide, channels)
    return least, worst.astype(np.float32)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", ["MNIST_ConvSmall", "MNIST_ConvSmallPGD", "CIFAR_ConvSmallPGD"])
def test_no_attack_finds_what_a_proof_denies(name):
    path = DATA / "verify" / f"{name}.onnx"
    if not path.is_file():
        pytest.skip("the networks of shared/data are not here (SAYWHY_DATA)")
    pictures, labels = _images(name)
    classifier = load_classifier(f"onnx:{path}", scores="logits", layout="nhwc", value_range=(0, 1), mean=0.0, std=1.0)
    seen = np.asarray(classifier.predict(pictures)).argmax(1)
    network, rng = read_onnx(path), np.random.default_rng(0)
    for picture, label in [(one, int(true)) for one, true, got in zip(pictures, labels, seen, strict=True) if true == got][
        :6:2
    ]:
        bound = fewest_pixels(path, picture, label, at_most=2, seconds=60)
        for seed in range(2):
            for budget in (300, 2000):
                found = FeatureGuidedAttack(budget=budget, seed=seed, levels=None).run(classifier, picture[None], [label])[0]
                assert found.adversarial is None or (found.adversarial != picture).any(axis=2).sum() >= bound.lower
        for pixels in range(1, bound.lower):
            least, worst = white_box(network, picture, label, pixels, rng)
            assert least > 0
            assert np.asarray(classifier.predict(worst[None])).argmax() == label


def _images(name):
    """The first images of the data set, (N, H, W, C) in [0, 1], and their labels."""
    folder = DATA / ("mnist" if name.startswith("MNIST") else "cifar10")
    found = sorted(folder.glob("*_test*.npz"), reverse=True)  # PNG before JPEG
    if not found:
        pytest.skip(f"{folder.name} has no images here")
    with np.load(found[0]) as file:
        pictures, labels = (file[key] for key in ("images", "labels"))
    pictures = pictures[:40].astype(np.float32) / (255 if pictures.dtype.kind == "u" else 1)
    return pictures if pictures.ndim == 4 else pictures[..., None], labels[:40]
