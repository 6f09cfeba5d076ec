"""Exports with saywhy's pages, taken in a browser: a folder on a web host, and an archive in a stand-in for JATOS.

JATOS itself is a Java server that no package registry has. The archive is held against the format that JATOS 3 reads, and run with
a script in the place of `jatos.js` that offers the functions of its API (onLoad, batchSession, submitResultData, endStudy...).
"""

from __future__ import annotations

import functools
import io
import json
import re
import threading
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from uuid import UUID

import pytest

from evals.study import open_study
from evals.study.exports import export_study
from evals.study.imports import detect, read_answers

pytestmark = pytest.mark.long

JATOS = """
window.jatos = {
  studyResultId: 7, urlQueryParameters: {PROLIFIC_PID: 'p9'}, batch: {},
  onLoad(f) { setTimeout(f, 5); },
  batchSession: { get: name => jatos.batch[name], set: async (name, value) => { jatos.batch[name] = value; } },
  async submitResultData(data) { this.kept = typeof data === 'string' ? data : JSON.stringify(data); },
  async endStudyWithoutRedirect() {},
  async abortStudyWithoutRedirect() {},
};
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def host(tmp_path):
    """The address of a plain web server on tmp_path/www."""
    (tmp_path / "www").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "www")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def check(answers, given):
    """The rows are what was typed in the browser."""
    typed = {key: one if isinstance(one, str) else json.dumps(one) for key, one in given.items()}
    assert {(row.step, row.task): row.response for row in answers.rows} == typed
    assert [one.status for one in answers.participants.values()] == ["complete"]


def test_a_folder_for_a_web_host(new_study, taker, host, tmp_path):
    folder = new_study()
    export_study(folder, "static", tmp_path / "www" / "study")
    someone = taker(f"{host}/study/", accept_downloads=True).all()
    with someone.page.expect_download() as waiting:
        someone.page.click("#download")
    waiting.value.save_as(tmp_path / "answers.json")
    assert detect(tmp_path / "answers.json") == "jspsych"
    check(read_answers([tmp_path / "answers.json"], study=open_study(folder)), someone.given)


def test_an_archive_for_jatos(new_study, taker, host, tmp_path):
    folder = new_study()
    export_study(folder, "jatos", tmp_path / "study.jzip")
    with zipfile.ZipFile(tmp_path / "study.jzip") as packed:
        names = packed.namelist()
        (jas,) = [name for name in names if name.endswith(".jas")]
        about = json.loads(packed.read(jas))
        packed.extractall(tmp_path / "www")
    assert about["version"] == "3"  # Study.SERIAL_VERSION of JATOS 3
    data = about["data"]
    assert {name.split("/")[0] for name in names if "/" in name} == {data["dirName"]}  # JATOS refuses more than one folder
    assert re.fullmatch(r"[a-z0-9_]+", data["dirName"])
    (component,) = data["componentList"]
    assert f"{data['dirName']}/{component['htmlFilePath']}" in names
    assert component["reloadable"] is True
    assert UUID(data["uuid"]) != UUID(component["uuid"])
    (tmp_path / "www" / data["dirName"] / "jatos.js").write_text(JATOS)
    someone = taker(f"{host}/{data['dirName']}/").all()
    kept = someone.page.evaluate("jatos.kept")
    (tmp_path / "results.txt").write_text(kept + "\n")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as results:
        results.writestr("study_result_1/comp-result_1/data.txt", kept)
    (tmp_path / "results.jrzip").write_bytes(packed.getvalue())
    assert [detect(tmp_path / name) for name in ("results.txt", "results.jrzip")] == ["jspsych", "jatos"]
    for name in ("results.txt", "results.jrzip"):
        check(read_answers([tmp_path / name], study=open_study(folder)), someone.given)


def test_the_same_study_makes_the_same_archive(new_study, tmp_path):
    folder = new_study()
    for name in ("one.jzip", "two.jzip"):
        export_study(folder, "jatos", tmp_path / name)
    assert (tmp_path / "one.jzip").read_bytes() == (tmp_path / "two.jzip").read_bytes()
