"""Models that can be explained, and inputs with hidden parts."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later
from parameters.verbalize.attribution.cases_attribution import IMAGE, NAMES, TEXT, network, sequence

from verbalize import PixelSaliency, Query, TokenSaliency


def batch(value=None):
    import torch

    images = torch.from_numpy(IMAGE).permute(2, 0, 1)[None]
    return images if value is None else images * value


def image_model(seed=0, names=NAMES):
    from verbalize.models import ImageModel

    return ImageModel(network(seed), names)


def black_box(seed=0, names=NAMES):
    from saywhy_core.classifiers import TorchClassifier

    return TorchClassifier(network(seed), class_names=names)


def boxed(seed=0):
    from verbalize.models import BlackBoxImages

    return BlackBoxImages(black_box(seed))


def lengths(texts):
    return [[len(text), text.count("bad") + 0.5, 1.0] for text in texts]


def initials(texts):
    return [[ord(text[0]), 2.0, 1.0] for text in texts]


def text_function(function=lengths):
    from verbalize.models import TextFunction

    return TextFunction(function, NAMES)


def told(model, tools, arguments):
    return model.class_names, model.logits(batch()).tolist()


case(
    "verbalize.models.ImageModel",
    {"module": later(lambda tools: network(0)), "class_names": NAMES},
    told,
    module=later(lambda tools: network(1)),
    class_names=("x", "y", "z"),
)
case("verbalize.models.ImageModel.logits", {"self": later(lambda tools: image_model()), "images": later(lambda tools: batch())},
     images=later(lambda tools: batch(0.5)))  # fmt: skip
case(
    "verbalize.models.BlackBoxImages",
    {"classifier": later(lambda tools: black_box()), "class_names": NAMES},
    told,
    classifier=later(lambda tools: black_box(1)),
    class_names=("x", "y", "z"),
)
case("verbalize.models.BlackBoxImages.logits", {"self": later(lambda tools: boxed()), "images": later(lambda tools: batch())},
     images=later(lambda tools: batch(0.5)))  # fmt: skip
case(
    "verbalize.models.TextFunction",
    {"function": lengths, "class_names": NAMES},
    lambda model, tools, arguments: (model.class_names, model.answers(["good", "bad"]).tolist()),
    function=initials,
    class_names=("x", "y", "z"),
    probabilities=True,
)
case("verbalize.models.TextFunction.answers", {"self": later(lambda tools: text_function()), "texts": ["a"]}, texts=["b bad"])
case(
    "verbalize.models.as_model",
    {"model": later(lambda tools: network(0)), "class_names": NAMES},
    told,
    model=later(lambda tools: network(1)),
    class_names=("x", "y", "z"),
)
for model in (sequence, text_function):
    case(
        "verbalize.models.text_logits",
        {"model": later(lambda tools, model=model: model()), "texts": [TEXT, "the film is good"]},
        model=later(lambda tools: sequence(1)),
        texts=["good", "bad film"],
        batch_size=0,
    )

WORDS = ["the", "film", "is", "not", "bad"]
WORD_MAP = TokenSaliency(WORDS, [0.1, 0.2, 0.0, 1.0, -2.0], Query("a"), text=TEXT)
PIXEL_MAP = PixelSaliency(np.arange(108.0).reshape(9, 12), Query("a"), image=IMAGE)


def masked(model=None, maps=(WORD_MAP,)):
    from verbalize.masking import mask_inputs

    return mask_inputs(model or sequence(), maps)


def answers(inputs, tools, arguments):
    half = np.arange(inputs.parts(0)) % 2 == 0
    return inputs.class_names, inputs.original().tolist(), inputs.logits(0, half[None], inputs.fills[0]).tolist()


case(
    "verbalize.masking.mask_inputs",
    {"model": later(lambda tools: network(0)), "maps": [PIXEL_MAP], "class_names": NAMES},
    answers,
    model=later(lambda tools: network(1)),
    maps=[PixelSaliency(PIXEL_MAP.scores, Query("a"), image=1 - IMAGE)],
    class_names=("x", "y", "z"),
    batch_size=0,
)


def forward(seed=0):
    from verbalize.masking.texts import MaskedTexts

    return MaskedTexts(sequence(seed), [TEXT], [WORD_MAP.offsets])


KEPT = np.array([[True, False, True, True, False]])
case(
    "verbalize.masking.MaskedInputs",
    {"forward": later(lambda tools: forward())},
    answers,
    forward=later(lambda tools: forward(1)),
    batch_size=0,
)
case(
    "verbalize.masking.MaskedInputs.parts",
    {"self": later(lambda tools: masked(maps=[WORD_MAP, TokenSaliency(["good"], [1], Query("a"))])), "row": 0},
    row=1,
)
case(
    "verbalize.masking.MaskedInputs.logits",
    {"self": later(lambda tools: masked(maps=[WORD_MAP, TokenSaliency(WORDS[::-1], WORD_MAP.scores, Query("a"))])),
     "row": 0, "kept": KEPT, "fill": "removal"},
    row=1,
    kept=~KEPT,
    fill="mask",
)  # fmt: skip
case(
    "verbalize.masking.MaskedInputs.logits_of",
    {"self": later(lambda tools: masked(maps=[WORD_MAP, TokenSaliency(WORDS[::-1], WORD_MAP.scores, Query("a"))])),
     "rows": [0], "kept": KEPT, "fill": "removal"},
    rows=[1],
    kept=~KEPT,
    fill="mask",
)  # fmt: skip
case(
    "verbalize.attribution.attribute",
    {"model": later(lambda tools: network(0)), "inputs": IMAGE, "class_names": NAMES, "method": "occlusion"},
    model=later(lambda tools: network(1)),
    inputs=1 - IMAGE,
    query=Query("b", ("a",)),
    method="input_x_gradient",
    class_names=("x", "y", "z"),
    batch_size=0,
    patch=3,
)
case(
    "verbalize.attribution.attribute",
    {"model": later(lambda tools: sequence()), "inputs": [TEXT, "the film is good"]},
    inputs=[TEXT],
    query=[Query("a"), Query("b")],
    steps=2,
)
