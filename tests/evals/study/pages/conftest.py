"""A study with every kind of page, the server that serves it, and a browser that takes it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

CHROMIUM = "/usr/bin/chromium"
NPM = (
    "axe-core@4.10.3",
    "jspsych@8.3.0",
    "@jspsych/plugin-survey-html-form@2.1.0",
    "@jspsych/plugin-html-button-response@2.1.0",
)


@pytest.fixture(scope="session")
def npm_files(tmp_path_factory):
    """A node_modules folder with jsPsych and axe-core: the one that SAYWHY_NODE_MODULES names, or fetched with npm."""
    named = os.environ.get("SAYWHY_NODE_MODULES")
    if named:
        return Path(named)
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("SAYWHY_NODE_MODULES names no folder with jsPsych, and there is no npm to fetch it")
    folder = tmp_path_factory.mktemp("npm")
    done = subprocess.run(
        [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), *NPM],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        pytest.skip(f"npm could not fetch jsPsych: {done.stderr[-300:]}")
    return folder / "node_modules"


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium. Playwright keeps an event loop running for as long, and other tests start their own."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no {CHROMIUM}")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


TEXTS = (
    ("A warm, funny film with a cast that never puts a foot wrong.", "positive"),
    ("Two hours of my life that nobody will give me back.", "negative"),
    ("The plot is thin, but the music carries it to a lovely end.", "positive"),
    ("<script>document.title='run'</script> & \"dull\" <b>from</b> start to end", "negative"),
    ("I laughed once, by accident, and then the lights went on.", "negative"),
    ("An honest and gentle story about two sisters.", "positive"),
)


def item(number, text, label, *, practice=False):
    """A line of items.jsonl: a text under "heatmap", "plain" and "none"."""
    words = text.split()
    shades = [(-1) ** at * ((at * 7 + number * 3) % 11) for at in range(len(words))]
    spans = " ".join(
        f'<span class="h{shade:+d}">{escape(word)}</span>' if shade else escape(word)
        for word, shade in zip(words, shades, strict=True)
    )
    shown = f'<div class="input"><p class="words" dir="auto">{escape(text)}</p></div>'
    said = f"The words <q>{escape(words[1])}</q> and <q>{escape(words[3])}</q> mattered most."
    return {
        "version": 1,
        "id": f"p{number}" if practice else f"i{number}",
        "form": "text",
        "practice": practice,
        "predicted": label,
        "true": label,
        "labels": ["negative", "positive"],
        "facts": {"label": label, "model_right": "yes"},
        "answers": {},
        "input": {"html": shown, "text": text},
        "stimuli": {
            "heatmap": {
                "html": f'<div class="input"><p class="words heatmap" dir="auto">{spans}</p></div>'
                '<p class="key"><span class="h+7">speaks for the label</span> <span class="h-7">speaks against it</span></p>',
                "text": " ".join(f"{word} [{shade / 10:+.1f}]" for word, shade in zip(words, shades, strict=True)),
            },
            "plain": {
                "html": f'{shown}<div class="explanation" dir="auto"><p>{said}</p></div>',
                "text": f"{text}\n\nExplanation: two words mattered most.",
            },
            "none": {"html": "", "text": ""},
        },
    }


def make_study(folder, npm_files, **changes):
    """A study's folder, and jsPsych in it."""
    import yaml

    from evals.study.pages import fetch_assets

    folder.mkdir(parents=True)
    lines = [item(number, *one) for number, one in enumerate(TEXTS)]
    lines[-1] = item(len(TEXTS) - 1, *TEXTS[-1], practice=True)
    (folder / "items.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    content = {
        "version": 1,
        "title": "How do you read explanations?",
        "conditions": [
            {"name": name, "kind": kind} for name, kind in (("heatmap", "heatmap"), ("plain", "none"), ("none", "none"))
        ],
        "design": {"kind": "latin", "items": 5, "participants": 12},
        "tasks": [
            {"name": "simulation", "kind": "simulation"},
            {"name": "helpfulness", "kind": "rating"},
        ],
        "consent": {"text": "We study how people read explanations.\n\nYou may stop at any time."},
        "instructions": ["A model reads reviews of films.\n\nYou will see what it read.", "Blue words speak for its decision."],
        "comprehension": {
            "questions": [
                {"name": "who", "question": "Who decided?", "options": ["the model", "other people"], "answer": "the model"},
                {
                    "name": "blue",
                    "question": "What do blue words do?",
                    "options": ["speak for", "speak against"],
                    "answer": "speak for",
                },
            ],
            "tries": 2,
        },
        "practice": {"items": 1, "feedback": True},
        "attention": [
            {
                "name": "orchid",
                "after": 2,
                "question": "Please choose orchid.",
                "options": ["rose", "orchid"],
                "answer": "orchid",
            }
        ],
        "demographics": [
            {"name": "age", "question": "How old are you?", "kind": "number"},
            {"name": "language", "question": "Which languages do you speak?", "kind": "text", "required": False},
        ],
        "debriefing": "Thank you. The explanations came from a model.",
        "contact": "lab@example.org",
        "completion": {"code": "C0MPLETE", "screened_code": "SCREENED", "url": "https://app.example.org/done?cc={code}"},
        "server": {"break_after": 3},
    } | changes
    (folder / "study.yaml").write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    fetch_assets(folder, source=npm_files)
    return folder


@pytest.fixture
def new_study(tmp_path, npm_files):
    """`new_study(**changes of study.yaml)` makes a study's folder with its assets."""
    return lambda **changes: make_study(tmp_path / "study", npm_files, **changes)


@pytest.fixture
def serve():
    """`serve(folder, prefix="")` serves a study; gives its address and its store."""
    from contextlib import ExitStack

    from evals.study import open_study
    from evals.study.server import open_store, study_app
    from evals.study.server.listening import running

    with ExitStack() as stack:

        def serving(folder, *, prefix="", **options):
            store = open_store(open_study(folder), **options)
            stack.callback(store.close)
            return stack.enter_context(running(study_app(store, prefix=prefix))), store

        yield serving


@pytest.fixture
def new_page(browser):
    """`new_page(**options of the browser's context)`: a page whose errors, policy violations and foreign requests fail the test."""
    contexts = []
    troubles = []

    def made(context=None, **options):
        if context is None:
            context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}} | options)
            contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("console", lambda said: "Content Security Policy" in said.text and troubles.append(said.text))
        page.on(
            "request", lambda asked: "127.0.0.1" in asked.url or asked.url.startswith("blob:") or troubles.append(asked.url)
        )
        return page

    yield made
    for context in contexts:
        context.close()
    assert not troubles


BUTTON = "#jspsych-survey-html-form-next, #jspsych-html-button-response-btngroup button"


class Taker:
    """Somebody who takes the study in a page, and remembers what was answered.

    `choose(name, kind, options)` gives the response to a question; None leaves it out.
    """

    def __init__(self, page, choose=None):
        self.page, self.choose, self.given = page, choose or self.plain, {}

    @staticmethod
    def plain(name, kind, options):
        """What somebody answers who passes all checks."""
        if name in CORRECT:
            return CORRECT[name]
        return {"number": 41, "text": '<b>Deutsch</b> & "English"', "agree": True, "parts": options[:1]}.get(kind) or options[
            -1
        ]

    def open(self, address):
        self.page.goto(address)
        self.page.wait_for_selector("#heading")
        return self

    @property
    def heading(self):
        return self.page.text_content("#heading")

    @property
    def number(self):
        """The page's place, from 0."""
        return int(self.page.text_content("#progress-text").split("/")[0]) - 1

    @property
    def ended(self):
        return self.page.query_selector("main.ended") is not None

    def questions(self):
        return [
            (block.get_attribute("data-name"), block.get_attribute("class").split()[1], block)
            for block in self.page.query_selector_all(".question")
        ]

    def fill(self):
        """Answer all questions of the page."""
        self.page.bring_to_front()  # a tab behind another one is slow
        for name, kind, block in self.questions():
            fields = block.query_selector_all("input, textarea")
            options = [field.get_attribute("value") for field in fields]
            response = self.choose(name, kind, options)
            if response is None:
                continue
            self.given[self.number, name] = response
            if kind in ("number", "text"):
                fields[0].fill(str(response))
            elif kind == "agree":
                fields[0].check()
            else:
                wanted = response if isinstance(response, list) else [str(response)]
                for field, value in zip(fields, options, strict=True):
                    if value in wanted:
                        field.check()

    def press(self):
        self.page.click(BUTTON)

    def step(self):
        """Answer the page, and go on to the next; past the feedback of practice."""
        before = self.page.text_content("#progress-text")
        self.fill()
        self.press()
        self.page.wait_for_function(
            "before => document.querySelector('#progress-text').textContent !== before || "
            "document.querySelector('main.ended, .said.right, .said.wrong')",
            arg=before,
        )
        if self.page.query_selector(".phase-practice .said:not([hidden])"):
            self.press()
        self.page.wait_for_function(
            "before => document.querySelector('#progress-text').textContent !== before || document.querySelector('main.ended')",
            arg=before,
        )
        return self

    def until(self, phase):
        """Go on until a page of this phase is shown."""
        while not self.page.query_selector(f".phase-{phase}"):
            self.step()
        return self

    def all(self):
        """Go on until the end."""
        while not self.ended:
            self.step()
        return self


CORRECT = {"who": "the model", "blue": "speak for", "orchid": "orchid"}


@pytest.fixture
def taker(new_page):
    """`taker(address, choose=None, **options of the context)`: somebody who has opened the study."""
    return lambda address, choose=None, **options: Taker(new_page(**options), choose).open(address)
