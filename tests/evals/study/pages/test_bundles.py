"""A study as files: taken from a plain web server, and in a stand-in for JATOS; what is handed over is what was typed."""

import functools
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from evals.study import open_study
from evals.study.flow.judging import judge
from evals.study.flow.way import steps_for
from evals.study.pages import bundle_files

pytestmark = pytest.mark.long

JATOS = """
window.batch = JSON.parse(localStorage.getItem('batch') || '{}');
window.jatos = {
  studyResultId: 7, urlQueryParameters: {PROLIFIC_PID: 'p9'}, submitted: [], ended: 0, aborted: 0,
  onLoad(f) { setTimeout(f, 5); },
  batchSession: {
    get: name => window.batch[name],
    set: async (name, value) => {
      window.batch[name] = value; localStorage.setItem('batch', JSON.stringify(window.batch));
    },
  },
  async submitResultData(data) { if (this.failing) { this.failing--; throw new Error('no'); } this.submitted.push(data); },
  async endStudyWithoutRedirect() { this.ended++; },
  async abortStudyWithoutRedirect() { this.aborted++; },
};
"""


SHORT = {
    "design": {"kind": "between", "items": 1},
    "instructions": [],
    "comprehension": None,
    "practice": {"items": 0},
    "attention": [],
    "demographics": [],
    "completion": {"code": "C0MPLETE"},
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def host(tmp_path):
    """`host(files)` puts the files on a plain web server, below a path."""
    place = tmp_path / "www" / "some" / "where"
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path / "www")))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def hosting(files):
        for name, content in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        return f"http://127.0.0.1:{server.server_port}/some/where/"

    yield hosting
    server.shutdown()
    server.server_close()


def downloaded(someone, tmp_path):
    with someone.page.expect_download() as waiting:
        someone.page.click("#download")
    path = tmp_path / "answers.json"
    waiting.value.save_as(path)
    return json.loads(path.read_text())


def rows_of(study, record):
    """What the server would have kept of these answers."""
    (cell,) = [one for one in study.cells if one.name == record["cell"]]
    steps = steps_for(study, cell, record["seed"])
    return [
        row
        for one in record["answers"]
        for row in judge(
            study,
            steps[one["step"]],
            one["responses"],
            participant=record["participant"],
            seed=record["seed"],
            tries=one["tries"],
        ).rows
    ]


def test_a_study_on_a_plain_web_host(new_study, host, taker, tmp_path):
    folder = new_study()
    study = open_study(folder)
    someone = taker(host(bundle_files(study)) + "?PROLIFIC_PID=p1", accept_downloads=True).all()
    assert someone.heading == "Thank you!"
    assert someone.page.input_value("#code") == "C0MPLETE"
    record = downloaded(someone, tmp_path)
    assert (record["format"], record["version"], record["study"]) == ("saywhy-study-answers", 1, study.digest)
    assert record["link"] == {"PROLIFIC_PID": "p1"}
    assert record["status"] == "complete"
    rows = rows_of(study, record)
    typed = {key: json.dumps(one) if not isinstance(one, str) else one for key, one in someone.given.items()}
    assert {(row.step, row.task): row.response for row in rows} == typed
    assert all(row.correct for row in rows if row.phase in ("comprehension", "attention"))


def test_checks_practice_reloads_and_two_tabs_work_without_a_server(new_study, host, taker, new_page, tmp_path):
    study = open_study(new_study())
    someone = taker(host(bundle_files(study))).until("comprehension")
    someone.choose = lambda name, kind, options: {"who": "other people", "blue": "speak for"}[name]
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    assert someone.page.is_hidden("#q1-said")
    someone.choose = someone.plain
    someone.until("practice")
    someone.choose = lambda name, kind, options: options[0]
    someone.fill()
    someone.press()
    someone.page.wait_for_selector(".said.wrong")
    assert "positive" in someone.page.text_content(".said.wrong")
    someone.page.reload()
    someone.page.wait_for_selector(".phase-trial")
    other = type(someone)(new_page(someone.page.context)).open(someone.page.url)
    assert other.number == someone.number
    someone.choose = other.choose = someone.plain
    other.step()
    someone.choose = lambda name, kind, options: options[0]
    someone.fill()
    someone.press()
    someone.page.wait_for_function(
        "n => document.querySelector('#progress-text').textContent.startsWith(`${n} `)", arg=other.number + 1
    )
    assert "already answered" in someone.page.text_content("#notice")
    someone.choose = someone.plain
    someone.all()
    record = downloaded(someone, tmp_path)
    assert [one["tries"] for one in record["answers"] if not one["accepted"]] == [1]
    accepted = [one["step"] for one in record["answers"] if one["accepted"]]
    assert accepted == list(range(len(accepted)))


def test_who_fails_twice_is_screened_out_and_who_leaves_leaves_nothing(new_study, host, taker):
    address = host(bundle_files(open_study(new_study())))
    someone = taker(address).until("comprehension")
    for blue in ("speak for", "speak against"):
        someone.choose = lambda name, kind, options, blue=blue: {"who": "other people", "blue": blue}[name]
        someone.fill()
        someone.press()
        someone.page.wait_for_selector(".said.wrong, main.ended")
    someone.page.wait_for_selector("main.ended")
    assert someone.page.input_value("#code") == "SCREENED"
    other = taker(address).until("practice")
    other.page.click("#leave")
    other.page.click("#leaving-yes")
    other.page.wait_for_selector("main.ended")
    assert other.page.evaluate("Object.keys(localStorage).filter(name => name.includes('answers'))") == []
    assert other.page.query_selector("#download") is None


def test_the_address_may_name_the_cell(new_study, host, taker, tmp_path):
    study = open_study(new_study(**SHORT))
    address = host(bundle_files(study, orders=2))
    for cell in study.cells:
        assert downloaded(taker(f"{address}?cell={cell.name}").all(), tmp_path)["cell"] == cell.name
    assert taker(f"{address}?cell=no-such").heading == "You cannot take part"


def test_in_jatos_every_answer_is_handed_over_and_cells_fill_evenly(new_study, host, taker, new_page):
    study = open_study(new_study(**SHORT))
    files = bundle_files(study, jatos=True)
    address = host(files | {"jatos.js": JATOS.encode()})
    assert "jatos.js" not in files
    someone = taker(address).until("trial")
    someone.page.evaluate("jatos.failing = 1")
    someone.step()  # it is sent again
    assert someone.page.evaluate("jatos.failing") == 0
    someone.all()
    assert someone.page.query_selector("#download") is None
    assert someone.page.evaluate("jatos.ended") == 1
    record = someone.page.evaluate("jatos.submitted.at(-1)")
    assert record["link"]["PROLIFIC_PID"] == "p9"
    rows = rows_of(study, record)
    assert {(row.step, row.task) for row in rows} == set(someone.given)
    cells = [record["cell"]]
    for number in range(len(study.cells) - 1):
        page = new_page(someone.page.context)
        script = JATOS.replace("studyResultId: 7", f"studyResultId: {number}")
        page.route("**/jatos.js", lambda route, _, script=script: route.fulfill(body=script, content_type="text/javascript"))
        type(someone)(page).open(address).step()
        cells.append(page.evaluate("jatos.submitted.at(-1).cell"))
    assert sorted(cells) == sorted(cell.name for cell in study.cells)


def test_the_files_tell_no_right_answers_of_trials_and_checks(new_study):
    study = open_study(new_study())
    record = json.loads(bundle_files(study)["bundle.js"].decode().removeprefix("window.saywhyBundle = ").rstrip().rstrip(";"))
    for ways in record["cells"].values():
        for way in ways:
            for step in way["steps"]:
                known = record["pool"][step["right"]]
                assert bool(known) == (step["phase"] in ("comprehension", "practice")), step["phase"]
                assert all(len(one) == 64 for held in known.values() for one in held["right"])
                assert "item" not in step
                assert "conditions" not in step
