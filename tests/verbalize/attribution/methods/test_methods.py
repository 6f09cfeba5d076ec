"""What holds of every attribution method, built in or brought by a plug-in."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize.attribution import METHODS, Explainer, Method, attribute_cam, attribute_pixels, methods_for

NAMES = ("a", "b", "c")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval()


def made(network, image, name):
    """The map of a method; methods that look at attention can't be asked about this network."""
    if METHODS.get(name).pixels.needs == "attention":
        pytest.skip("the network has no attention")
    return attribute_pixels(network, image, class_names=NAMES, method=name)


@pytest.fixture
def image():
    return np.random.default_rng(0).random((6, 6, 3), dtype=np.float32)


def test_every_method_explains_something_and_says_what_it_is():
    listed = {name for inputs in ("tokens", "pixels", "layer") for name in methods_for(inputs)}
    assert listed == set(METHODS)
    assert all(METHODS.get(name).summary for name in METHODS)


@pytest.mark.parametrize("name", [*methods_for("pixels"), *methods_for("layer")])
def test_maps_have_the_signs_that_the_method_announces(name, network, image):
    """Class activation maps have none unless the method says so, maps of pixels have some unless it says so."""
    if name in methods_for("pixels"):
        saliency, signed = made(network, image, name), METHODS.get(name).pixels.signed is not False
    else:
        saliency = attribute_cam(network, image, layer="0", class_names=NAMES, method=name)
        signed = bool(METHODS.get(name).layer.signed)
    assert saliency.signed == signed
    assert signed or saliency.scores.min() >= 0


@pytest.mark.parametrize("off", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("name", ["saliency", "integrated_gradients", "norm_grad", "deep_lift", "lrp", "occlusion"])
def test_callers_may_have_switched_gradients_off(name, off, network, image):
    with off():
        found = made(network, image, name)
        assert not torch.is_grad_enabled()
    np.testing.assert_array_equal(found.scores, made(network, image, name).scores)


def test_a_method_of_absolute_gradients_says_that_it_is_unsigned(network, image, monkeypatch):
    def gradient(question):
        batch = question.batch.clone().requires_grad_()
        (found,) = torch.autograd.grad(question.score(batch).sum(), batch)
        return found.abs()

    known = {"vanilla": Method("|gradient| (Simonyan et al. 2014)", pixels=Explainer(gradient, signed=False))}
    monkeypatch.setattr(METHODS, "get", lambda name: known[name])
    monkeypatch.setattr(type(METHODS), "__contains__", lambda self, name: name in known)
    saliency = attribute_pixels(network, image, class_names=NAMES, method="vanilla")
    assert not saliency.signed
    assert saliency.scores.min() >= 0


@pytest.mark.parametrize("name", list(METHODS))
def test_each_method_gives_a_finite_map(name, network, image):
    """Methods of texts are run on tiny models in test_tokens.py."""
    if METHODS.get(name).pixels:
        saliency = made(network, image, name)
    elif METHODS.get(name).layer:
        saliency = attribute_cam(network, image, layer="0", class_names=NAMES, method=name)
    else:
        pytest.skip("explains texts only")
    assert saliency.shape == (6, 6)
    assert np.isfinite(saliency.scores).all()
    assert saliency.method == name


def test_a_method_from_outside_is_used_by_name(network, image, monkeypatch):
    monkeypatch.setattr(METHODS, "_loaded", dict(METHODS._loaded))

    def gradient(question):
        batch = question.batch.clone().requires_grad_()
        return torch.autograd.grad(question.score(batch).sum(), batch)[0]

    METHODS.register("gradient", Method("the plain gradient", pixels=Explainer(gradient)))
    saliency = attribute_pixels(network, image, class_names=NAMES, method="gradient")
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].requires_grad_()
    logits = network(batch)
    (expected,) = torch.autograd.grad(logits[0, logits[0].argmax()], batch)
    np.testing.assert_allclose(saliency.scores, expected[0].sum(0).numpy(), atol=1e-6)
    assert "gradient" in methods_for("pixels")
    with pytest.raises(UsageError, match="no attribution method 'gradient' that explains layer"):
        attribute_cam(network, image, layer="0", class_names=NAMES, method="gradient")
    with pytest.raises(UsageError, match=r"steps has no effect on the method 'gradient' .it has no settings"):
        attribute_pixels(network, image, class_names=NAMES, method="gradient", steps=3)


def test_a_plug_in_that_is_no_method_is_left_out(tmp_path, monkeypatch):
    info = tmp_path / "flawed-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: flawed\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[saywhy.attribution]\nflaw = math:pi\n")
    before = methods_for("pixels")
    monkeypatch.syspath_prepend(tmp_path)
    assert "flaw" in METHODS
    assert methods_for("pixels") == before
    with pytest.raises(UsageError, match="'flaw' of flawed can't be used: it must be a Method, not a value of type float"):
        METHODS.get("flaw")


def test_the_page_on_attribution_has_a_row_for_every_method():
    page = (Path(__file__).parents[4] / "docs" / "attribution.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_0-9]+)`", row)}
    assert set(METHODS.builtin) - named == set()
