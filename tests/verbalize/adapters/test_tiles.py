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


def test_a_pixel_of_overlapping_tiles_belongs_to_the_nearest_centre():
    boxes = [(0, 0, 4, 4), (2, 2, 6, 6), (4, 4, 10, 9), (5, 5, 7, 7)]  # the third hangs over the edge: 4 x 4 pixels are left
    weights = [0.5, 0.2, 0.2, 0.1]
    made = tiles_to_map(weights, boxes, (8, 8), QUERY)
    owners = np.full((8, 8), -1)
    for y in range(8):
        for x in range(8):
            held = []
            for index, (top, left, bottom, right) in enumerate(boxes):
                bottom, right = min(bottom, 8), min(right, 8)
                if top <= y < bottom and left <= x < right:
                    distance = (y - (top + bottom - 1) / 2) ** 2 + (x - (left + right - 1) / 2) ** 2
                    held.append((distance, (bottom - top) * (right - left), index))
            owners[y, x] = min(held)[2] if held else -1
    for index, (mask, weight) in enumerate(zip(made.masks, weights, strict=True)):
        assert (mask == (owners == index)).all()
        assert made.scores[mask].sum() == pytest.approx(weight)
    assert made.scores.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(20))
def test_sentences_name_the_tile_with_the_most_attention(seed):
    random = np.random.default_rng(seed)
    corners = np.stack([np.arange(6) * 4, random.integers(0, 24, 6)], axis=1)
    boxes = np.concatenate([corners, corners + random.integers(6, 14, (6, 2))], axis=1)
    attention = random.dirichlet(np.ones(6))
    made = tiles_to_map(attention, boxes, (40, 40), QUERY)
    said = TemplateVerbalizer().verbalize(made)
    assert f"'tile {attention.argmax() + 1}'" in said.text.split(" matters most ")[0] or "most important region" in said.text
    shares = {claim.part: claim.value for claim in said.claims if claim.kind == "share" and claim.of == "absolute"}
    assert shares[(attention.argmax(),)] == pytest.approx(attention.max(), abs=0.006)
    assert check(said.claims, made)


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
        ({"names": "abcd"}, "list of names"),
        ({"tiles": [(0, 0, 4, 4)] * 2 + [(4, 0, 8, 4), (4, 4, 8, 8)]}, "tile 1 .* no pixel of its own"),
        ({"overlap": "max"}, "overlap is no argument"),
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
