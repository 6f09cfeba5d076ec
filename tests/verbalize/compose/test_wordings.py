"""Every wording of the paraphrase grammar is read back as exactly the claims that it says, and a lie in it is found."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from verbalize import Claim, PixelSaliency, Query, TokenSaliency, check, read_sentences
from verbalize.compose.clauses import clauses_of
from verbalize.compose.fill import Filler
from verbalize.compose.meaning import same_meaning
from verbalize.evidence import evidence_of
from verbalize.phrasing.forms import FORMS
from verbalize.phrasing.wording import AUDIENCES
from verbalize.write.draft import Draft
from verbalize.write.naming import Frame, capital

spec = importlib.util.spec_from_file_location("statements", Path(__file__).parent / "statements.py")
statements = importlib.util.module_from_spec(spec)
spec.loader.exec_module(statements)
CASES = [(form, saliency, claims) for form, cases in statements.STATEMENTS.items() for saliency, claims in cases]


def sentence(saliency, claims, wording, *, mask_labels=False):
    (clause,) = clauses_of(claims, signed=saliency.signed)
    evidence = evidence_of(saliency)
    frame = Frame.of(saliency.query, mask_labels=mask_labels, heard=" ".join(evidence.names))
    return clause.form, capital(Filler(Draft(saliency, evidence, frame), "lay").fill(clause, wording)) + "."


def read(text, saliency):
    found = read_sentences(text, saliency)
    assert not any(one.unread for one in found), text
    return [claim for one in found for claim in one.claims]


def test_every_form_is_tried_and_has_a_dozen_wordings():
    assert set(statements.STATEMENTS) == set(FORMS)
    assert {form: len(wordings) for form, wordings in FORMS.items() if len(wordings) < 12} == {}
    for form, wordings in FORMS.items():
        assert len({wording.text for wording in wordings}) == len(wordings), form
        for audience in AUDIENCES:
            assert sum(audience in wording.audiences for wording in wordings) >= 4, (form, audience)


@pytest.mark.parametrize(("form", "saliency", "claims"), CASES, ids=[f"{form}-{saliency.id}" for form, saliency, _ in CASES])
def test_each_wording_is_read_back_as_what_it_says(form, saliency, claims):
    assert check(claims, saliency)
    for wording in FORMS[form]:
        made, text = sentence(saliency, claims, wording)
        assert made == form
        back = read(text, saliency)
        assert same_meaning(claims, back, saliency.query), (text, back)
        assert check(back, saliency), text


@pytest.mark.parametrize(("form", "saliency", "claims"), CASES, ids=[f"{form}-{saliency.id}" for form, saliency, _ in CASES])
def test_the_same_sentence_of_another_map_is_false(form, saliency, claims):
    """With all scores turned round, or flat ones made uneven, nothing that was said of the evidence is true."""
    if form in ("predicted", "confidence", "predicted_confidence", "runner_up"):
        other = replace(
            saliency.prediction, label="negative", probability=0.4, scores={"negative": 0.4, "x": 0.3, "mixed": 0.1}
        )
        turned = TokenSaliency(saliency.tokens, saliency.scores, saliency.query, prediction=other)
    elif not saliency.signed:
        turned = TokenSaliency(saliency.tokens, 4 - saliency.scores, saliency.query, signed=False)
    else:
        scores = -saliency.scores if saliency.scores.any() else np.arange(len(saliency), dtype=float)
        if form in ("nothing_toward", "near_zero"):
            scores = np.roll(scores, 7) * 3 + 1
        if form in ("share", "shares", "together", "count", "count_both"):
            scores = np.ones(len(saliency))
        turned = TokenSaliency(saliency.tokens, scores, saliency.query)
    for wording in FORMS[form]:
        _, text = sentence(saliency, claims, wording)
        unread = any(one.unread for one in read_sentences(text, turned))
        assert (form == "followed" and unread) or not check(read(text, turned), turned), text


def test_names_that_need_care_are_read_back():
    words = ["good", "x'y", "a", '"', "a", "مرحبا", "good", "very", "a" * 70, "bad"]
    saliency = TokenSaliency(words, [3.0, 2.5, 2.0, 1.9, 1.5, 1.2, 1.0, 0.9, 0.8, -1.0], Query("good", ("bad",)))
    for index in range(10):
        claim = Claim("supports" if index < 9 else "opposes", (index,))
        for wording in FORMS[claim.kind]:
            _, text = sentence(saliency, [claim], wording)
            assert [one.part for one in read(text, saliency)] == [(index,)], text


def test_a_label_that_is_a_word_of_the_input_is_told_from_it():
    words = ["mixed", "good", "positive"]
    known = statements.HOTEL.prediction
    saliency = TokenSaliency(words, [1.0, 2.0, -1.0], Query("positive"), prediction=known)
    for form in ("predicted", "confidence", "predicted_confidence", "runner_up"):
        ((_, claims),) = statements.STATEMENTS[form]
        for wording in FORMS[form]:
            _, text = sentence(saliency, claims, wording)
            assert same_meaning(claims, read(text, saliency), saliency.query), text
    for wording in FORMS["supports"]:
        claims = [Claim("supports", (0,))]
        assert same_meaning(claims, read(sentence(saliency, claims, wording)[1], saliency), saliency.query)


def test_masked_labels_are_read_as_no_label():
    for form, saliency, claims in CASES:
        if form not in ("predicted", "confidence", "predicted_confidence", "runner_up"):
            for wording in FORMS[form]:
                _, text = sentence(saliency, claims, wording, mask_labels=True)
                assert "'positive'" not in text
                assert same_meaning(claims, read(text, saliency), saliency.query), text


def test_regions_of_a_picture():
    scores = np.zeros((32, 32))
    scores[2:10, 2:10], scores[20:28, 20:28], scores[4:8, 22:28] = 3.0, 2.0, -4.0
    picture = PixelSaliency(scores, Query("stop"), image=np.full((32, 32, 3), (0.8, 0.1, 0.1)))
    evidence = evidence_of(picture)
    best, second = (int(index) for index in np.argsort(-evidence.net)[:2])
    first = Claim("most_important", (best,), direction="supports")
    for claims, form in (
        ([Claim("supports", (best,)), Claim("supports", (second,))], "supports"),
        ([first], "most_important"),
        ([first, Claim("rank", (second,), value=2.0, direction="supports")], "first_second"),
        ([Claim("count", (), value=2.0, direction="supports")], "count"),
        ([Claim("count", (), value=1.0, direction="opposes")], "count"),
    ):
        assert check(claims, picture), claims
        for wording in FORMS[form]:
            _, text = sentence(picture, claims, wording)
            assert same_meaning(claims, read(text, picture), picture.query), text


@pytest.mark.parametrize(
    "text",
    [
        "'lovely' speaks for 'positive' and it was written by a paid critic.",
        "'lovely' does not speak for 'positive'.",
        "'lovely' speaks for 'positive' of the two.",
        "Hardly: 'lovely' speaks for 'positive'.",
        "'lovely' speaks for 'positive' [see below].",
        "'lovely' speaks for the model 'positive'.",
        "In addition, in addition, 'lovely' speaks for 'positive'.",
    ],
)
def test_a_sentence_with_another_word_is_none_of_the_grammar(text):
    found = read_sentences(text, statements.HOTEL)
    assert not any(rule.startswith("fixed:") for one in found for rule in one.rules)


def test_a_shared_place_is_shared_by_equals_only():
    uneven = TokenSaliency(statements.TOKENS, statements.SCORES, Query("positive"))
    for wording in FORMS["equal_first"]:
        ((_, claims),) = statements.STATEMENTS["equal_first"]
        _, text = sentence(statements.EVEN, claims, wording)
        assert not check(read(text.replace("'staff'", "'superb'"), uneven), uneven)


def test_a_word_that_is_not_in_the_input_is_never_taken_for_one():
    for text in (
        "'zyzzyva' speaks for 'positive'.",
        "'lovely' and 'zyzzyva' speak for 'positive'.",
        "'lovely' speaks for 'sports'.",
    ):
        found = read_sentences(text, statements.HOTEL)
        assert any(one.unread for one in found) or not check([c for one in found for c in one.claims], statements.HOTEL)
