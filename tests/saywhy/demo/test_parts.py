"""The parts of the demo, apart from its page."""

from __future__ import annotations

import re

import pytest

from saywhy.demo import answers
from saywhy.demo.answers import answer, question_of
from saywhy.demo.curve import curve_svg
from saywhy_core.errors import UsageError
from verbalize import Query, TemplateVerbalizer, TokenSaliency
from verbalize.verbalization import Verbalization


def test_questions_are_asked_as_people_do():
    assert question_of(Query("stop")) == "Why stop?"
    assert question_of(Query("stop", versus=("give way",))) == "Why stop rather than give way?"
    assert question_of(Query("a", versus=("b", "c"))) == "Why a rather than b or c?"


def test_a_false_sentence_is_never_shown():
    class Liar:
        def verbalize(self, saliency):
            return Verbalization(saliency.saliency_id, "'bad' is the most important word for 'good'.", (), 1.0)

    saliency = TokenSaliency(["fine", "bad"], [1.0, -1.0], Query("good"), text="fine bad")
    assert answer(saliency, TemplateVerbalizer()).claims
    with pytest.raises(UsageError, match="is not true of its map"):
        answers.answer(saliency, Liar())


def _points(svg, part):
    """The corners of the path in a part of the drawing: (x, y) pairs."""
    drawn = re.search(rf'class="{part}">\s*<path d="([^"]+)"', svg)[1]
    numbers = [float(value) for value in re.findall(r"-?[\d.]+", drawn)]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def test_an_infinite_distance_is_not_drawn():
    trace = [(10, float("inf")), (40, 8.0)]
    assert curve_svg(trace, budget=100, spent=100, title="t") == curve_svg(trace[1:], budget=100, spent=100, title="t")


def test_the_curve_steps_down_where_the_trace_does():
    svg = curve_svg([(100, 10.0), (500, 5.0)], budget=1000, spent=1000, title="a < b")
    assert 'aria-label="a &lt; b"' in svg
    points = _points(svg, "curve")
    (x_first, y_first), (x_step, y_step), (x_down, y_down), (x_end, y_end) = points
    assert x_first < x_step == x_down < x_end
    assert y_step == y_first
    assert y_down == y_end
    assert (x_down - x_first) / (x_end - x_down) == pytest.approx(400 / 500, abs=0.02)
    heights = [float(y) for y in re.findall(r'class="axis">\s*<path d="M [\d.]+ ([\d.]+)', svg)]
    bottom, top = max(heights), min(heights)
    assert y_first == pytest.approx(top)  # 10 of 10
    assert y_down == pytest.approx((bottom + top) / 2)  # 5 of 10
    (left, _), (right, _) = _points(svg, "axis")
    assert (x_first - left) / (right - left) == pytest.approx(100 / 1000, abs=0.01)
    assert x_end == pytest.approx(right)


def test_a_curve_without_a_find_is_an_empty_chart():
    svg = curve_svg([(100, float("inf"))], budget=100, spent=100, title="nothing found")
    assert "curve" not in svg
    assert "nothing found" in svg


def test_the_drawing_can_stand_several_times_on_one_page():
    svg = curve_svg([(100, 10.0), (500, 5.0)], budget=1000, spent=1000, title="t")
    assert not re.search(r'https?:|url\(| id="|<style|<defs|xlink|#0[1-5]', svg)
    assert {"var(--for)", "var(--for-wash)", "var(--line)", "var(--soft)", "var(--ink)"} <= set(
        re.findall(r"var\([^)]*\)", svg)
    )
    assert ">10<" in svg.replace(" ", "")
    assert ">1,000<" in svg.replace(" ", "")
