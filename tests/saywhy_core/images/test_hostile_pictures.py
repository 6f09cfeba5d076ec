"""Pictures that would take much memory or time, run a program or print: refused by their headers, in one sentence."""

import gc
import io
import json
import os
import random
import re
import socket
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from saywhy_core.images import read_image
from saywhy_core.reading.ceilings import CeilingError, ceilings


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, pixels, *before):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def picture(kind, image=None, **options):
    stream = io.BytesIO()
    (image or Image.new("RGB", (40, 30), (250, 128, 5))).save(stream, kind, **options)
    return stream.getvalue()


def tiff(*tags, data=b""):
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


PLAIN = ((256, 4, 1, 64), (257, 4, 1, 64), (258, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1))
SMALL = bytes(4 * (1 + 4 * 3))  # the rows of a black picture of 4 x 4
WIDE = struct.pack(">HH", 30, 40), struct.pack(">HH", 60_000, 60_000)

LARGE = {
    "png": png(13_000, 13_000, bytes(1000)),
    "gif": b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    "jpg": picture("JPEG").replace(*WIDE),
    "bmp": picture("BMP").replace(struct.pack("<ii", 40, 30), struct.pack("<ii", 60_000, 60_000)),
    "ppm": b"P6 60000 60000 255\n" + bytes(100),
    "tga": struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 60_000, 60_000, 24, 0) + bytes(100),
    "tif": tiff((256, 4, 1, 60_000), (257, 4, 1, 60_000), *PLAIN[2:], (273, 4, 1, 200), data=bytes(300)),
    "jp2": re.sub(b"ihdr.{8}", b"ihdr" + struct.pack(">II", 60_000, 60_000), picture("JPEG2000"), count=1, flags=re.DOTALL),
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_picture_of_too_many_pixels_is_refused_by_its_header(tmp_path, kind):
    (tmp_path / f"a.{kind}").write_bytes(LARGE[kind])
    begin = time.process_time()
    with pytest.raises(CeilingError, match=rf"a\.{kind}: it has [\d,]+ pixels.*--ceiling pixels=\d+"):
        read_image(tmp_path / f"a.{kind}")
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "PPM", "TGA", "TIFF", "JPEG2000", "WEBP", "AVIF"])
def test_the_ceiling_is_the_one_that_is_in_force(tmp_path, kind):
    (tmp_path / "a").write_bytes(picture(kind))
    with ceilings(pixels=1200):
        assert read_image(tmp_path / "a").shape == (30, 40, 3)
        assert read_image(Image.new("RGB", (40, 30))).shape == (30, 40, 3)
    with ceilings(pixels=1199):
        with pytest.raises(CeilingError, match=r"a: it has 1,200 pixels.*--ceiling pixels=1200"):
            read_image(tmp_path / "a")
        with pytest.raises(CeilingError, match="1,200 pixels"):
            read_image(Image.new("RGB", (40, 30)))


def test_a_ceiling_above_the_one_of_pillow_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)  # Pillow refuses twice as many
    (tmp_path / "a.png").write_bytes(picture("PNG"))
    assert read_image(tmp_path / "a.png").shape == (30, 40, 3)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (png(4, 4, SMALL, chunk(b"teSt", b"") * 400_000), "too many pieces"),
        (png(4, 4, SMALL, chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(30_000_000)))), "unpacks to more"),
        (
            png(4, 4, SMALL, *(chunk(b"zTXt", b"%d\0\0" % n + zlib.compress(bytes(10**6))) for n in range(80))),
            "unpacks to more",
        ),
        (b"GIF89a\4\0\4\0\x80\0\0\0\0\0\xff\xff\xff" + b"!\xfe\0" * 400_000 + b";", "too many pieces"),
        (b"\xff\xd8" + b"\xff\xfe\0\2" * 400_000 + picture("JPEG")[2:], "too many pieces"),
        (picture("JPEG")[:-2] + b"\xff\xda\0\x08\1\1\0\0\x3f\0" * 200 + b"\xff\xd9", "more than 100 times"),
        (picture("JPEG")[:-2] + b"\xff" * 100_000 + b"\xff\xd9", "padded"),
        (picture("JPEG")[:-2] + b"\xff\xfe\0\2" * 200_000 + b"\xff\xd9", "100,000 segments"),
        (b"P3 200 200 255\n" + b"#\n" * 200_000, "comments"),
        (b"P6 #" + b"a" * 600_000 + b"\n4 4 255\n" + bytes(48), "too many pieces"),
        (b"P3 4 4 255\n" + b"1" * 3_000_000, "damaged"),
        (tiff(*PLAIN, (273, 4, 10_000_000, 200), data=bytes(10**6)), "its tag 273 has 10,000,000 values"),
        (tiff(*PLAIN, (322, 4, 1, 40_000), (323, 4, 1, 40_000), (324, 4, 1, 8), (325, 4, 1, 9)), "one of its tiles"),
        (tiff(*PLAIN, *((30_000 + n, 7, 3_000_000, 8) for n in range(900)), data=bytes(3_000_000)), "begins like TIFF"),
        (b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + bytes(99), "tags"),
        (picture("PNG", exif=b"Exif\0\0" + bytes(2_000_000)), "EXIF"),
    ],
    ids=lambda one: one if isinstance(one, str) else repr(one[:8]),
)
def test_what_only_costs_is_refused_within_a_second(tmp_path, capfd, content, said):
    (tmp_path / "a").write_bytes(content)
    gc.collect()
    gc.disable()  # what other tests left in this process is not searched on this picture's time
    try:
        begin = time.process_time()
        with pytest.raises(UsageError, match=said):
            read_image(tmp_path / "a")
        spent = time.process_time() - begin
    finally:
        gc.enable()
    assert spent < 4  # a second on a quiet machine; without the limits it is minutes
    assert capfd.readouterr().err == ""


def test_pixels_that_unpack_to_more_than_the_picture_has_are_not_unpacked(tmp_path):
    (tmp_path / "a.png").write_bytes(png(4, 4, SMALL + bytes(100_000_000)))
    begin = time.process_time()
    assert read_image(tmp_path / "a.png").shape == (4, 4, 3)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\xd7\xcd\xc6\x9a" + bytes(99)])
def test_formats_whose_readers_run_programs_are_never_opened(tmp_path, monkeypatch, content):
    def run(*_, **__):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", run)
    for name in ("a.eps", "a.png"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UsageError, match="it is none of PNG, JPEG"):
            read_image(tmp_path / name)


def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.npy")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s.png")[-100:] if len(str(tmp_path)) < 90 else "")
    for name, said in (
        ("pipe.png", "it is a pipe"),
        ("pipe.npy", "it is a pipe"),
        ("folder.png", "it is a folder"),
        ("empty.png", "it is empty"),
        ("none.png", "there is no such file"),
        ("s.png", "it is a socket" if (tmp_path / "s.png").exists() else "no such file"),
        ("a\0b.png", "no file has such a name"),
        ("a" * 5000, "can't be read"),
    ):
        with pytest.raises(UsageError, match=said):
            read_image(tmp_path / name)
    listening.close()
    with pytest.raises(UsageError, match="it is a device"):
        read_image("/dev/zero")


def mutated(content, chance):
    changed = bytearray(content)
    for _ in range(chance.choice([1, 1, 2, 8, 40])):
        place = chance.randrange(min(len(changed), chance.choice([40, 200, len(changed)])))
        match chance.randrange(6):
            case 0:
                changed[place : place + 4] = chance.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", bytes(4), b"\0\x10\0\0"])
            case 1:
                changed[place:place] = changed[place : place + 30] * chance.choice([1, 40])
            case 2 if len(changed) > 60:
                del changed[place : place + chance.randrange(1, 30)]
            case 3 if chance.random() < 0.2:
                del changed[max(1, place) :]
            case _:
                changed[place] = chance.randrange(256)
    return bytes(changed)


NOISE = Image.fromarray(np.random.default_rng(1).integers(0, 256, (23, 31, 3), dtype=np.uint8))
SEEDS = {
    "png": [picture("PNG", NOISE), picture("PNG", NOISE.convert("P"), transparency=2)],
    "jpg": [picture("JPEG", NOISE), picture("JPEG", NOISE, progressive=True)],
    "gif": [picture("GIF", NOISE, save_all=True, append_images=[NOISE], comment=b"hello")],
    "bmp": [picture("BMP", NOISE), picture("BMP", NOISE.convert("P"))],
    "tif": [picture("TIFF", NOISE, compression=one) for one in (None, "tiff_lzw", "jpeg", "tiff_adobe_deflate")],
    "webp": [picture("WEBP", NOISE), picture("WEBP", NOISE, save_all=True, append_images=[NOISE])],
    "ppm": [picture("PPM", NOISE), b"P3 2 2 1023\n" + b"7 " * 12, b"P1 4 2\n1010 0101", b"P5 3 2 700\n" + bytes(12)],
    "jp2": [picture("JPEG2000", NOISE)],
    "avif": [picture("AVIF", NOISE)],
    "tga": [picture("TGA", NOISE, compression="tga_rle")],
}
PROGRAMMERS = re.compile(r"<[a-zA-Z_]|object at|0x|\n|b'|\w_\w|Error\b|None")


@pytest.mark.parametrize("kind", SEEDS)
def test_damage_is_told_in_one_sentence_and_nothing_is_printed(tmp_path, capfd, kind):
    chance = random.Random(kind)
    path = tmp_path / f"a.{kind}"
    problems = 0
    for _ in range(120):
        path.write_bytes(mutated(chance.choice(SEEDS[kind]), chance))
        try:
            read = read_image(path)
        except UsageError as error:
            problems += 1
            said = str(error)
            assert said.startswith(str(path))
            assert not PROGRAMMERS.search(said.replace(str(path), "")), said
        else:
            assert read.dtype == np.float32
            assert np.isfinite(read).all()
            assert 0 <= read.min() <= read.max() <= 1
    assert problems > 30
    assert capfd.readouterr() == ("", "")


@pytest.mark.long
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "deep"])
def test_the_largest_picture_takes_less_than_800_mb(tmp_path, kind):
    path = tmp_path / "a"
    if kind == "deep":
        import cv2

        cv2.imwrite(str(tmp_path / "a.png"), np.full((4096, 6144, 4), 700, dtype=np.uint16))
        path = tmp_path / "a.png"
    else:
        image = Image.new("RGB", (6144, 4096), (250, 128, 5))
        exif = Image.Exif()
        exif[0x0112] = 6
        image.save(path, kind, exif=exif) if kind == "JPEG" else image.save(path, kind)
    code = (
        "import json, sys\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])  # KiB; getrusage tells the parent's\n"
        "from saywhy_core.images import read_image\n"
        "shape = read_image(sys.argv[1]).shape\n"
        "print(json.dumps([shape, peak() // 1024]))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    shape, megabytes = json.loads(ran.stdout)
    assert sorted(shape) == [3, 4096, 6144]
    assert megabytes < 800
