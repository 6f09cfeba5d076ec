"""A worker of the engine ray, without Ray: chunks go in, findings and answers come out, and the word to stop is obeyed."""

from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from adversarial import CallableClassifier
from adversarial.answer_file import AnswerFile
from adversarial.answers import image_key
from adversarial.attack import FeatureGuidedAttack
from adversarial.audit import Audit, ImageRecord
from adversarial.audit.engines.chunk_worker import (
    Answered,
    Chunk,
    ChunkWorker,
    Done,
    Idle,
    Interrupted,
    Opened,
    Setup,
    Wanted,
)
from adversarial.audit.work.job import Job, Work
from adversarial.audit.workers.mailbox import Unusable
from saywhy_core.errors import UsageError

MODULE = """
import os
import numpy as np
from saywhy_core.classifiers import EndpointError

asked = []

def predict(images):
    asked.append(len(images))
    if os.path.exists("down"):
        raise EndpointError("the endpoint is down")
    patch = images[:, 3:5, 3:5].mean(axis=(1, 2, 3))
    return np.stack([np.full(len(images), 0.6), patch], axis=1)
"""


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """A function that starts a worker in a folder with the module of a classifier."""
    monkeypatch.chdir(tmp_path)
    name = f"patch_{abs(hash(str(tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    workers = []

    def start(*, rationed=False, budget=80, spec=f"python:{name}:predict", **more):
        attack = FeatureGuidedAttack(budget=budget)
        job = Job(spec=spec, options={"scores": "logits"}, trust=True, attack=attack, survival=False, **more)
        setup = Setup(job=job, class_names=None, folder=str(tmp_path), limits={}, rationed=rationed)
        workers.append(ChunkWorker(setup))
        return workers[-1], sys.modules

    yield start, name
    for worker in workers:
        worker.exchange(stop=True)
    sys.modules.pop(name, None)


def chunk(count=2, known=None):
    images = (0.2 + 0.2 * np.random.default_rng(0).random((count, 8, 8, 3))).astype(np.float32)
    return Chunk(
        [
            (ImageRecord(id=n, name=str(n), path="x"), Work(n, pixels, 0), (known or {}).get(n, {}))
            for n, pixels in enumerate(images)
        ]
    )


def until(worker, kind, first=None, **given):
    """All messages up to one of that kind."""
    messages, end = worker.exchange(first, **given), time.monotonic() + 20
    while not any(isinstance(message, kind) for message in messages):
        assert time.monotonic() < end, messages
        messages += worker.exchange()
    return messages


def of(messages, kind):
    return [message for message in messages if isinstance(message, kind)]


def test_a_chunk_comes_back_as_findings_and_answers_and_is_not_asked_again(begun):
    start, name = begun
    worker, modules = start()
    messages = until(worker, Idle, chunk())
    assert isinstance(messages[0], Opened)
    assert [message.outcome.record.status for message in of(messages, Done)] == ["found", "found"]
    known = {0: {}, 1: {}}
    for message in of(messages, Answered):
        known[message.id].update(zip(message.keys, message.scores, strict=True))
    asked = sum(modules[name].asked)
    first = [message.outcome.record for message in of(messages, Done)]
    assert asked == len({*known[0], *known[1]}) + 2  # and the check of each finding
    again = until(worker, Idle, chunk(known=known))
    assert [message.outcome.record for message in of(again, Done)] == first
    assert not of(again, Answered)


def test_what_a_worker_may_ask_is_granted_in_portions(begun):
    start, name = begun
    worker, modules = start(rationed=True)
    (wanted,) = of(until(worker, Wanted, chunk()), Wanted)
    assert not modules[name].asked
    messages = until(worker, Wanted, granted=wanted.queries)
    assert sum(modules[name].asked) == wanted.queries
    assert of(messages, Answered)
    messages += until(worker, Idle, granted=1000)
    assert len(of(messages, Done)) == 2
    counted = sum(len(message.keys) for message in of(messages, Answered)) + 2  # and the checks
    assert [idle.left for idle in of(messages, Idle)] == [wanted.queries + 1000 - counted]  # what is left is given back


def test_a_worker_that_is_told_to_stop_asks_nothing_more(begun):
    start, name = begun
    worker, modules = start(rationed=True)
    until(worker, Wanted, chunk())
    until(worker, Idle, stop=True)
    assert not modules[name].asked


@pytest.mark.long
def test_an_endpoint_that_is_down_interrupts_and_a_target_that_is_missing_can_not_be_used(begun, tmp_path):
    start, _ = begun
    worker, _ = start()
    (tmp_path / "down").touch()
    (said,) = of(until(worker, Interrupted, chunk()), Interrupted)
    assert "the endpoint is down" in said.why
    worker, _ = start(spec="python:no_such_module_here:predict")
    (said,) = of(until(worker, Unusable), Unusable)
    assert "no_such_module_here" in said.why


def test_answers_that_others_were_given_are_kept_by_their_keys(tmp_path):
    images = np.random.default_rng(1).random((3, 4, 4, 3)).astype(np.float32)
    scores = np.arange(6.0).reshape(3, 2)
    file = AnswerFile(tmp_path / "answers.bin", {})
    file.add([image_key(image) for image in images], scores)
    np.testing.assert_array_equal(file.recall(images), scores)
    file.close()
    again = AnswerFile(tmp_path / "answers.bin", {})
    assert {key: row.tolist() for key, row in again.answers().items()} == {
        image_key(image): row.tolist() for image, row in zip(images, scores, strict=True)
    }
    again.close()


@pytest.mark.parametrize(
    ("options", "said"), [({"workers": 0}, "at least 1"), ({"workers": True}, "at least 1"), ({}, "give it as a text")]
)
def test_what_can_not_work_is_said_before_ray_is_started(tmp_path, options, said):
    np.save(tmp_path / "one.npy", np.full((8, 8, 3), 0.5, dtype=np.float32))
    classifier = CallableClassifier(lambda images: images.reshape(len(images), -1)[:, :2], identity="x")
    with pytest.raises(UsageError, match=said):
        Audit(tmp_path / "a").run([tmp_path / "one.npy"], target=classifier, engine="ray", engine_options=options, budget=20)
    assert not (tmp_path / "a").exists()  # what is refused leaves nothing


def test_without_ray_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    np.save(tmp_path / "one.npy", np.full((48, 48, 3), 0.5, dtype=np.float32))
    with pytest.raises(UsageError, match=r"saywhy\[ray\]"):
        Audit(tmp_path / "a").run([tmp_path / "one.npy"], target="demo:signs", engine="ray", budget=20)


def test_an_endpoint_is_asked_one_image_to_time_it(tmp_path):
    """A query may cost money: the full batches that time a model in this process would cost 128."""
    asked = []

    def predict(images):
        asked.append(len(images))
        return images.reshape(len(images), -1)[:, :2]

    np.save(tmp_path / "one.npy", np.full((8, 8, 3), 0.5, dtype=np.float32))
    classifier = CallableClassifier(predict, identity="x", class_names=("a", "b"))
    classifier.remote = True
    for names in (None, ("c", "d")):
        Audit(tmp_path / "a").plan([tmp_path / "one.npy"], target=classifier, class_names=names)
        assert asked == [1]
        asked.clear()
