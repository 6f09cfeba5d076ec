"""Encoders: ConSE, a tiny CLIP, a tiny sentence encoder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
from parameters.harness import case, later, record
from parameters.space import (
    EMBEDDED,
    IMAGES,
    NAMES,
    SPACE,
    TURNED,
    Space,
)
from PIL import Image

from agents.encoders import EncodedImages
from saywhy_core.errors import Problem
from saywhy_core.images import ImageSet


def probabilities(images):
    raw = np.exp(np.asarray(images).reshape(len(images), -1)[:, :4] * 5)
    return raw / raw.sum(axis=1, keepdims=True)


def encoded(encoder, tools, arguments):
    return encoder.encode_images(IMAGES), encoder.encode_texts(["a cat"]), encoder.identity


def conse(tools):
    from agents import ConvexSemanticEncoder

    return ConvexSemanticEncoder(probabilities, NAMES, SPACE)


case(
    "agents.ConvexSemanticEncoder",
    {"probabilities": later(lambda tools: tools.counting(probabilities)), "class_names": NAMES, "text_encoder": SPACE},
    encoded,
    probabilities=lambda images: probabilities(1 - images),
    class_names=NAMES[::-1],
    text_encoder=TURNED,
    top=1,
    template="{}",
    channels=1,
    size=(2, 1),
    resize=4,
    batch=5,
    identity="mine",
)


def clip(tools, **options):
    from agents.encoders import ClipEncoder

    return ClipEncoder(clip_folder(tools), **options)


def clip_folder(tools, seed=0):
    folder = tools.fixture("tmp_path_factory").getbasetemp() / f"parameters-clip-{seed}"
    return folder if folder.exists() else tools.fixture("make_tiny_clip")(folder, seed=seed)


def cached_encoder(tools):
    from agents.encoders import CachedEncoder

    return CachedEncoder(SPACE, tools.folder)


def forwards(encoder, tools, arguments):
    """What an encoder gives, and the sizes of its forward passes."""
    tools.sizes, inner = [], getattr(encoder, "inner", encoder).model.text_model
    hook = inner.register_forward_pre_hook(
        lambda module, given, named: tools.sizes.append(len(named["input_ids"])), with_kwargs=True
    )
    rows = encoder.encode_texts(["a cat", "a dog", "a red bird"])
    hook.remove()
    return rows, tools.sizes, encoder.encode_images(IMAGES[:1]), sorted(path.name for path in tools.folder.iterdir())


case(
    "agents.encoders.ClipEncoder",
    {"name": later(clip_folder)},
    forwards,
    name=later(lambda tools: clip_folder(tools, 1)),
    device="no-such-device",
    batch=2,
    dtype="bfloat16",
)
case(
    "agents.load_encoder",
    {"spec": later(lambda tools: f"clip:{clip_folder(tools)}")},
    forwards,
    spec=later(lambda tools: f"clip:{clip_folder(tools, 1)}"),
    cache=later(lambda tools: tools.folder),
    device="no-such-device",
    batch=2,
)
for made, name in (
    (conse, "agents.ConvexSemanticEncoder"),
    (clip, "agents.encoders.ClipEncoder"),
    (cached_encoder, "agents.encoders.CachedEncoder"),
):
    case(f"{name}.encode_texts", {"self": later(made), "texts": ["a cat"]}, texts=["a dog"])
    case(f"{name}.encode_images", {"self": later(made), "images": IMAGES[:2]}, images=IMAGES[1:3])
case("agents.encoders.ClipEncoder.encode_texts_counting", {"self": later(clip), "texts": ["a cat"]}, texts=["a dog"])
case(
    "agents.encoders.CachedEncoder",
    {"encoder": later(lambda tools: Space(batches=tools.recorded)), "folder": later(lambda tools: tools.folder / "a")},
    lambda encoder, tools, arguments: (
        encoder.encode_texts(["a", "b", "c"]),
        sorted(path.name for path in tools.folder.iterdir()),
    ),
    encoder=TURNED,
    folder=later(lambda tools: tools.folder / "b"),
    batch=2,
)
case("agents.encoders.scale_of", {"encoder": SPACE}, encoder=Space(scale=1.0))
case("agents.encoders.truncated_of", {"encoder": SPACE}, encoder=type("Cut", (), {"truncated": 2})())
case("agents.encoders.top_indices", {"scores": EMBEDDED, "k": 2}, scores=-EMBEDDED, k=3)
case("agents.encoders.unit_rows", {"rows": EMBEDDED}, rows=-EMBEDDED)


def sentences(tools, seed=0, **options):
    from agents.encoders import SentenceEncoder

    return SentenceEncoder(sentence_folder(tools, seed), **options)


def sentence_folder(tools, seed=0):
    """A sentence encoder on disk, written once per run."""
    from parameters.verbalize.attribution.cases_attribution import bert, tokenizer

    folder = tools.fixture("tmp_path_factory").getbasetemp() / f"parameters-sentences-{seed}"
    if not folder.exists():
        bert(seed, head=False).save_pretrained(folder)
        tokenizer().save_pretrained(folder)
    return folder


def text_batches(encoder, tools, arguments):
    """Rows, and how many texts each forward pass had."""
    sizes = []
    hook = encoder._model.register_forward_pre_hook(
        lambda module, given, named: sizes.append(len(named["input_ids"])), with_kwargs=True
    )
    rows = encoder.encode_texts(["the film", "good", "bad"])
    hook.remove()
    return np.round(rows, 5), sizes


case(
    "agents.encoders.SentenceEncoder",
    {"name": later(sentence_folder)},
    text_batches,
    name=later(lambda tools: sentence_folder(tools, 1)),
    device="no-such-device",
    batch=2,
)
for method in ("encode_texts", "encode_texts_counting"):
    case(f"agents.encoders.SentenceEncoder.{method}", {"self": later(sentences), "texts": ["the film"]}, texts=["good"])


ONE, TWO = ImageSet((Path("a.png"),), None), ImageSet((Path("b.png"),), None)
record(
    "agents.encoders.EncodedImages",
    {"images": ONE, "rows": EMBEDDED[:1], "problems": ()},
    images=TWO,
    rows=EMBEDDED[1:2],
    problems=(Problem("a", "b"),),
)


LABELLED = EncodedImages(ImageSet((Path("a.png"), Path("b.png")), ("cat", "dog")), EMBEDDED[:2], ())
case(
    "agents.encoders.EncodedImages.of_classes",
    {"self": LABELLED, "names": ["cat"]},
    lambda found, tools, arguments: found.images.labels,
    names=["dog"],
)


def pictures(tools, *numbers):
    for number in numbers:
        pixels = (np.random.default_rng(number).random((24, 24, 3)) * 255).astype(np.uint8)
        Image.fromarray(pixels).save(tools.folder / f"{number}.png")
    return tools.folder


case(
    "agents.encoders.encode_image_files",
    {"encoder": later(clip), "source": later(lambda tools: pictures(tools, 1))},
    lambda found, tools, arguments: found.rows,
    encoder=later(lambda tools: load_other_clip(tools)),
    source=later(lambda tools: pictures(tools, 2)),
    on_progress=later(lambda tools: tools.record),
)


def load_other_clip(tools):
    from agents.encoders import ClipEncoder

    return ClipEncoder(clip_folder(tools, 1))


def with_code(tools, folder):
    """A copy of a model folder that brings a Python class of its own, for a purpose that nothing here has."""
    strange = tools.folder / "strange"
    shutil.copytree(folder, strange, dirs_exist_ok=True)
    config = json.loads((strange / "config.json").read_text())
    (strange / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForVideo": "missing.Missing"}}))
    return strange


for what, held in (("ClipEncoder", clip_folder), ("SentenceEncoder", sentence_folder)):
    case(
        f"agents.encoders.{what}",
        {"name": later(lambda tools, held=held: with_code(tools, held(tools))), "trust": True},
        lambda encoder, tools, arguments: encoder.encode_texts(["a cat"]),
        trust=False,
    )
case(
    "agents.load_encoder",
    {"spec": later(lambda tools: f"clip:{with_code(tools, clip_folder(tools))}"), "trust": True},
    lambda encoder, tools, arguments: encoder.encode_texts(["a cat"]),
    trust=False,
)
