"""Going on with an audit: images that are away for a while or moved, other labels, ceilings and what is counted."""

from __future__ import annotations

import pytest

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
    status = Audit(tmp_path / "a").run(target=middle)  # the other folder is still there
    assert status.counts["failed"] == 2  # one was done before the pause
    (tmp_path / "away").rename(source)
    last = classifier()
    status = Audit(tmp_path / "a").run(target=last, retry_failed=True)
    assert (status.counts["found"], status.begun) == (4, 0)
    assert first.queries + middle.queries + last.queries == whole.queries
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
    status = audit.run([tmp_path / "moved"], target=again)
    assert dict(status.counts) == {"waiting": 0, "found": 4, "held": 0, "wrong": 0, "failed": 0}
    with AuditStore(tmp_path / "a") as store:
        assert [record.name for record in store.images()] == [f"dark/{number}" for number in range(4)]
        assert {record.path.split("/")[-3] for record in store.images()} == {"moved"}
        assert store.about["settings"]["images"] == [str(tmp_path / "moved")]
        assert len(list(store.weather())) == 4 >= weather
    whole = classifier()
    Audit(tmp_path / "whole").run([tmp_path / "moved"], target=whole, **SMALL)
    assert target.queries + again.queries == whole.queries  # nothing is asked twice
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
    assert " are made, 2 more were wanted; what was answered is kept" in told

    def broken(images):
        raise RuntimeError("out of order")

    with pytest.raises(AuditPaused, match=rf"what {target.queries} queries brought is kept: give the same command again to"):
        Audit(tmp_path / "a").run(target=classifier(broken))


def test_timing_is_asked_once_counted_and_within_the_ceiling(tmp_path):
    target, plans = Counting(predict, class_names=NAMES, identity="patch"), []
    told = []
    with pytest.raises(AuditPaused) as caught:
        Audit(tmp_path / "a").run([pictures(tmp_path / "set")], target=target, max_queries=60, on_plan=plans.append, **SMALL)
    told.append(str(caught.value))
    assert plans[0].timing == 8
    assert Audit(tmp_path / "a").status().queries == target.asked <= 60
    status = Audit(tmp_path / "a").run(target=target, on_plan=plans.append)
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
