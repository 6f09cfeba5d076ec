"""Proofs of two audits compared: figures worked out by hand, rules on single images, and sentences counted again."""

from __future__ import annotations

import pytest

from adversarial.audit import AuditStore
from adversarial.audit.comparing import compare_audits, read_rule
from adversarial.audit.comparing.recounting import Recount
from adversarial.audit.comparing.wording import change_in_words
from adversarial.audit.records import ProofRecord
from saywhy_core.errors import UsageError

BEFORE = {"a": (3, 3), "b": (2, 5), "c": (4, None), "d": (1, 1), "e": (2, 2)}
AFTER = {"a": (3, 3), "b": (2, 2), "c": (2, None), "d": (1, 1), "f": (9, 9)}


@pytest.fixture
def proved(audits):
    """A function that writes an audit with proofs: {name: (lower, upper)}, or {name: (lower, upper, {other fields})}."""

    def make(name, bounds, images=None, **settings):
        rows = {one: audits.held() for one in "abcdef"} | {"d": audits.found(1)} | (images or {})
        where = audits.make(name, {one: row for one, row in rows.items() if row}, **{"prove": 10.0, **settings})
        with AuditStore(where, write=True) as store:
            for record in list(store.images()):
                if record.name in bounds:
                    lower, upper, *more = bounds[record.name]
                    fields = {
                        "image": record.id, "lower": lower, "upper": upper, "sentence": "", "condition": "", "asked": 3,
                        "network": "this ONNX file", "allowed": 10.0, "ended": True, "finished": False, "share": 0.5, "blocks": 1,
                        "seconds": 1.0, "rounding": 0.0,
                    }  # fmt: skip
                    store.write_proof(ProofRecord(**fields | (more[0] if more else {})))
        return where

    return make


def measured(comparison, name):
    return next(one for one in comparison.measurements if one.metric == name)


def test_bounds_and_shares_are_those_of_the_images_with_a_proof_in_both(proved):
    comparison = compare_audits(proved("old", BEFORE), proved("new", AFTER))
    bound, exact = measured(comparison, "proved_bound"), measured(comparison, "exact_bounds")
    assert (bound.images, bound.before.value, bound.after.value) == (4, 2.5, 2.0)
    assert (bound.rises, bound.falls, bound.p) == (0, 1, 1.0)
    assert (exact.before.value, exact.after.value, exact.rises, exact.falls) == (0.5, 0.75, 1, 0)
    recount = Recount(comparison.audits)
    for one in (bound, exact):
        said = f"{change_in_words(one)}."
        assert recount.judge(said) == "true"
        assert recount.judge(said.replace("4 images", "5 images")) == "false"


def test_six_bounds_that_fall_are_more_than_chance(proved):
    old, new = proved("old", dict.fromkeys("abcdef", (3, None))), proved("new", dict.fromkeys("abcdef", (2, None)))
    comparison = compare_audits(old, new)
    assert measured(comparison, "proved_bound").p == pytest.approx(2 / 64)
    assert comparison.judge("proved_bound significantly drops by 1").holds
    assert comparison.judge("proved_bound drops by 40%").holds is False
    assert comparison.judge("proved_bound falls below 2.5").holds


DROP = "proved_bound drops on any image"
ALL = dict.fromkeys("abcdef", (3, 8))


def test_a_rule_about_single_images_names_them(proved):
    comparison = compare_audits(proved("old", BEFORE), proved("new", {**AFTER, "e": (2, 2)}))
    verdict = comparison.judge(DROP)
    assert verdict.holds
    assert "on 1 of 5 images that can be compared: c from 4 to 2" in verdict.why
    comparison = compare_audits(proved("old2", {**BEFORE, "f": (9, 9)}), proved("new2", {**AFTER, "e": (2, 2)}))
    assert comparison.judge("proved_bound drops by 3 on any image").holds is False
    assert comparison.judge("proved_bound rises on any image").holds is False
    assert comparison.judge("proved_bound changes by 2 on any image").holds


@pytest.mark.parametrize("sides", ["old", "new", "both"])
def test_interrupted_proofs_decide_nothing_and_are_named(proved, sides):
    stopped = {**ALL, "b": (1, 8, {"ended": False})}
    old, new = stopped if sides != "new" else ALL, stopped if sides != "old" else ALL
    comparison = compare_audits(proved("old", old), proved("new", new))
    for rule in (DROP, "proved_bound drops", "exact_bounds changes by 0.1"):
        verdict = comparison.judge(rule)
        assert verdict.holds is None
        assert "interrupted" in verdict.why
        assert verdict.why.count(": b)") == 1
    # what is known exactly stays so, whatever is left of the proof
    exact = {**ALL, "b": (1, 1, {"ended": False})}
    assert compare_audits(proved("old2", ALL), proved("new2", exact)).judge(DROP).holds


def test_an_image_that_is_classified_wrongly_now_is_the_strongest_drop(proved, audits):
    one = proved("old", ALL)
    two = proved("new", {key: value for key, value in ALL.items() if key != "b"}, {"b": audits.wrong()})
    verdict = compare_audits(one, two).judge("proved_bound drops by 3 on any image")
    assert verdict.holds
    assert "b from 3 to 0 (classified wrongly now)" in verdict.why
    back = compare_audits(two, one)
    assert back.judge(DROP).holds is False
    assert back.judge("proved_bound rises on any image").holds
    assert compare_audits(two, two).judge(DROP).holds is False


@pytest.mark.parametrize("status", ["held", "failed", None])
def test_an_image_without_a_proof_now_is_named_and_leaves_the_rule_open(proved, audits, status):
    left = {key: value for key, value in ALL.items() if key != "b"}
    new = proved("new", left, {"b": getattr(audits, status)() if status else None})
    verdict = compare_audits(proved("old", ALL), new).judge(DROP)
    assert verdict.holds is None
    assert f"no proof in {new}: b" in verdict.why
    worse = proved("worse", {**left, "a": (2, 8)}, {"b": getattr(audits, status)() if status else None})
    verdict = compare_audits(proved("old3", ALL), worse).judge(DROP)
    assert verdict.holds  # whatever b needs
    assert "a from 3 to 2; left out:" in verdict.why
    # where neither audit could attack the image, there is nothing to compare
    failed = proved("failed", left, {"b": audits.failed()})
    assert compare_audits(failed, proved("failed2", left, {"b": audits.failed()})).judge(DROP).holds is False


def test_what_each_proof_was_given_counts_and_not_the_settings(proved):
    """Rows by hand: what is exact is so with more pixels, what is finished with more seconds; anything else is not the same."""

    def judged(number, old, new, **settings):
        one = proved(f"old{number}", dict.fromkeys("abcdef", old), **settings)
        return compare_audits(one, proved(f"new{number}", dict.fromkeys("abcdef", new))).judge(DROP)

    assert judged(1, (3, 8), (3, 8), prove=99.0, prove_pixels=1).holds is False  # the settings alone differ
    two = judged(2, (3, 8, {"asked": 2}), (2, 8, {"asked": 1}))
    assert two.holds is None
    assert "up to 2 pixels before and 1 after" in two.why
    assert judged(3, (2, 2, {"asked": 2}), (2, 2, {"asked": 1})).holds is False
    seconds = judged(4, (3, 8, {"allowed": 60.0}), (2, 8))
    assert seconds.holds is None
    assert "60 seconds before and 10 after" in seconds.why
    assert judged(5, (3, 8, {"allowed": 60.0, "finished": True, "seconds": 4.0}), (2, 8)).holds
    assert judged(6, (3, 8, {"allowed": 60.0, "finished": True, "seconds": 40.0}), (2, 8)).holds is None


def test_what_the_second_audit_alone_shows_needs_no_first_proofs(proved, audits):
    old = proved("old", {}, prove=None)
    comparison = compare_audits(old, proved("new", {**AFTER, "e": (2, 2)}))  # (3 + 2 + 2 + 1 + 2 + 9) / 6 = 3.17
    below = comparison.judge("proved_bound falls below 3.2")
    assert below.holds
    assert "is 3.167" in below.why
    assert comparison.judge("proved_bound falls below 3.1").holds is False
    assert comparison.judge("exact_bounds rises above 0.8").holds  # 5 of 6
    # more may be proved of an interrupted one, so that what holds by it for `falls below` is open, and what does not is not
    open_one = compare_audits(old, proved("open", {**AFTER, "e": (2, 3, {"ended": False})}))
    assert open_one.judge("proved_bound falls below 3.2").holds is None
    assert open_one.judge("proved_bound falls below 3.1").holds is False
    missing = compare_audits(old, proved("missing", AFTER)).judge("proved_bound falls below 1")
    assert missing.holds is None
    assert "no proof about e" in missing.why


def test_audits_without_proofs_decide_nothing_and_the_line_says_where_to_prove(proved):
    old, none = proved("old", BEFORE), proved("none", {}, prove=None)
    comparison = compare_audits(old, none)
    assert not [one for one in comparison.measurements if one.metric == "proved_bound"]
    verdict = comparison.judge(DROP)
    assert verdict.holds is None
    assert f"--prove for {none}" in verdict.why
    stopped = compare_audits(old, proved("stopped", {})).judge(DROP)  # --prove was given, and nothing was proved yet
    assert stopped.holds is None
    assert "go on by `saywhy audit run`" in stopped.why
    assert "give `saywhy audit run` --prove" not in stopped.why


@pytest.mark.parametrize(
    "rule",
    ["accuracy drops on any image", "proved_bound significantly drops on any image", "proved_bound drops by 2% on any image",
     "proved_bound falls below 2 on any image", "proved_bound drops on some image", "proved_bound drops on any image now",
     "proved_bound drops by 0 on any image"],
)  # fmt: skip
def test_rules_about_single_images_that_say_nothing_are_refused(rule):
    with pytest.raises(UsageError, match=r"any image|the end|by 0"):
        read_rule(rule)
