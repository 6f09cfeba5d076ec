"""Shards of one audit put together."""

import json

import numpy as np
import pytest

from adversarial.audit import Audit, AuditStore, ImageArrays
from adversarial.audit.comparing import compare_audits, merge_audits
from saywhy_core.errors import UsageError


def rows(folder):
    with AuditStore(folder) as store:
        return list(store.images()), list(store.weather()), store.about


def test_disjoint_shards(audits, tmp_path):
    one = audits.make("one", {"a": audits.found(3), "b": audits.failed()}, {"a": {("blur", 1): 1}}, images=["a"])
    two = audits.make("two", {"c": audits.held(), "d": audits.waiting()}, {"c": {("blur", 1): 0}}, images=["b"], seed=0)
    picture = np.random.default_rng(0).random((4, 4, 3), dtype=np.float32)
    with AuditStore(two, write=True) as store:
        (record,) = store.images("held")
        store.write(record, list(store.weather()), ImageArrays(picture, density=np.eye(4, dtype=np.float32)))
        (waits,) = store.images("waiting")
        store.answers_file(waits).parent.mkdir()
        store.answers_file(waits).write_bytes(b"answers")
    before = rows(two)
    out = tmp_path / "all"
    outcome = merge_audits([one, two], out)
    assert (outcome.images, outcome.repeated, outcome.waiting, outcome.failed, outcome.renamed) == (4, 0, 1, 1, 0)
    assert rows(two) == before
    images, weather, about = rows(out)
    assert [(image.id, image.name, image.status) for image in images] == [
        (1, "a", "found"), (2, "b", "failed"), (3, "c", "held"), (4, "d", "waiting"),
    ]  # fmt: skip
    assert images[0].trace == ((100, 3.0),)
    assert [(one.image, one.flipped) for one in weather] == [(1, True), (3, False)]
    assert about["settings"]["images"] == ["a", "b"]
    with AuditStore(out) as store:
        arrays = store.arrays(images[2])
        np.testing.assert_array_equal(arrays.original, picture)
        assert store.answers_file(images[3]).read_bytes() == b"answers"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "one", "two"]


def test_merged_shards_compare_as_the_whole(audits, tmp_path):
    images = {f"i{n}": audits.found(n + 1) if n % 3 else audits.held() for n in range(9)}
    weather = {name: {("blur", 1): int(name > "i4")} for name in images}
    whole = audits.make("whole", images, weather)
    parts = [audits.make(f"part{k}", {name: images[name] for name in list(images)[k::2]}, weather) for k in range(2)]
    merge_audits(parts, tmp_path / "merged")
    comparison = compare_audits(whole, tmp_path / "merged")
    assert comparison.judged == 9
    assert not comparison.settings
    assert all(not one.rises and not one.falls for one in comparison.measurements)


def test_images_in_several_shards(audits, tmp_path):
    one = audits.make("one", {"a": audits.found(3), "b": audits.waiting(), "c": audits.failed()})
    two = audits.make("two", {"b": audits.held(), "a": audits.found(3), "c": audits.waiting()})
    outcome = merge_audits([one, two], tmp_path / "all")
    assert (outcome.images, outcome.repeated, outcome.failed) == (3, 3, 1)
    assert merge_audits([one, two, audits.make("three", {"a": audits.found(3)})], tmp_path / "more").repeated == 3
    assert [(image.name, image.status) for image in rows(tmp_path / "all")[0]] == [
        ("a", "found"), ("b", "held"), ("c", "failed"),
    ]  # fmt: skip


@pytest.mark.parametrize("differs", ["distance", "weather"])
def test_two_results_for_one_image(audits, tmp_path, differs):
    one = audits.make("one", {"a": audits.found(3), "b": audits.held()}, {"a": {("blur", 1): 0}})
    two = audits.make("two", {"a": audits.found(3 if differs == "weather" else 4)}, {"a": {("blur", 1): 1}})
    with pytest.raises(UsageError, match=r"1 image has two results: a\.png in .*one and .*two; keep one"):
        merge_audits([one, two], tmp_path / "all")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


def test_names_that_meet_and_paths_of_other_folders(audits, tmp_path):
    one = audits.make("one", {"a": audits.held()}, folder="/first")
    two = audits.make("two", {"a": audits.found(2)}, folder="/second")
    assert merge_audits([one, two], tmp_path / "all").renamed == 1
    assert [(image.name, image.path) for image in rows(tmp_path / "all")[0]] == [
        ("a", "/first/a.png"), ("a (2)", "/second/a.png"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"budget": 300}, "with budget = 1000 and .*two with 300, so that they are no shards of one audit"),
        ({"seed": 3}, "with seed = 0"),
        ({"model": "two"}, 'with model = "one"'),
        ({"class_names": ("stop", "no entry")}, "with class names = "),
        ({"levels": 256}, "with levels = null"),
    ],
)
def test_shards_of_other_audits(audits, tmp_path, other, message):
    one, two = audits.make("one", {"a": audits.held()}), audits.make("two", {"b": audits.held()}, **other)
    with pytest.raises(UsageError, match=message):
        merge_audits([one, two], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_where_it_may_be_written(audits, tmp_path):
    one, two = audits.make("one", {"a": audits.held()}), audits.make("two", {"b": audits.held()})
    for shards in ([one], [one, one], [one, one / ".." / "one"], []):
        with pytest.raises(UsageError, match="two different audits or more"):
            merge_audits(shards, tmp_path / "all")
    with pytest.raises(UsageError, match="is not empty; give a new folder"):
        merge_audits([one, two], two)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is not empty"):
        merge_audits([one, two], tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert merge_audits([one, two], tmp_path / "empty").images == 2
    assert json.loads(json.dumps(rows(tmp_path / "empty")[2]))["settings"]["budget"] == 1000
    with pytest.raises(UsageError, match="is no folder"):
        merge_audits([one, tmp_path / "none"], tmp_path / "more")


def test_one_picture_in_two_files_is_told(audits, tmp_path, in_process):
    one = audits.make("one", {f"a-{part}": audits.held(path="a.npz", part=part, pixels=f"p{part}") for part in range(4)})
    two = audits.make("two", {f"b-{part}": audits.held(path="b.npz", part=part, pixels=f"p{part + 2}") for part in range(4)})
    done = in_process.run_command("audit", "merge", one, two, "--out", tmp_path / "merged")
    assert done.returncode == 0
    assert "2 images with the same pixels as another one" in " ".join(done.stderr.split())
    assert merge_audits([one, two], tmp_path / "again").alike == 2


def test_queries_that_belong_to_no_image_are_counted_in_the_whole(audits, tmp_path):
    shards = [audits.make(name, {name: audits.found(3)}) for name in ("a", "b", "c")]
    for shard, noted in zip(shards, ({"timing_queries": 64, "lost_queries": 5}, {"timing_queries": 64}, {}), strict=True):
        with AuditStore(shard, write=True) as store:
            store.tell(**noted)
    merge_audits(shards, tmp_path / "all")
    made = [Audit(folder).status().queries for folder in (*shards, tmp_path / "all")]
    assert made[-1] == sum(made[:-1])
