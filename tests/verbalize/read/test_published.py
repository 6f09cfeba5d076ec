"""The published texts that a language model wrote about maps are read (benchmarks/reading.py)."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


ROOT = Path(__file__).resolve().parents[3]


def test_the_published_texts_are_read():
    benchmark = load(ROOT / "benchmarks" / "reading.py")
    folder = benchmark.data_folder()
    if folder is None:
        pytest.skip("the crowd study's files (smv_crowd) are not here")
    total = benchmark.measure(folder, "both").total
    assert total.stated >= 100
    # Under the closed world, statements in clauses with words that no rule knows are not read (docs/benchmarks.md gives the figures).
    assert total.read / total.stated >= 0.88
    assert total.right / total.stated >= 0.85


def test_labels_hold_no_text():
    lines = benchmark_lines()
    assert all(set(record) == {"split", "data", "id", "row", "statements"} for record in lines)
    values = [value for record in lines for statement in record["statements"] for value in statement.values()]
    assert not any(isinstance(value, str) and " " in value for value in values)


def benchmark_lines():
    return [json.loads(line) for line in Path(__file__).parents[1].joinpath("gpt_statements.jsonl").read_text().splitlines()]
