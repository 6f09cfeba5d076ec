"""Prompt files under evaluation, images that were not seen, and the report as text."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from evals.prompts import (
    ClassChange,
    Comparison,
    Control,
    PromptReport,
    Share,
    evaluate_file,
    held_out,
    is_pair_file,
    report_text,
)
from saywhy_core.errors import UsageError

NAMES = ["cat", "dog"]
PAIRS = {"0_1": {"classes": [0, 1], "prompt_pairs": [{"attr_type": "x", "prompt_pair": ["a cat, red", "a dog, blue"]}]}}


class Hashed:
    def encode_texts(self, texts):
        return np.array([np.random.default_rng(list(text.encode())).normal(size=8) for text in texts], dtype=np.float32)


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_what_a_file_holds_is_told_by_its_content(tmp_path):
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(12, 8)).astype(np.float32), np.arange(12) % 2
    pairs = write(tmp_path / "a.json", PAIRS | {"0_7": {"classes": [0]}})
    prompts = write(tmp_path / "b.json", {"cat": ["a cat, red"], "dog": []})
    assert is_pair_file(pairs)
    assert not is_pair_file(prompts)
    report, problems = evaluate_file(Hashed(), NAMES, pairs, rows, labels, k=2, draws=1)
    assert report.comparison.images == 12
    assert len(problems) == 1
    report, problems = evaluate_file(Hashed(), NAMES, prompts, rows, labels, draws=0)
    assert (report.controls, problems) == ((), ())
    for option in ({"k": 3}, {"mix": 0.5}):
        with pytest.raises(UsageError, match="pair files"):
            evaluate_file(Hashed(), NAMES, prompts, rows, labels, **option)


def test_images_count_as_seen_by_content_not_by_name(tmp_path):
    for name, content in (("a", b"1"), ("b", b"2"), ("c", b"1"), ("d", b"3")):
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in "abcd"]
    assert held_out(paths, [tmp_path / "a"]) == [1, 3]
    assert held_out(paths, []) == [0, 1, 2, 3]
    assert held_out(paths, paths) == []


def test_the_report_as_text():
    share = Share(0.5, 0.25, 0.75)
    comparison = Comparison(
        images=4, before=share, after=share, fixed=(0,), broken=(1,), difference=Share(0.0, -0.5, 0.5), p=1.0,
        classes=(ClassChange("cat", 2, 1, 2), ClassChange("dog", 2, 1, 0), ClassChange("owl", 1, 1, 1)),
    )  # fmt: skip
    report = PromptReport(comparison, (Control("random words", (0.25, 0.75), 1, 1, 1.0),), missing=((0, 1),))
    lines = report_text(report).splitlines()
    assert lines[:5] == [
        "images                4",
        "template alone        50.0% (25.0% to 75.0%)",
        "with descriptions     50.0% (25.0% to 75.0%)",
        "difference            +0.0% (-50.0% to +50.0%)",
        "fixed / broken        1 / 1, exact McNemar p = 1",
    ]
    assert "random words" in lines[5]
    assert "50.0% (mean of 2, 25.0% to 75.0%)" in lines[5]
    assert lines[6:8] == ["  cat: 1 -> 2 of 2", "  dog: 1 -> 0 of 2"]
    assert lines[8].startswith("1 pair that")
    assert lines[-1] == report.verdict


def test_copies_of_shots_in_another_format_are_no_test_images(tmp_path):
    draw = np.random.default_rng(0)
    photos = [draw.integers(0, 255, (12, 12, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1) for _ in range(3)]
    for number, pixels in enumerate(photos):
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    Image.fromarray(photos[0]).save(tmp_path / "again.jpg", quality=60)
    Image.fromarray(photos[1]).resize((48, 48), Image.Resampling.BILINEAR).save(tmp_path / "smaller.png")
    tests, shots = (tmp_path / name for name in ("again.jpg", "smaller.png", "2.png")), [tmp_path / "0.png", tmp_path / "1.png"]
    near = np.ones((3, 4)), np.ones((2, 4))  # all embeddings are alike, so that the pictures decide
    tests = list(tests)
    assert held_out(tests, shots, *near) == [2]
    assert held_out(tests, shots) == [0, 1, 2]
    assert held_out(tests, shots, np.eye(3), -np.ones((2, 3))) == [2]  # the embedding of a poor copy may lie far away
