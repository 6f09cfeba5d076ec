"""Every reader of a text file tells in one sentence that it holds something else, whatever that is."""

import os

import pytest

from agents import read_descriptions, read_pairs
from saywhy_core.errors import UsageError
from saywhy_core.names import read_class_names, read_lines
from saywhy_core.reading import raw
from verbalize import iter_texts, read_saliency

READERS = {
    "names.txt": read_class_names,
    "names.json": read_class_names,
    "labels.txt": read_lines,
    "pairs.json": read_pairs,
    "prompts.json": lambda path: read_descriptions(path, ["cat"]),
    "texts.jsonl": lambda path: list(iter_texts(path)),
    "text.txt": lambda path: list(iter_texts(path)),
    "maps.jsonl": read_saliency,
    "maps.json": read_saliency,
    "maps.json.gz": read_saliency,
    "maps.csv": lambda path: read_saliency(path, label="x"),
}
CONTENTS = {
    "utf-32": "cat\ndog\n".encode("utf-32"),
    "utf-16 without a mark": "cat\ndog\n".encode("utf-16-le"),
    "latin-1": "caf\u00e9\n".encode("latin-1"),
    "nul": b"cat\0dog\n\0",
    "picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    "empty": b"",
    "mark": b"\xef\xbb\xbf",
    "blank": b" \n\r\n\t",
    "deep": b"[" * 100_000,
    "digits": b'{"a": ' + b"9" * 5000 + b"}",
}
READ = {("labels.txt", name) for name in ("empty", "mark", "blank", "deep", "digits")} | {("text.txt", "deep")}


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("name", READERS)
def test_other_contents_are_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(CONTENTS[content])
    if (name, content) in READ:  # lines that may hold anything
        READERS[name](tmp_path / name)
        return
    with pytest.raises(UsageError) as caught:
        READERS[name](tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_is_one_sentence(tmp_path, name, monkeypatch):
    with pytest.raises(UsageError, match=name):
        READERS[name](tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(UsageError, match=f"{name} is a folder"):
        READERS[name](tmp_path / name)
    if hasattr(os, "mkfifo"):
        monkeypatch.setattr(raw, "_WAIT", 0.1)
        (tmp_path / "pipe").mkdir()
        os.mkfifo(tmp_path / "pipe" / name)
        with pytest.raises(UsageError, match="is a pipe"):
            READERS[name](tmp_path / "pipe" / name)
