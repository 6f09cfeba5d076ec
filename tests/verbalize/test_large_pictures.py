"""Texts and maps that are very large or odd: drawn within bounds, or refused in one sentence."""

import io
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings
from verbalize import PixelSaliency, Query, SaliencyError, TokenSaliency, read_saliency
from verbalize.draw import pixel_heatmap_png, token_heatmap_html, token_heatmap_png


def words(*tokens):
    return TokenSaliency(list(tokens), np.linspace(-1, 1, len(tokens)), query=Query("positive"))


@pytest.mark.parametrize(
    "tokens",
    [
        ["W" * 100_000],
        ["word"] * 100_000,
        ["\n" * 100_000],
    ],
    ids=["one word", "many words", "line ends"],
)
def test_a_text_that_makes_no_picture_is_refused_in_a_second_and_drawn_as_html(tokens):
    begin = time.process_time()
    with pytest.raises(UsageError, match=r"write (it|the map) as HTML instead"):
        token_heatmap_png(words(*tokens))
    html = token_heatmap_html(words(*tokens))
    assert time.process_time() - begin < 4
    assert html.count("<span") == html.count("</span>")


@pytest.mark.filterwarnings("ignore::verbalize.draw.MissingGlyphWarning")
@pytest.mark.parametrize(
    "tokens",
    [
        ["\u200d" * 900, "a"],
        ["e" + "\u0301" * 900, "a"],
        ["\t" * 900, "a"],
        ["\u05e9" * 900, "a"],
        ["\U0001f469\u200d\U0001f467" * 300, "a"],
        ["a\0b", "\x1b[31m", "\u202e", "\ufeff", ""],
    ],
    ids=["joiners", "accents", "tabs", "right to left", "emoji", "controls"],
)
def test_odd_words_are_drawn(tokens):
    begin = time.process_time()
    with Image.open(io.BytesIO(token_heatmap_png(words(*tokens)))) as picture:
        assert picture.width == 900
    assert time.process_time() - begin < 8


def test_every_character_of_a_long_word_is_drawn():
    """Rows of a word of 2,000 letters W at 22 pixels: each as many as fit into 852 pixels."""
    from verbalize.draw.fonts import width_of
    from verbalize.draw.lines import laid_out

    rows = list(laid_out([("W" * 2000, 0)], 852, 22))
    assert "".join(text for row in rows for _, text, _ in row) == "W" * 2000
    for row in rows[:-1]:
        (_, text, _) = row[0]
        assert width_of(text, 22) <= 852 < width_of(text + "W", 22)


@pytest.mark.parametrize("changed", [{"width": 10**7}, {"font_size": 10**6}, {"width": 30_000, "font_size": 400}])
def test_a_page_of_words_has_bounds(changed):
    with pytest.raises(UsageError, match=r"at most [\d,]+"):
        token_heatmap_png(words(*["word"] * 3000), **changed)


def test_a_small_map_is_not_enlarged_without_bounds():
    saliency = PixelSaliency(np.eye(8), query=Query("cat"))
    with pytest.raises(UsageError, match=r"100000 x 100000 pixels, and at most 50,331,648 are drawn.*smallest_side"):
        pixel_heatmap_png(saliency, smallest_side=100_000)


def test_texts_of_records_never_become_markup():
    said = token_heatmap_html(words("</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", '"><b>', "]]>", "&lt;"))
    assert "<img" not in said
    assert "</script" not in said
    assert "<b>" not in said
    assert "&amp;lt;" in said


def test_a_map_has_a_ceiling_of_scores_at_the_size_of_its_picture(tmp_path):
    with ceilings(scores=100):
        assert PixelSaliency(np.eye(10), query=Query("cat")).shape == (10, 10)
        with pytest.raises(SaliencyError, match=r"the map has 121 scores.*--ceiling scores=121"):
            PixelSaliency(np.eye(11), query=Query("cat"))
        with pytest.raises(SaliencyError, match="at the size of its picture, has 400 scores"):
            read_saliency(np.eye(10), label="cat", image=np.zeros((20, 20, 3)), signed=False)
        Image.new("L", (12, 12)).save(tmp_path / "a.png")
        with pytest.raises(SaliencyError, match="144 scores"):
            read_saliency(tmp_path / "a.png", label="cat")


@pytest.mark.long
def test_the_largest_map_is_drawn_in_less_than_a_gigabyte(tmp_path):
    code = (
        "import numpy as np\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0])  # KiB; getrusage tells the parent's\n"
        "from verbalize import PixelSaliency, Query\n"
        "from verbalize.draw import pixel_heatmap_png\n"
        "from saywhy_core.reading.ceilings import ceiling\n"
        "side = int(ceiling('scores') ** 0.5)\n"
        "y, x = np.mgrid[0:side, 0:side] / side\n"
        "scores = np.exp(-20 * ((x - 0.3) ** 2 + (y - 0.4) ** 2))\n"
        "picture = np.random.default_rng(0).integers(0, 255, (side, side, 3), dtype=np.uint8)\n"
        "del x, y\n"
        "for noise in (0, 1):\n"
        "    noisy = scores + noise * np.random.default_rng(0).random(scores.shape)\n"
        "    saliency = PixelSaliency(noisy, query=Query('cat'), signed=False, image=picture)\n"
        "    pixel_heatmap_png(saliency, regions=True, legend=True)\n"
        "print(peak() // 1024)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 1000


THIN = """
import resource, sys, numpy as np
from verbalize import PixelSaliency, Query, TemplateVerbalizer, read_saliency
from verbalize.parts import find_regions
resource.setrlimit(resource.RLIMIT_DATA, (800 * 2**20,) * 2)
shape = tuple(map(int, sys.argv[1:3]))
folder = sys.argv[3]
np.savez(f"{folder}/m.npz", m=np.array([[0.1, 0.9], [0.3, 0.2]]), image=np.zeros((*shape, 3), np.uint8))
(found,) = read_saliency(f"{folder}/m.npz", label="x")
assert found.shape == shape
print(TemplateVerbalizer().verbalize(found).text)
assert all(region.mask.shape == shape for region in find_regions(found, method="superpixels"))
"""


@pytest.mark.parametrize(
    "shape",
    [(300_000, 1), (7, 150_000), *(pytest.param(one, marks=pytest.mark.long) for one in ((1, 300_000), (2, 1_000_000)))],
)
@pytest.mark.long
def test_a_map_that_is_enlarged_to_a_thin_picture_is_put_into_words_in_little_memory(shape, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", THIN, *map(str, shape), str(tmp_path)], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert "x" in done.stdout


def test_a_thin_map_is_parted_as_if_its_missing_rows_were_empty():
    from verbalize.parts.regions import _highest

    values = np.random.default_rng(0).random((3, 1000)).astype(np.float32)
    padded = np.zeros((8, 1000), np.float32)
    padded[:3] = values
    assert (_highest(values, 8) == padded.reshape(1, 8, 125, 8).max(axis=(1, 3))).all()


@pytest.mark.parametrize("given", ["npz", "record", "npy beside", "array", "Pillow", "dictionary", "PixelSaliency"])
def test_a_picture_beside_a_map_has_no_more_pixels_than_the_ceiling_allows_however_it_comes(given, tmp_path):
    tall, scores = np.zeros((40, 50, 3), np.uint8), np.eye(4)
    np.savez(tmp_path / "m.npz", m=scores, image=tall)
    np.save(tmp_path / "i.npy", tall)
    np.save(tmp_path / "m.npy", scores)
    ways = {
        "npz": lambda: read_saliency(tmp_path / "m.npz", label="x"),
        "record": lambda: read_saliency([{"scores": scores.tolist(), "image": tall}], label="x"),
        "npy beside": lambda: read_saliency(tmp_path / "m.npy", label="x", image=tmp_path / "i.npy"),
        "array": lambda: read_saliency(scores, label="x", image=tall),
        "Pillow": lambda: read_saliency(scores, label="x", image=Image.fromarray(tall)),
        "dictionary": lambda: read_saliency({"scores": scores, "image": tall}, label="x"),
        "PixelSaliency": lambda: PixelSaliency(np.zeros((40, 50)), Query("x"), image=tall),
    }
    with ceilings(pixels=1999), pytest.raises(UsageError, match=r"--ceiling pixels=2000"):
        ways[given]()
    if given != "PixelSaliency":
        with ceilings(scores=1999), pytest.raises(UsageError, match=r"--ceiling scores=2000"):
            ways[given]()
