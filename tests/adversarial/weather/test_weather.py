"""Images in the weather: values worked out by other libraries, every kind on every shape, and the questions about them."""

import colorsys
import io

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from adversarial import CallableClassifier, keypoint_mixture
from adversarial.streaming import as_image
from adversarial.weather import (
    STANDARD_KINDS,
    WEATHERS,
    Weather,
    ask_survival,
    ask_weather,
    survival_images,
    weather_images,
    weather_queries,
    weather_steps,
)
from saywhy_core.errors import UsageError

RNG = np.random.default_rng(0)
SMOOTH = scipy.ndimage.gaussian_filter(RNG.random((32, 40, 3)), (3, 3, 0)).astype(np.float32)
SMOOTH = (SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH)
SHAPES = [(1, 1, 1), (1, 1, 3), (1, 4, 3), (7, 2, 1), (5, 7, 2), (8, 6, 4), (6, 6, 6), (28, 28, 1), (48, 48, 3)]


def one(image, kind, severity, seed=0):
    ((_, _, value, made),) = weather_images(image, [kind], [severity], seed=seed)
    return value, made


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", list(WEATHERS))
def test_every_kind_takes_every_shape(kind, shape):
    image = np.random.default_rng(1).random(shape, dtype=np.float32)
    before = image.copy()
    for levels in (None, 256, 2):
        made = weather_images(image, [kind], (1, 2, 3, 4, 5), seed=3, levels=levels)
        assert [one.severity for one in made] == [1, 2, 3, 4, 5]
        again = weather_images(image, [kind], [4], seed=3, levels=levels)
        np.testing.assert_array_equal(made[3].image, again[0].image)
        for one in made:
            assert one.kind == kind
            assert one.value == WEATHERS.get(kind).values[one.severity - 1]
            assert one.image.shape == shape
            assert one.image.dtype == np.float32
            assert one.image.min() >= 0
            assert one.image.max() <= 1
            if levels:
                np.testing.assert_array_equal(one.image, (np.rint(one.image * (levels - 1)) / (levels - 1)).astype(np.float32))
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("kind", list(WEATHERS))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_kind_changes_a_picture_more_at_a_higher_severity(kind, channels):
    image = SMOOTH[..., :channels]
    off = [np.abs(made.image - image).mean() for made in weather_images(image, [kind], (1, 2, 3, 4, 5))]
    assert off[0] > 0
    assert off == sorted(off)


def test_a_batch_gets_the_weather_of_each_image():
    batch = np.stack([SMOOTH, SMOOTH[::-1]])
    made = weather_images(batch, severities=(2, 5), seed=1)
    assert len(made) == weather_queries(severities=(2, 5)) == 2 * len(STANDARD_KINDS)
    for row, image in enumerate(batch):
        for whole, alone in zip(made, weather_images(image, severities=(2, 5), seed=1), strict=True):
            assert whole[:3] == alone[:3]
            np.testing.assert_array_equal(whole.image[row], alone.image)


def test_chance_comes_from_the_seed_and_the_image():
    for kind in ("noise", "rotation", "shift", "scale", "patch"):
        made = {one(SMOOTH, kind, 3, seed)[1].tobytes() for seed in range(8)}
        assert len(made) > 1, kind
    flat = np.full((1, 8, 8, 1), 0.5, np.float32)
    noise = [one(image[0], "noise", 1)[1] - image[0] for image in (flat, flat + np.float32(0.1))]
    assert np.abs(noise[0] - noise[1]).max() > 0.01


def test_brightness_adds_to_the_value_of_hsv():
    for kind, sign in (("brightness", 1), ("darkness", -1)):
        value, made = one(SMOOTH, kind, 4)
        assert value == 0.2
        for row, column in ((0, 0), (5, 9), (31, 39), (17, 3)):
            hue, saturation, light = colorsys.rgb_to_hsv(*SMOOTH[row, column].tolist())
            expected = colorsys.hsv_to_rgb(hue, saturation, min(max(light + sign * 0.2, 0), 1))
            np.testing.assert_allclose(made[row, column], expected, atol=1e-5)
    grey = SMOOTH[..., :1]
    np.testing.assert_allclose(one(grey, "brightness", 5)[1], np.minimum(grey + 0.3, 1), atol=1e-6)


def test_contrast_shrinks_towards_the_mean_of_each_channel():
    image = np.array([[[0.0, 0.2]], [[1.0, 0.6]]], np.float32)  # means 0.5 and 0.4
    np.testing.assert_allclose(one(image, "contrast", 2)[1], [[[0.25, 0.3]], [[0.75, 0.5]]], atol=1e-6)


def test_blur_is_a_gaussian_of_a_share_of_the_shorter_side():
    value, made = one(SMOOTH, "blur", 5)
    assert value == 1 / 32  # one pixel of 32, as Hendrycks & Dietterich have it
    expected = scipy.ndimage.gaussian_filter(SMOOTH, (1, 1, 0), mode="mirror", truncate=4)
    np.testing.assert_allclose(made, expected, atol=1e-3)


def test_noise_has_the_stated_deviation_and_the_severities_share_it():
    flat = np.full((100, 100, 3), 0.5, np.float32)
    (_, _, weak, first), (_, _, strong, last) = weather_images(flat, ["noise"], (1, 5))
    assert (weak, strong) == (0.04, 0.1)
    assert (first - flat).std() == pytest.approx(0.04, rel=0.02)
    np.testing.assert_allclose((first - flat) / weak, (last - flat) / strong, atol=1e-5)


def test_jpeg_is_what_another_encoder_makes_of_it():
    value, made = one(SMOOTH, "jpeg", 5)
    assert value == 40
    picture = np.rint(SMOOTH * 255).astype(np.uint8)
    _, file = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 40])
    theirs = cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1] / 255
    assert np.abs(made - theirs).mean() < 2 / 255
    assert np.abs(made - SMOOTH).mean() > 2 / 255


def test_pixelate_averages_boxes():
    image = np.kron(RNG.random((4, 4)), np.ones((5, 5))).astype(np.float32)[..., None]  # 20 by 20
    _, made = one(image, "pixelate", 4)  # 15 by 15: each box is a third more than a pixel
    assert made[0, 0, 0] == pytest.approx(image[0, 0, 0], abs=1e-6)
    assert len(np.unique(made.round(5))) > 16


def test_rotation_is_the_stated_angle_one_way_or_the_other():
    value, made = one(SMOOTH, "rotation", 3)
    assert value == 10
    ways = [scipy.ndimage.rotate(SMOOTH, way * 10, reshape=False, order=1, mode="mirror") for way in (1, -1)]
    off = sorted(np.abs(made - way).mean() for way in ways)
    assert off[0] < 0.001
    assert off[1] > 0.01


def test_scale_is_the_stated_share_one_way_or_the_other():
    value, made = one(SMOOTH, "scale", 5)
    assert value == 0.3
    centre = (np.array(SMOOTH.shape[:2]) - 1) / 2
    off = []
    for factor in (1.3, 1 / 1.3):
        matrix = np.diag([1 / factor, 1 / factor])
        planes = [
            scipy.ndimage.affine_transform(plane, matrix, centre - matrix @ centre, order=1, mode="mirror")
            for plane in np.moveaxis(SMOOTH, -1, 0)
        ]
        off.append(np.abs(made - np.stack(planes, axis=-1)).mean())
    assert min(off) < 0.001
    assert max(off) > 0.01


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_shift_moves_whole_pixels(severity):
    value, made = one(SMOOTH, "shift", severity)
    rows, columns = max(1, round(value * 32)), max(1, round(value * 40))
    moved = [(up * rows, left * columns) for up in (1, -1) for left in (1, -1)]
    inside = (slice(rows, -rows), slice(columns, -columns))
    assert sum(np.array_equal(made[inside], np.roll(SMOOTH, way, (0, 1))[inside]) for way in moved) == 1


@pytest.mark.parametrize("kind", ["patch", "keypoint-patch"])
def test_a_patch_covers_its_share_of_the_area_in_grey(kind):
    value, made = one(SMOOTH, kind, 3)
    changed = (made != SMOOTH).any(axis=-1)
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    assert changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
    assert changed.sum() == changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].size
    assert changed.sum() == pytest.approx(value * changed.size, rel=0.1)
    assert (made[changed] == 0.5).all()


def test_the_patch_on_keypoints_hides_the_most_of_their_density():
    image = np.zeros((30, 30, 1), np.float32)
    image[18:26, 3:11] = RNG.random((8, 8, 1))  # all there is to see
    _, made = one(image, "keypoint-patch", 2)
    covered = (made == 0.5)[..., 0]
    density = keypoint_mixture(image).density
    side = round((0.02 * 900) ** 0.5)
    most = max(density[y : y + side, x : x + side].sum() for y in range(31 - side) for x in range(31 - side))
    assert density[covered].sum() == pytest.approx(most)
    assert covered[14:, :16].sum() == side * side


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_a_patch_stays_inside(height, width, seed):
    image = np.zeros((height, width, 1), np.float32)
    for made in weather_images(image, ["patch"], (1, 5), seed=seed):
        assert 1 <= (made.image == 0.5).sum() <= max(1, 2 * made.value * height * width)


def test_phrases():
    said = {name: weather.in_words(weather.values[2]) for name, weather in WEATHERS.usable()}
    assert said["rotation"] == "a rotation by 10 degrees"
    assert said["jpeg"] == "JPEG compression at quality 58"
    assert said["blur"] == "a blur over 2.188% of the shorter side"
    assert said["patch"] == "a grey patch over 4% of the area"
    assert all("{" not in words for words in said.values())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kinds": ["rain"]}, "there is no kind of weather 'rain'; use one of brightness, "),
        ({"kinds": ["blur", "blur"]}, "names 'blur' twice"),
        ({"kinds": []}, "must be a list of kinds"),
        ({"kinds": "blur"}, "must be a list of kinds"),
        ({"severities": [6]}, "from 1 to 5"),
        ({"severities": [True]}, "from 1 to 5"),
        ({"severities": []}, "from 1 to 5"),
        ({"severities": 3}, "from 1 to 5"),
        ({"severities": [1, 1]}, "from 1 to 5"),
        ({"seed": -1}, "must be a whole number of 0 or more, not -1"),
        ({"levels": 1}, "must be a whole number of 2 or more"),
        ({"image": np.zeros((4, 4))}, "must be an array"),
        ({"image": np.zeros((4, 4, 3), np.uint8)}, "divide by the largest"),
        ({"image": np.full((4, 4, 3), np.nan)}, "NaN or infinite"),
        ({"image": np.zeros((0, 4, 4, 3))}, "at least one image"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(UsageError, match=message):
        weather_images(**{"image": SMOOTH, **arguments})


def test_a_kind_of_ones_own(monkeypatch):
    monkeypatch.setattr(WEATHERS, "_loaded", dict(WEATHERS._loaded))
    values = (0.1, 0.2, 0.3, 0.4, 0.5)
    WEATHERS.register(
        "red-light",
        Weather(
            name="red-light",
            title="Red light",
            values=values,
            change=lambda image, value, draw: image + value,
            phrase="{value}",
        ),
    )
    np.testing.assert_allclose(one(SMOOTH, "red-light", 5)[1], np.minimum(SMOOTH + 0.5, 1), atol=1e-6)
    for number, broken in enumerate((lambda image, value, draw: image[1:], lambda image, value, draw: image * np.nan)):
        name = f"broken-{number}"
        WEATHERS.register(name, Weather(name=name, title="", values=values, change=broken, phrase=""))
        with pytest.raises(UsageError, match=f"the kind of weather '{name}' returned"):
            one(SMOOTH, name, 1)
    with pytest.raises(UsageError, match="needs 5 values"):
        Weather(name="a", title="A", values=(1.0,), change=lambda image, value, draw: image, phrase="a")
    with pytest.raises(UsageError, match="may name"):
        Weather(name="a", title="A", values=values, change=lambda image, value, draw: image, phrase="{other}")


# What is asked


def bright(images):
    """Two classes: class 1 where the mean is above a half."""
    mean = images.mean(axis=(1, 2, 3))
    return np.stack([np.full_like(mean, 0.5), mean], axis=1) * 10


def test_what_the_classifier_says_and_what_it_costs():
    image = np.full((10, 10, 1), 0.38, np.float32)
    classifier = CallableClassifier(bright, "logits")
    outcomes = ask_weather(classifier, image, 0, ["brightness", "contrast"], (1, 2, 3, 5))
    assert classifier.queries == 5  # a flat image without contrast is the same image, answered from memory
    assert [(one.kind, one.severity, one.value, one.flipped) for one in outcomes[:4]] == [
        ("brightness", 1, 0.05, False), ("brightness", 2, 0.1, False), ("brightness", 3, 0.15, True), ("brightness", 5, 0.3, True),
    ]  # fmt: skip
    assert not any(one.flipped for one in outcomes[4:])
    assert [one.predicted for one in outcomes[:4]] == [0, 0, 1, 1]
    assert outcomes[3].confidence == pytest.approx(1 / (1 + np.exp(-1.8)), abs=1e-4)  # 6.8 against 5


def test_large_images_are_asked_about_a_few_at_a_time():
    image = np.zeros((1500, 1000, 3), np.float32)  # 18 MB each
    steps, sizes = weather_steps(image, 1, ["contrast"], (1, 2, 3, 4)), []
    try:
        images = next(steps)
        while True:
            sizes.append(len(images))
            images = steps.send(np.zeros((len(images), 2)))
    except StopIteration as end:
        outcomes = end.value
    assert sizes == [3, 1]
    assert [one.severity for one in outcomes] == [1, 2, 3, 4]


# Findings that are saved and read back


def test_png_keeps_what_is_on_the_grid_and_rounds_the_rest():
    for channels in (1, 2, 3, 4, 6):
        picture = RNG.integers(0, 256, (9, 7, channels), dtype=np.uint8)
        saved = survival_images((picture / 255).astype(np.float32))
        np.testing.assert_array_equal(saved["png"], (picture / 255).astype(np.float32))
        assert saved["jpeg"].shape == picture.shape
        assert np.abs(saved["jpeg"] - saved["png"]).max() > 0
    off = np.full((4, 4, 3), 0.5021, np.float32)  # 128.04 of 255
    assert (survival_images(off)["png"] == np.float32(128 / 255)).all()


def test_jpeg_has_quality_90():
    picture = RNG.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    expected = np.asarray(Image.open(file)) / 255
    np.testing.assert_allclose(survival_images((picture / 255).astype(np.float32))["jpeg"], expected, atol=1e-6)
    on_sixteen = survival_images((picture / 255).astype(np.float32), levels=16)["jpeg"]
    np.testing.assert_allclose(on_sixteen, np.rint(expected * 15) / 15, atol=1e-6)


def test_a_finding_below_eight_bits_does_not_survive_and_one_pixel_does_as_png():
    def above(images):
        return np.stack([np.full(len(images), 0.5005), images[:, 0, 0, 0]], axis=1)

    found = np.full((16, 16, 3), 0.5, np.float32)
    found[0, 0] = 0.501  # 127.755, which PNG makes 128 / 255 = 0.50196
    classifier = CallableClassifier(above)
    assert ask_survival(classifier, found, 0) == {"png": True, "jpeg": True}
    found[0, 0] = 0.5006
    just = CallableClassifier(lambda images: np.stack([images[:, 0, 0, 0], np.full(len(images), 0.501)], axis=1))
    assert ask_survival(just, found, 0)["png"] is False  # 0.5006 lies below 0.501, and 128 / 255 above it
    assert just.queries == 1  # a flat image is the same in both files
    assert ask_survival(just, found, 1, target=0)["png"] is True


def test_one_red_pixel_in_grey_is_lost_in_jpeg():
    def red(images):
        return np.stack([np.full(len(images), 0.4), (images[..., 0] - images[..., 2]).max(axis=(1, 2))], axis=1)

    found = np.full((16, 16, 3), 0.5, np.float32)
    found[5, 5] = (1, 0.5, 0.5)  # JPEG keeps the colour of four pixels together
    classifier = CallableClassifier(red)
    assert ask_survival(classifier, found, 0) == {"png": True, "jpeg": False}
    assert classifier.queries == 2


@pytest.mark.parametrize(
    ("kind", "answer", "sure"),
    [
        ("sigmoid", lambda images: np.stack([np.full(len(images), 0.6), images.mean(axis=(1, 2, 3))], axis=1), 0.6),
        ("label", lambda images: (images.mean(axis=(1, 2, 3)) > 0.6).astype(int), None),
        ("top-k", lambda images: np.repeat([[0.6, 0.3, 0.0, 0.0]], len(images), axis=0), 0.6),
    ],
)
def test_classifiers_of_every_kind_are_asked(kind, answer, sure):
    classifier = CallableClassifier(answer, kind, ["dark", "bright"] if kind == "label" else None)
    first, second = ask_weather(classifier, np.full((10, 10, 1), 0.5, np.float32), 0, ["brightness"], (1, 5))
    assert (first.predicted, first.confidence, first.flipped) == (0, sure if sure is None else pytest.approx(sure), False)
    assert second.flipped is (kind != "top-k")  # it is 0.8 on average, more than 0.6


@pytest.mark.parametrize("wrong", [{"name": ""}, {"title": None}, {"phrase": None}, {"change": None}, {"name": 3}])
def test_a_kind_of_weather_without_a_part_is_refused(wrong):
    parts = {
        "name": "fog",
        "title": "Fog",
        "values": (1, 2, 3, 4, 5),
        "change": lambda image, value, draw: image,
        "phrase": "fog",
    }
    Weather(**parts)
    with pytest.raises(UsageError, match=f"needs a .*{next(iter(wrong))}"):
        Weather(**{**parts, **wrong})


@pytest.mark.parametrize("check", [CallableClassifier(lambda images: images.mean(axis=(1, 2)), scores="logits"), as_image])
@pytest.mark.parametrize(
    ("value", "said"), [(np.nan, "NaN or infinite"), (np.inf, "NaN or infinite"), (2.0, "divide by the largest")]
)
def test_what_is_wrong_with_the_values_of_an_image_is_said(check, value, said):
    image = np.full((4, 4, 3), 0.5, np.float32)
    image[0, 0, 0] = value
    with pytest.raises(UsageError, match=said):
        check(image if check is as_image else image[None])


@pytest.mark.parametrize("label", ["dark", 2, -1, True, None, 0.0])
def test_a_label_that_is_no_class_is_refused(label):
    classifier = CallableClassifier(lambda images: np.stack([images.mean((1, 2, 3)), np.full(len(images), 0.5)], axis=1))
    image = np.full((8, 8, 1), 0.5, np.float32)
    with pytest.raises(UsageError, match=r"label.* class"):
        ask_weather(classifier, image, label, ["brightness"])
    with pytest.raises(UsageError, match=r"label.* class"):
        ask_survival(classifier, image, label)
    if label is not None:
        with pytest.raises(UsageError, match=r"target.* class"):
            ask_survival(classifier, image, 0, label)
    assert ask_weather(classifier, image, np.int64(1), ["brightness"])


@pytest.mark.parametrize(
    "wrong",
    [{"values": (1, 2, 3, 4, float("nan"))}, {"values": "abcde"}, {"name": "a b"}, {"name": "a,b"}, {"phrase": "{percent"}],
    ids=str,
)
def test_a_kind_that_could_not_be_used_is_refused_when_it_is_made(wrong):
    right = {
        "name": "a",
        "title": "A",
        "change": lambda image, value, draw: image,
        "values": (1, 2, 3, 4, 5),
        "phrase": "{value}",
    }
    Weather(**right)
    with pytest.raises(UsageError, match=r"weather 'a' needs|no space and no comma|phrase of the weather"):
        Weather(**{**right, **wrong})
