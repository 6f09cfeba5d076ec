"""Cells of CSV: whatever they hold, every reader gets the same cells back, and spreadsheets get no formula."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saywhy_core.csv_rows import csv_row, text_of


def _back(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize(
    "cell",
    [
        "plain",
        "",
        "a,b",
        'say "why"',
        "two\nlines",
        "old\rmac",
        "\r=1.png",
        "\r\n",
        " space ",
        "a;b",
        "tab\tbed",
        "ゆき",
        "a|b",
    ],
)
def test_a_cell_stays_one_cell(cell):
    for row in (["x", cell, "y"], [cell], [cell, cell]):
        written = csv_row(row)
        assert [[one.removeprefix("'") for one in _back(written)[0]]] == [row]
        assert len(_back(written + csv_row(["next"]))) == 2


def test_the_lines_that_pandas_reads_are_the_rows():
    cells = ["\r=1.png", "a\nb", "c\r\nd", 'e"f', ",", "plain"]
    text = csv_row(["path"]) + "".join(map(csv_row, ([cell] for cell in cells)))
    found = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert [one.removeprefix("'") for one in found["path"]] == cells


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1-cmd|' /C calc'!A0",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\n@x",
        "＝1",
        "'=1",
    ],
)
def test_a_formula_is_marked_as_a_text(cell):
    (found,) = _back(csv_row([cell]))
    assert found == ["'" + cell]


@pytest.mark.parametrize("cell", [-0.5, -3, None, True, "-1", "+2.5", "-1e-05", "'tis", "a=b", "don't", float("-inf"), "x@y"])
def test_numbers_and_texts_stay_as_they_are(cell):
    assert _back(csv_row([cell, "x"])) == [["" if cell is None else str(cell), "x"]]


@given(
    st.lists(
        st.text(alphabet=st.one_of(st.sampled_from("\r\n\t,;\"'=+-@| a1"), st.characters(exclude_categories=["Cs"]))),
        min_size=1,
    )
)
def test_any_cells_come_back(cells):
    (found,) = _back(csv_row(cells))
    assert [text_of(one) for one in found] == cells
