"""Images that something was made of are recognised, whatever they are called and however they were saved."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from agents import PromptOptimizer, UsageError
from agents.encoders.seen import SeenImages
from agents.few_shot import fit_probe, read_classifier, write_classifier
from agents.prompting import read_descriptions

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
    assert known.among(asked, -ROWS).tolist() == [True, True, False]  # embeddings of a poor copy may lie far away
    assert known.among([]).tolist() == []


def saved(photo, file, how):
    match how:
        case "jpeg of quality 20":
            photo.save(file.with_suffix(".jpg"), quality=20)
        case "webp":
            photo.save(file.with_suffix(".webp"), quality=60)
        case "gif":
            photo.convert("P").save(file.with_suffix(".gif"))
        case "half the size":
            photo.resize((48, 48), Image.Resampling.BILINEAR).save(file.with_suffix(".png"))
        case "brighter":
            photo.point(lambda value: min(255, round(value * 1.1))).save(file.with_suffix(".png"))
    return next(file.parent.glob(f"{file.name}.*"))


@pytest.mark.parametrize("how", ["jpeg of quality 20", "webp", "gif", "half the size", "brighter"])
def test_a_photo_is_recognised_however_it_was_saved(photos, tmp_path, how):
    seen = SeenImages.of([photos / "0.png", photos / "1.png"], ROWS[:2])
    again = [saved(Image.open(photos / f"{number}.png"), tmp_path / f"again{number}", how) for number in range(3)]
    assert seen.among(again, ROWS[::-1]).tolist() == [True, True, False]


def test_pictures_without_contrast_are_told_apart(tmp_path):
    for number, level in enumerate((40, 60, 200)):
        Image.new("RGB", (32, 32), (level, level, level)).save(tmp_path / f"{number}.png")
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    Image.open(paths[0]).save(tmp_path / "again.bmp")
    alike = np.ones((4, 4), np.float32)
    assert SeenImages.of(paths[:1], alike[:1]).among([*paths[1:], tmp_path / "again.bmp"], alike[1:]).tolist() == [
        False,
        False,
        True,
    ]


def test_digests_alone_recognise_the_same_bytes(photos, tmp_path):
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"], seen=SeenImages.of([photos / "0.png"]))
    known = read_classifier(tmp_path / "a.npz").seen
    assert known.among([photos / "0.png", photos / "again.jpg"], ROWS[:2]).tolist() == [True, False]


def test_embeddings_alone_recognise_copies_without_loss(tmp_path):
    write_classifier(tmp_path / "a.npz", classifier(), ["a", "b"], seen=SeenImages.of(None, ROWS[:2]))
    known = read_classifier(tmp_path / "a.npz").seen
    assert known.among(None, ROWS).tolist() == [True, True, False]
    with pytest.raises(UsageError, match="their embeddings"):
        known.among(None)


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


def test_json_keeps_all_that_recognises_an_image(photos):
    encoder = SimpleNamespace(identity="one")
    seen = SeenImages.of([photos / "0.png", photos / "1.png"], ROWS[:2], encoder)
    known = SeenImages.from_dict(json.loads(json.dumps(seen.to_dict())), "a.json")
    asked = [photos / name for name in ("again.jpg", "2.png")]
    assert known.among(asked, ROWS[[0, 2]], encoder).tolist() == [True, False]
    # the embeddings of another encoder say nothing, so all pictures are compared
    assert known.among(asked, -ROWS[[0, 2], :3], SimpleNamespace(identity="other")).tolist() == [True, False]
    assert known.among(None, ROWS + 0.001, encoder).tolist() == [True, True, False]
    assert not known.can_tell(None, ROWS, SimpleNamespace(identity="other"))
    for wrong in ({"digests": 3}, {"pictures": ["AA=="] * 2}, {"embeddings": ["!"]}, {"digests": ["a"]}, {"encoder": 1}):
        with pytest.raises(UsageError, match="does not fit together"):
            SeenImages.from_dict({**seen.to_dict(), **wrong}, "a.json")


def test_a_search_in_python_writes_what_recognises_its_images(photos, tmp_path):
    encoder = SimpleNamespace(
        identity="one", encode_images=lambda images: ROWS[: len(images)], encode_texts=lambda texts: np.ones((len(texts), 4))
    )
    files = [photos / "0.png", photos / "1.png"]
    search = PromptOptimizer(encoder, ["a", "b"], templates=["the {}"], template_steps=1, beam=1, children=1)
    asked = [photos / "again.jpg", photos / "2.png"]
    for found, expected in ((search.fit(files, [0, 1]), True), (search.fit_embedded(ROWS[:2], [0, 1]), False)):
        found.write(tmp_path / "p.json")
        seen = read_descriptions(tmp_path / "p.json", ["a", "b"]).seen
        assert seen.among(asked, ROWS[[0, 2]] + [[0.1], [0]], encoder).tolist() == [
            expected,
            False,
        ]  # a JPEG is near, not equal
        assert seen.among(None, ROWS[[1, 2]], encoder).tolist() == [True, False]
