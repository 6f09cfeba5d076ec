"""Texts laid out for people: what was not checked stands apart, and nothing in a text is obeyed by a terminal or by Markdown."""

import json

import pytest

from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, TokenSaliency, Verbalization, lay_out
from verbalize.layout import layout_of

MADE = Verbalization("r1", "'a' speaks for 'b'.", (), 1.0, background=("A has fur.", "B has fins."), comment="'a' is a letter.")
BACKGROUND, COMMENT = "Background, not from the map: A has fur. B has fins.", "The model adds, unchecked: 'a' is a letter."


def test_what_was_not_checked_stands_apart_and_marked():
    assert lay_out(MADE, "text") == f"'a' speaks for 'b'.\n\n{BACKGROUND}\n\n{COMMENT}\n"
    assert lay_out(MADE, "markdown") == f"'a' speaks for 'b'.\n\n> {BACKGROUND}\n\n> {COMMENT}\n"


def test_one_of_several_texts_has_its_id_above():
    assert lay_out(MADE, "text", named=True).startswith("r1\n'a' speaks for 'b'.\n\nBackground")
    assert lay_out(MADE, "markdown", named=True).startswith("## r1\n\n'a' speaks for 'b'.\n\n> Background")
    assert lay_out(MADE, "text", named=True).endswith("\n\n")


def test_a_line_of_json_is_the_record():
    line = lay_out(MADE, "jsonl")
    assert line.count("\n") == 1
    assert json.loads(line) == MADE.to_record()
    assert lay_out(MADE.to_record(), "jsonl", named=True) == line


@pytest.mark.parametrize("layout", ["text", "markdown"])
def test_a_terminal_is_told_nothing(layout):
    hostile = "a\x1b[2J\x07\u202eb\x9b\n# c\u2028d \u2068אב\u2069"
    shown = lay_out(Verbalization(hostile, hostile, (), 1.0, background=(hostile,), comment=hostile), layout, named=True)
    assert not set("\x1b\x07\u202e\x9b\u2028") & set(shown)
    assert "\\x1b" in shown.replace("\\\\", "\\").replace("\\[", "[")
    assert "\u2068אב\u2069" in shown  # isolates end, and are needed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# x", "\\# x"),
        ("- x", "\\- x"),
        ("1. x", "1\\. x"),
        ("<b> [x](y) *x* _x_ `x` |", "\\<b\\> \\[x\\](y) \\*x\\* \\_x\\_ \\`x\\` \\|"),
        ("http://a.b www.a.b a@b", "http\\://a.b www\\.a.b a\\@b"),
        ("'great' (46%), a-b.", "'great' (46%), a-b."),
    ],
)
def test_markdown_shows_the_text_as_it_is(text, shown):
    assert lay_out(Verbalization("x", text, (), 1.0), "markdown") == f"{shown}\n"


def test_there_are_three_layouts():
    with pytest.raises(UsageError, match="no layout 'html'; use one of text, jsonl, markdown"):
        lay_out(MADE, "html")
    names = ["a.jsonl", "a.TXT", "b/a.md", "a.markdown", "a", "a.json", "-"]
    assert [layout_of(name) for name in names] == ["jsonl", "text", "markdown", "markdown", None, None, None]


def test_one_bad_map_does_not_stop_the_others():
    good = TokenSaliency(["a", "b"], [1.0, -1.0], Query("x"), id="good")
    problems = []
    verbalizer = TemplateVerbalizer()
    made = list(verbalizer.verbalize_all([good, None, good], where="m.jsonl", on_problem=problems.append))
    assert [one.saliency_id for one in made] == ["good", "good"]
    assert [(problem.where, problem.id) for problem in problems] == [("m.jsonl", "number 2")]
    with pytest.raises(TypeError):
        list(verbalizer.verbalize_all([good, None]))
