"""What a language model says of changed inputs is kept only where the model that the map explains bears it out."""

import json

import pytest
from langchain_core.language_models import FakeListChatModel

from saywhy_core.errors import UsageError
from verbalize import Narrator, Prediction, Query, TokenSaliency
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


def test_composed_text_says_nothing_of_changed_inputs():
    with pytest.raises(UsageError, match="explained"):
        Narrator(FakeListChatModel(responses=["{}"]), explained=MODEL)
