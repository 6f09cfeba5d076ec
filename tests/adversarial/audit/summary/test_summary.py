"""The summary of an audit: its figures against the rows, its sentences against lies, and audits at the edges."""

from __future__ import annotations

import re
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adversarial.audit import AuditStore, ImageRecord
from adversarial.audit.summary import summarize_audit
from adversarial.audit.summary.nouns import ClassRow, Flip
from adversarial.audit.summary.recounting import Rows, judged
from adversarial.audit.summary.statements import of_classes
from adversarial.audit.summary.summarizing import distance_of
from adversarial.audit.summary.survival import wilson

sys.path.insert(0, str(Path(__file__).parents[1] / "reporters"))
from synthetic import make_audit


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_audit(tmp_path_factory.mktemp("audit") / "audit", 60, side=12)


@pytest.fixture(scope="module")
def summary(folder):
    with AuditStore(folder) as store:
        return summarize_audit(store, pictures=5)


@pytest.fixture(scope="module")
def rows(folder):
    with AuditStore(folder) as store, closing(Rows("l0")) as found:
        for record in store.images():
            found.add(record, distance_of(record, "l0"))
        found.add_weather(store.weather())
        yield found


def test_every_sentence_of_a_sound_audit_is_true(summary):
    assert {one.verdict for one in summary.statements} == {"true"}
    assert {one.about for one in summary.statements} == {
        "images", "distance", "queries", "classes", "flips", "places", "weather", "saving",
    }  # fmt: skip
    assert {sentence.verdict for row in summary.images for sentence in row.sentences} == {"true"}
    assert [one.verdict for one in summary.maps] == ["true", "true"]


def test_a_sentence_with_another_figure_is_false(summary, rows):
    """Each number of each sentence is changed, one after the other: none of the results is true."""
    tried = 0
    for one in summary.statements:
        for found in re.finditer(r"\d+", one.text):
            if found[0] == "95" and one.text[found.end()] == "%":  # the level of the interval is no figure of the audit
                continue
            before = one.text[: found.start()]
            if before in ("At ", "After ") or before.endswith("classes with "):  # it may hold there, too
                continue
            lie = f"{one.text[: found.start()]}{int(found[0]) + 1}{one.text[found.end() :]}"
            assert judged(one.about, lie, rows).verdict != "true", lie
            tried += 1
    assert tried > 50


def test_a_sentence_about_another_class_place_or_weather_is_false(summary, rows):
    told = {one.about: one.text for one in summary.statements}
    assert (
        judged("places", re.sub(r"pixels lie .*?;", "pixels lie across the picture;", told["places"]), rows).verdict == "false"
    )
    assert judged("images", "Most of the images are quite robust.", rows).verdict == "not verified"


_FLIPS = {
    # (flips of each pair of classes): what is said, and what would be false of it
    ("ab", "ab", "ac"): (
        "The most frequent flip is from 'a' to 'b', with 2 of 3.",
        ("The most frequent flip is from 'b' to 'a', with 2 of 3.", "2 flips are the most frequent, with 2 of 3 each."),
    ),
    ("ab", "ac", "ba"): (
        "3 flips are the most frequent, with 1 of 3 each.",
        ("The most frequent flip is from 'a' to 'b', with 1 of 3.", "2 flips are the most frequent, with 1 of 3 each."),
    ),
}


@pytest.mark.parametrize(("pairs", "said"), _FLIPS.items())
def test_one_flip_is_the_most_frequent_or_several_are(pairs, said):
    text, lies = said
    counts = Counter(pairs)
    flips = [Flip(f"'{one[0]}'", f"'{one[1]}'", number) for one, number in counts.most_common()]
    assert [one for _, one in of_classes([], flips)] == [text]
    with closing(_rows(pairs)) as rows:
        assert judged("flips", text, rows).verdict == "true"
        assert [judged("flips", lie, rows).verdict for lie in lies] == ["false"] * len(lies)


def test_one_class_was_turned_most_often_or_several_were():
    one = [ClassRow("'a'", 6, 0, 0, wilson(6, 6), 1.0, 1.0), ClassRow("'b'", 5, 0, 0, wilson(4, 5), 1.0, 1.0)]
    few = ClassRow("'c'", 2, 0, 0, wilson(2, 2), 1.0, 1.0)
    (_, text), *_ = of_classes([*one, few], [])
    assert text == "Of the classes with 5 or more attacked images, 'a' was turned most often, with 6 of 6."
    with closing(_rows(["ab"] * 6 + ["ba"] * 4 + ["b-"] + ["cb"] * 2)) as rows:
        assert judged("classes", text, rows).verdict == "true"
        assert judged("classes", text.replace("'a'", "'b'").replace("6 of 6", "4 of 5"), rows).verdict == "false"
        tie = "2 classes with 5 or more attacked images were turned most often, with 100% of each."
        assert judged("classes", tie, rows).verdict == "false"
    (_, text), *_ = of_classes([one[0], replace(one[1], turned=wilson(5, 5)), few], [])
    assert text == tie
    with closing(_rows(["ab"] * 6 + ["ba"] * 5 + ["cb"] * 2)) as rows:
        assert judged("classes", tie, rows).verdict == "true"
        assert judged("classes", text.replace("100%", "80.0%"), rows).verdict == "false"


def _rows(pairs):
    """Rows of images whose class and class after the attack are named by one letter each; "-" for an image that held."""
    rows = Rows("l0")
    for number, (label, now) in enumerate(pairs):
        found = now != "-"
        record = ImageRecord(
            id=number, name=str(number), path=str(number), status="found" if found else "held", label=ord(label),
            label_name=label, adversarial_label=ord(now) if found else None, adversarial_name=now if found else None,
        )  # fmt: skip
        rows.add(record, 1.0 if found else None)
    return rows


def test_figures_are_those_of_the_database(folder, summary):
    with closing(sqlite3.connect(folder / "audit.sqlite")) as database:

        def ask(query):
            return database.execute(query).fetchall()

        assert sum(flip.count for flip in summary.flips) == ask("SELECT count(*) FROM images WHERE status='found'")[0][0]
        assert summary.images[0].distance == ask("SELECT min(distance) FROM images WHERE status = 'found'")[0][0]
        ordered = [row.distance for row in summary.images if row.distance is not None]
        assert ordered == sorted(ordered)
        found = ask(
            "SELECT kind, severity, sum(flipped), count(*) FROM weather JOIN images ON image = id "
            "WHERE status IN ('found', 'held') GROUP BY kind, severity"
        )
        assert {(row.kind, row.severity, row.flipped.count, row.flipped.of) for row in summary.weather} == set(found)
        classes = dict(ask("SELECT label_name, count(*) FROM images GROUP BY label_name"))
        assert {row.name: row.images for row in summary.classes} == {f"'{name}'": count for name, count in classes.items()}


def test_wrong_and_failed_images_are_counted_apart(summary):
    counts = summary.counts
    assert summary.attacked == counts["found"] + counts["held"]
    assert summary.by_distance[0].at_risk == summary.attacked + counts["wrong"]  # failed ones have no decision
    assert summary.by_queries[0].at_risk == summary.attacked
    assert summary.right.count == summary.attacked
    assert sum(step.censored for step in summary.by_queries) == counts["held"]


def test_a_false_sentence_of_the_database_does_not_come_through(folder, tmp_path):
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    with AuditStore(copy, write=True) as store:
        record = next(store.images("found"))
        lie = re.sub(r"Changing [\d,]+ pixels?", "Changing 999 pixels", record.sentence) + " It was done by elves."
        store.write(replace(record, sentence=lie), (), store.arrays(record))
        told = next(row for row in summarize_audit(store, pictures=0).images if row.record.id == record.id)
    assert [sentence.verdict for sentence in told.sentences] == ["false", "true", "not verified"]
    assert told.text.startswith("It was found after")


def test_pixels_and_not_the_rows_decide(folder, tmp_path):
    """Where the pictures say something else than the row, the sentence of the row is false."""
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    with AuditStore(copy, write=True) as store:
        record = next(store.images("found"))
        arrays = store.arrays(record)
        other = np.array(arrays.adversarial)
        other[:] = 1 - arrays.original
        store.write(record, (), replace(arrays, adversarial=other))
        told = next(row for row in summarize_audit(store, pictures=0).images if row.record.id == record.id)
    assert told.sentences[0].verdict == "false"


EDGES = {
    "no image": {"images": 0},
    "one image": {"images": 1},
    "all waiting": {"images": 6, "waiting": 6},
    "all failed": {"images": 6, "shares": (0, 0, 0, 1)},
    "all held": {"images": 6, "shares": (0, 1, 0, 0)},
    "all wrong": {"images": 6, "shares": (0, 0, 1, 0)},
    "all turned": {"images": 6, "shares": (1, 0, 0, 0)},
    "no names": {"images": 9, "names": None},
    "no pictures": {"images": 9, "arrays": False},
    "no weather": {"images": 9, "weather": ()},
    "a thousand classes": {"images": 20, "side": 8, "names": tuple(f"class no. {number}" for number in range(1000))},
    "two classes of one name": {"images": 20, "names": ("same", "same", "other")},
    "names that hold sentences": {"images": 20, "names": ("a' into 'b", "a", "b. It was found", "c, with 3 of 9")},
    "one pixel each": {"images": 12, "side": 1, "shares": (1, 0, 0, 0)},
    "all at distance 0": {"images": 12, "shares": (1, 0, 0, 0), "changed": 0},
    "hostile names": {"images": 12, "names": ("<script>alert(1)</script>", "\u202eevil", "x" * 3000, "a\x00\x1b[31mb", "")},
}


@pytest.mark.parametrize("edge", EDGES)
def test_audits_at_the_edges(edge, tmp_path):
    with AuditStore(make_audit(tmp_path / "audit", **{"side": 12, **EDGES[edge]})) as store:
        summary = summarize_audit(store, pictures=2)
    hostile = edge in ("names that hold sentences", "hostile names", "two classes of one name")
    verdicts = {one.verdict for one in summary.statements}
    assert verdicts == {"true"} or (hostile and "true" in verdicts)
    said = {sentence.verdict for row in summary.images for sentence in row.sentences}
    assert "false" not in said
    if edge == "no pictures":
        assert "not verified" in said  # the pixels of a change can't be counted
    if edge == "all held":
        assert summary.median is None
        assert summary.by_distance[-1].value == 1
    if edge == "all wrong":
        assert [step.value for step in summary.by_distance] == [0]


def test_damaged_pictures_stop_nothing(folder, tmp_path):
    """A file that is gone, one that is cut short, maps that hold NaN, and pictures of two shapes."""
    import shutil

    copy = shutil.copytree(folder, tmp_path / "copy")
    with AuditStore(copy, write=True) as store:
        first, second, third, fourth = list(store.images("found"))[:4]
        (copy / first.file).unlink()
        (copy / second.file).write_bytes((copy / second.file).read_bytes()[:99])
        arrays = store.arrays(third)
        broken = np.full(arrays.original.shape[:2], np.nan, np.float32)
        said = "Of the changes tried, those at the top came closest to flipping the decision."
        store.write(replace(third, sentence=said), (), replace(arrays, touched=broken, density=broken))
        arrays = store.arrays(fourth)
        store.write(fourth, (), replace(arrays, adversarial=arrays.adversarial[:-1]))
        summary = summarize_audit(store, pictures=4)
    rows = {row.record.id: row for row in summary.images}
    assert [rows[one.id].sentences[0].verdict for one in (first, second, third, fourth)] == ["not verified"] * 4
    from adversarial.audit.reporters.page import write_page

    write_page(summary, tmp_path / "page.html")


@pytest.mark.parametrize(
    ("shares", "ends"), [((1, 0, 0, 0), "0 held within the budget."), ((0, 1, 0, 0), "that they always hold.")]
)
def test_only_images_that_held_need_the_word_that_this_is_no_proof(tmp_path, shares, ends):
    with AuditStore(make_audit(tmp_path / "a", 4, side=8, shares=shares, arrays=False)) as store:
        (said,) = [one for one in summarize_audit(store, pictures=0).statements if one.text.startswith("Of 4 attacked")]
    assert said.text.endswith(ends)
    assert said.verdict == "true"
