"""Image classifiers of transformers as targets."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError


@pytest.fixture(autouse=True)
def _offline(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def write(folder, *, seed=0, side=16, mean=0.5):
    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=side, patch_size=8,
        id2label={0: "cat", 1: "dog", 2: "owl"}, label2id={"cat": 0, "dog": 1, "owl": 2},
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(folder)
    ViTImageProcessorPil(size={"height": side, "width": side}, image_mean=[mean] * 3).save_pretrained(folder)
    return f"transformers:{folder}"


def test_names_are_those_of_the_configuration_unless_others_are_given(tmp_path):
    spec = write(tmp_path / "a")
    assert load_classifier(spec).class_names == ("cat", "dog", "owl")
    assert load_classifier(f"{spec}?names={json.dumps(list('xyz'))}").class_names == ("x", "y", "z")


def test_images_of_any_size_and_grey_ones_are_taken_as_the_processor_takes_them(tmp_path):
    classifier = load_classifier(write(tmp_path / "a"))
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (2, 16, 16, 3)).astype(np.float32) / np.float32(255)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    assert classifier(large).shape == classifier(small).shape == (2, 3)
    grey = small[..., :1]
    np.testing.assert_allclose(classifier(grey), classifier(grey.repeat(3, axis=3)), atol=1e-6)
    assert classifier.image_shape == (None, None, None)


def test_changes_below_one_step_of_8_bits_have_no_effect(tmp_path):
    classifier = load_classifier(write(tmp_path / "a"))
    image = np.full((1, 16, 16, 3), 100 / 255, np.float32)
    np.testing.assert_array_equal(classifier(image), classifier(image + np.float32(0.4 / 255)))
    assert np.abs(classifier(image) - classifier(image + np.float32(0.6 / 255))).max() > 0
    assert classifier.queries == 3


def test_identity_follows_weights_and_preparation_and_not_the_folder(tmp_path):
    first = load_classifier(write(tmp_path / "a")).identity
    assert load_classifier(write(tmp_path / "b")).identity == first
    assert load_classifier(write(tmp_path / "c", seed=1)).identity != first
    assert load_classifier(write(tmp_path / "d", mean=0.4)).identity != first


def test_what_cannot_be_used_is_told(tmp_path):
    with pytest.raises(UsageError, match="could be loaded from"):
        load_classifier(f"transformers:{tmp_path / 'nowhere'}")
    spec = write(tmp_path / "a")
    with pytest.raises(UsageError, match="there is no device 'abacus'"):
        load_classifier(spec, device="abacus")
    (tmp_path / "a" / "preprocessor_config.json").unlink()
    with pytest.raises(UsageError, match="image processor"):
        load_classifier(spec)
