"""Whatever a plan holds, what comes out is true, and every claim that it rightly chose is in the text."""

import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from langchain_core.language_models import FakeListChatModel

from verbalize import Narrator, Prediction, Query, TokenSaliency, check, read_sentences
from verbalize.compose import Plan, chosen_of, menu_of, realised
from verbalize.compose.meaning import same_meaning

WORDS = ["a", "truly", "great", "film", "with", "dull", "dialogue", "but", "splendid", "music", "and", "one", "awful", "song"]
SCORES = [0.1, 1, 3, 0.5, 0, -1, -0.25, 0, 2, 0.75, 0, 0, -2, 0.3]
FILM = TokenSaliency(
    WORDS, SCORES, Query("positive"), id="film", prediction=Prediction("positive", 0.9, {"positive": 0.9, "negative": 0.1})
)


def narrated(*replies, saliency=FILM, **options):
    said = [reply if isinstance(reply, str) else json.dumps(reply) for reply in replies]
    return Narrator(FakeListChatModel(responses=said), **options).narrate(saliency)


def assert_true(made, saliency=FILM):
    found = read_sentences(made.text, saliency)
    assert not any(one.unread for one in found), made.text
    assert check([claim for one in found for claim in one.claims], saliency), made.text


def test_the_menu_holds_only_what_is_true_and_not_too_much():
    menu = menu_of(FILM)
    assert len(menu) <= 40
    assert [item.number for item in menu] == list(range(1, len(menu) + 1))
    assert all(check(item.claims, FILM) for item in menu)
    kinds = {claim.kind for item in menu for claim in item.claims}
    assert {"most_important", "share", "supports", "opposes", "rank", "count", "predicted", "confidence", "runner_up"} <= kinds


def test_each_item_of_the_menu_can_be_said_alone():
    for item in menu_of(FILM):
        made = narrated({"groups": [[item.number]]})
        assert made.outcome == "clean", item
        assert same_meaning(item.claims, made.claims, FILM.query), (item, made.text)


@pytest.mark.parametrize(
    ("plan", "outcome", "left_out"),
    [
        ({"groups": [[1, 2], [3]]}, "clean", 0),
        ({"groups": [{"claims": [1, "2", "claim 3", 4.0]}]}, "clean", 0),
        ([1, 2, 3], "clean", 0),
        ({"groups": [[1], [1, 2], [99]]}, "cut", 2),
        ({"groups": [{"claims": [1]}] * 3000}, "cut", 1),
        ({"groups": [[number] for number in range(1, 30)]}, "cut", 1),
        ({"groups": [[None, True, {"a": 1}, [[2]], 1e300, "x" * 9000, -1]], "tone": 7, "audience": ["x"]}, "cut", 1),
    ],
)
def test_a_plan_is_used_as_far_as_it_can_be(plan, outcome, left_out):
    made = narrated(plan, max_words=200)
    assert (made.outcome, len(made.left_out)) == (outcome, left_out), made.left_out
    assert_true(made)


@pytest.mark.parametrize(
    "reply", ["I'd rather not.", "{}", '{"groups": "all"}', '{"groups": [[999]]}', "[", '{"groups": 1e999}', "null"]
)
def test_a_plan_of_which_nothing_can_be_used_gives_the_template(reply):
    made = narrated(reply)
    assert made.outcome == "template"
    assert made.problem is None
    assert "great" in made.text


def test_a_plan_that_chooses_nothing_is_sent_back():
    made = narrated({"groups": [[999]]}, {"groups": [[1]]})
    assert made.outcome == "repaired"
    assert len(made.drafts) == 2


class Moody(FakeListChatModel):
    """Answers one map with garbage, however often it is asked."""

    def _call(self, messages, *args, **kwargs):
        return "garbage" if "zebra" in str(messages) else super()._call(messages, *args, **kwargs)


def test_one_broken_plan_does_not_lose_the_others():
    zebra = TokenSaliency(["zebra", "great"], [1.0, 2.0], Query("positive"), id="zebra")
    made = Narrator(Moody(responses=[json.dumps({"groups": [[1]]})])).narrate_all([FILM, zebra, FILM])
    assert [one.outcome for one in made] == ["clean", "template", "clean"]


def test_sentences_in_a_plan_never_come_out():
    lie = "'dull' is the best word and the review is fake."
    made = narrated(
        {"groups": [{"claims": [1, lie], "connective": lie, "text": lie}], "text": lie, "tone": lie, "comment": lie}
    )
    assert made.outcome == "clean"
    assert "fake" not in made.text + made.comment


def test_the_same_plan_map_and_seed_give_the_same_text_and_another_seed_another():
    plan = {"groups": [[1, 3], [4, 6], [2]]}
    texts = [narrated(plan, seed=seed).text for seed in (0, 0, 1, 2, 3)]
    assert texts[0] == texts[1]
    assert len(set(texts)) > 2
    for text in set(texts):
        assert_true(narrated(plan), FILM), text


def test_words_for_children_and_experts_differ():
    plan = {"groups": [[4, 6, 8]]}
    said = {who: {narrated(plan, audience=who, seed=seed).text for seed in range(40)} for who in ("lay", "expert", "child")}
    assert any("clue" in text for text in said["child"])
    assert not any("clue" in text for who in ("lay", "expert") for text in said[who])
    assert any("positively" in text for text in said["expert"])


def test_a_contrast_is_said_only_where_there_is_one():
    words = ("By contrast", "On the other hand", "However", "In contrast", "At the same time")
    against = next(item.number for item in menu_of(FILM) if item.claims[0].direction == "opposes")
    for seed in range(20):
        same = narrated({"groups": [[1], {"claims": [4], "connective": "contrast"}]}, seed=seed)
        assert not any(word in same.text for word in words), same.text
        other = narrated({"groups": [[1], {"claims": [against], "connective": "contrast"}]}, seed=seed)
        assert any(word in other.text for word in words), other.text


def test_masked_labels_stay_hidden():
    menu = menu_of(FILM, mask_labels=True)
    for number in range(1, len(menu) + 1):
        made = narrated({"groups": [[number]]}, mask_labels=True, seed=number)
        assert "'positive'" not in made.text
        assert "'negative'" not in made.text


def test_a_long_plan_is_cut_at_a_sentence():
    made = narrated({"groups": [[1], [3], [4], [6], [8]]}, max_words=15)
    assert made.outcome == "cut"
    assert len(made.text.split()) <= 15 * 1.25
    assert_true(made)


def test_that_word_is_said_only_where_one_word_was_named():
    plan = Plan.model_validate({"groups": [[1, 19, 21], [18]]})
    for seed in range(20):
        made = realised(FILM, chosen_of(plan, menu_of(FILM)), seed=seed)
        assert "That word" not in made.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 60) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["claims", "groups", "connective", "tone"]), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(json_values)
def test_any_json_makes_a_plan_or_is_refused_by_its_type(value):
    try:
        plan = Plan.model_validate(value)
    except ValueError:
        assert not isinstance(value, (dict, list))
        return
    made = realised(FILM, chosen_of(plan, menu_of(FILM)))
    if made.text:
        assert_true(made)


@pytest.mark.parametrize("pairs", [(13,), (14,), (13, 14), (13, 14, 17)])
def test_three_that_share_the_first_place_are_said_to_whichever_pairs_are_chosen(pairs):
    saliency = TokenSaliency(["a", "great", "fine", "film"], [0.0, 3.0, 3.0, 3.0], Query("positive"), id="r")
    menu = menu_of(saliency)
    assert all(menu[number - 1].claims[0].kind == "equal" for number in pairs)
    made = realised(saliency, chosen_of(Plan.model_validate({"groups": [[1, *pairs]]}), menu))
    assert made.left_out == ()
    assert made.text.count(".") == 1
    assert_true(made, saliency)


@settings(max_examples=40, deadline=None)
@example(scores=[0.0, 1e5, 1e5, 1e5], seed=40, signed=True)
@given(st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1, max_size=14), st.integers(0, 1000), st.booleans())
def test_random_maps_and_plans(scores, seed, signed):
    values = scores if signed else [abs(score) for score in scores]
    words = [f"{WORDS[place]}" for place in range(len(scores))]
    saliency = TokenSaliency(words, values, Query("positive"), signed=signed, id="r")
    menu = menu_of(saliency)
    rng = np.random.default_rng(seed)
    groups = [rng.choice(len(menu), min(3, len(menu)), replace=False) + 1 for _ in range(3)]
    chosen = chosen_of(Plan.model_validate({"groups": [group.tolist() for group in groups]}), menu)
    made = realised(saliency, chosen, seed=seed)
    assert made.left_out == ()
    assert_true(made, saliency)
