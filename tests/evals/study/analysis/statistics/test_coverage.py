"""Intervals hold the truth as often as they say, in simulated studies (a reduced `benchmarks/study/coverage.py`)."""

import importlib.util
from pathlib import Path

import pytest

PATH = Path(__file__).parents[5] / "benchmarks" / "study" / "coverage.py"
# 600 studies: a true 95 % lies between 92.5 and 97.3 % with probability 0.997.
STUDIES, MEAN, ALARMS = 600, (0.92, 0.985), 0.075


@pytest.fixture(scope="module")
def coverage():
    spec = importlib.util.spec_from_file_location("study_coverage", PATH)
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["study_coverage"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["study_coverage"]


@pytest.mark.long
@pytest.mark.parametrize("measure", ["accuracy", "ratings"])
@pytest.mark.parametrize("design", ["between", "within", "latin"])
def test_intervals_cover_and_tests_keep_their_level(coverage, measure, design):
    for size in ((10, 20), (24, 30)):
        row, beside = coverage.measured(coverage.Setting(measure, design, *size), STUDIES, 100, seed=7)
        for name in ("mean", "difference"):
            assert MEAN[0] <= row[name] <= MEAN[1], (size, name, row)
        assert row["alarms"] <= ALARMS, (size, row)
        assert beside["answers mean"] < 0.9  # what a reviewer should distrust
        assert beside["people mean"] < 0.93
