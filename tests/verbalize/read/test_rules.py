"""Every rule of the reader: its examples are read by it, its counter-examples are not verified, and it can fire at all."""

import importlib.util
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from verbalize import check, read_sentences
from verbalize.read.clauses import _match, grammar
from verbalize.read.grammar import lexicon
from verbalize.read.grammar.lexicon import word_classes
from verbalize.read.rule_examples import EXAMPLES


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


FILM = load(Path(__file__).parents[1] / "lies.py").FILM
RULES = grammar().rules
# Rules that have not two examples and a counter-example yet. The list only gets shorter.
LACKING = {
    "a label has N",
    "a label is the runner-up",
    "a score of one",
    "after the label, another is likeliest",
    "among the words for it is",
    "an area",
    "as scores show",
    "balance in per cent",
    "because of it the model leans",
    "being the most important",
    "contributes little",
    "hardly matters",
    "has contributed to the label",
    "instead of a part",
    "is among the top three",
    "is of greater importance",
    "is second to",
    "is times as important",
    "leads the words for it",
    "leads to the label",
    "makes a case",
    "makes the model believe",
    "neither supports nor opposes",
    "no other word speaks for it: after",
    "no region as a whole speaks for it",
    "nothing stands out",
    "one side amounts to",
    "one side outweighs the other",
    "opposes: makes it surer",
    "opposes: points",
    "other words have scores",
    "pulls the other way",
    "pushes it away",
    "regions take no side",
    "rider",
    "right behind",
    "scores are being given to",
    "scores are given to, which suggests",
    "scores of words",
    "share the first place",
    "so many for, so many against",
    "speaks for it rather than against it",
    "speaks more than another for it",
    "supports: makes it surer",
    "the confidence is",
    "the input is empty",
    "the label is held back by",
    "the model did not read it as a sign",
    "the model gave scores to",
    "the model gives N to",
    "the model gives it twice the weight",
    "the model is N sure",
    "the model picks it up as a sign",
    "the model weighs it more than another",
    "the most important of all is",
    "the only ones with high scores",
    "the prediction is",
    "the runner-up is",
    "the score is: possessive",
    "the score of N for it, which suggests",
    "the strongest of the words for it is",
    "the text as a whole speaks for it",
    "the text speaks rather for than against",
    "the weakest of the words for it is",
    "there are scores for",
    "there are words with lower scores",
    "there is more evidence for than against",
    "there is no such word",
    "they all have scores",
    "together hold a share",
    "with confidence, predicted",
    "with shares",
    "words of one side outweigh",
    "words with scores, such as",
    "you will not find it",
}


def test_each_rule_has_a_name_of_its_own():
    assert not [name for name, count in Counter(rule.name for rule in RULES).items() if count > 1]
    assert not EXAMPLES.keys() - {rule.name for rule in RULES}


def test_each_rule_has_examples():
    lacking = {rule.name for rule in RULES if len(rule.examples) < 2 or not rule.counter_examples}
    assert not lacking - LACKING
    assert not LACKING - lacking, "these have their examples now: take them out of LACKING"


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.examples], ids=lambda rule: rule.name)
def test_examples_are_read_whole_by_their_rule(rule):
    for text in rule.examples:
        sentences = read_sentences(text, FILM)
        assert not any(sentence.unread for sentence in sentences), text
        assert rule.name in [name for sentence in sentences for name in sentence.rules], text


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.counter_examples], ids=lambda rule: rule.name)
def test_counter_examples_are_not_verified(rule):
    for text in rule.counter_examples:
        sentences = read_sentences(text, FILM)
        report = check([claim for sentence in sentences for claim in sentence.claims], FILM)
        assert report.errors or any(sentence.unread for sentence in sentences), text


def sample(tree, rng):
    """A string that matches a parsed expression."""
    out = ""
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            out += chr(argument)
        elif name == "IN":
            kind, value = rng.choice(argument)
            out += chr(value if str(kind) == "LITERAL" else rng.randint(*value))
        elif name == "BRANCH":
            out += sample(rng.choice(argument[1]), rng)
        elif name == "SUBPATTERN":
            out += sample(argument[3], rng)
        elif name == "MAX_REPEAT":
            low, high, inner = argument
            times = low if rng.random() < 0.8 else min(int(high), low + 1)
            out += "".join(sample(inner, rng) for _ in range(times))
        elif name == "ANY":
            out += rng.choice([*grammar().notation._codes.values()])
        elif name in ("ASSERT", "ASSERT_NOT"):  # what stands around is not sampled
            continue
        else:
            raise AssertionError(name)
    return out


def fires(rule, tries=400):
    """Whether a sentence of word classes that matches the rule is read by it, and not by a rule before it."""
    known = grammar()
    part = known.notation.code(frozenset({"PT"}))
    tree = re._parser.parse(known.notation.expand(rule.pattern))
    rng = random.Random(0)
    for _ in range(tries):
        codes = (part if rule.scope == "predicate" else "") + sample(tree, rng)
        segment = _match(codes, 0, len(codes), known, known.possible(codes))
        if segment is not None and segment.rule is not None and segment.rule.name == rule.name:
            return True
    return False


def test_no_rule_is_hidden_by_those_before_it():
    assert not [rule.name for rule in RULES if not rule.examples and not fires(rule)]


def test_each_class_of_words_is_used():
    """A class that no pattern and no claim function names is a rule that someone forgot."""
    folder = Path(lexicon.__file__).parents[1]
    named = {
        name
        for path in folder.rglob("*.py")
        if path.stem not in ("lexicon", "rule_examples")
        for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", path.read_text(encoding="utf-8"))
    }
    unused = set().union(*word_classes().values()) - named
    assert not {name for name in unused if not name.endswith(("_G", "_P"))}
