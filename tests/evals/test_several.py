"""One task over several encoders: each row is the evaluation alone, and failures are told."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from agents import UsageError, load_encoder, write_pairs
from agents.encoders import ENCODERS, encode_image_files
from agents.prompting import Contrast, PairDescriptions
from evals.prompts import evaluate_encoders, evaluate_file, holm, table_text

NAMES = ["red", "green", "blue"]
PAIRS = PairDescriptions(
    {(i, j): [Contrast("colour", (f"{NAMES[i]} as can be", f"{NAMES[j]} as can be"))] for i, j in ((0, 1), (0, 2), (1, 2))}
)


class Colours:
    """Images are their mean colours; a text is the colours it names, off by an angle that the encoder's name tells."""

    truncated = 0

    def __init__(self, where):
        self.identity, self.turn = f"colours {where}", float(where)

    def encode_texts(self, texts):
        rows = np.array([[float(name in text) for name in NAMES] for text in texts])
        off = np.array([0.0 if "as can be" in text else self.turn for text in texts])[:, None]
        rows = rows + off * np.roll(rows, 1, axis=1) + 0.01
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def encode_images(self, images):
        if self.turn == 9:
            raise RuntimeError("CUDA out of memory")
        rows = np.stack([np.asarray(Image.open(one).convert("RGB"), dtype=np.float32).mean(axis=(0, 1)) for one in images])
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def task(tmp_path, monkeypatch):
    monkeypatch.setitem(ENCODERS._loaded, "colours", lambda where, *, device, batch: Colours(where))
    rng = np.random.default_rng(0)
    for index, name in enumerate(NAMES):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(6):
            pixels = np.full((4, 4, 3), 40, dtype=np.uint8) + rng.integers(0, 60, 3).astype(np.uint8)
            pixels[..., index] = 200
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{number}.png")
    write_pairs(PAIRS, tmp_path / "pairs.json")
    return tmp_path


def test_each_row_is_the_evaluation_alone_and_failures_are_told(task):
    specs = ["colours:0", "colours:9", "colours:2", "nokind:1"]
    table = evaluate_encoders(specs, NAMES, task / "pairs.json", task / "photos", draws=1, k=2, cache=task / "kept")
    assert [row.encoder for row in table.rows] == specs
    assert table.rows[1].report is None
    assert table.rows[1].failure == "CUDA out of memory"
    assert "'nokind:1' is no encoder" in table.rows[3].failure
    for row in (table.rows[0], table.rows[2]):
        encoder = load_encoder(row.encoder)
        found = encode_image_files(encoder, task / "photos")
        alone, _ = evaluate_file(
            encoder, NAMES, task / "pairs.json", found.rows, found.images.label_indices(NAMES), draws=1, k=2
        )
        assert row.report == alone
    ps = [row.report.comparison.p for row in (table.rows[0], table.rows[2])]
    assert [table.rows[0].adjusted, table.rows[2].adjusted] == holm(ps)
    assert table.rows[1].adjusted is None
    content = json.loads(json.dumps(table.to_dict()))
    assert [one["failure"] for one in content["encoders"]] == [None, "CUDA out of memory", None, table.rows[3].failure]
    assert content["encoders"][1]["report"] is None
    text = table_text(table).splitlines()
    assert text[0].split()[:3] == ["template", "alone", "with"]
    assert text[2].split() == ["2", "failed"]
    assert "2: colours:9 failed: CUDA out of memory" in text
    assert text[-1] == "Of 2 encoders, with 1 it rises beyond the noise, with regard to their number."


def test_embeddings_are_kept_apart_for_each_encoder(task):
    specs = ["colours:0", "colours:2"]
    first = evaluate_encoders(specs, NAMES, task / "pairs.json", task / "photos", draws=0, cache=task / "kept")
    again = evaluate_encoders(specs, NAMES, task / "pairs.json", task / "photos", draws=0, cache=task / "kept")
    assert first == again
    assert first.rows[0].report != first.rows[1].report
    assert [path.name for path in (task / "kept").iterdir() if path.suffix == ".sqlite"] == ["embeddings.sqlite"]


@pytest.mark.parametrize(
    ("specs", "options", "says"),
    [
        (["colours:9", "nokind:1"], {}, "no encoder could be used; colours:9: CUDA out of memory"),
        (["colours:1", "colours:1"], {}, "each only once"),
        ([], {}, "at least one encoder"),
        (["colours:1"], {"trust": True}, "trust has no effect"),
    ],
)
def test_nothing_to_show_is_an_error(task, specs, options, says):
    with pytest.raises(UsageError, match=says):
        evaluate_encoders(specs, NAMES, task / "pairs.json", task / "photos", draws=0, **options)
