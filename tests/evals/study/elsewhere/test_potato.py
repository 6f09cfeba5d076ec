"""The export for potato in potato's own server: started, taken in a browser, and its files read back."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from evals.study.exports import export_study
from evals.study.exports.potato import scheme_name
from evals.study.flow.keys import Way, way_steps
from evals.study.imports import detect, read_answers

pytestmark = pytest.mark.long
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture
def potato(wait_until):
    """`potato(folder)` starts potato's server on a project and gives its address."""
    program = os.environ.get("SAYWHY_POTATO") or shutil.which("potato")
    if not program:
        pytest.skip("SAYWHY_POTATO names no program, and there is no potato (pip install potato-annotation)")
    started = []

    def start(folder):
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))
            port = held.getsockname()[1]
        log = (folder / "server.log").open("w")
        command = [program, "start", "config.yaml", "-p", str(port), "--host", "127.0.0.1"]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        started.append((server, log))

        def answers():
            with socket.socket() as tried:
                return server.poll() is not None or tried.connect_ex(("127.0.0.1", port)) == 0

        wait_until(answers, pause=0.1, what="potato's answer")
        assert server.poll() is None, (folder / "server.log").read_text()[-3000:]
        return f"http://127.0.0.1:{port}"

    yield start
    for server, log in started:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)
        log.close()


def answer(page, form):
    kind, name = form.get_attribute("data-annotation-type"), form.get_attribute("data-schema-name")
    if kind == "radio":
        form.locator("input[type=radio]").last.check()
        return name, form.locator("input[type=radio]").last.get_attribute("value")
    if kind == "likert":
        form.locator("input[type=radio]").nth(4).check()
        return name, "5"
    if kind == "multiselect":
        box = form.locator("input[type=checkbox]:visible").nth(1)  # the second of three: the sentence that is wrong
        box.check()
        return name, '["2"]'
    if kind == "text":
        form.locator("textarea").fill('Because "so" <b>& so</b>')
        return name, 'Because "so" <b>& so</b>'
    if kind == "number":
        form.locator("input").first.fill("44")
        return name, "44"
    return name, None


def take(page, address, most=20):
    """Go through the pages, and say what was answered on each."""
    page.goto(address)
    given = []
    for _ in range(most):
        page.wait_for_load_state("load")
        if "You have completed" in page.inner_text("body"):
            return given
        forms = page.locator("form.annotation-form:visible").all()
        given.append({name: value for name, value in (answer(page, form) for form in forms) if value is not None})
        page.locator("body").click(position={"x": 5, "y": 300})  # what is typed is kept when the box is left
        with page.expect_navigation():
            page.locator("#next-btn:visible, button:visible:has-text('Next'), button:visible:has-text('Submit')").first.click()
    return given


@pytest.mark.parametrize("which", ["study", "rich_study"])
def test_what_is_answered_in_potato_is_what_is_read(which, request, tmp_path, potato):
    study = request.getfixturevalue(which)
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    export_study(study, "potato", tmp_path / "project")
    address = potato(tmp_path / "project")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        given = {
            person: take(browser.new_context().new_page(), f"{address}/?PROLIFIC_PID={person}", most)
            for person, most in (("first", 20), ("second", 5))
        }
        browser.close()
    assert detect(tmp_path / "project") == "potato"
    answers = read_answers([tmp_path / "project"], study=study)
    cells = {code: one.cell for code, one in answers.participants.items()}
    assert sorted(cells.values()) == ["latin-1", "latin-2"]  # potato gives the second the other group
    assert answers.participants["first"].attributes == ({"age": "44", "english": "no"} if which == "study" else {})
    for person, pages in given.items():
        way = Way([cell.name for cell in study.cells].index(cells[person]) + 1, 1)
        asked = [[scheme_name(question.name) for question in step.questions] for step in way_steps(study, way)]
        asked = [sorted(names) for names in asked if names]
        done = [sorted(page) for page in pages if page]
        assert done == (asked if person == "first" else asked[: len(done)])
        rows = [row for row in answers.rows if row.participant == person]
        typed = [(name, value) for page in pages for name, value in page.items()]
        read = [(row.task, "yes" if row.response == "true" else row.response) for row in rows]
        if which == "study":
            assert sorted(read) == sorted(typed)
        else:
            assert len(read) == len(typed)
            faults = [row.response for row in rows if row.kind == "error_finding"]
            assert faults
            assert all("Sentence two" in response for response in faults)
            assert all(row.correct for row in rows if row.kind == "error_finding")
            assert {row.response for row in rows if row.kind == "free_text"} == {'Because "so" <b>& so</b>'}
            preferred = [(row.response, row.condition) for row in rows if row.kind == "preference"]
            assert all(response == condition.split(" vs ")[1] for response, condition in preferred)  # the right one
        assert answers.participants[person].status == ("complete" if person == "first" else "left")
        assert all(row.seconds is None or 0 < row.seconds < 60 for row in rows)
        assert person == "second" or any(row.seconds for row in rows if row.phase == "trial")
