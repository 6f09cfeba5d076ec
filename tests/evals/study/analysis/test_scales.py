"""Ratings beyond the scale that the study states."""

from dataclasses import replace

import pytest

from evals.study.analysis import analyze
from evals.study.analysis.numbers import p_value, percent, seconds, two_places
from evals.study.design.file import StudyFile
from evals.study.folder import Study
from saywhy_core.errors import UsageError


@pytest.fixture
def wrong(drawn):
    """Answers whose first rating is 99, and where it stands."""
    answers = drawn(people=4, items=4, conditions=("nothing",))
    at = next(n for n, row in enumerate(answers.rows) if row.task == "helpfulness")
    rows = list(answers.rows)
    rows[at] = replace(rows[at], value=99.0, response="99")
    return replace(answers, rows=tuple(rows)), at


@pytest.fixture
def study(tmp_path):
    part = [{"name": "helpfulness", "kind": "rating", "options": {"points": 7}}]
    return Study(tmp_path, StudyFile(title="s", conditions=[{"name": "nothing", "kind": "none"}], tasks=part), {})


def test_a_rating_beyond_its_scale_is_an_error(wrong, study):
    with pytest.raises(UsageError, match=r"participant 'P000', trial 1, item 'm0' .*is 99, and its points are 1 to 7"):
        analyze(wrong[0], study=study)


@pytest.mark.long
def test_or_it_is_noted_and_not_analysed(wrong, study):
    answers, at = wrong
    without = replace(answers, rows=(*answers.rows[:at], *answers.rows[at + 1 :]))
    problems = []
    found = analyze(answers, study=study, bootstrap=200, problems=problems)
    assert found.tables["ratings"].rows == analyze(without, study=study, bootstrap=200).tables["ratings"].rows
    assert len(problems) == 1
    assert any("run from" in one and "to 99" in one for one in analyze(answers, bootstrap=200).limits)


@pytest.mark.parametrize(
    ("spell", "value", "said"),
    [
        (percent, 0.6125, "61.3"),
        (percent, 0.7625, "76.3"),
        (percent, -0.0625, "\N{MINUS SIGN}6.3"),
        (percent, -0.0325, "\N{MINUS SIGN}3.3"),
        (percent, 0.0125, "1.3"),
        (percent, -0.0004, "0.0"),
        (two_places, 2.675, "2.68"),
        (two_places, 1.005, "1.01"),
        (seconds, 16.25, "16.3"),
        (seconds, 9.995, "10.0"),
        (seconds, 0.8765, "0.877"),
        (seconds, 1234.5, "1235"),
        (p_value, 0.0325, "= .033"),
    ],
)
def test_halves_go_away_from_zero(spell, value, said):
    assert spell(value) == said
