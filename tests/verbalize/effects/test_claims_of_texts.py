"""Claims about changed texts, against tiny classifiers whose every answer can be worked out by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from saywhy_core.errors import UsageError
from verbalize import (
    Claim,
    PixelSaliency,
    Prediction,
    Query,
    SecondReading,
    TemplateVerbalizer,
    TokenSaliency,
    check,
    check_text,
    check_texts,
)
from verbalize.claims.claim import told_fields
from verbalize.masking import ask_model
from verbalize.models import ImageModel, TextFunction
from verbalize.texts import TextRecord

WEIGHTS = {"great": 2.0, "fine": 1.0, "slow": -1.5, "awful": -3.0}
WORDS = ("a", "great", "film", "but", "slow")


class Bag:
    """A classifier that adds up the weights of the words that it knows, and remembers the texts that it was asked."""

    def __init__(self, weights=WEIGHTS, bias=0.25):
        self.weights, self.bias, self.calls = weights, bias, []

    def __call__(self, texts):
        self.calls.append(list(texts))
        sums = [self.bias + sum(self.weights.get(word.strip(".,!"), 0.0) for word in text.split()) for text in texts]
        return [[total, -total] for total in sums]

    @property
    def texts(self):
        return [text for call in self.calls for text in call]


def model_of(bag):
    return TextFunction(bag, ("positive", "negative"))


def film(**fields):
    return TokenSaliency(WORDS, [0.0, 0.6, 0.2, -0.1, -0.5], fields.pop("query", Query("positive")), **fields)


def outcome(claim, saliency=None, model=None):
    report = check([claim], film() if saliency is None else saliency, model if model is not None else model_of(Bag()))
    if report.errors:
        return report.errors[0].kind
    return "undecided" if report.undecided else "true"


@pytest.mark.parametrize(
    ("claim", "wanted"),
    [
        (Claim("decisive", (1,)), "true"),  # 0.25 - 1.5 < 0
        (Claim("decisive", (1,), becomes="negative", label="positive"), "true"),
        (Claim("decisive", (1,), becomes="NEGATIVE"), "true"),
        (Claim("decisive", (1,), becomes="neutral"), "wrong effect"),
        (Claim("decisive", (1,), negated=True), "wrong effect"),
        (Claim("decisive", (1,), label="negative"), "wrong label"),
        (Claim("decisive", (2,)), "wrong effect"),
        (Claim("decisive", (2,), negated=True, label="positive"), "true"),
        (Claim("decisive", (4,), negated=True), "true"),
        (Claim("sufficient", (1,)), "true"),
        (Claim("sufficient", (2,)), "true"),  # the bias decides
        (Claim("sufficient", (4,)), "wrong effect"),
        (Claim("sufficient", (4,), negated=True), "true"),
        (Claim("sufficient", (4,), negated=True, becomes="negative"), "true"),
        (Claim("sufficient", (1, 4)), "true"),
        (Claim("counterfactual", (1,), replacement="awful"), "true"),
        (Claim("counterfactual", (1,), replacement="awful", becomes="negative"), "true"),
        (Claim("counterfactual", (1,), replacement="very great"), "wrong effect"),
        (Claim("counterfactual", (1,), replacement="very great", negated=True), "true"),
        (Claim("counterfactual", (1,)), "undecided"),
        (Claim("counterfactual", (1,), replacement=" "), "undecided"),
        (Claim("decisive", (0, 1, 2, 3, 4)), "undecided"),  # nothing is left
        (Claim("decisive", (0, 1, 2, 3, 4), negated=True), "undecided"),
        (Claim("sufficient", (0, 1, 2, 3, 4)), "true"),  # the text itself
        (Claim("decisive", None, quote="boring"), "part not in the input"),
        (Claim("decisive", (9,)), "part not in the input"),
        (Claim("decisive"), "part not in the input"),
    ],
)
def test_verdicts_worked_out_by_hand(claim, wanted):
    assert outcome(claim) == wanted


def test_without_the_model_nothing_is_decided():
    claims = [Claim("decisive", (1,)), Claim("sufficient", (1,), negated=True), Claim("counterfactual", (1,), replacement="x")]
    report = check(claims, film())
    assert not report.errors
    assert [one.claim for one in report.undecided] == claims
    assert all("give model=" in one.message for one in report.undecided)


def test_messages_say_what_the_model_says_instead():
    report = check(
        [
            Claim("decisive", (2,)),
            Claim("sufficient", (4,)),
            Claim("counterfactual", (1,), replacement="awful", becomes="neutral"),
        ],
        film(),
        model_of(Bag()),
    )
    still = 1 / (1 + np.exp(-2 * 0.75))  # 0.25 + 2 - 1.5 against its negative
    assert [error.message for error in report.errors] == [
        f"without 'film' the model still says 'positive' ({still:.1%})",
        f"with 'slow' alone the model says 'negative' ({1 / (1 + np.exp(-2 * 1.25)):.1%})",
        f"with 'awful' in the place of 'great' the model says 'negative' ({1 / (1 + np.exp(-2 * 4.25)):.1%}), not 'neutral'",
    ]


def test_a_map_of_another_model_is_found_out():
    report = check([Claim("decisive", (1,))], film(prediction=Prediction("negative", 0.9)), model_of(Bag()))
    assert not report.errors
    assert "another model" in report.undecided[0].message
    assert "'negative'" in report.undecided[0].message
    assert outcome(Claim("decisive", (1,)), film(prediction=Prediction("Positive"))) == "true"


def test_tied_scores_are_no_decision():
    assert outcome(Claim("decisive", (1,)), model=model_of(Bag({}, 0.0))) == "undecided"
    half = Bag({"great": 1.0}, 0.0)  # without 'great' both scores are 0
    for negated in (False, True):
        assert outcome(Claim("decisive", (1,), negated=negated), model=model_of(half)) == "undecided"


def test_a_tie_of_two_other_labels_is_a_change():
    model = TextFunction(lambda texts: [[3.0 * ("great" in text), 1.0, 1.0] for text in texts], ("a", "b", "c"))
    assert outcome(Claim("decisive", (1,)), film(query=Query("a")), model) == "true"
    assert outcome(Claim("decisive", (1,), becomes="b"), film(query=Query("a")), model) == "undecided"
    assert outcome(Claim("decisive", (1,), becomes="a"), film(query=Query("a")), model) == "wrong effect"


def test_members_of_a_group_are_one_decision():
    names = ("beagle", "husky", "cat")
    model = TextFunction(lambda texts: [[3.0 * ("great" in text), 2.0, 1.0] for text in texts], names)
    dogs = film(query=Query("dog", members=("beagle", "husky")))
    assert outcome(Claim("decisive", (1,)), dogs, model) == "wrong effect"  # a husky is a dog, too
    assert outcome(Claim("decisive", (1,), negated=True, label="dog"), dogs, model) == "true"
    assert outcome(Claim("decisive", (1,), label="beagle", becomes="husky"), dogs, model) == "true"  # the class is named
    assert outcome(Claim("decisive", (1,), label="husky"), dogs, model) == "wrong label"
    assert outcome(Claim("decisive", (1,), label="cat"), dogs, model) == "wrong label"
    assert outcome(Claim("decisive", (1,), negated=True), film(query=dogs.query, prediction=Prediction("dog")), model) == "true"
    cats = film(query=Query("dog", members=("husky", "cat")))  # the decision is outside the group
    assert outcome(Claim("decisive", (1,), becomes="dog", label="beagle"), cats, model) == "true"


@pytest.mark.parametrize(
    ("query", "signed"), [(Query("positive", ("negative",)), True), (Query("negative"), True), (Query("positive"), False)]
)
def test_the_question_of_the_map_does_not_matter(query, signed):
    saliency = TokenSaliency(WORDS, [0.0, 0.6, 0.2, 0.1, 0.5], query, signed=signed)
    assert outcome(Claim("decisive", (1,), label="positive", becomes="negative"), saliency) == "true"
    assert outcome(Claim("decisive", (1,)), saliency) == "true"


TEXTS = [  # text, words, claim, the text that the model should see
    ("A great, slow film.", "A great , slow film .", Claim("decisive", (1,)), "A, slow film."),
    ("A great, slow film.", "A great slow film", Claim("decisive", (1, 2)), "A film."),  # the comma between the two goes, too
    ("A great, slow film.", "A great slow film", Claim("decisive", (1,)), "A, slow film."),
    ("A great, slow film.", "A great slow film", Claim("sufficient", (1,)), "great"),
    ("A great, slow film.", "A great slow film", Claim("sufficient", (1, 2)), "great, slow"),
    ("A great, slow film.", "great film", Claim("sufficient", (0,)), "great"),  # words without a score are no part of P
    ("A great, slow film.", "great film", Claim("sufficient", (0, 1)), "A great, slow film."),
    ("A great film", "A great film", Claim("counterfactual", (0,), replacement="One"), "One great film"),
    ("A great film!", "A great film", Claim("counterfactual", (2,), replacement="not my cup"), "A great not my cup!"),
    ("great and great", "great and great", Claim("counterfactual", (0, 2), replacement="bad"), "bad and bad"),
    ("so so good", "so so good", Claim("counterfactual", (0, 1), replacement="Not"), "Not good"),
    ("I couldn't go", "I could n't go", Claim("counterfactual", (2,), replacement="not"), "I could not go"),
    (None, "I could n't go !", Claim("counterfactual", (2,), replacement="not"), "I could not go!"),
    (None, "very great , fine !", Claim("counterfactual", (1,), replacement="bad"), "very bad, fine!"),
    (None, "very great , fine !", Claim("decisive", (0,)), "great, fine!"),
    ("好电影", "好 电影", Claim("counterfactual", (0,), replacement="坏"), "坏电影"),
    ("  two   lines\nhere ", "two lines here", Claim("decisive", (0,)), "  lines\nhere "),
]


@pytest.mark.parametrize(("text", "words", "claim", "seen"), TEXTS)
def test_the_texts_that_the_model_sees(text, words, claim, seen):
    bag, words = Bag(), words.split()
    check([claim], TokenSaliency(words, np.ones(len(words)), Query("positive"), text=text), model_of(bag))
    assert seen in bag.texts
    if claim.kind != "sufficient":  # such a part is compared with others of as many words
        assert (
            [one for one in bag.texts if one != text] == [seen] or (seen == text and set(bag.texts) == {text}) or text is None
        )


def test_each_distinct_text_is_asked_once_over_all_claims_and_maps():
    bag = Bag()
    claims = [
        Claim("decisive", (1,)),
        Claim("decisive", (1,), negated=True),
        Claim("decisive", (1,), becomes="negative"),
        Claim("sufficient", (1,)),
        Claim("counterfactual", (1,), replacement="fine"),
    ]
    records = [(TextRecord("t", "A text.", tuple(claim.to_record() for claim in claims)), film()) for _ in range(9)]
    reports = list(check_texts(records, model_of(bag)))
    assert len(reports) == 9
    assert all([error.kind for error in report.errors] == ["wrong effect"] for _, report in reports)
    compared = {"a", "film", "but", "slow"}  # with "great" alone
    assert sorted(bag.texts) == sorted({"a great film but slow", "a film but slow", "great", "a fine film but slow", *compared})
    assert len(bag.calls) == 1


def test_a_note_says_how_many_other_parts_are_enough_alone_too():
    report = check([Claim("sufficient", (1,)), Claim("sufficient", (4,), negated=True)], film(), model_of(Bag()))
    assert report
    assert report.notes == ("'great' alone is enough, and so are 3 of 4 other parts of as many words",)  # the bias decides
    assert not check([Claim("sufficient", (1,))], film(), model_of(Bag(bias=-0.25))).notes  # only 'great' is
    assert not check([Claim("sufficient", (0, 1, 2, 3, 4))], film(), model_of(Bag())).notes  # nothing is left to compare with
    (note,) = check([Claim("sufficient", (1, 2))], film(), model_of(Bag())).notes
    assert note.endswith("alone is enough, and so is the only other part of as many words")  # "a but"
    sentence = check_text("'great' alone is enough.", film(), model=model_of(Bag())).sentences[0]
    assert sentence.status == "true"
    assert sentence.to_record()["notes"] == list(report.notes)


def test_a_model_without_such_claims_is_not_run():
    bag = Bag()
    assert check([Claim("supports", (1,))], film(), model_of(bag))
    assert check_text("'great' speaks for 'positive'.", film(), model=model_of(bag)).status == "true"
    assert not bag.calls
    with pytest.raises(UsageError, match="no model that can be asked"):
        check([Claim("supports", (1,))], film(), "gpt")


def test_claims_stated_beside_a_text_are_decided_by_the_model():
    claims = [Claim("decisive", (1,), becomes="negative"), Claim("decisive", (2,))]
    report = check_text("'great' speaks for 'positive'.", film(), claims, model=model_of(Bag()))
    assert [error.kind for error in report.errors] == ["wrong effect"]
    assert not report.undecided


def broken(texts):
    raise RuntimeError(f"out of memory at {len(texts)} texts")


def one_broken(texts):
    if any("awful" in text for text in texts):
        raise ValueError("a word is too much for it")
    return Bag()(texts)


@pytest.mark.parametrize(
    "function",
    [broken, lambda texts: [[np.nan, 1.0]] * len(texts), lambda texts: [[1.0, 2.0, 3.0]] * len(texts), lambda texts: None],
)
def test_a_model_that_fails_is_told_in_a_sentence(function):
    with pytest.raises(UsageError):
        check([Claim("decisive", (1,))], film(), model_of(function))


def test_one_text_that_the_model_fails_at_does_not_stop_the_others():
    other = TokenSaliency(("awful", "film"), [1.0, 0.0], Query("negative"))
    claim = ({"kind": "decisive", "part": [1]},)
    pairs = [(TextRecord(name, "A text.", claim), saliency) for name, saliency in (("x", film()), ("y", other), ("z", film()))]
    problems = []
    done = list(check_texts(pairs, model_of(one_broken), on_problem=problems.append))
    assert [record.id for record, _ in done] == ["x", "z"]
    assert [problem.id for problem in problems] == ["y"]
    assert "a word is too much for it" in str(problems[0])
    with pytest.raises(UsageError, match="too much"):
        list(check_texts(pairs, model_of(one_broken)))


def test_a_model_of_images_is_not_asked_about_texts():
    from torch import nn

    with pytest.raises(UsageError, match="takes images"):
        check([Claim("decisive", (1,))], film(), nn.Linear(2, 2).eval())


# --- random claims about random models, against an oracle that builds each text anew

VOCABULARY = ("ash", "bee", "cow", "dew")
NAMES = ("A", "B", "C")


def decide(words, weights):
    """The labels with the highest sum of weights; weights are eighths, so that sums are exact."""
    sums = [sum(weights[word][k] for word in words) for k in range(len(weights["ash"]))]
    return {NAMES[k] for k, total in enumerate(sums) if total == max(sums)}


def oracle(claim, words, weights):
    decision = decide(words, weights)
    if len(decision) > 1:
        return "undecided"
    if claim.label is not None and decision != {claim.label}:
        return "wrong label"
    if claim.kind == "decisive":
        changed = [word for index, word in enumerate(words) if index not in claim.part]
    elif claim.kind == "sufficient":
        changed = [word for index, word in enumerate(words) if index in claim.part]
    else:
        changed = [
            claim.replacement if index in claim.part else word
            for index, word in enumerate(words)
            if not (index in claim.part and index - 1 in claim.part)
        ]
    if not changed:
        return "undecided"
    said = decide(changed, weights)
    moves = claim.negated if claim.kind == "sufficient" else not claim.negated
    holds = {(({label} != decision) == moves) and claim.becomes in (None, label) for label in said}
    return "undecided" if len(holds) > 1 else "true" if True in holds else "wrong effect"


@st.composite
def claims_of_models(draw):
    count = draw(st.integers(2, 3))
    eighths = st.integers(-8, 8).map(lambda number: number / 8)
    weights = {word: draw(st.lists(eighths, min_size=count, max_size=count)) for word in VOCABULARY}
    words = draw(st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=6))
    labels = st.sampled_from((None, *NAMES[:count]))
    claims = st.builds(
        lambda kind, part, **fields: Claim(kind, part, **told_fields(kind, fields)),
        st.sampled_from(["decisive", "sufficient", "counterfactual"]),
        st.lists(st.integers(0, len(words) - 1), min_size=1, max_size=len(words)).map(tuple),
        label=labels,
        becomes=labels,
        negated=st.booleans(),
        replacement=st.sampled_from(VOCABULARY),
    )
    return draw(st.lists(claims, min_size=1, max_size=8)), words, weights


@pytest.mark.parametrize("count", [30, pytest.param(2000, marks=pytest.mark.long)])
def test_random_claims_about_random_models_agree_with_the_oracle(count):
    @settings(max_examples=count, deadline=None)
    @given(claims_of_models())
    def agrees(found):
        claims, words, weights = found
        names = NAMES[: len(weights["ash"])]

        def sums(texts):
            return [[sum(weights[word][k] for word in text.split()) for k in range(len(names))] for text in texts]

        saliency = TokenSaliency(words, np.arange(len(words)), Query("A"), text=" ".join(words))
        report = check(claims, saliency, TextFunction(sums, names))
        kinds = {id(error.claim): error.kind for error in report.errors}
        kinds |= {id(one.claim): "undecided" for one in report.undecided}
        assert [kinds.get(id(claim), "true") for claim in claims] == [oracle(claim, words, weights) for claim in claims]

    agrees()


@pytest.mark.long
def test_claims_about_a_sentence_encoder_are_those_of_texts_built_by_hand():
    from verbalize.models import ZeroShotClassifier, load_minilm, text_logits

    model, tokenizer = load_minilm()
    classes = {"positive": "This is a good review.", "negative": "This is a bad review."}
    classifier = ZeroShotClassifier(model, tokenizer, classes)
    words = ["The", "acting", "was", "wonderful", ",", "but", "the", "dull", "plot", "ruined", "it", "."]
    text = "The acting was wonderful, but the dull plot ruined it."
    saliency = TokenSaliency(words, np.ones(len(words)), Query("negative"), text=text)

    def says(one):
        return classifier.class_names[int(text_logits(classifier, [one])[0].argmax())]

    decision = says(text)
    byhand = {
        (3,): "The acting was, but the dull plot ruined it.",
        (7,): "The acting was wonderful, but the plot ruined it.",
        (5, 6, 7, 8, 9, 10): "The acting was wonderful,.",
        (7, 9): "The acting was wonderful, but the plot it.",
    }
    for part, changed in byhand.items():
        for negated in (False, True):
            wanted = "true" if (says(changed) != decision) != negated else "wrong effect"
            assert outcome(Claim("decisive", part, negated=negated, label=decision), saliency, classifier) == wanted
    for part, alone in {(3,): "wonderful", (7, 8): "dull plot", (9,): "ruined"}.items():
        wanted = "true" if says(alone) == decision else "wrong effect"
        assert outcome(Claim("sufficient", part), saliency, classifier) == wanted


# claims about the prediction


def test_the_model_decides_what_the_map_does_not_know_of_the_prediction():
    odds = 1 / (1 + np.exp(-2 * 0.75))  # the words add up to 0.25 + 2 - 1.5
    assert outcome(Claim("predicted", label="positive")) == "true"
    assert outcome(Claim("predicted", label="negative")) == "wrong label"
    assert outcome(Claim("predicted", label="negative"), film(query=Query("negative"))) == "wrong label"
    assert outcome(Claim("confidence", label="positive", value=odds, tolerance=0.005)) == "true"
    assert outcome(Claim("confidence", value=0.9, tolerance=0.005)) == "wrong number"
    assert outcome(Claim("runner_up", label="negative")) == "true"
    assert outcome(Claim("runner_up", label="positive")) == "wrong label"


@pytest.mark.parametrize(
    ("query", "lacking"),
    [
        (Query("great"), "great"),
        (Query("Positive"), "Positive"),  # classes are spelled as the model spells them
        (Query("positive", ("negative", "neutral")), "neutral"),
        (Query("good", members=("positive", "lovely")), "lovely"),
    ],
)
def test_a_map_about_a_class_that_the_model_lacks_is_refused(query, lacking):
    said = f"asks about '{lacking}', and the model has no class of that name; its classes are 'positive', 'negative'"
    for claim in (Claim("decisive", (1,)), Claim("predicted", label=query.label)):
        with pytest.raises(UsageError, match=said):
            check([claim], film(query=query), model_of(Bag()))
    with pytest.raises(UsageError, match=said):
        TemplateVerbalizer(model=model_of(Bag())).verbalize(film(query=query))
    bag = Bag()
    refused, answered = ask_model(model_of(bag), [(film(query=query), ()), (film(), ())])
    assert lacking in str(refused)
    assert answered.decision.labels == ("positive",)
    assert len(bag.texts) == 1  # the refused map costs nothing


def test_pictures_of_a_class_that_only_the_answer_of_the_model_shows_to_be_lacking():
    class Two(torch.nn.Module):
        def forward(self, images):
            return torch.stack([images.mean((1, 2, 3)), images.amax((1, 2, 3))], dim=1)

    maps = [PixelSaliency(np.ones((4, 4)), Query(label), image=np.ones((4, 4, 3), np.float32)) for label in ("1", "stop")]
    known, refused = ask_model(ImageModel(Two().eval()), [(one, ()) for one in maps])
    assert not isinstance(known, UsageError)
    assert "asks about 'stop'" in str(refused)
    assert "its classes are '0', '1'" in str(refused)


def test_a_map_that_contradicts_the_model_on_the_prediction_is_told():
    other = film(prediction=Prediction("negative", 0.8))
    assert outcome(Claim("predicted", label="negative"), other) == "undecided"
    sure = film(prediction=Prediction("positive", 0.99))
    (one,) = check([Claim("confidence", label="positive", value=0.99, tolerance=0.005)], sure, model_of(Bag())).undecided
    assert "81.8%" in one.message
    assert outcome(Claim("confidence", label="positive", value=0.818, tolerance=0.0005), sure) == "undecided"
    assert outcome(Claim("confidence", label="positive", value=0.5, tolerance=0.005), sure) == "wrong number"
    assert outcome(Claim("predicted", label="positive"), sure) == "true"
    near = film(prediction=Prediction("positive", 0.818))
    assert outcome(Claim("confidence", label="positive", value=0.82, tolerance=0.005), near) == "true"


def test_a_text_is_read_with_what_the_model_predicts_where_the_map_does_not_say_it():
    said = "Without 'slow', the model says 'positive'."
    assert check_text(said, film()).status == "not verified"
    assert check_text(said, film(), model=model_of(Bag())).status == "true"
    assert check_text("Without 'great', the model says 'positive'.", film(), model=model_of(Bag())).status == "false"
    assert check_text("The model predicted 'negative'.", film(), model=model_of(Bag())).status == "false"


def test_texts_about_the_map_alone_do_not_run_the_model():
    bag = Bag()
    assert check_text("'great' speaks for 'positive'.", film(), model=model_of(bag)).status == "true"
    assert bag.calls == []


class Second:
    """A second reader that reads the same claim in every sentence, and can't decide it."""

    def __init__(self, claim):
        self.claim = claim

    def read(self, asked):
        undecided = [check([self.claim], saliency).undecided for _, _, saliency in asked]
        return [SecondReading("not verified", (self.claim,), (), one) for one in undecided]


@pytest.mark.parametrize(("part", "status", "second"), [((1,), "not verified", "true"), ((2,), "false", "false")])
def test_what_a_second_reader_reads_of_changed_inputs_is_decided_by_the_model(part, status, second):
    reader, odd = Second(Claim("decisive", part)), "Whoever reads on would marvel at the verdict."
    (plain,) = check_text(odd, film(), reader=reader).sentences
    assert (plain.status, plain.second.status) == ("not verified", "not verified")
    report = check_text(odd, film(), model=model_of(Bag()), reader=reader)
    (sentence,) = report.sentences
    assert (sentence.status, sentence.second.status) == (status, second)
    assert not report.undecided
    ((_, again),) = check_texts([(TextRecord("a", odd), film())], model_of(Bag()), reader=reader)
    assert again == report
