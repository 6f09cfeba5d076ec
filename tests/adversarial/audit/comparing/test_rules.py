"""Rules: what is read, what is refused and how, and what holds."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.audit.comparing import compare_audits, read_rule
from adversarial.audit.comparing.metrics import UNITS, Metric
from adversarial.audit.comparing.rules.reading import Rule, read_number
from saywhy_core.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("robust_accuracy@l0=5 drops by 0.02", (Metric("robust_accuracy", norm="l0", at=5), "drops", 0.02, False, False)),
        ("robust_accuracy@linf=8/255 drops", (Metric("robust_accuracy", norm="linf", at=8 / 255), "drops", None, False, False)),
        ("robust_accuracy@l0=5,queries=300 changes by 2%",
         (Metric("robust_accuracy", norm="l0", at=5, queries=300), "changes", 2, True, False)),
        ("robust_accuracy@queries=1000 significantly drops",
         (Metric("robust_accuracy", queries=1000), "drops", None, False, True)),
        ("accuracy falls below 0.9", (Metric("accuracy"), "falls below", 0.9, False, False)),
        ("accuracy significantly falls below 90 %", (Metric("accuracy"), "falls below", 90, True, True)),
        ("weather:blur@severity=3 drops by 5%", (Metric("weather", "blur", severity=3), "drops", 5, True, False)),
        ("weather drops", (Metric("weather"), "drops", None, False, False)),
        ("found rises by 3", (Metric("found"), "rises", 3, False, False)),
        ("failed rises above 0", (Metric("failed"), "rises above", 0, False, False)),
        ("median_distance drops by 10%", (Metric("median_distance"), "drops", 10, True, False)),
        ("  compared   falls  below .5 ", (Metric("compared"), "falls below", 0.5, False, False)),
    ],
)  # fmt: skip
def test_rules_are_read(text, expected):
    rule = read_rule(text)
    assert rule == Rule(text, *expected)
    assert read_rule(f"{rule.metric} rises above 0").metric == rule.metric  # a metric's own words are read again


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "expected a metric (robust_accuracy, accuracy, weather, "),
        ("robustness drops", "expected a metric (robust_accuracy"),
        ("robust_accuracy", "after 'robust_accuracy', expected what may not happen: drops, rises, changes"),
        ("robust_accuracy@l0=5 shrinks", "found 'shrinks'"),
        ("robust_accuracy@l0=5 drops by", "after 'robust_accuracy@l0=5 drops by', expected a number after 'by', found its end"),
        ("robust_accuracy@l0=5 drops by much", "expected a number after 'by', found 'much'"),
        ("robust_accuracy@l0=5 drops by -0.1", "found '-0.1'"),
        ("robust_accuracy@l0=5 drops by nan", "found 'nan'"),
        ("robust_accuracy@l0=5 drops by 1e400", "found '1e400'"),
        ("robust_accuracy@l0=5 drops 0.02", "expected the end, or 'by' and a number, found '0.02'"),
        ("robust_accuracy@l0=5 drops by 0.02 percent", "expected the end, found 'percent'"),
        ("robust_accuracy@l0 drops", "expected a point such as l0=5, queries=1000 or severity=3 after '@', found 'l0'"),
        ("robust_accuracy@l0=five drops", "found 'l0=five'"),
        ("robust_accuracy@ drops", "expected a point such as"),
        ("robust_accuracy@l7=5 drops", "expected robust_accuracy with a distance such as l0 or queries, found 'l7=5'"),
        ("robust_accuracy@l0=5,l0=6 drops", "expected each kind of point once"),
        ("robust_accuracy@l0=5,l2=6 drops", "expected each kind of point once"),
        ("robust_accuracy@queries=0.5 drops", "expected a whole number of queries"),
        ("accuracy@l0=5 drops", "expected accuracy without a point"),
        ("accuracy:blur drops", "expected accuracy without a colon"),
        ("weather: drops", "expected a kind of weather after 'weather:'"),
        ("weather@queries=3 drops", "expected weather with severity"),
        ("accuracy falls by 0.1", "expected 'below' after 'falls'; write 'drops' for a difference, found 'by'"),
        ("accuracy falls below", "expected a number after 'falls below'"),
        ("accuracy drops by 2", "is a share between 0 and 1, so that 2 can't be meant; write for example 0.02 or 2%"),
        ("accuracy drops by 200%", "200% can't be meant"),
        ("median_distance falls below 5%", "write a number without %"),
        ("compared drops", "write for example compared falls below 300"),
        ("found significantly rises above 3", "leave 'significantly' out"),
        ("accuracy drops significantly", "found 'significantly'"),
    ],
)
def test_what_is_no_rule(text, wrong):
    with pytest.raises(UsageError) as caught:
        read_rule(text)
    assert wrong in str(caught.value)
    assert "can't be read:" in str(caught.value)


@given(
    st.text(max_size=40) | st.lists(st.sampled_from([*UNITS, "@", "l0=5", "drops", "by", "0.1", "%", "weather:"])).map(" ".join)
)
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_rule_or_a_usage_error(text):
    try:
        assert read_rule(text).metric.name in UNITS
    except UsageError as error:
        assert "can't be read" in str(error)  # noqa: PT017 - either way is right


def test_numbers():
    assert [read_number(text) for text in ("1", "0.5", ".5", "2.", "8/255", "1/0", "/2", "1/", "1e3", "inf", "١")] == [
        1, 0.5, 0.5, 2, 8 / 255, None, None, None, None, None, None,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def comparison(shared_audits):
    """Fifty images: robust accuracy at five pixels falls from 0.8 to 0.6, and 10 are found instead of 2."""
    audits = shared_audits
    old = {f"i{n}": audits.found(3) if n < 10 else audits.found(12) if n < 12 else audits.held() for n in range(50)}
    new = {f"i{n}": audits.found(2) if n < 20 else audits.held() for n in range(50)}
    return compare_audits(audits.make("old", old), audits.make("new", new))


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("robust_accuracy@l0=5 drops by 0.2", True),
        ("robust_accuracy@l0=5 drops by 20%", True),
        ("robust_accuracy@l0=5 drops by 0.21", False),
        ("robust_accuracy@l0=5 drops", True),
        ("robust_accuracy@l0=5 significantly drops by 0.2", True),
        ("robust_accuracy@l0=5 rises", False),
        ("robust_accuracy@l0=5 changes by 0.2", True),
        ("robust_accuracy@l0=5 falls below 0.6", False),
        ("robust_accuracy@l0=5 falls below 0.601", True),
        ("robust_accuracy@l0=5 significantly falls below 0.601", False),  # the interval reaches from 0.46 to 0.72
        ("robust_accuracy@l0=5 significantly falls below 0.75", True),
        ("robust_accuracy@l0=15 drops by 0.16", True),
        ("robust_accuracy@queries=50 drops", False),  # all were found by query 100
        ("found rises by 8", True),
        ("found rises by 9", False),
        ("found rises by 16%", True),
        ("found rises by 17%", False),
        ("found rises above 19", True),
        ("found rises above 20", False),
        ("found rises above 39%", True),
        ("failed rises", False),
        ("accuracy changes", False),
        ("compared falls below 50", False),
        ("compared falls below 51", True),
        ("median_distance drops", None),  # no median in either
        ("median_distance falls below 100", False),
        ("mean_distance drops by 20%", True),
        ("weather drops", None),
        ("weather:fog drops", None),
        ("robust_accuracy@l2=0.5 drops", None),
        ("robust_accuracy@queries=2000 drops", None),
    ],
)
def test_what_holds(comparison, text, holds):
    verdict = comparison.judge(text)
    assert verdict.holds is holds, verdict.why
    assert verdict.rule == text
    assert (verdict.measurement is None) <= (holds is None)


def test_chance_is_told_from_a_change(audits):
    old = audits.make("old", {f"i{n}": audits.found(9) if n < 4 else audits.held() for n in range(20)})
    new = audits.make("new", {f"i{n}": audits.found(9) if 2 <= n < 8 else audits.held() for n in range(20)})
    comparison = compare_audits(old, new)  # 2 got better, 4 worse: p = 0.69
    assert comparison.judge("robust_accuracy drops by 0.1").holds is True
    assert comparison.judge("robust_accuracy significantly drops by 0.1").holds is False


def test_a_median_that_comes_within_reach_drops(audits):
    old = audits.make("old", {f"i{n}": audits.held() for n in range(5)})
    new = audits.make("new", {f"i{n}": audits.found(9) for n in range(5)})
    assert compare_audits(old, new).judge("median_distance drops by 50%").holds is True
    assert compare_audits(old, new).judge("median_distance rises").holds is False
    assert compare_audits(new, old).judge("median_distance drops").holds is False
    assert compare_audits(new, old).judge("median_distance rises by 3").holds is True
    assert "beyond what was found" in compare_audits(old, new).judge("median_distance drops").why


def test_an_unfinished_audit_decides_nothing(audits):
    old = audits.make("old", {"a": audits.held(), "b": audits.held()})
    new = audits.make("new", {"a": audits.held(), "b": audits.waiting()})
    verdict = compare_audits(old, new).judge("robust_accuracy drops")
    assert verdict.holds is None
    assert "1 image" in verdict.why
    assert "saywhy audit run" in verdict.why


def test_weather_rules(audits):
    cells = [("blur", 1), ("blur", 3), ("noise", 3)]
    images = {f"i{n}": audits.held() for n in range(10)}
    old = audits.make("old", images, {name: dict.fromkeys(cells, 0) for name in images})
    hit = {name: {("blur", 1): 0, ("blur", 3): int(name < "i5"), ("noise", 3): 0, ("fog", 3): 1} for name in images}
    new = audits.make("new", images, hit)
    comparison = compare_audits(old, new)
    for text, holds in (
        ("weather:blur@severity=3 drops by 0.5", True), ("weather:blur@severity=1 drops", False),
        ("weather:blur drops by 0.25", True), ("weather:blur drops by 0.26", False), ("weather drops by 0.16", True),
        ("weather drops by 0.17", False), ("weather:noise drops", False), ("weather:fog drops", None),
    ):  # fmt: skip
        assert comparison.judge(text).holds is holds, text


def of_wrong_and_turned(audits, wrong, turned):
    """20 images that were right and held; of the new version, some are wrong and others turned."""
    old = audits.make("old", {f"i{n}": audits.held() for n in range(20)})
    rows = [*[audits.wrong()] * wrong, *[audits.found(9)] * turned, *[audits.held()] * (20 - wrong - turned)]
    return compare_audits(old, audits.make("new", {f"i{n}": row for n, row in enumerate(rows)}))


ACCURACY, ROBUST = "accuracy significantly drops", "robust_accuracy significantly drops"


@pytest.mark.parametrize(
    ("turned", "rules", "holds"),
    [
        (0, [ACCURACY], [True]),  # 6 of 6 images are worse: p = 2 / 2**6 = 0.031
        (0, [ACCURACY, ROBUST], [False, False]),  # twice that is 0.0625
        (0, [ACCURACY, "accuracy significantly changes"], [True, True]),  # one metric is one test
        (0, [ACCURACY, "robust_accuracy drops", "accuracy significantly falls below 1"], [True, True, True]),  # no further test
        (0, [ACCURACY, "weather significantly drops"], [True, None]),  # what can't be decided is no test
        (4, [ACCURACY, ROBUST], [True, True]),  # 10 of 10 are worse: p = 0.002, and the second is not corrected any more
    ],
)
def test_more_rules_bring_no_more_false_alarms(audits, turned, rules, holds):
    comparison = of_wrong_and_turned(audits, 6, turned)
    verdicts = comparison.judge_all(rules)
    assert [verdict.holds for verdict in verdicts] == holds
    assert [verdict.rule for verdict in verdicts] == rules
    assert comparison.judge(ACCURACY).holds is True


def test_a_corrected_p_is_told(audits):
    first, second = of_wrong_and_turned(audits, 6, 0).judge_all([ACCURACY, ROBUST])
    assert first.why.endswith("p = 0.031); p = 0.062 by Holm's correction for 2 metrics with 'significantly'")
    assert "p = 0.062 by Holm" in second.why
