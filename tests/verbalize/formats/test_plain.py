"""JSON records and lists under the names that people give them."""

import json

import pytest

from verbalize import Prediction, SaliencyError, read_saliency
from verbalize.formats.word_lists import GAP

TOKENS, SCORES = ["un", "##kind", "film"], [1.0, 2.0, -4.0]


def read(document, **options):
    options.setdefault("on_note", lambda text: None)
    return read_saliency(document, **options)


@pytest.mark.parametrize(
    "document",
    [
        {"tokens": TOKENS, "attributions": SCORES},
        {"words": TOKENS, "importance": SCORES},
        {"input_tokens": TOKENS, "saliency": SCORES},
        {"pieces": TOKENS, "weights": SCORES},
        {"tokens": TOKENS, "token_scores": SCORES, "scores": SCORES},
        {"tokens": [{"token": token, "score": score} for token, score in zip(TOKENS, SCORES, strict=True)]},
        {"explanation": [list(pair) for pair in zip(TOKENS, SCORES, strict=True)]},
        [{"token": token, "score": score} for token, score in zip(TOKENS, SCORES, strict=True)],
        [{"word": token, "attribution": score, "pos": "X"} for token, score in zip(TOKENS, SCORES, strict=True)],
        [list(pair) for pair in zip(TOKENS, SCORES, strict=True)],
    ],
)
def test_common_names_are_read(document, tmp_path):
    for source in (document, tmp_path / "map.json"):
        (tmp_path / "map.json").write_text(json.dumps(document))
        (found,) = read(source, label="x")
        assert (found.tokens, found.scores.tolist(), found.query.label) == (("unkind", "film"), [3, -4], "x")


def test_what_a_record_says_is_kept():
    text = "An unkind film"
    document = {
        "id": 7, "tokens": TOKENS, "attributions": SCORES, "label": "bad", "text": text, "method": "ig", "offset_mapping":
        [[3, 5], [5, 9], [10, 14]], "predicted_label": "good", "probability": 0.75,
    }  # fmt: skip
    (found,) = read(document)
    assert (found.id, found.method, found.offsets, found.query.label) == ("7", "ig", ((3, 9), (10, 14)), "bad")
    assert found.prediction == Prediction("good", 0.75)
    assert read(document | {"prediction": {"label": "good", "probability": 0.75}})[0].prediction == Prediction("good", 0.75)
    notes = []
    read(document | {"remark": 1}, on_note=notes.append)
    assert notes == ["not read: the field 'remark'", "2 of 3 words of the text have scores"]


def test_attention_and_norms_have_no_sign():
    (found,) = read({"tokens": ["a", "b"], "attention": [0.25, 0.75], "label": "x"})
    assert not found.signed
    with pytest.raises(SaliencyError, match="have no sign"):
        read({"tokens": ["a", "b"], "attention": [0.25, 0.75], "label": "x"}, signed=True)
    (found,) = read({"tokens": ["a", "b"], "scores": [0.25, 0.75], "label": "x", "signed": False})
    assert not found.signed
    notes = []
    read({"tokens": ["a", "b"], "scores": [0.25, 0.75], "label": "x", "signed": True}, on_note=notes.append)
    assert notes == []


def test_several_outputs_are_told_apart_by_their_names():
    document = {"id": "a", "tokens": ["so", "good", "!"], "scores": [[1, 2, 3], [-1, -2, -3]], "labels": ["yes", "no"]}
    maps = read(document)
    assert [(one.id, one.query.label, one.scores.tolist()) for one in maps] == [
        ("a.yes", "yes", [1, 2, 3]),
        ("a.no", "no", [-1, -2, -3]),
    ]
    turned = document | {"scores": [[1, -1], [2, -2], [3, -3]]}
    assert read(turned, label="no")[0].scores.tolist() == [-1, -2, -3]
    with pytest.raises(SaliencyError, match=r"scores of shape \(2, 3\); give one score for each token"):
        read({key: value for key, value in document.items() if key != "labels"}, label="x")
    with pytest.raises(SaliencyError, match="as many tokens as outputs"):
        read(document | {"tokens": ["so", "good"], "scores": [[1, 2], [3, 4]]})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"tokens": ["a"], "scores": [1], "label": 0.93}, r"the label is 0\.93, which is a number and names no class"),
        ({"tokens": ["a"], "scores": [1], "label": "0.93"}, "names no class"),
        ({"tokens": ["a"], "scores": [1], "weights": [2], "label": "x"}, "'scores' and 'weights' may both hold the scores"),
        ({"token": "a", "score": 1}, "one word with its score"),
        ({"tokens": ["a"], "attributions": "high"}, "must be lists"),
        ({"tokens": ["a"], "scores": [None], "label": "x"}, "nan|must be numbers|not a finite"),
        ({"tokens": ["a", 3], "scores": [1, 2], "label": "x"}, "not a string"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(document, message):
    with pytest.raises(SaliencyError, match=message) as caught:
        read(document)
    assert "\n" not in str(caught.value)


def test_a_ranked_record_with_its_text_is_placed():
    document = {"words": ["great", "awful", "film", "not"], "weights": [0.5, -0.25, 0.125, 0.0625], "label": "x"}
    (placed,) = read(document | {"text": "A great film, not awful"})
    assert placed.tokens == ("A", "great", "film", ",", "not", "awful")
    assert placed.scores.tolist() == [0, 0.5, 0.125, 0, 0.0625, -0.25]
    (loose,) = read(document)
    assert {token.token for token in loose.special} == {GAP}


def test_own_records_say_whether_they_are_signed():
    record = {"version": 1, "query": {"label": "x"}, "tokens": ["a"], "scores": [1]}
    assert read(record)[0].signed
    assert not read(record, signed=False)[0].signed
    for said in (True, False):
        assert read(record | {"signed": said})[0].signed == said
        with pytest.raises(SaliencyError, match="leave out signed"):
            read(record | {"signed": said}, signed=not said)
