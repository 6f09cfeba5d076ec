"""Regions of pixel maps: the right pixels, the right sums, the right words."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from saywhy_core.errors import UsageError
from verbalize.claims import Claim, check
from verbalize.parts.regions import colour_in_words, find_regions, place_in_words
from verbalize.saliency import PixelSaliency, Query

QUERY = Query("cat")
METHODS = ("components", "superpixels")


def pixel_map(scores, **fields):
    return PixelSaliency(np.asarray(scores, dtype=float), QUERY, **fields)


def bump(shape, row, column, width):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * width**2))


def hostile_maps():
    rng = np.random.default_rng(3)
    rows, columns = np.mgrid[:96, :96]
    checks = {size: np.where((rows // size + columns // size) % 2, 1.0, -1.0) for size in (1, 2, 5, 32)}
    spikes = rng.standard_cauchy((96, 96)).clip(-40, 40) * (0.05 + bump((96, 96), 30, 60, 10))
    lone = np.zeros((96, 96))
    lone[80, 12] = -4.0
    return {
        "normal": rng.normal(size=(96, 96)),
        "uniform": rng.random((96, 96)),
        "spikes": spikes,
        "cam": bump((96, 96), 40, 40, 12),
        "level": 0.5 + bump((96, 96), 40, 40, 12),
        "lone": lone,
        "split": np.where(rows < 48, 1.0, -1.0),
        "diagonal": np.eye(96),
        "all negative": -bump((96, 96), 10, 80, 5),
        "constant": np.full((96, 96), 0.3),
        "tall": rng.normal(size=(200, 3)),
        "row": rng.normal(size=(1, 40)),
        "one": np.array([[2.0]]),
        "two": np.array([[1.0, -1.0]]),
        "subnormal": 1e-320 * bump((32, 32), 8, 8, 4),
        "huge": 1e305 * bump((32, 32), 8, 8, 4),
        **{f"checks of {size}": check for size, check in checks.items()},
    }


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", hostile_maps())
@pytest.mark.filterwarnings("error")
def test_any_map_gives_a_few_regions_with_true_sums_and_different_names(name, method):
    scores = hostile_maps()[name]
    image = np.random.default_rng(0).random((*scores.shape, 3)).astype(np.float32)
    regions = find_regions(pixel_map(scores, image=image), method=method)
    assert 1 <= len(regions) <= 5
    assert len({region.name for region in regions}) == len(regions)
    covered = np.zeros(scores.shape, dtype=int)
    for region in regions:
        inside = [float(value) for value in scores[region.mask]]
        assert region.positive == pytest.approx(sum(value for value in inside if value > 0))
        assert region.negative == pytest.approx(-sum(value for value in inside if value < 0))
        assert region.area == pytest.approx(len(inside) / scores.size)
        rows, columns = np.nonzero(region.mask)
        assert region.bbox == (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert region.centre == pytest.approx((rows.mean(), columns.mean()))
        assert region.place == place_in_words(region.mask, scores.shape)
        covered += region.mask
    assert covered.max() == 1
    strengths = [abs(region.score) for region in regions]
    assert strengths[0] == max(strengths)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=60, deadline=None)
@given(
    scores=arrays.arrays(
        np.float64,
        arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=12),
        elements=st.floats(-1e6, 1e6, allow_subnormal=False),
    )
)
def test_shares_stay_shares_on_any_small_map(method, scores):
    regions = find_regions(pixel_map(scores), method=method)
    assert bool(regions) == bool(scores.any())
    assert sum(region.positive_share for region in regions) <= 1 + 1e-9
    assert sum(region.negative_share for region in regions) <= 1 + 1e-9
    assert find_regions(pixel_map(scores), method=method) is not None
    for region in regions:
        assert region.sign == np.sign(region.positive - region.negative)


def test_two_clean_patches_are_found_to_the_pixel():
    scores = np.zeros((224, 224))
    scores[20:60, 20:60], scores[150:200, 150:210] = 1.0, -2.0
    against, for_it = find_regions(pixel_map(scores))
    np.testing.assert_array_equal(against.mask, scores < 0)
    np.testing.assert_array_equal(for_it.mask, scores > 0)
    assert (for_it.positive, for_it.negative, against.positive, against.negative) == (1600.0, 0.0, 0.0, 6000.0)
    assert (for_it.positive_share, against.negative_share) == (1.0, 1.0)
    assert (for_it.sign, against.sign, for_it.mean, against.mean) == (1, -1, 1.0, -2.0)
    assert (for_it.name, against.name) == ("region at the upper left", "region at the lower right")
    assert for_it.bbox == (20, 20, 60, 60)
    assert for_it.centre == (39.5, 39.5)
    assert for_it.colour is None


def test_a_smooth_map_keeps_the_fewest_pixels_that_hold_the_mass():
    scores = bump((100, 120), 30, 40, 9)
    (region,) = find_regions(pixel_map(scores, signed=False), mass=0.6)
    fewest = int(np.searchsorted(np.cumsum(np.sort(scores.ravel())[::-1]), 0.6 * scores.sum())) + 1
    assert 0.6 <= region.positive_share < 0.61
    assert fewest <= np.count_nonzero(region.mask) <= fewest + 8  # symmetric ties
    assert scores[region.mask].min() > scores[~region.mask].max()


def test_more_mass_keeps_more():
    saliency = pixel_map(bump((64, 64), 20, 20, 6))
    areas = [find_regions(saliency, mass=mass)[0].area for mass in (0.2, 0.5, 0.9)]
    assert areas == sorted(areas)
    assert areas[0] < areas[-1]


def test_a_level_background_is_not_part_of_what_stands_out():
    scores = np.ones((60, 60))
    scores[5:25, 30:50] = 2.0
    (region,) = find_regions(pixel_map(scores))
    np.testing.assert_array_equal(region.mask, scores == 2.0)
    assert region.positive_share == pytest.approx(800 / (3200 + 800))


def test_a_lone_pixel_is_a_region_of_one_pixel():
    scores = np.zeros((224, 224))
    scores[30, 40] = 0.25
    (region,) = find_regions(pixel_map(scores))
    assert np.argwhere(region.mask).tolist() == [[30, 40]]
    assert region.positive == 0.25


@pytest.mark.parametrize("seed", range(5))
def test_noise_over_two_blobs_gives_the_two_blobs(seed):
    rng = np.random.default_rng(seed)
    clean = 2 * bump((224, 224), 60, 60, 15) - 2 * bump((224, 224), 180, 180, 15)
    noisy = clean + rng.normal(size=clean.shape)
    regions = find_regions(pixel_map(noisy))
    top = {region.sign: region for region in reversed(regions)}
    assert ndimage.center_of_mass(top[1].mask) == pytest.approx((60, 60), abs=12)
    assert ndimage.center_of_mass(top[-1].mask) == pytest.approx((180, 180), abs=12)
    assert top[1].mask[60, 60]
    assert top[-1].mask[180, 180]


def test_the_weaker_sign_keeps_a_place():
    scores = sum(bump((224, 224), row, column, 8) for row in (40, 112, 184) for column in (40, 112, 184))
    scores = scores - 0.5 * bump((224, 224), 76, 76, 8)
    regions = find_regions(pixel_map(scores), max_regions=3)
    assert [region.sign for region in regions] == [1, 1, -1]


def test_where_everything_cancels_the_region_is_the_whole_picture():
    rows, columns = np.mgrid[:64, :64]
    (region,) = find_regions(pixel_map(np.where((rows + columns) % 2, 1.0, -1.0)))
    assert (region.name, region.sign, region.area) == ("whole picture", 0, 1.0)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (4, 4)])
def test_nothing_to_say_gives_no_region(shape):
    for method in METHODS:
        assert find_regions(pixel_map(np.zeros(shape)), method=method) == ()


def test_masks_are_the_regions_in_their_order_and_may_overlap():
    masks = np.zeros((4, 10, 10), dtype=bool)
    masks[0, :5], masks[1, 3:8], masks[2, :, 0] = True, True, True
    scores = np.arange(100.0).reshape(10, 10) - 50
    regions = find_regions(pixel_map(scores, masks=masks, mask_names=("sky", "hill", "sky", "nobody")))
    assert [region.name for region in regions] == ["sky 1", "hill", "sky 2", "nobody"]
    assert [region.score for region in regions] == pytest.approx([scores[mask].sum() for mask in masks])
    assert regions[1].mean == pytest.approx(scores[3:8].mean())
    assert regions[0].negative_share == pytest.approx(sum(range(1, 51)) / sum(range(1, 51)))
    assert (regions[3].mean, regions[3].area, regions[3].bbox, regions[3].place) == (0.0, 0.0, (0, 0, 0, 0), "nowhere")


def test_numbers_given_to_equal_mask_names_never_clash_with_another_name():
    masks = np.ones((3, 2, 2), dtype=bool)
    regions = find_regions(pixel_map(np.ones((2, 2)), masks=masks, mask_names=("car", "car", "car 1")))
    assert len({region.name for region in regions}) == 3
    assert regions[2].name == "car 1"


def test_regions_alike_are_told_apart():
    scores = np.zeros((200, 200))
    scores[5:15, 5:15] = scores[30:60, 30:60] = 1.0
    assert [region.name for region in find_regions(pixel_map(scores))] == [
        "larger region at the upper left",
        "smaller region at the upper left",
    ]
    scores = np.zeros((200, 200))
    for row, column in ((40, 5), (5, 40), (5, 5), (40, 40)):
        scores[row : row + 10, column : column + 10] = 1.0
    by_name = {region.name: region.bbox[:2] for region in find_regions(pixel_map(scores))}
    assert by_name["first region at the upper left"] == (5, 5)
    assert by_name["fourth region at the upper left"] == (40, 40)


def test_regions_carry_the_colour_of_the_picture_below():
    image = np.full((60, 60, 3), 255, dtype=np.uint8)
    image[:20, :20] = (200, 16, 32)
    image[40:, 40:, :] = (10, 60, 200)
    scores = np.zeros((60, 60))
    scores[2:18, 2:18], scores[42:58, 42:58], scores[40:58, 3:15] = 3.0, 2.0, -1.0
    names = [region.name for region in find_regions(pixel_map(scores, image=image))]
    assert names == ["red region at the upper left", "blue region at the lower right", "white region at the lower left"]
    stripes = np.zeros((60, 60, 3), dtype=np.uint8)
    for shift, colour in enumerate([(255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 0)]):
        stripes[shift::4] = colour
    assert find_regions(pixel_map(scores, image=stripes))[0].colour == "many-coloured"


def test_grey_pictures_have_grey_colours():
    regions = find_regions(pixel_map(np.eye(8), image=np.full((8, 8), 128, dtype=np.uint8)))
    assert {region.colour for region in regions} == {"grey"}


def test_superpixels_follow_the_picture():
    image = np.zeros((90, 90, 3), dtype=np.uint8)
    image[30:60, 30:60] = (255, 255, 0)
    scores = np.zeros((90, 90))
    scores[27:57, 27:57] = 1.0  # as a coarse CAM has it: off by a few pixels
    (region,) = find_regions(pixel_map(scores, image=image), method="superpixels", mass=0.6)
    square = image[:, :, 0] > 0
    spilt = np.count_nonzero(region.mask & ~square) / np.count_nonzero(region.mask)
    assert spilt < 0.02
    (alone,) = find_regions(pixel_map(scores, image=image), mass=0.6)
    assert np.count_nonzero(alone.mask & ~square) / np.count_nonzero(alone.mask) > 0.1
    assert region.name == "yellow region in the centre"


def test_claims_are_held_against_these_regions():
    scores = np.zeros((60, 60))
    scores[5:20, 5:20], scores[40:55, 40:55] = 1.0, -0.5
    report = check(
        [Claim("supports", (0,)), Claim("opposes", (1,)), Claim("share", (0,), value=1.0), Claim("supports", (1,))],
        pixel_map(scores),
    )
    assert [error.kind for error in report.errors] == ["wrong sign"]


def test_the_same_map_is_cut_once_and_its_masks_are_read_only():
    saliency = pixel_map(bump((30, 30), 10, 10, 4))
    regions = find_regions(saliency)
    assert find_regions(saliency) is regions
    with pytest.raises(ValueError, match="read-only"):
        regions[0].mask[0, 0] = True


@pytest.mark.parametrize(
    ("options", "message"),
    [({"mass": 0.0}, "mass"), ({"mass": 1.5}, "mass"), ({"mass": float("nan")}, "mass"), ({"max_regions": 0}, "max_regions"),
     ({"method": "magic"}, "components, superpixels")],
)  # fmt: skip
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        find_regions(pixel_map(np.eye(4)), **options)


def test_a_picture_of_the_usual_size_is_cut_in_well_under_a_tenth_of_a_second():
    rng = np.random.default_rng(1)
    image = rng.random((224, 224, 3)).astype(np.float32)
    find_regions(pixel_map(np.eye(8), image=image[:8, :8]))  # the colour table is made once
    start = time.thread_time()
    for _ in range(5):
        find_regions(pixel_map(rng.normal(size=(224, 224)), image=image))
    assert (time.thread_time() - start) / 5 < 0.1


GRID = [["upper left", "top", "upper right"], ["left", "centre", "right"], ["lower left", "bottom", "lower right"]]


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("column", range(3))
def test_the_ninths_of_a_picture(row, column):
    mask = np.zeros((90, 60), dtype=bool)
    mask[30 * row + 10 : 30 * row + 20, 20 * column + 5 : 20 * column + 15] = True
    box = (30 * row + 10, 20 * column + 5, 30 * row + 20, 20 * column + 15)
    assert place_in_words(mask, mask.shape) == place_in_words(box, mask.shape) == GRID[row][column]


@pytest.mark.parametrize(
    ("box", "place"),
    [
        ((0, 0, 50, 100), "upper half"), ((50, 0, 100, 100), "lower half"), ((0, 0, 100, 50), "left half"),
        ((0, 50, 100, 100), "right half"), ((0, 0, 100, 100), "whole picture"), ((4, 4, 96, 96), "whole picture"),
        ((0, 0, 100, 20), "left"), ((90, 0, 100, 100), "bottom"), ((45, 0, 55, 100), "centre"), ((7, 7, 7, 9), "nowhere"),
        ((120, 0, 130, 10), "nowhere"),
    ],
)  # fmt: skip
def test_places_of_boxes_and_of_the_same_masks(box, place):
    mask = np.zeros((100, 100), dtype=bool)
    mask[box[0] : box[2], box[1] : box[3]] = True
    assert place_in_words(box, (100, 100)) == place
    assert place_in_words(mask, (100, 100)) == place


def test_a_frame_lies_across_the_picture_and_halves_of_odd_sizes_are_halves():
    frame = np.ones((50, 50), dtype=bool)
    frame[3:-3, 3:-3] = False
    assert place_in_words(frame, frame.shape) == "across the picture"
    left = np.zeros((5, 7), dtype=bool)
    left[:, :4] = True
    assert place_in_words(left, left.shape) == "left half"


@pytest.mark.parametrize(
    ("part", "shape"),
    [(np.ones((3, 3)), (4, 4)), ((1, 2, 3), (4, 4)), ((3, 0, 1, 2), (4, 4)), ((0, 0, float("nan"), 2), (4, 4))],
)
def test_places_of_what_is_no_part_are_refused(part, shape):
    with pytest.raises(UsageError):
        place_in_words(part, shape)


@pytest.mark.parametrize(
    ("rgb", "word"),
    [
        ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((128, 128, 128), "grey"), ((90, 92, 95), "grey"),
        ((255, 0, 0), "red"), ((139, 0, 0), "red"), ((200, 30, 45), "red"), ((172, 35, 41), "red"), ((230, 230, 225), "white"), ((40, 42, 42), "black"), ((255, 165, 0), "orange"), ((243, 134, 48), "orange"),
        ((255, 255, 0), "yellow"), ((250, 220, 60), "yellow"), ((0, 128, 0), "green"), ((20, 70, 30), "green"),
        ((0, 0, 255), "blue"), ((30, 60, 130), "blue"), ((135, 206, 235), "blue"), ((128, 0, 128), "purple"),
        ((255, 192, 203), "pink"), ((255, 20, 147), "pink"), ((139, 69, 19), "brown"), ((101, 67, 33), "brown"),
        ((64, 224, 208), "turquoise"),
    ],
)  # fmt: skip
def test_known_colours(rgb, word):
    assert colour_in_words(rgb) == word
    assert colour_in_words(np.array(rgb, dtype=np.uint8)) == word
    assert colour_in_words([channel / 255 for channel in rgb]) == word


def test_greys_of_one_channel():
    assert [colour_in_words(np.uint8(value)) for value in (0, 128, 255)] == ["black", "grey", "white"]


def test_most_names_that_people_gave_agree():
    """The XKCD survey's compound names ("dark olive green") end in a basic term; boundary colours will always differ."""
    from matplotlib.colors import XKCD_COLORS, to_rgb

    terms = {"black", "white", "grey", "red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "turquoise"}
    named = [(name.removeprefix("xkcd:").split()[-1], to_rgb(code)) for name, code in XKCD_COLORS.items() if "/" not in name]
    named = [(word, rgb) for word, rgb in named if word in terms]
    agree = sum(colour_in_words(rgb) == word for word, rgb in named)
    assert len(named) > 400
    assert agree >= 0.8 * len(named)


@pytest.mark.parametrize("rgb", [(1, 2), (0.5, 1.5, 0.2), (-1, 0, 0), (300, 0, 0), (float("nan"), 0.0, 0.0)])
def test_what_is_no_colour_is_refused(rgb):
    with pytest.raises(UsageError, match="colour"):
        colour_in_words(rgb)
