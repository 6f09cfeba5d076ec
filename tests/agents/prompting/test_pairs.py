"""FuDD's file and descriptions by class: read, written, bad entries reported."""

from __future__ import annotations

import json

import pytest

from agents import UsageError, read_descriptions, read_pairs, write_pairs
from agents.prompting.descriptions.pairs import Contrast, PairDescriptions, Provenance, parse_pairs

ENTRY = {"classes": [2, 0], "prompt_pairs": [{"attr_type": "ears", "prompt_pair": ["Pug with flat ears", "Cat, tall ears"]}]}
NAMES = ["Cat", "Birman", "Pug"]


def _write(path, content):
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_a_pair_is_found_from_either_side_and_keeps_its_case(tmp_path):
    pairs = read_pairs(_write(tmp_path / "pairs.json", {"0_2": ENTRY}))
    assert list(pairs) == [(0, 2)]
    contrast = pairs[2, 0][0]
    assert contrast == pairs["0_2"][0]
    assert contrast.attribute == "ears"
    assert contrast.captions == ("Cat, tall ears", "Pug with flat ears")
    assert (2, 0) in pairs
    assert (0, 1) not in pairs
    assert pairs.by_class(NAMES) == {"Cat": ["Cat, tall ears"], "Birman": [], "Pug": ["Pug with flat ears"]}


def test_what_is_written_is_read_back_and_fits_fudds_program(tmp_path):
    source = Provenance("some-model", "differential-1", "2026-01-02T03:04:05+00:00")
    pairs = PairDescriptions(
        {(1, 0): [Contrast("eyes", ("blue", "green"), source)], (0, 2): [Contrast("Größe", ("klein", "groß"))]},
        {0: "Cat", 1: "Birman", 2: "Pug"},
    )
    write_pairs(pairs, tmp_path / "out.json")
    back = read_pairs(tmp_path / "out.json", NAMES)
    assert dict(back) == dict(pairs)
    assert back[0, 1][0].provenance == source
    for key, entry in json.loads((tmp_path / "out.json").read_text(encoding="utf-8")).items():
        first, second = entry["classes"]
        assert key == f"{min(first, second)}_{max(first, second)}"
        assert all(set(item) == {"attr_type", "prompt_pair"} for item in entry["prompt_pairs"])


@pytest.mark.parametrize(
    "bad",
    [
        {"classes": [1, 1], "prompt_pairs": []},
        {"classes": [0, 2], "prompt_pairs": []},
        {"classes": [0, 1]},
        {"classes": [0, 1], "prompt_pairs": [{"attr_type": "x", "prompt_pair": ["only one"]}]},
        {"classes": [0, 1], "prompt_pairs": [{"attr_type": "x", "prompt_pair": ["a", " "]}]},
        {"classes": [0, True], "prompt_pairs": []},
        ["not", "an", "object"],
        None,
    ],
)
def test_a_bad_entry_is_reported_and_the_others_are_read(tmp_path, bad):
    pairs = read_pairs(_write(tmp_path / "pairs.json", {"0_1": bad, "0_2": ENTRY}))
    assert list(pairs) == [(0, 2)]
    assert len(pairs.problems) == 1
    assert "0_1" in pairs.problems[0].where


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("data", "the entry must be a JSON object with classes and prompt_pairs, not 'data'"),
        (7, "the entry must be a JSON object"),
        (None, "the entry must be a JSON object"),
        ({**ENTRY, "classes": "01"}, "classes must be two class numbers, not '01'"),
        ({**ENTRY, "classes": 5}, "classes must be two class numbers, not 5"),
        ({**ENTRY, "classes": [0, 1], "prompt_pairs": 5}, "prompt_pairs must be a JSON list, not 5"),
        ({**ENTRY, "classes": [0, 1], "prompt_pairs": ["x"]}, "an item of prompt_pairs must be a JSON object, not 'x'"),
        ({**ENTRY, "classes": [0, 1], "prompt_pairs": [{"prompt_pair": 5}]}, "prompt_pair must be two texts, not 5"),
        ({**ENTRY, "classes": [0, 1], "provenance": "me"}, "provenance must be a JSON object, not 'me'"),
        ({**ENTRY, "classes": [0, 1], "names": 5}, "names must be two texts, not 5"),
    ],
)
def test_an_entry_of_another_form_is_told_without_words_of_python(bad, told):
    problem = parse_pairs({"0_1": bad, "0_2": ENTRY}, "p.json").problems[0]
    assert problem.what.startswith(told)


def test_files_that_cannot_be_used_are_refused(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_pairs(tmp_path / "nothing.json")
    (tmp_path / "broken.json").write_text('{"0_1":\n oops}', encoding="utf-8")
    with pytest.raises(UsageError, match="line 2"):
        read_pairs(tmp_path / "broken.json")
    with pytest.raises(UsageError, match="no pair"):
        read_pairs(_write(tmp_path / "none.json", {"0_1": {}}))
    with pytest.raises(UsageError, match="object"):
        read_pairs(_write(tmp_path / "list.json", [1]))


def test_pairs_of_another_class_list_are_refused(tmp_path):
    path = _write(tmp_path / "pairs.json", {"0_2": {**ENTRY, "names": ["Pug", "Cat"]}})
    assert len(read_pairs(path, NAMES)) == 1
    with pytest.raises(UsageError, match="describes none of the 2 classes; it speaks of 'Cat'"):
        read_pairs(path, ["Birman", "Siamese"])


def test_descriptions_by_class_forgive_case_and_underscores(tmp_path):
    path = _write(tmp_path / "d.json", {"maine_coon": ["big paws", "big paws", " "], "SIAMESE": ["blue eyes"], "x": ["y"]})
    assert read_descriptions(path, ["Maine Coon", "Siamese", "Persian"]) == {
        "Maine Coon": ["big paws", "big paws"],
        "Siamese": ["blue eyes"],
        "Persian": [],
    }
    with pytest.raises(UsageError, match="none of the 1 classes"):
        read_descriptions(path, ["Bengal"])
    with pytest.raises(UsageError, match="class name to a list"):
        read_descriptions(_write(tmp_path / "bad.json", {"a": "text"}), ["a"])


def test_descriptions_are_read_out_of_pairs_and_prompt_files_too(tmp_path):
    pairs = _write(tmp_path / "pairs.json", {"0_2": ENTRY})
    assert read_descriptions(pairs, NAMES)["Pug"] == ["Pug with flat ears"]
    prompts = _write(tmp_path / "prompts.json", {"version": 1, "prompts": {"Cat": ["a cat"]}, "history": []})
    assert read_descriptions(prompts, NAMES)["Cat"] == ["a cat"]
    again = _write(tmp_path / "again.json", {"Cat": ["ünïcode"]})
    assert read_descriptions(again, NAMES)["Cat"] == ["ünïcode"]


def test_one_broken_entry_of_a_pair_file_leaves_the_others(tmp_path):
    good = '{"classes": [0, 1], "prompt_pairs": [{"attr_type": "a", "prompt_pair": ["a cat", "a dog"]}]}'
    bad = [
        good.replace("a dog", "\\ud800"),
        good.replace("[0, 1]", "[0, " + "9" * 5000 + "]"),
        good.replace("[0, 1]", '[0, "1"]'),
        good.replace('"attr_type": "a"', '"attr_type": ' + "[" * 200 + "]" * 200),
        '{"classes": 5}',
        '{"classes": [0, 1], "prompt_pairs": 5}',
        '{"classes": [0, 1], "prompt_pairs": [5]}',
        "5",
        "null",
    ]
    for entry in bad:
        (tmp_path / "pairs.json").write_text(f'{{"0_2": {entry.replace("[0, 1]", "[0, 2]")}, "0_1": {good}}}')
        found = read_pairs(tmp_path / "pairs.json")
        assert (list(found), len(found.problems)) == ([(0, 1)], 1), entry[:80]
        assert "0_2" in str(found.problems[0])
