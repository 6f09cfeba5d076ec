"""Models that a line of text names, language models, and records of inputs."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.verbalize.attribution.cases_attribution import IMAGE, SWAPPED, TEXT, network, sequence, tokenizer

from verbalize import Query


def decoder(seed=0):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    sizes = {"n_positions": 64, "n_embd": 8, "n_layer": 1, "n_head": 2, "initializer_range": 0.5}
    return GPT2LMHeadModel(GPT2Config(vocab_size=len(tokenizer()), bos_token_id=0, eos_token_id=0, **sizes)).eval()


def language_model(seed=0, continuations=None):
    from verbalize.models import LanguageModelClassifier

    return LanguageModelClassifier(
        decoder(seed), tokenizer(), {"a": "good", "b": "bad"} if continuations is None else continuations
    )


def logits(model, tools, arguments):
    from verbalize.models import text_logits

    return model.class_names, text_logits(model, [TEXT]).tolist()


def ids(words):
    import torch

    return torch.tensor([[5 + word for word in words]])


case(
    "verbalize.models.LanguageModelClassifier",
    {
        "model": later(lambda tools: decoder()),
        "tokenizer": later(lambda tools: tokenizer()),
        "continuations": {"a": "good", "b": "bad"},
    },
    logits,
    model=later(lambda tools: decoder(1)),
    tokenizer=later(lambda tools: tokenizer(SWAPPED)),
    continuations={"a": "bad", "c": "good"},
    template="not {text} bad",
)
LANGUAGE = {"self": later(lambda tools: language_model())}
case(
    "verbalize.models.LanguageModelClassifier.logits",
    {
        **LANGUAGE,
        "input_ids": later(lambda tools: ids([0, 1, 2])),
        "attention_mask": later(lambda tools: ids([0, 1, 2]) * 0 + 1),
    },
    input_ids=later(lambda tools: ids([3, 1, 2])),
    attention_mask=later(lambda tools: (ids([0, 1, 2]) > 5).long()),
)
case("verbalize.models.LanguageModelClassifier.asked", {"self": later(lambda tools: language_model(continuations=())), "query": Query("good")},
     logits, query=Query("bad"))  # fmt: skip
case("verbalize.models.LanguageModelClassifier.write", {**LANGUAGE, "text": TEXT}, text="good", tokens=1)
case("verbalize.models.model_options", {"kind": "text"}, kind="transformers")


def opened(model, tools, arguments):
    return type(model).__name__, model.class_names


case("verbalize.models.open_model", {"spec": "demo:signs"}, opened,
     spec="minilm", class_names=("one", "two"), trust=True, scores="logits")  # fmt: skip


def held(content="a", **fields):
    from verbalize.attribution.records import InputRecord

    return InputRecord("x", content, **fields)


record(
    "verbalize.attribution.records.InputRecord", {"id": "a", "content": "t"}, id="b", content="u", label="x", where="f", line=2
)
case("verbalize.attribution.records.InputRecord.problem", {"self": later(lambda tools: held()), "what": "a"}, what="b")


def template(label="a", versus=(), members=()):
    from verbalize.attribution.records import QueryTemplate

    return QueryTemplate(label, versus, members)


record("verbalize.attribution.records.QueryTemplate", {"label": "a"}, label="b", versus=("b",), members=("a", "c"))
case(
    "verbalize.attribution.records.QueryTemplate.of",
    {"self": later(lambda tools: template(None, ("b",))), "predicted": "a"},
    predicted="c",
)
REQUEST = {
    "model": later(lambda tools: sequence()), "template": later(lambda tools: template()), "method": "occlusion", "options": {},
}  # fmt: skip
case(
    "verbalize.attribution.records.check_request", REQUEST, lambda found, tools, arguments: found.uses,
    model=later(lambda tools: boxed()), template=later(lambda tools: template("none")), method="shapley", options={"steps": 2},
)  # fmt: skip


def boxed():
    from verbalize.models import ImageModel

    return ImageModel(network(0), ("x", "y", "z"))


def listed(found, tools, arguments):
    return list(found), tools.recorded


case(
    "verbalize.attribution.records.explain_records",
    {
        "model": later(lambda tools: sequence()), "records": later(lambda tools: [held(TEXT)]), "method": "input_x_gradient",
        "on_problem": later(lambda tools: tools.record),
    },
    listed,
    model=later(lambda tools: sequence(1)), records=later(lambda tools: [held("bad film")]),
    template=later(lambda tools: template("b", ("a",))), method="occlusion", batch_size=0, patch=2,
)  # fmt: skip
case(
    "verbalize.attribution.records.explain_records",
    {
        "model": later(lambda tools: sequence()), "records": later(lambda tools: [held(" ")]),
        "on_problem": later(lambda tools: tools.record),
    },
    listed,
    on_problem=None,
)  # fmt: skip


def file(tools, name, content):
    path = tools.folder / name
    np.save(path, content) if path.suffix == ".npy" else path.write_text(content)
    return [str(path)]


def contents(found, tools, arguments):
    return [np.asarray(one.content).tolist() for one in found]


case(
    "verbalize.attribution.records.read_text_inputs", {"sources": later(lambda tools: file(tools, "a.txt", "one\ntwo"))}, contents,
    sources=later(lambda tools: file(tools, "a.txt", "three")),
)  # fmt: skip
case(
    "verbalize.attribution.records.read_image_inputs", {"sources": later(lambda tools: file(tools, "a.npy", IMAGE))}, contents,
    sources=later(lambda tools: file(tools, "a.npy", 1 - IMAGE)), channels=1,
)  # fmt: skip
