"""Sentences about what the model would do are read into the right claims or not at all; no model is needed.

The notation of the data files: "sentence => claims", with "&" between claims. "D great,fine >negative @positive" is decisive, of
'great' and 'fine' together, becomes 'negative', label 'positive'; "!" negates; S is sufficient; "C great =dull" is counterfactual
with a replacement; "?" is a part that is not in the input; "plain" stands for claims of other kinds, which must be there; "-" means
that nothing of the sentence may be read, and "old" that it may be read, but not as an effect.
"""

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verbalize import PixelSaliency, Prediction, Query, read_sentences

HERE = Path(__file__).parent
KINDS = {"D": "decisive", "S": "sufficient", "C": "counterfactual"}


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


FILM = replace(
    load(HERE.parents[1] / "lies.py").FILM,
    prediction=Prediction("positive", scores={"positive": 0.8, "negative": 0.15, "neutral": 0.05}),
)


def sentences(name):
    lines = (HERE / name).read_text().splitlines()
    return [tuple(map(str.strip, line.rsplit("=>", 1))) for line in lines if "=>" in line and not line.startswith("#")]


def expected(notation):
    """The claims that a line expects, as comparable tuples, and whether plain claims are to stand beside them."""
    claims, plain = set(), False
    for one in notation.split("&"):
        fields = one.split()
        if fields == ["plain"]:
            plain = True
            continue
        kind = KINDS[fields[0].removeprefix("!")]
        part = None if fields[1] == "?" else tuple(sorted(place(word) for word in fields[1].split(",")))
        marked = {field[0]: field[1:] for field in fields[2:]}
        claims.add((kind, part, fields[0].startswith("!"), marked.get(">"), marked.get("@"), marked.get("=")))
    return claims, plain


def place(word):
    return int(word) if word.isdigit() else FILM.tokens.index(word)


def outcome(text, notation, saliency=FILM):
    """Whether a text is read "right", "unread", or "wrong"; an unread sentence that makes a claim is wrong, too."""
    read = read_sentences(text, saliency)
    claims = [claim for sentence in read for claim in sentence.claims]
    effects = {
        (claim.kind, claim.part, claim.negated, claim.becomes, claim.label, claim.replacement)
        for claim in claims
        if claim.kind in KINDS.values()
    }
    others = [claim for claim in claims if claim.kind not in KINDS.values()]
    if notation == "old":
        return "wrong" if effects else "right"
    if notation == "-":
        return "wrong" if read[-1].claims or not read[-1].unread else "right"
    wanted, plain = expected(notation)
    if any(sentence.unread for sentence in read):
        return "wrong" if effects - wanted or (others and not plain) else "unread"
    return "right" if effects == wanted and bool(others) == plain else "wrong"


def measured(name):
    outcomes = {text: outcome(text, notation) for text, notation in sentences(name)}
    stated = [text for text, notation in sentences(name) if notation not in ("-", "old")]
    recall = sum(outcomes[text] == "right" for text in stated) / len(stated)
    return recall, outcomes


@pytest.mark.parametrize(("name", "least"), [("dev.txt", 0.98), ("held_out.txt", 0.85)])
def test_no_sentence_is_read_wrongly_and_most_are_read(name, least):
    recall, outcomes = measured(name)
    assert [text for text, found in outcomes.items() if found == "wrong"] == []
    assert recall >= least, [text for text, found in outcomes.items() if found == "unread"]


@pytest.mark.parametrize("word", ["but", "and", "ending drags"])
def test_what_map_and_model_disagree_on_is_read_of_every_word(word):
    (read,) = read_sentences(f"The map's most important word is '{word}'; without it the model still says 'positive'.", FILM)
    assert [(claim.kind, claim.negated) for claim in read.claims] == [("most_important", False), ("decisive", True)]
    assert not read.unread


@pytest.mark.parametrize("word", ["might", "almost", "not", "only", "often", "partly", "any"])
def test_a_word_that_changes_an_effect_is_not_passed_over(word):
    words = ["Without", "'great',", "the", "model", "changes", "its", "decision"]
    plain = read_sentences(" ".join(words), FILM)[0].claims
    for place in range(len(words) + 1):
        (read,) = read_sentences(" ".join([*words[:place], word, *words[place:]]), FILM)
        assert read.claims != plain
        assert read.unread


def coloured(*names):
    scores = np.zeros((4, 4))
    masks = np.zeros((len(names), 4, 4), dtype=bool)
    for row in range(len(names)):
        masks[row, row], scores[row] = True, row + 1.0
    return PixelSaliency(scores, Query("stop"), masks=masks, mask_names=names, prediction=Prediction("stop"))


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (("red region at the top", "blue region at the left", "grey region at the bottom"), (0,)),
        (("red region at the top", "red region at the bottom", "blue region at the left"), None),
        (("red region at the top", "dark red region at the bottom"), None),
        (("dark red region at the top", "blue region at the left"), None),
        (("blue region at the top", "red"), None),
    ],
)
def test_a_region_may_be_named_by_its_colour_alone_where_no_other_has_it(names, part):
    (read,) = read_sentences("Without the red region, the model says 'go' instead of 'stop'.", coloured(*names))
    assert [claim.part for claim in read.claims] == ([] if part is None else [part])
    assert read.unread == (part is None)
