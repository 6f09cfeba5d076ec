"""Images that something was made of are recognised, whatever they are called and however they were saved."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from agents import UsageError
from agents.encoders.seen import SeenImages
from agents.few_shot import fit_probe, read_classifier, write_classifier

ROWS = np.eye(3, 4, dtype=np.float32)


@pytest.fixture
def photos(tmp_path):
    draw = np.random.default_rng(0)
    for number in range(3):
        pixels = draw.integers(0, 255, (12, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    Image.open(tmp_path / "0.png").save(tmp_path / "again.jpg", quality=60)
    return tmp_path


def classifier():
    return fit_probe(np.eye(4)[[0, 1, 0, 1]] + 0.1, np.array([0, 1, 0, 1]), np.eye(2, 4))


def test_a_classifier_file_knows_its_shots_again(photos, tmp_path):
    seen = SeenImages.of([photos / "0.png", photos / "1.png"], ROWS[:2])
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"], seen=seen)
    known = read_classifier(tmp_path / "a.npz").seen
    (photos / "1.png").rename(photos / "other name.png")
    asked = [photos / name for name in ("again.jpg", "other name.png", "2.png")]
    assert known.among(asked, ROWS).tolist() == [True, True, False]
    assert known.among(asked).tolist() == [False, True, False]  # without embeddings the same bytes alone are recognised
    assert known.among(asked, -ROWS).tolist() == [False, True, False]  # pictures are compared where embeddings are near
    assert known.among([]).tolist() == []


def test_digests_alone_recognise_the_same_bytes(photos, tmp_path):
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"], seen=SeenImages.of([photos / "0.png"]))
    known = read_classifier(tmp_path / "a.npz").seen
    assert known.among([photos / "0.png", photos / "again.jpg"], ROWS[:2]).tolist() == [True, False]


def test_a_file_of_an_earlier_release_says_nothing_of_its_shots(tmp_path):
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"])
    assert read_classifier(tmp_path / "a.npz").seen is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"seen_digests": np.zeros((2, 31), np.uint8)},
        {"seen_small": np.zeros((3, 16, 16, 3), np.uint8)},
        {"seen_small": np.zeros((2, 16, 16, 3), np.float32)},
        {"seen_rows": np.full((2, 4), np.nan, np.float16)},
        {"seen_rows": np.zeros((2, 5), np.float16)},
    ],
)
def test_damage_is_told(photos, tmp_path, wrong):
    seen = SeenImages.of([photos / "0.png", photos / "1.png"], ROWS[:2])
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"], seen=seen)
    np.savez(tmp_path / "b.npz", **{**np.load(tmp_path / "a.npz"), **wrong})
    with pytest.raises(UsageError, match="does not fit together"):
        read_classifier(tmp_path / "b.npz")
