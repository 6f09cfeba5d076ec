"""What explainers of texts return: real objects of real libraries, where these can be had, and their documented JSON."""

import json

import numpy as np
import pytest

from verbalize import Query, SaliencyError, read_saliency
from verbalize.formats.word_lists import GAP

TEXT = "A great, great film, not awful"


def classify(texts):
    """Probabilities of (dull, good): linear in the numbers of two words."""
    good = np.array([0.625 + 0.125 * text.count("great") - 0.25 * text.count("awful") for text in texts])
    return np.stack([1 - good, good], axis=1)


def lime_explanation(**settings):
    lime_text = pytest.importorskip("lime.lime_text", reason="needs lime")
    explainer = lime_text.LimeTextExplainer(class_names=["dull", "good"], random_state=0, **settings)
    return explainer.explain_instance(TEXT, classify, num_features=10, num_samples=400, labels=(0, 1))


def test_lime_shares_the_weight_of_a_word_out_among_its_places():
    explanation = lime_explanation()
    weights = dict(explanation.as_list(label=1))
    (found,) = read_saliency(explanation, label="good")
    assert found.text == TEXT
    assert found.tokens == ("A", "great", ",", "great", "film", ",", "not", "awful")
    expected = [
        weights["A"],
        weights["great"] / 2,
        0,
        weights["great"] / 2,
        weights["film"],
        0,
        weights["not"],
        weights["awful"],
    ]
    np.testing.assert_allclose(found.scores, expected)
    assert found.scores.sum() == pytest.approx(sum(weights.values()))
    assert (found.prediction.label, found.prediction.probability) == ("good", pytest.approx(0.625))
    both = read_saliency(explanation)
    assert [(one.id, one.query.label) for one in both] == [("0", "dull"), ("1", "good")]
    np.testing.assert_allclose(both[0].scores, -both[1].scores, atol=1e-9)
    with pytest.raises(SaliencyError, match="scores of this record have signs"):
        read_saliency(explanation, signed=False)


def test_lime_with_places_of_their_own_gives_each_place_its_weight():
    explanation = lime_explanation(bow=False)
    (found,) = read_saliency(explanation, label="good")
    weights = dict(explanation.local_exp[1])
    np.testing.assert_allclose(found.scores[[1, 3]], [weights[1], weights[2]])


def test_lists_of_lime_are_placed_in_their_text_or_read_without_order():
    explanation = lime_explanation()
    pairs = explanation.as_list(label=1)
    (placed,) = read_saliency(pairs, label="good", input_text=TEXT)
    (real,) = read_saliency(explanation, label="good")
    assert placed.tokens == real.tokens
    np.testing.assert_allclose(placed.scores, real.scores)
    notes = []
    (loose,) = read_saliency(pairs, label="good", on_note=notes.append)
    assert [token.position for token in loose.special] == [1, 2, 3, 4]
    assert len(notes) == 1
    assert "order" in notes[0]
    (positioned,) = read_saliency(explanation.as_list(label=1, positions=True), label="good")
    assert positioned.tokens == ("A", "great", "great", "film", "not", "awful")
    assert [token.position for token in positioned.special] == [2, 4]  # behind the commas


def test_lime_on_tables_is_refused():
    lime_tabular = pytest.importorskip("lime.lime_tabular", reason="needs lime")
    data = np.random.default_rng(0).normal(size=(50, 2))
    explainer = lime_tabular.LimeTabularExplainer(data, random_state=0)
    explanation = explainer.explain_instance(data[0], lambda rows: np.stack([rows[:, 0] * 0 + 0.25, rows[:, 0] * 0 + 0.75], 1))
    with pytest.raises(SaliencyError, match="of a table"):
        read_saliency(explanation, label="x")


def test_ranked_lists_are_no_texts_whoever_made_them():
    ranked = [("great", 0.5), ("awful", -0.25), ("film", 0.125), ("not", 0.0625)]
    (found,) = read_saliency(ranked, label="good", on_note=lambda text: None)
    assert [(token.token, token.position) for token in found.special] == [(GAP, 1), (GAP, 2), (GAP, 3)]
    (text,) = read_saliency(ranked, label="good", input_text="great awful film not")
    assert text.special == ()
    (placed,) = read_saliency(ranked, label="good", input_text="Not awful: a GREAT film, great!")
    assert placed.tokens == ("Not", "awful", ":", "a", "GREAT", "film", ",", "great", "!")
    np.testing.assert_allclose(placed.scores, [0.0625, -0.25, 0, 0, 0, 0.125, 0, 0.5, 0])
    with pytest.raises(SaliencyError, match="'film' does not occur in the text"):
        read_saliency(ranked, label="good", input_text="great awful not")
    short = [("great", 0.5), ("film", 0.25), ("!", 0.125)]
    assert read_saliency(short, label="good", on_note=lambda text: None)[0].special == ()


def test_words_of_scripts_without_spaces_are_placed():
    (found,) = read_saliency([("喜欢", 4), ("好", -3), ("电影", 2), ("很", 1)], label="x", input_text="我喜欢电影，很好。")
    assert found.tokens == ("我", "喜欢", "电影", "，", "很", "好", "。")
    assert found.scores.tolist() == [0, 4, 2, 0, 1, -3, 0]


def eli5_model():
    pytest.importorskip("eli5", reason="needs eli5")
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    texts, labels = ["a great film", "great fun", "awful bore", "a dull film", "so so"], [1, 1, 0, 0, 2]
    vectorizer = CountVectorizer(ngram_range=(1, 2))
    return LogisticRegression().fit(vectorizer.fit_transform(texts), labels), vectorizer


def test_eli5_gives_one_map_for_each_class_and_sets_the_intercept_aside():
    model, vectorizer = eli5_model()
    import eli5

    explanation = eli5.explain_prediction(model, TEXT, vec=vectorizer, target_names=["dull", "good", "other"])
    maps = read_saliency(explanation)
    assert [one.query.label for one in maps] == ["dull", "good", "other"]
    for number, found in enumerate(maps):
        coefficients = dict(zip(vectorizer.get_feature_names_out(), model.coef_[number], strict=True))
        pair = coefficients["great film"] / len("greatfilm")
        expected = [0, coefficients["great"], 0, coefficients["great"] + 5 * pair, coefficients["film"] + 4 * pair, 0, 0,
                    coefficients["awful"]]  # fmt: skip
        np.testing.assert_allclose(found.scores, expected, atol=1e-9)
        ((bias,)) = found.special
        assert (bias.token, bias.score) == ("<BIAS>", pytest.approx(model.intercept_[number]))
    best = max(range(3), key=lambda number: model.predict_proba(vectorizer.transform([TEXT]))[0, number])
    assert maps[0].prediction.label == ["dull", "good", "other"][best]
    document = json.loads(json.dumps(eli5.format_as_dict(explanation), default=float))
    assert read_saliency(document) == maps


def test_eli5_tables_are_read_from_the_weights_with_one_map_for_each_target(tmp_path):
    model, vectorizer = eli5_model()
    import eli5

    explanation = eli5.explain_prediction(model, TEXT, vec=vectorizer, target_names=["dull", "good", "other"])
    eli5.format_as_dataframe(explanation).to_csv(tmp_path / "eli5.csv", index=False)
    assert (tmp_path / "eli5.csv").read_text().startswith("target,feature,weight,value")
    maps = read_saliency(tmp_path / "eli5.csv")
    whole = read_saliency(explanation)
    assert [one.query.label for one in maps] == ["dull", "good", "other"]
    for found, real in zip(maps, whole, strict=True):
        assert found.scores.sum() == pytest.approx(real.scores.sum())
        assert found.special[0].token == "<BIAS>"
        assert {token.token for token in found.special[1:]} == {GAP}
    placed = read_saliency(tmp_path / "eli5.csv", input_text=TEXT, label="good")
    np.testing.assert_allclose(placed[0].scores, whole[1].scores, atol=1e-6)


def test_weights_of_a_whole_model_are_refused():
    model, vectorizer = eli5_model()
    import eli5

    with pytest.raises(SaliencyError, match="weights are those of the whole model"):
        read_saliency(eli5.explain_weights(model, vec=vectorizer))


def tiny_gpt2(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(["the film was great and fine"] * 5, trainer)
    end = "<|endoftext|>"
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=end, bos_token=end, pad_token=end)
    import torch

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=64, bos_token_id=0, eos_token_id=0
    )
    model = GPT2LMHeadModel(config).eval()
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    return model, tokenizer


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gpt2")
    return *tiny_gpt2(folder), folder / "model"


@pytest.mark.parametrize("method", ["input_x_gradient", "saliency", "attention", "occlusion"])
def test_inseq_keeps_the_sign_or_says_that_there_is_none(gpt2, tmp_path, monkeypatch, method):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import inseq

    model = inseq.load_model(str(gpt2[2]), method, tokenizer=str(gpt2[2]))
    out = model.attribute("the film was", generated_texts="the film was great and fine", show_progress=False)
    raw = out.sequence_attributions[0].target_attributions.detach().numpy().astype(float)
    expected = {
        "input_x_gradient": lambda: raw.sum(axis=2),
        "saliency": lambda: np.sqrt((raw**2).sum(axis=2)),
        "attention": lambda: raw.mean(axis=(2, 3)),
        "occlusion": lambda: raw,
    }[method]()
    memory = read_saliency(out)
    assert [one.query.label for one in memory] == ["great", "and", "fine"]
    for step, found in enumerate(memory):
        np.testing.assert_allclose(found.scores, expected[: 3 + step, step], rtol=1e-5, atol=1e-9)
        assert found.signed == (method == "input_x_gradient")
    out.save(tmp_path / "out.json")
    filed = read_saliency(tmp_path / "out.json")
    assert [one.tokens for one in filed] == [one.tokens for one in memory]
    for found, other in zip(filed, memory, strict=True):
        np.testing.assert_allclose(found.scores, other.scores, rtol=1e-5, atol=1e-9)
        assert found.signed == other.signed
    assert [one.query for one in read_saliency(out.sequence_attributions[0])] == [one.query for one in memory]
    wrong = {"signed": method != "input_x_gradient"}
    with pytest.raises(SaliencyError, match="leave out signed"):
        read_saliency(out, **wrong)
    norms = read_saliency(out.aggregate())
    assert not any(found.signed for found in norms)


def test_inseq_norms_of_source_and_text_do_not_make_one_phrase():
    steps = {"source_attributions": [[1.0], [2.0]], "target_attributions": [[-3.0], [float("nan")]], "attr_pos_start": 1}
    sequence = {"source": [{"token": "▁le"}, {"token": "▁film"}], "target": [{"token": "▁the"}, {"token": "▁film"}], **steps}
    (found,) = read_saliency({"sequence_attributions": [sequence]})
    assert (found.tokens, found.scores.tolist()) == (("le", "film", "the"), [1, 2, -3])
    assert [(token.token, token.position) for token in found.special] == [(GAP, 2)]
    assert found.query == Query("film")


def test_a_contrastive_attribution_of_inseq_is_never_read_as_a_pointwise_one(gpt2, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    import inseq

    model = inseq.load_model(str(gpt2[2]), "input_x_gradient", tokenizer=str(gpt2[2]))
    out = model.attribute(
        "the film was", generated_texts="the film was great", attributed_fn="contrast_prob_diff",
        contrast_targets="the film was fine", show_progress=False,
    )  # fmt: skip
    (found,) = read_saliency(out)
    assert found.query == Query("great", ("fine",))
    assert found.tokens == ("the", "film", "was")
    assert read_saliency(out, versus=["fine"]) == [found]
    with pytest.raises(SaliencyError, match="contrasts 'great' with 'fine'"):
        read_saliency(out, versus=["dull"])


def test_captum_results_of_language_models(gpt2):
    from captum.attr import FeatureAblation, LLMAttribution, TextTemplateInput, TextTokenInput

    model, tokenizer, _ = gpt2
    attribution = LLMAttribution(FeatureAblation(model), tokenizer)
    inp = TextTokenInput("the film was", tokenizer)
    result = attribution.attribute(inp, target=" great and")
    maps = read_saliency(result)
    assert [(one.id, one.query.label) for one in maps] == [("all", "great and"), ("0", "great"), ("1", "and")]
    assert maps[0].tokens == ("the", "film", "was")
    np.testing.assert_allclose(maps[0].scores, result.seq_attr.numpy(), rtol=1e-6)
    np.testing.assert_allclose(maps[2].scores, result.token_attr[1].numpy(), rtol=1e-6)
    np.testing.assert_allclose(maps[0].scores, maps[1].scores + maps[2].scores, rtol=1e-4)
    filled = attribution.attribute(TextTemplateInput("the {} was {} and {}", ["film", "great", "fine"]), target=" fine")
    (found,) = read_saliency(filled, label="fine")
    assert found.text == "the film was great and fine"
    np.testing.assert_allclose(found.scores[[1, 3, 5]], filled.seq_attr.numpy(), rtol=1e-6)
    assert found.scores[[0, 2, 4]].tolist() == [0, 0, 0]
    named = TextTemplateInput("{b} and {a}", {"a": "film", "b": "great"})
    (swapped,) = read_saliency(attribution.attribute(named, target=" fine"))
    assert swapped.tokens == ("great", "and", "film")
    made = TextTemplateInput(lambda *words: " ".join(sorted(words)), ["film", "great"])
    (loose,) = read_saliency(attribution.attribute(made, target=" fine"))
    assert (loose.tokens, [token.position for token in loose.special]) == (("film", "great"), [1])


def test_interpreto_outputs(gpt2):
    interpreto = pytest.importorskip("interpreto", reason="needs interpreto")
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "##s", "!"]
    tokenizer = BertTokenizerFast(vocab={name: number for number, name in enumerate(names)})
    torch.manual_seed(0)
    model = BertForSequenceClassification(
        BertConfig(vocab_size=len(names), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
    ).eval()
    for granularity in (interpreto.Granularity.ALL_TOKENS, interpreto.Granularity.TOKEN, interpreto.Granularity.WORD):
        outputs = interpreto.Occlusion(model, tokenizer, granularity=granularity)("good films!", targets=torch.tensor([[1]]))
        (found,) = read_saliency(outputs, class_names=["dull", "good"])
        assert found.tokens == ("good", "films", "!"), granularity
        assert found.query == Query("good")
        total = found.scores.sum() + sum(token.score for token in found.special)
        assert total == pytest.approx(float(outputs[0].attributions.sum()), rel=1e-5)
    model, tokenizer, _ = gpt2
    (output,) = interpreto.Occlusion(model, tokenizer)("the film was", targets="great and")
    maps = read_saliency(output)
    assert [one.query.label for one in maps][-1] == "and"
    assert maps[-1].tokens[:3] == ("the", "film", "was")


def test_allennlp_interpretations_are_magnitudes_and_need_their_words():
    document = {"instance_1": {"grad_input_1": [0.25, 0.5, 0.25]}, "label": "positive"}
    (found,) = read_saliency(document | {"tokens": ["a", "great", "film"]})
    assert (found.tokens, found.scores.tolist(), found.signed) == (("a", "great", "film"), [0.25, 0.5, 0.25], False)
    (split,) = read_saliency(document, input_text="a great film")
    assert split.tokens == found.tokens
    with pytest.raises(SaliencyError, match="holds no words"):
        read_saliency(document)
    with pytest.raises(SaliencyError, match="have no sign"):
        read_saliency(document | {"tokens": ["a", "great", "film"]}, signed=True)
    pair = {"instance_1": {"grad_input_1": [0.5, 0.25, 0.25], "grad_input_2": [0.75, 0.25]}, "label": "entailment"}
    (two,) = read_saliency(pair | {"premise_tokens": ["a", "dog"], "hypothesis_tokens": ["one", "animal", "runs"]})
    assert (two.tokens, two.scores.tolist()) == (("a", "dog", "one", "animal", "runs"), [0.75, 0.25, 0.5, 0.25, 0.25])
    assert [(token.token, token.position) for token in two.special] == [(GAP, 2)]
    with pytest.raises(SaliencyError, match="as many tokens"):
        read_saliency(
            {"instance_1": {"grad_input_1": [1.0], "grad_input_2": [0.5]}, "label": "x", "premise_tokens": ["a"],
             "hypothesis_tokens": ["b"]}
        )  # fmt: skip


def test_shap_data_with_a_tokenizers_own_marks_are_merged():
    import shap

    def explained(data, values):
        return shap.Explanation(values=np.array([values]), data=np.array([data]), output_names="positive")

    for data, words in (
        (["un", "##kind", "film"], ("unkind", "film")),
        (["un", "kind", "Ġfilm"], ("unkind", "film")),
        (["▁un", "kind", "▁film"], ("unkind", "film")),
        (["un", "kind ", "film"], ("unkind", "film")),
        (["un", "kind", " film"], ("unkind", "film")),
        (["", "un", "kind ", "film", ""], ("unkind", "film")),
        (["great", "dull", "film"], ("great", "dull", "film")),
    ):
        values = [1.0, 2.0, 4.0] if len(data) == 3 else [8.0, 1.0, 2.0, 4.0, 16.0]
        (found,) = read_saliency(explained(data, values))
        assert found.tokens == words, data
        assert found.scores.sum() == 7
        assert found.scores[-1] == 4


@pytest.mark.long
def test_shap_with_a_real_tokenizer():
    import shap
    from transformers import BertTokenizerFast

    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "film", "##s", "!"]
    tokenizer = BertTokenizerFast(vocab={name: number for number, name in enumerate(names)})
    explainer = shap.Explainer(lambda texts: np.array([float("films" in text) for text in texts]), shap.maskers.Text(tokenizer))
    (found,) = read_saliency(explainer(["good films!"], silent=True), label="positive")
    assert found.tokens == ("good", "films", "!")
    np.testing.assert_allclose(found.scores, [0, 1, 0], atol=1e-9)
