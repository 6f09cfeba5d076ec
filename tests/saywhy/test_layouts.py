"""`saywhy verbalize --format`: text for people, JSON Lines for programs."""

import json
import os
import subprocess
import sys

import pytest

from verbalize import Query, TokenSaliency, write_saliency


@pytest.fixture
def folder(tmp_path):
    maps = [TokenSaliency(["great", "plot"], [2.0, -1.0], Query("positive"), id=name) for name in ("one", "two")]
    write_saliency(maps[:1], tmp_path / "one.jsonl")
    write_saliency(maps, tmp_path / "two.jsonl")
    return tmp_path


def words(path):
    return path.read_text(encoding="utf-8")


def test_a_pipe_gets_json_and_a_given_layout_wins(saywhy, folder):
    (record,) = [json.loads(line) for line in saywhy("verbalize", "one.jsonl", folder=folder).stdout.splitlines()]
    assert record["id"] == "one"
    assert saywhy("verbalize", "one.jsonl", "--format", "text", folder=folder).stdout == record["text"] + "\n"
    assert saywhy("verbalize", "one.jsonl", "--format", "markdown", "--out", "t.txt", folder=folder).returncode == 0
    assert words(folder / "t.txt") == record["text"] + "\n"
    many = saywhy("verbalize", "two.jsonl", "--format", "text", folder=folder).stdout
    assert many == f"one\n{record['text']}\n\ntwo\n{record['text']}\n\n"


@pytest.mark.parametrize(("name", "begins"), [("t.txt", "one\n"), ("t.md", "## one\n"), ("t.jsonl", "{"), ("t", "{")])
def test_the_suffix_of_a_file_decides(saywhy, folder, name, begins):
    assert saywhy("verbalize", "two.jsonl", "--out", name, folder=folder).returncode == 0
    assert words(folder / name).startswith(begins)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_terminal_gets_text(folder):
    master, slave = os.openpty()
    try:
        command = [sys.executable, "-m", "saywhy", "verbalize", "one.jsonl"]
        subprocess.run(command, cwd=folder, stdout=slave, stderr=subprocess.PIPE, timeout=120, check=True)
        shown = os.read(master, 10_000).decode()
    finally:
        os.close(master)
        os.close(slave)
    assert "'great'" in shown
    assert "{" not in shown
    assert "\x1b" not in shown


def test_the_format_of_maps_has_a_name_of_its_own(saywhy, folder):
    by_name = saywhy("verbalize", "one.jsonl", "--maps-format", "saywhy", folder=folder)
    earlier = saywhy("verbalize", "one.jsonl", "--format", "saywhy", folder=folder)
    assert by_name.stdout == earlier.stdout
    assert "--maps-format saywhy now" in earlier.stderr
    done = saywhy("verbalize", "one.jsonl", "--maps-format", "saywhy", "--format", "captum", folder=folder)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    done = saywhy("verbalize", "one.jsonl", "--format", "html", folder=folder)
    assert done.returncode == 2
    assert "use one of text, jsonl, markdown" in done.stderr
    assert saywhy("picture", "one.jsonl", "--format", "saywhy", "--out", "p", folder=folder).returncode == 0


def test_a_language_model_s_texts_are_laid_out_too(saywhy, folder, chat_server):
    server = chat_server(default="'great' speaks for 'positive'.")
    asked = ["verbalize", "two.jsonl", "--style", "smv-gpt", "--llm", f"{server.url}#m", "--out", "t.md"]
    assert saywhy(*asked, folder=folder).returncode == 0
    assert words(folder / "t.md") == "## one\n\n'great' speaks for 'positive'.\n\n## two\n\n'great' speaks for 'positive'.\n\n"
    asked = ["verbalize", "one.jsonl", "--style", "smv-gpt", "--llm", f"{server.url}#m", "--format", "text"]
    assert saywhy(*asked, folder=folder).stdout == "'great' speaks for 'positive'.\n"


@pytest.mark.parametrize("name", ["t.pdf", "t.HTML", "t.docx"])
def test_a_file_of_another_kind_is_refused_unless_the_layout_is_given(saywhy, folder, name):
    refused = saywhy("verbalize", "two.jsonl", "--out", name, folder=folder)
    assert refused.returncode == 2
    assert "texts are written as .jsonl, .txt or .md" in " ".join(refused.stderr.split())
    assert not (folder / name).exists()
    assert saywhy("verbalize", "two.jsonl", "--out", name, "--format", "text", folder=folder).returncode == 0
