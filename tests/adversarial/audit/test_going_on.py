"""Going on with an audit: images that are away for a while or moved, other labels, ceilings and what is counted."""

from __future__ import annotations

import os
import sqlite3
import sys

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier
from adversarial.audit import Audit, AuditPaused, AuditStore
from saywhy_core.errors import UsageError
from tests.adversarial.audit.test_auditing import NAMES, QUICK, classifier, pictures, predict, rows

SMALL = {**QUICK, "batch_size": 8}


class Counting(CallableClassifier):
    """A classifier that counts what it is asked about, also what it remembers."""

    asked = 0

    def __call__(self, images):
        self.asked += len(images)
        return super().__call__(images)

    def ask_some_again(self, images, again):
        self.asked += len(images) if again else 0  # without any, it is the call above
        return super().ask_some_again(images, again)

    def ask_again(self, images):
        self.asked += len(images)
        return super().ask_again(images)


def paused(folder, sources, target, most=60, **more):
    with pytest.raises(AuditPaused) as caught:
        Audit(folder).run(sources, target=target, max_queries=most, **SMALL, **more)
    return str(caught.value)


@pytest.mark.parametrize("distance", ["l0", "l2"])
@pytest.mark.parametrize("most", [43, 100, 150])
def test_a_ceiling_buys_whole_images_and_their_rows_are_those_without_one(tmp_path, most, distance):
    """An image takes 43 queries at most: 40 of the search, one kind of weather, and survival as PNG and JPEG."""
    source, target = pictures(tmp_path / "set", 6), classifier()
    with pytest.raises(AuditPaused):
        Audit(tmp_path / "a").run([source], target=target, max_queries=most, distance=distance, **QUICK)
    assert target.queries <= most
    status = Audit(tmp_path / "a").status()
    assert 6 - status.waiting >= most // 43
    assert status.begun <= 1
    Audit(tmp_path / "whole").run([source], target=classifier(), distance=distance, **QUICK)
    done = 6 - status.waiting
    assert rows(tmp_path / "a")[:done] == rows(tmp_path / "whole")[:done]


def test_a_ceiling_that_is_high_enough_leaves_images_side_by_side(tmp_path):
    sizes = []

    def counting(images):
        sizes.append(len(images))
        return predict(images)

    source = pictures(tmp_path / "set", 6)
    most = [None, 6 * 43 + 64]  # the second is enough for all of them and the timing
    for place, ceiling in enumerate(most):
        Audit(tmp_path / str(place)).run([source], target=classifier(counting), max_queries=ceiling, **QUICK)
        sizes.append(0)
    assert sizes[: len(sizes) // 2] == sizes[len(sizes) // 2 :]


def test_answers_are_kept_while_images_are_away(tmp_path):
    source, more = pictures(tmp_path / "set"), pictures(tmp_path / "more", 1, seed=4)
    first, middle, whole = classifier(), classifier(), classifier()
    Audit(tmp_path / "whole").run([source, more], target=whole, **SMALL)
    paused(tmp_path / "a", [source, more], first)
    source.rename(tmp_path / "away")
    status = Audit(tmp_path / "a").run(target=middle, max_queries=1000)  # the other folder is still there
    assert status.counts["failed"] == 2  # one was done before the pause
    (tmp_path / "away").rename(source)
    last = classifier()
    status = Audit(tmp_path / "a").run(target=last, retry_failed=True)
    assert (status.counts["found"], status.begun) == (4, 0)
    checks = 2  # one for each that goes on: whether it still answers as before
    assert first.queries + middle.queries + last.queries == whole.queries + checks
    assert not list((tmp_path / "a").glob("answers/*"))


def test_an_audit_whose_images_are_all_away_does_not_make_them_fail(tmp_path):
    source = pictures(tmp_path / "set")
    paused(tmp_path / "a", [source], classifier())
    before = rows(tmp_path / "a")
    source.rename(tmp_path / "away")
    for given in (None, [source]):
        with pytest.raises(UsageError, match=r"no image of this audit is there any more, .*mount|there are no images to audit"):
            Audit(tmp_path / "a").run(given, target=classifier())
    assert rows(tmp_path / "a") == before


@pytest.mark.parametrize("most", [60, 1000])
def test_images_that_moved_keep_their_rows(tmp_path, most):
    source = pictures(tmp_path / "set")
    audit, target = Audit(tmp_path / "a"), classifier()
    if most == 60:
        paused(tmp_path / "a", [source], target)
    else:
        audit.run([source], target=target, **SMALL)
    with AuditStore(tmp_path / "a") as store:
        begun = store.about["settings"]["images"]
        weather = len(list(store.weather()))
    assert begun == [str(source)]
    source.rename(tmp_path / "moved")
    pictures(tmp_path / "moved", 4)  # and one is new
    again = classifier()
    status = audit.run([tmp_path / "moved"], target=again, max_queries=1000)
    assert dict(status.counts) == {"waiting": 0, "found": 4, "held": 0, "wrong": 0, "failed": 0}
    with AuditStore(tmp_path / "a") as store:
        assert [record.name for record in store.images()] == [f"dark/{number}" for number in range(4)]
        assert {record.path.split("/")[-3] for record in store.images()} == {"moved"}
        assert store.about["settings"]["images"] == [str(tmp_path / "moved")]
        assert len(list(store.weather())) == 4 >= weather
    whole = classifier()
    Audit(tmp_path / "whole").run([tmp_path / "moved"], target=whole, **SMALL)
    # nothing is asked twice but one original, to see whether the classifier still answers as before
    assert target.queries + again.queries == whole.queries + 1
    assert audit.run(target=again, retry_failed=True).images == 4


def test_labels_of_failed_images_are_put_right_by_a_file_in_place_of_one_label(tmp_path):
    source = pictures(tmp_path / "set")
    (tmp_path / "lines.txt").write_text("0\n0\n0\n")
    audit = Audit(tmp_path / "a")
    assert audit.run([source], target=classifier(), label=7, **QUICK).counts["failed"] == 3
    with pytest.raises(UsageError, match="label"):
        audit.run(target=classifier(), labels=tmp_path / "lines.txt")
    status = audit.run(target=classifier(), labels=tmp_path / "lines.txt", retry_failed=True)
    assert status.counts["found"] == 3


def test_a_ceiling_says_what_to_do_and_status_counts_what_was_asked(tmp_path):
    target = classifier()
    told = paused(tmp_path / "a", [pictures(tmp_path / "set")], target, most=40)
    assert told.endswith("give the same command again with a higher --max-queries to go on")
    status = Audit(tmp_path / "a").status()
    assert (status.queries, status.begun, status.waiting) == (target.queries, 1, 3)
    assert ", and 2 more were wanted; what was answered is kept" in told

    def broken(images):
        raise RuntimeError("out of order")

    with pytest.raises(AuditPaused, match=rf"what {target.queries} queries brought is kept: give the same command again to"):
        Audit(tmp_path / "a").run(target=classifier(broken), max_queries=1000)


def test_a_ceiling_holds_until_another_is_given(tmp_path):
    paused(tmp_path / "a", [pictures(tmp_path / "set")], classifier())
    target = classifier()
    for _ in range(2):  # the second time nothing is left at all
        with pytest.raises(AuditPaused, match="the audit may make 60 queries in all"):
            Audit(tmp_path / "a").run(target=target)
        assert Audit(tmp_path / "a").status().queries <= 60
    with pytest.raises(AuditPaused, match="the audit may make 70 queries in all"):
        Audit(tmp_path / "a").run(target=target, max_queries=70)
    with pytest.raises(AuditPaused, match="the audit may make 70 queries in all"):
        Audit(tmp_path / "a").run(target=target)
    assert Audit(tmp_path / "a").run(target=target, max_queries=1000).waiting == 0


def test_timing_is_asked_once_counted_and_within_the_ceiling(tmp_path):
    target, plans = Counting(predict, class_names=NAMES, identity="patch"), []
    told = []
    with pytest.raises(AuditPaused) as caught:
        Audit(tmp_path / "a").run([pictures(tmp_path / "set")], target=target, max_queries=60, on_plan=plans.append, **SMALL)
    told.append(str(caught.value))
    assert plans[0].timing == 8
    assert Audit(tmp_path / "a").status().queries == target.asked <= 60
    status = Audit(tmp_path / "a").run(target=target, on_plan=plans.append, max_queries=1000)
    assert (plans[1].timing, plans[1].seconds) == (0, None)
    with AuditStore(tmp_path / "a") as store:
        assert status.queries == store.queries() + 8
    calls = []

    def counting(images):
        calls.append(len(images))
        return predict(images)

    with pytest.raises(AuditPaused):
        Audit(tmp_path / "b").run([tmp_path / "set"], target=classifier(counting), max_queries=7, on_plan=plans.append, **SMALL)
    assert (plans[2].timing, plans[2].seconds) == (0, None)
    assert sum(calls) <= 7


def test_paths_given_in_another_folder_are_found_again_from_anywhere(tmp_path, monkeypatch):
    """Folder, table of labels and images: begun in one folder, gone on with in a second one and a third one."""
    for place in ("one", "two", "three"):
        (tmp_path / place).mkdir()
    monkeypatch.chdir(tmp_path / "one")
    pictures(tmp_path / "one" / "set", 2)
    (tmp_path / "one" / "set" / "dark" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "one" / "labels.csv").write_text("name,label\ndark/0,dark\ndark/1,dark\ndark/2,dark\ndark/broken,dark\n")
    audit = Audit(tmp_path / "a")
    assert audit.run(["set"], target=classifier(), labels="labels.csv", **QUICK).counts["found"] == 2
    before = rows(tmp_path / "a")
    monkeypatch.chdir(tmp_path / "two")
    status = audit.run(["../one/set"], target=classifier(), labels="../one/labels.csv")  # the same images and labels
    assert (status.images, rows(tmp_path / "a")) == (3, before)
    pictures(tmp_path / "one" / "set", 3)
    status = audit.run(["../one/set"], target=classifier())
    assert (status.images, status.counts["failed"]) == (4, 1)
    pictures(tmp_path / "one" / "set", 4).joinpath("dark", "3.png").rename(tmp_path / "one" / "set" / "dark" / "broken.png")
    monkeypatch.chdir(tmp_path / "three")
    status = audit.run(target=classifier(), retry_failed=True)
    assert (status.images, status.counts["found"]) == (4, 4)
    with AuditStore(tmp_path / "a") as store:
        settings = store.about["settings"]
        assert (settings["images"], settings["labels"]) == (["set"], "labels.csv")
        assert {record.path for record in store.images()} >= {"set/dark/0.png", "set/dark/broken.png"}


def test_images_added_in_another_folder_are_attacked_and_found_in_a_third(tmp_path, monkeypatch):
    for place in ("one", "two", "three"):
        (tmp_path / place).mkdir()
        pictures(tmp_path / place / "set", 1, seed=len(place))
        monkeypatch.chdir(tmp_path / place)
        status = Audit(tmp_path / "a").run(["set"], target=classifier(), **QUICK)
    assert (status.images, status.counts["failed"], status.waiting) == (3, 0, 0)
    with AuditStore(tmp_path / "a") as store:
        assert [record.path for record in store.images()] == [
            "set/dark/0.png", str(tmp_path / "two" / "set" / "dark" / "0.png"), str(tmp_path / "three" / "set" / "dark" / "0.png"),
        ]  # fmt: skip
        digests = {record.pixels for record in store.images()}
    assert len(digests) == 3 - 1  # the second and the third have equal seeds, as their names are equally long


def test_a_target_that_lies_in_another_folder_is_told_with_that_folder(tmp_path, monkeypatch):
    (tmp_path / "one").mkdir()
    monkeypatch.chdir(tmp_path / "one")
    (tmp_path / "one" / "always_dark.py").write_text(
        "import numpy as np\n\ndef predict(images):\n    return np.eye(2)[np.zeros(len(images), int)]\n"
    )
    pictures(tmp_path / "set", 1)
    target = "python:always_dark:predict"
    Audit(tmp_path / "a").run(
        [tmp_path / "set"], target=target, trust=True, budget=20, weather=(), options={"scores": "probabilities"}, label=0
    )
    sys.modules.pop("always_dark")
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path / "one")])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=rf"begun in {tmp_path / 'one'}: give the command there, or the target again"):
        Audit(tmp_path / "a").run(trust=True)


def test_a_finished_picture_that_was_changed_is_named_and_nothing_is_asked_about_it(tmp_path):
    source, plans = pictures(tmp_path / "set"), []
    audit = Audit(tmp_path / "a")
    audit.run([source], target=classifier(), **QUICK)
    before = rows(tmp_path / "a")
    again = classifier()
    assert audit.run(target=again).problems == ()
    os.utime(source / "dark" / "0.png", (1, 1))  # touched, and not changed
    assert audit.run(target=again).problems == ()
    file = source / "dark" / "1.png"
    was = file.read_bytes()
    Image.new("RGB", (8, 8), (90, 0, 0)).save(file)
    for given in (None, [source]):
        status = audit.run(given, target=again, on_plan=plans.append)
        (problem,) = status.problems
        assert (problem.where, problem.what[:58]) == ("dark/1", "its file was changed after it was audited, and its row is ")
        assert list(plans[-1].problems) == [problem]
    assert [one.where for one in audit.plan(target=again).problems] == ["dark/1"]
    file.write_bytes(b"no picture")
    assert [one.where for one in audit.run(target=again).problems] == ["dark/1"]
    file.write_bytes(was)
    assert audit.run(target=again).problems == ()
    assert rows(tmp_path / "a") == before
    assert again.queries == 0


def test_files_that_are_as_they_were_are_not_read_again(tmp_path, monkeypatch):
    source = pictures(tmp_path / "set")
    Audit(tmp_path / "a").run([source], target=classifier(), **QUICK)
    read = []
    monkeypatch.setattr("adversarial.audit.image_files.read_source", lambda source, channels: read.append(source.name))
    with AuditStore(tmp_path / "a") as store:
        assert sorted(store.stamps()) == [1, 2, 3]
    assert Audit(tmp_path / "a").run(target=classifier()).problems == ()
    assert not read
    with sqlite3.connect(tmp_path / "a" / "audit.sqlite") as database:  # an audit of an earlier release
        database.execute("DROP TABLE files")
    monkeypatch.undo()
    with AuditStore(tmp_path / "a") as store:
        assert store.stamps() == {}
    assert Audit(tmp_path / "a").run(target=classifier()).problems == ()
    with AuditStore(tmp_path / "a") as store:
        assert sorted(store.stamps()) == [1, 2, 3]


def test_one_picture_of_an_array_that_was_changed_is_named_alone(tmp_path):
    images = np.random.default_rng(0).integers(50, 100, (3, 8, 8, 3), dtype=np.uint8)
    np.save(tmp_path / "set.npy", images)
    audit = Audit(tmp_path / "a")
    audit.run([tmp_path / "set.npy"], target=classifier(), **QUICK)
    images[1, 0, 0] = 0
    np.save(tmp_path / "set.npy", images)
    assert [one.where for one in audit.run(target=classifier()).problems] == ["set-1"]


def test_queries_whose_answers_are_forgotten_stay_counted_and_the_ceiling_holds_over_all_runs(tmp_path):
    asked, rng = [], np.random.default_rng(0)

    def noisy(images):
        asked.append(len(images))
        return predict(images) + rng.random((len(images), 2))

    audit, counted = Audit(tmp_path / "a"), []
    for _ in range(6):
        with pytest.raises(AuditPaused):
            audit.run(
                [pictures(tmp_path / "set")], target=classifier(noisy), max_queries=150, budget=20, batch_size=8, weather=()
            )
        counted.append(audit.status().queries)
        assert sum(asked) <= counted[-1] <= 150
    assert counted == sorted(counted)


def narrow(images):
    return np.ones((len(images), 3))


def varying(images):
    return np.ones((len(images), len(images) + 2))


@pytest.mark.parametrize("max_queries", [None, 43])  # the second leaves nothing to time the classifier with
@pytest.mark.parametrize(
    ("target", "more", "most"),
    [
        (CallableClassifier(narrow), {"class_names": ["a", "b"]}, 1),
        (CallableClassifier(narrow, class_names=NAMES), {}, 1),
        (CallableClassifier(narrow, classes=5), {}, 1),
        (CallableClassifier(varying), {}, 8),
    ],
    ids=["names", "own", "classes", "varying"],
)
def test_classes_that_do_not_fit_are_refused_at_once_and_leave_no_folder(tmp_path, target, more, most, max_queries):
    if target.predict is varying and max_queries:
        pytest.skip("one image alone always has the same number of scores")
    with pytest.raises(UsageError, match=r"returned \d+ scores per image but has \d") as caught:
        Audit(tmp_path / "a").run(
            [pictures(tmp_path / "set")], target=target, max_queries=max_queries, on_plan=lambda plan: None, **more, **SMALL
        )
    assert not isinstance(caught.value, AuditPaused)
    assert target.queries <= 8
    assert not (tmp_path / "a").exists()


def test_an_engine_that_cannot_work_is_refused_before_anything_is_asked(tmp_path):
    target, source = classifier(), [pictures(tmp_path / "set")]
    for options, error in (({}, "opens the classifier in each of its workers"), ({"workers": 0}, "workers must be")):
        with pytest.raises(UsageError, match=error):
            Audit(tmp_path / "a").run(source, target=target, engine="ray", engine_options=options, **SMALL)
    assert target.queries == 0
    assert not (tmp_path / "a").exists()


def test_a_noisy_classifier_pauses_the_audit_with_a_way_out(tmp_path):
    rng = np.random.default_rng(0)
    noisy = classifier(lambda images: predict(images) + rng.random((len(images), 2)))
    with pytest.raises(AuditPaused, match=r"tolerate_noise.*or another folder for any other setting$"):
        Audit(tmp_path / "a").run([pictures(tmp_path / "set")], target=noisy, **SMALL)
    assert Audit(tmp_path / "a").status().waiting == 3


def test_a_path_that_is_not_there_leaves_the_images_that_wait(tmp_path):
    source, plans = pictures(tmp_path / "set"), []
    with pytest.raises(AuditPaused):
        Audit(tmp_path / "a").run([source], target=classifier(), max_queries=50, **SMALL)
    status = Audit(tmp_path / "a").run([tmp_path / "gone.png"], target=classifier(), max_queries=500, on_plan=plans.append)
    assert (status.images, status.waiting) == (3, 0)
    assert "gone.png" in str(plans[0].problems[0])
    with pytest.raises(UsageError, match="there are no images to audit"):
        Audit(tmp_path / "b").run([tmp_path / "gone.png"], target=classifier(), **SMALL)
