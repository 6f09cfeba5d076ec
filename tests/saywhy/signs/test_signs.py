"""The sign classifier: what it draws, how well it reads, and that its weights are only numbers."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from importlib.resources import files

import numpy as np
import pytest
import torch

from saywhy import signs
from saywhy.signs import train
from saywhy.signs.draw import panel
from saywhy.signs.model import SignNetwork, fold, held_out, save
from saywhy_core.errors import UsageError


@pytest.fixture(scope="module")
def classifier():
    return signs.load()


def test_pictures_are_what_the_house_calls_images():
    images = signs.draw_signs(range(len(signs.CLASS_NAMES)), seed=5)
    assert images.shape == (12, 48, 48, 3)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    np.testing.assert_allclose(images * 255, np.round(images * 255), atol=1e-4)


def test_the_seed_decides():
    first, again, other = (signs.draw_signs([0, 5], seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).mean() > 0.05


@pytest.mark.parametrize("name", signs.CLASS_NAMES)
def test_every_panel_is_drawn_and_no_two_are_alike(name):
    drawn = panel(name)
    assert drawn[128, 128, 3] == 1  # opaque in the middle
    assert drawn[-1, 0, 3] == 0  # open at a lower corner
    assert (drawn[..., :3] <= drawn[..., 3:] + 1 / 255).all()  # multiplied by opacity
    for other in signs.CLASS_NAMES:
        if other != name:
            assert np.abs(drawn - panel(other)).mean() > 0.01, other


@pytest.mark.parametrize("count", [240, pytest.param(960, marks=pytest.mark.long)])
def test_held_out_accuracy(classifier, count):
    images, labels = held_out(count)
    assert (classifier.predict(images).argmax(1) == labels).mean() >= 0.97


def test_samples_are_read_rightly_and_by_a_margin(classifier):
    images, labels = signs.samples(3)
    assert labels.tolist() == [label for label in range(12) for _ in range(3)]
    logits = np.sort(classifier.predict(images), axis=1)
    assert (classifier.predict(images).argmax(1) == labels).all()
    assert (logits[:, -1] - logits[:, -2]).min() > 1


def test_predict_and_module_agree(classifier):
    images, _ = signs.samples()
    with torch.no_grad():
        inside = classifier.module()(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
    outside = classifier.predict(images)
    assert outside.shape == (12, 12)
    assert outside.dtype == np.float32
    np.testing.assert_allclose(outside, inside, atol=1e-4)
    assert not classifier.module().training


def test_a_batch_may_be_empty_or_larger_than_one_pass(classifier):
    images, _ = signs.samples()
    assert classifier.predict(images[:0]).shape == (0, 12)
    many = classifier.predict(np.concatenate([images] * 25))
    np.testing.assert_allclose(many[-12:], classifier.predict(images), atol=1e-4)


@pytest.mark.parametrize("shape", [(48, 48, 3), (1, 3, 48, 48), (1, 32, 32, 3)])
def test_another_shape_is_refused(classifier, shape):
    with pytest.raises(UsageError, match="takes images of shape"):
        classifier.predict(np.zeros(shape, np.float32))


def test_weights_are_small_and_only_numbers():
    path = files("saywhy.signs") / "weights.npz"
    assert len(path.read_bytes()) < 500_000
    with path.open("rb") as stream, zipfile.ZipFile(stream) as archive:
        for name in archive.namelist():
            assert np.lib.format.read_array(archive.open(name), allow_pickle=False).dtype == np.float16


class _Trap:
    def __reduce__(self):
        return (pytest.fail, ("unpickled",))


def test_a_file_that_would_run_code_is_refused(tmp_path):
    evil = tmp_path / "evil.npz"
    np.savez(evil, **{"head.weight": np.array([_Trap()], dtype=object)}, allow_pickle=True)
    with pytest.raises(UsageError, match="holds no weights"):
        signs.load(evil)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(UsageError, match="holds no weights"):
        signs.load(tmp_path / "evil.pkl")
    with pytest.raises(UsageError, match="holds no weights"):
        signs.load(tmp_path / "absent.npz")


def test_folding_changes_nothing():
    torch.manual_seed(0)
    network = SignNetwork(normalise=True)
    batch = torch.rand(16, 3, 48, 48)
    network(batch)  # running statistics move
    network.eval()
    with torch.no_grad():
        np.testing.assert_allclose(fold(network)(batch).numpy(), network(batch).numpy(), atol=1e-4)


def test_save_and_load_round_trip(tmp_path):
    torch.manual_seed(0)
    network = SignNetwork().eval()
    save(network, tmp_path / "w.npz")
    images, _ = signs.samples()
    again = signs.load(tmp_path / "w.npz").predict(images)
    np.testing.assert_allclose(again, signs.model.SignClassifier(network).predict(images), atol=2e-3)


def test_stray_pixels_are_few_and_corners_of_the_colour_cube():
    images = np.full((50, 48, 48, 3), 0.5, np.float32)
    strayed = train.stray_pixels(images, np.random.default_rng(0))
    changed = (strayed != images).any(axis=-1)
    assert 0 < changed.mean() <= train.STRAY
    assert set(np.unique(strayed[changed])) == {0.0, 1.0}


@pytest.mark.long
def test_training_is_the_same_for_the_same_seed():
    first, again = (train.train(train.RECIPES["cnn"], pictures=1, passes=1, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)


@pytest.mark.long
def test_check_reports_the_accuracy(capsys):
    train.main(["--check"])
    assert "held-out pictures are classified correctly" in capsys.readouterr().out


def test_importing_the_package_is_light():
    code = "import sys, saywhy.signs; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
