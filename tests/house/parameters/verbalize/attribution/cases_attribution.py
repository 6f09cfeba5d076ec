"""Maps made from models: tiny seeded networks."""

from __future__ import annotations

from functools import cache

import numpy as np
from parameters.harness import case, later, record

from verbalize import Prediction, Query

NAMES = ("a", "b", "c")
IMAGE = np.random.default_rng(0).random((9, 12, 3), dtype=np.float32)
PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "film", "is", "good", "bad", "not")
TEXT = "the film is not bad"


@cache
def network(seed):
    import torch
    from torch import nn

    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3), nn.Conv2d(8, 6, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 3)).eval()


for method, base in (("pixels", {}), ("cam", {"layer": "3"})):
    case(
        f"verbalize.attribution.attribute_{method}",
        {"model": later(lambda tools: network(0)), "image": IMAGE, "class_names": NAMES, **base},
        model=later(lambda tools: network(1)),
        image=1 - IMAGE,
        query=Query("b", ("a",)),
        class_names=("x", "y", "z"),
        method="grad_cam_pp" if base else "occlusion",
        true_label="a",
        id="x",
        **({"layer": "0"} if base else {"baseline": "black", "steps": 2}),
    )
PIXELS = {"model": later(lambda tools: network(0)), "image": IMAGE, "class_names": NAMES}
case("verbalize.attribution.attribute_pixels", {**PIXELS, "method": "occlusion"}, patch=3, stride=1)
case("verbalize.attribution.attribute_pixels", {**PIXELS, "method": "shapley", "patch": 3, "steps": 2}, seed=1)


@cache
def tokenizer(order=PIECES):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({piece: index for index, piece in enumerate(order)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=32,
    )


@cache
def bert(seed, head=True):
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(PIECES),
        max_position_embeddings=32,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.3,
        num_labels=3,
        id2label=dict(enumerate(NAMES)),
    )
    return (BertForSequenceClassification if head else BertModel)(config).eval()


def sequence(seed=0, words=None):
    from verbalize.attribution import SequenceClassifier

    return SequenceClassifier(bert(seed), words or tokenizer())


DESCRIPTIONS = {"a": "the film is good", "b": ["the film is bad", "not good"]}


def zero_shot(seed=0, **options):
    from verbalize.attribution import ZeroShotClassifier

    return ZeroShotClassifier(bert(seed, head=False), tokenizer(), DESCRIPTIONS, **options)


def explained(classifier, tools, arguments):
    from verbalize.attribution import attribute_tokens

    return attribute_tokens(classifier, TEXT, method="input_x_gradient")


SWAPPED = (*PIECES[:-2], "not", "bad")
case(
    "verbalize.attribution.SequenceClassifier",
    {"model": later(lambda tools: bert(0)), "tokenizer": later(lambda tools: tokenizer())},
    explained,
    model=later(lambda tools: bert(1)),
    tokenizer=later(lambda tools: tokenizer(SWAPPED)),
    class_names=("x", "y", "z"),
)
case(
    "verbalize.attribution.ZeroShotClassifier",
    {
        "model": later(lambda tools: bert(0, head=False)),
        "tokenizer": later(lambda tools: tokenizer()),
        "descriptions": DESCRIPTIONS,
    },
    explained,
    model=later(lambda tools: bert(1, head=False)),
    tokenizer=later(lambda tools: tokenizer(SWAPPED)),
    descriptions={**DESCRIPTIONS, "a": "good", "b": "bad"},
    temperature=1.0,
)


def ids(*rows):
    import torch

    return torch.tensor(rows)


for made, method in ((sequence, "logits"), (zero_shot, "logits"), (zero_shot, "encode")):
    case(
        f"verbalize.attribution.{'SequenceClassifier' if made is sequence else 'ZeroShotClassifier'}.{method}",
        {
            "self": later(lambda tools, made=made: made()),
            "input_ids": later(lambda tools: ids([2, 5, 6, 3])),
            "attention_mask": later(lambda tools: ids([1, 1, 1, 1])),
        },
        input_ids=later(lambda tools: ids([2, 6, 5, 3])),
        attention_mask=later(lambda tools: ids([1, 1, 0, 1])),
    )
case(
    "verbalize.attribution.attribute_tokens",
    {"classifier": later(lambda tools: sequence()), "text": TEXT, "steps": 4},
    classifier=later(lambda tools: sequence(1)),
    text="the film is good",
    query=Query("b"),
    method="occlusion",
    baseline="mask",
    steps=2,
    true_label="a",
)
case(
    "verbalize.attribution.attribute_tokens",
    {"classifier": later(lambda tools: sequence()), "text": TEXT, "steps": 1, "method": "shapley"},
    seed=1,
)


# --- methods, as they are registered -----------------------------------------------------------------------------------

record("verbalize.attribution.Explainer", {"explain": max}, explain=min, uses=("steps",), signed=False, needs="scores",
       questions=("pointwise",), batched=True, baseline="black", passes=len, backwards=1, per_channel=1)  # fmt: skip
record("verbalize.attribution.Method", {"summary": "s"}, summary="t", tokens=max, pixels=max, layer=max)
case("verbalize.attribution.methods_for", {"inputs": "tokens"}, inputs="layer")
IMAGE_QUESTION = {"score": max, "batch": 1, "image": IMAGE, "query": Query("a"), "prediction": Prediction("a"), "baseline": 1}
record(
    "verbalize.attribution.ImageQuestion",
    IMAGE_QUESTION,
    score=min,
    batch=2,
    image=1 - IMAGE,
    query=Query("b"),
    prediction=Prediction("b"),
    baseline=2,
    steps=2,
    patch=2,
    stride=2,
    seed=1,
    batch_size=2,
    module=max,
    layer="x",
    class_names=NAMES,
    options={"s": 1},
    logits=max,
    score_logits=max,
)
TEXT_QUESTION = {
    "score": max,
    "ids": 1,
    "mask": 1,
    "baseline": 1,
    "words": 1,
    "count": 1,
    "embedding": 1,
    "steps": 1,
    "seed": 0,
}
record(
    "verbalize.attribution.TextQuestion",
    TEXT_QUESTION,
    **{name: 2 for name in TEXT_QUESTION if name != "score"},
    score=min,
    batch_size=2,
    options={"s": 1},
    classifier=max,
    score_logits=max,
)


def image_question(tools):
    from verbalize.attribution import ImageQuestion

    return ImageQuestion(**IMAGE_QUESTION)


def filled(value):
    import torch

    return torch.full(IMAGE.shape[:2], value)


case(
    "verbalize.attribution.ImageQuestion.map",
    {"self": later(image_question), "scores": later(lambda tools: filled(1.0)), "signed": True, "method": "m", "id": "a"},
    scores=later(lambda tools: filled(2.0)),
    signed=False,
    method="n",
    id="b",
)
case(
    "verbalize.attribution.score_of_query",
    {"logits": later(lambda tools: ids([1.0, 2.0, 4.0])), "query": Query("a"), "class_names": NAMES},
    logits=later(lambda tools: ids([2.0, 1.0, 4.0])),
    query=Query("a", ("b",)),
    class_names=NAMES[::-1],
)
case(
    "verbalize.attribution.shared_by_pieces",
    {"scores": later(lambda tools: ids([1.0, 2.0, 4.0])), "words": later(lambda tools: ids([0, 0, 1]))},
    scores=later(lambda tools: ids([2.0, 2.0, 4.0])),
    words=later(lambda tools: ids([0, 1, 1])),
)
