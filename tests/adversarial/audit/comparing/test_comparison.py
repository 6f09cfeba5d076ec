"""Two audits compared: figures worked out by hand and counted again in SQL."""

import json
import math
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.audit import AuditStore, ImageRecord
from adversarial.audit.comparing import Interval, compare_audits, comparison_record, comparison_text
from adversarial.audit.comparing.changes import image_changes
from adversarial.audit.comparing.pairing import pair_images
from adversarial.audit.comparing.recounting import Recount
from adversarial.audit.comparing.reporting import told
from adversarial.audit.comparing.rules.reading import read_rule
from adversarial.audit.comparing.wording import change_in_words
from saywhy_core.errors import UsageError


@pytest.fixture
def two(audits):
    """Ten images. Before: 2 wrong, 4 found at 4, 8, 8 and 20, 3 held, 1 failed. After: see the rows."""
    f, h, w = audits.found, audits.held, audits.wrong
    before = {
        "a": w(), "b": w(), "c": f(4), "d": f(8), "e": f(8, at=500), "f": f(20), "g": h(), "h": h(), "i": h(),
        "j": audits.failed(),
    }  # fmt: skip
    after = {
        "a": w(), "b": h(), "c": w(), "d": f(4), "e": f(9), "f": f(19), "g": h(), "h": f(2), "i": f(30),
        "j": h(),
    }  # fmt: skip
    weather = {name: {("blur", 1): 0, ("blur", 3): 0} for name in before}
    worse = {**weather, "d": {("blur", 1): 0, ("blur", 3): 1}, "c": {("blur", 1): 1, ("blur", 3): 1}}
    return audits.make("old", before, weather), audits.make("new", after, worse, model="two")


def measured(comparison):
    return {one.metric: one for one in comparison.measurements}


def test_figures_by_hand(two):
    found = measured(compare_audits(*two))
    assert found["accuracy"].images == 9
    assert (found["accuracy"].before.value, found["accuracy"].after.value) == (7 / 9, 7 / 9)
    assert (found["accuracy"].rises, found["accuracy"].falls, found["accuracy"].p) == (1, 1, 1.0)
    at_five = found["robust_accuracy@l0=5"]  # before: d e f g h i; after: b e f g i
    assert (at_five.before.value, at_five.after.value) == (6 / 9, 5 / 9)
    assert (at_five.rises, at_five.falls) == (1, 2)
    assert at_five.difference.value == pytest.approx(-1 / 9)
    whole = found["robust_accuracy"]  # before: g h i; after: b g
    assert (whole.before.value, whole.after.value) == (3 / 9, 2 / 9)
    early = found["robust_accuracy@queries=200"]  # before: e g h i; after: b g
    assert (early.before.value, early.after.value) == (4 / 9, 2 / 9)
    median = found["median_distance"]  # d e f g h i: before 8 8 20 - - -, after 4 9 19 - 2 30
    assert median.images == 6
    assert (median.before.value, median.after.value) == (20, 9)
    mean = found["mean_distance"]  # held counts as 30, the largest found
    assert mean.before.value == pytest.approx((8 + 8 + 20 + 30 + 30 + 30) / 6)
    assert mean.after.value == pytest.approx((4 + 9 + 19 + 30 + 2 + 30) / 6)
    assert "3 images before and 1 after" in mean.note
    assert (found["found"].before.value, found["found"].after.value) == (4, 5)
    assert (found["failed"].before.value, found["failed"].after.value) == (1, 0)
    # weather: a wrong twice 0 0; b 0 then 1; c 1 then 0 (wrong); d 1 then 1/2; the other five 1 1
    assert found["weather:blur"].before.value == pytest.approx(7 / 9)
    assert found["weather:blur"].after.value == pytest.approx(6.5 / 9)
    assert (found["weather"].rises, found["weather"].falls) == (1, 2)


def test_images_that_changed(two):
    comparison = compare_audits(*two)
    assert [(one.name, one.how) for one in comparison.fragile] == [
        ("c", "wrong"), ("h", "turned"), ("i", "turned"), ("d", "nearer"),
    ]  # fmt: skip
    assert [(one.name, one.how) for one in comparison.better] == [("b", "right")]
    assert comparison.fragile[1].sentence == (
        "h ('stop'): before, no adversarial example was found; now, 2 pixels turned it into 'yield'."
    )
    assert (
        comparison.fragile[0].sentence == "c ('stop'): before, 4 pixels turned it into 'yield'; now, it was taken for 'yield'."
    )


def test_the_same_audit_twice(audits, two):
    comparison = compare_audits(two[0], two[0])
    assert all(not one.rises and not one.falls and one.p == 1 for one in comparison.measurements)
    assert not comparison.fragile
    assert not comparison.better
    assert "No image became fragile." in comparison_text(comparison)


def test_budgets_that_differ_are_cut(audits):
    old = audits.make("old", {"a": audits.found(4, at=100), "b": audits.held()}, budget=300)
    trace = ((200, 9.0), (700, 2.0))
    new = audits.make("new", {"a": audits.found(2, at=700, trace=trace), "b": audits.found(3, at=900)}, budget=1000)
    comparison = compare_audits(old, new)
    found = measured(comparison)
    assert comparison.audits.limit == 300
    near = comparison.audits.measure(read_rule("robust_accuracy@l0=5 drops").metric)
    assert (near.before.value, near.after.value) == (0.5, 1)  # by query 300, a was found at 9 and b not at all
    assert found["robust_accuracy"].after.value == 0.5
    assert [one.name for one in comparison.better] == ["a"]
    assert "Only the first 300 queries of each search count" in comparison_text(comparison)
    with pytest.raises(UsageError, match="made at most 300 queries per image"):
        comparison.audits.measure(read_rule("robust_accuracy@queries=400 drops").metric)
    (change,) = image_changes(comparison.audits.judged[1:], 950)[0]
    assert "before, no adversarial example was found; now, 3 pixels" in change.sentence
    (change,) = image_changes(comparison.audits.judged[:1], 150)[1]
    assert "now, no adversarial example was found by query 150." in change.sentence


EIGHT = tuple("abcdefgh")


@pytest.mark.parametrize(
    ("setting", "rule", "holds"),
    [
        ({}, "robust_accuracy significantly drops", True),
        ({"seed": 1}, "robust_accuracy significantly drops", None),
        ({"seed": 1}, "found significantly rises", None),
        ({"seed": 1}, "median_distance significantly drops by 1%", None),
        ({"seed": 1}, "robust_accuracy drops by 0.02", True),
        ({"seed": 1}, "accuracy significantly drops", False),
        ({"levels": 256}, "robust_accuracy@l0=5 significantly changes", None),
        ({"scores": "label"}, "robust_accuracy significantly drops", None),
        ({"scores": "probabilities"}, "robust_accuracy significantly drops", True),
        ({"budget": 500}, "robust_accuracy drops by 0.02", None),
        ({"budget": 2000}, "robust_accuracy@queries=300 drops", None),
        ({"budget": 500}, "mean_distance changes", None),
        ({"budget": 500}, "accuracy drops", False),
        ({"budget": 500}, "weather drops", False),
        ({"budget": 500}, "failed rises above 0", False),
        ({"budget": 500}, "robust_accuracy falls below 0.5", True),  # all queries of the second audit count
        ({"budget": 2000}, "robust_accuracy falls below 0.5", None),  # it is cut
        ({"manipulation": "corners"}, "robust_accuracy drops", None),
        ({"player_two": "adversarial"}, "found rises by 3", None),
    ],
)
def test_what_another_search_explains_is_not_decided(audits, setting, rule, holds):
    """One and the same model looks worse with another budget, and in one in three pairs of seeds at a small one."""
    weather = {name: {("blur", 1): 0} for name in EIGHT}
    old = audits.make("old", dict.fromkeys(EIGHT, audits.held()), weather)
    new = audits.make("new", dict.fromkeys(EIGHT, audits.found(3, at=400)), weather, **setting)
    comparison = compare_audits(old, new)
    verdict = comparison.judge(rule)
    assert verdict.holds is holds, verdict.why
    text = comparison_text(comparison)
    assert ("to be read with care" in text or "can't be compared fairly" in text) == (
        bool(setting) and setting != {"scores": "probabilities"}
    )
    if holds is None:
        assert "the searches differ" in verdict.why
        measurement = measured(comparison)["robust_accuracy"]
        assert not measurement.significant
        assert "without the chance in the search" in text


def test_images_of_an_array_in_one_audit_alone_have_names(audits):
    rows = {f"set-{part}": audits.held(path="set.npz", part=part, pixels=f"p{part}") for part in range(6)}
    old, new = audits.make("old", rows), audits.make("new", {"set-0": rows["set-0"]})
    comparison = compare_audits(old, new)
    assert f"5 images only in {old}: set-1 (set.npz[1]), set-2 (set.npz[2]), set-3 (set.npz[3]) and 2 more." in told(comparison)
    assert comparison_record(comparison)["only_before"][0] == "set.npz[1]"


def test_what_can_not_be_compared(audits, two):
    other = audits.make("l2", {"a": audits.held()}, distance="l2")
    with pytest.raises(UsageError, match=r"audited with distance = 'l0' and .*l2 with 'l2', which can't be compared"):
        compare_audits(two[0], other)
    with pytest.raises(UsageError, match="goal"):
        compare_audits(two[0], audits.make("goal", {"a": audits.held()}, goal="yield"))
    with pytest.raises(UsageError, match="no image in common"):
        compare_audits(two[0], audits.make("others", {"z": audits.held()}))
    with pytest.raises(UsageError, match="is no folder"):
        compare_audits(two[0], two[0].parent / "none")
    with pytest.raises(UsageError, match="seed must be a whole number"):
        compare_audits(*two, seed=-1)


def test_settings_images_and_releases_that_differ_are_said(audits):
    old = audits.make("old", {"a": audits.held(), "b": audits.held(), "c": audits.failed(pixels=None)}, seed=0)
    new = audits.make("new", {"a": audits.held(), "x": audits.held(), "c": audits.waiting()}, seed=5)
    with AuditStore(new, write=True) as store:
        store.tell(saywhy="2.0")
    text = comparison_text(compare_audits(old, new))
    assert "2 images of 3 in" in text
    assert "both audits judged 1 of them" in text
    assert f"1 image only in {old}: b.png." in text
    assert f"1 image only in {new}: x.png." in text
    assert "The setting seed differs: 0 before, 5 after." in text
    assert "The setting saywhy differs: '1.0' before, '2.0' after." in text
    assert f"In {old}, 1 image could not be attacked." in text
    assert f"In {new}, 1 image is still to be attacked." in text


def test_labels_that_differ_leave_accuracy_open(audits):
    old = audits.make("old", {"a": audits.held(), "b": audits.wrong()})
    new = audits.make("new", {"a": audits.held(label=3, label_name="no entry"), "b": audits.held()})
    comparison = compare_audits(old, new)
    assert "accuracy" not in measured(comparison)
    assert comparison.judge("accuracy drops").holds is None
    renumbered = audits.make("renumbered", {"a": audits.held(label=7), "b": audits.held(label=7)})
    assert measured(compare_audits(old, renumbered))["accuracy"].after.value == 1  # the names are the same


# Pairing


def image(number, name, pixels, path=None, part=None):
    return ImageRecord(id=number, name=name, path=path or f"{name}.png", part=part, pixels=pixels)


def test_pairs_by_pixels_then_by_path():
    before = [image(1, "a", "1"), image(2, "b", "2"), image(3, "c", "2"), image(4, "d", "4"), image(5, "e", None)]
    after = [
        image(1, "moved", "1"), image(2, "c", "2"), image(3, "x", "2"), image(4, "d", "9"), image(5, "e", None), image(6, "y", "5"),
    ]  # fmt: skip
    found = pair_images(before, after)
    assert [(one.name, two.name) for one, two in found.pairs] == [
        ("a", "moved"), ("b", "x"), ("c", "c"), ("d", "d"), ("e", "e"),
    ]  # fmt: skip
    assert found.other_pixels == 1
    assert [one.name for one in found.only_after] == ["y"]
    assert not found.only_before


rows = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2", None])), max_size=6)


@given(rows, rows)
@settings(max_examples=100, deadline=None)
def test_every_image_is_in_one_place(one, two):
    before = [image(number, f"{name}{number}", pixels, name) for number, (name, pixels) in enumerate(one)]
    after = [image(number, f"{name}{number}", pixels, name) for number, (name, pixels) in enumerate(two)]
    found = pair_images(before, after)
    assert sorted([pair[0].id for pair in found.pairs] + [left.id for left in found.only_before]) == [r.id for r in before]
    assert sorted([pair[1].id for pair in found.pairs] + [left.id for left in found.only_after]) == [r.id for r in after]
    assert not {left.pixels for left in found.only_before} & {left.pixels for left in found.only_after} - {None}
    assert not {left.path for left in found.only_before} & {left.path for left in found.only_after}


# What the sentences say, counted again

_ROBUST = """
(i.status = 'held' OR (i.status = 'found' AND NOT EXISTS (
 SELECT 1 FROM json_each(i.trace) t WHERE json_extract(t.value, '$[1]') <= :at AND json_extract(t.value, '$[0]') <= :queries)))
"""


def recounted(folder, names, at, queries):
    with sqlite3.connect(folder / "audit.sqlite") as database:
        marks = ",".join("?" * 0) or ",".join(f"'{name}'" for name in names)
        query = f"SELECT count(*) FROM images i WHERE name IN ({marks}) AND {_ROBUST}"
        return database.execute(query, {"at": at, "queries": queries}).fetchone()[0]


@pytest.mark.parametrize("seed", range(2))
def test_sentences_are_true(audits, seed):
    rng = np.random.default_rng(seed)

    def drawn():
        made = {}
        for number in range(25):
            kind = rng.choice(["found", "held", "wrong", "failed"], p=[0.55, 0.25, 0.15, 0.05])
            if kind == "found":
                far = sorted(rng.integers(1, 60, rng.integers(1, 4)).tolist(), reverse=True)
                at = sorted(rng.integers(1, 1000, len(far)).tolist())
                trace = tuple(zip(at, map(float, far), strict=True))
                made[f"i{number}"] = audits.found(far[-1], at=at[-1], trace=trace)
            else:
                made[f"i{number}"] = getattr(audits, kind)()
        return made

    sides = drawn(), drawn()
    folders = audits.make("old", sides[0]), audits.make("new", sides[1])
    names = [name for name in sides[0] if "failed" not in (sides[0][name]["status"], sides[1][name]["status"])]
    sentences = comparison_record(compare_audits(*folders))["sentences"]
    checked = 0
    for sentence in sentences:
        read = re.match(
            r"robust_accuracy(?:@(l0|queries)=(\d+))? (?:(?:falls|rises) from ([\d.]+)% .*? to|stays at) ([\d.]+)% .*?on (\d+) images",
            sentence,
        )
        if read is None:
            continue
        at = float(read[2]) if read[1] == "l0" else math.inf
        queries = float(read[2]) if read[1] == "queries" else math.inf
        counts = [recounted(folder, names, at, queries) for folder in folders]
        assert int(read[5]) == len(names)
        assert float(read[4]) == pytest.approx(100 * counts[1] / len(names), abs=0.051)
        if read[3]:
            assert float(read[3]) == pytest.approx(100 * counts[0] / len(names), abs=0.051)
        else:
            assert counts[0] == counts[1]
        checked += 1
    assert checked >= 8


def test_each_sentence_is_recounted(audits, two):
    comparison = compare_audits(*two)
    sentences = [f"{change_in_words(one)}." for one in comparison.measurements]
    with closing(Recount(comparison.audits)) as rows:
        verdicts = {sentence: rows.judge(sentence) for sentence in sentences}
    assert {said for said, verdict in verdicts.items() if verdict != "true"} == {
        said
        for said in sentences
        if said.startswith("weather")  # some images are wrong, and have no weather of their own
    }
    without = [audits.make(name, {f"i{n}": audits.held() for n in range(4)}, {
        f"i{n}": {("blur", 1): int(n < hit), ("blur", 3): 1} for n in range(4)}) for name, hit in (("dry", 1), ("wet", 3))
    ]  # fmt: skip
    comparison = compare_audits(*without)
    with closing(Recount(comparison.audits)) as rows:
        verdicts = {one.metric: rows.judge(f"{change_in_words(one)}.") for one in comparison.measurements}
        assert set(verdicts.values()) == {"true"}
        assert "weather:blur" in verdicts


def test_a_false_figure_is_noticed(two):
    comparison = compare_audits(*two)
    with closing(Recount(comparison.audits)) as rows:
        for one in comparison.measurements:
            if one.metric.startswith("weather"):
                continue
            said = f"{change_in_words(one)}."
            for false in (
                f"{change_in_words(replace(one, images=one.images + 1))}.",
                f"{change_in_words(replace(one, rises=one.rises + 1, falls=one.falls + 1))}.",
                f"{change_in_words(replace(one, after=Interval((one.after.value or 0) + 0.2 * (one.after.value or 5))))}.",
            ):
                assert false != said
                assert rows.judge(false) == "false", false
        assert rows.judge("Nothing changed.") == "not verified"


def test_the_record_is_json(two):
    comparison = compare_audits(*two)
    record = json.loads(json.dumps(comparison_record(comparison, [comparison.judge("found rises")]), allow_nan=False))
    assert record["before"]["statuses"] == {"waiting": 0, "found": 4, "held": 3, "wrong": 2, "failed": 1}
    assert record["paired"] == 10
    assert record["judged_in_both"] == 9
    assert record["rules"][0]["holds"] is True
    assert {one["name"] for one in record["fragile"]} == {"c", "d", "h", "i"}


def test_a_median_that_stays_out_of_sight_reads_as_a_sentence(audits):
    rows = {"a": audits.held(), "b": audits.held(), "c": audits.found(3)}
    comparison = compare_audits(audits.make("old", rows), audits.make("new", rows))
    (sentence,) = [one for one in told(comparison) if one.startswith("median_distance")]
    assert sentence.startswith("median_distance stays beyond what was found on 3 images")
    with closing(Recount(comparison.audits)) as recount:
        assert recount.judge(sentence) == "true"
