"""What an audit is given, and the folder that it finds: refused in one sentence before anything is changed."""

from __future__ import annotations

import json
import os
import sqlite3

import numpy as np
import pytest
from PIL import Image

from adversarial import CallableClassifier, FeatureGuidedAttack
from adversarial.audit import Audit, AuditSettings, AuditStore, audit_images, gather_images
from saywhy_core.errors import UsageError

QUICK = {"budget": 20, "weather": ("blur", "noise"), "severities": (1, 3), "survival": False}


def predict(images):
    patch = images[:, 3:5, 3:5].mean(axis=(1, 2, 3))
    return np.stack([np.full(len(images), 0.6), patch], axis=1)


def classifier(names=("dark", "bright"), identity="patch"):
    return CallableClassifier(predict, scores="logits", class_names=names, identity=identity)


def picture(folder, name="a"):
    folder.mkdir(parents=True, exist_ok=True)
    values = np.uint8(50 + 50 * np.random.default_rng(0).random((8, 8, 3)))
    Image.fromarray(values).save(folder / f"{name}.png")
    return folder / f"{name}.png"


def everything(folder):
    """All files with their bytes; of a database, its rows."""
    found = {}
    for file in sorted(folder.rglob("*")):
        if file.name == "audit.sqlite":
            with sqlite3.connect(file) as database:
                found[file] = list(database.iterdump())
        elif file.is_file() and not file.name.startswith("audit.sqlite-"):
            found[file] = file.read_bytes()
    return found


def attacked(image, out, target=None, **settings):
    found, _ = gather_images([image])
    attack = FeatureGuidedAttack(**{"budget": 20, **settings})
    return audit_images(target or classifier(), found, out, attack, target="patch")


def test_an_attack_leaves_an_audit_alone(tmp_path):
    image = picture(tmp_path / "set")
    Audit(tmp_path / "a").run([image], target=classifier(), **QUICK)
    before, target = everything(tmp_path / "a"), classifier()
    for settings in ({}, {"distance": "l2"}):
        with pytest.raises(UsageError, match="holds an audit of `saywhy audit run`"):
            attacked(image, tmp_path / "a", target, **settings)
    assert target.queries == 0
    assert everything(tmp_path / "a") == before


def test_an_audit_leaves_results_of_attacks_alone_and_readers_read_both(tmp_path):
    image = picture(tmp_path / "set")
    attacked(image, tmp_path / "out")
    before, target = everything(tmp_path / "out"), classifier()
    for given in ((), ([image],)):
        for do in (Audit(tmp_path / "out").run, Audit(tmp_path / "out").plan):
            with pytest.raises(UsageError, match="holds results of `saywhy attack`"):
                do(*given, target=target, **QUICK)
    assert target.queries == 0
    assert everything(tmp_path / "out") == before
    assert Audit(tmp_path / "out").status().images == 1


@pytest.mark.parametrize("made_by", ["run", "attack"])
def test_a_database_of_before_the_mark_is_told_by_its_settings(tmp_path, made_by):
    image = picture(tmp_path / "set")
    if made_by == "run":
        Audit(tmp_path / "a").run([image], target=classifier(), **QUICK)
    else:
        attacked(image, tmp_path / "a")
    with AuditStore(tmp_path / "a", write=True) as store:
        settings = dict(store.about["settings"])
        del settings["made_by"]
        store.tell(settings=settings)
        assert store.made_by == ("audit run" if made_by == "run" else "attack")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE about SET value = '{bad' WHERE name = 'settings'", "its settings can't be read"),
        ("UPDATE about SET value = '[1]' WHERE name = 'settings'", "its settings are no JSON object"),
        ("UPDATE images SET trace = 'x'", "its trace of the image 'a' can't be read"),
        ("UPDATE images SET trace = '[[1]]'", "trace is"),
        ("UPDATE images SET distances = '['", "its distances of the image 'a' can't be read"),
        ("UPDATE images SET survives = '{\"png\": 3}'", "survives is"),
        ("UPDATE images SET label = 'three'", "label is 'three' in the row of the image 'a'"),
        ("UPDATE images SET status = 'gone'", "'gone'"),
        ("UPDATE images SET name = NULL", "name is 'None'"),
    ],
)
def test_a_spoilt_database_is_told_in_one_sentence(tmp_path, change, said):
    Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(), **QUICK)
    with sqlite3.connect(tmp_path / "a" / "audit.sqlite") as database:
        database.execute(change)
    with (
        pytest.raises(UsageError, match=r"the database of an audit .* is damaged: ") as told,
        AuditStore(tmp_path / "a") as store,
    ):
        assert store.about
        list(store.images())
    assert said in str(told.value)
    with pytest.raises(UsageError):
        Audit(tmp_path / "a").run([tmp_path / "set" / "a.png"], target=classifier(), **QUICK)


@pytest.mark.parametrize("missing", ["images", "target", "folder"])
def test_settings_without_what_an_audit_needs_are_told(tmp_path, missing):
    Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(), **QUICK)
    with AuditStore(tmp_path / "a", write=True) as store:
        store.tell(settings={name: value for name, value in store.about["settings"].items() if name != missing})
    with pytest.raises(UsageError, match=r"the settings in .* are damaged"):
        Audit(tmp_path / "a").run(target=classifier())


def test_one_path_alone_is_one_path(tmp_path):
    image = picture(tmp_path / "set")
    for number, given in enumerate((image, os.fspath(image), [image], (os.fspath(image),))):
        assert Audit(tmp_path / str(number)).run(given, target=classifier(), **QUICK).images == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"images": np.zeros((1, 8, 8, 3))}, "images must be a list of paths, not numpy.ndarray; save pixels"),
        ({"images": [np.zeros((8, 8, 3))]}, "images must hold paths alone"),
        ({"images": []}, "images is empty"),
        ({"images": b"a.png"}, "images must be a list of paths, not bytes"),
        ({"images": [""]}, "an empty path"),
        ({"target": predict}, "CallableClassifier(predict, scores=...)"),
        ({"target": 3}, "target must be a text"),
        ({"labels": [3]}, "labels must be a file"),
        ({"label": 1.5}, "label must be the name"),
        ({"label": True}, "label must be the name"),
        ({"class_names": "dark"}, "class_names must be a list"),
        ({"price": "cheap"}, "price must be a number"),
        ({"max_queries": 0}, "max_queries must be a whole number"),
        ({"engine_options": [1]}, "engine_options must be a dict"),
        ({"engine": "spark"}, "spark"),
        ({"engine_options": {"colour": 1}}, "colour"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"goal": 1.5}, "goal must be the name"),
        ({"goal": "99"}, "99"),
        ({"weather": "blur"}, "weather must be a list of kinds, such as ['blur'], not 'blur'"),
        ({"weather": ["fire"]}, "fire"),
        ({"severities": "13"}, "severities must be a list"),
        ({"severities": 3}, "severities must be a list"),
        ({"options": [1]}, "options must be a dict"),
        ({"survival": "no"}, "survival must be True or False"),
        ({"distance": 2}, "distance must be a text"),
        ({"resize": (8, 8)}, "resize must be a text"),
        ({"resize": "8"}, "resize"),
        ({"budget": "50"}, "budget must be a whole number"),
        ({"bugdet": 50}, "bugdet"),
    ],
)
def test_what_is_given_is_checked_at_the_door_and_leaves_nothing(tmp_path, given, said):
    target = classifier()
    given = {"images": [picture(tmp_path / "set")], "target": target, **QUICK, **given}
    with pytest.raises(UsageError) as told:
        Audit(tmp_path / "a").run(**given)
    assert said in str(told.value)
    assert target.queries == 0
    assert not (tmp_path / "a").exists()


def test_a_refused_run_leaves_a_folder_as_it_was(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"none\.csv does not exist"):
        Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(), labels=tmp_path / "none.csv", **QUICK)
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["mine.txt"]


def test_a_database_in_which_nothing_is_holds_no_audit(tmp_path):
    AuditStore(tmp_path / "a", write=True).close()
    with pytest.raises(UsageError, match="holds no audit"):
        Audit(tmp_path / "a").status()
    assert Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(), **QUICK).waiting == 0


def test_there_is_no_such_status(tmp_path):
    Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(), **QUICK)
    with AuditStore(tmp_path / "a") as store, pytest.raises(UsageError, match="no status 'fuond'; there are waiting, found"):
        store.images("fuond")


def test_settings_alone_are_checked_too():
    with pytest.raises(UsageError, match="seed must be"):
        AuditSettings(seed=-1)


@pytest.mark.parametrize("identity", ["patch", None])
def test_the_classifier_of_a_program_must_be_given_again(tmp_path, identity):
    Audit(tmp_path / "a").run([picture(tmp_path / "set")], target=classifier(identity=identity), **QUICK)
    with pytest.raises(UsageError, match="begun with a classifier of a program; give it again"):
        Audit(tmp_path / "a").run()


def test_a_goal_beyond_the_classes_is_told_once_where_no_names_are_known(tmp_path):
    image = picture(tmp_path / "set")
    for do in (Audit(tmp_path / "a").run, Audit(tmp_path / "a").plan):
        with pytest.raises(UsageError, match="goal: there is no class 99; the classifier has 2, counted from 0"):
            do([image], target=classifier(names=None), goal=99, **QUICK)
    assert Audit(tmp_path / "a").run([image], target=classifier(names=None), goal=1, **QUICK).counts["failed"] == 0


@pytest.mark.parametrize(
    ("again", "refused"),
    [
        ({"weather": ["noise", "blur"], "severities": [3, 1], "goal": "1"}, None),
        ({"goal": 1}, None),
        ({"goal": "bright"}, None),
        ({"goal": "dark"}, "an audit with goal='bright', not 'dark'"),
        ({"weather": ["noise"]}, "an audit with weather"),
        ({"severities": [1, 3, 5]}, "an audit with severities"),
    ],
)
def test_what_means_the_same_is_no_other_setting(tmp_path, again, refused):
    image = picture(tmp_path / "set")
    Audit(tmp_path / "a").run([image], target=classifier(), goal="bright", **QUICK)
    before, target = everything(tmp_path / "a"), classifier()
    if refused is None:
        Audit(tmp_path / "a").run([image], target=target, **again)
        picture(tmp_path / "more", "b")
        assert Audit(tmp_path / "b").run([image], target=target, goal="bright", **QUICK).waiting == 0
    else:
        with pytest.raises(UsageError, match=refused):
            Audit(tmp_path / "a").run([image], target=target, **again)
        assert target.queries == 0
    assert everything(tmp_path / "a") == before
    with AuditStore(tmp_path / "a") as store:
        assert json.loads(json.dumps(store.about["settings"]["weather"])) == ["blur", "noise"]


def test_an_attack_that_did_nothing_leaves_no_database(tmp_path):
    (tmp_path / "out" / "a").mkdir(parents=True)
    (tmp_path / "out" / "a" / "panel.png").write_text("mine")
    assert len(attacked(picture(tmp_path / "set"), tmp_path / "out").problems) == 1
    assert sorted(file.name for file in (tmp_path / "out").rglob("*")) == ["a", "panel.png"]


def test_an_attack_that_is_refused_in_all_its_folders_leaves_the_settings_as_they_were(tmp_path):
    image = picture(tmp_path / "set")
    attacked(image, tmp_path / "out")
    before = everything(tmp_path / "out")
    assert len(attacked(image, tmp_path / "out", budget=30).problems) == 1
    assert everything(tmp_path / "out") == before


@pytest.mark.parametrize("path", ["", None, 3, b"audit"])
def test_an_audit_needs_the_path_of_a_folder(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="directory must be the path of a folder, not"):
        Audit(path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("levels", "fits"), [(2, True), (16, True), (256, True), (255, False), (257, False), (1000, False)])
def test_levels_that_pictures_on_their_way_do_not_have_are_refused(tmp_path, levels, fits):
    target = CallableClassifier(lambda images: np.ones((len(images), 2)) * [2, 1])
    target.levels = 256
    audit, source = Audit(tmp_path / "a"), picture(tmp_path / "set")
    if fits:
        assert audit.run([source], target=target, levels=levels, labels="classifier", budget=20, weather=()).waiting == 0
        return
    with pytest.raises(UsageError, match=r"sent pictures of 256 levels per channel: .*such as 256"):
        audit.run([source], target=target, levels=levels, labels="classifier", budget=20)
    assert target.queries == 0
    assert not (tmp_path / "a").exists()
