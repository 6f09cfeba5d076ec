"""Objects that were made in Python to take memory or time, or of the wrong kind: each is one sentence, at once."""

from __future__ import annotations

import time

import numpy as np
import pytest

from saywhy_core.reading.ceilings import ceilings
from verbalize import iter_texts, read_saliency
from verbalize.saliency import SaliencyError


def _itself():
    made: list[object] = []
    made.append(made)
    return made


def _through_another():
    made: dict[str, object] = {"tokens": ["a"]}
    made["scores"] = [[made]]
    return [made]


def _bomb():
    made: object = [1.0]
    for _ in range(60):
        made = [made, made]
    return made


def _deep():
    made: object = 1.0
    for _ in range(100_000):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (_itself, "holds itself"),
        (_through_another, "holds itself"),
        (_bomb, "the same lists stand in each other"),
        (lambda: {"tokens": ["a"], "scores": _bomb()}, "the same lists stand in each other"),
        (_deep, "nested deeper than 100 levels"),
        (lambda: np.zeros((16384, 16384), "i1"), "268,435,456 scores.*--ceiling scores=268435456"),
        (lambda: np.zeros((1, 8192, 8192), "i1"), "67,108,864 scores"),
        (lambda: [np.zeros((16384, 16384), "i1")], "268,435,456 scores"),
    ],
)
def test_what_would_take_time_or_memory_is_refused_at_once(made, said):
    source = made()
    begun = time.process_time()
    with pytest.raises(SaliencyError, match=said):
        read_saliency(source, label="x")
    assert time.process_time() - begun < 3


def test_a_map_that_stands_there_often_is_no_bomb():
    assert len(read_saliency([np.ones((4, 4))] * 50, label="x", signed=False)) == 50


def test_lists_that_hold_the_same_over_and_over_can_be_allowed():
    made = [[("good", 1.0), ("bad", -1.0)]]
    with ceilings(values=5):
        assert len(read_saliency(made, label="x")) == 1


_OWN = {"version": 1, "query": "x"}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({**_OWN, "tokens": None, "scores": [1]}, "null stands in the place of a value"),
        ({**_OWN, "tokens": 3, "scores": [1]}, "a number stands in the place of a list"),
        ({**_OWN, "tokens": ["a"], "scores": [[1, 2], [3]]}, "lists of numbers differ in length"),
        ({"tokens": ["a"], "scores": [1], "label": "x", "text": "a", "offsets": [3]}, "a number stands in the place of a list"),
        ({"tokens": ["a"], "scores": [1], "label": "x", "text": "a", "offsets": [["a", 1]]}, "a value is no number"),
        ({"tokens": ["a"], "scores": [1], "label": "x", "text": "a", "offsets": [[1]]}, "another length than it should"),
        ({"tokens": ["a"], "scores": [{}], "label": "x"}, "a value is no number"),
        ([[1, 2], [3]], "lists of numbers differ in length"),
        ("a\0b", "a name holds a NUL character"),
        (0, r"a number \(0\) is in no format"),
        (None, "null is in no format"),
        ({"tokens": None}, "an object .* is in no format"),
    ],
)
def test_values_of_the_wrong_kind_are_told_without_words_of_python(record, said):
    with pytest.raises(SaliencyError, match=said) as caught:
        read_saliency(record)
    for word in ("Error", "NoneType", "iterable", "subscriptable", "array element", "unpack", "literal", "a int", "a object"):
        assert word not in str(caught.value)


@pytest.mark.parametrize("bad", [b"\0\0", b'\0{"text": "a"}', b'{"text": "\0"}', b'{"text": "\xff"}'])
@pytest.mark.parametrize("first", [True, False])
def test_one_line_that_is_no_text_leaves_the_others(tmp_path, bad, first):
    good = b'{"id": "a", "text": "One."}\n'
    (tmp_path / "t.jsonl").write_bytes(bad + b"\n" + good if first else good + bad + b"\n")
    problems = []
    found = list(iter_texts(tmp_path / "t.jsonl", problems.append))
    assert [one.id for one in found] == ["a"]
    assert [one.line for one in problems] == [1 if first else 2]
