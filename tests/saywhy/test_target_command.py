"""`saywhy target`: what is known of a classifier, its answers, and mistakes in its settings that the answers give away."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from saywhy import signs
from saywhy_core.classifiers import CallableClassifier
from saywhy_core.classifiers.examining.examination import examine

pytestmark = pytest.mark.usefixtures("samples")


@pytest.fixture(scope="module")
def samples():
    pictures, labels = signs.samples()
    return pictures, labels.tolist()


def wrongly_asked(change, kind="logits", after=lambda scores: scores):
    """The demo's network, whose images are changed on their way, as a wrong setting does it."""
    predict = signs.load().predict
    return CallableClassifier(
        lambda images: after(predict(np.ascontiguousarray(change(images), dtype=np.float32))), kind, signs.CLASS_NAMES
    )


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def named(result):
    return [(finding.name, finding.sure) for finding in result.findings]


def test_nothing_is_named_where_the_settings_are_right(samples):
    pictures, labels = samples
    classifier = wrongly_asked(lambda images: images)
    assert named(examine(classifier, pictures, labels)) == []
    assert named(examine(wrongly_asked(lambda images: images), pictures)) == []
    assert named(examine(wrongly_asked(lambda images: images, "probabilities", softmax), pictures)) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda images: images / 255, "0-255"),
        (lambda images: images[..., ::-1], "bgr"),
    ],
    ids=["values of 0 to 1 for 0 to 255", "red and blue exchanged"],
)
@pytest.mark.parametrize("known", [True, False], ids=["labels", "no labels"])
def test_a_wrong_setting_is_named_with_the_option_to_try(samples, change, name, known):
    pictures, labels = samples
    result = examine(wrongly_asked(change), pictures, labels if known else None, options=("channels", "value_range"))
    assert named(result) == [(name, "likely")]
    assert {"0-255": "try value_range=0,255", "bgr": "try channels=bgr"}[name] in result.findings[0].text


def by_shape(images):
    """Logits of a network that feels no colour: how dark the left, the right and the middle are, all channels together."""
    grey = 1 - images.mean(axis=3)
    thirds = np.split(grey, 3, axis=2)
    return 12 * np.stack([third.mean(axis=(1, 2)) for third in thirds], axis=1)


def bars(count, colours=3):
    """Images with one dark third, in colours of their own."""
    rng = np.random.default_rng(0)
    images = np.full((count, 12, 12, colours), 0.9, np.float32)
    for number, image in enumerate(images):
        image[:, 4 * (number % 3) : 4 * (number % 3) + 4] = rng.random(colours) / 10
    return images


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("kind", ["logits", "probabilities"])
def test_what_a_network_does_not_feel_is_not_passed_in_silence(count, kind):
    predict = by_shape if kind == "logits" else lambda images: softmax(by_shape(images))
    result = examine(CallableClassifier(predict, kind), bars(count), [number % 3 for number in range(count)])
    assert named(result) == []
    assert result.untold["bgr"] == "same"
    assert (
        result.untold["0-1"] == "unclear"
    )  # confidences fall, and the lead in standard deviations stays: the network is linear
    told = result.untold_in_words()[0]
    whom = "this image: it would get" if count == 1 else "these 6 images: they would get"
    assert told.startswith(
        f"can't tell from {whom} the same class, and nearly the same confidence, if red and blue change places"
    )


def test_nothing_is_untold_of_channels_that_there_are_not():
    result = examine(CallableClassifier(by_shape), bars(6, colours=1))
    assert not {"bgr", "normalised", "not normalised", "channels first"} & set(result.untold)


def test_a_decision_alone_tells_nothing_without_labels(samples):
    pictures, labels = samples
    decide = wrongly_asked(lambda images: images, "label", lambda scores: scores.argmax(axis=1))
    assert set(examine(decide, pictures).untold) >= {"bgr", "0-1", "normalised"}
    right = examine(wrongly_asked(lambda images: images, "label", lambda scores: scores.argmax(axis=1)), pictures, labels)
    assert "0-1" not in right.untold  # most labels are wrong then


def test_what_the_answers_tell_by_themselves(samples):
    pictures, _ = samples
    twice = wrongly_asked(lambda images: images, "probabilities", lambda scores: softmax(softmax(scores)))
    assert ("softmax twice", "likely") in named(examine(twice, pictures))
    as_logits = wrongly_asked(lambda images: images, "logits", softmax)
    assert ("probabilities", "likely") in named(examine(as_logits, pictures))
    constant = CallableClassifier(lambda images: np.tile([0.2, 0.8], (len(images), 1)), "probabilities")
    assert ("constant", "certain") in named(examine(constant, pictures))
    noise = np.random.default_rng(0)
    restless = CallableClassifier(lambda images: noise.random((len(images), 3)))
    assert ("not deterministic", "certain") in named(examine(restless, pictures))
    together = CallableClassifier(
        lambda images: np.stack([images.mean(axis=(1, 2, 3)) - images.mean(), images.mean(axis=(1, 2, 3))], 1)
    )
    assert ("batch", "certain") in named(examine(together, pictures))
    dead = wrongly_asked(
        lambda images: images, "logits", lambda scores: np.concatenate([scores, np.full((len(scores), 1), -9)], 1)
    )
    dead.class_names = None
    dead = CallableClassifier(dead.predict, "logits")
    assert ("dead classes", "likely") in named(examine(dead, pictures))


def test_queries_are_counted_with_those_of_variants(samples):
    pictures, _ = samples
    asked = []
    predict = signs.load().predict

    def counting(images):
        asked.append(len(images))
        return predict(images)

    result = examine(CallableClassifier(counting, "logits", signs.CLASS_NAMES), pictures)
    assert result.queries == sum(asked)


def test_the_command_tells_it_in_words_and_as_json(samples, tmp_path, in_process):
    pictures, labels = samples
    for number in range(3):
        Image.fromarray(np.uint8(np.rint(pictures[number] * 255))).save(tmp_path / f"{number}.png")
    done = in_process.run_command("target", "demo:signs", "0.png", "1.png", "2.png", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "nothing else looks wrong with the settings; fewer than five images say little" in done.stdout
    assert "can't tell from these 3 images: " in done.stdout
    assert signs.CLASS_NAMES[labels[0]] in done.stdout
    done = in_process.run_command("target", "demo:signs", "0.png", "missing.png", "--json", folder=tmp_path)
    assert done.returncode == 1
    assert "missing.png" in done.stderr
    told = json.loads(done.stdout)
    assert told["untold"][0]["text"].startswith("can't tell from this image: ")
    assert (told["classes"], told["scores"], told["image_shape"]) == (12, "logits", [48, 48, 3])
    best = told["images"][0]["best"]
    assert len(best) == 5
    assert best[0]["name"] == signs.CLASS_NAMES[labels[0]]
    assert [one["score"] for one in best] == sorted((one["score"] for one in best), reverse=True)


PICKY = """
import sys
import numpy as np

def answer(images):
    means = images.mean(axis=(1, 2, 3))
    return np.stack([means, 1 - means], axis=1)

def nan(images):
    scores = answer(images)
    scores[images.mean(axis=(1, 2, 3)) < 0.05] = np.nan
    return scores

def error(images):
    if (images.mean(axis=(1, 2, 3)) < 0.05).any():
        raise ValueError("image too dark")
    return answer(images)

def leaving(images):
    sys.exit(0)
"""


@pytest.fixture
def greys(tmp_path):
    (tmp_path / "picky_target.py").write_text(PICKY)
    for name, value in (("0.png", 120), ("dark.png", 0), ("1.png", 200)):
        Image.fromarray(np.full((8, 8, 3), value, dtype=np.uint8)).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("function", ["nan", "error"])
def test_an_image_that_is_not_answered_is_named_and_the_others_are_shown(greys, in_process, function):
    spec = f"python:picky_target:{function}?scores=probabilities"
    done = in_process.run_command("target", spec, "0.png", "dark.png", "1.png", "--trust", "--json", folder=greys)
    told = json.loads(done.stdout)
    assert done.returncode == 1, done.stderr
    assert [one["image"] for one in told["images"]] == ["0", "1"]
    assert [one["image"] for one in told["not_asked"]] == ["dark.png"]
    assert told["queries"] >= 3 + 3
    assert "not asked: dark.png" in done.stderr
    assert "0.png" not in done.stderr


def test_a_function_that_ends_the_process_does_not_end_the_command_in_silence(greys, in_process):
    spec = "python:picky_target:leaving?scores=probabilities"
    done = in_process.run_command("target", spec, "0.png", "--trust", folder=greys)
    assert done.returncode == 1
    assert "SystemExit: 0" in done.stderr


def test_an_endpoint_that_can_not_be_asked_is_no_image_that_can_not_be_used(greys, in_process):
    spec = 'http:http://127.0.0.1:1/x?names=["a","b"]&retries=0'
    done = in_process.run_command("target", spec, "0.png", "1.png", folder=greys)
    assert done.returncode == 2
    assert "error: " in done.stderr
    assert "the connection to 127.0.0.1:1 failed" in done.stderr
    assert "not asked" not in done.stderr
    assert not done.stdout
