"""Tiny seeded models of every kind that can be explained, and the settings that make each method quick."""

from functools import cache

import numpy as np
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from torch.nn import functional
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    ResNetConfig,
    ResNetForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    TextClassificationPipeline,
    ViTConfig,
    ViTForImageClassification,
)

from saywhy import signs
from saywhy_core.classifiers import CallableClassifier
from verbalize.models import LanguageModelClassifier, SequenceClassifier, TextFunction, ZeroShotClassifier

NAMES = ("a", "b", "c")
TEXT = "the film is not bad"
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "is", "good", "bad", "not")
QUICK = {
    "shapley": {"steps": 2},
    "gradient_shap": {"samples": 3},
    "kernel_shap": {"samples": 8},
    "lime": {"samples": 8},
    "integrated_gradients": {"steps": 3},
    "rise": {"masks": 8},
    "smooth_grad_cam_pp": {"samples": 2},
}
SQUARES = {name: {**QUICK.get(name, {}), "patch": 12} for name in ("occlusion", "shapley", "kernel_shap", "lime")}


@cache
def tokenizer():
    made = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    named = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), PIECES, strict=False))
    return PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=32, **named)


def bert(kind=BertForSequenceClassification):
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(
        vocab_size=len(PIECES), max_position_embeddings=32, initializer_range=0.3, id2label=dict(enumerate(NAMES)), **sizes
    )
    return kind(config).eval().requires_grad_(requires_grad=False)


def gpt2():
    torch.manual_seed(0)
    sizes = {"n_positions": 32, "n_embd": 16, "n_layer": 2, "n_head": 2, "bos_token_id": 2, "eos_token_id": 3}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(PIECES), initializer_range=0.3, **sizes)).eval()


class Residual(nn.Module):
    """Additions in place, a ReLU that is called as a function and one that is called twice and works in place."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem, self.first, self.second, self.third = (nn.Conv2d(count, 6, 3, padding=1) for count in (3, 6, 6, 6))
        self.norm, self.relu, self.pool, self.head = nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.AvgPool2d(2), nn.Linear(6, 3)
        self.eval()

    def forward(self, images):
        before = self.relu(self.stem(images))
        inner = functional.relu(self.norm(self.first(before)))
        before = self.pool(functional.relu(self.second(inner) + before))
        after = self.third(before)
        after += before
        return self.head(self.relu(after).mean((2, 3)))


def cnn():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)).eval()


def vit():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = ViTConfig(image_size=12, patch_size=3, num_labels=3, initializer_range=0.3, **sizes)
    return ViTForImageClassification(config).eval().requires_grad_(requires_grad=False)


def swin():
    torch.manual_seed(0)
    sizes = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 2}
    return SwinForImageClassification(SwinConfig(image_size=16, patch_size=2, num_labels=3, **sizes)).eval()


def resnet():
    torch.manual_seed(0)
    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 12], depths=[1, 1], num_labels=3, layer_type="basic")
    return ResNetForImageClassification(config).eval()


def black_box():
    return CallableClassifier(lambda images: images.mean(axis=(1, 2)), "logits", NAMES)


def counted(texts):
    return [[len(text), text.count("a")] for text in texts]


TEXTS = {
    "sequence": lambda kind: SequenceClassifier(bert().to(kind), tokenizer()),
    "zero-shot": lambda kind: ZeroShotClassifier(bert(BertModel).to(kind), tokenizer(), {"a": "good film", "b": "bad film"}),
    "language model": lambda kind: LanguageModelClassifier(gpt2().to(kind), tokenizer(), ["good", "bad"]),
    "pipeline": lambda kind: TextClassificationPipeline(model=bert().to(kind), tokenizer=tokenizer()),
    "function": lambda kind: TextFunction(counted, ("x", "y")),
}
IMAGES = {
    "cnn": lambda kind: cnn().to(kind),
    "residual": lambda kind: Residual().to(kind),
    "vit": lambda kind: vit().to(kind),
    "swin": lambda kind: swin().to(kind),
    "resnet": lambda kind: resnet().to(kind),
    "signs": lambda kind: signs.load_vit().module().to(kind),
    "black box": lambda kind: black_box(),
}


@cache
def opened(name, kind=torch.float32):
    return {**TEXTS, **IMAGES}[name](kind)


def picture(name):
    height, width = {"signs": (48, 48), "swin": (16, 16), "resnet": (32, 32)}.get(name, (15, 12))
    return np.random.default_rng(0).random((2, height, width, 3), dtype=np.float32)
