"""Rows of the tidy table that can't be right: each is named with its line and not used, and the others go on."""

import csv

import pytest

from evals.study import Answer, Answers, Participant
from evals.study.imports import read_answers
from saywhy_core.errors import UsageError

HEAD = "participant,phase,task,kind,response,trial,item,condition,expected,correct,value,seconds,tries\n"
GOOD = "p1,trial,sim,simulation,pos,1,i1,a,pos,1,1,2.5,1\np1,trial,ease,rating,4,1,i1,a,,,4,2.5,1\n"


@pytest.fixture
def read(tmp_path):
    def run(*texts):
        places = []
        for number, text in enumerate(texts):
            places.append(tmp_path / f"t{number}.csv")
            places[-1].write_text(HEAD + text)
        problems = []
        answers = read_answers(places, problems=problems)
        return answers.rows, [(one.line, one.what) for one in problems]

    return run


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("p2,trial,ease,rating,nan,1,i1,a,,,nan,2,1", "value is 'nan'"),
        ("p2,trial,ease,rating,inf,1,i1,a,,,inf,2,1", "value is 'inf'"),
        ("p2,trial,ease,rating,4,1,i1,a,,,4,inf,1", "seconds is 'inf'"),
        ("p2,trial,ease,rating,4,1,i1,a,,,4,-4,1", "seconds is '-4', and it can be a number of seconds from 0"),
        ("p2,trial,sim,simulation,neg,1,i1,a,pos,1,1,2,1", "correct is 1, and the response is 'neg' where 'pos' is expected"),
        ("p2,trial,sim,simulation,pos,1,i1,a,pos,0,0,2,1", "correct is 0, and the response is 'pos' where 'pos' is expected"),
        ("p2,trial,sim,simulation,pos,1,i1,a,pos,1,0,2,1", "contradict each other"),
        ("p2,trial,sim,simulation,pos,1,i1,a,pos,true,1,2,1", "it can be 1 (right), 0 (wrong) or empty"),
        ("p1,trial,sim,simulation,neg,1,i1,a,pos,0,0,2,1", "answered otherwise already"),
        ("p1,trial,ease,rating,4,1,i1,a,,,4,2.5,1", "stands there already"),
    ],
)
def test_one_bad_row_is_named_and_the_others_go_on(read, row, said):
    rows, problems = read(GOOD + row + "\n")
    assert [(one.task, one.value) for one in rows] == [("sim", 1.0), ("ease", 4.0)]
    ((line, what),) = problems
    assert line == 4
    assert said in what


def test_the_same_answers_in_two_files_count_once(read):
    rows, problems = read(GOOD, GOOD)
    assert len(rows) == 2
    assert len(problems) == 1
    assert "1 more row" in problems[0][1]


def test_no_spreadsheet_computes_a_text_and_all_of_it_comes_back(tmp_path):
    texts = ['=cmd|"/c calc"!A1', "+1+1", "-x", "-5", "@SUM(1)", "\tx", "\r=1", "'=1", "''-1", "it's", "  =2", "\uff1d1"]
    rows = tuple(
        Answer(participant=f"{text}p", phase="trial", task="t", kind="free_text", response=text, item=text, condition=text)
        for text in texts
    )
    people = {row.participant: Participant(code=row.participant, attributes={"job": row.response}) for row in rows}
    answers = Answers(rows, people, {text: {"label": text} for text in texts})
    place = tmp_path / "tidy.csv"
    place.write_bytes(answers.to_csv().encode())
    with place.open(newline="", encoding="utf-8") as stream:
        cells = [cell for row in csv.reader(stream) for cell in row]
    assert {cell for cell in cells if cell[:1] in set("=+-@\t\r")} == {"-5"}
    assert read_answers([place]) == answers


def test_a_table_of_excel_is_read_or_its_encoding_told(tmp_path):
    place = tmp_path / "t.csv"
    place.write_text((HEAD + GOOD).replace(",", ";"), encoding="utf-8-sig")
    assert [row.value for row in read_answers([place]).rows] == [1.0, 4.0]
    place.write_text((HEAD + GOOD).replace(",", "\t"), encoding="utf-16")
    with pytest.raises(UsageError, match="UTF-16"):
        read_answers([place])


@pytest.mark.parametrize("lost", ["condition", "item"])
def test_a_lost_column_is_told(tmp_path, lost):
    place = tmp_path / "t.csv"
    place.write_text((HEAD + GOOD).replace(f",{lost},", ",other,"))
    with pytest.raises(UsageError, match=f"no column '{lost}'"):
        read_answers([place])


def test_a_file_given_twice_is_told(tmp_path):
    place = tmp_path / "t.csv"
    place.write_text(HEAD + GOOD)
    with pytest.raises(UsageError, match="given twice"):
        read_answers([place, place])


@pytest.mark.parametrize("kind", ["counterfactual", "of-a-plug-in"])
def test_several_parts_of_one_page_are_no_repeats(read, kind):
    parts = "".join(f"p1,trial,cf,{kind},{said},1,i1,a,x,{int(said == 'x')},,2,1\n" for said in "xyyx")
    rows, problems = read(parts + GOOD, GOOD + parts)
    assert [row.response for row in rows if row.task == "cf"] == ["x", "y", "y", "x"]
    assert len(rows) == 6
    assert ["stands there already" in what for _, what in problems] == [True]


def test_other_tries_and_other_trials_are_no_repeats(read):
    first = "p1,comprehension,whose,choice,mine,,,,model,0,0,2,{}\n"
    rows, problems = read(first.format(1) + first.format(2) + GOOD + GOOD.replace(",1,i1,", ",2,i2,"))
    assert (len(rows), problems) == (6, [])
