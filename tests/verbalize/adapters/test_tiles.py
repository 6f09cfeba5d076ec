"""Attention over tiles as a map."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, check, find_regions
from verbalize.adapters import tiles_to_map

QUERY = Query("tumour")


def attention_of(tiles):
    """Gated attention of a multiple-instance model (Ilse et al. 2018) over random instances."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    instances = torch.rand(tiles, 8)
    weights = torch.nn.Linear(4, 1)(torch.tanh(torch.nn.Linear(8, 4)(instances)))
    return torch.softmax(weights, dim=0)


def test_a_grid_keeps_the_attention_of_each_tile():
    attention = attention_of(12)
    made = tiles_to_map(attention, (3, 4), (31, 41), QUERY)
    assert made.scores.sum() == pytest.approx(1.0)
    assert not made.signed
    sums = [made.scores[mask].sum() for mask in made.masks]
    assert sums == pytest.approx(attention.detach().numpy().ravel(), rel=1e-5)
    assert made.masks.sum(axis=0).min() == made.masks.sum(axis=0).max() == 1
    assert made.mask_names[5] == "row 2, column 2"


def test_overlapping_tiles_add_up_pixel_by_pixel():
    boxes = [(0, 0, 4, 4), (2, 2, 6, 6), (4, 4, 10, 9)]  # the last hangs over the edge: 4 x 4 pixels are left
    made = tiles_to_map([0.5, 0.3, 0.2], boxes, (8, 8), QUERY)
    expected = np.zeros((8, 8))
    for (top, left, bottom, right), weight in zip(boxes, (0.5, 0.3, 0.2), strict=True):
        pixels = [(y, x) for y in range(top, min(bottom, 8)) for x in range(left, min(right, 8))]
        for pixel in pixels:
            expected[pixel] += weight / len(pixels)
    assert np.allclose(made.scores, expected)
    counts = np.zeros((8, 8))
    for top, left, bottom, right in boxes:
        counts[top:bottom, left:right] += 1
    mean = tiles_to_map([0.5, 0.3, 0.2], boxes, (8, 8), QUERY, overlap="mean")
    assert np.allclose(mean.scores, expected / np.maximum(counts, 1))


def test_only_the_strongest_tiles_become_regions():
    weights = np.arange(1, 101) / 5050
    made = tiles_to_map(weights, (10, 10), (50, 50), QUERY, named=3)
    assert made.mask_names == ("row 10, column 8", "row 10, column 9", "row 10, column 10")
    assert made.scores.sum() == pytest.approx(1.0)


def test_sentences_name_tiles():
    made = tiles_to_map([0.0, 0.9, 0.1, 0.0], (2, 2), (20, 20), QUERY, names=["a", "b", "c", "d"])
    said = TemplateVerbalizer().verbalize(made)
    assert "the region 'b'" in said.text.lower()
    assert "90%" in said.text
    assert check(said.claims, made)
    assert [region.name for region in find_regions(made)] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"attention": [0.5, 0.5]}, "2 weights for 4 tiles"),
        ({"attention": [0.5, 0.5, 0.5, -0.5]}, "after the softmax"),
        ({"attention": np.ones((2, 4))}, "average over heads"),
        ({"attention": [0.5, 0.5, 0.5, np.nan]}, "finite"),
        ({"image_size": (0, 4)}, "image_size"),
        ({"image_size": (1, 4)}, "can't be cut"),
        ({"tiles": [(0, 0, 4, 4)] * 3 + [(9, 0, 12, 4)]}, "holds no pixel"),
        ({"tiles": np.zeros((4, 3))}, "top, left, bottom and right"),
        ({"names": ["a"]}, "1 names for 4 tiles"),
        ({"overlap": "max"}, "overlap"),
        ({"named": 0}, "1 or more"),
    ],
)
def test_wrong_input_is_told(changes, message):
    given = {"attention": [0.25] * 4, "tiles": (2, 2), "image_size": (8, 8), "query": QUERY} | changes
    with pytest.raises(UsageError, match=message):
        tiles_to_map(**given)


def test_signed_instance_scores():
    made = tiles_to_map([0.5, -0.5, 0.0, 0.1], (2, 2), (8, 8), QUERY, signed=True)
    assert made.signed
    assert made.scores.min() < 0
