"""The image policy, kind of file by kind of file, and at every door through which a picture comes in.

Expected arrays are worked out by hand from the values that went into each file.
"""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from saywhy_core.images import ImageSet, image_batches, read_image, read_images

RNG = np.random.default_rng(8)
GREY = RNG.integers(0, 256, (4, 6), dtype=np.uint8)
RGB = RNG.integers(0, 256, (4, 6, 3), dtype=np.uint8)
ALPHA = RNG.integers(0, 256, (4, 6), dtype=np.uint8)
GREY16 = RNG.integers(0, 65536, (4, 6), dtype=np.uint16)
GREY16[0, 0] = 40_000
RGB16 = RNG.integers(0, 65536, (4, 6, 3), dtype=np.uint16)
ALPHA16 = RNG.integers(0, 65536, (4, 6), dtype=np.uint16)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png16(values, colour_type, exif=None):
    """A PNG of 16 bits per channel, made by hand: neither Pillow nor OpenCV writes all of them."""
    rows = values.reshape(values.shape[0], -1).astype(">u2")
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour_type, 0, 0, 0))
    turned = b"" if exif is None else chunk(b"eXIf", exif.tobytes()[6:])
    data = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows)))
    return b"\x89PNG\r\n\x1a\n" + header + turned + data + chunk(b"IEND", b"")


def tiff16(values, orientation=1, order="<"):
    """An uncompressed TIFF of 16-bit RGB, made by hand."""
    height, width, _ = values.shape
    tags = [(256, 3, width), (257, 3, height), (258, 3, None), (259, 3, 1), (262, 3, 2), (273, 4, None), (274, 3, orientation),
            (277, 3, 3), (278, 3, height), (279, 4, values.nbytes)]  # fmt: skip
    end = 8 + 2 + 12 * len(tags) + 4
    out = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, len(tags))
    for tag, kind, value in tags:
        if value is None:
            entry = struct.pack(f"{order}HHII", tag, kind, 3 if tag == 258 else 1, end if tag == 258 else end + 6)
        else:
            entry = struct.pack(f"{order}HHI", tag, kind, 1) + struct.pack(
                f"{order}{'HH' if kind == 3 else 'I'}", *((value, 0) if kind == 3 else (value,))
            )
        out += entry
    return out + struct.pack(f"{order}I3H", 0, 16, 16, 16) + values.astype(f"{order}u2").tobytes()


def saved(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def palette(transparency=None):
    image = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6))
    image = image.convert("P")
    image.putpalette(RGB.reshape(-1).tolist())
    return saved(image, "PNG", **({} if transparency is None else {"transparency": transparency}))


def unit(values, top=255):
    values = values[:, :, None] if values.ndim == 2 else values
    return (values.astype(np.float64) / top).astype(np.float32)


def cmyk():
    """Values of ink, and the colour that they leave: (1 - ink) (1 - black)."""
    ink = RNG.integers(0, 256, (4, 6, 4), dtype=np.uint8)
    light = 1 - ink.astype(np.float64) / 255
    return Image.fromarray(ink, "CMYK"), (light[:, :, :3] * light[:, :, 3:]).astype(np.float32)


CMYK, CMYK_LIGHT = cmyk()
FLOATS = RNG.random((4, 6), dtype=np.float32)

RGB10 = RNG.integers(256, 1024, (4, 6, 3), dtype=np.uint16)
# CIE's L* of 0 to 100 in 255 steps, a* and b* signed; black, white, and the grey of 50% lightness, which is 119 in sRGB.
LAB = Image.fromarray(np.array([[[0, 0, 0], [255, 0, 0], [128, 0, 0]]], np.uint8), "LAB")

# What the orientation tag means, in the words of the EXIF standard: where row 0 and column 0 of the stored pixels belong.
ROW_AND_COLUMN = {1: "top left", 2: "top right", 3: "bottom right", 4: "bottom left", 5: "left top", 6: "right top", 7: "right bottom", 8: "left bottom"}  # fmt: skip


def shown(stored, orientation):
    """The picture that a viewer shows, placed pixel by pixel as the standard's words say."""
    row_side, column_side = ROW_AND_COLUMN[orientation].split()
    height, width = stored.shape[:2]
    upright = np.zeros(((height, width) if row_side in ("top", "bottom") else (width, height)) + stored.shape[2:], stored.dtype)
    for y in range(height):
        for x in range(width):
            at = {row_side: y, column_side: x}
            row = at["top"] if "top" in at else upright.shape[0] - 1 - at["bottom"]
            column = at["left"] if "left" in at else upright.shape[1] - 1 - at["right"]
            upright[row, column] = stored[y, x]
    return upright


# name -> (file name, content, the array it must give)
FILES = {
    "8-bit RGB": ("a.png", saved(Image.fromarray(RGB), "PNG"), unit(RGB)),
    "8-bit grey": ("a.png", saved(Image.fromarray(GREY), "PNG"), unit(GREY)),
    "1 bit": ("a.png", saved(Image.fromarray(GREY > 99), "PNG"), unit(GREY > 99, 1)),
    "RGBA": ("a.png", saved(Image.fromarray(np.dstack([RGB, ALPHA])), "PNG"), unit(RGB)),
    "grey and alpha": ("a.png", saved(Image.fromarray(np.dstack([GREY, ALPHA])), "PNG"), unit(GREY)),
    "palette": ("a.png", palette(), unit(RGB)),
    "palette with a transparent colour": ("a.png", palette(3), unit(RGB)),
    "palette with an alpha for each colour": ("a.png", palette(bytes(range(24))), unit(RGB)),
    "16-bit grey PNG": ("a.png", saved(Image.fromarray(GREY16), "PNG"), unit(GREY16, 65535)),
    "16-bit grey TIFF": ("a.tif", saved(Image.fromarray(GREY16), "TIFF"), unit(GREY16, 65535)),
    "16-bit grey TIFF, big end first": ("a.tif", saved(Image.frombytes("I;16B", (6, 4), GREY16.astype(">u2").tobytes()), "TIFF"), unit(GREY16, 65535)),
    "16-bit grey PGM": ("a.pgm", b"P5 6 4 65535\n" + GREY16.astype(">u2").tobytes(), unit(GREY16, 65535)),
    "16-bit RGB PNG": ("a.png", png16(RGB16, 2), unit(RGB16, 65535)),
    "16-bit RGBA PNG": ("a.png", png16(np.dstack([RGB16, ALPHA16]), 6), unit(RGB16, 65535)),
    "16-bit grey and alpha PNG": ("a.png", png16(np.dstack([GREY16, ALPHA16]), 4), unit(GREY16, 65535)),
    "16-bit RGB TIFF": ("a.tif", tiff16(RGB16), unit(RGB16, 65535)),
    "16-bit RGB TIFF, big end first": ("a.tif", tiff16(RGB16, order=">"), unit(RGB16, 65535)),
    "16-bit RGB TIFF, compressed": ("a.tif", cv2.imencode(".tif", RGB16[:, :, ::-1])[1].tobytes(), unit(RGB16, 65535)),
    "16-bit PPM": ("a.ppm", b"P6 6 4 65535\n" + RGB16.astype(">u2").tobytes(), unit(RGB16, 65535)),
    "float TIFF": ("a.tif", saved(Image.fromarray(FLOATS), "TIFF"), FLOATS[:, :, None]),
    "CMYK TIFF": ("a.tif", saved(CMYK, "TIFF"), CMYK_LIGHT),
    "animated GIF": ("a.gif", saved(Image.fromarray(GREY), "GIF", save_all=True, append_images=[Image.fromarray(255 - GREY)]), unit(np.dstack([GREY] * 3))),
    "animated PNG": ("a.png", saved(Image.fromarray(RGB), "PNG", save_all=True, append_images=[Image.fromarray(255 - RGB)]), unit(RGB)),
    "several pages": ("a.tif", saved(Image.fromarray(RGB), "TIFF", save_all=True, append_images=[Image.fromarray(255 - RGB)]), unit(RGB)),
    "1x1": ("a.png", saved(Image.fromarray(RGB[:1, :1]), "PNG"), unit(RGB[:1, :1])),
    "1x1 grey": ("a.png", saved(Image.fromarray(GREY[:1, :1]), "PNG"), unit(GREY[:1, :1])),
    **{f"EXIF {n}": ("a.png", saved(Image.fromarray(RGB), "PNG", exif=turned(n)), unit(shown(RGB, n))) for n in range(1, 9)},
    **{f"EXIF {n}, TIFF": ("a.tif", saved(Image.fromarray(RGB), "TIFF", exif=turned(n)), unit(shown(RGB, n))) for n in (3, 6)},
    **{f"EXIF {n}, grey TIFF": ("a.tif", saved(Image.fromarray(GREY), "TIFF", exif=turned(n)), unit(shown(GREY, n))) for n in range(5, 9)},
    "EXIF 6, 16-bit grey TIFF": ("a.tif", saved(Image.fromarray(GREY16), "TIFF", exif=turned(6)), unit(shown(GREY16, 6), 65535)),
    "EXIF 8, RGBA TIFF": ("a.tif", saved(Image.fromarray(np.dstack([RGB, ALPHA])), "TIFF", exif=turned(8)), unit(shown(RGB, 8))),
    "CMYK TIFF, EXIF 5": ("a.tif", saved(CMYK, "TIFF", exif=turned(5)), shown(CMYK_LIGHT, 5)),
    "16-bit grey TIFF, white is zero": ("a.tif", saved(Image.fromarray(GREY16), "TIFF", tiffinfo={262: 0}), unit(65535 - GREY16, 65535)),
    "PPM of 10 bits, 16 stored": ("a.ppm", b"P6 6 4 1023\n" + RGB10.astype(">u2").tobytes(), unit(RGB10, 1023)),
    "PPM of 10 bits, 16 stored as text": ("a.ppm", b"P3 6 4 1023\n" + b" ".join(b"%d" % v for v in RGB10.ravel().tolist()), unit(RGB10, 1023)),
    "Lab TIFF": ("a.tif", saved(LAB, "TIFF"), np.repeat(np.array([[0, 1, 119 / 255]], np.float32)[:, :, None], 3, axis=2)),
    **{f"EXIF {n}, 16 bits": ("a.png", png16(RGB16, 2, turned(n)), unit(shown(RGB16, n), 65535)) for n in (3, 6, 7)},
    **{f"EXIF {n}, 16-bit TIFF": ("a.tif", tiff16(RGB16, n), unit(shown(RGB16, n), 65535)) for n in (2, 5, 6, 8)},
}  # fmt: skip
CUT_BY_PILLOW = {name for name in FILES if "16" in name and "grey" not in name} | {"16-bit grey and alpha PNG"}


@pytest.fixture(params=FILES)
def stored(request, tmp_path):
    """The path of a file, the array it must give, and the name of its kind."""
    name, content, expected = FILES[request.param]
    (tmp_path / name).write_bytes(content)
    return tmp_path / name, expected, request.param


def as_rgb(expected):
    return np.repeat(expected, 3, axis=2) if expected.shape[2] == 1 else expected


def test_the_policy(stored):
    path, expected, name = stored
    atol = 1.5 / 255 if name.startswith(("CMYK", "Lab")) else 1e-7  # Pillow multiplies ink in whole numbers
    for source in (path, str(path)):
        found = read_image(source)
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
    np.testing.assert_allclose(read_image(path, channels=3), as_rgb(expected), rtol=0, atol=atol)
    grey = expected if expected.shape[2] == 1 else (expected * [0.299, 0.587, 0.114]).sum(axis=2, keepdims=True)
    np.testing.assert_allclose(read_image(path, channels=1), grey, rtol=0, atol=atol + 1e-7)


def test_a_pillow_image_is_read_as_its_file_is(stored):
    path, expected, name = stored
    # Pillow itself keeps 8 bits of 16-bit colour; nothing that comes after it can bring the others back.
    atol = 1 / 255 if name in CUT_BY_PILLOW else 1.5 / 255 if name.startswith(("CMYK", "Lab")) else 1e-7
    if name == "16-bit grey and alpha PNG":
        expected = as_rgb(expected)  # which Pillow opens as RGBA
    with Image.open(path) as opened:
        np.testing.assert_allclose(read_image(opened), expected, rtol=0, atol=atol)
        np.testing.assert_allclose(read_image(opened), expected, rtol=0, atol=atol)  # and a second time, when it is loaded


class Letters:
    """A text encoder for ConSE: anything of length 1."""

    def encode_texts(self, texts):
        return np.eye(2, dtype=np.float32)[[index % 2 for index in range(len(texts))]]


def test_every_door_gives_the_same_array(stored):
    torch = pytest.importorskip("torch")
    from adversarial.audit import gather_images, read_prior
    from agents import ConvexSemanticEncoder
    from agents.encoders import encode_image_files
    from verbalize import PixelSaliency, Query, read_saliency
    from verbalize.attribution import attribute_pixels

    path, _, _ = stored
    own, rgb = read_image(path), read_image(path, channels=3)
    np.save(path.with_suffix(".npy"), own)
    np.testing.assert_array_equal(read_image(path.with_suffix(".npy")), own)
    np.testing.assert_array_equal(read_image(own), own)
    (found,) = read_images([path], channels=3)
    np.testing.assert_array_equal(found.pixels, rgb)
    for channels in (None, 1, 3):  # the attack command
        (gathered,), problems = gather_images([path], shape=(None, None, channels))
        assert not problems
        np.testing.assert_array_equal(gathered.pixels, read_image(path, channels=channels))
    np.testing.assert_array_equal(read_prior(path, seed=0).values, read_image(path, channels=1)[:, :, 0])  # the map of a prior

    seen = []
    encoder = ConvexSemanticEncoder(lambda images: seen.append(images) or np.full((len(images), 2), 0.5), "ab", Letters())
    encoder.encode_images([path, str(path)])
    encoder.encode_images(ImageSet((path,), None).paths)
    encode_image_files(encoder, path)  # describe, classify, improve
    for batch in seen:
        for image in batch:
            np.testing.assert_array_equal(image, rgb)
    (batch,) = image_batches([path], 4)  # CLIP
    np.testing.assert_array_equal(batch[0], rgb)

    np.save(path.with_name("map.npy"), np.ones(own.shape[:2]))
    (told,) = read_saliency(path.with_name("map.npy"), label="stop", image=path)  # the picture of a map
    np.testing.assert_array_equal(told.image, rgb)
    np.testing.assert_array_equal(PixelSaliency(np.ones(own.shape[:2]), Query("stop"), image=own).image, own)

    mean = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(own.shape[2], 2)).eval()
    why = attribute_pixels(mean, path, class_names=["a", "b"], method="input_x_gradient")
    np.testing.assert_array_equal(why.image, own)


@pytest.mark.parametrize("name", [name for name, (_, _, expected) in FILES.items() if expected.shape[2] == 1])
def test_grey_pictures_are_maps_by_their_grey_levels(tmp_path, name):
    from verbalize import read_saliency

    file, content, expected = FILES[name]
    file = file.replace("pgm", "png").replace("gif", "png")  # Pillow looks at the content, maps at the ending
    (tmp_path / file).write_bytes(content)
    (found,) = read_saliency(tmp_path / file, label="stop")
    np.testing.assert_allclose(found.scores, expected[:, :, 0], atol=1e-7)


def test_forty_thousand_of_sixteen_bits_is_the_same_everywhere(tmp_path):
    Image.fromarray(np.full((2, 2), 40_000, np.uint16)).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), 40_000 / 65_535, atol=1e-7)
    np.testing.assert_allclose(read_image(np.full((2, 2), 40_000, np.uint16)), 40_000 / 65_535, atol=1e-7)


def test_adobes_upside_down_cmyk_is_put_right(tmp_path):
    """Adobe's JPEG files hold 255 - ink; Pillow writes and marks them the same way."""
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[:, :, 1] = 255  # magenta takes away the green
    Image.fromarray(ink, "CMYK").save(tmp_path / "a.jpg", quality=100, subsampling=0)
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    np.testing.assert_allclose(read_image(tmp_path / "a.jpg"), np.broadcast_to([1.0, 0, 1], (16, 16, 3)), atol=0.02)


def test_what_lies_under_full_transparency_is_kept():
    """Transparency is dropped, not painted over white or black."""
    clear = np.zeros((3, 3, 4), np.uint8)
    clear[:, :, 0] = 200
    np.testing.assert_allclose(read_image(Image.fromarray(clear)), unit(clear[:, :, :3]))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.array([[0, 255]], np.uint8), [[0, 1]]),
        (np.array([[0, 51]], np.int64), [[0, 0.2]]),
        (np.array([[0, 65535]], np.uint16), [[0, 1]]),
        (np.array([[0, 13107]], ">u2"), [[0, 0.2]]),
        (np.array([[0, 51]], ">i2"), [[0, 0.2]]),
        (np.array([[0, 51]], ">u4"), [[0, 0.2]]),
        (np.array([[0, 0.25]], ">f4"), [[0, 0.25]]),
        (np.array([[False, True]]), [[0, 1]]),
        (np.array([[0.0, 0.25]]), [[0, 0.25]]),
        (np.array([[-1e-7, 1 + 1e-7]], np.float32), [[0, 1]]),
        ([[0.5, 0.25]], [[0.5, 0.25]]),
    ],
)
def test_arrays(array, expected):
    found = read_image(array)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, :, 0], expected, atol=1e-7)
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((2, 2), 1.5), "from 1.5 to 1.5"),
        (np.full((2, 2), -0.5), "from -0.5"),
        (np.full((2, 2), 256), "to 256"),
        (np.full((2, 2), np.nan), "NaN"),
        (np.full((2, 2), 255, np.uint16), "black in 16 bits"),
        (np.full((2, 2), 255, ">u2"), "black in 16 bits"),
        (np.full((2, 2), 256, np.int16), "to 256"),
        (np.zeros((2, 0)), "array of numbers"),
        (np.zeros((2, 2, 3, 1)), "height, width, channels"),
        (np.array([["a"]]), "array of numbers"),
        (np.zeros((2, 2), complex), "array of numbers"),
    ],
)
def test_arrays_that_are_no_images(array, said):
    with pytest.raises(UsageError, match=said):
        read_image(array)


def test_channels_are_asked_for():
    with pytest.raises(UsageError, match="channels must be 1"):
        read_image(np.zeros((2, 2)), channels=4)
    with pytest.raises(UsageError, match="with 1 or 3 channels to be made RGB, not 4"):
        read_image(np.zeros((2, 2, 4)), channels=3)
    assert read_image(np.zeros((2, 2, 4))).shape == (2, 2, 4)


def test_whole_numbers_of_unknown_range_are_refused(tmp_path):
    Image.fromarray(np.full((2, 2), 70_000, np.int32)).save(tmp_path / "a.tif")
    with pytest.raises(UsageError, match=r"a\.tif.*0 to 65,535"):
        read_image(tmp_path / "a.tif")
    Image.fromarray(np.full((2, 2), 3.0, np.float32)).save(tmp_path / "b.tif")
    with pytest.raises(UsageError, match=r"b\.tif.*divide by"):
        read_image(tmp_path / "b.tif")


@pytest.mark.parametrize("part", [1 / 3, 2 / 3])
@pytest.mark.parametrize("kind", ["a.png", "deep.png", "a.jpg", "a.tif", "a.webp", "a.ppm", "text.ppm"])
def test_a_cut_picture_is_an_error_that_names_it_and_nothing_is_printed(tmp_path, capfd, kind, part):
    values = np.random.default_rng(3).integers(0, 65536, (40, 60, 3), dtype=np.uint16)
    if kind == "deep.png":
        content = png16(values, 2)
    elif kind == "text.ppm":
        content = b"P3 60 40 65535\n" + b" ".join(b"%d" % value for value in values.ravel().tolist())
    elif kind == "a.ppm":
        content = b"P6 60 40 65535\n" + values.astype(">u2").tobytes()
    else:
        content = saved(Image.fromarray(values.astype(np.uint8)), {"jpg": "JPEG", "tif": "TIFF"}.get(kind[2:], kind[2:]))
    (tmp_path / kind).write_bytes(content[: int(len(content) * part)])
    with pytest.raises(UsageError, match=kind):
        read_image(tmp_path / kind)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("content", [saved(Image.fromarray(RGB), "PNG"), png16(RGB16, 2)])
def test_a_png_without_its_end_is_read_with_8_and_16_bits(tmp_path, capfd, content):
    (tmp_path / "whole.png").write_bytes(content)
    (tmp_path / "a.png").write_bytes(content[:-12])
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), read_image(tmp_path / "whole.png"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mode", ["I", "I;16"])
@pytest.mark.parametrize("highest", [1, 128, 255])
def test_a_pillow_image_of_many_bits_with_values_of_8_is_refused_like_such_an_array(mode, highest):
    grey = Image.fromarray(np.uint8([[0, highest], [highest // 2, 0]]))
    with pytest.raises(UsageError, match=f"the largest of these 16-bit values is {highest}, .*black in 16 bits"):
        read_image(grey.convert("I").convert(mode))
    deep = Image.fromarray(np.uint16([[0, 300], [200, 65535]])).convert("I").convert(mode)
    np.testing.assert_allclose(read_image(deep)[:, :, 0] * 65535, [[0, 300], [200, 65535]], atol=1e-2)
    assert not read_image(Image.new(mode, (2, 2))).any()


def test_a_dark_file_of_16_bits_is_read_and_one_of_32_bits_is_not(tmp_path):
    Image.fromarray(np.uint16([[0, 200]])).save(tmp_path / "a.png")
    np.testing.assert_allclose(read_image(tmp_path / "a.png")[:, :, 0] * 65535, [[0, 200]], atol=1e-2)
    Image.fromarray(np.uint8([[0, 200]])).convert("I").save(tmp_path / "a.tif")
    with pytest.raises(UsageError, match="black in 16 bits"):
        read_image(tmp_path / "a.tif")
