import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from adversarial.distances import all_distances
from adversarial.features import keypoint_mixture
from adversarial.findings import changed_mask, finding_in_words, finding_record, touched_in_words, write_finding
from adversarial.result import NOTHING_MORE
from verbalize.saliency import PixelSaliency, Query

NAMES = ("stop", "yield", "speed limit 30")


@dataclass
class Result:
    """A result made by hand."""

    original: np.ndarray
    adversarial: np.ndarray | None
    label: int = 0
    adversarial_label: int | None = 2
    queries: int = 900
    trace: np.ndarray = field(default_factory=lambda: np.array([[50, 9.0], [700, 4.0], [900, 4.0]]))
    target: int | None = None
    norm: str = "l0"
    features: tuple = ()
    note: str = ""
    undecided: str = ""
    density: object = None
    touched_at: tuple[slice, slice] = (slice(2, 8), slice(22, 30))

    @property
    def success(self):
        return self.adversarial is not None

    @property
    def distances(self):
        return all_distances(self.original, self.adversarial) if self.success else {}

    @property
    def distance(self):
        return self.distances[self.norm] if self.success else float("inf")

    @property
    def touched(self):
        scores = np.zeros(self.original.shape[:2])
        scores[self.touched_at] = 1
        return PixelSaliency(scores, Query(NAMES[2], versus=(NAMES[0],)), signed=False)


def changed(*pixels, value=1.0, **fields):
    original = np.full((32, 32, 3), 0.25, np.float32)
    adversarial = original.copy()
    for y, x in pixels:
        adversarial[y, x] = value
    return Result(original, adversarial, **fields)


FOUR = [(3, 25), (3, 26), (4, 25), (4, 26)]


def test_the_sentence_names_how_many_pixels_where_and_both_classes():
    words = finding_in_words(changed(*FOUR), NAMES, budget=1000)
    assert words.startswith("Changing 4 pixels at the upper right turns 'stop' into 'speed limit 30'.")
    assert "found after 700 queries; the attack made 900 of 1,000 queries" in words


@pytest.mark.parametrize(
    ("pixels", "place"),
    [
        ([(15, 16)], "1 pixel in the centre"),
        ([(30, 1)], "1 pixel at the lower left"),
        ([(2, 15), (3, 16)], "2 pixels at the top"),
        ([(y, x) for y in range(32) for x in range(32)], "1,024 pixels all over the picture"),
        ([(1, 1), (1, 30), (30, 1), (30, 30)], "4 pixels across the picture"),
    ],
)
def test_places(pixels, place):
    assert f"Changing {place} turns" in finding_in_words(changed(*pixels), NAMES)


def test_other_distances_are_said_in_their_own_unit():
    def words(norm):
        return finding_in_words(changed(*FOUR, value=0.3, norm=norm), NAMES)

    assert "4 pixels at the upper right, no value by more than 0.05, turns" in words("linf")
    assert "by 0.173 in L2 distance turns" in words("l2")  # 0.05 * sqrt(12)
    assert "by 0.6 in L1 distance turns" in words("l1")


def test_without_names_classes_are_numbered():
    assert "turns class 0 into class 2." in finding_in_words(changed(*FOUR))


def test_a_failed_attack_is_told_as_one():
    result = Result(np.full((32, 32, 3), 0.5, np.float32), None, queries=1000, trace=np.zeros((0, 2)))
    words = finding_in_words(result, NAMES, budget=1000)
    assert words == (
        "No change that turns 'stop' into another class was found within 1,000 queries. "
        "There may still be one. Of the changes tried, those at the upper right came closest to flipping the decision."
    )
    result.target = 1
    assert "into 'yield' was found within 1,000" in finding_in_words(result, NAMES, budget=1000)
    for word in ("robust", "safe", "guarant"):
        assert word not in words.lower()


def test_a_search_that_touched_nothing_says_nothing_of_where():
    result = Result(np.full((32, 32, 3), 0.5, np.float32), None, touched_at=(slice(0, 0), slice(0, 0)))
    assert "came closest" not in finding_in_words(result, NAMES)


def test_what_is_misclassified_already_is_no_finding():
    result = changed(adversarial_label=1, queries=1)
    assert finding_in_words(result, NAMES) == (
        "The image is classified as 'yield', not as 'stop', without any change; there was nothing to attack."
    )


def test_what_is_the_target_already_is_no_finding():
    assert finding_in_words(changed(label=1, adversarial_label=1, target=1, queries=1), NAMES) == (
        "The image is classified as 'yield', the class to reach, without any change; there was nothing to attack."
    )


def test_a_search_that_had_nothing_more_to_ask_says_so():
    over = {"queries": 3, "trace": np.array([[2, 1.0]]), "note": f"another; {NOTHING_MORE}"}
    assert finding_in_words(changed((3, 25), **over), NAMES, budget=200).endswith(
        "It was found after 2 queries; the attack made 3 of 200 queries and had nothing more to ask: one pixel is the fewest. "
        "Note: another."
    )
    assert "queries and had nothing more to ask. Note" in finding_in_words(changed(*FOUR, **over), NAMES, budget=200)
    held = finding_in_words(Result(np.zeros((4, 4, 1), np.float32), None, queries=3, note=NOTHING_MORE), NAMES, budget=200)
    assert held.startswith(
        "No change that turns 'stop' into another class was found within 3 of 200 queries, and the search had nothing more to "
        "ask. There may still be one."
    )
    assert "Note" not in held


def test_the_only_pixel_of_a_picture_is_called_that():
    pixel = {"original": np.zeros((1, 1, 1), np.float32), "touched_at": (slice(1), slice(1))}
    words = finding_in_words(Result(adversarial=np.ones((1, 1, 1), np.float32), **pixel), NAMES)
    assert words.startswith("Changing the only pixel of the picture turns 'stop' into 'speed limit 30'.")
    assert finding_in_words(Result(adversarial=None, **pixel), NAMES).endswith("There may still be one.")


def test_found_with_the_last_query():
    result = changed(*FOUR, trace=np.array([[900, 4.0]]))
    assert "It was found with the last of 900 queries." in finding_in_words(result, NAMES, budget=900)


def test_the_record_is_json_with_every_changed_pixel():
    result = changed(*FOUR)
    record = finding_record(result, NAMES, budget=1000, settings={"seed": 3})
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert record["version"] == 1
    assert record["label"] == {"index": 0, "name": "stop"}
    assert record["adversarial_label"] == {"index": 2, "name": "speed limit 30"}
    assert record["distance"] == {"name": "l0", "value": 4.0}
    assert record["distances"]["linf"] == 0.75
    assert record["changed"][0] == [3, 25, [0.25] * 3, [1.0] * 3]
    assert [row[:2] for row in record["changed"]] == [list(pixel) for pixel in FOUR]
    assert record["trace"] == [[50, 9.0], [700, 4.0], [900, 4.0]]
    assert record["settings"] == {"seed": 3}
    assert record["place"] == "upper right"


def test_the_record_of_a_failure_has_no_infinite_numbers():
    result = Result(np.full((8, 8, 1), 0.5, np.float32), None, trace=np.array([[900, np.inf]]), touched_at=(slice(1), slice(1)))
    result.target = 1
    record = finding_record(result, NAMES)
    text = json.dumps(record, allow_nan=False)
    assert json.loads(text)["trace"] == [[900, None]]
    assert record["adversarial_label"] is None
    assert record["distance"]["value"] is None
    assert record["changed"] == []
    assert record["goal"] == {"index": 1, "name": "yield"}


def test_the_features_of_the_competitive_game_and_the_note_are_kept():
    feature = SimpleNamespace(centre=(3.0, 4.5), weight=0.25, distance=float("inf"), queries=40, measured=True)
    left_out = SimpleNamespace(centre=(9.0, 9.0), weight=0.75, distance=float("inf"), queries=0, measured=False)
    record = finding_record(changed(*FOUR, features=(feature, left_out), note="stopped from the keyboard"), NAMES)
    assert record["features"][0] == {"centre": [3.0, 4.5], "weight": 0.25, "distance": None, "queries": 40, "measured": True}
    assert record["note"] == "stopped from the keyboard"
    assert "was found in the one feature searched alone, within " in record["sentence"]
    assert record["sentence"].endswith(
        "There may still be one. 1 of 2 features were searched. Note: stopped from the keyboard."
    )


def test_many_changed_pixels_are_counted_but_not_listed():
    record = finding_record(changed(*[(y, x) for y in range(32) for x in range(32)]), NAMES)
    assert record["changed"] is None
    assert record["changed_pixels"] == 1024


def test_the_touched_map_is_put_into_words():
    assert "upper right" in touched_in_words(changed(*FOUR))


def test_the_mask_of_a_channel_change():
    result = changed()
    result.adversarial[5, 6, 1] = 0.9
    assert np.argwhere(changed_mask(result)).tolist() == [[5, 6]]


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_are_written_and_show_what_was_changed(tmp_path, channels):
    original = np.random.default_rng(0).random((20, 30, channels)).astype(np.float32)
    adversarial = original.copy()
    adversarial[4, 7] = 1 - np.round(adversarial[4, 7])
    result = Result(original, adversarial, touched_at=(slice(3, 6), slice(5, 9)), density=keypoint_mixture(original))
    record = write_finding(result, tmp_path / "one", NAMES, settings={"seed": 0})
    names = {path.name for path in (tmp_path / "one").iterdir()}
    assert names == {
        "panel.png", "original.png", "adversarial.png", "difference.png", "density.png", "images.npz", "result.json",
    }  # fmt: skip
    assert json.loads((tmp_path / "one" / "result.json").read_text()) == record
    with np.load(tmp_path / "one" / "images.npz") as arrays:
        np.testing.assert_array_equal(arrays["original"], original)
        np.testing.assert_array_equal(arrays["adversarial"], adversarial)
    for name, image in (("original", original), ("adversarial", adversarial)):  # as large as they are, with their channels
        shown = np.asarray(Image.open(tmp_path / "one" / f"{name}.png"))
        np.testing.assert_array_equal(shown.reshape(20, 30, channels), np.round(image * 255))
    assert Image.open(tmp_path / "one" / "density.png").size == (30, 20)
    difference = np.asarray(Image.open(tmp_path / "one" / "difference.png")).astype(int)
    assert {tuple(p) for p in np.argwhere((difference != difference[0, 0]).any(axis=2)).tolist()} == {(4, 7)}
    panel = Image.open(io.BytesIO((tmp_path / "one" / "panel.png").read_bytes()))
    assert panel.width >= 1000
    assert panel.height >= 200


@pytest.mark.parametrize("shape", [(2, 3), (3, 1), (1, 8)])
def test_the_panel_shows_each_pixel_in_its_place(tmp_path, shape):
    """Blue and green grow from pixel to pixel; the one with red in it is changed, and is framed in the three pictures of it."""
    height, width = shape
    steps = np.arange(height * width).reshape(shape) * 20 + 40
    original = np.stack([np.zeros(shape), steps, 255 - steps], axis=2).astype(np.float32) / 255
    adversarial = original.copy()
    adversarial[-1, 0, 0] = 1
    write_finding(Result(original, adversarial, touched_at=(slice(0, 1), slice(0, 1))), tmp_path, NAMES)
    panel = np.asarray(Image.open(tmp_path / "panel.png").convert("RGB")).astype(int)

    def places(colour):  # of the dots of one colour in the first picture: mean row and column, and their number
        rows, columns = np.nonzero((panel[:, :300] == colour).all(axis=2))
        return rows.mean(), columns.mean(), len(rows)

    found = {(y, x): places([0, steps[y, x], 255 - steps[y, x]]) for y, x in np.ndindex(shape)}
    for (y, x), (row, column, dots) in found.items():
        assert dots > 500
        assert x == 0 or column - found[y, x - 1][1] > 20
        assert y == 0 or row - found[y - 1, x][0] > 20
    changed = (panel == [255, steps[-1, 0], 255 - steps[-1, 0]]).all(axis=2)
    assert changed[:, 300:600].sum() > 500
    assert changed.sum() == changed[:, 300:600].sum()
    assert found[height - 1, 0][0] == pytest.approx(np.nonzero(changed)[0].mean(), abs=6)
    red, green, blue = np.moveaxis(panel, 2, 0)
    orange = (red > 190) & (green - blue > 40) & (red - green > 40)  # thin lines are lighter than their colour
    assert not orange[:, :300].any()
    assert orange[:, 300:600].sum() > 100
    assert orange[:, 600:900].sum() > 100


def test_pictures_of_a_failure(tmp_path):
    result = Result(np.full((32, 32, 3), 0.5, np.float32), None)
    write_finding(result, tmp_path, NAMES)
    assert {path.name for path in tmp_path.iterdir()} == {"panel.png", "original.png", "images.npz", "result.json"}


FULL_DISK = """
import resource, sys
import numpy as np
from adversarial.findings import write_finding
from tests_of_findings import FOUR, NAMES, changed
for most in sys.argv[2:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), resource.RLIM_INFINITY))
    try:
        write_finding(changed(*FOUR), sys.argv[1] + most, NAMES)
    except Exception as error:
        print(type(error).__name__, error)
"""
MOST = (100, 5_000)


@pytest.fixture(scope="module")
def full_disk(tmp_path_factory):
    """For each of `MOST`: a result's folder, its files before, and what a process said that may not write larger files."""
    folder = tmp_path_factory.mktemp("full")
    before = {}
    for most in MOST:
        write_finding(changed((1, 1)), folder / f"one{most}", NAMES)
        before[most] = {path.name: path.read_bytes() for path in (folder / f"one{most}").iterdir()}
    program = FULL_DISK.replace("tests_of_findings", Path(__file__).stem)
    done = subprocess.run(
        [sys.executable, "-c", program, folder / "one", *map(str, MOST)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )  # fmt: skip
    said = dict(zip(MOST, done.stdout.splitlines(), strict=True))
    return {most: (folder / f"one{most}", before[most], said[most]) for most in MOST}


@pytest.mark.parametrize("most", MOST)
def test_where_the_disk_is_full_the_earlier_result_stays_whole(full_disk, most):
    """A process that may not write files of more than so many bytes: not the record, or not the panel."""
    folder, before, said = full_disk[most]
    assert len(before["panel.png"]) > 5_000 > len(before["result.json"]) > 100
    assert said.startswith("UnusableFileError")
    assert "can't be written to: File too large; make room on the disk" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_result_in_the_place_of_another_leaves_nothing_of_it(tmp_path):
    write_finding(changed(*FOUR), tmp_path, NAMES)
    assert (tmp_path / "adversarial.png").exists()
    write_finding(Result(np.full((32, 32, 3), 0.5, np.float32), None), tmp_path, NAMES)
    assert {path.name for path in tmp_path.iterdir()} == {"panel.png", "original.png", "images.npz", "result.json"}


def test_names_with_dollar_signs_are_drawn_as_they_are(tmp_path):
    write_finding(changed(*FOUR), tmp_path, ("$5 \\frac{", "b", "$$"))
    assert (tmp_path / "panel.png").stat().st_size > 1000
