"""Vision transformers: their preparation, and class prompts trained in them."""

from __future__ import annotations

from functools import cache

import numpy as np
from parameters.harness import case, later

IMAGES = np.random.default_rng(0).random((4, 24, 24, 3), dtype=np.float32)
LABELS = [0, 1, 0, 1]


@cache
def vit(seed=0, names=("a", "b")):
    import torch
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(seed)
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=12, patch_size=6,
        initializer_range=0.5, id2label=dict(enumerate(names)),
    )  # fmt: skip
    return ViTForImageClassification(config).eval()


def processor(**settings):
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    return ViTImageProcessorPil(size={"height": 12, "width": 12}, **settings)


def batch(images=IMAGES):
    import torch

    return torch.from_numpy(images).permute(0, 3, 1, 2)


def asked(model, tools, arguments):
    import torch

    with torch.no_grad():
        return getattr(model, "class_names", ()), getattr(model, "logits", model)(batch()).tolist()


SIZE = {"do_resize": True, "size": {"height": 12, "width": 12}}
case(
    "verbalize.models.PreparedImages",
    {"model": later(lambda tools: vit()), "settings": SIZE},
    asked,
    model=later(lambda tools: vit(1)),
    settings={**SIZE, "do_normalize": True, "image_mean": 0.5, "image_std": 0.5},
)
case(
    "verbalize.models.PreparedImages",
    {"model": later(lambda tools: vit()), "settings": {**SIZE, "size": {"height": 12, "width": 12}}},
    lambda model, tools, arguments: model.interpolate,
    interpolate=True,
)
case(
    "verbalize.models.from_transformers",
    {"model": later(lambda tools: vit())},
    asked,
    model=later(lambda tools: vit(1)),
    processor=later(lambda tools: processor(image_mean=[0.2, 0.3, 0.4])),
    class_names=("x", "y"),
    interpolate=True,
)


def prompts(value=0.0):
    import torch

    return torch.linspace(0, 1, 32).reshape(2, 16) + value * torch.linspace(1, 0, 32).reshape(2, 16) ** 2


def backbone(seed=0):
    from verbalize.models import from_transformers

    return from_transformers(vit(seed)).module


case(
    "verbalize.attribution.PromptedImages",
    {
        "backbone": later(lambda tools: backbone()),
        "prompts": later(lambda tools: prompts()),
        "direction": later(lambda tools: prompts()[0]),
        "class_names": ("a", "b"),
    },
    asked,
    backbone=later(lambda tools: backbone(1)),
    prompts=later(lambda tools: prompts(3.0)),
    direction=later(lambda tools: prompts(3.0)[1]),
    class_names=("x", "y"),
)


TRAINED = {"model": later(lambda tools: vit()), "images": IMAGES, "labels": LABELS, "passes": 1, "batch_size": 2}
case(
    "verbalize.attribution.train_prompts",
    TRAINED,
    asked,
    model=later(lambda tools: vit(1)),
    images=1 - IMAGES,
    labels=[0, 0, 1, 1],
    class_names=("x", "y"),
    passes=3,
    rate=0.5,
    seed=1,
    batch_size=3,
)
case(
    "verbalize.attribution.train_prompts",
    {**TRAINED, "on_progress": None},
    lambda result, tools, arguments: bool(arguments["on_progress"] and arguments["on_progress"].steps),
    on_progress=later(lambda tools: Told()),
)


class Told:
    def __init__(self):
        self.steps = []

    def __call__(self, *done):
        self.steps.append(done)


def prompted(tools):
    from verbalize.attribution import PromptedImages

    return PromptedImages(backbone(), prompts(), prompts()[0], ("a", "b"))


def prepared(tools):
    from verbalize.models import PreparedImages

    return PreparedImages(vit(), SIZE)


for what, made in (("verbalize.attribution.PromptedImages", prompted), ("verbalize.models.PreparedImages", prepared)):
    case(
        f"{what}.forward",
        {"self": later(made), "images": later(lambda tools: batch())},
        images=later(lambda tools: batch(1 - IMAGES)),
    )
