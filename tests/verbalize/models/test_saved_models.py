"""Models that a line of text names, saved in folders: they answer as the same model does that is used directly."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessor,
)

from saywhy_core.errors import UsageError
from saywhy_core.trust import TrustError
from verbalize import Query, attribute
from verbalize.models import ImageModel, LanguageModelClassifier, SequenceClassifier, open_model, text_logits

NAMES = ("cat", "dog", "bird")
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "is", "good", "bad", "not")
LINES = ["the film is not bad", "good film"]


def _tokenizer(*, ends=True):
    made = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if ends:
        made.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), PIECES, strict=False))
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=32, **named)


def _bert():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=11, max_position_embeddings=32, initializer_range=0.5, id2label=dict(enumerate(NAMES)), **sizes
    )
    return BertForSequenceClassification(config).eval()


def _gpt2():
    torch.manual_seed(0)
    sizes = {"n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 2, "eos_token_id": 3}
    return GPT2LMHeadModel(GPT2Config(vocab_size=11, initializer_range=0.5, **sizes)).eval()


def _vit(kind=torch.float32):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = ViTConfig(image_size=24, patch_size=6, initializer_range=0.5, id2label=dict(enumerate(NAMES)), **sizes)
    return ViTForImageClassification(config).eval().to(kind)


def _saved(folder, *parts):
    for part in parts:
        part.save_pretrained(folder)
    return f"transformers:{folder}"


def _processor(**changes):
    return ViTImageProcessor(
        **{"size": {"height": 24, "width": 24}, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3], **changes}
    )


def _smooth(height, width):
    """A picture without hard edges, whose resizing in 8 bits and in floating point come near each other."""
    small = np.random.default_rng(0).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


PROCESSORS = {
    "resize": {},
    "no normalising": {"do_normalize": False},
    "centre crop": {
        "size": {"shortest_edge": 30}, "do_center_crop": True, "crop_size": {"height": 24, "width": 24}, "crop_pct": None,
    },
    "bicubic": {"resample": 3},
}  # fmt: skip


@pytest.mark.parametrize("form", PROCESSORS)
def test_image_classifiers_see_what_their_processor_makes_of_a_picture(tmp_path, form):
    from transformers import AutoImageProcessor, CLIPImageProcessor

    changes = PROCESSORS[form]
    made = _processor(**changes)
    if form == "centre crop":  # that of ViT has no crop
        made = CLIPImageProcessor(size={"shortest_edge": 30}, crop_size={"height": 24, "width": 24}, do_convert_rgb=False)
    model = _vit()
    spec = _saved(tmp_path, model, made)
    opened = open_model(spec)
    assert isinstance(opened, ImageModel)
    assert opened.class_names == NAMES
    picture = _smooth(45, 60)
    processor = AutoImageProcessor.from_pretrained(tmp_path, backend="pil")
    with torch.no_grad():
        prepared = processor(images=[picture], return_tensors="pt")["pixel_values"]
        wanted = model(pixel_values=prepared).logits
        pixels = torch.from_numpy(np.asarray(picture, np.float32) / 255).permute(2, 0, 1)[None]
        found, inside = opened.logits(pixels), opened.module.preparation_steps(pixels)
        torch.testing.assert_close(found, model(pixel_values=inside).logits)
    # Pillow rounds to 8 bits between the two directions of resizing and after them
    torch.testing.assert_close(inside, prepared, atol=1.5 / 255 / min(processor.image_std), rtol=0)
    assert bool((found - wanted).abs().max() < 0.15 * wanted.std())
    box = open_model(spec, gradients=False)
    np.testing.assert_allclose(box.logits(pixels).log_softmax(dim=1), wanted.log_softmax(dim=1), atol=1e-4)
    for method in ("saliency", "grad_cam", "occlusion"):
        options = {"patch": 15} if method == "occlusion" else {}
        explained = attribute(opened, picture, method=method, **options)
        assert explained.shape == (45, 60)
        if form == "centre crop":
            assert not explained.scores[:, :5].any() or method == "occlusion"
            assert explained.scores[:, 7:53].any()


def test_image_classifiers_in_half_precision(tmp_path):
    spec = _saved(tmp_path, _vit(torch.bfloat16), _processor())
    opened = open_model(spec)
    exact = open_model(_saved(tmp_path / "exact", _vit(), _processor()))
    picture = _smooth(30, 40)
    for method in ("saliency", "grad_cam"):
        coarse, fine = (attribute(one, picture, Query("dog"), method=method).scores for one in (opened, exact))
        assert coarse.dtype == np.float64
        assert np.corrcoef(coarse.ravel(), fine.ravel())[0, 1] > 0.9


def test_sequence_classifiers(tmp_path):
    model, tokenizer = _bert(), _tokenizer()
    opened = open_model(_saved(tmp_path, model, tokenizer))
    direct = SequenceClassifier(model, tokenizer)
    assert opened.class_names == NAMES
    np.testing.assert_allclose(text_logits(opened, LINES), text_logits(direct, LINES), atol=1e-5)
    for method, query in (("integrated_gradients", Query("dog")), ("occlusion", Query("dog")), ("class_attention", None)):
        one, other = (attribute(model, LINES[0], query, method=method) for model in (opened, direct))
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    assert open_model(f"transformers:{tmp_path}", class_names=("a", "b", "c")).class_names == ("a", "b", "c")
    with pytest.raises(UsageError, match="has 3 classes, and 2 class names are given"):
        open_model(f"transformers:{tmp_path}", class_names=("a", "b"))


def test_language_models(tmp_path):
    model, tokenizer = _gpt2(), _tokenizer(ends=False)
    classes = {"pro": "good", "contra": ["bad", "not bad"]}
    opened = open_model(_saved(tmp_path, model, tokenizer), class_names=classes)
    direct = LanguageModelClassifier(model, tokenizer, classes)
    assert isinstance(opened, LanguageModelClassifier)
    np.testing.assert_allclose(text_logits(opened, LINES), text_logits(direct, LINES), atol=1e-5)
    one, other = (attribute(model, "the film is", Query("pro", ("contra",)), method="shapley") for model in (opened, direct))
    np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    (tmp_path / "config.json").write_text(
        json.dumps({**json.loads((tmp_path / "config.json").read_text()), "architectures": None})
    )
    with pytest.raises(UsageError, match="give task="):
        open_model(f"transformers:{tmp_path}", class_names=classes)
    again = open_model(f"transformers:{tmp_path}?task=text-generation", class_names=classes)
    np.testing.assert_allclose(text_logits(again, LINES), text_logits(direct, LINES), atol=1e-5)


def test_torchscript_has_gradients(tmp_path):
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)]
    network = nn.Sequential(*layers).eval()
    torch.jit.save(torch.jit.script(network), tmp_path / "net.pt")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    spec, options = f"torch:{tmp_path / 'net.pt'}", {"class_names": str(tmp_path / "names.txt"), "scores": "logits"}
    with pytest.raises(TrustError):
        open_model(spec, **options)
    image = np.random.default_rng(0).random((10, 14, 3), dtype=np.float32)
    opened = open_model(spec, trust=True, **options)
    assert isinstance(opened, ImageModel)
    for method in ("saliency", "integrated_gradients", "occlusion"):
        one = attribute(opened, image, Query("dog"), method=method)
        other = attribute(network, image, Query("dog"), method=method, class_names=NAMES)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
    normalised = open_model(spec, trust=True, **options, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.25))
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    inside = (pixels - torch.tensor([0.5, 0.4, 0.3])[:, None, None]) / torch.tensor([0.2, 0.2, 0.25])[:, None, None]
    torch.testing.assert_close(normalised.logits(pixels), network(inside), atol=1e-5, rtol=1e-5)
