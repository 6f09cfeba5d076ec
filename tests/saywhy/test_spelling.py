"""Errors name what the user can write: options on the command line, arguments in Python."""

import json

import numpy as np
import pytest
import typer

from saywhy.cli.app import build
from saywhy.cli.spelling import spelling_of
from saywhy_core.errors import Bare, UsageError, argument, arguments_as
from verbalize import read_saliency

PYTHON_WORDS = ("='", "=True", "=False", "=...", "=[", "max_", "input_text", "class_names")


def parameters(*words):
    command = typer.main.get_command(build([words[0]]))
    for word in words:
        command = command.commands[word] if word in getattr(command, "commands", {}) else command
    return command.params


@pytest.mark.parametrize(
    ("command", "name", "value", "written"),
    [
        ("attack", "scores", "logits", "--scores logits"),
        ("attack", "layout", "nhwc", "--option layout=nhwc"),
        ("attack", "value_range", None, "--option value_range"),
        ("attack", "density", None, "--prior"),
        ("verbalize", "signed", False, "--unsigned"),
        ("verbalize", "signed", True, "--signed"),
        ("verbalize", "label", ..., "--label VALUE"),
        ("verbalize", "class_names", ..., "--class-names VALUE"),
        ("verbalize", "format", "csv", "--maps-format csv"),
        ("verbalize", "max_tokens_total", 12, "--max-tokens-total 12"),
        ("verbalize", "style", "smv-gpt", "--style 'smv-gpt'"),
        ("verbalize", "axes", Bare("chw or nhw"), "--axes chw or nhw"),
        ("describe", "offline", True, "--offline"),
        ("classify", "scores", "logits", "?scores=logits"),
    ],
)
def test_arguments_are_written_as_options(command, name, value, written):
    spell = spelling_of(parameters(command))
    assert spell(name, value) == written


def test_python_users_read_python_words_again_behind_a_command():
    with arguments_as(spelling_of(parameters("attack"))):
        assert argument("scores", "logits") == "--scores logits"
    assert [argument("scores", "logits"), argument("label", ...), argument("timeout")] == [
        "scores='logits'",
        "label=...",
        "timeout",
    ]
    with pytest.raises(UsageError, match=r"name it with label=\.\.\.$"):
        read_saliency([("a", 1.0)])


@pytest.mark.parametrize(
    ("name", "content", "options", "told"),
    [
        ("a.json", '[["a", 1.0], ["b", 0.5]]', (), "name it with --label"),
        ("a.json", '[["a", 1.0], ["b", -0.5]]', ("--label", "x", "--unsigned"), "--signed"),
        ("a.json", '{"tokens": ["a", "b"], "scores": [1.0, 0.5], "label": "x"}', ("--label", "y"), "leave out --label"),
        ("a.npy", (3, 8, 8), ("--label", "x"), "--axes"),
        ("a.npy", (8, 8), ("--label", "x", "--axes", "nhw"), "--axes nhw"),
        ("a.npy", (8, 8), ("--label", "x", "--unsigned"), "leave out --unsigned"),
        ("a.dat", "word,score\na,1\n", ("--label", "x"), "--maps-format csv"),
        ("a.json", '{"tokens": ["a", "b"], "scores": [1.0, 0.5], "label": "x"}', ("--image", "a.json"), "--image"),
    ],
)
def test_no_python_words_reach_the_reader_of_a_command(saywhy, tmp_path, name, content, options, told):
    if isinstance(content, str):
        (tmp_path / name).write_text(content)
    else:
        np.save(tmp_path / name, np.random.default_rng(0).normal(size=content))
    done = saywhy("verbalize", name, *options, folder=tmp_path)
    assert told in done.stderr
    assert not [word for word in PYTHON_WORDS if word in done.stderr], done.stderr


def test_a_ceiling_and_a_timeout_name_their_options(saywhy, chat_server, misbehaving, tmp_path):
    record = {"version": 1, "query": {"label": "x"}, "tokens": ["a", "b"], "scores": [1.0, -0.5]}
    (tmp_path / "m.jsonl").write_text("".join(json.dumps({**record, "id": str(i)}) + "\n" for i in range(3)))

    def asked(*options, **server):
        where = f"{chat_server(**server).url}#m"
        given = ("m.jsonl", "--style", "free", "--llm", where, "--out", "o.jsonl", "--max-retries", "0", *options)
        return saywhy("verbalize", *given, folder=tmp_path).stderr

    said = asked("--max-requests", "1", "--concurrency", "1", default="'a' speaks for 'x'.")
    assert "raise --max-requests, or go on with the replies that the cache holds (--offline)" in said
    assert "language model: 1 request (0 retries)" in said
    assert "pass --max-tokens-total 1: " in asked("--max-tokens-total", "1", default="x")
    assert "raise --timeout" in asked("--timeout", "0.3", default=misbehaving.Reply("x", delay=2.0))


@pytest.mark.parametrize("command", ["verbalize", "check", "convert", "picture", "attack", "describe", "classify", "improve"])
def test_no_name_of_an_option_is_shown_twice(command):
    names = [name for one in parameters(command) for name in (*one.opts, *one.secondary_opts) if name.startswith("--")]
    assert sorted(names) == sorted(set(names))
