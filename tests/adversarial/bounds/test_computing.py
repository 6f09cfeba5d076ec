"""Where proofs are computed: what can't compute them is told in one sentence."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import fewest_pixels
from adversarial.bounds.subject import open_subject
from saywhy_core.errors import UsageError

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def given():
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3))
    image = np.random.default_rng(0).random((3, 3, 1)).astype(np.float32)
    with torch.no_grad():
        label = int(module(torch.from_numpy(image).permute(2, 0, 1)[None]).argmax())
    return module, image, label


def test_the_processor_may_be_named(given):
    one, two = (fewest_pixels(*given, at_most=2, seconds=20, threads=1, device=device) for device in (None, "cpu"))
    assert (one.lower, one.upper, one.proof.blocks, one.proof.rounding) == (
        two.lower,
        two.upper,
        two.proof.blocks,
        two.proof.rounding,
    )


@pytest.mark.parametrize("device", ["meta", "no such", "mps", "", 3, "cuda:77"])
def test_what_can_not_compute_a_proof_is_refused_in_a_sentence(given, device):
    if device == "mps" and torch.backends.mps.is_available():
        pytest.skip("there is such a device")
    with pytest.raises(UsageError, match="device") as caught:
        fewest_pixels(*given, at_most=1, seconds=5, device=device)
    assert "\n" not in str(caught.value)


def test_a_network_is_read_once_for_many_images(given, monkeypatch):
    module, image, label = given
    subject = open_subject(module, image.shape)
    assert open_subject(subject, image.shape) is subject
    bound, read = (fewest_pixels(one, image, label, at_most=1, seconds=20) for one in (module, subject))
    assert (bound.lower, bound.upper) == (read.lower, read.upper)
    with pytest.raises(UsageError, match="shape"):
        fewest_pixels(subject, np.zeros((3, 4, 1)), label, at_most=1, seconds=5)
