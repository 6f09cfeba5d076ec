import codecs
import gzip
import json
import math
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saywhy_core.disk.files import UnusableFileError, atomic_open, protected_inputs
from saywhy_core.errors import UsageError
from saywhy_core.reading import raw
from saywhy_core.reading.ceilings import CeilingError, Ceilings, ceilings
from saywhy_core.reading.documents import (
    DEEPEST,
    NotJsonError,
    Unreadable,
    decode_text,
    parse_entries,
    parse_json,
    parse_records,
    read_bytes,
    read_entries,
    read_json,
    read_text,
    unpack_gzip,
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_json, st.booleans())
def test_json_that_python_writes_comes_back(content, ascii_only):
    text = json.dumps(content, ensure_ascii=ascii_only)
    assert parse_json(text) == content
    assert parse_json(text.encode()) == content
    assert parse_json(codecs.BOM_UTF8 + text.encode()) == content
    assert parse_records(text) == content


def test_literals_of_python_are_read_as_before():
    found = parse_json(b"[NaN, Infinity, -Infinity, 1e308]")
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf, 1e308]
    assert parse_json('{"a": 1, "a": 2}') == {"a": 2}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (rb'{"id": "\ud800"}', "half a character"),
        (rb'{"id": "\udc00\ud800"}', "half a character"),
        (rb'{"id": "\\\ud83d\ude00\uDFFF"}', "half a character"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        ('"\ud800"', "half a character"),
        (b"[" + b"9" * 5000 + b"]", "whole number"),
        (b"[" + b"9" * 400 + b".5]", "too large"),
        (b"[1e400]", "the number 1e400 is too large"),
        (b"[-1E+0999]", "too large"),
        (b"[" * 1_000_000, "nested deeper than 100"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested deeper than 100"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "nested deeper than 100"),
        ('{"a": 1}'.encode("utf-16"), "is UTF-16 text"),
        ('{"a": 1}'.encode("utf-32"), "is UTF-32 text"),
        ('{"a": 1}'.encode("utf-16-le"), "or text in UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "or text in UTF-16"),
        ('["é"]'.encode("latin-1"), "not UTF-8"),
        (b"", "not JSON: Expecting value"),
        (b"[1\0]", "not JSON"),
        (b"{} {}", "not JSON: Extra data"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_the_file(data, said):
    with pytest.raises(UsageError) as caught:
        parse_json(data, "maps.json")
    text = str(caught.value)
    assert text.startswith("maps.json")
    assert said in text
    assert "\n" not in text
    assert len(text) < 300


def test_pairs_of_surrogates_and_escaped_backslashes_are_whole_characters():
    assert parse_json(rb'"\ud83d\uDE00 \\ud800"') == "😀 \\ud800"


def test_the_deepest_that_is_allowed_is_read():
    assert parse_json("[" * DEEPEST + "]" * DEEPEST) is not None


def test_json_lines_can_be_told_from_broken_json():
    with pytest.raises(NotJsonError) as lines:
        parse_json("{}\n{}", "x")
    with pytest.raises(NotJsonError) as broken:
        parse_json("{]", "x")
    assert (lines.value.several, lines.value.line, broken.value.several) == (True, 2, False)


def test_a_key_that_stands_twice_is_an_error_where_keys_must_be_unique():
    with pytest.raises(UsageError, match="x: the key '0' stands there twice"):
        parse_json('{"0": "a", "0": "b"}', "x", unique=True)


def test_one_bad_item_of_a_list_leaves_the_others():
    deep = "[" * 500 + "]" * 500
    items = ['{"id": "a]["}', r'{"id": "\ud800"}', "[1, [2, 3]]", "9" * 5000, deep, '"b,\\"c"', "[1e999]", "7"]
    found = parse_records(f"[{' , '.join(items)}]", "x")
    assert [isinstance(one, Unreadable) for one in found] == [False, True, False, True, True, False, True, False]
    assert [one for one in found if not isinstance(one, Unreadable)] == [{"id": "a]["}, [1, [2, 3]], 'b,"c', 7]
    assert "half a character" in found[1].what


def test_one_bad_entry_of_an_object_leaves_the_others():
    found = parse_entries(r'{"a": [1, "}"], "b:{": "\ud800", "\udc00": 1, "c": ' + "9" * 5000 + ', "d": {"e": null}}', "x")
    assert {key: value for key, value in found.items() if not isinstance(value, Unreadable)} == {
        "a": [1, "}"],
        "d": {"e": None},
    }
    assert [key for key, value in found.items() if isinstance(value, Unreadable)] == ["b:{", "number 2", "c"]


def test_a_document_that_is_no_list_is_refused_whole():
    with pytest.raises(UsageError, match="half a character"):
        parse_records(r'{"a": ["\ud800"]}', "x")


def test_brackets_are_counted_before_they_take_memory(tmp_path):
    file = tmp_path / "many.json"
    file.write_bytes(b"[" + b"[]," * 20_000_000 + b"[]]")
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_AS, (600 * 2**20,) * 2)\n"  # the lists would take 1,600 MiB
        "from saywhy_core.reading.documents import read_json\n"
        "try: read_json(sys.argv[1])\n"
        "except ValueError as error: print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True).stdout
    assert "at most 6,000,000 are read" in said
    assert "--ceiling values=" in said


def test_twenty_thousand_maps_are_below_the_ceiling():
    record = {"id": "a", "tokens": ["word"] * 50, "scores": [0.5] * 50, "offsets": [[i, i + 4] for i in range(50)]}
    with ceilings(values=Ceilings().values // 10):
        assert len(parse_json(f"[{','.join([json.dumps(record)] * 2_000)}]")) == 2_000


def test_ceilings_can_be_lowered_and_raised():
    with ceilings(values=10), pytest.raises(CeilingError, match=r"--ceiling values=\d+"):
        parse_json(json.dumps(list(range(20))))
    with ceilings(bytes=10), pytest.raises(CeilingError, match="--ceiling bytes"):
        parse_json(b" " * 11)


# files


def test_a_file_is_read_whole_and_its_text_without_a_byte_order_mark(tmp_path):
    (tmp_path / "a.txt").write_bytes(codecs.BOM_UTF8 + "é\r\n".encode())
    assert read_bytes(tmp_path / "a.txt") == codecs.BOM_UTF8 + "é\r\n".encode()
    assert read_text(tmp_path / "a.txt") == "é\r\n"


@pytest.mark.parametrize("read", [read_bytes, read_text, read_json, read_entries])
def test_what_is_no_file_is_told_in_one_sentence(tmp_path, read):
    with pytest.raises(UsageError, match=r"gone does not exist; it should hold maps"):
        read(tmp_path / "gone", holds="maps")
    with pytest.raises(UsageError, match="is a folder; name a file"):
        read(tmp_path)
    with pytest.raises(UsageError, match="is no name of a file"):
        read("a\0b")
    with pytest.raises(UsageError, match="can't be read: File name too long"):
        read("a" * 5000)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="can't be read: Too many levels"):
        read(tmp_path / "loop")
    with ceilings(bytes=1000), pytest.raises(CeilingError, match="has more than 1,000 bytes"):
        read("/dev/zero")


def test_a_file_is_refused_by_its_size_before_it_is_read(tmp_path):
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(CeilingError, match=r"sparse has 1,099,511,627,776 bytes, and at most 67,108,864 are read"):
        read_bytes(tmp_path / "sparse")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc here")
def test_a_file_that_says_that_it_is_empty_is_read():
    assert b"Name:" in read_bytes("/proc/self/status")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_read_to_its_end_and_waited_for_only_so_long(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    content = bytes(range(256)) * 1000
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    assert read_bytes(tmp_path / "pipe") == content
    writer.join()
    monkeypatch.setattr(raw, "_WAIT", 0.2)
    with pytest.raises(UsageError, match="is a pipe, and for 0 seconds nobody has opened it"):
        read_bytes(tmp_path / "pipe")


def test_what_is_read_is_protected_from_being_overwritten(tmp_path):
    (tmp_path / "a.json").write_text("[]")
    with protected_inputs():
        read_json(tmp_path / "a.json")
        with pytest.raises(UnusableFileError, match="one of the files that are read"), atomic_open(tmp_path / "a.json"):
            pass


def test_other_encodings_are_named():
    for name in ("utf-16", "utf-32"):
        with pytest.raises(UsageError, match=f"it is {name.upper()} text; save it as UTF-8"):
            decode_text("a".encode(name), "it")
    with pytest.raises(UsageError, match="at byte 4, line 2"):
        decode_text(b"ab\nc\xff", "it")


# gzip


def test_packed_files_are_unpacked_in_all_their_parts(tmp_path):
    packed = gzip.compress(b"[1,") + gzip.compress(b"") + gzip.compress(b" 2]") + b"\0" * 512
    assert unpack_gzip(packed, "x") == b"[1, 2]"
    (tmp_path / "a.JSON.gz").write_bytes(packed)
    assert read_json(tmp_path / "a.JSON.gz") == [1, 2]
    assert read_entries(tmp_path / "a.JSON.gz") == [1, 2]
    large = os.urandom(3_000_000)
    assert unpack_gzip(gzip.compress(large), "x") == large


def test_what_unpacks_to_more_than_the_ceiling_is_not_unpacked():
    bomb = gzip.compress(b"\0" * 20_000_000)
    with ceilings(bytes=1_000_000), pytest.raises(CeilingError, match="x unpacks to more than 1,000,000 bytes"):
        unpack_gzip(bomb, "x")
    with ceilings(bytes=1_000_000), pytest.raises(CeilingError, match="x unpacks to more than"):
        unpack_gzip(gzip.compress(b"\0" * 400_000) * 3, "x")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"[1]" * 1000)[:-9], "cut short"),
        (gzip.compress(b"[1]")[:-8] + bytes(8), "incorrect data check"),
        (b"[1]", "incorrect header check"),
        (gzip.compress(b"[1]") + b"[1]", "after its end stands something else"),
        (gzip.compress(b"") * 2000, "more than 1,000 parts that hold nothing"),
        (gzip.compress(b"[1]") + gzip.compress(b"[1]")[:5], "cut short"),
    ],
    ids=["cut within", "checksum", "plain", "something behind", "many empty parts", "second part cut"],
)
def test_damaged_gzip_files_are_told_in_one_sentence(data, said):
    with pytest.raises(UsageError, match=f"^x can't be unpacked: .*{said}"):
        unpack_gzip(data, "x")


@given(st.binary(max_size=200), st.integers(0, 200), st.integers(0, 255))
def test_a_changed_byte_is_an_error_of_the_user_or_no_error(content, place, value):
    packed = bytearray(gzip.compress(content))
    packed[place % len(packed)] = value
    with suppress(UsageError):  # and no other error
        unpack_gzip(bytes(packed), "x")
