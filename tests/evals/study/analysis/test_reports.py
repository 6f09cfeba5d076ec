"""The files of an analysis: each made of the same numbers, and each number of the words traced to its cell."""

import csv
import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from evals.study import Participant, Study
from evals.study.analysis import analyze
from evals.study.analysis.reporting import files_of, write_analysis
from evals.study.design.file import StudyFile

pytestmark = pytest.mark.long

SIMULATED = "Simulated participants gave these answers"


@pytest.fixture(scope="module")
def files(answers):
    return files_of(analyze(answers, reference="nothing", bootstrap=200))


class _Page(HTMLParser):
    """The numbers of the words with their cells, the rest of the words, and all ids."""

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.words, self.numbers = [], set(), [], []
        self.inside = False

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if "id" in given:
            assert given["id"] not in self.ids, "an id twice"
            self.ids.add(given["id"])
        if tag == "section":
            self.inside = given.get("id") == "results"
        if tag == "a" and given.get("class") == "n":
            self.numbers.append([given["href"].removeprefix("#"), ""])
        if tag not in ("meta", "br", "img"):
            self.open.append((tag, given))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if any(tag == "a" and given.get("class") == "n" for tag, given in self.open):
            self.numbers[-1][1] += data
        elif self.inside and self.open and self.open[-1][0] == "p":
            self.words.append(data)


def said(text):
    """The number that a text says, and how far off rounding may have put it."""
    digits = text.replace("\N{MINUS SIGN}", "-").replace(",", "").lstrip("=<> ")
    places = len(digits.partition(".")[2])
    return float(digits), 0.5 * 10**-places


def preferred(answers):
    """The answers, and which of two conditions was preferred: the one whose name comes later, mostly."""
    more = tuple(
        replace(
            row, task="better", kind="preference", condition=f"{row.condition} vs {other}", response="", correct=None, expected=None,
            value=float((row.condition > other) == bool(row.trial % 5)), trial=row.trial + 100, step=row.step + 100,
        )
        for row in answers.rows
        if row.task == "simulation"
        for other in ("nothing", "heatmap", "words")
        if other != row.condition
    )  # fmt: skip
    return replace(answers, rows=(*answers.rows, *more))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study with one hypothesis of each kind."""
    pairs = [("simulation", "higher"), ("helpfulness", "same"), ("better", "lower"), ("trust", "different")]
    expected = [
        {"task": task, "condition": "words", "reference": "nothing", "claim": claim, "margin": 0.4 if claim == "same" else None}
        for task, claim in pairs
    ]
    kinds = {"simulation": "simulation", "helpfulness": "rating", "trust": "trust", "better": "preference"}
    file = StudyFile(
        title="Everything",
        conditions=[{"name": name, "kind": "none"} for name in ("nothing", "heatmap", "words")],
        tasks=[{"name": name, "kind": kind} for name, kind in kinds.items()],
        analysis={"hypotheses": expected, "reference": "nothing", "bootstrap": 200},
    )
    return Study(tmp_path_factory.mktemp("study"), file, {})


@pytest.mark.parametrize("with_study", [False, True])
def test_every_number_of_the_words_is_the_cell_that_it_leads_to(files, answers, study, with_study):
    if with_study:
        files = files_of(analyze(preferred(answers), study=study))
        assert "Hypothesis" in files["results.md"]
        assert "was preferred over" in files["results.md"]
    page = _Page()
    page.feed(files["report.html"])
    assert len(page.numbers) > 60
    record = json.loads(files["results.json"])["tables"]
    for anchor, text in page.numbers:
        assert anchor in page.ids
        table, row, column = re.fullmatch(r"(\w+)-(\d+)-(\w+)", anchor).groups()
        cell = list(csv.DictReader(io.StringIO(files[f"{table}.csv"])))[int(row) - 1][column]
        assert float(cell) == record[table]["rows"][int(row) - 1][column]
        number, off = said(text)
        if text[0] in "<>":
            assert (float(cell) < number) == (text[0] == "<")
            continue
        scale = (
            100 if column in ("mean", "low", "high", "difference", "said_right", "share") and is_share(table, files, row) else 1
        )
        value = float(cell) * scale
        assert min(abs(number - value), abs(number + value) if column == "difference" else 9) <= off * 1.001
    assert not re.search(r"\d", " ".join(page.words)), "a number without a source"


def is_share(table, files, row):
    found = list(csv.DictReader(io.StringIO(files[f"{table}.csv"])))[int(row) - 1]
    return table in ("accuracy", "trust", "preferences") or found.get("unit") == "points"


def test_the_texts_say_what_the_page_says(files):
    plain = " ".join(
        sentence["text"] for one in json.loads(files["results.json"])["paragraphs"] for sentence in one["sentences"]
    )
    bare = re.sub(r"[\\*]", "", files["results.md"])
    assert not re.search(r"\\[\[\]<>]", files["results.md"]), "a backslash that nothing needs"
    for number in re.findall(r"\d+\.\d+", plain):
        assert number in bare
        assert number in files["results.tex"]
    for row in csv.DictReader(io.StringIO(files["accuracy.csv"])):
        shown = f"{100 * float(row['mean']):.1f}"
        assert all(shown in files[name] for name in ("results.md", "results.tex", "report.html"))


def test_the_page_needs_nothing_from_outside(files):
    page = files["report.html"]
    assert "<script" not in page
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)", page)
    assert not re.search(r"url\((?!#)", page)
    for name in ("accuracy.svg", "ratings.svg", "differences.svg", "times.svg", "trust.svg", "flow.svg"):
        assert ET.fromstring(files[name]).tag.endswith("svg")


def test_simulated_answers_are_marked_everywhere(answers):
    simulated = {code: Participant(code=code, source="simulated:random") for code in answers.participants}
    files = files_of(analyze(replace(answers, participants=simulated), bootstrap=200))
    for name in ("results.md", "results.tex", "report.html"):
        assert SIMULATED in files[name]
    assert json.loads(files["results.json"])["participants"] == "simulated"
    assert "simulated participants who joined" in files["results.md"]
    assert "answers by,simulated participants" in files["settings.csv"]
    assert "simulated:random" in files["exclusions.csv"]
    assert "Simulated participants" in files["accuracy.svg"]
    assert "simulated participants" in files["flow.svg"]
    assert SIMULATED in files["SIMULATED.txt"]


EVIL = "<img src=x onerror=alert(1)> | $x$ _a_ & 50% \\input{/etc/passwd} Łódź naïve ş \N{CJK UNIFIED IDEOGRAPH-4E2D}"


@pytest.fixture(scope="module")
def hostile(answers):
    named = {"nothing": "nothing", "heatmap": EVIL, "words": "words"}
    rows = tuple(replace(row, condition=named[row.condition]) for row in answers.rows)
    return files_of(analyze(replace(answers, rows=rows), reference="nothing", bootstrap=200))


def test_names_mean_nothing_in_any_format(hostile):
    assert "<img" not in hostile["report.html"]
    assert "<img" not in hostile["results.md"].replace("\\<img", "")
    assert "\\input{" not in hostile["results.tex"]
    assert EVIL in {row["condition"] for row in csv.DictReader(io.StringIO(hostile["accuracy.csv"]))}
    table = next(one for one in hostile["results.md"].split("\n\n") if one.startswith("| condition"))
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    for name in ("accuracy.svg", "flow.svg"):
        ET.fromstring(hostile[name])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no pdflatex")
def test_the_tables_compile_alone_and_in_a_paper(hostile, tmp_path):
    (tmp_path / "results.tex").write_text(hostile["results.tex"], encoding="utf-8")
    paper = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}A\\input{results}B\\end{document}"
    (tmp_path / "paper.tex").write_text(paper, encoding="utf-8")
    for name in ("results", "paper"):
        run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", name]
        done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=35, check=False)
        assert done.returncode == 0, done.stdout[-2000:]


def test_all_files_are_written_whole(answers, tmp_path):
    analysis = analyze(answers, bootstrap=200)
    paths = write_analysis(analysis, tmp_path / "out")
    assert {path.name for path in paths} == {path.name for path in (tmp_path / "out").iterdir()}
    assert paths[-1].name == "report.html"
    for path in paths:
        assert path.read_text(encoding="utf-8") == files_of(analysis)[path.name]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="there is no R")
def test_r_computes_the_same_models_from_the_same_folder(answers, tmp_path):
    # with a second page in some trials, whose time belongs to its trial
    more = tuple(replace(row, step=row.step + 100, task="later", seconds=2.0) for row in answers.rows if row.task == "trust")
    few = replace(answers, rows=tuple(row for row in (*answers.rows, *more) if row.task != "trust"))
    half = few.only([f"P{n:03d}" for n in range(12)])
    write_analysis(analyze(half, reference="nothing", bootstrap=200), tmp_path)
    done = subprocess.run(["Rscript", "analysis.R"], cwd=tmp_path, capture_output=True, text=True, timeout=38, check=False)
    if "is missing" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    ours, theirs = (
        {
            (row["measure"], row["model"], row["term"]): row
            for row in csv.DictReader((tmp_path / name).open())
            if not row["term"].startswith("standard deviation")
        }
        for name in ("models.csv", "models_in_r.csv")
    )
    assert ours.keys() == theirs.keys()
    for key, row in theirs.items():
        for column in ("estimate", "error"):
            assert float(ours[key][column]) == pytest.approx(float(row[column]), rel=0.01, abs=0.002), (key, column)
