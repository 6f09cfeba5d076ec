"""Studies of many conditions: each is compared with one, and the analysis ends soon."""

import pytest

from evals.study.analysis import analyze

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("reference", "base"), [("c4", "c4"), (None, "c0")])
def test_each_of_many_conditions_is_compared_with_one(drawn, reference, base):
    names = tuple(f"c{n}" for n in range(14))
    answers = drawn(people=14, items=14, conditions=names, log_odds=(0.0,) * 14, rating=(0.0,) * 14)
    found = analyze(answers, reference=reference, bootstrap=200, subgroups=[])
    rows = [row for row in found.tables["differences"].rows if row["measure"] == "simulation"]
    assert sorted((row["condition"], row["reference"]) for row in rows) == sorted(
        (name, base) for name in names if name != base
    )
    assert {row["model"] for row in found.tables["models"].rows} == {"linear"}
    assert any("has 14 conditions" in one for one in found.limits)
    assert '"binomial", "correct"' not in found.script
