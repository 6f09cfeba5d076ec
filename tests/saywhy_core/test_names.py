"""Class names out of files, classes by name or number, and file names that any file system takes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saywhy_core.errors import UsageError
from saywhy_core.names import check_class_names, class_index, read_class_names, read_lines, safe_file_name


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("names.txt", "cat\n\n  dog \r\nred fox"),
        ("names.txt", "\ufeffcat\ndog\nred fox\n"),
        ("names.json", '["cat", "dog", "red fox"]'),
        ("names.json", '\ufeff{"1": "dog", "0": "cat", "2": "red fox"}'),
        ("names", '[\n "cat", "dog", "red fox"]'),
        ("names.txt", '{"0": "cat", "1": "dog", "2": "red fox"}'),
    ],
)
def test_the_forms_of_a_list_of_names(tmp_path, file, content):
    (tmp_path / file).write_text(content, encoding="utf-8", newline="")
    assert read_class_names(tmp_path / file) == ["cat", "dog", "red fox"]
    assert read_class_names(str(tmp_path / file)) == ["cat", "dog", "red fox"]


def test_a_name_in_brackets_is_a_line(tmp_path):
    (tmp_path / "names.txt").write_text("[unknown]\n{other}\n", encoding="utf-8")
    assert read_class_names(tmp_path / "names.txt") == ["[unknown]", "{other}"]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("names.txt", "cat\n\ndog\ncat\n", r"names\.txt, line 4: the class 'cat' was named before, in line 1"),
        ("names.json", '["cat", "dog", "cat"]', r"names\.json, name 3.*in name 1"),
        ("names.json", '["cat",\n "dog"', r"names\.json, line 2: not JSON"),
        ("names.json", '["cat", ""]', r"name 2: a class name must be"),
        ("names.json", "[1]", r"name 1"),
        ("names.json", '{"a": "b"}', r"the keys 0, 1, 2"),
        ("names.json", '{"0": "a", "2": "b"}', r"without a gap"),
        ("names.json", '{"0": "a", "0": "b", "1": "c"}', r"the key '0' stands there twice"),
        ("names.json", "3", r"must hold a JSON list"),
        ("names.json", "[]", r"holds no class names"),
        ("names.txt", "\n \n", r"holds no class names"),
    ],
)
def test_what_is_no_list_of_names_is_told_with_its_place(tmp_path, file, content, said):
    (tmp_path / file).write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_class_names(tmp_path / file)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a", "b", "a"], "^names, name 3: the class 'a' was named before, in name 1"),
        (["", ""], "^names, name 1: a class name must be"),
        (["a", 3], "^names, name 2: a class name must be"),
        ([], "^names: the list of class names is empty"),
    ],
)
def test_a_list_of_names_is_held_to_the_same_rules(names, said):
    with pytest.raises(UsageError, match=said):
        check_class_names(names, "names")
    assert check_class_names((" cat ", "dog"), "names") == ["cat", "dog"]


def test_long_lists_may_repeat_a_name_as_imagenet_does(tmp_path):
    (tmp_path / "names.json").write_text(json.dumps([f"class {index}" for index in range(499)] + ["class 7"]))
    assert len(read_class_names(tmp_path / "names.json")) == 500


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        read_class_names(tmp_path / "none.txt")
    (tmp_path / "latin").write_bytes("Löwe".encode("latin-1"))
    with pytest.raises(UsageError, match=r"not UTF-8 text: .* at byte 1, line 1; save it as UTF-8$"):
        read_class_names(tmp_path / "latin")
    with pytest.raises(UsageError, match="is a folder; name a file"):
        read_lines(tmp_path)


def test_lines_keep_their_numbers(tmp_path):
    (tmp_path / "labels.txt").write_text("\ufeffa\n\n b \na\n", encoding="utf-8")
    assert read_lines(tmp_path / "labels.txt") == [(1, "a"), (3, "b"), (4, "a")]


def test_a_class_by_name_or_number():
    assert class_index("dog", ["cat", "dog"], "--goal") == 1
    assert class_index("1", ["cat", "dog"], "--goal") == 1
    assert class_index("7", None, "--goal") == 7
    assert class_index("0", ["1", "0"], "--goal") == 1  # a name goes before a number
    for text, names, said in (
        ("2", ["cat", "dog"], "--goal: there is no class '2'; there are 'cat', 'dog'"),
        ("-1", None, "--goal: there is no class -1; classes have numbers from 0 on"),
        ("cow", None, "'cow' is no class number, .* give a number, or give the names with --classes FILE"),
        ("crane", ["crane", "cat", "crane"], "the classes 0 and 2 are both named 'crane'"),
    ):
        with pytest.raises(UsageError, match=said):
            class_index(text, names, "--goal")


RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}
IDS = st.one_of(
    st.text(max_size=120), st.sampled_from(["CON", "nul.txt", "a", "A", "a.", "..", "-rf", "lpt1.b", "x" * 79 + ".b"])
)


@given(st.lists(IDS, max_size=30), st.sampled_from(["", ".png"]))
def test_file_names_are_safe_unique_and_stable(ids, suffix):
    taken = set()
    names = [safe_file_name(name, suffix, taken) for name in ids]
    assert len({name.casefold() for name in names}) == len(ids)
    assert taken == {name.casefold() for name in names}
    again = set()
    assert [safe_file_name(name, suffix, again) for name in ids] == names
    for name in names:
        assert name.isascii()
        assert 0 < len(name) <= 120
        assert not set(name) & set('/\\:*?"<>| \n\0')
        assert not name.startswith((".", "-"))
        assert not name.endswith(".")
        assert name.split(".")[0].casefold() not in RESERVED


def test_harmless_ids_stay_as_they_are():
    assert safe_file_name("stop-sign_03.v2", ".png") == "stop-sign_03.v2.png"
    taken = set()
    assert safe_file_name("a", ".png", taken) == "a.png"
    assert safe_file_name("A", ".png", taken).startswith("A-")
