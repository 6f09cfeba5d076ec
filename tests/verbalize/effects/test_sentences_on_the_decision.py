"""Sentences about a map that speak of the decision are true only if the model, where it is given, bears them out, too."""

import re

import numpy as np
import pytest
from langchain_core.language_models import FakeListChatModel

from saywhy import signs
from verbalize import Claim, Narrator, PixelSaliency, Query, TemplateVerbalizer, TokenSaliency, check, check_text
from verbalize.models import ImageModel, TextFunction

LABELS = ("positive", "negative", "neutral")
WEIGHTS = {
    "great": (2, 0, 0),
    "film": (0.2, 0, 0),
    "cast": (0.1, 0, 0),
    "dull": (0, 2.5, 0),
    "slow": (0, 1, 0),
    "odd": (0, 0, 6),
}
TOKENS = ["a", "great", "film", "but", "slow", "and", "dull", ",", "a", "great", "cast"]
# the model needs each 'great' for "positive", and does not need 'film', which this map calls the most important
MISLED = TokenSaliency(TOKENS, [0, 0.05, 1, 0, -0.3, 0, -0.4, 0, 0, 0, 0.2], Query("positive"))
# a map that the model bears out: without the one 'great' the decision changes, and without 'a' it stays
BORNE_OUT = TokenSaliency(["a", "great", "film", "but", "slow"], [0, 1, 0.2, 0, -0.3], Query("positive"))


def scores(text):
    known = [WEIGHTS.get(word, (0, 0, 0)) for word in re.findall(r"\w+", text.lower())]
    return np.sum([(0, 0, 0.5), *known], axis=0).tolist()


MODEL = TextFunction(lambda texts: [scores(text) for text in texts], LABELS)
CONSTANT = TextFunction(lambda texts: [[1, 0, 0]] * len(texts), LABELS)


def status(text, saliency=MISLED, model=MODEL):
    return check_text(text, saliency, model=model).status


def test_the_oracle():
    def without(word):
        return LABELS[int(np.argmax(scores(" ".join(one for one in BORNE_OUT.tokens if one != word))))]

    assert (without("great"), without("film"), without("a")) == ("negative", "positive", "positive")


DECISIVE = [
    "'{}' is the decisive word.", "The decisive word is '{}'.", "Decisive is '{}'.", "'{}' is the most decisive word.",
    "'{}' was decisive for the prediction of 'positive'.", "'{}' was the decisive word for 'positive'.", "'{}' plays a decisive role.",
    "'{}' has a decisive influence on the decision.", "The deciding factor is '{}'.", "'{}' makes the difference.",
    "It is '{}' that makes the difference.", "'{}' settles the decision.", "'{}' determines the outcome.", "'{}' decided it.",
    "The prediction is determined by '{}'.", "'{}' causes the decision.", "'{}' carries the decision.", "'{}' clinches the decision.",
    "The decision depends on '{}'.", "The decision depends mainly on '{}'.", "The model's decision rests on '{}'.",
    "The prediction comes down to '{}'.", "'{}' is essential for 'positive'.", "'{}' is vital for 'positive'.",
    "'{}' is crucial for 'positive'.", "'{}' was crucial to the prediction.", "'{}' is pivotal.", "'{}' is critical for 'positive'.",
    "'{}', the decisive word, speaks for 'positive'.", "'{}' speaks for 'positive' and is decisive.",
    "The decisive words are:\n- '{}'",
]  # fmt: skip
IDLE = [
    "{} has no effect on the decision.", "{} makes no difference.", "{} has no influence on the model's decision.",
    "The model ignores {}.", "The model disregards {}.", "{} is irrelevant to the decision.", "{} does not matter to the model.",
    "{} does not influence the decision.", "{} plays no role in the decision.", "{} hardly influences the decision.",
    "{} is not crucial.", "{} is unimportant for the decision.", "{} contributes nothing to the decision.",
]  # fmt: skip


@pytest.mark.parametrize("text", DECISIVE)
def test_a_word_is_decisive_only_if_the_model_needs_it(text):
    assert status(text.format("film")) == "false"
    assert status(text.format("film"), model=None) != "false"  # the map alone says so
    assert status(text.format("great"), BORNE_OUT) == "true"


@pytest.mark.parametrize("text", IDLE)
def test_a_word_has_no_effect_only_if_the_model_decides_the_same_without_it(text):
    assert status(text.format("The first 'great'").replace("es The", "es the").replace("ds The", "ds the")) == "false"
    assert status(text.format("'but'"), BORNE_OUT) == "true"


@pytest.mark.parametrize(
    "text",
    [
        "'film' drives the decision.",
        "'film' is responsible for the decision.",
        "'film' led the model to predict 'positive'.",
        "'film' speaks decisively for 'positive'.",
    ],
)
def test_words_that_may_mean_less_are_not_called_false(text):
    assert status(text) == "not verified"
    assert status(text, model=None) == "true"
    assert status(text.replace("film", "great"), BORNE_OUT) == "true"


@pytest.mark.parametrize(
    "text", ["'film' is the most important word.", "'film' speaks for 'positive'.", "'film' matters most."]
)
def test_plain_statements_about_the_map_do_not_ask_the_model(text):
    def refuse(_):
        raise AssertionError

    assert status(text, model=TextFunction(refuse, LABELS)) == "true"


def test_what_speaks_against_a_label_is_not_called_false_of_the_decision():
    assert status("'slow' is the crucial argument against 'positive'.", BORNE_OUT) != "false"


def test_of_a_word_that_occurs_twice_each_place_is_asked():
    two = TokenSaliency(["great", "film", ",", "great", "slow", "cast"], [1, 0, 0, 0.9, 0, 0], Query("positive"))
    assert status("'great' is the decisive word.", two) != "true"  # either 'great' would do
    assert status("The first 'great' is the decisive word.", two) == "false"


def test_the_claim_about_the_model_counts_among_those_of_the_sentence():
    report = check_text("'film' is the decisive word.", MISLED, model=MODEL)
    assert Claim("decisive", (2,), quote="film") in report.sentences[0].claims
    assert [error.kind for error in report.errors] == ["wrong effect"]
    alone = check_text("'film' is the decisive word.", MISLED)
    assert not any(claim.kind == "decisive" for claim in alone.claims)


@pytest.mark.parametrize("text", DECISIVE[:13])
def test_a_narrator_with_the_model_does_not_keep_it(text):
    said = text.format("film")
    made = Narrator(FakeListChatModel(responses=[said]), style="smv-gpt", repairs=0, explained=MODEL).narrate(MISLED)
    assert said not in made.text
    kept = Narrator(FakeListChatModel(responses=[said]), style="smv-gpt", repairs=0).narrate(MISLED)
    assert kept.text == said


LONG = [
    "This",
    "was",
    "a",
    "great",
    "evening",
    "and",
    "I",
    "want",
    "to",
    "say",
    "it",
    "was",
    "a",
    "great",
    "one",
    ".",
    "The",
    "cast",
    "was",
    "a",
    "great",
    "cast",
    ",",
    "the",
    "story",
    "was",
    "slow",
    "at",
    "first",
    ",",
    "the",
    "middle",
    "was",
    "dull",
    "and",
    "the",
    "end",
    "was",
    "odd",
    "but",
    "the",
    "music",
    "of",
    "it",
    "all",
    "was",
    "great",
    "and",
    "I",
    "would",
    "go",
    "and",
    "see",
    "it",
    "with",
    "you",
    "again",
    ".",
]


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("style", ["plain", "ranked", "smv"])
def test_tested_sentences_of_a_long_text_are_read_back(style, masked):
    worth = {"great": 0.5, "dull": -0.6, "slow": -0.2}
    saliency = TokenSaliency(LONG, [1.0 if i == 3 else worth.get(word, 0.01) for i, word in enumerate(LONG)], Query("positive"))
    text = TemplateVerbalizer(model=MODEL, style=style, mask_labels=masked).verbalize(saliency).text
    assert "in 'a great evening'" in text or "in » a great evening «" in text
    assert status(text, saliency) == "true"


def test_tested_sentences_beside_a_sign_are_read_back():
    saliency = TokenSaliency(["well-made", "$", "but"], [0, 0.36, 1], Query("neutral"), signed=False)
    text = TemplateVerbalizer(model=MODEL, style="ranked", max_words=1, max_spans=1).verbalize(saliency).text
    assert status(text, saliency) == "true"


def test_pictures_alike():
    images, _ = signs.samples()
    masks = np.zeros((2, 48, 48), dtype=bool)
    masks[0, :4, :4], masks[1, 8:40, 8:40] = True, True
    net = signs.load()
    saliency = PixelSaliency(masks[0] * 1.0, Query("stop"), image=images[0], masks=masks, mask_names=("corner", "sign"))
    model = ImageModel(net.module(), tuple(net.class_names))
    assert status("The region 'corner' is the decisive region.", saliency, model) == "false"
    assert status("The region 'sign' has no effect on the decision.", saliency, model) == "false"


ONCE = TokenSaliency(TOKENS, [0, 1, 0.4, 0, -0.3, 0, -0.8, 0, 0, 0.6, 0.2], Query("positive"))  # the model needs both 'great'


@pytest.mark.parametrize(
    ("text", "wanted", "of_constant"),
    [
        ("No word is decisive.", "false", "true"),
        ("Nothing is decisive.", "false", "true"),
        ("No single word is crucial.", "false", "true"),
        ("Every word is decisive.", "false", "false"),
        ("Every word but 'film' is decisive.", "false", "false"),
        ("Only 'film' is decisive.", "false", "false"),
        ("No word but 'film' is decisive.", "false", "false"),
        ("Each 'great' is decisive.", "true", "false"),
    ],
)
def test_sentences_on_every_word(text, wanted, of_constant):
    assert status(text, ONCE) == wanted
    assert status(text, ONCE, CONSTANT) == of_constant
    assert status(text, ONCE, None) == "not verified"


def test_the_only_decisive_word():
    assert status("Only 'great' is decisive.", BORNE_OUT) == "true"
    assert status("'great' is the only decisive word.", BORNE_OUT) == "true"
    assert status("Every word but 'great' is decisive.", BORNE_OUT) == "false"


@pytest.mark.parametrize("text", ["'great' is decisive.", "The decision hinges on 'great'.", "'great' is indispensable."])
def test_which_of_two_words_is_meant_is_not_for_the_map_to_say(text):
    assert status(text, ONCE, None) == "not verified"
    assert status(text, ONCE) != "false"  # either is decisive
    assert status(text, ONCE, CONSTANT) != "true"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("'dull' alone is enough for the model to say 'negative'.", "true"),
        ("'dull' alone is enough for 'negative'.", "true"),
        ("'dull' alone is enough for 'positive'.", "false"),
        ("'film' alone is enough for 'negative'.", "false"),  # it gives 'neutral'
        ("Without the first 'great', the model says 'negative' rather than 'neutral'.", "true"),
        ("Without the first 'great', the model says 'neutral' rather than 'negative'.", "false"),
        ("Without the first 'great', the model says something else.", "true"),
        ("Without 'film', the model decides differently.", "false"),
        ("With or without 'dull', the model says 'positive'.", "true"),
        ("With or without 'dull', the model says 'negative'.", "false"),
        ("Even without 'dull', the model says 'positive'.", "true"),
        ("Even without 'dull', the model says 'negative'.", "false"),
    ],
)
def test_what_the_model_says_of_changed_texts(text, wanted):
    assert status(text, ONCE) == wanted


@pytest.mark.parametrize(
    "opening",
    ["- {}", "* {}", "• {}", "Note: {}", "Note that {}", "**{}**", "Importantly, {}", "In short, {}", "Conclusion: {}"],
)
def test_bullets_and_openings_change_nothing(opening):
    assert status(opening.format("Without 'film', the model says 'positive'."), ONCE) == "true"
    assert status(opening.format("Without 'film', the model says 'negative'."), ONCE) == "false"


def test_a_class_of_the_group_that_is_not_the_decision():
    group = TokenSaliency(TOKENS, ONCE.scores, Query("good", members=("positive", "neutral")))
    bare = "Without the first 'great', 'slow', 'dull' and the second 'great', the model "
    assert status(bare + "says 'neutral' instead of 'positive'.", group) == "true"
    assert status(bare + "says 'neutral'.", group) == "true"
    assert status(bare + "still says 'good'.", group) == "true"
    (error,) = check([Claim("decisive", (1, 4, 6, 9))], group, MODEL).errors
    assert "the model says 'neutral'" in error.message
    assert "of the group 'good' as well" in error.message
