"""Lists under a heading, and tables: read as the sentences that they stand for, or not at all."""

import importlib.util
import sys
from pathlib import Path

import pytest

from verbalize import check, read_sentences


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


FILM = load(Path(__file__).parents[1] / "lies.py").FILM


def outcome(text):
    sentences = read_sentences(text, FILM)
    report = check([claim for sentence in sentences for claim in sentence.claims], FILM)
    if report.errors:
        return "false"
    return "unread" if any(sentence.unread for sentence in sentences) else "true"


@pytest.mark.parametrize(
    "item", ["- 'great'", "* great", "• “great”", "1. 'great'", "1) great", "- **great**", "- 'great' (2.0)", "- great: 2.0"]
)
@pytest.mark.parametrize(
    "heading",
    [
        "The most important word is:",
        "Most important word:",
        "# Most important word",
        "The most important word for 'positive' is:",
    ],
)
def test_an_item_says_what_its_heading_says(heading, item):
    assert outcome(f"{heading}\n{item}") == "true"
    assert outcome(f"{heading}\n\n{item}\n") == "true"
    for other in ("fine", "dull", "with"):
        assert outcome(f"{heading}\n{item.replace('great', other)}") != "true"
    assert outcome(f"{heading}\n{item.replace('2.0', '1.4').replace('great', 'acting')}") != "true"


def test_the_items_of_a_list_are_taken_together():
    assert outcome("The most important words are:\n- 'great'\n- 'fine'") == "true"
    assert outcome("The most important words are:\n- 'great'\n- 'acting'") == "false"
    assert outcome("Words that speak for 'positive':\n- 'great' (2.0)\n- 'fine' (0.8)") == "true"
    assert outcome("Words that speak for 'positive':\n- 'great' (2.0)\n- 'dull' (-1.5)") == "false"
    heading, great, fine = read_sentences("The most important words are:\n- 'great'\n- 'fine'", FILM)
    assert [claim.part for claim in great.claims] == [(1,), (1,)]
    assert [claim.part for claim in fine.claims] == [(8,), (8,)]
    assert set(heading.claims) == {*great.claims, *fine.claims}


def test_a_list_in_order_ranks():
    assert outcome("The most important words for 'positive' in order:\n1. 'great'\n2. 'fine'\n3. 'acting'") == "true"
    assert outcome("The most important words for 'positive', in order of importance:\n- great\n- fine") == "true"
    assert outcome("The most important words in order:\n1. 'fine'\n2. 'great'") == "false"
    assert outcome("The most important words are:\n1. 'fine'\n2. 'great'") == "unread"  # the numbers may be places
    assert outcome("The most important words in order:\n2. 'great'\n1. 'fine'") == "unread"


@pytest.mark.parametrize(
    "text",
    [
        "- 'great'\n- 'fine'",
        "Some thoughts:\n- 'great'",
        "The plot:\n- 'great'",
        "The most important words are not:\n- 'great'\n- 'fine'",
        "Few would call these the most important words:\n- 'great'\n- 'fine'",
        "The most important words are:\n- 'great', supposedly\n- 'fine'",
        "The most important words are:\n- 'great'\n- the weather",
        "The most important words are:\n\nThe film is fun.\n\n- 'great'",
    ],
)
def test_other_lists_are_not_verified(text):
    assert outcome(text) != "true"


def test_a_table_of_words_and_scores():
    table = "| word | score |\n|---|---:|\n| great | 2.0 |\n| dull | -1.5 |"
    assert outcome(table) == "true"
    assert outcome(table.replace("-1.5", "1.5")) == "false"
    assert outcome(table.replace("dull", "awful")) != "true"
    assert outcome(table.replace("score", "price")) == "unread"
    assert outcome(table.replace("| dull | -1.5 |", "| dull | very low |")) == "unread"
    assert outcome(table.replace("| dull | -1.5 |", "| dull | -1.5 | and so on |")) == "unread"


def test_they_after_a_list_means_nothing_that_stood_before_it():
    text = "'dull' speaks against 'positive'. The most important words are:\n- 'great'\n- 'fine'\n\nIt has a negative score."
    assert outcome(text) != "true"
