"""Deep PNG files of every kind and damage: the pixels come out as they were stored, and nothing is printed."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image

RNG = np.random.default_rng(0)
SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data, checksum=None):
    end = struct.pack(">I", zlib.crc32(kind + data)) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + end


def png(width, height, colour, rows, *, bits=16, interlace=0, beside=(), idat=None, end=True):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))
    data = chunk(b"IDAT", zlib.compress(rows)) if idat is None else idat
    return SIGNATURE + header + b"".join(beside) + data + (chunk(b"IEND", b"") if end else b"")


def rows_of(values):
    """Rows without a filter."""
    return b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)


VALUES = RNG.integers(0, 65536, (5, 7, 3))
ROWS = rows_of(VALUES)
BROKEN_PROFILE = chunk(b"iCCP", b"x\0\0" + zlib.compress(b"rubbish"))


@pytest.mark.parametrize(
    "content",
    [
        png(7, 5, 2, ROWS),
        png(7, 5, 2, ROWS, beside=[BROKEN_PROFILE]),
        png(7, 5, 2, ROWS, beside=[chunk(b"sRGB", b"\x09")]),
        png(7, 5, 2, ROWS, beside=[chunk(b"tRNS", b"\0\1\0\2\0\3")]),
        png(7, 5, 2, ROWS + bytes(500)),
        png(7, 5, 2, ROWS, end=False),
        png(7, 5, 2, b"", idat=chunk(b"IDAT", zlib.compress(ROWS)[:20]) + chunk(b"IDAT", zlib.compress(ROWS)[20:])),
    ],
    ids=["plain", "profile", "srgb", "transparent", "too much", "no end", "two parts"],
)
def test_pixels_come_out_as_stored_and_nothing_is_printed(tmp_path, capfd, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    np.testing.assert_array_equal(read_image(path), (VALUES / 65535).astype(np.float32))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (9, 17), (40, 30)])
def test_files_of_another_writer_come_out_as_they_were(tmp_path, capfd, size, channels):
    """OpenCV filters its rows, which the rows above don't have."""
    values = np.cumsum(RNG.integers(0, 200, (*size, channels)), axis=1).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), values)
    expected = values[:, :, 2::-1].astype(np.float32) / np.float32(65535)
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), expected, atol=1e-7)
    assert capfd.readouterr().err == ""


def test_grey_with_alpha_of_16_bits(tmp_path, capfd):
    values = RNG.integers(0, 65536, (5, 7, 2))
    (tmp_path / "a.png").write_bytes(png(7, 5, 4, rows_of(values)))
    np.testing.assert_allclose(read_image(tmp_path / "a.png")[:, :, 0], values[:, :, 0] / 65535, atol=1e-7)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("size", [(5, 7), (1, 1), (8, 8), (2, 9)])
def test_interlaced_files(tmp_path, capfd, size):
    height, width = size
    values = RNG.integers(0, 65536, (height, width, 3))
    rows = b""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x, y, across, down in passes:
        part = values[y::down, x::across]
        rows += rows_of(part) if part.size else b""
    (tmp_path / "a.png").write_bytes(png(width, height, 2, rows, interlace=1))
    np.testing.assert_allclose(read_image(tmp_path / "a.png"), values / 65535, atol=1e-7)
    assert capfd.readouterr().err == ""


BAD_FILTER = b"\x09" + ROWS[1:]


@pytest.mark.parametrize(
    "content",
    [
        png(7, 5, 2, b"", idat=chunk(b"IDAT", zlib.compress(ROWS), b"1234")),
        png(7, 5, 2, ROWS[: len(ROWS) // 2]),
        png(7, 5, 2, BAD_FILTER),
        png(7, 5, 2, b"", idat=chunk(b"IDAT", zlib.compress(ROWS)[: len(ROWS) // 2])),
        png(7, 5, 2, b"", idat=chunk(b"IDAT", b"no pixels")),
        png(7, 5, 2, b"", idat=b""),
        png(7, 5, 2, ROWS)[:100],
        png(0, 5, 2, ROWS),
    ],
    ids=["checksum", "short", "filter", "cut", "garbage", "none", "file cut", "no width"],
)
def test_damaged_pixels_are_an_error_and_nothing_is_printed(tmp_path, capfd, content):
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.png"):
        read_image(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", SIGNATURE, SIGNATURE + b"\xff" * 40, png(7, 5, 9, ROWS)])
def test_what_is_no_picture_is_an_error_and_nothing_is_printed(tmp_path, capfd, content):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"a\.png"):
        read_image(tmp_path / "a.png")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("bits", [8, 16])
def test_a_wrong_checksum_of_the_pixels_is_an_error_at_any_depth(tmp_path, bits):
    rows = ROWS if bits == 16 else bytes(5 * (1 + 7 * 3))
    (tmp_path / "a.png").write_bytes(png(7, 5, 2, b"", bits=bits, idat=chunk(b"IDAT", zlib.compress(rows), b"1234")))
    with pytest.raises(UsageError, match=r"a\.png: its pixels are damaged"):
        read_image(tmp_path / "a.png")
