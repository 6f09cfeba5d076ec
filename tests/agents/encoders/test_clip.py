"""CLIP and SigLIP without torchvision."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel

from agents import ImageTextEncoder, UsageError, load_encoder
from saywhy_core.reading.ceilings import ceilings


@pytest.fixture(scope="module", params=["clip", "siglip"])
def folder(request, tmp_path_factory, make_tiny_clip):
    return make_tiny_clip(tmp_path_factory.mktemp(request.param), kind=request.param)


@pytest.fixture
def images():
    return np.random.default_rng(0).random((5, 30, 40, 3), dtype=np.float32)


def test_a_saved_clip_runs_end_to_end_without_torchvision(folder, images):
    assert importlib.util.find_spec("torchvision") is None
    encoder = load_encoder(f"clip:{folder}", batch=2)
    assert isinstance(encoder, ImageTextEncoder)
    rows, texts = encoder.encode_images(images), encoder.encode_texts(["a photo of a cat", "a dog", "the red fish"])
    assert rows.dtype == texts.dtype == np.float32
    assert rows.shape[0] == 5
    assert rows.shape[1] == texts.shape[1]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(texts, axis=1), 1, atol=1e-6)
    assert len(np.unique(rows.round(4), axis=0)) == 5
    assert encoder.encode_images(images[:0]).shape == (0, rows.shape[1])
    assert encoder.encode_texts([]).shape == (0, rows.shape[1])


def test_images_reach_the_model_as_its_normalised_pixels(folder, images):
    """Square images of the model's own size pass unscaled, so the pixels can be computed by hand."""
    square = np.rint(images[:, :24, :24] * 255).astype(np.uint8).astype(np.float32) / 255
    model = AutoModel.from_pretrained(folder).eval()
    if "siglip" in model.config.model_type:
        mean = std = np.full(3, 0.5, dtype=np.float32)
    else:
        mean = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
        std = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
    pixels = torch.from_numpy(((square - mean) / std).transpose(0, 3, 1, 2).copy())
    with torch.no_grad():
        features = model.get_image_features(pixel_values=pixels)
    features = getattr(features, "pooler_output", features).numpy()
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)
    encoder = load_encoder(f"clip:{folder}")
    np.testing.assert_allclose(encoder.encode_images(square), expected, atol=1e-4)
    assert encoder.scale == pytest.approx(model.logit_scale.exp().item(), rel=1e-5)


def test_long_texts_are_cut_and_counted(folder):
    encoder = load_encoder(f"clip:{folder}")
    long = "a photo of the red cat with the green fur and the blue ears " * 3
    rows = encoder.encode_texts(["a cat", long, long + " dog"])
    assert encoder.truncated == 2
    if "siglip" not in str(folder):
        np.testing.assert_allclose(rows[1], rows[2], atol=1e-6)


def test_a_folder_without_an_image_processor_gets_that_of_its_model_type(tmp_path, images, make_tiny_clip):
    bare = load_encoder(f"clip:{make_tiny_clip(tmp_path / 'bare', processor=False)}")
    full = load_encoder(f"clip:{make_tiny_clip(tmp_path / 'full')}")
    np.testing.assert_allclose(bare.encode_images(images), full.encode_images(images), atol=1e-6)
    assert bare.identity == full.identity


def test_identity_tells_models_apart(tmp_path, make_tiny_clip):
    one = load_encoder(f"clip:{make_tiny_clip(tmp_path / 'one', seed=1)}")
    two = load_encoder(f"clip:{make_tiny_clip(tmp_path / 'two', seed=2)}")
    assert one.identity != two.identity


def test_files_arrays_and_grey_images_are_read_alike(folder, tmp_path, images):
    encoder = load_encoder(f"clip:{folder}")
    pixels = np.rint(images[0] * 255).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "one.png")
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "two.png")
    as_array = encoder.encode_images(pixels[None].astype(np.float32) / 255)
    as_files = encoder.encode_images([tmp_path / "one.png", str(tmp_path / "two.png")])
    np.testing.assert_allclose(as_files, np.repeat(as_array, 2, axis=0), atol=1e-6)
    grey = np.full((1, 24, 24, 1), 0.5, dtype=np.float32)
    np.testing.assert_allclose(encoder.encode_images(grey), encoder.encode_images(np.repeat(grey, 3, axis=3)), atol=1e-6)


def test_images_that_are_none_are_refused(folder):
    encoder = load_encoder(f"clip:{folder}")
    with pytest.raises(UsageError, match="divide by 255"):
        encoder.encode_images(np.full((1, 8, 8, 3), 200.0, dtype=np.float32))
    with pytest.raises(UsageError, match="H×W×C"):
        encoder.encode_images(np.zeros((1, 8, 8, 4), dtype=np.float32))


def test_images_that_are_too_large_together_are_encoded_in_parts(folder, images):
    encoder = load_encoder(f"clip:{folder}")
    whole = encoder.encode_images(images)
    with ceilings(array=30_000):  # two images of 24 x 24 x 3 at eight bytes each
        np.testing.assert_allclose(encoder.encode_images(images), whole, atol=1e-6)
    with (
        ceilings(array=10_000),
        pytest.raises(UsageError, match=r"its image processor makes of one image .*--ceiling array=13824"),
    ):
        encoder.encode_images(images)
