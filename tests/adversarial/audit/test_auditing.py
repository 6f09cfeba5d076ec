"""Audits of many images: listed, attacked, kept, gone on with."""

from __future__ import annotations

import json
import sqlite3

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier
from adversarial.audit import Audit, AuditPaused, AuditStore
from adversarial.audit.sources import list_sources
from saywhy_core.errors import UsageError

NAMES = ("dark", "bright")
QUICK = {"budget": 40, "weather": ("blur",), "severities": (1,)}


def predict(images):
    """Bright where the mean of four pixels is above 0.6: changing two of them is enough for a dark image."""
    patch = images[:, 3:5, 3:5].mean(axis=(1, 2, 3))
    return np.stack([np.full(len(images), 0.6), patch], axis=1)


def classifier(function=predict, **more):
    return CallableClassifier(function, class_names=NAMES, identity="patch", **more)


def pictures(folder, count=3, seed=0):
    rng = np.random.default_rng(seed)
    for number in range(count):
        place = folder / "dark"
        place.mkdir(parents=True, exist_ok=True)
        values = np.uint8(50 + 50 * rng.random((8, 8, 3)))
        Image.fromarray(values).save(place / f"{number}.png")
    return folder


def rows(folder, table="images"):
    with sqlite3.connect(folder / "audit.sqlite") as database:
        return database.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3").fetchall()


def test_every_image_has_its_row_with_the_columns_that_are_promised(tmp_path):
    status = Audit(tmp_path / "a").run([pictures(tmp_path / "set")], target=classifier(), **QUICK)
    assert dict(status.counts) == {"waiting": 0, "found": 3, "held": 0, "wrong": 0, "failed": 0}
    with sqlite3.connect(tmp_path / "a" / "audit.sqlite") as database:
        database.row_factory = sqlite3.Row
        for row in database.execute("SELECT * FROM images"):
            assert row["path"].endswith(".png")
            assert (row["status"], row["label"], row["predicted"], row["adversarial_label"]) == ("found", 0, 0, 1)
            assert row["distance"] == row["changed_pixels"] == json.loads(row["distances"])["l0"]
            assert row["search_queries"] <= 40
            assert row["queries"] == row["search_queries"] + 2 + 1  # survival, and one kind of weather
            assert json.loads(row["survives"])["png"] is True
        assert database.execute("PRAGMA user_version").fetchone()[0] == 1
    with AuditStore(tmp_path / "a") as store:
        for record in store.images("found"):
            arrays = store.arrays(record)
            (changed,) = np.nonzero((arrays.adversarial != arrays.original).any(axis=-1).ravel())[:1]
            assert len(changed) == record.distance
            assert predict(arrays.adversarial[None]).argmax() == 1
        assert len(list(store.weather())) == 3


def test_what_is_done_is_kept_and_new_images_are_added(tmp_path):
    target = classifier()
    audit = Audit(tmp_path / "a")
    audit.run([pictures(tmp_path / "set")], target=target, **QUICK)
    asked, before = target.queries, rows(tmp_path / "a")
    assert audit.run(target=target).waiting == 0
    assert target.queries == asked
    pictures(tmp_path / "more", 1, seed=5)
    assert audit.run([tmp_path / "set", tmp_path / "more"], target=target).images == 4
    assert rows(tmp_path / "a")[:3] == before


@pytest.mark.parametrize("calls", [2, 6, *(pytest.param(calls, marks=pytest.mark.long) for calls in (1, 3, 12))])
def test_an_audit_that_was_stopped_comes_to_the_same_database(tmp_path, calls):
    """However often the classifier breaks down, the rows are those of a run without interruption."""
    source = pictures(tmp_path / "set", 4)
    Audit(tmp_path / "whole").run([source], target=classifier(), batch_size=8, **QUICK)
    answered = set()

    for _ in range(60):
        left = [calls]

        def failing(images, left=left):
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            answered.update(image.tobytes() for image in images)
            return predict(images)

        try:
            status = Audit(tmp_path / "parts").run([source], target=classifier(failing), batch_size=8, **QUICK)
            break
        except KeyboardInterrupt:
            continue
    assert status.waiting == 0
    for table in ("images", "weather"):
        assert rows(tmp_path / "parts", table) == rows(tmp_path / "whole", table)


def test_a_ceiling_on_all_queries_pauses_the_audit(tmp_path):
    source, target = pictures(tmp_path / "set"), classifier()
    with pytest.raises(AuditPaused, match=r"the audit is paused, \d of 3 images are done: .*60 queries in all"):
        Audit(tmp_path / "a").run([source], target=target, max_queries=60, batch_size=8, **QUICK)
    assert target.queries <= 60
    with pytest.raises(AuditPaused):
        Audit(tmp_path / "a").run(target=classifier(), max_queries=60)
    assert Audit(tmp_path / "a").run(target=classifier(), max_queries=200).waiting == 0
    Audit(tmp_path / "whole").run([source], target=classifier(), batch_size=8, **QUICK)
    assert rows(tmp_path / "a") == rows(tmp_path / "whole")


def test_a_classifier_that_fails_for_every_image_pauses_the_audit(tmp_path):
    def broken(images):
        raise RuntimeError("out of order")

    source = pictures(tmp_path / "set", 12)
    with pytest.raises(AuditPaused, match=r"the audit is paused, 0 of 12 images are done: .*out of order"):
        Audit(tmp_path / "a").run([source], target=classifier(broken), **QUICK)
    assert Audit(tmp_path / "a").run(target=classifier()).waiting == 0


@pytest.mark.parametrize("name", ["00", "red"])
def test_an_image_that_the_classifier_can_not_answer_fails_alone(tmp_path, name):
    """Also where it is the first one, by which the plan times the classifier."""
    source = pictures(tmp_path / "set")
    Image.new("RGB", (8, 8), (250, 0, 0)).save(source / "dark" / f"{name}.png")

    def choosy(images):
        scores = predict(images)
        scores[np.isclose(images, [250 / 255, 0, 0]).all(axis=(1, 2, 3))] = np.nan  # that picture, and none that a search makes
        return scores

    plans = []
    status = Audit(tmp_path / "a").run([source], target=classifier(choosy), on_plan=plans.append, **QUICK)
    (problem,) = status.problems
    assert plans[0].waiting == 4
    assert problem.where == f"dark/{name}"
    assert status.counts["found"] == 3


def test_what_can_not_be_attacked_fails_alone_and_is_tried_again_when_asked(tmp_path):
    source = pictures(tmp_path / "set")
    (source / "dark" / "broken.png").write_bytes(b"no picture")
    (source / "unknown").mkdir()
    Image.new("RGB", (8, 8)).save(source / "unknown" / "x.png")
    Image.new("RGB", (9, 8)).save(source / "dark" / "wide.png")
    target = classifier(image_shape=(8, 8, 3))
    audit = Audit(tmp_path / "a")
    status = audit.run([source], target=target, **QUICK)
    told = {problem.where: problem.what for problem in status.problems}
    assert sorted(told) == ["dark/broken", "dark/wide", "unknown/x"]
    assert "there is no class 'unknown'" in told["unknown/x"]
    assert "use --resize auto" in told["dark/wide"]
    assert status.counts["found"] == 3
    asked = target.queries
    Image.new("RGB", (8, 8), (60, 60, 60)).save(source / "dark" / "broken.png")
    status = audit.run(target=target, retry_failed=True)
    assert (status.counts["failed"], status.counts["found"]) == (2, 4)
    assert asked < target.queries <= asked + 43


def test_a_plan_says_what_it_takes_and_writes_nothing(tmp_path):
    target = classifier()
    plan = Audit(tmp_path / "a").plan([pictures(tmp_path / "set")], target=target, price=0.5, **QUICK)
    assert (plan.images, plan.waiting, plan.queries_per_image, plan.queries) == (3, 3, 43, 129)
    assert (plan.timing, target.queries, plan.cost) == (64, 64, 96.5)  # the batch that timed it costs something, too
    assert not (tmp_path / "a").exists()
    target = classifier()
    Audit(tmp_path / "a").run([tmp_path / "set"], target=target, **QUICK)
    assert target.queries <= plan.queries


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"budget": 41}, "budget = 40, not 41"),
        ({"distance": "l2"}, "distance = 'l0', not 'l2'"),
        ({"severities": (1, 2)}, "severities = "),
        ({"bugdet": 3}, "no setting 'bugdet'"),
    ],
)
def test_other_settings_are_refused_where_there_is_an_audit(tmp_path, changed, said):
    Audit(tmp_path / "a").run([pictures(tmp_path / "set")], target=classifier(), **QUICK)
    with pytest.raises(UsageError, match=said):
        Audit(tmp_path / "a").run(target=classifier(), **changed)
    with pytest.raises(UsageError, match="another model"):
        Audit(tmp_path / "a").run(target=CallableClassifier(predict, class_names=NAMES, identity="other"))


NAMELESS = CallableClassifier(predict, identity="patch")


@pytest.mark.parametrize(
    ("begun", "then", "said"),
    [
        ({"class_names": NAMES}, {"class_names": ("dark", "light")}, "the name 'bright' for class 1, not 'light'"),
        ({"class_names": NAMES}, {"class_names": ("dark", "bright", "grey")}, "with 2 class names, not 3"),
        ({}, {"class_names": NAMES}, "without class names"),
        ({"class_names": NAMES}, {"class_names": list(NAMES)}, None),
        ({"class_names": NAMES}, {}, None),
        ({"label": 0}, {"label": 1}, "label = 0, not 1"),
        ({"label": 0}, {"label": "0"}, None),
        ({}, {"label": 1}, "without label, not with 1"),
        ({"label": 0}, {"label": 1, "retry_failed": True}, None),
    ],
)
def test_an_audit_goes_on_with_the_names_and_labels_that_it_was_begun_with(tmp_path, begun, then, said):
    audit = Audit(tmp_path / "a")
    audit.run([pictures(tmp_path / "set", 1)], target=NAMELESS, **begun, **QUICK)
    with AuditStore(tmp_path / "a") as store:
        about = store.about
    if said is None:
        audit.run(target=NAMELESS, **then)
        return
    pictures(tmp_path / "more", 1, seed=1)
    with pytest.raises(UsageError, match=said):
        audit.run([tmp_path / "more"], target=NAMELESS, **then)
    with AuditStore(tmp_path / "a") as store:
        assert store.about == about


def test_labels_from_folders_tables_lines_and_the_classifier(tmp_path):
    source = pictures(tmp_path / "set", 2)
    Image.new("RGB", (8, 8)).save(source / "loose.png")

    def labels(**more):
        found, _ = list_sources([source], class_names=NAMES, **more)
        return {one.name: one.label if not one.error else one.error for one in found}

    assert labels() == {"dark/0": 0, "dark/1": 0, "loose": None}
    assert labels(labels="classifier") == {"dark/0": None, "dark/1": None, "loose": None}
    assert labels(label="bright") == {"dark/0": 1, "dark/1": 1, "loose": 1}
    table = tmp_path / "labels.csv"
    table.write_text("path,label\nset/dark/0.png,bright\nset/loose.png,0\n")
    table.write_text("path,label\nset/dark/0.png,\nset/loose.png,0\n")
    assert labels(labels=table)["dark/0"] == "its label in the table of labels is empty"
    table.write_text("path,label\nset/dark/0.png,bright\nset/loose.png,0\n")
    assert labels(labels=table) == {"dark/0": 1, "dark/1": "its table of labels does not name it", "loose": 0}
    lines = tmp_path / "labels.txt"
    lines.write_text("0\n1\nbright\n")
    assert labels(labels=lines) == {"dark/0": 0, "dark/1": 1, "loose": 1}
    lines.write_text("0\n1\n")
    with pytest.raises(UsageError, match="2 labels for 3 images"):
        labels(labels=lines)


def test_names_are_never_twice(tmp_path):
    for folder in ("a", "b"):
        pictures(tmp_path / folder, 2)
    (tmp_path / "a" / "dark" / "0.jpg").write_bytes((tmp_path / "a" / "dark" / "0.png").read_bytes())
    found, _ = list_sources([tmp_path / "a", tmp_path / "b", tmp_path / "a" / "dark" / "0.png"])
    assert len({one.name for one in found}) == len(found) == 6


def test_wrong_images_are_counted_apart(tmp_path):
    source = pictures(tmp_path / "set", 1)
    (source / "bright").mkdir()
    Image.new("RGB", (8, 8), (10, 10, 10)).save(source / "bright" / "not.png")
    status = Audit(tmp_path / "a").run([source], target=classifier(), **QUICK)
    assert (status.counts["found"], status.counts["wrong"]) == (1, 1)
    with AuditStore(tmp_path / "a") as store:
        (record,) = store.images("wrong")
    assert (record.label, record.predicted, record.distance) == (1, 0, 0.0)
