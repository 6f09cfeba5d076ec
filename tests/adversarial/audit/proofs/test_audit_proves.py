"""Audits that prove: rows, reports and their sentences; audits without proofs stay as they were; shards keep them."""

from __future__ import annotations

import csv
import json
import sqlite3
from importlib.resources import files
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from adversarial.audit import Audit, AuditStore, ProofTotals
from adversarial.audit.comparing import merge_audits
from adversarial.audit.reporters import write_reports
from adversarial.audit.summary import summarize_audit
from saywhy import signs
from saywhy_core.errors import UsageError

CONDITION = "for this ONNX file, pixel values in [0, 1], rounding accounted for"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    images, labels = signs.samples()
    for place in (1, 2):
        np.savez(folder / f"sign{place}.npz", images=images[place : place + 1], labels=labels[place : place + 1])
    return [folder / "sign1.npz", folder / "sign2.npz"]


def run(folder, pictures, **options):
    given = {"budget": 60, "weather": (), "survival": False, **options}
    return Audit(folder).run(pictures, target="demo:signs", **given)


def rows(folder):
    with AuditStore(folder) as store:
        return list(store.proofs())


@pytest.mark.long
def test_an_audit_proves_and_its_reports_say_so(pictures, tmp_path, proofs):
    told, shares = [], []
    run(
        tmp_path / "a", pictures, prove=8.0, on_proof=lambda name, said: told.append(name),
        on_proving=lambda done, total: shares.append((done, total)),
    )  # fmt: skip
    assert [row.lower for row in rows(tmp_path / "a")] == [2, 2]
    assert len(told) == 2
    assert shares == [(0, 2), (0, 2), (1, 2), (1, 2), (2, 2)]
    assert not (tmp_path / "a" / "proofs").exists()
    with AuditStore(tmp_path / "a") as store:
        summary = summarize_audit(store)
        paths = write_reports(store, ["html", "csv", "json", "junit"])
    assert summary.told("proofs") == (
        "For 0 of 2 images with a proof, the fewest pixels that flip them are known exactly.",
        f"2 of 2 images with a proof hold against any single pixel, whatever its value ({CONDITION}).",
    )
    assert all(row.proved_text == row.proof.sentence for row in summary.images), summary.images[0].proved
    assert summary.images[0].pixels == f"2 to {int(summary.images[0].distance)}"
    page, table, document, junit = (path.read_text(encoding="utf-8") for path in paths)
    for text in (*summary.told("proofs"), summary.images[0].proof.sentence.split(". ")[0].replace("'", "&#39;")):
        assert text in page
    assert '"2 to ' in page
    read = list(csv.DictReader(table.splitlines()))
    assert read[0]["pixels"] == summary.images[0].pixels
    assert read[0]["pixels_lower"] == "2"
    assert CONDITION in read[0]["proof"]
    parsed = json.loads(document)
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(parsed, json.loads((files("adversarial.audit.reporters") / "report.schema.json").read_text()))
    assert parsed["proofs"]["against"] == [{"pixels": 1, "images": 2}]
    assert parsed["images"][0]["pixels_upper"] == int(summary.images[0].distance)
    outputs = [one.text for one in ET.fromstring(junit).iter("system-out")]
    assert len(outputs) == 2
    assert outputs[0].startswith("pixels: 2 to ")


def test_a_report_leaves_out_what_is_not_true(pictures, tmp_path, proofs):
    run(tmp_path / "a", pictures[:1], prove=8.0)
    with sqlite3.connect(tmp_path / "a" / "audit.sqlite") as database:
        database.execute("UPDATE proofs SET lower = 5, upper = upper - 1")
    with AuditStore(tmp_path / "a") as store:
        (row,) = summarize_audit(store).images
    assert "false" in {one.verdict for one in row.proved}
    assert row.pixels == ""


def test_proofs_are_added_to_an_audit_that_was_made_without(pictures, tmp_path, proofs):
    run(tmp_path / "a", pictures)
    with sqlite3.connect(tmp_path / "a" / "audit.sqlite") as database:
        assert not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'proofs'").fetchall()
    with AuditStore(tmp_path / "a") as store:
        (path,) = write_reports(store, ["json"])
    before = json.loads(path.read_text(encoding="utf-8"))
    assert before["proofs"] is None
    Audit(tmp_path / "a").run(prove=8.0)
    assert len(proofs.calls) == 2
    Audit(tmp_path / "a").run()
    Audit(tmp_path / "a").run(prove=4.0)
    assert len(proofs.calls) == 2
    Audit(tmp_path / "a").run(prove=4.0, prove_pixels=5)
    assert len(proofs.calls) == 4
    with AuditStore(tmp_path / "a") as store:
        assert summarize_audit(store).command.endswith("--prove 4.0 --prove-pixels 5 --weather none --no-survival")


def test_an_interrupted_proof_goes_on(pictures, tmp_path, proofs):
    proofs.interrupt, proofs.finished = KeyboardInterrupt(), False
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", pictures, prove=8.0)
    assert [(row.image, row.ended) for row in rows(tmp_path / "a")] == [(1, False)]
    proofs.finished = True
    Audit(tmp_path / "a").run()
    assert [call["resumed"] for call in proofs.calls] == [False, True, False]
    assert [row.ended for row in rows(tmp_path / "a")] == [True, True]


def test_status_and_report_say_how_far_proofs_are(pictures, tmp_path, proofs):
    proofs.interrupt, proofs.finished = KeyboardInterrupt(), False
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", pictures, prove=8.0)
    assert Audit(tmp_path / "a").status().proofs == ProofTotals(made=1, exact=0, stopped=1, timed_out=0, missing=1)
    with AuditStore(tmp_path / "a") as store:
        told = summarize_audit(store).told("proofs")
    assert told[:2] == ("1 attacked image has no proof.", "1 proof was interrupted, so that more may be proved.")
    status = Audit(tmp_path / "a").run()
    assert status.proofs == ProofTotals(made=2, exact=0, stopped=0, timed_out=2, missing=0)
    assert run(tmp_path / "b", pictures).proofs is None


def test_what_is_said_of_a_proof_reaches_who_ran_the_audit(pictures, tmp_path, proofs, monkeypatch):
    proofs.interrupt, proofs.finished = KeyboardInterrupt(), False
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", pictures, prove=8.0)

    def damaged(*given, journal, **more):
        if journal.exists():
            raise UsageError(f"{journal} is damaged")
        return proofs(*given, journal=journal, **more)

    monkeypatch.setattr("adversarial.bounds.pixels.fewest_pixels", damaged)
    told = {}
    (remark,) = Audit(tmp_path / "a").run(on_proof=told.__setitem__).remarks
    assert "000001.journal: what was kept of an earlier proof was damaged" in remark.what
    assert [remark.what in said for said in told.values()] == [True, False]


def test_an_image_about_which_nothing_can_be_proved_does_not_end_the_others(pictures, tmp_path, first_refused):
    status = run(tmp_path / "a", pictures, prove=8.0)
    assert [row.image for row in rows(tmp_path / "a")] == [2]
    (problem,) = status.unproved
    assert "NaN" in problem.what
    assert not status.problems


def test_more_pixels_than_an_image_has_are_refused(pictures, tmp_path):
    with pytest.raises(UsageError, match=r"prove_pixels.*the images have 2,304 pixels"):
        run(tmp_path / "a", pictures, prove=8.0, prove_pixels=2305)


def test_shards_keep_their_proofs(pictures, tmp_path, proofs):
    run(tmp_path / "a", pictures[:1], prove=8.0)
    run(tmp_path / "b", pictures[1:])
    run(tmp_path / "c", pictures[:1])
    outcome = merge_audits([tmp_path / "c", tmp_path / "b", tmp_path / "a"], tmp_path / "all")
    assert (outcome.images, outcome.repeated) == (2, 1)
    assert [row.lower for row in rows(tmp_path / "all")] == [2]


def test_nothing_can_be_proved_about_a_server_and_it_is_not_called(pictures, tmp_path):
    for target in ("oip:http://localhost:9#m", "tfserving:http://localhost:9#m", "http:http://localhost:9"):
        with pytest.raises(UsageError, match="looks into the network"):
            Audit(tmp_path / "a").run(pictures, target=target, options={"scores": "logits"}, prove=5.0)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("options", "word"),
    [({"prove": -1}, "prove"), ({"prove_pixels": 2}, "without"), ({"prove": 1.0, "distance": "l2"}, "l0"),
     ({"prove": 1.0, "goal": "stop"}, "goal")],
)  # fmt: skip
def test_what_can_not_be_proved_is_refused_and_leaves_nothing(pictures, tmp_path, options, word):
    with pytest.raises(UsageError, match=word):
        run(tmp_path / "a", pictures, **options)
    assert not (tmp_path / "a").exists()
