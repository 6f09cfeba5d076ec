"""The reports as files: what is in them, what other programs read of them, and what is refused."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path

import pytest

from adversarial.audit import AuditStore
from adversarial.audit.reporters import REPORTERS, Reporter, write_reports
from saywhy_core.errors import UsageError

sys.path.insert(0, str(Path(__file__).parent))
from synthetic import make_audit

HOSTILE = ("<script>alert(1)</script>", "\u202eevil", "x" * 3000, "=cmd|' /C calc'!A0", "a\x00\x1b[31mb")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_audit(tmp_path_factory.mktemp("audit") / "audit", 40, side=12)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    paths = "<img src=x onerror=alert(1)>/../\u202e{number}.png"
    return make_audit(tmp_path_factory.mktemp("hostile") / "audit", 20, side=12, names=HOSTILE, paths=paths)


@pytest.fixture(scope="module")
def report(folder, tmp_path_factory):
    """Every format of the audit in one folder, and the rows of its database."""
    out = tmp_path_factory.mktemp("reports")
    with AuditStore(folder) as store:
        write_reports(store, ["html", "json", "csv", "parquet", "junit"], out, pictures=3, fragile_below=5.0)
        return out, list(store.images())


def test_each_format_is_a_file_named_report(report):
    assert sorted(path.name for path in report[0].iterdir()) == [
        "report.csv", "report.html", "report.json", "report.parquet", "report.xml",
    ]  # fmt: skip


def test_the_json_is_as_its_schema_says(report):
    import jsonschema

    schema = json.loads((files("adversarial.audit.reporters") / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    document = json.loads((report[0] / "report.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    assert len(document["images"]) == 40
    assert len([text for text in document["texts"] if text["id"].startswith("image ")]) == 3
    assert set(document) == set(schema["properties"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "counts": {"found": -1}}, schema)


def test_saywhy_check_reads_the_json_as_it_is(report, in_process):
    path = report[0] / "report.json"
    done = in_process.run_command("check", path, "--maps", path, "--strict")
    assert done.returncode == 0, done.stderr
    lie = path.with_name("lie.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    one = next(text for text in document["texts"] if " at the " in text["text"])
    one["text"] = one["text"].replace("matters most", "matters least")
    lie.write_text(json.dumps(document), encoding="utf-8")
    done = in_process.run_command("check", lie, "--maps", path, "--strict")
    lie.unlink()
    assert done.returncode == 1


@pytest.mark.parametrize(("shares", "waiting"), [((0, 0, 0, 1), 0), ((0, 0, 1, 0), 0), ((1, 0, 0, 0), 3)])
def test_a_report_without_maps_is_checked_to_its_end(tmp_path, in_process, shares, waiting):
    """All images failed, all were wrong from the start, or none is done: that is no error of a job that checks its report."""
    with AuditStore(make_audit(tmp_path / "a", 3, side=8, shares=shares, waiting=waiting, arrays=False)) as store:
        (path,) = write_reports(store, ["json"])
    done = in_process.run_command("check", path, "--maps", path, "--strict")
    assert (done.returncode, "0 texts, 0 sentences" in done.stdout) == (0, True), done.stderr
    assert in_process.run_command("verbalize", path).returncode == 2
    document = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**document, "texts": [{"id": "a", "text": "The left matters."}]}), encoding="utf-8")
    assert in_process.run_command("check", path, "--maps", path, "--strict").returncode == 2


def test_csv_and_parquet_hold_the_rows_of_the_database(report):
    import pyarrow.parquet

    out, records = report
    with (out / "report.csv").open(encoding="utf-8", newline="") as stream:
        rows = {int(row["id"]): row for row in csv.DictReader(stream)}
    table = {row["id"]: row for row in pyarrow.parquet.read_table(out / "report.parquet").to_pylist()}
    assert len(rows) == len(table) == len(records)
    for record in records:
        row, typed = rows[record.id], table[record.id]
        assert (row["status"], row["name"], int(row["queries"])) == (record.status, record.name, record.queries)
        assert (typed["status"], typed["label"], typed["survives_png"]) == (
            record.status, record.label, record.survives.get("png"),
        )  # fmt: skip
        if record.status == "found":
            assert float(row["distance"]) == typed["distance"] == record.distance
            assert typed["sentence"] == record.sentence
    ranks = sorted((row["rank"], row["distance"]) for row in table.values() if row["rank"] is not None)
    assert [rank for rank, _ in ranks] == list(range(1, len(ranks) + 1))
    assert [distance for _, distance in ranks] == sorted(distance for _, distance in ranks)


def test_junit_has_one_case_per_image_and_fails_what_is_fragile(report):
    out, records = report
    suites = ET.parse(out / "report.xml").getroot()
    cases = {case.get("name"): case for case in suites.iter("testcase")}
    assert len(cases) == int(suites.get("tests")) == len(records)
    for record in records:
        kinds = [child.tag for child in cases[record.name]]
        fragile = record.status == "found" and record.distance < 5
        expected = {"failed": ["error"], "wrong": ["skipped"], "waiting": ["skipped"]}.get(record.status)
        assert kinds == (expected or (["failure"] if fragile else [])), record
    assert int(suites.get("failures")) == sum(record.status == "found" and record.distance < 5 for record in records) > 0


def test_without_a_threshold_no_image_fails(folder, tmp_path):
    with AuditStore(folder) as store:
        (path,) = write_reports(store, ["junit"], tmp_path / "own.xml")
    assert path == tmp_path / "own.xml"
    suites = ET.parse(path).getroot()
    assert suites.get("failures") == "0"
    assert int(suites.get("errors")) > 0


def test_hostile_names_stay_texts(hostile, tmp_path):
    import pyarrow.parquet

    with AuditStore(hostile) as store:
        write_reports(store, ["html", "json", "csv", "parquet", "junit"], tmp_path, pictures=2)
        names = {record.label_name for record in store.images()}
    assert names == set(HOSTILE)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert not {"\u202e", "\x00", "\x1b"} & set(html)
    assert max(map(len, html.replace("\\u", " ").split("<"))) > 0
    ET.parse(tmp_path / "report.xml")
    assert set(pyarrow.parquet.read_table(tmp_path / "report.parquet")["label_name"].to_pylist()) == names
    assert {row["label_name"] for row in json.loads((tmp_path / "report.json").read_text())["images"]} == names
    with (tmp_path / "report.csv").open(encoding="utf-8", newline="") as stream:
        assert not [row for row in csv.DictReader(stream) if row["label_name"].startswith("=")]


def test_the_command_writes_a_page_and_a_document_into_the_audit(folder, tmp_path, in_process):
    copy = shutil.copytree(folder, tmp_path / "copy")
    done = in_process.run_command("audit", "report", copy, "--pictures", "1")
    assert done.returncode == 0, done.stderr
    assert (copy / "report.html").is_file()
    assert (copy / "report.json").is_file()
    done = in_process.run_command("audit", "report", copy, "--format", "csv", "--out", tmp_path / "rows.csv")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rows.csv").read_text().startswith("id,name,path")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "pdf"], "there is no format of reports 'pdf'; use one of html, json, csv, parquet, junit"),
        (["--format", ","], "--format names no format"),
        (["--format", "csv,csv"], "named twice"),
        (["--format", "csv", "--pictures", "3"], "--pictures goes with --format html or json"),
        (["--fragile-below", "3"], "--fragile-below goes with --format junit"),
        (["--format", "junit", "--fragile-below", "0"], "must be above 0"),
    ],
)
def test_what_has_no_effect_or_is_unknown_is_an_error(folder, words, said, in_process):
    before = sorted(path.name for path in folder.iterdir())
    done = in_process.run_command("audit", "report", folder, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == before


def test_without_an_audit_it_says_so(tmp_path, in_process):
    done = in_process.run_command("audit", "report", tmp_path)
    assert done.returncode == 2
    assert "holds no audit" in done.stderr


def test_without_pyarrow_the_sentence_says_what_to_install(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with AuditStore(folder) as store, pytest.raises(UsageError, match=r'pip install "saywhy\[audit\]"'):
        write_reports(store, ["csv", "parquet"], tmp_path / "out")
    assert not list((tmp_path / "out").glob("report*"))


def test_a_report_that_fails_half_way_leaves_the_earlier_one(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(REPORTERS, "_loaded", dict(REPORTERS._loaded))

    def broken(summary, path):
        path.write_text("half a rep")
        raise RuntimeError("the disk is made of cheese")

    REPORTERS.register("broken", Reporter("fails", ".txt", broken))
    (tmp_path / "report.txt").write_text("whole")
    with (
        AuditStore(folder) as store,
        pytest.raises(RuntimeError if "broken" in REPORTERS.builtin else UsageError, match="cheese"),
    ):
        write_reports(store, ["broken"], tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("report.txt", "whole")]


def test_secrets_do_not_enter_a_report(tmp_path, monkeypatch):
    from saywhy_core.secrets import forget_secrets, keep_secret

    make_audit(tmp_path / "audit", 3, settings={"target": "oip:http://u:hunter2hunter2@example.test#m"})
    keep_secret("hunter2hunter2")
    try:
        with AuditStore(tmp_path / "audit") as store:
            paths = write_reports(store, ["html", "json", "csv", "junit"], tmp_path / "out")
    finally:
        forget_secrets()
    assert all("hunter2hunter2" not in path.read_text() for path in paths)


@pytest.mark.long
@pytest.mark.parametrize("distance", ["l0", "linf"])
def test_a_real_audit_is_told_in_true_sentences_and_its_command_repeats_it(distance, tmp_path, in_process):
    import shlex

    import numpy as np
    from PIL import Image

    from saywhy import signs

    (tmp_path / "signs").mkdir()
    pictures, labels = signs.samples()
    for place in (1, 2, 3):
        picture = Image.fromarray(np.round(pictures[place] * 255).astype(np.uint8))
        picture.save(tmp_path / "signs" / f"{signs.CLASS_NAMES[labels[place]].replace(' ', '-')}.png")
    words = [
        "audit",
        "run",
        "first",
        "signs",
        "--target",
        "demo:signs",
        "--distance",
        distance,
        "--budget",
        "40",
        "--weather",
        "blur",
    ]
    assert in_process.run_command(*words, folder=tmp_path).returncode == 0
    assert in_process.run_command("audit", "report", "first", folder=tmp_path).returncode == 0
    document = json.loads((tmp_path / "first" / "report.json").read_text(encoding="utf-8"))
    assert {one["verdict"] for one in document["statements"]} == {"true"}
    assert {sentence["verdict"] for image in document["images"] for sentence in image["sentences"]} == {"true"}
    again = shlex.split(document["command"].replace("run first ", "run again "))
    assert again[0] == "saywhy"
    done = in_process.run_command(*again[1:], folder=tmp_path)
    assert done.returncode == 0, done.stderr
    with AuditStore(tmp_path / "first") as first, AuditStore(tmp_path / "again") as second:
        assert [record.distance for record in first.images()] == [record.distance for record in second.images()]
        assert first.about["settings"].keys() == second.about["settings"].keys()
