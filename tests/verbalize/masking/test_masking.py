"""Inputs with hidden parts: what the model sees, and how often it is asked."""

import re

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.masking import IMAGE_FILLS, mask_inputs
from verbalize.masking.fills import filled
from verbalize.masking.texts import without
from verbalize.models import ImageModel, TextFunction


class Recorder(nn.Module):
    """Remembers its batches; its logits are the sums of the colours."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, images):
        self.seen.append(images.clone())
        return images.sum(dim=(2, 3))


@pytest.fixture
def recorder():
    return Recorder().eval()


def maps(count=2, shape=(4, 5)):
    random = np.random.default_rng(0)
    return [
        PixelSaliency(random.normal(size=shape), Query("0"), image=random.random((*shape, 3), dtype=np.float32))
        for _ in range(count)
    ]


@pytest.mark.parametrize("fill", IMAGE_FILLS)
def test_the_model_sees_kept_pixels_and_the_fill_elsewhere(recorder, fill):
    chosen = maps()
    inputs = mask_inputs(recorder, chosen)
    kept = np.random.default_rng(1).random((3, 20)) < 0.5
    recorder.seen.clear()
    found = inputs.logits(1, kept, fill)
    (seen,) = recorder.seen
    image = np.moveaxis(chosen[1].image, -1, 0)
    other = filled(torch.from_numpy(image)[None], fill)[0].numpy()
    for mask, given, logits in zip(kept, seen.numpy(), found, strict=True):
        expected = np.where(mask.reshape(1, 4, 5), image, other)
        np.testing.assert_allclose(given, expected, rtol=1e-6)
        np.testing.assert_allclose(logits, expected.sum(axis=(1, 2)), rtol=1e-5)


def test_each_distinct_masked_input_is_run_once(recorder):
    inputs = mask_inputs(recorder, maps())
    before = inputs.forwards
    whole, none = np.ones((1, 20), bool), np.zeros((1, 20), bool)
    inputs.logits_of([0, 0, 1, 0], np.concatenate([none, none, none, whole]), "grey")
    assert inputs.forwards - before == 3
    inputs.logits(0, np.concatenate([none, whole]), "grey")
    inputs.logits(0, whole, "blur")  # nothing is hidden, so the fill does not matter
    np.testing.assert_allclose(inputs.original()[0], maps()[0].image.sum(axis=(0, 1)), rtol=1e-5)
    assert inputs.forwards - before == 4  # the second image as it is was new
    inputs.logits(0, none, "white")
    assert inputs.forwards - before == 5


def test_no_batch_is_larger_than_asked(recorder):
    inputs = mask_inputs(recorder, maps(3), batch_size=4)
    inputs.logits_of(np.arange(30) % 3, np.random.default_rng(2).random((30, 20)) < 0.5, "mean")
    assert max(len(batch) for batch in recorder.seen) == 4


def test_a_blur_keeps_the_colour_of_a_plain_image():
    plain = torch.full((1, 3, 9, 7), 0.3)
    torch.testing.assert_close(filled(plain, "blur"), plain)


@pytest.mark.parametrize(
    ("kept", "expected"),
    [
        ("11111", "A truly great, fine film."),
        ("10111", "A great, fine film."),
        ("11011", "A truly, fine film."),
        ("11110", "A truly great, fine."),
        ("00000", ",."),
    ],
)
def test_words_are_cut_out_of_the_text_with_their_blank(kept, expected):
    text, words = "A truly great, fine film.", ["A", "truly", "great", "fine", "film"]
    places = [(text.index(word), text.index(word) + len(word)) for word in words]
    assert without(text, places, np.array([bit == "1" for bit in kept])) == expected


def test_line_ends_stay():
    assert without("one\ntwo  three", [(0, 3), (4, 7), (9, 14)], np.array([True, False, True])) == "one\nthree"


def words_of(texts):
    return [[float("great" in text), float("dull" in text), float(not text)] for text in texts]


def test_a_text_function_is_asked_about_texts_without_words():
    model = TextFunction(words_of, ("good", "bad", "empty"))
    inputs = mask_inputs(model, [TokenSaliency(["great", "but", "dull"], [2, 0, -1], Query("good"))])
    assert inputs.fills == ("removal",)
    kept = np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0]], bool)
    assert inputs.logits(0, kept, "removal").tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 1]]
    with pytest.raises(UsageError, match="filled with removal, not 'mask'"):
        inputs.logits(0, kept, "mask")


def test_wrong_inputs_are_refused_in_a_sentence(recorder):
    with pytest.raises(UsageError, match="no maps"):
        mask_inputs(recorder, [])
    with pytest.raises(UsageError, match="a map has no image"):
        mask_inputs(recorder, [PixelSaliency(np.ones((4, 5)), Query("0"))])
    with pytest.raises(UsageError, match="over pixels"):
        mask_inputs(TextFunction(words_of, ("a", "b", "c")), maps())
    with pytest.raises(UsageError, match="all of one height, width"):
        mask_inputs(recorder, [*maps(1), *maps(1, (5, 4))])
    inputs = mask_inputs(recorder, maps())
    with pytest.raises(UsageError, match="a mask has 7 parts"):
        inputs.logits(0, np.ones((1, 7), bool), "grey")
    with pytest.raises(UsageError, match="batch_size must be 1 or more"):
        mask_inputs(recorder, maps(), batch_size=0)


def test_a_bare_module_gets_numbers_as_names(recorder):
    assert mask_inputs(recorder, maps()).class_names == ("0", "1", "2")
    assert mask_inputs(ImageModel(recorder, ("r", "g", "b")), maps()).class_names == ("r", "g", "b")


@pytest.mark.parametrize(
    ("text", "cut", "left"),
    [
        ("great and fine but slow .", (2,), "great and but slow ."),  # a blank before a mark that was there stays
        ("great and fine .", (2,), "great and ."),
        ("great and fine.", (2,), "great and."),
        ("x very good.", (1, 2), "x."),
        ("x very good .", (1, 2), "x ."),
        ("great  and\n fine   but slow  !!", (2,), "great  and\n but slow  !!"),
        ("( great ) and", (1,), "( ) and"),
        ("  fine film  ", (0,), "  film  "),
        ("fine film", (0,), "film"),
        ("a b\nc", (1,), "a\nc"),
        ("a\nb c", (1,), "a\nc"),
        ("a b c d", (1, 3), "a c"),
        ("a b", (0, 1), ""),
    ],
)
def test_cutting_changes_nothing_but_the_cut(text, cut, left):
    words = [found.span() for found in re.finditer(r"\w+|[^\w\s]", text)]
    assert without(text, words, np.array([index not in cut for index in range(len(words))])) == left
