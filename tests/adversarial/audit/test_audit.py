"""Audits from Python: images of several kinds, resuming, what can't be attacked, a classifier that fails on the way."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adversarial import AttackInterrupted, AttackStopped, CallableClassifier, FeatureGuidedAttack, KeypointMixture
from adversarial.audit import MapDensity, audit_images, audit_settings, gather_images, read_prior
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings


def predict(images):
    """Two classes by the mean of four pixels: changing two of them is enough."""
    patch = images[:, 3:5, 3:5].mean(axis=(1, 2, 3))
    return np.stack([np.full(len(images), 0.6), patch], axis=1)


def saved(folder, count=3, side=8):
    images = (0.2 + 0.2 * np.random.default_rng(0).random((count, side, side, 3))).astype(np.float32)
    np.savez(folder / "set.npz", images=images, labels=np.zeros(count, dtype=int))
    return folder / "set.npz", images


def records(out):
    return {path.parent.name: json.loads(path.read_text()) for path in sorted(out.glob("*/result.json"))}


def test_a_picture_too_large_for_a_search_is_told_with_the_ways_out(tmp_path):
    """A search holds many copies of it: at 20 megapixels they would take more memory than a computer has."""
    np.save(tmp_path / "large.npy", np.zeros((513, 512, 3), dtype=np.float32))
    np.save(tmp_path / "small.npy", np.zeros((512, 512, 3), dtype=np.float32))
    found, (problem,) = gather_images([tmp_path / "large.npy", tmp_path / "small.npy"])
    assert [image.name for image in found] == ["small"]
    assert "262,656 pixels" in problem.what
    assert "--resize" in problem.what
    assert "--ceiling attacked=262656" in problem.what
    attack = FeatureGuidedAttack(budget=5)
    with pytest.raises(UsageError, match="262,656 pixels"):
        attack.run(CallableClassifier(predict, scores="probabilities"), np.zeros((1, 513, 512, 3)), [0])
    with ceilings(attacked=300_000):
        assert len(gather_images([tmp_path / "large.npy"])[0]) == 1


def test_every_image_gets_its_finding_in_the_order_of_their_names(tmp_path):
    path, images = saved(tmp_path)
    found, problems = gather_images([path, tmp_path / "none.png"])
    assert [image.name for image in found] == ["set-0", "set-1", "set-2"]
    assert [image.label for image in found] == [0, 0, 0]
    np.testing.assert_array_equal(found[1].pixels, images[1])
    assert [problem.where for problem in problems] == [str(tmp_path / "none.png")]
    told, steps = [], []
    outcome = audit_images(
        CallableClassifier(predict), found, tmp_path / "out", FeatureGuidedAttack(budget=200),
        on_finding=lambda name, words: told.append((name, words)), on_progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert (outcome.written, outcome.kept, outcome.problems) == (3, 0, ())
    assert sorted(name for name, _ in told) == ["set-0", "set-1", "set-2"]
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    for name, words in told:
        assert records(tmp_path / "out")[name]["sentence"] == words
    for number, record in enumerate(records(tmp_path / "out").values()):
        (y, x, before, _), *_ = record["changed"]
        assert before == pytest.approx(images[number][y, x].tolist())
        assert record["settings"]["finished"] is True


def test_what_is_finished_is_kept(tmp_path):
    path, _ = saved(tmp_path)
    found, _ = gather_images([path])
    attack = FeatureGuidedAttack(budget=60)
    classifier = CallableClassifier(predict)
    assert audit_images(classifier, found[:1], tmp_path / "out", attack).written == 1
    asked = classifier.queries
    outcome = audit_images(classifier, found[:1], tmp_path / "out", attack)
    assert (outcome.written, outcome.kept, classifier.queries) == (0, 1, asked)
    outcome = audit_images(classifier, found, tmp_path / "out", attack)
    assert (outcome.written, outcome.kept) == (2, 1)
    asked = classifier.queries
    outcome = audit_images(classifier, found, tmp_path / "out", FeatureGuidedAttack(budget=61))
    assert (outcome.written, outcome.kept, classifier.queries) == (0, 0, asked)
    assert all("of another image or of other settings" in problem.what for problem in outcome.problems)
    assert len(outcome.problems) == 3
    assert audit_images(classifier, found, tmp_path / "out", FeatureGuidedAttack(budget=61), force=True).written == 3


def test_images_of_the_goal_are_problems_and_the_others_go_on(tmp_path):
    path, _ = saved(tmp_path)
    found, _ = gather_images([path], labels=write(tmp_path / "labels.txt", "0\n1\n0\n"))
    outcome = audit_images(CallableClassifier(predict), found, tmp_path / "out", FeatureGuidedAttack(budget=60), goal=1)
    assert outcome.written == 2
    assert [str(problem) for problem in outcome.problems] == ["set-1: its label is already the goal"]
    assert sorted(records(tmp_path / "out")) == ["set-0", "set-2"]


def write(path, text):
    path.write_text(text)
    return path


@pytest.mark.parametrize("stop", [RuntimeError("gone"), KeyboardInterrupt()])
def test_what_was_found_before_the_end_is_kept_as_unfinished(tmp_path, stop):
    path, _ = saved(tmp_path)
    found, _ = gather_images([path])
    calls = []

    def failing(images):
        calls.append(len(images))
        if len(calls) > 8:
            raise stop
        return predict(images)

    attack = FeatureGuidedAttack(budget=300, batch_size=16, distance="l2")
    if isinstance(stop, KeyboardInterrupt):
        with pytest.raises(AttackStopped):
            audit_images(CallableClassifier(failing), found, tmp_path / "out", attack)
    else:
        outcome = audit_images(CallableClassifier(failing), found, tmp_path / "out", attack)
        assert outcome.written == 0
        assert [problem.where for problem in outcome.problems] == ["set-0", "set-1", "set-2"]
        assert all("gone" in problem.what for problem in outcome.problems)
    kept = records(tmp_path / "out")
    assert kept
    assert all(record["queries"] > 1 for record in kept.values())  # what only the original was asked for says nothing
    assert not any(record["settings"]["finished"] for record in kept.values())
    outcome = audit_images(CallableClassifier(predict), found, tmp_path / "out", attack)
    assert (outcome.written, outcome.kept) == (3, 0)


@pytest.mark.parametrize("player", ["cooperative", "competitive"])
def test_an_earlier_stop_never_replaces_a_nearer_find(tmp_path, player):
    """The nearer of two unfinished findings stays (in the competitive game the later one), and a finished one always wins.

    The answers of the earlier run are lost, so that the next one can't go on from there.
    """
    path, _ = saved(tmp_path, count=1)
    found, _ = gather_images([path])
    attack = FeatureGuidedAttack(budget=300, batch_size=16, distance="l2", player_two=player)

    def run(most_calls, force=False):
        calls = []

        def predict_or_stop(images):
            calls.append(len(images))
            if len(calls) > most_calls:
                raise KeyboardInterrupt
            return predict(images)

        for answers in (tmp_path / "out").rglob("answers.bin"):
            answers.unlink()
        with contextlib.suppress(AttackStopped):
            audit_images(CallableClassifier(predict_or_stop), found, tmp_path / "out", attack, force=force)
        (record,) = records(tmp_path / "out").values()
        return record

    nothing = run(2)
    assert not nothing["success"]
    assert run(1) == nothing
    early, late = run(8), run(20)
    if player == "cooperative":
        assert late["distance"]["value"] < early["distance"]["value"]
    assert late["queries"] > early["queries"]
    assert run(8) == late
    assert run(1) == late
    assert run(1, force=True) == late
    finished = run(1000)
    assert finished["settings"]["finished"]
    assert run(1, force=True) == finished
    assert run(1000, force=True) == finished


@pytest.mark.parametrize("own", [None, ("none", "patch")])
@pytest.mark.parametrize("labels", [None, "0"])
def test_class_names_must_be_as_many_as_classes(tmp_path, own, labels):
    _, images = saved(tmp_path, count=1)
    np.save(tmp_path / "one.npy", images)
    found, _ = gather_images([tmp_path / "one.npy"], label=labels)
    classifier, attack = CallableClassifier(predict, class_names=own), FeatureGuidedAttack(budget=60)
    wrong = {"class_names": ["a", "b", "c"]}
    if own is None:
        (problem,) = audit_images(classifier, found, tmp_path / "out", attack, **wrong).problems
        assert problem.what == "the classifier returned 2 scores per image but has 3 names"
    else:
        with pytest.raises(UsageError, match="3 class names were given, but the classifier has 2 classes"):
            audit_images(classifier, found, tmp_path / "out", attack, **wrong)
        assert classifier.queries == 0
    assert audit_images(classifier, found, tmp_path / "out", attack, class_names=["a", "b"]).written == 1
    (record,) = records(tmp_path / "out").values()
    assert "turns 'a' into 'b'" in record["sentence"]


def test_a_spent_budget_of_the_classifier_is_a_problem_of_each_image(tmp_path):
    path, _ = saved(tmp_path)
    found, _ = gather_images([path])
    outcome = audit_images(CallableClassifier(predict, budget=40), found, tmp_path / "out", FeatureGuidedAttack(distance="l2"))
    assert all("budget is 40 queries" in problem.what for problem in outcome.problems)
    assert len(outcome.problems) == 3


def test_settings_tell_what_a_result_depends_on():
    classifier = CallableClassifier(predict)
    base = audit_settings(FeatureGuidedAttack(), classifier)
    assert json.loads(json.dumps(base)) == base
    assert base["attack"] == "feature_guided"
    one, two = MapDensity(np.ones((3, 3))), MapDensity(np.eye(3))
    priors = [
        audit_settings(FeatureGuidedAttack(density=density), classifier)["prior"]
        for density in (None, "uniform", one, two, KeypointMixture.from_map(np.eye(8)))
    ]
    assert len(set(priors)) == 5
    with pytest.raises(UsageError, match="MapDensity"):
        audit_settings(FeatureGuidedAttack(density=lambda image: None), classifier)


def test_a_map_is_read_and_resized_to_each_image(tmp_path):
    np.save(tmp_path / "map.npy", np.array([[0.0, 0.0], [0.0, 3.0]]))
    prior = read_prior(tmp_path / "map.npy")
    mixture = prior(np.zeros((16, 16, 1), np.float32))
    assert mixture.shape == (16, 16)
    assert mixture.density[12:, 12:].sum() == pytest.approx(0.25)  # as by hand in test_features
    np.save(tmp_path / "deep.npy", np.zeros((2, 2, 2)))
    with pytest.raises(UsageError, match=r"deep\.npy must be an array"):
        read_prior(tmp_path / "deep.npy")


def test_images_are_brought_to_the_classifiers_size(tmp_path):
    path, _ = saved(tmp_path)
    assert gather_images([path], shape=(4, 6, 1), size="auto")[0][0].pixels.shape == (4, 6, 1)
    assert gather_images([path], size=(5, 3))[0][0].pixels.shape == (5, 3, 3)
    found, problems = gather_images([path], shape=(4, 6, 3))
    assert not found
    assert "8 x 8 (height x width) but the classifier takes 4 x 6" in problems[0].what
    with pytest.raises(UsageError, match="doesn't say what size"):
        gather_images([path], size="auto")
    with pytest.raises(UsageError, match="not both"):
        gather_images([path], label="1", labels=path)


HOLDS = """
import sys, time
from saywhy_core.disk.locks import folder_lock
with folder_lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""


def test_two_audits_of_one_folder_do_not_mix(tmp_path):
    path, _ = saved(tmp_path, count=1)
    found, _ = gather_images([path])
    classifier, out = CallableClassifier(predict), tmp_path / "out"
    other = subprocess.Popen([sys.executable, "-c", HOLDS, out], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(UsageError, match=rf"the folder .*out is being written by another process \({other.pid}\); wait"):
            audit_images(classifier, found, out, FeatureGuidedAttack(budget=60))
        assert classifier.queries == 0
    finally:
        other.kill()
        other.wait()
    assert audit_images(classifier, found, out, FeatureGuidedAttack(budget=60)).written == 1
    assert sorted(child.name for child in out.iterdir() if child.is_dir()) == ["set"]


FULL_DISK = """
import resource, sys
import numpy as np
from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.audit import audit_images, gather_images
from test_audit import predict
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
found, _ = gather_images([sys.argv[1] + "/set.npz"])
try:
    audit_images(CallableClassifier(predict), found, sys.argv[1] + "/out", FeatureGuidedAttack(budget=60))
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("most", [1_000, pytest.param(20_000, marks=pytest.mark.long)])
def test_a_disk_that_fills_up_ends_the_audit_which_goes_on_later(tmp_path, most):
    """A process that may not write files of more than so many bytes: not the database, or not the pictures."""
    path, _ = saved(tmp_path, count=2)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path, str(most)], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )  # fmt: skip
    assert done.stdout.startswith("UnusableFileError"), done.stdout + done.stderr
    assert "make room on the disk" in done.stdout
    assert not records(tmp_path / "out")
    found, _ = gather_images([path])
    classifier = CallableClassifier(predict)
    outcome = audit_images(classifier, found, tmp_path / "out", FeatureGuidedAttack(budget=60))
    assert outcome.written == 2
    assert_only_results(tmp_path / "out")
    alone = CallableClassifier(predict)
    audit_images(alone, found, tmp_path / "other", FeatureGuidedAttack(budget=60))
    assert classifier.queries <= alone.queries
    assert records(tmp_path / "out") == records(tmp_path / "other")


def assert_only_results(out):
    names = {path.name for path in out.rglob("*") if path.is_file()}
    pictures = {"panel.png", "original.png", "adversarial.png", "difference.png", "density.png"}
    assert names <= {*pictures, "images.npz", "result.json", "audit.sqlite"}


def test_results_and_what_carries_them_can_be_pickled():
    images = np.full((1, 8, 8, 3), 0.3, dtype=np.float32)
    (result,) = FeatureGuidedAttack(budget=60).run(CallableClassifier(predict), images, [0])
    for error in (AttackInterrupted("the model has gone", [result]), AttackStopped([result])):
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        (kept,) = again.results
        assert kept.distances == result.distances
        assert kept.distance == result.distance
        np.testing.assert_array_equal(kept.adversarial, result.adversarial)
        with pytest.raises(TypeError):
            kept.distances["l0"] = 0.0
