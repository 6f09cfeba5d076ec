"""The strategic cluster graph, with numbers that are counted by hand."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize.concepts import strategy_graph

IMPORTANCE = np.array(
    [
        [0.7, 0.2, 0.1],
        [0.9, 0.0, 0.0],
        [0.1, 0.6, 0.3],
        [0.5, 0.1, 0.4],
        [0.0, 0.0, 0.0],
    ]
)


def test_numbers_by_hand():
    graph = strategy_graph(IMPORTANCE, ["rim", "letters", "sky"], [True, False, True, True, True])
    first, second = graph.strategies
    assert (first.name, first.members, first.prevalence) == ("rim", (1, 0, 3), 0.6)
    assert first.reliability == pytest.approx(2 / 3)
    assert first.importance == pytest.approx(0.7)
    assert (second.name, second.members, second.reliability) == ("letters", (2,), 1.0)
    assert graph.edges == {(0, 1): 1, (0, 2): 1, (1, 2): 1}
    assert graph.without == (4,)
    assert graph.in_words() == (
        "In 3 of 5 images the most important concept is 'rim'; the model is right on 2 of these. "
        "In 1 of 5 images the most important concept is 'letters'; the model is right on it. "
        "In 1 of 5 images no concept matters."
    )
    assert graph.in_words(most=1).split(". ")[1] == "1 more concept is the most important one in other images"


def test_without_answers_and_with_one_concept():
    graph = strategy_graph([[1.0], [2.0]], ["rim"])
    assert graph.strategies[0].reliability is None
    assert graph.edges == {}
    assert graph.in_words() == "In 2 of 2 images the most important concept is 'rim'."
    assert "wrong on it" in strategy_graph([[1.0]], ["rim"], [False]).in_words()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones(3), ["a"]), "images, concepts"),
        ((np.ones((2, 2)), ["a"]), "1 names for 2"),
        ((np.ones((2, 1)), ["a"], [True]), "of each of 2 images"),
    ],
)
def test_wrong_input_is_told(arguments, message):
    with pytest.raises(UsageError, match=message):
        strategy_graph(*arguments)
