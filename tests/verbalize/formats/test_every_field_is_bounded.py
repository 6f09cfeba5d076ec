"""Every list and every string of a record is under a ceiling, which its problem names; the other records are read."""

from __future__ import annotations

import json

import pytest

from agents.prompting import read_descriptions, read_pairs
from saywhy_core.errors import UsageError
from saywhy_core.names import read_class_names
from saywhy_core.reading.ceilings import ceilings
from verbalize import read_saliency
from verbalize.texts import iter_texts

GOOD = {"version": 1, "id": "good", "query": {"label": "x"}, "tokens": ["so", "great"], "scores": [0.1, 0.9]}
TEXT = GOOD | {"text": "so great", "offsets": [[0, 2], [3, 8]]}
MANY, LONG = 21, "n" * 31


def _names(number):
    return [f"l{i}" for i in range(number)]


CASES = {
    "tokens": ("tokens", GOOD | {"tokens": ["a"] * MANY, "scores": [1.0] * MANY}),
    "special": ("tokens", GOOD | {"special": [["[PAD]", 0.0, 0]] * MANY}),
    "versus": ("tokens", GOOD | {"query": {"label": "x", "versus": _names(MANY)}}),
    "versus beside": ("tokens", GOOD | {"versus": _names(MANY)}),
    "members": ("tokens", GOOD | {"query": {"label": "x", "members": _names(MANY)}}),
    "scores": ("tokens", GOOD | {"prediction": {"label": "x", "scores": dict.fromkeys(_names(MANY), 0.1)}}),
    "offsets": ("tokens", TEXT | {"offsets": [[0, 2]] * MANY}),
    "word": ("characters", GOOD | {"tokens": ["a", "w" * 41]}),
    "special token": ("characters", GOOD | {"special": [["w" * 41, 0.0, 0]]}),
    "text": ("text", TEXT | {"text": "so great" + " " * 100}),
    "id": ("name", GOOD | {"id": LONG}),
    "label": ("name", GOOD | {"query": {"label": LONG}}),
    "label as text": ("name", GOOD | {"query": LONG}),
    "label in versus": ("name", GOOD | {"query": {"label": "x", "versus": [LONG]}}),
    "label in members": ("name", GOOD | {"query": {"label": "x", "members": [LONG]}}),
    "method": ("name", GOOD | {"method": LONG}),
    "predicted": ("name", GOOD | {"prediction": {"label": LONG}}),
    "true label": ("name", GOOD | {"prediction": {"label": "x", "true_label": LONG}}),
    "scored label": ("name", GOOD | {"prediction": {"label": "x", "scores": {LONG: 1.0}}}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_field_above_its_ceiling_is_the_problem_of_its_record(tmp_path, case):
    name, record = CASES[case]
    record = record if "id" in case else record | {"id": "bad"}
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(one) + "\n" for one in (GOOD, record, GOOD | {"id": "last"})))
    problems = []
    with ceilings(tokens=20, characters=40, name=30, text=80):
        found = read_saliency(tmp_path / "m.jsonl", on_problem=problems.append)
    assert [one.id for one in found] == ["good", "last"]
    (problem,) = problems
    assert problem.line == 2
    if case != "offsets":  # whose number must be that of the words
        assert f"--ceiling {name}=" in problem.what
    assert len(problem.what) < 400


def test_what_is_at_its_ceiling_is_read(tmp_path):
    record = GOOD | {
        "id": "n" * 30,
        "query": {"label": "n" * 30, "versus": [f"v{name}" for name in _names(20)], "members": _names(20)},
        "special": [["w" * 40, 0.0, 0]] * 20,
        "prediction": {"label": "n" * 30, "scores": dict.fromkeys(_names(20), 0.1)},
        "method": "n" * 30,
    }
    (tmp_path / "m.jsonl").write_text(json.dumps(record) + "\n")
    with ceilings(tokens=20, characters=40, name=30):
        (found,) = read_saliency(tmp_path / "m.jsonl")
    assert len(found.special) == len(found.query.versus) == 20


def test_ids_of_the_defaults(tmp_path):
    records = [GOOD | {"id": "i" * 1_000_000}, GOOD | {"query": {"label": "l" * 390_000}}, GOOD]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    problems = []
    (found,) = read_saliency(tmp_path / "m.jsonl", on_problem=problems.append)
    assert found.id == "good"
    assert ["the id has 1,000,000 characters in one name" in problems[0].what, "the label has 390,000" in problems[1].what]


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("name", {"id": LONG, "text": "so"}),
        ("text", {"id": "a", "text": "s" * 81}),
        ("tokens", {"text": "so", "claims": [{}] * 21}),
    ],
)
def test_texts_to_check(tmp_path, name, record):
    (tmp_path / "t.jsonl").write_text(json.dumps(record) + '\n{"id": "b", "text": "fine"}\n')
    problems = []
    with ceilings(tokens=20, name=30, text=80):
        assert [one.id for one in iter_texts(tmp_path / "t.jsonl", problems.append)] == ["b"]
    assert f"--ceiling {name}=" in problems[0].what


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("text", {"attr_type": "ears", "prompt_pair": ["c" * 81, "d"]}),
        ("name", {"attr_type": LONG, "prompt_pair": ["c", "d"]}),
    ],
)
def test_descriptions_of_pairs(tmp_path, name, pair):
    fine = {"classes": [0, 2], "prompt_pairs": [{"attr_type": "ears", "prompt_pair": ["c", "d"]}]}
    (tmp_path / "p.json").write_text(json.dumps({"0_1": {"classes": [0, 1], "prompt_pairs": [pair]}, "0_2": fine}))
    with ceilings(name=30, text=80):
        found = read_pairs(tmp_path / "p.json")
    assert list(found) == [(0, 2)]
    assert f"--ceiling {name}=" in found.problems[0].what


@pytest.mark.parametrize("texts", [["d" * 81], ["d"] * 21])
def test_descriptions_by_class(tmp_path, texts):
    (tmp_path / "p.json").write_text(json.dumps({"cat": texts}))
    with ceilings(tokens=20, text=80), pytest.raises(UsageError, match="--ceiling t"):
        read_descriptions(tmp_path / "p.json", ["cat"])


def test_prompts_without_a_version_are_prompts(tmp_path):
    (tmp_path / "p.json").write_text(json.dumps({"prompts": {"cat": ["round ears"]}}))
    assert read_descriptions(tmp_path / "p.json", ["cat", "dog"]) == {"cat": ["round ears"], "dog": []}


def test_class_names(tmp_path):
    (tmp_path / "c.txt").write_text(f"cat\n{LONG}\n")
    with ceilings(name=30), pytest.raises(UsageError, match="--ceiling name=31"):
        read_class_names(tmp_path / "c.txt")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"scores": [True, 0.5]}, "score 0 is true"),
        ({"scores": [0.5, False]}, "score 1 is false"),
        ({"version": True}, "version True"),
        ({"text": "so great", "offsets": [[0, 2.5], [3, 8]]}, "whole numbers"),
        ({"text": "so great", "offsets": [[False, 2], [3, 8]]}, "whole numbers"),
        ({"special": [["[PAD]", 0.0, 0.5]]}, "whole numbers"),
        ({"pixels": "a\u0000.npy"}, "NUL character"),
        ({"id": "good"}, "an earlier record has this id"),
    ],
)
def test_values_that_python_would_take_for_others_are_told_with_their_line(tmp_path, change, said):
    records = [GOOD, GOOD | {"id": "bad"} | change, GOOD | {"id": "last"}]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(one) + "\n" for one in records))
    problems = []
    found = read_saliency(tmp_path / "m.jsonl", on_problem=problems.append)
    assert [one.id for one in found] == ["good", "last"]
    assert problems[0].line == 2
    assert said in problems[0].what
