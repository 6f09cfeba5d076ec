"""What a language model says of changed inputs is kept only where the model that the map explains bears it out."""

import json
from dataclasses import replace

from langchain_core.language_models import FakeListChatModel

from verbalize import Narrator, Prediction, Query, TokenSaliency, check
from verbalize.models import TextFunction

WEIGHTS = {"great": 2.0, "fine": 1.0, "slow": -1.5}
FILM = TokenSaliency(
    ("a", "great", "film", "but", "slow"), (0.0, 0.9, 0.1, -0.1, -0.5), Query("positive"), prediction=Prediction("positive")
)
SIGN = {"text": "'great' speaks for 'positive'.", "claims": [{"kind": "supports", "part": [1]}]}
TRUE = {
    "text": "Without 'great', the model says 'negative' instead of 'positive'.",
    "claims": [{"kind": "decisive", "part": [1], "label": "positive", "becomes": "negative"}],
}
FALSE = {
    "text": "Without 'slow', the model changes its decision.",
    "claims": [{"kind": "decisive", "part": [4]}],
}


def sums(texts):
    totals = [0.25 + sum(WEIGHTS.get(word, 0.0) for word in text.split()) for text in texts]
    return [[total, -total] for total in totals]


MODEL = TextFunction(sums, ("positive", "negative"))


def narrated(*sentences, **options):
    chat = FakeListChatModel(responses=[json.dumps({"sentences": list(sentences)})])
    return Narrator(chat, style="free", repairs=0, **options).narrate(FILM)


def test_a_true_effect_is_kept_and_a_false_one_is_cut():
    made = narrated(SIGN, TRUE, FALSE, explained=MODEL)
    assert made.text == f"{SIGN['text']} {TRUE['text']}"
    assert made.outcome == "cut"
    assert made.falsehoods == {"wrong effect": 1}


def test_without_the_model_no_sentence_about_effects_stays():
    made = narrated(SIGN, TRUE, FALSE)
    assert made.text == SIGN["text"]


def test_an_effect_that_is_stated_otherwise_is_cut():
    made = narrated(SIGN, {**TRUE, "claims": [{"kind": "decisive", "part": [1], "negated": True}]}, explained=MODEL)
    assert made.text == SIGN["text"]


def test_the_request_lists_what_was_tested():
    asked = []

    class Asked(FakeListChatModel):
        def _call(self, messages, *args, **kwargs):
            asked.append("\n".join(str(message.content) for message in messages))
            return super()._call(messages, *args, **kwargs)

    Narrator(Asked(responses=[json.dumps({"sentences": [SIGN]})]), style="free", explained=MODEL).narrate(FILM)
    assert "tested: without 'great', the model says 'negative' instead of 'positive'" in asked[0]


def composed(film=FILM, **options):
    chat = FakeListChatModel(responses=[json.dumps({"groups": [{"claims": [1]}]})])
    return Narrator(chat, **options).narrate(film)


def test_tested_sentences_stand_behind_composed_text():
    plain, made = composed(), composed(explained=MODEL)
    assert made.text.startswith(plain.text)
    assert "Without 'great', the model says 'negative' instead of 'positive'." in made.text
    assert {claim.kind for claim in made.claims} >= {"decisive"}
    assert check(made.claims, FILM, MODEL)
    assert composed(explained=MODEL, max_words=10).text == composed(max_words=10).text  # no room


def test_a_map_of_another_model_has_a_problem_and_stops_no_other_map():
    other = replace(FILM, prediction=Prediction("negative"), id="other")
    chat = FakeListChatModel(responses=[json.dumps({"groups": [{"claims": [1]}]})])
    made = Narrator(chat, explained=MODEL).narrate_all([other, FILM])
    assert "another model" in made[0].problem
    assert made[1].problem is None


def test_maps_share_the_calls_of_the_explained_model_and_need_no_prediction():
    calls = []

    def counted(texts):
        calls.append(len(texts))
        return sums(texts)

    chat = FakeListChatModel(responses=[json.dumps({"groups": [{"claims": [1]}]})])
    maps = [replace(FILM, tokens=("a", "great", "film", "but", word), prediction=None, id=word) for word in ("x", "y", "z")]
    made = Narrator(chat, explained=TextFunction(counted, ("positive", "negative"))).narrate_all(maps)
    assert len(calls) == 2  # the inputs as they are, and changed
    assert all("without it the model still says 'positive'" in one.text for one in made)
