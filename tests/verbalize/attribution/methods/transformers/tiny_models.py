"""Tiny transformers with random weights, and images for them."""

import numpy as np
import torch
from torch import nn
from transformers import ViTConfig, ViTForImageClassification

NAMES = ("a", "b", "c")
SIZES = {
    "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32, "patch_size": 6,
    "initializer_range": 0.5, "id2label": dict(enumerate(NAMES)),
}  # fmt: skip


def vit(seed=0, size=24, **changes):
    torch.manual_seed(seed)
    return (
        ViTForImageClassification(ViTConfig(**{**SIZES, "image_size": size, **changes}))
        .eval()
        .requires_grad_(requires_grad=False)
    )


class PlainTransformer(nn.Module):
    """A vision transformer of torch.nn alone."""

    def __init__(self, *, batch_first=True, class_token=True, unfold=False):
        super().__init__()
        torch.manual_seed(0)
        self.cut = nn.Unfold(6, stride=6) if unfold else nn.Conv2d(3, 16, 6, 6)
        self.widen = nn.Linear(108, 16) if unfold else nn.Identity()
        self.start = nn.Parameter(torch.randn(1, 1, 16)) if class_token else None
        layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=batch_first)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 3)
        self.turned = not batch_first
        for one in self.parameters():
            nn.init.normal_(one, std=0.4)
        self.eval().requires_grad_(requires_grad=False)

    def forward(self, images):
        tokens = self.widen(self.cut(images).flatten(2).transpose(1, 2))
        if self.start is not None:
            tokens = torch.cat([self.start.expand(len(tokens), -1, -1), tokens], dim=1)
        tokens = self.encoder(tokens.transpose(0, 1)).transpose(0, 1) if self.turned else self.encoder(tokens)
        return self.head(tokens.mean(dim=1) if self.start is None else tokens[:, 0])


def pictures(count=2, height=24, width=24):
    return np.random.default_rng(0).random((count, height, width, 3), dtype=np.float32)


def batch_of(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2)
