"""An audit keeps to one target: its kind, path, model and options, and what a function of a program answers."""

from __future__ import annotations

import numpy as np
import pytest

from adversarial import CallableClassifier
from adversarial.audit import Audit, AuditPaused, AuditStore
from adversarial.audit.choices import chosen
from adversarial.audit.work.target import check_same_target, target_words
from saywhy_core.errors import UsageError
from tests.adversarial.audit.test_auditing import QUICK, pictures, predict

BEGUN = "oip:http://one.example:8000/models#signs?layout=nchw&concurrency=4"


@pytest.mark.parametrize(
    ("spec", "options", "wrong"),
    [
        (BEGUN, {}, None),
        ("oip:https://other.example/models#signs?layout=nchw", {}, None),
        ("oip:http://one.example:8000/models/#signs?rate=3&timeout=5&retries=1&batch_size=2&layout=nchw", {}, None),
        ("oip:http://one.example:8000/models#signs", {"layout": "nchw", "concurrency": 9}, None),
        ("oip:http://one.example:8000/models#others?layout=nchw", {}, "an audit of .*#signs.*, not of .*#others"),
        ("oip:http://one.example:8000/other#signs?layout=nchw", {}, "only the host may be another"),
        ("tfserving:http://one.example:8000/models#signs?layout=nchw", {}, "not of tfserving:"),
        ("python:signs:predict", {}, "not of python:"),
        ("oip:http://one.example:8000/models#signs", {}, "the option layout = 'nchw', and not no option layout"),
        ("oip:http://one.example:8000/models#signs?layout=nhwc", {}, "'nchw', and not the option layout = 'nhwc'"),
        (BEGUN + "&value_range=0,255", {}, r"no option value_range, and not the option value_range = \[0, 255\]"),
        (BEGUN, {"mean": 0.5}, "no option mean, and not the option mean = 0.5"),
    ],
)
def test_a_server_may_move_and_be_asked_otherwise_and_nothing_else(spec, options, wrong):
    kept = {"target": BEGUN, "options": {}, "model": None, "scores": "logits"}
    target = CallableClassifier(predict)
    if wrong is None:
        check_same_target(spec, target, options, kept)
        return
    with pytest.raises(UsageError, match=wrong):
        check_same_target(spec, target, options, kept)


def test_the_kind_of_scores_belongs_to_the_target():
    kept = {"target": BEGUN, "options": {}, "model": None, "scores": "label"}
    with pytest.raises(UsageError, match="scores = 'label', not 'logits'"):
        check_same_target(BEGUN, CallableClassifier(predict), {}, kept)


def test_addresses_of_files_are_compared_whole():
    assert target_words("python:signs:predict?classes=3&names=a.txt", {})[1] == {"classes": 3}
    assert target_words("python:signs:predict", {}) != target_words("python:signs:other", {})


def test_options_of_how_it_is_asked_may_be_given_otherwise():
    kept = {"options": {"layout": "nchw", "concurrency": 4}, "budget": 10}
    assert chosen({"options": {"concurrency": 2}}, kept).options == {"layout": "nchw", "concurrency": 2}
    for other in ({"layout": "nhwc"}, {"value_range": [0, 255]}):
        with pytest.raises(UsageError, match="this folder holds an audit with options"):
            chosen({"options": other}, kept)


def negated(images):
    return -predict(images)


def wider(images):
    return np.pad(predict(images), ((0, 0), (0, 1)))


@pytest.mark.parametrize(
    ("most", "levels", "other"),
    [(60, None, negated), (60, 16, lambda images: 2 * predict(images)), (20, None, wider), (20, 16, negated)],
)
def test_another_function_is_refused_and_the_same_one_goes_on(tmp_path, most, levels, other):
    """The answer about one original tells; asking it once more is counted."""
    source, first = pictures(tmp_path / "set", 2), CallableClassifier(predict)
    settings = {**QUICK, "batch_size": 8, "levels": levels}
    whole = Audit(tmp_path / "whole").run([source], target=CallableClassifier(predict), **settings)
    with pytest.raises(AuditPaused):
        Audit(tmp_path / "a").run([source], target=first, max_queries=most, **settings)
    before = Audit(tmp_path / "a").status()
    assert (before.counts["found"] > 0) == (most == 60)
    with pytest.raises(UsageError, match="another classifier than the one that this audit was begun with"):
        Audit(tmp_path / "a").run(target=CallableClassifier(other), max_queries=1000)
    with AuditStore(tmp_path / "a") as store:
        assert store.counts() == before.counts
    assert Audit(tmp_path / "a").status().queries == before.queries
    again = CallableClassifier(predict)
    status = Audit(tmp_path / "a").run(target=again, max_queries=1000)
    assert status.waiting == 0
    assert status.queries == whole.queries + 1
    asked = again.queries
    assert Audit(tmp_path / "a").run(target=again).waiting == 0
    assert again.queries == asked  # where nothing waits, nothing is asked


def test_of_a_noisy_function_the_number_of_classes_is_compared(tmp_path):
    rng = np.random.default_rng(0)
    source = pictures(tmp_path / "set", 2)
    noisy = CallableClassifier(lambda images: predict(images) + 0.001 * rng.normal(size=(len(images), 2)))
    settings = {"budget": 100, "tolerate_noise": True, "weather": (), "batch_size": 8}
    with pytest.raises(AuditPaused):
        Audit(tmp_path / "a").run([source], target=noisy, max_queries=60, **settings)
    with pytest.raises(UsageError, match="it gives 3 scores per image, and gave 2"):
        Audit(tmp_path / "a").run(target=CallableClassifier(wider), max_queries=1000)
    assert Audit(tmp_path / "a").run(target=noisy, max_queries=1000).waiting == 0
