"""`study.yaml`: every error is told with its line, whatever is wrong, and a written file reads as the same study."""

import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evals.study import read_whole_file
from evals.study.design import StudyFile, StudyFileError, check_study_file, parse_study_file, study_file_text, write_study_file
from evals.study.design.writing import schema_text
from saywhy_core.errors import UsageError

GOOD = """\
title: What did the model choose?
labels: [negative, positive]
conditions:
  - name: heatmap
    kind: heatmap
  - name: bare
    kind: none
  - name: third
    kind: none
design:
  kind: latin
  items: 12
tasks:
  - name: simulation
    kind: simulation
  - name: helpfulness
    kind: rating
    options: {points: 5}
comprehension:
  questions:
    - {name: job, question: "What is asked?", options: [guess, sleep], answer: guess}
attention:
  - {name: blue, after: 3, question: Choose blue., options: [red, blue], answer: blue}
demographics:
  - {name: age, question: "How old are you?", kind: number}
analysis:
  reference: bare
  hypotheses:
    - {task: simulation, condition: heatmap, reference: bare, claim: higher}
"""


def told(text):
    """The (line, sentence) pairs of what is wrong."""
    with pytest.raises(StudyFileError) as caught:
        parse_study_file(text)
    return list(caught.value.problems)


def line_of(text, part):
    return next(n for n, line in enumerate(text.splitlines(), 1) if part in line)


def test_a_good_file_is_read():
    study = parse_study_file(GOOD)
    assert (study.title, study.design.items, study.tasks[1].options) == ("What did the model choose?", 12, {"points": 5})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("items: 12", "itens: 12", "no key 'itens' in design; did you mean 'items'"),
        ("items: 12", "items: twelve", "design.items must be a whole number, not 'twelve'"),
        ("items: 12", "items: 0", "design.items must be at least 1, not 0"),
        ("items: 12", "items: 2.5", "must be a whole number, not 2.5"),
        ("items: 12", "items:", "must be a whole number, not empty"),
        ("kind: latin", "kind: latinn", "did you mean 'latin'"),
        ("kind: latin", "kind: blocks", "needs block_size"),
        ("kind: latin", "kind: mixed", "needs groups"),
        ("items: 12", "block_size: 2", "block_size has no effect in the design latin"),
        ("items: 12", "groups: [[bare], [heatmap, third]]", "groups have no effect"),
        ("items: 12", "comparisons: 3", "no task compares"),
        ("kind: rating", "kind: ratng", "no kind of task 'ratng'; did you mean 'rating'"),
        ("{points: 5}", "{pionts: 5}", "no option 'pionts'; did you mean 'points'"),
        ("{points: 5}", "{points: five}", "points of the task helpfulness must be a whole number, not 'five'"),
        ("{points: 5}", "{points: 12}", "must be at most 11, not 12"),
        ("{points: 5}", "{points: true}", "must be a whole number, not True"),
        ("{name: age", "{name: Blue", "named 'Blue' already"),
        ("{name: age", "{name: job", "named 'job' already"),
        ("{name: age", "{name: agree", "the name 'agree' belongs to the box of the consent page"),
        ("name: helpfulness", "name: my rating", "can't be 'my rating': a name begins with a letter"),
        ("name: helpfulness", "name: clarity", "the rating clarity has no question"),
        ("name: third", "name: bare", "condition named 'bare' already"),
        ("{points: 5}", "{points: 5}\n    conditions: [bear]", "no condition 'bear'; did you mean 'bare'"),
        ("answer: guess", "answer: gess", "the answer 'gess' is none of the options; did you mean 'guess'"),
        ("options: [guess, sleep], answer: guess", "kind: text", "a comprehension question is a choice"),
        (", answer: guess", "", "needs an answer"),
        ("after: 3", "after: 13", "each participant has 12 trials, so that no check comes after 13"),
        ("[red, blue]", "[red, red, blue]", "the option 'red' stands there twice"),
        ("kind: number", "kind: number, options: [a, b]", "options have no effect"),
        ("kind: number", "kind: choice", "needs two or more options"),
        ("reference: bare\n", "reference: bar\n", "no condition 'bar'; did you mean 'bare'"),
        ("{task: simulation", "{task: simulatoin", "no task 'simulatoin'; did you mean 'simulation'"),
        ("claim: higher", "claim: same", "needs a margin"),
        ("claim: higher", "claim: higher, margin: 1", "the margin has no effect"),
        ("condition: heatmap, reference: bare", "condition: bare, reference: bare", "compared with itself"),
        ("labels: [negative, positive]", "labels: [negative, negative]", "stands there twice"),
        ("labels: [negative, positive]", "labels: negative", "must be a list"),
        ("labels: [negative, positive]", "language: german!", "must be a language tag"),
        ("title: What did", "seed: -1\ntitle: What did", "seed must be at least 0"),
    ],
)
def test_each_error_is_named_with_its_line(old, new, says):
    text = GOOD.replace(old, new, 1)
    assert text != GOOD
    found = told(text)
    assert len(found) == 1, found
    assert says in found[0][1]
    changed = next(n for n, (a, b) in enumerate(zip(GOOD.splitlines(), text.splitlines(), strict=False), 1) if a != b)
    whole = {"needs block_size", "needs groups"}  # what is missing is told at the part that lacks it
    assert found[0][0] == (line_of(GOOD, "design:") if says in whole else changed)


def test_all_errors_are_told_at_once_up_to_ten():
    text = GOOD.replace("title:", "titel:").replace("items: 12", "items: many").replace("kind: rating", "kind: ratings")
    text += "seed: 1\nseed: 2\n"
    found = told(text)
    assert [line for line, _ in found] == [1, 1, 12, 17, line_of(text, "seed: 2")]
    assert "missing" in found[0][1]
    assert f"first in line {line_of(text, 'seed: 1')}" in found[-1][1]
    with pytest.raises(StudyFileError) as caught:
        parse_study_file(GOOD + "".join(f"wrong{n}: 1\n" for n in range(14)))
    assert len(caught.value.sentences) == 11
    assert caught.value.sentences[-1] == "study.yaml holds 4 more errors"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title:\n\tx: 1", "line 2: YAML is indented with spaces"),
        ("title: a: b", "line 1: a colon stands where none can be"),
        ("title: 'a", "line 1: this is no YAML"),
        ("a: [*b]", "no anchor &b"),
        ("a: &a [*a]", "stands inside of what it means"),
        ("a: !!python/object/apply:os.system [ls]", "the tag"),
        ("? [1]\n: 2", "a key must be a text"),
        ("--- \na: 1\n---\na: 2", "second document"),
        ("- 1", "line 1: a study holds keys"),
        ("", "a study holds keys"),
        ("nothing", "a study holds keys"),
    ],
)
def test_what_is_no_yaml_is_told_in_a_sentence(text, says):
    with pytest.raises(UsageError, match=re.escape(says)) as caught:
        parse_study_file(text)
    assert "\n" not in str(caught.value)


BOMB = "a0: &a0 [1,1,1,1,1,1,1,1,1]\n" + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))


@pytest.mark.parametrize("text", [BOMB, "a: " + "[" * 50_000, "a: " + "{b: " * 40 + "1" + "}" * 40, "x" * 600_000])
def test_bombs_take_no_time(text):
    begun = time.process_time()
    with pytest.raises(UsageError):
        parse_study_file(text)
    assert time.process_time() - begun < 3


def test_what_follows_from_an_error_is_not_told_again():
    found = told(GOOD.replace("  - name: bare\n", "  - names: bare\n"))
    assert [(line, what.partition(" is missing")[0].partition(";")[0]) for line, what in found] == [
        (6, "the key 'name'"), (6, "there is no key 'names' in conditions[2]")
    ]  # fmt: skip
    found = told(GOOD.replace("kind: latin", "kind: blocks\n  block_sise: 2"))
    assert len(found) == 1
    assert "did you mean 'block_size'" in found[0][1]


def test_plain_words_are_texts_and_numbers_of_texts_are_as_they_were_written():
    study = parse_study_file(GOOD.replace("[negative, positive]", "[yes, no, 1.0, 007, on, 2024-01-01, true]"))
    assert study.labels == ["yes", "no", "1.0", "007", "on", "2024-01-01", "true"]


def test_an_alias_repeats_a_part_and_its_errors_are_told_where_it_stands():
    text = GOOD.replace("[red, blue]", "&colours [red, blue]") + "instructions: *colours\n"
    assert parse_study_file(text).instructions == ["red", "blue"]
    wrong = GOOD.replace("{points: 5}", "&odd {points: 5, low: 3}") + "instructions: []\n"
    wrong = wrong.replace("    - {task", "    - *odd\n    - {task")
    assert {line_of(wrong, "*odd")} < {line for line, _ in told(wrong)}


def test_kinds_of_conditions_are_checked_where_they_are_known(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(GOOD.replace("kind: heatmap", "kind: heatmpa").replace("kind: none", "kind: none\n    options: {a: 1}", 1))
    with pytest.raises(StudyFileError) as caught:
        read_whole_file(path)
    assert [(line, "heatmap" in what or "no option 'a'" in what) for line, what in caught.value.problems] == [
        (5, True),
        (8, True),
    ]


def test_a_study_made_in_python_is_checked_too():
    study = parse_study_file(GOOD)
    assert check_study_file(study) is study
    wrong = study.model_copy(update={"design": study.design.model_copy(update={"kind": "blocks"})})
    with pytest.raises(UsageError, match="block_size"):
        check_study_file(wrong)


def test_groups_must_be_a_partition():
    text = GOOD.replace("kind: latin", "kind: mixed\n  groups: [[heatmap, bare], [bare, thrid]]")
    said = [what for _, what in told(text)]
    assert any("'bare' stands in two places" in one for one in said)
    assert any("no condition 'thrid'; did you mean 'third'" in one for one in said)
    assert any("no group holds third" in one for one in said)


PIECES = [
    "\n",
    " ",
    "\t",
    "a",
    "é",
    "#",
    ": ",
    "- ",
    "'",
    '"',
    "\x85",
    "\u2028",
    "\ufeff",
    "%",
    "|",
    "> ",
    "yes",
    "1",
    "1e5",
    "~",
    "null",
]
PIECES += [
    ".5",
    "@",
    "`",
    "&a",
    "*a",
    "!t",
    "{",
    "[",
    "]",
    "?",
    "---",
    "...",
    "\u00a0",
    "\u200b",
    "\\",
    "0x1F",
    "2024-01-01",
    ",",
]
TEXTS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("".join)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(title=TEXTS, instructions=st.lists(TEXTS, max_size=3), labels=st.lists(TEXTS, min_size=2, max_size=4, unique=True),
       option=st.one_of(TEXTS, st.just("a\x07b"), st.booleans(), st.integers(-(10**9), 10**9), st.floats(allow_nan=False, allow_infinity=False)),
       seed=st.integers(0, 2**63 - 1))  # fmt: skip
def test_what_is_written_is_read_as_the_same_study(title, instructions, labels, option, seed):
    base = parse_study_file(GOOD)
    condition = base.conditions[0].model_copy(update={"options": {"style": option, "more": [{"deep": option}]}})
    study = base.model_copy(
        update={"title": title, "instructions": instructions, "labels": labels, "seed": seed,
                "conditions": [condition, *base.conditions[1:]], "debriefing": "\n".join(instructions) or "x"}
    )  # fmt: skip
    assert parse_study_file(study_file_text(study)) == study


def test_each_part_of_a_written_file_has_a_comment(tmp_path):
    write_study_file(parse_study_file(GOOD), tmp_path / "study.yaml")
    lines = (tmp_path / "study.yaml").read_text().splitlines()
    tops = [n for n, line in enumerate(lines) if re.match(r"[a-z]", line)]
    assert [lines[n].partition(":")[0] for n in tops] == list(StudyFile.model_fields)
    assert all(lines[n - 1].startswith("# ") for n in tops)
    assert all(len(line) <= 128 for line in lines)


def test_the_schema_for_editors_is_current():
    import evals.study.design.writing as writing

    beside = Path(writing.__file__).with_name("study.schema.json")
    assert beside.read_text(encoding="utf-8") == schema_text(), (
        "run: saywhy study schema --out evals/study/design/study.schema.json"
    )
    schema = json.loads(schema_text())
    assert schema["properties"]["title"]["description"]
    assert schema["$defs"]["DesignPart"]["properties"]["kind"]["enum"] == ["between", "within", "latin", "blocks", "mixed"]


@pytest.mark.parametrize(
    ("part", "by", "said"),
    [
        ("title: What", "version: '1'\ntitle: What", "version must be the number 1, without quotes"),
        ("items: 12", "items: true", "design.items must be a whole number, not true"),
        ("title: What did the model choose?", 'title: "a\\0b"', "control character U+0000"),
        ("title: What", "title: \x07What", "control character U+0007"),
        ("analysis:", "server: {return_within_minutes: 5}\nanalysis:", "5 has no effect"),
    ],
)
def test_values_that_mean_something_else_are_told_with_their_line(part, by, said):
    text = GOOD.replace(part, by)
    with pytest.raises(UsageError, match=re.escape(said)) as caught:
        parse_study_file(text)
    changed = next(
        n for n, (one, other) in enumerate(zip(text.splitlines(), GOOD.splitlines(), strict=False), 1) if one != other
    )
    assert f"line {changed}: " in str(caught.value)
    assert len(getattr(caught.value, "problems", [1])) == 1


def test_a_name_that_can_not_be_is_not_offered_in_its_place():
    for _, what in told(GOOD.replace("- name: heatmap", "- name: ../x")):
        assert "missing" not in what
        assert "name-that" not in what


def test_many_aliases_are_told_with_their_line():
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]\n" for one, two in zip("abcdef", "bcdefg", strict=True)
    )
    with pytest.raises(UsageError, match=r"line [5-7]: more than 50,000 values"):
        parse_study_file(bomb + GOOD)


@pytest.mark.parametrize(("kind", "said"), [("list", "called ranked here"), ("smv", "style: smv among its options")])
def test_names_of_the_command_line_are_explained(kind, said, tmp_path):
    place = tmp_path / "study.yaml"
    place.write_text(GOOD.replace("kind: heatmap", f"kind: {kind}"))
    with pytest.raises(UsageError, match=said):
        read_whole_file(place)
