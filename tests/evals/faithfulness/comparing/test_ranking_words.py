"""Every sentence about a ranking is true of the numbers, whatever is tied, flat or missing."""

import re
from itertools import count

import numpy as np
import pytest
from scipy.stats import rankdata

from evals.faithfulness import compare, rank
from evals.faithfulness.comparing.comparison import RANDOM, Comparison, Run
from evals.faithfulness.evaluation import Evaluation, Outcome
from evals.faithfulness.intervals import skewed_interval
from saywhy_core.errors import UsageError
from verbalize import Query, TokenSaliency
from verbalize.models import TextFunction


def comparison(values, better=None, inputs=None):
    """A comparison with given values: metric -> method -> one value per input. A method that lacks a metric was not measured."""
    methods = list(dict.fromkeys(name for own in values.values() for name in own))
    runs = []
    for method in methods:
        outcomes = tuple(
            Outcome(name, "logits", "", (better or {}).get(name, True), np.array(own[method], float), {}, 0.0, 0.0, 0.0, 0, 0.0)
            for name, own in values.items()
            if method in own
        )
        rows = len(outcomes[0].values)
        words = inputs or [f"input{row}" for row in range(rows)]
        maps = tuple(TokenSaliency([word, "x"], [1, 0], Query("a")) for word in words)
        runs.append(Run(method, "pointwise", maps, Evaluation(maps, outcomes, {}, 0.95, 0, 0, 0, 0.0)))
    return Comparison(tuple(runs), rows, 0.95)


def said(*given, **more):
    return rank(comparison(*given, **more), "pointwise").sentences()


def plain_ranks(found, values, better, words):
    """(Q, M, D) ranks of what is ranked, by plain loops; NaN where a method has no value."""
    names = list(dict.fromkeys(words))
    made = np.full((len(found.metrics), len(found.methods), len(names)), np.nan)
    for q, metric in enumerate(found.metrics):
        for d, name in enumerate(names):
            rows = []
            for place, word in enumerate(words):
                column = np.array([values[metric][method][place] for method in found.methods])
                if word == name and not np.isnan(column).any():
                    rows.append(rankdata(-column if better[metric] else column))
            if rows:
                made[q, :, d] = np.mean(rows, axis=0)
    return made


def random_values(rng):
    metrics = [f"m{index}" for index in range(rng.integers(1, 4))]
    methods = [f"A{index}" for index in range(rng.integers(1, 5))]
    rows = int(rng.integers(1, 6))
    words = [f"w{rng.integers(0, rows)}" for _ in range(rows)] if rng.random() < 0.3 else [f"w{row}" for row in range(rows)]
    values = {
        metric: {method: rng.integers(0, rng.integers(2, 6), rows).astype(float) for method in methods} for metric in metrics
    }
    for metric in metrics:
        for method in methods:
            values[metric][method][rng.random(rows) < rng.choice([0, 0, 0.2])] = np.nan
            if rng.random() < 0.1:
                values[metric][method][:] = np.nan
        if rng.random() < 0.1:
            values[metric] = dict.fromkeys(methods, np.full(rows, np.nan))
    return values, {metric: bool(rng.random() < 0.5) for metric in metrics}, words


@pytest.mark.parametrize("seed", range(150))
def test_every_sentence_is_true_of_the_ranks(seed):
    rng = np.random.default_rng(seed)
    values, better, words = random_values(rng)
    found = rank(comparison(values, better, words), "pointwise")
    sentences = found.sentences()
    ranked = plain_ranks(found, values, better, words)
    everything = {*found.methods, *found.metrics, *found.left_out}
    assert everything == {*values, *next(iter(values.values()))}
    for name in found.left_out:
        assert re.search(rf"Left out of the ranking: .*\b{name}\b", " ".join(sentences))
    if len(found.methods) < 2 or not found.metrics:
        assert sentences[0].startswith("There is nothing to rank")
        return
    with np.errstate(all="ignore"):
        known = ~np.isnan(ranked).any(axis=1)  # (Q, D)
        of_input = np.array([np.mean([row[:, d] for row, yes in zip(ranked, known, strict=True) if yes[d]], axis=0)
                             for d in range(ranked.shape[2]) if known[:, d].any()]).T  # fmt: skip
    means = of_input.mean(axis=1)
    np.testing.assert_allclose(found.means, means)
    best = [name for name, mean in zip(found.methods, means, strict=True) if mean <= means.min() + 1e-9]
    later = means[means > means.min() + 1e-9]
    first = sentences[0]
    match = re.match(
        r"Over (\d+) metrics? and (\d+) inputs?, (.*?) (?:has|have|share) the (?:best|same) mean rank, ([\d.]+)", first
    )
    assert int(match[1]) == len(found.metrics)
    assert int(match[2]) == of_input.shape[1]
    assert set(re.findall(r"A\d", match[3])) == set(best)
    assert float(match[4].rstrip(".")) == pytest.approx(means.min(), abs=0.006)
    assert ("same mean rank" in first) == (not later.size)
    if later.size:
        after = first.split("before ")[1]
        seconds = [name for name, mean in zip(found.methods, means, strict=True) if abs(mean - later.min()) < 1e-9]
        assert set(re.findall(r"A\d", after)) == set(seconds)
        assert_lead(sentences[1], found, of_input, best, seconds)
    assert_firsts(" ".join(sentences), found, ranked)
    fewer = [name for name, row in zip(found.metrics, known, strict=True) if row.sum() < of_input.shape[1]]
    told = [one for one in sentences if one.startswith("Fewer inputs")]
    assert set(re.findall(r"m\d", " ".join(told))) == set(fewer)
    assert any("left out: under no metric" in one for one in sentences) == (of_input.shape[1] < ranked.shape[2])


def assert_lead(sentence, found, of_input, best, seconds):
    places = [[found.methods.index(name) for name in group] for group in (best, seconds)]
    lead = of_input[places[1]].mean(axis=0) - of_input[places[0]].mean(axis=0)
    if len(lead) == 1:
        assert sentence == "One input gives no interval, so that this order may be chance."
    elif np.ptp(lead) < 1e-9:
        assert f"This lead of {lead.mean():.2f} is the same in each of the {len(lead)} inputs" in sentence
    else:
        low = skewed_interval(lead, 0.95)[0]
        assert ("lies above 0" in sentence) == (low > 0)
        assert ("may be chance" in sentence) == (low <= 0)


def assert_firsts(text, found, ranked):
    firsts = {}
    for metric, row in zip(found.metrics, ranked, strict=True):
        means = row[:, ~np.isnan(row).any(axis=0)].mean(axis=1)
        firsts[metric] = {name for name, mean in zip(found.methods, means, strict=True) if mean <= means.min() + 1e-9}
    if len(firsts) < 2:
        assert "best method" not in text
        assert "metric gives" not in text
        return
    tied = {name for name, best in firsts.items() if len(best) == len(found.methods)}
    rest = {name: best for name, best in firsts.items() if name not in tied}
    under = re.search(r"Under ([^.]*), all methods have the same mean rank", text)
    assert set(re.findall(r"m\d", under[1] if under else "")) == (tied if rest else set())
    assert ("Each metric gives all methods the same" in text) == (not rest)
    common = set.intersection(*rest.values()) if rest else set()
    disagree = re.search(r"The metrics disagree about the best method: ([^.]*)\.", text)
    agree = re.search(r"(?:Every metric|Every other metric|The metric m\d) gives ([^.]*?) the best mean rank([^.]*)\.", text)
    assert (disagree is not None) == (bool(rest) and not common)
    assert (agree is not None) == bool(common)
    if agree:
        assert set(re.findall(r"A\d", agree[1])) == common
        groups = re.findall(r"together with (A\d(?:(?:, | and )A\d)*) under (m\d(?:(?:, | and )m\d)*)", agree[2])
        assert len({others for others, _ in groups}) == len(groups)  # each is said once
        shared = {name: others for others, names in groups for name in re.findall(r"m\d", names)}
        assert {name: set(re.findall(r"A\d", one)) for name, one in shared.items()} == {
            name: best - common for name, best in rest.items() if best != common
        }
    if disagree:
        for part in disagree[1].split("; "):
            names, metrics = part.split("under ")
            for metric in re.findall(r"m\d", metrics):
                assert rest.pop(metric) == set(re.findall(r"A\d", names))
        assert not rest


def test_a_method_of_flat_maps_and_a_metric_without_values_are_left_out_and_told():
    nothing = [np.nan] * 3
    values = {
        "m0": {"A0": [3, 3, 3], "A1": [1, 2, 1], "A2": nothing},
        "m1": {"A0": [3, 3, 3], "A1": [1, 2, 1], "A2": [9, 9, 9]},
        "m2": dict.fromkeys(("A0", "A1", "A2"), nothing),
    }
    found = rank(comparison(values), "pointwise")
    assert (found.methods, found.metrics, found.inputs) == (("A0", "A1"), ("m0", "m1"), 3)
    text = " ".join(found.sentences())
    assert "Over 2 metrics and 3 inputs, A0 has the best mean rank, 1.00, before A1 with 2.00." in text
    assert "Left out of the ranking: m2 (no method has a value)." in text
    assert "Left out of the ranking: A2 (it has no value under m0)." in text
    assert "chance" not in text


def test_equal_methods_have_no_winner():
    text = " ".join(said({"m0": {"A0": [1, 2], "A1": [1, 2]}, "m1": {"A0": [5, 5], "A1": [5, 5]}}))
    assert "A0 and A1 have the same mean rank, 1.50." in text
    assert "Each metric gives all methods the same mean rank." in text


def test_mean_ranks_that_look_alike_are_written_until_they_differ():
    rows = 400
    values = {"m0": {"A0": [1.0] * rows, "A1": [1.0] * (rows - 1) + [0.0]}}
    assert "1.499 (" in said(values)[0]
    assert "1.501 (" in said(values)[0]


def test_shuffled_maps_are_left_out_where_a_metric_explains_again():
    values = {"m0": {"A0": [2, 3], "A1": [1, 1], RANDOM: [0, 0]}, "again": {"A0": [2, 3], "A1": [1, 1]}}
    found = rank(comparison(values), "pointwise")
    assert found.metrics == ("m0", "again")
    assert "random (shuffled maps can't explain inputs again, which again needs)" in " ".join(found.sentences())


def test_equal_inputs_count_as_one():
    rng = np.random.default_rng(0)
    values = {f"m{index}": {name: rng.normal(size=5) for name in ("A0", "A1", "A2")} for index in range(2)}
    once = rank(comparison(values), "pointwise")
    words = [f"input{row}" for row in range(5)] * 4
    often = rank(comparison({key: {name: np.tile(one, 4) for name, one in own.items()} for key, own in values.items()},
                            inputs=words), "pointwise")  # fmt: skip
    assert often.inputs == 5
    np.testing.assert_allclose(often.low, once.low)
    np.testing.assert_allclose(often.ranks, once.ranks)


def test_a_question_or_scale_that_there_is_not_is_refused():
    made = comparison({"m0": {"A0": [1], "A1": [2]}})
    with pytest.raises(UsageError, match="no question 'why'; use one of pointwise"):
        rank(made, "why")
    with pytest.raises(UsageError, match="no scale 'odds'; use one of logits, probabilities"):
        rank(made, "pointwise", scale="odds")


def words_model():
    def scores(texts):
        return np.array([[2.0 * text.count("great") - text.count("dull") + len(text) % 7, 0.5] for text in texts])

    return TextFunction(scores, ("positive", "negative"))


def test_all_default_metrics_can_be_ranked_and_the_seed_reaches_them():
    text = ["a great but somewhat dull and rather long film of two men"]
    runs = [
        compare(words_model(), text, ["occlusion"], metrics=["infidelity"], seed=seed, subset=0.4).runs[0] for seed in (0, 1)
    ]
    assert runs[0].evaluation["infidelity"].values[0] != runs[1].evaluation["infidelity"].values[0]
    found = rank(compare(words_model(), text, ["occlusion"]), "pointwise")
    assert "average_gain" in found.left_out
    assert found.sentences()


def test_progress_counts_methods_and_kinds_of_question():
    told, counter = [], count(1)
    compare(
        words_model(), ["a great film"], ["occlusion"], questions=["pointwise", "contrastive"], metrics=["deletion"],
        on_progress=lambda done, what: told.append((done, what)),
    )  # fmt: skip
    assert told == [(next(counter), "occlusion, pointwise"), (next(counter), "occlusion, contrastive")]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"methods": "occlusion"}, "methods is a list of one or more, not the text 'occlusion'"),
        ({"inputs": "a great film"}, "inputs is a list"),
        ({"questions": "pointwise"}, "questions is a list"),
        ({"inputs": ["a great film", " "]}, "text 2 of 2 has no words"),
    ],
)
def test_what_is_no_list_or_has_no_words_is_told(changed, said):
    given = {"inputs": ["a great film"], "methods": ["occlusion"], **changed}
    with pytest.raises(UsageError, match=said):
        compare(words_model(), given.pop("inputs"), given.pop("methods"), metrics=["deletion"], **given)
