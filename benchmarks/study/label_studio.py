"""A study in the real Label Studio: projects made with its SDK, tasks imported and annotated, and the export read back.

Run: python benchmarks/study/label_studio.py PROGRAM [--port 8462]

PROGRAM is `label-studio` in an environment of its own (pip install label-studio label-studio-sdk). The script makes a study
with every part, exports it, starts the server on an empty folder, makes a project per cell, imports the tasks, and gives seeded
random answers through the SDK. Then each project's JSON export is read, and held against what was given. Exit status 1 if
anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:] = [str(ROOT), *[entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]]

from evals.study import open_study  # noqa: E402
from evals.study.exports import export_study  # noqa: E402
from evals.study.flow.keys import Way, parse_key, way_steps  # noqa: E402
from evals.study.imports import detect, read_answers  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

STUDY = """
title: A study in Label Studio
labels: [positive, negative]
conditions: [{name: heatmap, kind: heatmap}, {name: none, kind: none}]
design: {kind: latin, items: 4, participants: 4}
tasks:
  - {name: simulation, kind: simulation}
  - {name: helpfulness, kind: rating, conditions: [heatmap]}
  - {name: why, kind: free_text, question: "Why do you think so?"}
consent: {text: "Take part?"}
comprehension: {questions: [{name: whose, question: "Whose choice?", options: [mine, "the model's"], answer: "the model's"}]}
practice: {items: 1}
attention: [{name: awake, after: 2, question: "Please choose blue.", options: [red, blue], answer: blue}]
demographics: [{name: age, question: "How old are you?", kind: number}]
"""
WITH_SDK = """
import json, sys
from label_studio_sdk import LabelStudio
told = json.load(sys.stdin)
client = LabelStudio(base_url=told["url"], api_key=told["token"])
if told["do"] == "make":
    project = client.projects.create(title=told["title"], label_config=told["interface"])
    client.projects.import_tasks(id=project.id, request=told["tasks"])
    tasks = []
    while len(tasks) < len(told["tasks"]):
        tasks = list(client.tasks.list(project=project.id, fields="all"))
    print(json.dumps({"project": project.id, "tasks": {task.data["page"]: task.id for task in tasks}}))
elif told["do"] == "annotate":
    for task, result in told["annotations"]:
        client.annotations.create(id=task, result=result, lead_time=3.5, was_cancelled=False)
    print("{}")
else:
    print(json.dumps(client.projects.exports.as_json(told["project"])))
"""
TOKEN = "0123456789abcdef0123456789abcdef01234567"  # of a server that lives for a minute
WAITS = 300  # seconds for the server: it makes its database first


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--port", type=int, default=8462)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _make_study(place / "study")
        study = open_study(place / "study")
        export_study(study, "label-studio", place / "export")
        url = f"http://127.0.0.1:{given.port}"
        server = _started(given.program, place / "data", given.port)
        try:
            _wait(url, server)
            wrong = sum(_cell(study, place, given.program, url, number) for number in range(1, len(study.cells) + 1))
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)
    print("all that was given came back" if not wrong else f"{wrong} answers differ")
    return 1 if wrong else 0


def _cell(study: Any, place: Path, program: Path, url: str, number: int) -> int:
    """One project: made, annotated, exported and read. How many answers differ."""
    chance = random.Random(number)
    export = place / "export" / f"cell-{number}"
    told = {"url": url, "token": TOKEN, "do": "make", "title": f"Cell {number}"}
    tasks = json.loads((export / "tasks.json").read_text())
    made = _sdk(program, {**told, "interface": (export / "interface.xml").read_text(), "tasks": tasks})
    typed: dict[tuple[int, str], str] = {}
    annotations = []
    for page, task in made["tasks"].items():
        key = parse_key(page)
        assert key is not None
        result = []
        for question in way_steps(study, key.way)[key.step].questions:
            value, shown, kind = _answer(question, chance)
            typed[key.step, question.name] = value
            result.append({"from_name": question.name, "to_name": "page", "type": kind, "value": shown})
        annotations.append((task, result))
    _sdk(program, {**told, "do": "annotate", "annotations": annotations})
    (place / f"{number}.json").write_text(json.dumps(_sdk(program, {**told, "do": "export", "project": made["project"]})))
    assert detect(place / f"{number}.json") == "label-studio"
    answers = read_answers([place / f"{number}.json"], study=study)
    read = {(row.step, row.task): row.response for row in answers.rows}
    steps = way_steps(study, Way(number, 1))
    right = sum(row.correct is True for row in answers.of_phase("trial"))
    print(
        f"cell {number}: {len(steps)} pages, {len(typed)} answers given, {len(read)} read, {right} right in trials, "
        f"status {next(iter(answers.participants.values())).status}"
    )
    return len(set(typed.items()) ^ set(read.items()))


def _answer(question: Any, chance: random.Random) -> tuple[str, dict[str, Any], str]:
    """A seeded answer: as `Answers` holds it, and as Label Studio does."""
    match question.kind:
        case "choice":
            value, label = chance.choice(question.options)
            return value, {"choices": [label]}, "choices"
        case "rating":
            point = str(chance.randint(1, question.points))
            return point, {"choices": [point]}, "choices"
        case "agree":
            return "true", {"choices": ["Yes"]}, "choices"
        case "number":
            return "37", {"number": 37}, "number"
    text = f'"{chance.random()}" <b>because</b> & so'
    return text, {"text": [text]}, "textarea"


def _make_study(folder: Path) -> None:
    folder.mkdir()
    (folder / "study.yaml").write_text(STUDY)
    lines = []
    for number in range(5):
        label = ("positive", "negative")[number % 2]
        shown = {"html": f'<p class="words"><span class="h+7">word{number}</span> &lt;b&gt;</p>', "text": f"word{number}"}
        item = {"version": 1, "id": f"i{number}", "form": "text", "practice": number == 4, "predicted": label, "true": label}
        item |= {"labels": ["positive", "negative"], "facts": {}, "answers": {}, "input": shown}
        lines.append(json.dumps(item | {"stimuli": {"heatmap": shown, "none": {"html": "", "text": ""}}}))
    (folder / "items.jsonl").write_text("\n".join(lines) + "\n")


def _started(program: Path, data: Path, port: int) -> subprocess.Popen[bytes]:
    data.mkdir()
    settings = {"LABEL_STUDIO_BASE_DATA_DIR": str(data), "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}
    command = [program, "start", "-b", "--port", str(port), "--internal-host", "127.0.0.1", "--username", "a@b.example"]
    command += ["--password", "not-a-secret", "--user-token", TOKEN]
    return subprocess.Popen(
        [str(part) for part in command],
        env={**os.environ, **settings, "COLLECT_ANALYTICS": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + WAITS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{url}/api/projects", headers={"Authorization": f"Token {TOKEN}"}, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.5)
    raise SystemExit("Label Studio did not start")


def _sdk(program: Path, told: dict[str, Any]) -> Any:
    python = program.parent / "python"
    done = subprocess.run([python, "-c", WITH_SDK], input=json.dumps(told), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return json.loads(done.stdout)


if __name__ == "__main__":
    sys.exit(main())
