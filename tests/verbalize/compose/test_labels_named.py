"""What "it" means: a sentence that names another label comes between, and the query is written in full again."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verbalize import Prediction, Query, TokenSaliency, check, read_sentences
from verbalize.compose import Plan, chosen_of, menu_of, realised
from verbalize.compose.meaning import same_meaning

HOTEL = TokenSaliency(
    ["the", "staff", "were", "lovely", "but", "breakfast", "was", "cold"],
    [0.0, -0.2, 0.0, -1.5, 0.1, 0.3, 0.0, 2.0],
    Query("negative"),
    prediction=Prediction("negative", 0.88, {"negative": 0.88, "positive": 0.09, "neutral": 0.03}),
)
WORLD = TokenSaliency(
    ["world", "cup", "match"], [-1.0, 0.5, 0.2], Query("World"),
    prediction=Prediction("Sports", 0.9, {"Sports": 0.9, "World": 0.1}),
)  # fmt: skip
PRONOUN = re.compile(r"\b(?:for|against|towards|to|from|on|of|supports?|opposes?|favours?|favour of) (?:it|that choice)\b")


def strays(text, label, others):
    """The sentences that say "it" where the label named last is another one."""
    found, last = [], label
    for sentence in re.split(r"(?<=\.) ", text.replace(" rather than 'neutral'", "")):
        for mark in re.finditer(rf"(?<!word )'({'|'.join(map(re.escape, [label, *others]))})'|{PRONOUN.pattern}", sentence):
            if mark[1]:
                last = mark[1]
            elif last != label:
                found.append(sentence)
    return found


@pytest.mark.parametrize("saliency", [HOTEL, WORLD])
def test_the_label_is_named_again_after_another_one(saliency):
    menu = menu_of(saliency)
    model = [item.number for item in menu if item.claims[0].label not in (None, saliency.query.label)]
    signs = [item.number for item in menu if item.claims[0].kind in ("supports", "opposes")]
    for seed in range(30):
        plan = Plan.model_validate({"groups": [[signs[0]], [model[seed % len(model)]], [signs[1]]]})
        made = realised(saliency, chosen_of(plan, menu), seed=seed)
        assert made.text.count(f"'{saliency.query.label}'") >= 2, made.text
        assert strays(made.text, saliency.query.label, saliency.prediction.scores.keys() - {saliency.query.label}) == []


@pytest.mark.parametrize(
    ("text", "saliency"),
    [
        ("'positive' is the second most likely label. 'cold' pushes the model towards it.", HOTEL),
        ("The runner-up is 'positive'. 'cold' speaks for it.", HOTEL),
        ("The second most likely label is 'positive'. Nothing but 'cold' and 'breakfast' speaks for it.", HOTEL),
        ("The model's answer is 'Sports'. The word 'world' counts against it.", WORLD),
        ("The model predicts 'Sports' with a probability of 90%. The word 'world' speaks against the label.", WORLD),
        ("The model predicts 'Sports'. 'cup' hardly matters. 'match' speaks for that choice.", WORLD),
        ("The model wavered towards 'positive'. 'cold' speaks for it.", HOTEL),
    ],
)
def test_it_after_another_label_is_not_read_as_the_query(text, saliency):
    last = read_sentences(text, saliency)[-1]
    assert not any(rule.startswith("fixed:") for rule in last.rules), last


def test_it_after_the_label_of_the_query_is_read():
    for text in (
        "The model predicts 'negative'. 'cold' speaks for it.",
        "The runner-up is 'positive'. Only 'lovely' and 'staff' speak against 'negative'. 'cold' speaks for it.",
    ):
        assert check([claim for one in read_sentences(text, HOTEL) for claim in one.claims], HOTEL)
        assert not any(one.unread for one in read_sentences(text, HOTEL))


def test_a_label_is_called_a_label_once():
    saliency = TokenSaliency(
        ["sports", "day"], [1.0, -1.0], Query("World"), prediction=Prediction("Sports", 0.9, {"Sports": 0.9, "World": 0.1})
    )
    menu = menu_of(saliency)
    model = [item.number for item in menu if item.claims[0].kind in ("predicted", "confidence", "runner_up")]
    for seed in range(60):
        made = realised(saliency, chosen_of(Plan.model_validate({"groups": [model[seed % 3 :]]}), menu), seed=seed)
        assert made.left_out == ()
        assert not re.search(r"label (?:is )?the label|as the label", made.text), made.text


def test_shares_say_their_side_and_additions_are_of_one_side():
    menu = menu_of(HOTEL)
    for item in menu:
        if item.claims[0].kind == "share" and item.claims[0].of == "absolute":
            text = realised(HOTEL, chosen_of(Plan.model_validate({"groups": [[item.number]]}), menu)).text
            assert re.search(r"'negative'", text), text
    signs = {side: [item.number for item in menu if item.claims[0].kind == side] for side in ("supports", "opposes")}
    model = [item.number for item in menu if item.claims[0].kind in ("predicted", "runner_up")]
    for seed in range(20):
        for second in (signs["opposes"][0], model[0]):
            plan = {"groups": [[signs["supports"][0]], {"claims": [second], "connective": "addition"}]}
            made = realised(HOTEL, chosen_of(Plan.model_validate(plan), menu), seed=seed)
            assert not re.search("In addition|Besides|Moreover|Furthermore", made.text), made.text


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-9, 9).map(lambda x: round(x, 2)), min_size=2, max_size=8),
    st.integers(0, 10_000),
    st.sampled_from(["negative", "positive", "neutral", "lovely"]),
    st.sampled_from([(), ("neutral",)]),
    st.booleans(),
)
def test_random_maps_predictions_and_plans(scores, seed, predicted, versus, signed):
    words = ["lovely", "cold", "staff", "neutral", "view", "was", "damp", "room"][: len(scores)]
    rest = [name for name in ("negative", "positive", "neutral", "lovely") if name != predicted]
    shares = {predicted: 0.7, **{name: round(0.2 / (place + 1), 3) for place, name in enumerate(rest)}}
    values = scores if signed else [abs(score) for score in scores]
    saliency = TokenSaliency(
        words, values, Query("negative", versus), prediction=Prediction(predicted, 0.7, shares), signed=signed, id=str(seed)
    )
    menu = menu_of(saliency)
    rng = np.random.default_rng(seed)
    model = [item.number for item in menu if item.claims[0].kind in ("predicted", "confidence", "runner_up")]
    numbers = [*model, *rng.choice(len(menu), min(6, len(menu)), replace=False) + 1]
    groups = [[int(number)] for number in rng.permutation(numbers)]
    chosen = chosen_of(Plan.model_validate({"groups": groups}), menu)
    made = realised(saliency, chosen, seed=seed, tone=["plain", "formal", "brisk"][seed % 3])
    assert strays(made.text, "negative", ["positive", "neutral", "lovely"]) == [], made.text
    read = read_sentences(made.text, saliency)
    assert not any(one.unread for one in read), made.text
    claims = [claim for one in read for claim in one.claims]
    assert check(claims, saliency), made.text
    wanted = [claim for group, _ in chosen.groups for claim in group]
    assert same_meaning(wanted, claims, saliency.query), made.text
