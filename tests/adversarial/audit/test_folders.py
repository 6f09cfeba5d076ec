"""Which folder an image's finding goes to, and what may be in it already."""

from __future__ import annotations

import json
import os
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial import AttackStopped, CallableClassifier, FeatureGuidedAttack
from adversarial.audit import AuditImage, AuditStore, audit_images, gather_images
from adversarial.audit.image_folders.placing import result_folders
from saywhy_core.errors import UsageError

ATTACK = FeatureGuidedAttack(budget=12)


def predict(images):
    patch = images[:, 1:3, 1:3].mean(axis=(1, 2, 3))
    return np.stack([np.full(len(images), 0.6), patch], axis=1)


def image(name, number=0, source=""):
    return AuditImage(name, np.full((6, 6, 1), number / 100, np.float32), 0, source)


def names(out, images):
    return [folder.path.name for folder in result_folders(out, images, [f"digest {one.source}" for one in images])]


def audit(out, images, attack=ATTACK, **options):
    return audit_images(CallableClassifier(predict), images, out, attack, **options)


SOURCES = {
    "x/stop.png": "x-stop", "y/stop.png": "y-stop", "z/x/stop.png": "z-x-stop", "x/go.png": "go", "w/Wait.png": "w-Wait",
    "v/wait.png": "v-wait",
}  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(sorted(SOURCES)))
def test_names_do_not_depend_on_the_order(tmp_path_factory, order):
    root = tmp_path_factory.mktemp("names")
    images = [image(os.path.basename(one)[:-4], number, str(root / one)) for number, one in enumerate(order)]  # noqa: PTH119
    told = dict(zip(order, names(root / "out", images), strict=True))
    expected = {**SOURCES, "x/stop.png": f"{root.name}-x-stop"}  # the end of z/x/stop.png, too
    assert told == expected


def test_what_has_a_folder_keeps_it_in_any_company(tmp_path):
    one, two, three = (image("stop", number, str(tmp_path / folder / "stop.png")) for number, folder in enumerate("abc"))
    assert audit(tmp_path / "out", [one]).written == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["stop"]
    told = []
    outcome = audit(tmp_path / "out", [two, one, three], on_finding=lambda name, said: told.append(name))
    assert (outcome.written, outcome.kept, outcome.problems) == (2, 1, ())
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["b-stop", "c-stop", "stop"]
    assert sorted(told) == ["b-stop", "c-stop"]
    for group in ([two], [three, two], [one], [three, one, two]):
        assert audit(tmp_path / "out", group).kept == len(group)
    assert sum(path.is_dir() for path in (tmp_path / "out").iterdir()) == 3


def test_alone_and_beside_a_result_of_its_name(tmp_path):
    """Two runs, each with one of two images of one name: the second doesn't stand in the way of the first, nor fails."""
    one, two = (image("stop", number, str(tmp_path / folder / "stop.png")) for number, folder in enumerate("ab"))
    assert audit(tmp_path / "out", [one]).written == 1
    outcome = audit(tmp_path / "out", [two])
    assert (outcome.written, outcome.problems) == (1, ())
    assert sorted(path.name for path in (tmp_path / "out").iterdir() if path.is_dir()) == ["b-stop", "stop"]


def test_an_image_that_was_changed_since_is_told(tmp_path):
    one = image("stop", 1, str(tmp_path / "a" / "stop.png"))
    changed = image("stop", 2, str(tmp_path / "a" / "stop.png"))
    assert audit(tmp_path / "out", [one]).written == 1
    (problem,) = audit(tmp_path / "out", [changed]).problems
    assert "stop holds the result of another image or of other settings; write to another folder" in problem.what
    assert audit(tmp_path / "out", [changed], force=True).written == 1


def test_copies_in_one_folder_and_without_a_file(tmp_path):
    copies = [image("stop", 1, str(tmp_path / f"stop.{ending}")) for ending in ("png", "bmp", "npy")]
    without = [image("go", 1), image("go", 1), image("go", 2)]
    told = names(tmp_path / "out", [*copies, *without])
    assert len(set(told)) == 6
    assert told == names(tmp_path / "out", [*copies, *without])
    outcome = audit(tmp_path / "out", [*copies, *without])
    assert (outcome.written, outcome.problems) == (6, ())
    assert audit(tmp_path / "out", [*without[::-1], *copies[::-1]]).kept == 6


def test_sets_of_one_name_in_two_folders(tmp_path):
    for number, folder in enumerate("ab"):
        (tmp_path / folder).mkdir()
        images = np.random.default_rng(number).integers(0, 50, (12, 6, 6, 3), dtype=np.uint8)
        np.savez(tmp_path / folder / "set.npz", images=images, labels=np.zeros(12, int))
    found, _ = gather_images([tmp_path / "a" / "set.npz", tmp_path / "b" / "set.npz"])
    assert sorted(names(tmp_path / "out", found)) == sorted(
        f"{folder}-set-{place:02d}" for folder in "ab" for place in range(12)
    )


def whole(folder):
    (record,) = folder.glob("*/result.json")
    return json.loads(record.read_text())


def torn(out, content):
    (out / "stop").mkdir(parents=True)
    (out / "stop" / "result.json").write_bytes(content)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{", b'{\n "version": 1,\n "sent', b"\0" * 512, b'{\n "version": 1,\n "a": [' + b"\0" * 99]
)
def test_a_torn_result_is_made_again(tmp_path, content):
    torn(tmp_path / "out", content)
    outcome = audit(tmp_path / "out", [image("stop")])
    assert (outcome.written, outcome.problems) == (1, ())
    assert whole(tmp_path / "out")["settings"]["finished"] is True


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"my notes", "is no result of an attack"),
        (b'{"mine": 1}', "is no result of an attack"),
        (b"[" * 100_000, "is no result of an attack"),
        (b"\xff\xfe{\0", "is no result of an attack"),
        (b'{\n "version": 99,\n "settings": {}}', "was written by another release"),
        (b'{"settings": 3}', "is no result of an attack"),
        (b'{"settings": {"digest": ["x"]}}', "of another image or of other settings"),
        (b"9" * 100_000, "is no result of an attack"),
    ],
)
def test_something_else_makes_its_image_a_problem_and_the_others_go_on(tmp_path, content, said):
    torn(tmp_path / "out", content)
    outcome = audit(tmp_path / "out", [image("stop"), image("go", 1)])
    assert outcome.written == 1
    (problem,) = outcome.problems
    assert problem.where == "stop"
    assert said in problem.what
    assert (tmp_path / "out" / "stop" / "result.json").read_bytes() == content
    assert audit(tmp_path / "out", [image("stop")], force=True).written == 1


def test_no_folder_in_its_place(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stop").write_text("mine")
    if hasattr(os, "mkfifo"):
        (tmp_path / "out" / "go").mkdir()
        os.mkfifo(tmp_path / "out" / "go" / "result.json")
    for force in (False, True):
        outcome = audit(tmp_path / "out", [image("stop"), image("go", 1), image("wait", 2)][:: 2 if force else 1], force=force)
        assert outcome.written == 1
        assert [problem.where for problem in outcome.problems] == ["stop"] if force else ["stop", "go"]
    assert (tmp_path / "out" / "stop").read_text() == "mine"


def test_a_begun_attack_of_other_settings_is_not_lost(tmp_path):
    calls = []

    def stopped(images):
        calls.append(len(images))
        if len(calls) == 4:
            raise KeyboardInterrupt
        return predict(images)

    images = [image("stop")]
    with pytest.raises(AttackStopped):
        audit_images(CallableClassifier(stopped), images, tmp_path / "out", FeatureGuidedAttack(budget=60, batch_size=8))
    (tmp_path / "out" / "stop" / "result.json").unlink()
    answers = (tmp_path / "out" / "stop" / "answers.bin").read_bytes()
    (problem,) = audit(tmp_path / "out", images).problems
    assert "holds the begun attack of another image or of other settings" in problem.what
    assert (tmp_path / "out" / "stop" / "answers.bin").read_bytes() == answers
    outcome = audit(
        tmp_path / "out", images, FeatureGuidedAttack(budget=60, batch_size=16)
    )  # another batch size changes nothing
    assert (outcome.written, outcome.resumed) == (1, 1)
    assert not (tmp_path / "out" / "stop" / "answers.bin").exists()


def test_one_label_without_a_class_leaves_the_others(tmp_path):
    images = [image("a"), AuditImage("b", image("b", 1).pixels, 77), image("c", 2)]
    outcome = audit(tmp_path / "out", images)
    assert outcome.written == 2
    assert [str(problem) for problem in outcome.problems] == ["b: there is no class 77: the classifier has 2, counted from 0"]


@pytest.mark.parametrize(
    "name", ["panel.png", "original.png", "adversarial.png", "difference.png", "density.png", "images.npz"]
)
def test_a_file_of_others_that_is_named_like_a_part_of_a_result_stays(tmp_path, name):
    (tmp_path / "out" / "stop").mkdir(parents=True)
    (tmp_path / "out" / "stop" / name).write_text("mine")
    outcome = audit(tmp_path / "out", [image("stop"), image("go", 1)])
    assert outcome.written == 1
    (problem,) = outcome.problems
    assert f"{name} is no part of a result of an attack" in problem.what
    assert (tmp_path / "out" / "stop" / name).read_text() == "mine"
    assert audit(tmp_path / "out", [image("stop")], force=True).written == 1


@pytest.mark.parametrize("lost", ["gone", "emptied", "rows"])
def test_a_finished_result_that_the_database_lost_is_not_made_again(tmp_path, lost):
    out = tmp_path / "out"
    assert audit(out, [image("stop"), image("go", 1)]).written == 2
    with AuditStore(out) as store:
        before = [replace(record, confidence=None) for record in store.images()]
    for side in out.glob("audit.sqlite-*"):
        side.unlink()
    if lost == "gone":
        (out / "audit.sqlite").unlink()
    elif lost == "emptied":
        (out / "audit.sqlite").write_bytes(b"")
    else:
        with sqlite3.connect(out / "audit.sqlite") as database:
            database.execute("DELETE FROM images")
        database.close()
    (out / "go" / "images.npz").unlink()
    outcome = audit(out, [image("stop"), image("go", 1)])
    assert (outcome.written, outcome.kept, outcome.problems) == (0, 2, ())
    with AuditStore(out) as store:
        assert store.made_by == "attack"
        assert list(store.images()) == [replace(one, file=one.file if one.name == "stop" else None) for one in before]
    record = out / "stop" / "result.json"
    record.write_text(record.read_text().replace('"trace": [', '"trace": ["x", '))
    (out / "audit.sqlite").unlink()
    assert audit(out, [image("stop"), image("go", 1)]).written == 1


def test_a_run_in_which_images_learn_from_each_other_is_made_whole(tmp_path):
    """Finished results hold nothing of what their searches taught: going on from them would not give the same results."""
    learning = replace(ATTACK, learn=True)
    images = [AuditImage(f"p{number}", np.full((6, 6, 1), number / 100, np.float32), 0, "") for number in range(4)]
    calls = []

    def stopping(batch):
        calls.append(len(batch))
        if len(calls) == 5:
            raise KeyboardInterrupt
        return predict(batch)

    with pytest.raises(AttackStopped):
        audit_images(CallableClassifier(stopping), images, tmp_path / "out", learning)
    finished = [path.parent.name for path in (tmp_path / "out").glob("*/result.json")]
    assert 0 < len(finished) < 4
    with pytest.raises(UsageError, match="taught is not kept") as told:
        audit(tmp_path / "out", images, learning)
    assert "force" in str(told.value)
    assert audit(tmp_path / "out", images, learning, force=True).written == 4
    assert audit(tmp_path / "out", images, learning).kept == 4
    assert audit(tmp_path / "other", images, learning).written == 4
    # the same images after others are another run
    assert len(audit(tmp_path / "out", images[1:], learning).problems) == 3


def test_one_image_alone_and_a_goal_are_refused_where_images_learn(tmp_path):
    learning = replace(ATTACK, learn=True)
    with pytest.raises(UsageError, match="one image alone"):
        audit(tmp_path / "out", [image("stop")], learning)
    with pytest.raises(UsageError, match="a class to reach"):
        audit(tmp_path / "out", [image("stop"), image("go", 1)], learning, goal=1)
    assert not (tmp_path / "out").exists()
