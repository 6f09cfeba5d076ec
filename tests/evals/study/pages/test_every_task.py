"""Every kind of task, on texts and on pictures: what is typed is what the table holds."""

import hashlib
import json

import pytest

from evals.study import open_study
from evals.study.pages import bundle_files

pytestmark = pytest.mark.long

PARTS = ['The word "warm" speaks for it.', "The word <i>dull</i> speaks against it.", "Nothing else matters."]
TASKS = [
    {"name": "simulation", "kind": "simulation", "options": {"confidence": True}},
    {"name": "without", "kind": "counterfactual"},
    {"name": "errors", "kind": "error_finding", "conditions": ["plain"]},
    {"name": "trust", "kind": "trust"},
    {"name": "ease", "kind": "rating", "options": {"points": 11}},
    {"name": "why", "kind": "free_text"},
    {"name": "better", "kind": "preference", "conditions": ["heatmap", "plain"]},
]


@pytest.fixture
def tasked(new_study):
    """A study with all kinds of tasks; one of its items is a picture."""
    from PIL import Image

    folder = new_study(
        tasks=TASKS,
        design={"kind": "latin", "items": 3, "participants": 12},
        instructions=[],
        comprehension=None,
        demographics=[],
        attention=[],
        completion={"code": "C0MPLETE"},
        practice={"items": 1, "feedback": True},
        server={"break_after": 0},
    )
    (folder / "images").mkdir()
    png = folder / "images" / "x.png"
    Image.new("RGB", (480, 320), (90, 120, 200)).save(png)
    name = f"{hashlib.sha256(png.read_bytes()).hexdigest()}.png"
    png.rename(png.with_name(name))
    items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for item in items:
        item["answers"] = {
            "counterfactual": [{"part": "<b>film</b>", "label": "negative"}, {"part": "cast", "label": "positive"}],
            "error_finding": {"plain": {"parts": PARTS, "false": [1]}},
        }
    picture = f'<div class="input"><figure class="pictures"><img src="images/{name}" alt="The picture" width="480" height="320"></figure></div>'
    items[0]["form"] = "image"
    items[0]["input"] = {"html": picture, "text": "A picture."}
    for name in ("heatmap", "plain"):
        items[0]["stimuli"][name] = {"html": picture, "text": "A picture."}
    (folder / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    return folder


def choose(name, kind, options):
    """One answer for each kind of question, not always the first or the last."""
    return {"ease": 9, "simulation.confidence": 2, "errors": ["2"], "why": "Because </textarea><script>1</script>"}.get(
        name
    ) or (True if kind == "agree" else options[0])


@pytest.mark.parametrize("width", [1100, 360])
def test_every_task(tasked, serve, taker, width):
    address, store = serve(tasked)
    someone = taker(address, choose, viewport={"width": width, "height": 740})
    seen, compared = set(), 0
    while not someone.ended:
        assert someone.page.evaluate("document.documentElement.scrollWidth") <= width
        assert someone.page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth === 480)")
        if someone.page.query_selector(".compared"):
            compared += 1
            left, right = someone.page.query_selector_all(".compared > .stimulus")
            beside = left.bounding_box()["y"] == right.bounding_box()["y"]
            assert beside == (width == 1100)
        seen |= {(name, kind) for name, kind, _ in someone.questions()}
        someone.step()
    assert someone.heading == "Thank you!"
    assert {name for name, _ in seen} == {
        "agree", "simulation", "simulation.confidence", "without.1", "without.2", "errors", "trust", "ease", "why", "better"
    }  # fmt: skip
    assert compared == 3
    steps = {}
    for row in store.answers().rows:
        steps.setdefault((row.step, row.task), []).append(row)
    for (step, name), value in someone.given.items():
        task = name if name.endswith(".confidence") else name.partition(".")[0]
        rows = steps[step, task]
        row = rows[int(name[-1]) - 1] if name.startswith("without.") else rows[0]
        if name == "errors":
            assert (row.response, row.correct) == (json.dumps([PARTS[1]]), True)
        elif name == "better":
            assert row.response == row.condition.split(" vs ")[0]
        elif name == "agree":
            assert row.response == "true"
        else:
            assert row.response == str(value)
    rows = [row for row in store.answers().rows if row.phase == "trial"]
    assert all(row.correct == (row.response == row.expected) for row in rows if row.task in ("without", "trust", "simulation"))
    assert sum(row.task == "better" for row in rows) == 3


def test_feedback_names_the_right_answers_of_every_task(tasked, serve, taker):
    address, _ = serve(tasked)
    someone = taker(address, choose).until("practice")
    told = ""
    while someone.page.query_selector(".phase-practice"):
        someone.fill()
        someone.press()
        someone.page.wait_for_selector(".said:not([hidden]), .phase-trial")
        told += " ".join(one.inner_text() for one in someone.page.query_selector_all(".said:not([hidden])"))
        if someone.page.query_selector(".phase-practice .said:not([hidden])"):
            number = someone.number
            someone.press()
            someone.page.wait_for_function(
                "n => !document.querySelector('#progress-text').textContent.startsWith(`${n} `)", arg=number + 1
            )
    assert "positive" in told


def test_a_bundle_judges_practice_as_the_server_does(tasked):
    from evals.study.flow.judging import judge
    from evals.study.flow.way import steps_for

    study = open_study(tasked)
    record = json.loads(
        bundle_files(study, orders=1)["bundle.js"].decode().removeprefix("window.saywhyBundle = ").rstrip().rstrip(";")
    )
    checked = 0
    for cell in study.cells:
        (way,) = record["cells"][cell.name]
        for step, pooled in zip(steps_for(study, cell, way["seed"]), way["steps"], strict=True):
            known = record["pool"][pooled["right"]]
            if step.phase != "practice":
                continue
            responses = {
                one.name: {"choice": one.options and one.options[0][0], "rating": 3, "text": "", "parts": ["2"]}[one.kind]
                for one in step.questions
            }
            for told in judge(study, step, responses, participant="", seed=way["seed"]).feedback:
                value = responses[told["question"]]
                value = value[0] if isinstance(value, list) else value
                text = f"{record['salt']}|{step.phase}|{step.name}|{told['question']}|{value}"
                right = hashlib.sha256(text.encode()).hexdigest() in known[told["question"]]["right"]
                assert right == told["correct"]
                assert known[told["question"]]["expected"] == told["expected"]
                checked += 1
    assert checked >= 6
