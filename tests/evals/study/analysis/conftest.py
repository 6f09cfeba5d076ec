import numpy as np
import pytest

from evals.study import Answer, Answers, Participant

CONDITIONS = ("nothing", "heatmap", "words")


def _drawn(
    *,
    people=24,
    items=20,
    conditions=CONDITIONS,
    log_odds=(0.0, 0.0, 0.0),
    rating=(0.0, 0.0, 0.0),
    seed=0,
    source="people",
):
    """A Latin-square study with effects of participants and items: simulation, helpfulness, trust and time."""
    draw = np.random.default_rng(seed)
    of_people, of_items = draw.normal(0, 0.5, people), draw.normal(0, 0.5, items)
    rows = []
    codes = [f"P{n:03d}" for n in range(people)]
    for p, code in enumerate(codes):
        for i in range(items):
            c = (i + p) % len(conditions)
            base = of_people[p] + of_items[i]
            label, other = ("positive", "negative") if i % 2 else ("negative", "positive")
            right = bool(draw.random() < 1 / (1 + np.exp(-(0.8 + base + log_odds[c]))))
            rated = int(np.clip(round(4 + base + rating[c] + draw.normal()), 1, 7))
            model_right = i % 4 != 0
            judged = bool(draw.random() < 0.7)
            common = {
                "participant": code, "phase": "trial", "step": i, "trial": i + 1, "item": f"m{i}", "condition": conditions[c],
                "seconds": float(np.exp(draw.normal(2, 0.4))),
            }  # fmt: skip
            rows += [
                Answer(task="simulation", kind="simulation", response=label if right else other, expected=label,
                       correct=right, value=float(right), **common),
                Answer(task="helpfulness", kind="rating", response=str(rated), value=float(rated), **common),
                Answer(task="trust", kind="trust", response="right" if judged == model_right else "wrong",
                       expected="right" if model_right else "wrong", correct=judged, value=float(judged), **common),
            ]  # fmt: skip
    facts = {
        f"m{i}": {
            "label": "positive" if i % 2 else "negative",
            "model_right": "yes" if i % 4 else "no",
            "coverage": f"{i / 50}",
        }
        for i in range(items)
    }
    return Answers(tuple(rows), {code: Participant(code=code, source=source) for code in codes}, facts)


@pytest.fixture(scope="session")
def drawn():
    """Makes answers with planted effects."""
    return _drawn


@pytest.fixture(scope="session")
def answers():
    return _drawn(log_odds=(0.0, 1.2, 0.9), rating=(0.0, 0.5, 1.0))
