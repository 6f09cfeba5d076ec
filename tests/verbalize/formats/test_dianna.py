"""DIANNA's results: lists of (word, place, relevance) for texts, an array with a map per label for pictures.

The library is not installed with the others; where it is, its own RISE and LIME are run. The values below are what release
1.8.1 returned for `explain_text(model, "a good film but far too long", tokenizer, method, labels=[0, 1])`.
"""

import json

import numpy as np
import pytest

from verbalize import SaliencyError, TemplateVerbalizer, read_saliency

RISE = [
    [("a", 0, 0.479), ("good", 1, 0.850), ("film", 2, 0.475), ("but", 3, 0.482), ("far", 4, 0.48), ("too", 5, 0.498)],
    [("a", 0, 0.539), ("good", 1, 0.094), ("film", 2, 0.527), ("but", 3, 0.494), ("far", 4, 0.528), ("too", 5, 0.518)],
]
LIME = [
    [(np.str_("good"), np.int64(1), np.float64(0.798)), ("a", np.int64(0), -9.39e-06), ("far", np.int64(4), -0.25)],
    [("a", 0, 9.39e-06), ("good", 1, -0.798), ("far", 4, 0.25)],
]
CLASSES = ["positive", "negative"]


def test_a_map_for_each_label_in_the_order_of_the_labels():
    maps = read_saliency(LIME, class_names=CLASSES)
    assert [found.query.label for found in maps] == CLASSES
    assert [found.id for found in maps] == ["0", "1"]
    assert maps[0].tokens == ("a", "good", "far")
    assert maps[0].scores.tolist() == [-9.39e-06, 0.798, -0.25]
    assert maps[0].signed
    (found,) = read_saliency(LIME, class_names=CLASSES, label="negative")
    assert found.scores.tolist() == [9.39e-06, -0.798, 0.25]


def test_no_phrase_reaches_across_words_without_relevance():
    """LIME gives ten words; 'good' and 'far' are no neighbours, although they stand side by side in the list."""
    triples = [("good", 1, 0.8), ("far", 4, 0.79)]
    (found,) = read_saliency(triples, label="positive", signed=True)
    assert [token.position for token in found.special] == [0, 1]
    assert "good far" not in TemplateVerbalizer().verbalize(found).text
    (near,) = read_saliency([("good", 0, 0.8), ("film", 1, 0.79)], label="positive", signed=True)
    assert near.special == ()


def test_the_text_gives_the_words_their_places():
    text = "a good film but far too long"
    (found,) = read_saliency(LIME, class_names=CLASSES, label="positive", input_text=text)
    assert [text[start:stop] for start, stop in found.offsets] == ["a", "good", "far"]


def test_relevance_without_a_negative_number_is_unsigned_and_that_is_told():
    notes = []
    maps = read_saliency(RISE, class_names=CLASSES, on_note=notes.append)
    assert [found.signed for found in maps] == [False, False]
    assert len(notes) == 1
    assert "RISE" in notes[0]
    assert read_saliency(RISE[0], label="x", signed=True)[0].signed
    with pytest.raises(SaliencyError, match="negative"):
        read_saliency(LIME[0], label="x", signed=False)


@pytest.mark.parametrize("names", [None, ["one"], ["one", "two", "three"]])
def test_several_explanations_need_a_name_each(names):
    with pytest.raises(SaliencyError, match="there are 2 explanations"):
        read_saliency(LIME, class_names=names)


def test_one_place_holds_one_word():
    with pytest.raises(SaliencyError, match="same place"):
        read_saliency([("a", 0, 1.0), ("b", 0, 2.0)], label="x")


@pytest.mark.parametrize("score", [float("nan"), "much", None])
def test_a_relevance_is_a_finite_number(score):
    with pytest.raises(SaliencyError):
        read_saliency([("a", 0, 1.0), ("b", 1, score)], label="x")


def test_the_lists_may_come_as_json(tmp_path):
    (tmp_path / "rise.json").write_text(json.dumps(RISE))
    maps = read_saliency(tmp_path / "rise.json", class_names=CLASSES, signed=False)
    assert [found.query.label for found in maps] == CLASSES


def test_heatmaps_of_pictures_come_as_one_array():
    heatmaps = np.random.default_rng(0).random((2, 16, 16)).astype(np.float32)  # RISE; LIME's are whole numbers 0 and 1
    photo = np.zeros((32, 32, 3))
    (found,) = read_saliency(heatmaps, class_names=CLASSES, label="negative", image=photo, signed=False, on_note=str)
    assert (found.query.label, found.shape) == ("negative", (32, 32))
    masks = (heatmaps > 0.5).astype(np.int64)
    assert [one.signed for one in read_saliency(masks, class_names=CLASSES, on_note=str)] == [False, False]


@pytest.mark.parametrize("method", ["RISE", "LIME"])
def test_what_the_library_returns_is_read(method):
    dianna = pytest.importorskip("dianna", reason="DIANNA is not installed")
    if method == "LIME":
        pytest.importorskip("lime", reason="lime is not installed")

    class Words:
        mask_token = "UNKWORDZ"

        def tokenize(self, text):
            return text.split()

        def convert_tokens_to_string(self, words):
            return " ".join(words)

    def model(texts):
        return np.array([[0.9 if "good" in text else 0.1, 0.1 if "good" in text else 0.9] for text in texts])

    text = "a good film but far too long"
    result = dianna.explain_text(model, text, Words(), method, labels=[0, 1])
    maps = read_saliency(result, class_names=CLASSES, input_text=text, on_note=str)
    assert [found.query.label for found in maps] == CLASSES
    assert maps[0].tokens[int(maps[0].scores.argmax())] == "good"
    assert [found.signed for found in maps] == [method == "LIME"] * 2
