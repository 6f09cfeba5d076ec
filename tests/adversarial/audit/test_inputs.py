"""A folder as people have it: pictures of every kind, and files that are none. Each has its row, and the others go on."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier
from adversarial.audit import Audit, AuditStore

pytestmark = pytest.mark.long  # a picture of 20 megapixels is among them
SIDE = 16
NAMES = ("dark", "bright")


def predict(images):
    """Bright where the mean of the picture is above 0.5."""
    mean = images.mean(axis=(1, 2, 3))
    return np.stack([1 - mean, mean], axis=1)


def classifier():
    return CallableClassifier(predict, "probabilities", NAMES, image_shape=(SIDE, SIDE, 3), identity="mean")


def encoded(image, **options):
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def textured(size=(20, 20), mode="RGB", seed=0):
    rng = np.random.default_rng(seed)
    values = rng.integers(20, 90, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values).convert(mode)


def rotated():
    """The left half is bright; the camera says that the picture is to be turned by 90 degrees, so the top half is."""
    values = np.zeros((40, 20, 3), dtype=np.uint8)
    values[:, :10] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(Image.fromarray(values), format="JPEG", quality=95, exif=exif)


WHOLE = encoded(textured(), format="PNG")
FRAMES = [textured(seed=number) for number in range(3)]
GOOD = {
    "cmyk.jpg": encoded(textured(mode="CMYK"), format="JPEG"),
    "deep.png": encoded(Image.fromarray(np.full((20, 20), 9000, dtype=np.uint16)), format="PNG"),
    "alpha.png": encoded(textured(mode="RGBA"), format="PNG"),
    "animated.gif": encoded(FRAMES[0], format="GIF", save_all=True, append_images=FRAMES[1:]),
    "tiny.png": encoded(Image.new("RGB", (1, 1), (30, 30, 30)), format="PNG"),
    "large.jpg": encoded(Image.new("RGB", (5000, 4000), (40, 40, 40)), format="JPEG"),
    "rotated.jpg": rotated(),
    "flat.bmp": encoded(Image.new("RGB", (20, 20), (60, 60, 60)), format="BMP"),
    "grey.png": encoded(textured(mode="L"), format="PNG"),
    "again.png": WHOLE,
    "again.bmp": encoded(textured(), format="BMP"),
    'it\'s named "so" <b>.png': WHOLE,
}
BAD = {
    "cut.png": WHOLE[: len(WHOLE) // 2],
    "text.jpg": b"this is no picture",
    "empty.png": b"",
    "page.png": b"<!doctype html><html></html>",
}


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "set" / "dark").mkdir(parents=True)
    (folder / "set" / "bright").mkdir()
    (folder / "set" / "no class").mkdir()
    for name, content in {**GOOD, **BAD}.items():
        (folder / "set" / "dark" / name).write_bytes(content)
    (folder / "set" / "bright" / "wrong.png").write_bytes(WHOLE)
    (folder / "set" / "no class" / "x.png").write_bytes(WHOLE)
    (folder / "set" / "dark" / "notes.txt").write_text("no image, and not taken for one")
    status = Audit(folder / "a").run(
        [folder / "set"], target=classifier(), resize="auto", distance="l2", budget=25, weather=(), survival=False
    )
    with AuditStore(folder / "a") as store:
        yield status, {record.path.rpartition("/")[2]: record for record in store.images()}, store


@pytest.mark.parametrize("name", GOOD)
def test_each_kind_of_picture_is_attacked(audited, name):
    _, records, store = audited
    record = records[name]
    assert record.status in ("found", "held"), record.error
    assert (record.height, record.width, record.channels) == (SIDE, SIDE, 3)
    assert 0 < record.search_queries <= 25
    assert store.arrays(record).original.shape == (SIDE, SIDE, 3)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_picture_fails_alone_with_a_reason(audited, name):
    _, records, _ = audited
    assert records[name].status == "failed"
    assert records[name].queries == 0
    assert len(records[name].error) > 10


def test_labels_that_are_no_class_and_images_that_are_wrong_are_told_apart(audited):
    status, records, _ = audited
    assert records["x.png"].status == "failed"
    assert "no class'" in records["x.png"].error
    assert records["wrong.png"].status == "wrong"
    assert "notes.txt" not in records
    assert status.counts["failed"] == len(BAD) + 1
    assert len({record.name for record in records.values()}) == len(records)


def test_a_picture_is_turned_as_the_camera_says(audited):
    _, records, store = audited
    original = store.arrays(records["rotated.jpg"]).original
    assert original[:6].mean() > 0.6 > 0.1 > original[-6:].mean()
