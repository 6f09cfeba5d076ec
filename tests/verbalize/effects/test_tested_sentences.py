"""What the template says of a model: each sentence by its shape, and true of the model."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Prediction, Query, SaliencyError, TemplateVerbalizer, TokenSaliency, check, check_text
from verbalize.models import ImageModel, TextFunction

WEIGHTS = {"great": 2.0, "fine": 1.0, "slow": -1.5, "awful": -3.0}
NAMES = ("positive", "negative")
LABEL = r"('[^']*'|\"[^\"]*\")"
SHAPES = [
    rf"Without .+, the model says {LABEL} instead of {LABEL}\.",
    r"Without .+, the model changes its decision\.",
    rf"Without .+, the model still says {LABEL}\.",
    r"Without .+, the model keeps its decision\.",
    rf"The map's most important (word|region|part of the text) is .+; without it the model still says {LABEL}\.",
    r"The map's most important (word|region|part of the text) is .+; without it the model keeps its decision\.",
    rf".+ alone is enough for the model to say {LABEL}\.",
    r".+ alone is enough for the model's decision\.",
    rf".+ alone is not enough for the model to say {LABEL}\.",
    r".+ alone is not enough for the model's decision\.",
    rf"With .+ alone, the model says {LABEL} instead of {LABEL}\.",
]


def bag(calls=None, names=NAMES):
    def function(texts):
        if calls is not None:
            calls.append(list(texts))
        sums = [0.25 + sum(WEIGHTS.get(word.strip(".,!").lower(), 0.0) for word in text.split()) for text in texts]
        return [[total, -total] for total in sums]

    return TextFunction(function, names)


def film(*scores, query=Query("positive"), **fields):  # noqa: B008 - a query never changes
    words = ("a", "great", "film", "but", "slow")
    return TokenSaliency(words, scores or (0.0, 0.9, 0.1, -0.1, -0.5), query, **fields)


def added(saliency, model, **settings_):
    """What the template says with the model, and did not say without it."""
    made = TemplateVerbalizer(model=model, **settings_).verbalize(saliency)
    plain = TemplateVerbalizer(**settings_).verbalize(saliency)
    if settings_.get("style") == "smv" and not made.text.startswith(plain.text):  # it names a label that is not predicted
        other = next(name for name in NAMES if name != saliency.query.label)
        plain = TemplateVerbalizer(**settings_).verbalize(replace(saliency, prediction=Prediction(other)))
    assert made.text.startswith(plain.text)
    assert made.claims[: len(plain.claims)] == plain.claims
    return made.text[len(plain.text) :].strip(), made.claims[len(plain.claims) :]


@pytest.mark.parametrize(
    ("saliency", "options", "wanted"),
    [
        (film(), {}, "Without 'great', the model says 'negative' instead of 'positive'. 'great' alone is enough for the model to say 'positive'."),
        (film(), {"mask_labels": True}, "Without 'great', the model changes its decision. 'great' alone is enough for the model's decision."),
        (film(), {"style": "ranked"}, "Without 'great', the model says 'negative' instead of 'positive'. 'great' alone is enough for the model to say 'positive'."),
        (film(), {"style": "smv"}, "Without » great «, the model says 'negative' instead of 'positive'. » great « alone is enough for the model to say 'positive'."),
        (film(0, 0.1, 0.9, -0.1, -0.2), {}, "The map's most important word is 'film'; without it the model still says 'positive'. 'film' alone is enough for the model to say 'positive'."),
        (film(0, 0.1, 0.9, -0.1, -0.2), {"mask_labels": True}, "The map's most important word is 'film'; without it the model keeps its decision. 'film' alone is enough for the model's decision."),
        (film(0.01, 0.1, 0.01, 0.02, 0.9, signed=False), {}, "Without 'slow', the model still says 'positive'."),
        (film(0.01, 0.1, 0.01, 0.02, 0.9, signed=False), {"length": "paragraph"}, "Without 'slow', the model still says 'positive'. With 'slow' alone, the model says 'negative' instead of 'positive'."),
        (film(0.01, 0.1, 0.01, 0.02, 0.9, signed=False), {"length": "paragraph", "mask_labels": True}, "Without 'slow', the model keeps its decision. 'slow' alone is not enough for the model's decision."),
        (film(query=Query("positive", ("negative",))), {}, "Without 'great', the model says 'negative' instead of 'positive'. 'great' alone is enough for the model to say 'positive'."),
        (film(query=Query("nice", members=("positive",))), {}, "Without 'great', the model says 'negative' instead of 'nice'. 'great' alone is enough for the model to say 'nice'."),
        (film(query=Query("nice", members=("positive", "negative"))), {}, "The map's most important word is 'great'; without it the model still says 'nice'. 'great' alone is enough for the model to say 'nice'."),
        (film(0, -0.9, 0, 0, 0.5, query=Query("negative"), prediction=Prediction("positive")), {}, "Without 'great', the model says 'negative' instead of 'positive'. 'great' alone is enough for the model to say 'positive'."),
        (film(0, -0.1, 0, 0, 0.9, query=Query("negative")), {"style": "ranked"}, "Without 'slow', the model still says 'positive'."),
        (film(0, 0, 0, 0, 0), {}, ""),
        (TokenSaliency(("great",), (1.0,), Query("positive")), {}, ""),
    ],
)  # fmt: skip
def test_sentences_worked_out_by_hand(saliency, options, wanted):
    said, claims = added(saliency, bag(), **options)
    assert said == wanted
    assert check(claims, saliency, bag())
    assert bool(claims) == bool(wanted)


def test_words_that_stand_twice_and_words_that_are_labels():
    words = ("great", "and", "great", "but", "slow")
    twice = TokenSaliency(words, (0.1, 0.0, 1.0, 0.0, -0.5), Query("great"))
    model = bag(names=("great", "slow"))
    said, claims = added(twice, model)
    assert said.startswith("The map's most important word is the second word 'great'; without it the model still says 'great'.")
    assert check(claims, twice, model)


def test_a_label_that_cannot_be_quoted_is_not_written():
    every = "a'b\"c«d」「»"
    said, claims = added(film(query=Query(every)), bag(names=(every, "no")))
    assert said == "Without 'great', the model changes its decision. 'great' alone is enough for the model's decision."
    assert all(claim.label is None and claim.becomes is None for claim in claims)


def test_nothing_is_said_of_a_model_without_a_decision():
    tied = TextFunction(lambda texts: [[1.0, 1.0]] * len(texts), NAMES)
    assert added(film(), tied) == ("", ())


def test_a_map_of_another_model_is_refused():
    verbalizer = TemplateVerbalizer(model=bag())
    with pytest.raises(UsageError, match="another model"):
        verbalizer.verbalize(film(prediction=Prediction("negative")))
    problems = []
    maps = [film(), film(prediction=Prediction("negative"), id="x"), film()]
    assert len(list(verbalizer.verbalize_all(maps, on_problem=problems.append))) == 2
    assert [problem.id for problem in problems] == ["x"]


def test_settings_that_do_not_fit():
    with pytest.raises(SaliencyError, match="clause"):
        TemplateVerbalizer(model=bag(), length="clause")
    with pytest.raises(UsageError, match="no model"):
        TemplateVerbalizer(model="gpt")


def test_many_maps_share_the_calls_of_the_model():
    calls = []
    maps = [film(), film(0, 0.1, 0.9, -0.1, -0.2), film(), *[film(0, 0.9, 0.1 * k / 50, 0, -0.5) for k in range(50)]]
    made = list(TemplateVerbalizer(model=bag(calls)).verbalize_all(maps))
    assert [one.text for one in made] == [TemplateVerbalizer(model=bag()).verbalize(one).text for one in maps]
    assert len(calls) == 1
    assert len(calls[0]) == len(set(calls[0]))


class Corner:
    """'red' if the upper left is red, else 'grey': a classifier by construction."""

    @staticmethod
    def model():
        import torch
        from torch import nn

        class Red(nn.Module):
            def forward(self, images):
                corner = images[:, :, :8, :8]
                red = (corner[:, 0] - corner[:, 1]).mean(dim=(1, 2))
                return torch.stack([red - 0.85, 0.85 - red], dim=1) * 9

        return ImageModel(Red().eval(), ("red", "grey"))


def test_a_region_of_a_picture():
    image = np.full((24, 24, 3), 0.2, dtype=np.float32)
    image[:8, :8] = (1.0, 0.0, 0.0)
    image[18:23, 17:23] = (0.0, 0.0, 1.0)
    scores = np.zeros((24, 24))
    scores[:8, :8] = 1.0
    saliency = PixelSaliency(scores, Query("red"), image=image)
    said, claims = added(saliency, Corner.model())
    assert said == (
        "Without the red region at the upper left, the model says 'grey' instead of 'red'. "
        "The red region at the upper left alone is enough for the model to say 'red'."
    )
    assert check(claims, saliency, Corner.model())
    elsewhere = PixelSaliency(np.roll(scores, (17, 17), axis=(0, 1)), Query("red"), image=image)
    said, claims = added(elsewhere, Corner.model())
    assert re.match(
        r"The map's most important region is the .* at the lower right; without it the model still says 'red'\.", said
    )
    assert check(claims, elsewhere, Corner.model())


scores = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0]), min_size=5, max_size=5)
words = st.lists(st.sampled_from([*WEIGHTS, "film", "positive", "'", '"', "the"]), min_size=5, max_size=5)


@pytest.mark.parametrize("count", [40, pytest.param(1500, marks=pytest.mark.long)])
def test_whatever_is_said_is_true_and_of_a_known_shape(count):
    @settings(max_examples=count, deadline=None)
    @given(words, scores, st.booleans(), st.booleans(), st.sampled_from(["plain", "ranked", "smv", "paragraph"]))
    def holds(tokens, values, signed, mask_labels, style):
        values = values if signed else [abs(value) for value in values]
        saliency = TokenSaliency(tokens, values, Query("positive"), signed=signed)
        options = {"length": "paragraph"} if style == "paragraph" else {"style": style}
        said, claims = added(saliency, bag(), mask_labels=mask_labels, **options)
        assert check(claims, saliency, bag())
        for sentence in filter(None, re.split(r"(?<=\.) (?=\S)", said)):
            assert any(re.fullmatch(shape, sentence) for shape in SHAPES), sentence
        for one in check_text(said, saliency, model=bag()).sentences:
            assert one.status != "false", one.text
            assert one.status == "true" or style == "smv" or len(set(tokens)) < len(tokens), one.text
        if mask_labels:
            assert "says" not in said
            assert all(claim.label is None and claim.becomes is None for claim in claims)

    holds()


def test_what_the_model_does_with_other_words_is_said_where_it_was_asked():
    replacements = {"great": "slow", "film": "movie", "zebra": "horse"}
    saliency = TokenSaliency(("a", "great", "film", "but", "slow"), (0.0, 0.6, 0.2, -0.1, -0.5), Query("positive"))
    model = TextFunction(
        lambda texts: [[1.0, 0.0] if "great" in text.split() else [0.0, 1.0] for text in texts], ("positive", "negative")
    )
    made = TemplateVerbalizer(model=model, replacements=replacements).verbalize(saliency)
    assert made.text.endswith(
        "With 'slow' in place of 'great', the model says 'negative' instead of 'positive'. "
        "With 'movie' in place of 'film', the model still says 'positive'."
    )
    assert check(made.claims, saliency, model)
    report = check_text(made.text, saliency, model=model)
    assert (report.status, len(report.unread)) == ("true", 0)
    masked = TemplateVerbalizer(model=model, replacements=replacements, mask_labels=True).verbalize(saliency)
    assert "With 'slow' in place of 'great', the model changes its decision." in masked.text
    assert "With 'movie' in place of 'film', the model keeps its decision." in masked.text
    assert check_text(masked.text, saliency, model=model).status == "true"


def test_words_are_replaced_at_each_of_their_places_by_itself():
    saliency = TokenSaliency(("great", "film", "great"), (0.6, 0.2, 0.5), Query("positive"))
    model = TextFunction(lambda texts: [[text.count("great") - 1.5, 0.0] for text in texts], ("positive", "negative"))
    made = TemplateVerbalizer(model=model, replacements={"great": "dull"}).verbalize(saliency)
    assert "With 'dull' in place of the first 'great', the model says 'negative' instead of 'positive'." in made.text
    assert "With 'dull' in place of the second 'great', the model says 'negative' instead of 'positive'." in made.text
    assert check_text(made.text, saliency, model=model).status == "true"


@pytest.mark.parametrize("replacements", [{}, {"great": ""}, {"great": "great"}, {" ": "dull"}])
def test_replacements_that_mean_nothing_are_refused(replacements):
    model = TextFunction(lambda texts: [[1.0, 0.0]] * len(texts), ("positive", "negative"))
    with pytest.raises(UsageError, match="replace"):
        TemplateVerbalizer(model=model, replacements=replacements)
    with pytest.raises(UsageError, match="model"):
        TemplateVerbalizer(replacements={"great": "dull"})
