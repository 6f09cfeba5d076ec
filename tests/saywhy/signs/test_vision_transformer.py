"""The vision transformer of the road signs: how well it reads, what its attention finds, and that its weights are only numbers."""

from __future__ import annotations

import zipfile
from importlib.resources import files

import numpy as np
import pytest
import torch

from saywhy import signs
from saywhy.signs import train
from saywhy.signs.model import held_out
from saywhy.signs.vision_transformer import save_vit, sign_transformer
from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError
from verbalize import attribute


@pytest.fixture(scope="module")
def classifier():
    return signs.load_vit()


@pytest.mark.parametrize("count", [120, pytest.param(960, marks=pytest.mark.long)])
def test_held_out_accuracy(classifier, count):
    images, labels = held_out(count)
    assert (classifier.predict(images).argmax(1) == labels).mean() >= 0.97


def test_weights_are_small_and_only_numbers():
    path = files("saywhy.signs") / "vit_weights.npz"
    assert len(path.read_bytes()) < 1_000_000
    with zipfile.ZipFile(str(path)) as archive:
        for name in archive.namelist():
            assert np.lib.format.read_magic(archive.open(name)) == (1, 0)
    with np.load(str(path), allow_pickle=False) as arrays:
        assert {arrays[name].dtype for name in arrays} == {np.dtype(np.float16)}


def test_weights_survive_a_file(tmp_path):
    torch.manual_seed(0)
    network = sign_transformer().eval()
    save_vit(network, tmp_path / "w.npz")
    again = signs.load_vit(tmp_path / "w.npz").module()
    images = torch.rand(2, 3, 48, 48)
    torch.testing.assert_close(again(images), network(images), rtol=0, atol=0.01)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match=r"no weights of|not complete"):
        signs.load_vit(files("saywhy.signs") / "weights.npz")
    (tmp_path / "w.npz").write_bytes(b"nothing")
    with pytest.raises(UsageError):
        signs.load_vit(tmp_path / "w.npz")


def test_it_is_a_target(classifier):
    images, _ = signs.samples()
    target = load_classifier("demo:signs-vit")
    np.testing.assert_allclose(target(images), classifier.predict(images), atol=1e-5)
    assert target.identity != load_classifier("demo:signs").identity
    with pytest.raises(UsageError, match="there are demo:signs and demo:signs-vit"):
        load_classifier("demo:sings")


@pytest.mark.parametrize("method", ["rollout", "class_attention", "attention_gradient", "token_cut"])
def test_covering_what_the_attention_finds_changes_the_score_most(classifier, method):
    """Of the 64 patches the 16 with the highest scores are covered, those with the lowest, and 16 at random."""
    images, labels = signs.samples(1, seed=3, dirt=0.2)
    maps = np.stack([one.scores for one in attribute(classifier.module(), images, method=method)])
    order = np.argsort(-maps.reshape(12, 8, 6, 8, 6).mean(axis=(2, 4)).reshape(12, 64), axis=1, kind="stable")
    chance = np.random.default_rng(0).permuted(np.tile(np.arange(64), (12, 1)), axis=1)
    rows = np.arange(12)

    def drop(patches):
        kept = np.ones((12, 64), bool)
        np.put_along_axis(kept, patches, False, axis=1)
        kept = kept.reshape(12, 8, 8).repeat(6, axis=1).repeat(6, axis=2)[..., None]
        covered = np.where(kept, images, np.float32(0.5))
        return (classifier.predict(images)[rows, labels] - classifier.predict(covered)[rows, labels]).mean()

    top, some, bottom = drop(order[:, :16]), drop(chance[:, :16]), drop(order[:, -16:])
    assert top > some + 1
    assert some > bottom


def test_shifted_pictures_are_mirrored_at_the_edge():
    images = np.arange(2 * 5 * 5 * 1, dtype=np.float32).reshape(2, 5, 5, 1)
    moved = train.shifted(images, np.random.default_rng(0), 1)
    assert moved.shape == images.shape
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
    places = {(i, j) for i in range(3) for j in range(3)}
    for one, wide in zip(moved, padded, strict=True):
        assert any(np.array_equal(one, wide[i : i + 5, j : j + 5]) for i, j in places)
    assert train.shifted(images, np.random.default_rng(0), 0) is images
