"""Texts about maps: read line by line, paired with their maps, checked with what is stated beside them."""

from __future__ import annotations

import io
import json
import time

import pytest

from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings
from verbalize import Query, SecondReading, TextRecord, TokenSaliency, check_text, check_texts, iter_texts, with_maps

FILM = TokenSaliency(["great", "but", "dull"], [3.0, 0.0, -1.0], Query("positive"), id="film")


def test_records_are_read_and_broken_ones_are_named_with_their_line(tmp_path):
    lines = [
        json.dumps({"id": 7, "text": "one"}),
        "",
        "{no json",
        json.dumps(["a", "list"]),
        json.dumps({"id": "b"}),
        json.dumps({"id": "c", "text": "two", "claims": [{"kind": "supports", "part": [0]}]}),
        json.dumps({"id": "d", "text": "three", "claims": 5}),
    ]
    (tmp_path / "texts.jsonl").write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
    problems = []
    records = list(iter_texts(tmp_path / "texts.jsonl", problems.append))
    assert records == [
        TextRecord("7", "one", (), 1),
        TextRecord("c", "two", ({"kind": "supports", "part": [0]},), 6),
    ]
    assert [problem.line for problem in problems] == [3, 4, 5, 7]
    assert problems[3].id == "d"
    with pytest.raises(UsageError, match="line 3: not JSON"):
        list(iter_texts(tmp_path / "texts.jsonl"))


def test_a_text_over_the_ceiling_is_told_and_the_others_are_read(tmp_path):
    """A text of 400,000 characters takes some seconds to read; one of ten million would take minutes."""
    path = tmp_path / "texts.jsonl"
    path.write_text(
        "\n".join(json.dumps({"id": name, "text": "a" * size}) for name, size in (("long", 400_001), ("short", 400_000)))
    )
    problems = []
    assert [record.id for record in iter_texts(path, problems.append)] == ["short"]
    assert problems[0].id == "long"
    assert "--ceiling text=400001" in problems[0].what
    (tmp_path / "text.txt").write_text("a" * 400_001)
    with pytest.raises(UsageError, match="--ceiling text=400001"):
        list(iter_texts(tmp_path / "text.txt"))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        list(iter_texts(tmp_path / "none.jsonl"))
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "a", "text": "caf\xe9"}\n')
    with pytest.raises(UsageError, match="not UTF-8"):
        list(iter_texts(tmp_path / "latin.jsonl"))


def test_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO('{"id": "a", "text": "x"}\n'))
    assert list(iter_texts("-")) == [TextRecord("a", "x", (), 1)]


def test_texts_meet_their_maps():
    records = [TextRecord("film", "a", line=1), TextRecord("none", "b", line=2)]
    problems = []
    assert list(with_maps(records, [FILM], where="t.jsonl", on_problem=problems.append)) == [(records[0], FILM)]
    assert [str(problem) for problem in problems] == ["t.jsonl, line 2, id none: there is no map with this id"]
    with pytest.raises(UsageError, match="there is no map"):
        list(with_maps(records, [FILM]))


def test_what_is_said_and_stated_is_checked_and_counted_once():
    report = check_text("'great' speaks for 'positive'.", FILM)
    assert (len(report.claims), report.errors, report.unread) == (1, (), ())
    # stating what the text says anyway adds nothing; stating something else adds a claim
    twice = check_text("'great' speaks for 'positive'.", FILM, [{"kind": "supports", "part": [0]}])
    assert len(twice.claims) == 1
    false = check_text("'great' speaks for 'positive'.", FILM, [{"kind": "supports", "part": [2]}])
    assert [error.kind for error in false.errors] == ["wrong sign"]
    assert false.to_record()["claims"] == 2
    assert false.to_record()["errors"][0]["kind"] == "wrong sign"
    with pytest.raises(UsageError):
        check_text("", FILM, [{"kind": "no such kind", "part": [0]}])


def test_a_stated_claim_about_another_label_is_not_taken_for_what_the_text_says():
    report = check_text("'great' speaks for it.", FILM, [{"kind": "supports", "part": [0], "label": "negative"}])
    assert [error.kind for error in report.errors] == ["wrong label"]
    assert report.status == "false"
    assert report.counts == {"true": 1, "false": 0, "not verified": 0}


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"'great' speaks for it.\n\nSo it does.\n", ["'great' speaks for it.\n\nSo it does."]),
        (b"{label} was predicted because of 'great'.", ["{label} was predicted because of 'great'."]),
        (b'{"text": "one"}\n{"text": "two"}\n', ["one", "two"]),
        ("\ufeff'great' speaks for it.".encode(), ["'great' speaks for it."]),
        ("'great' speaks for it.".encode("utf-16"), ["'great' speaks for it."]),
        ('{"text": "a\u2028b"}'.encode(), ["a\u2028b"]),
    ],
)
def test_a_plain_text_is_one_text_and_records_need_no_id(tmp_path, content, texts):
    (tmp_path / "a.txt").write_bytes(content)
    records = list(iter_texts(tmp_path / "a.txt"))
    assert [(record.id, record.text) for record in records] == [(None, text) for text in texts]
    assert [record.place for record in records] == list(range(len(texts)))


def test_a_file_of_records_stays_one_whatever_it_begins_with(tmp_path):
    (tmp_path / "a.jsonl").write_text("no record")
    with pytest.raises(UsageError, match="line 1: not JSON"):
        list(iter_texts(tmp_path / "a.jsonl"))


def test_texts_without_ids_meet_the_maps_in_their_order():
    other = TokenSaliency(["dull"], [1.0], Query("positive"), id="other")
    texts = [TextRecord(None, "one", place=0), TextRecord(None, "two", place=1)]
    met = [(record.id, record.text, saliency) for record, saliency in with_maps(texts, [FILM, other])]
    assert met == [("film", "one", FILM), ("other", "two", other)]
    with pytest.raises(UsageError, match="there are 2 texts and 1 maps"):
        list(with_maps(texts, [FILM]))
    with pytest.raises(UsageError, match="names no map, and there are 2 maps"):
        list(with_maps(texts[:1], [FILM, other]))
    # the second of three records was lost: the third would meet the second map
    with pytest.raises(UsageError, match="not all of them could be read"):
        list(with_maps([texts[0], TextRecord(None, "three", place=2)], [FILM, other]))


def test_a_text_meets_no_map_by_chance():
    twin = TokenSaliency(["dull"], [1.0], Query("positive"), id="film")
    problems = []
    records = [TextRecord("film", "a", line=1), TextRecord(None, "b", line=2)]
    assert list(with_maps(records, [FILM, twin], where="t", on_problem=problems.append)) == []
    assert [problem.what for problem in problems] == ["2 maps have this id", "the text has no 'id', and others have one"]
    assert len(list(with_maps(records[:1], [FILM, FILM]))) == 1  # one map given twice is one map


def test_each_sentence_is_true_false_or_not_verified():
    report = check_text("'great' speaks for 'positive'. 'dull' speaks for it. Lovely film. It was 'great' to be there.", FILM)
    assert [sentence.status for sentence in report.sentences] == ["true", "false", "not verified", "not verified"]
    assert report.counts == {"true": 1, "false": 1, "not verified": 2}
    assert report.status == "false"
    assert [error.kind for error in report.sentences[1].errors] == ["wrong sign"]
    assert all(sentence.reason for sentence in report.sentences[2:])
    record = report.to_record()
    assert record["counts"] == {"true": 1, "false": 1, "not verified": 2, "true as read by a model": 0}
    assert [sentence["status"] for sentence in record["sentences"]] == ["true", "false", "not verified", "not verified"]
    assert record["sentences"][0]["claims"][0]["kind"] == "supports"
    json.dumps(record)


@pytest.mark.parametrize("text", ["", " \n", "Lovely film.", "'great' speaks for 'positive'. Lovely film."])
def test_a_text_that_says_nothing_of_its_map_is_not_verified(text):
    assert check_text(text, FILM).status == "not verified"


def test_what_the_map_cannot_decide_is_not_verified():
    unsigned = TokenSaliency(["great", "but", "dull"], [3.0, 0.0, 1.0], Query("positive"), signed=False)
    report = check_text("'great' speaks for 'positive'.", unsigned, [{"kind": "confidence", "value": 0.9}])
    assert not report.errors
    assert report.status == "not verified"
    assert len(report.undecided) >= 1


class Always:
    """A second reader that makes the same of every sentence, and remembers what it was asked."""

    def __init__(self, reading):
        self.reading, self.asked = reading, []

    def read(self, asked):
        self.asked += [sentence for sentence, _, _ in asked]
        return [self.reading] * len(asked)


def test_a_second_reader_adds_falsehoods_and_never_truth():
    text = "'great' speaks for 'positive'. 'dull' speaks for it. Lovely film."
    yes = Always(SecondReading("true"))
    report = check_text(text, FILM, reader=yes)
    assert yes.asked == ["Lovely film."]
    assert report.counts == {"true": 1, "false": 1, "not verified": 1}
    assert report.read_by_model == 1
    false = check_text("'dull' speaks for 'positive'.", FILM).errors
    report = check_text(text, FILM, reader=Always(SecondReading("false", (false[0].claim,), false)))
    assert report.counts == {"true": 1, "false": 2, "not verified": 0}
    assert report.to_record()["sentences"][2]["read_by_model"]["errors"][0]["kind"] == "wrong sign"


def test_one_bad_text_does_not_stop_the_others():
    good, bad = TextRecord("film", "'great' speaks for 'positive'.", line=1), TextRecord("film", "x", ({"kind": "?"},), 2)
    problems = []
    pairs = [(bad, FILM), (good, FILM), (TextRecord("film", None, line=3), FILM), (good, FILM)]
    found = list(check_texts(pairs, where="t.jsonl", on_problem=problems.append, reader=Always(SecondReading("true"))))
    assert [(record, report.status) for record, report in found] == [(good, "true")] * 2
    assert [(problem.where, problem.line) for problem in problems] == [("t.jsonl", 2), ("t.jsonl", 3)]
    with pytest.raises(UsageError, match="line 2"):
        list(check_texts(pairs))


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('[{"id": "a", "text": "one"}, {"text": "two"}]', [("a", "one"), (None, "two")]),
        ('{\n "id": "a",\n "text": "one"\n}', [("a", "one")]),
        ('[{"id": "a", "text": "one"},\n {"id": "b"}, {"tokens": [], "scores": [], "text": "x"}]', [("a", "one")]),
    ],
)
def test_a_json_file_may_hold_a_list_or_one_record(tmp_path, content, texts):
    (tmp_path / "a.json").write_text(content)
    records = list(iter_texts(tmp_path / "a.json", lambda problem: None))
    assert [(record.id, record.text) for record in records] == texts


@pytest.mark.parametrize("content", ["[1] 'great' speaks for it.", "[{label}] was predicted.", "{'great'} was predicted."])
def test_a_text_with_a_bracket_first_stays_a_text(tmp_path, content):
    (tmp_path / "a.txt").write_text(content)
    assert [record.text for record in iter_texts(tmp_path / "a.txt")] == [content]


def test_a_second_reader_that_says_less_than_it_was_asked_verifies_nothing():
    class Short:
        def read(self, asked):
            return []

    report = check_text("Lovely film. Nice plot.", FILM, reader=Short())
    assert report.counts == {"true": 0, "false": 0, "not verified": 2}
    assert report.read_by_model == 0


@pytest.mark.parametrize("text", ["lorem ipsum " * 8000, "? " * 50_000, "(" * 50_000 + ")" * 50_000, "'" * 100_000])
def test_a_text_made_to_take_for_ever_is_not_verified_in_seconds(text):
    begun = time.process_time()
    report = check_text(f"'great' speaks for 'positive'. {text}", FILM)
    assert (report.status, report.counts["true"]) == ("not verified", 1)
    assert time.process_time() - begun < 10


def test_a_text_has_a_ceiling_and_leaves_the_others():
    records = [TextRecord("film", "a" * 50), TextRecord("film", "'great' speaks for 'positive'.")]
    problems = []
    with ceilings(text=40):
        checked = list(check_texts([(record, FILM) for record in records], on_problem=problems.append))
    assert [report.status for _, report in checked] == ["true"]
    assert "--ceiling text=50" in problems[0].what


def test_one_bad_record_of_a_list_of_texts_leaves_the_others(tmp_path):
    good = '{"id": "film", "text": "Fine."}'
    for bad in (r'{"text": "\ud800"}', '{"text": "x", "id": ' + "9" * 5000 + "}", '{"text": ' + "[" * 300 + "]" * 300 + "}"):
        problems = []
        (tmp_path / "t.json").write_text(f"[{good},{bad},{good}]")
        assert [record.place for record in iter_texts(tmp_path / "t.json", problems.append)] == [0, 2]
        assert len(problems) == 1
