"""GEPA's own optimiser over saywhy's evaluator, with a scripted server as the model that reflects; and the metric as DSPy calls it."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from agents import UsageError, chat_model
from evals.prompts.optimizers import GEPAAdapter, PromptJudge, dspy_metric

NAMES = ("cat", "dog", "owl", "fish")


class Toy:
    """Photos mix each class with the next one; sketches show each class as it is."""

    truncated = 0

    def __init__(self):
        self.broken = False

    def encode_texts(self, texts):
        if self.broken:
            raise UsageError("the encoder has failed")
        rows = np.zeros((len(texts), 5), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            own = next(index for index, name in enumerate(NAMES) if name in text)
            row[own] = 1
            if "sketch" not in text:
                row[(own + 1) % 4] = 1.2
            if "mistaken" in text:
                row[own], row[(own + 1) % 4] = 0, 1
            row[4] = 0.1 * ("red" in text)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_images(self, images):
        return np.asarray(images)


LABELS = np.repeat(np.arange(4), 6)
IMAGES = np.eye(5, dtype=np.float32)[LABELS] + np.random.default_rng(0).normal(0, 0.05, (24, 5)).astype(np.float32)


def judge(**options):
    return PromptJudge(Toy(), NAMES, IMAGES, LABELS, **options)


def by_hand(text_of):
    """Decisions by plain loops."""
    rows = Toy().encode_texts([text_of(name) for name in NAMES])
    return [max(range(4), key=lambda k: float(image @ rows[k] / np.linalg.norm(image))) for image in IMAGES]


def test_gepa_finds_the_better_template(chat_server):
    gepa = pytest.importorskip("gepa")
    answers = iter(["```\na picture of something\n```", "```\na {} in red\n```", "```\na sketch of a {}.\n```"])
    server = chat_server(behave=lambda request: next(answers, "```\na sketch of a {}.\n```"))
    model = chat_model(f"{server.url}#m")
    result = gepa.optimize(
        seed_candidate={"template": "a photo of a {}."},
        trainset=list(range(0, 24, 2)),
        valset=list(range(1, 24, 2)),
        adapter=GEPAAdapter(judge()),
        reflection_lm=lambda prompt: str(model.invoke(prompt).content),
        reflection_minibatch_size=8,
        max_metric_calls=150,
        seed=0,
    )
    assert result.best_candidate == {"template": "a sketch of a {}."}
    assert result.val_aggregate_scores[result.best_idx] == 1.0
    assert result.val_aggregate_scores[0] == pytest.approx(np.mean(np.array(by_hand("a photo of a {}.".format)) == LABELS))
    asked = server.requests[0].prompt
    assert "a photo of a {}." in asked
    assert re.search(r"an image of \w+ is taken for \w+ \(similarity", asked)
    assert re.search(r"\d of 8 images are recognised", asked)
    assert "Confused most often: " in asked


def test_a_candidate_that_cannot_be_judged_says_why():
    adapter = GEPAAdapter(judge())
    batch = adapter.evaluate([0, 1], {"template": "a picture"}, capture_traces=True)
    assert batch.scores == [0.0, 0.0]
    (record,) = adapter.make_reflective_dataset({}, batch, ["template"])["template"]
    assert "'a picture' has no {}" in record["Feedback"]


def test_a_failing_encoder_is_no_zero():
    ours = judge()
    ours.encoder.broken = True
    with pytest.raises(UsageError, match="the encoder has failed"):
        GEPAAdapter(ours).evaluate([0], {"template": "a {}"})


def test_classes_have_prompts_of_their_own_beside_templates():
    adapter = GEPAAdapter(judge(template="a photo of a {}."))
    candidate = {"template": "a sketch of a {}.\na {} in red", "dog": "a dog, sketch\n\nbrown ears\n"}
    assert adapter.prompts(candidate) == {
        "cat": ["a sketch of a cat.", "a cat in red"],
        "dog": ["a dog, sketch", "a photo of a dog, brown ears."],
        "owl": ["a sketch of a owl.", "a owl in red"],
        "fish": ["a sketch of a fish.", "a fish in red"],
    }
    batch = adapter.evaluate(list(range(24)), {"dog": "a dog, sketch"}, capture_traces=True)
    expected = by_hand(lambda name: "a dog, sketch" if name == "dog" else f"a photo of a {name}.")
    assert batch.scores == [float(a == b) for a, b in zip(expected, LABELS, strict=True)]
    assert batch.outputs == [NAMES[index] for index in expected]
    records = adapter.make_reflective_dataset({}, batch, ["dog"])["dog"]
    own = [index for index in range(24) if LABELS[index] == 1 or expected[index] == 1]
    assert len(records) == 1 + len(own)
    assert all("dog" in record["Inputs"] + record["Generated Outputs"] for record in records)


def test_probabilities_are_those_of_the_true_class():
    adapter = GEPAAdapter(judge(), score="probability", scale=10.0)
    scores = adapter.evaluate([3, 9], {"template": "a sketch of a {}."}).scores
    rows = Toy().encode_texts([f"a sketch of a {name}." for name in NAMES])
    for score, at in zip(scores, (3, 9), strict=True):
        weights = np.exp(10.0 * rows @ (IMAGES[at] / np.linalg.norm(IMAGES[at])))
        assert score == pytest.approx(weights[LABELS[at]] / weights.sum(), rel=1e-4)


def test_bad_arguments_are_told():
    with pytest.raises(UsageError, match="score must be"):
        GEPAAdapter(judge(), score="fun")
    with pytest.raises(UsageError, match="scale must be a positive number"):
        GEPAAdapter(judge(), scale=0)
    with pytest.raises(UsageError, match="'bird', which is none of the class names"):
        GEPAAdapter(judge()).prompts({"bird": "a bird"})
    with pytest.raises(UsageError, match="positions of images go from 0 to 23"):
        judge().judge({}, [24])
    with pytest.raises(UsageError, match="rename the class"):
        GEPAAdapter(PromptJudge(Toy(), ("cat", "template"), IMAGES[:2], [0, 1], start={"template": ["a dog"]}))
    with pytest.raises(UsageError, match="one label for each"):
        PromptJudge(Toy(), NAMES, IMAGES, LABELS[:3])


@pytest.fixture
def metric():
    return dspy_metric(judge())


def example(name):
    return SimpleNamespace(class_name=name)


def wrote(prompts):
    return SimpleNamespace(prompts=prompts)


def shares(text_of):
    """The share of images recognised, of those that are dogs or are or were taken for dogs."""
    now, before = by_hand(text_of), by_hand("a photo of a {}.".format)
    own = [at for at in range(24) if 1 in (LABELS[at], now[at], before[at])]
    return sum(now[at] == LABELS[at] for at in own) / len(own)


def test_the_score_is_the_share_of_images_that_have_to_do_with_the_class(metric):
    expected = shares(lambda name: "a dog, sketch" if name == "dog" else f"a photo of a {name}.")
    assert metric(example("dog"), wrote("- a dog, sketch")) == pytest.approx(expected)
    assert metric(example("dog"), wrote(["a dog, sketch"])) == pytest.approx(expected)
    assert metric(example("dog"), wrote("a photo of a dog.")) == pytest.approx(shares("a photo of a {}.".format))


def test_with_a_trace_it_says_whether_nothing_is_lost(metric):
    assert metric(example("dog"), wrote("a dog, sketch"), trace=[]) is True
    sketched = dspy_metric(judge(start={name: [f"a sketch of a {name}"] for name in NAMES}))
    assert sketched(example("dog"), wrote("a mistaken dog"), trace=[]) is False


def test_dspys_gepa_gets_feedback(metric):
    told = metric(example("dog"), wrote("a dog, sketch"), pred_name="write", trace=[])
    assert told.score == pytest.approx(metric(example("dog"), wrote("a dog, sketch")))
    assert "fixed, at the start it was taken for" in told.feedback
    empty = metric(example("dog"), wrote(None), pred_name="write")
    assert (empty.score, empty.feedback[:31]) == (0.0, "There are no prompts for dog: w")


def test_an_example_of_no_class_is_an_error(metric):
    with pytest.raises(UsageError, match="class_name must be one of the 4 class names, not 'bird'"):
        metric(example("bird"), wrote("a bird"))
    with pytest.raises(UsageError, match="the encoder has failed"):
        broken = judge()
        broken.encoder.broken = True
        dspy_metric(broken)(example("dog"), wrote("a dog"))
