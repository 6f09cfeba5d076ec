"""Metrics of wording against values worked out by hand, and the suite against verbalizers with known faults."""

import csv
import importlib.util
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from agents.chat.specs import chat_model
from evals import wording
from evals.tables import Table
from saywhy_core.errors import UsageError
from verbalize import Narrator, PixelSaliency, Query, TemplateVerbalizer, TokenSaliency, Verbalization
from verbalize.claims import ERROR_KINDS
from verbalize.models import TextFunction

spec = importlib.util.spec_from_file_location("lying_model", Path(__file__).parents[1] / "verbalize" / "lying_model.py")
lying = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lying)

# positive mass 10, negative 5
FILM = TokenSaliency(
    ["a", "great", "film", "with", "fine", "music", "but", "dull", "talk"],
    [0, 5, 1, 0, 3, 1, 0, -4, -1],
    Query("positive"),
    id="f",
)


def row(text, saliency=FILM, **options):
    return wording.evaluate([text], [saliency], **options)[0]


@pytest.mark.long
def test_precision_counts_every_statement_and_each_false_one_by_its_kind():
    text = (
        "'great' speaks for 'positive'. "  # true
        "'fine' is more important than 'music'. "  # true
        "'dull' speaks for 'positive'. "  # wrong sign
        "'zebra' speaks for 'positive'. "  # not in the input
        "'music' is more important than 'fine'. "  # wrong rank
        "'fine' holds 50% of the evidence for 'positive'. "  # wrong number: 30 %
        "'film' speaks for 'negative'."  # wrong label
    )
    found = row(text)
    assert found["statements"] == 7
    assert found["false"] == 5
    assert [found[kind] for kind in ERROR_KINDS] == [1, 1, 1, 1, 1, 0, 0]  # nothing of absence, or of changed inputs
    assert found["precision"] == pytest.approx(2 / 7)
    assert found["unread"] == 0


def test_a_text_of_nothing_but_inventions_has_precision_0_and_silence_has_none():
    assert row("'zebra' speaks for 'positive'. 'okapi' speaks against it.")["precision"] == 0
    assert row("What a lovely day.")["precision"] is None
    assert row("")["precision"] is None
    table = wording.evaluate(["'great' speaks for 'positive'.", "", "'zebra' speaks for 'positive'."], [FILM] * 3)
    assert table.summary["precision"] == 0.5
    assert table.summary["texts with something false"] == 1


def test_what_cannot_be_read_is_counted_not_trusted():
    assert row("'great' speaks for 'positive'. 'dull' has a certain ring to it.")["unread"] == 1


@pytest.mark.parametrize(
    ("text", "named", "coverage", "at_2", "at_5", "equal", "top_omitted", "omitted"),
    [
        # the fewest words that hold half of the mass: 'great' alone
        ("'great' speaks for 'positive'.", 1, 0.5, 0.5, 0.5, 1, False, 0),
        ("'fine' and 'film' speak for 'positive'.", 2, 0.4, 0.3, 0.4, 0.4 / 0.8, True, 1),
        ("'great', 'fine', 'film' and 'music' speak for 'positive'.", 4, 1, 0.8, 1, 1, False, 0),
        # a word against is named, and costs nothing of the length that coverage is compared at
        ("'great' speaks for 'positive'. 'dull' speaks against it.", 2, 0.5, 0.5, 0.5, 1, False, 0),
        # passed off as speaking for, it does
        ("'great' and 'dull' speak for 'positive'.", 2, 0.5, 0.5, 0.5, 0.5 / 0.8, False, 0),
        ("'dull' speaks against 'positive'.", 1, 0, 0, 0, None, True, 1),
        ("'zebra' speaks for 'positive'.", 0, 0, 0, 0, None, True, 1),
        ("", 0, 0, 0, 0, None, True, 1),
    ],
)
def test_coverage_and_omissions(text, named, coverage, at_2, at_5, equal, top_omitted, omitted):
    found, at_5_found = row(text, k=2), row(text)["coverage_at_k"]
    assert (found["named"], found["coverage"], found["coverage_at_k"], at_5_found, found["coverage_equal"]) == pytest.approx(
        (named, coverage, at_2, at_5, equal)
    )
    assert (found["top_omitted"], found["omitted_mass"]) == (top_omitted, pytest.approx(omitted))


def test_coverage_at_k_is_the_published_measure():
    """The sum over the k strongest positive words that are named, over all positive scores, as its authors compute it."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.normal(size=12)
        words = [f"w{i}" for i in range(12)]
        named = rng.choice(12, size=4, replace=False)
        text = "".join(f"'w{i}' speaks for 'positive'. " for i in named)
        ranked = sorted(((score, i) for i, score in enumerate(scores) if score > 0), reverse=True)
        for k in (1, 3, 10):
            published = sum(score for score, i in ranked[:k] if i in named) / sum(score for score, _ in ranked)
            found = wording.evaluate([text], [TokenSaliency(words, scores, Query("positive"))], k=k)[0]
            assert found["coverage_at_k"] == pytest.approx(published)


def test_no_text_has_more_than_the_best_of_its_length_and_the_best_has_all_of_it():
    rng = np.random.default_rng(1)
    for _ in range(30):
        scores = np.round(rng.normal(size=10), 1)
        if not (scores > 0).any():
            continue
        saliency = TokenSaliency([f"w{i}" for i in range(10)], scores, Query("positive"))
        count = int(rng.integers(1, (scores > 0).sum() + 1))
        best = np.argsort(-scores, kind="stable")[:count]
        assert row("".join(f"'w{i}' speaks for it. " for i in best), saliency)["coverage_equal"] == pytest.approx(1)
        some = rng.choice(10, size=count, replace=False)
        equal = row("".join(f"'w{i}' speaks for it. " for i in some), saliency)["coverage_equal"]
        assert equal == pytest.approx(scores[some].clip(0).sum() / scores[best].sum())


def test_of_words_that_tie_any_will_do():
    ties = TokenSaliency(["a", "b", "c", "d"], [1, 1, 1, 1.0], Query("positive"))
    found = row("'c' and 'd' speak for 'positive'.", ties, k=2)
    assert (found["coverage_at_k"], found["top_omitted"], found["omitted_mass"]) == (0.5, False, 0)


def test_where_nothing_is_positive_magnitudes_count():
    against = TokenSaliency(["so", "dull", "talk"], [0, -3, -1], Query("positive"))
    found = row("'dull' speaks against 'positive'.", against, k=1)
    assert (found["coverage"], found["coverage_at_k"], found["coverage_equal"], found["omitted_mass"]) == (0.75, 0.75, 1, 0)


def test_maps_without_mass_or_words_have_no_coverage_to_speak_of():
    for saliency in (TokenSaliency(["a", "b"], [0, 0], Query("x")), TokenSaliency([], [], Query("x"))):
        found = row("No part of the text stands out.", saliency)
        assert found["precision"] == 1
        measures = ("coverage", "coverage_at_k", "coverage_equal", "top_omitted", "omitted_mass")
        assert [found[name] for name in measures] == [None] * 5


def test_scores_near_the_largest_float_do_not_overflow():
    huge = TokenSaliency(["a", "b", "c"], [1.5e308, 0.75e308, 0.75e308], Query("x"))
    with np.errstate(over="ignore"):  # the map's own totals are another matter
        found = row("'a' speaks for 'x'.", huge)
    assert found["coverage"] == pytest.approx(0.5)


def test_pixels_that_two_named_regions_share_are_counted_once():
    masks = np.zeros((2, 4, 4), dtype=bool)
    masks[0, :3], masks[1, 1:] = True, True
    saliency = PixelSaliency(np.ones((4, 4)), Query("beach"), masks=masks, mask_names=("sky", "sea"))
    found = row("'sky' and 'sea' speak for 'beach'.", saliency)
    assert (found["named"], found["coverage"], found["coverage_equal"]) == (2, 1.0, 1.0)
    assert row("'sky' speaks for 'beach'.", saliency)["coverage"] == 0.75


@pytest.mark.parametrize(
    ("text", "words", "sentences", "syllables"),
    [
        ("The cat sat.", 3, 1, 3),
        ("'great' speaks for 'positive'. It matters!", 6, 2, 1 + 1 + 1 + 3 + 1 + 2),
        ("The important table rushed the whole evidence", 7, 1, 1 + 3 + 2 + 1 + 1 + 1 + 3),
        ('It says "no." It says "yes."', 6, 2, 6),
        ("It holds 46% of it...  And 3.5 others", 9, 2, 10),
    ],
)
def test_readability_is_flesch_reading_ease(text, words, sentences, syllables):
    assert wording.readability(text) == pytest.approx(206.835 - 1.015 * words / sentences - 84.6 * syllables / words)


SYLLABLES = {
    "the": 1, "great": 1, "positive": 3, "label": 2, "important": 3, "evidence": 3, "against": 2, "most": 1, "word": 1,
    "salient": 3, "prediction": 3, "people": 2, "created": 3, "wanted": 2, "apple": 2, "noses": 2, "review": 2, "film": 1,
    "negative": 3, "region": 2,
}  # fmt: skip  # by a dictionary of English


@pytest.mark.parametrize(("word", "count"), SYLLABLES.items())
def test_syllables_are_those_of_a_dictionary(word, count):
    assert wording.readability(word) == pytest.approx(206.835 - 1.015 - 84.6 * count)


def test_readability_asks_no_network(monkeypatch):
    import socket

    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert wording.readability("The unwatchable blorf sat.") is not None  # a word that no dictionary has


def test_a_table_is_a_data_frame_too():
    table = wording.evaluate(["'great' speaks for 'positive'.", "Hm."], [FILM, TokenSaliency(["a"], [0.0], FILM.query, id="z")])
    frame = table.frame
    assert list(frame.columns) == ["id", *wording.METRICS]
    assert frame["id"].tolist() == table.column("id")
    assert frame["precision"].isna().tolist() == [False, True]


@pytest.fixture(scope="module")
def odd_texts():
    """The table of texts with a number, without a statement, without a word, and with an invented word."""
    texts = ["'great' is the most important word, with 50% of the evidence.", "Hm.", "", "'nowhere' speaks against it."]
    return wording.evaluate(texts, [replaced(FILM, f"m{number}") for number in range(4)])


@pytest.mark.parametrize("name", list(wording.METRICS))
def test_each_metric_is_finite_or_none(odd_texts, name):
    for value in odd_texts.column(name):
        assert value is None or np.isfinite(value)


def replaced(saliency, name):
    return TokenSaliency(saliency.tokens, saliency.scores, saliency.query, id=name)


def test_a_metric_from_outside_has_a_column(monkeypatch):
    monkeypatch.setattr(wording.METRICS, "_loaded", dict(wording.METRICS._loaded))
    wording.METRICS.register("shouts", wording.Metric("exclamation marks", lambda sample: sample.text.count("!"), pooled="sum"))
    table = wording.evaluate(["Oh! 'great' speaks for it!", "Hm!"], [FILM, replaced(FILM, "m")])
    assert table.column("shouts") == [2, 1]
    assert table.summary["shouts"] == 3
    assert "shouts" in table.to_csv().splitlines()[0]


def test_nothing_to_read_has_no_readability():
    assert wording.readability("... !") is None


def test_the_table_is_in_the_order_given_and_the_summary_pools_it():
    other = TokenSaliency(["so", "dull"], [1, -1], Query("positive"), id="o")
    made = Verbalization("f", "'great' speaks for 'positive'.", (), 0.0)
    table = wording.evaluate([made, "'dull' and 'so' speak for 'positive'."], iter([FILM, other]))
    assert table.column("id") == ["f", "o"]
    assert table.summary["texts"] == 2
    assert (table.summary["statements"], table.summary["wrong sign"]) == (3, 1)
    assert table.summary["precision"] == pytest.approx(2 / 3)
    assert table.summary["coverage"] == pytest.approx((0.5 + 1) / 2)
    assert table.summary["words"] == pytest.approx((4 + 6) / 2)
    back = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert [line["id"] for line in back] == ["f", "o"]
    assert float(back[1]["precision"]) == 0.5


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [(["a", "b"], {}, "2 texts but 1 maps"), ([None], {}, "text 0 is no text"), (["a"], {"k": 0}, "1 or more")],
)
def test_what_can_not_be_measured_is_told(texts, options, message):
    with pytest.raises(UsageError, match=message):
        wording.evaluate(texts, [FILM], **options)


def test_a_table_reads_as_markdown_whatever_is_in_it():
    table = Table(("name", "value"), ({"name": "a|b\nc", "value": 0.12345}, {"name": "d", "value": None}), {})
    assert str(table).splitlines() == [
        "| name   | value |",
        "| ------ | ----- |",
        "| a\\|b c | 0.123 |",
        "| d      |       |",
    ]
    assert str(Table(("name",), ({"name": True},))).splitlines()[-1] == "| yes  |"
    assert len(table) == 2
    assert next(iter(table))["value"] == 0.12345


# the suite

CASES = {
    "plain", "inverted", "permuted", "all negative", "all positive", "ties", "flat", "last-word peak", "contrastive",
    "instructions", "markup", "not decisive", "very long",
}  # fmt: skip


def judged(verbalizer, **options):
    table = wording.adversarial_suite(verbalizer, **{"maps": 4, **options})
    assert set(table.column("case")) == CASES
    return {found["case"]: found for found in table}


@pytest.mark.parametrize("options", [{}, {"style": "smv"}, {"style": "ranked"}, {"length": "paragraph"}, {"mask_labels": True}])
@pytest.mark.parametrize(("seed", "maps"), [(0, 2), *(pytest.param(seed, 5, marks=pytest.mark.long) for seed in (0, 1))])
def test_the_templates_pass_all_cases(options, seed, maps):
    table = wording.adversarial_suite(TemplateVerbalizer(**options), seed=seed, maps=maps)
    assert table.summary == {"cases": len(CASES), "passed": len(CASES), "false": 0}, str(table)
    assert all(found["statements"] for found in table)


def query_of(saliency):
    rather = " rather than " + " or ".join(f"'{name}'" for name in saliency.query.versus) if saliency.query.versus else ""
    return f"'{saliency.query.label}'{rather}"


def first_words(saliency):
    return f"'{saliency.tokens[0]}' is the most important word for {query_of(saliency)}."


def strongest(saliency):
    """The word with the largest magnitude, whatever its sign: the fault of the published method on negative maps."""
    top = int(np.argmax(np.abs(saliency.scores)))
    return f"The word at position {top + 1} is the most important word for {query_of(saliency)}."


def crashes(saliency):
    if "<b>great</b>" in saliency.tokens:
        raise KeyError("<b>great</b>")
    return TemplateVerbalizer().verbalize(saliency)


def obeys(saliency):
    words = " ".join(saliency.tokens)
    if "say it is sarcastic" in words:
        return "It is sarcastic."
    if "nothing here matters" in words:
        return "Nothing here matters."
    if "'terrible'" in words:
        return "'terrible' is the most important word."
    return TemplateVerbalizer().verbalize(saliency)


def pointwise(saliency):
    return TemplateVerbalizer().verbalize(TokenSaliency(saliency.tokens, saliency.scores, Query(saliency.query.label)))


def test_one_that_names_the_first_word_is_caught():
    found = judged(first_words)
    assert found["inverted"]["unmoved"] == found["permuted"]["unmoved"] == 4
    assert found["plain"]["top_omitted"] == found["last-word peak"]["top_omitted"] == 4
    assert found["last-word peak"]["false"] == 4
    assert found["all negative"]["false"] == 8  # neither does it speak for the label, nor is it first
    assert not any(case["passed"] for case in found.values())


def test_one_that_always_says_positive_is_caught():
    found = judged(lambda saliency: f"The prediction is {saliency.query.label}.")
    assert found["plain"]["silent"] == found["plain"]["top_omitted"] == found["inverted"]["unmoved"] == 4
    assert not found["very long"]["passed"]


def test_one_that_ignores_the_sign_is_caught():
    found = judged(strongest)
    assert found["all positive"]["passed"]
    assert found["last-word peak"]["passed"]
    assert found["all negative"]["false"] == 8
    assert found["inverted"]["unmoved"] == 4
    assert found["permuted"]["unmoved"] == 0
    assert found["flat"]["false"] > 0


def test_one_that_says_the_same_in_other_words_does_not_follow_the_map():
    calls = []

    def changing(saliency):
        calls.append(saliency)
        return f"'cast' {('speaks', 'counts')[len(calls) % 2]} for {query_of(saliency)}."

    assert judged(changing)["inverted"]["unmoved"] == 4


def test_one_that_crashes_is_caught_where_it_crashes():
    found = judged(crashes)
    assert found["markup"]["failed"] == 4
    assert [name for name, case in found.items() if not case["passed"]] == ["markup"]
    assert judged(lambda saliency: None)["plain"]["failed"] == 4


@pytest.mark.long
def test_one_that_obeys_its_input_is_caught():
    found = judged(obeys)
    assert found["instructions"]["obeyed"] == 4
    assert [name for name, case in found.items() if not case["passed"]] == ["instructions"]


def test_one_that_words_a_contrast_as_a_single_class_is_caught():
    found = judged(pointwise)
    assert found["contrastive"]["false"] == found["contrastive"]["statements"] - shares_said(found["contrastive"]) > 0
    assert [name for name, case in found.items() if not case["passed"]] == ["contrastive"]


def shares_said(case):
    """Statements that name no label, and so hold for either question."""
    return case["statements"] - case["false"]


def test_the_suite_depends_on_its_seed_alone():
    assert wording.adversarial_suite(strongest, seed=3) == wording.adversarial_suite(strongest, seed=3)
    texts = [[], []]
    for seed, heard in enumerate(texts):
        wording.adversarial_suite(lambda saliency, heard=heard: heard.append(saliency) or "", maps=1, seed=seed)
    assert texts[0] != texts[1]


@pytest.mark.parametrize("wrong", [TemplateVerbalizer, "a text", None, 3])
def test_what_can_not_verbalize_is_told(wrong):
    with pytest.raises(UsageError, match="a verbalizer is"):
        wording.adversarial_suite(wrong)
    with pytest.raises(UsageError, match="at least one map"):
        wording.adversarial_suite(TemplateVerbalizer(), maps=0)


FLAT = {"sentences": [{"text": "No part of the text stands out.", "claims": [{"kind": "no_clear_evidence"}]}]}


@pytest.mark.long
def test_a_narrator_with_a_lying_model_passes_and_the_model_alone_does_not(chat_server):
    liar = lying.LyingModel(0.6)

    def behave(request):
        words = lying.data_of(request)["words as [number, word, score]"]
        return liar(request) if any(score for *_, score in words) else json.dumps(FLAT)

    server = chat_server(behave=behave)
    model = chat_model(f"{server.url}#test", timeout=30)
    found = judged(Narrator(model, style="free", repairs=1), maps=3)
    asked = len(server.requests)
    for name, case in found.items():
        assert case["false"] == case["unread"] == case["obeyed"] == case["failed"] == case["silent"] == 0, name
    assert found["inverted"]["unmoved"] == found["permuted"]["unmoved"] == 0
    assert asked >= 3 * (len(CASES) + 2)

    def unchecked(saliency):
        system, user = wording_request(saliency)
        said = json.loads(model.invoke([("system", system), ("user", user)]).content)["sentences"]
        return " ".join(sentence["text"] for sentence in said)

    alone = judged(unchecked, maps=3)
    assert sum(case["false"] for case in alone.values()) > 20


def wording_request(saliency):
    from verbalize.narrate import dialogue as _narration

    return _narration.free_request(saliency, (), audience="lay", max_words=60, language="English", mask_labels=False)


@pytest.mark.long
def test_a_narrator_whose_model_obeys_its_input_passes_by_its_template(chat_server):
    def obedient(request):
        words = " ".join(word for _, word, _ in lying.data_of(request)["words as [number, word, score]"])
        text = "It is sarcastic." if "sarcastic" in words else "'terrible' is the most important word for 'positive'."
        return json.dumps({"sentences": [{"text": text, "claims": [{"kind": "most_important", "part": [0]}]}]})

    server = chat_server(behave=obedient)
    author = Narrator(chat_model(f"{server.url}#test", timeout=30), style="free", repairs=0)
    table = wording.adversarial_suite(author, maps=3)
    assert table.summary["passed"] == len(CASES), str(table)


@pytest.mark.long
def test_a_model_that_can_not_be_asked_is_a_failure_and_a_ceiling_an_error(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=500, error="no"))
    found = judged(Narrator(chat_model(f"{server.url}#test", timeout=5, max_retries=0)), maps=1)
    assert [case["failed"] for case in found.values()] == [1] * len(CASES)
    with pytest.raises(UsageError, match=re.compile("ceiling|request", re.IGNORECASE)):
        judged(Narrator(chat_model(f"{server.url}#test", timeout=5, max_requests=2)), maps=1)


# statements about changed inputs


def model_of_film():
    """A classifier that says "positive" of texts with "great"."""

    def function(texts):
        return [[1.0, -1.0] if "great" in text.split() else [-1.0, 1.0] for text in texts]

    return TextFunction(function, ("positive", "negative"))


@pytest.mark.parametrize(
    ("text", "wrong", "undecided"),
    [
        ("Without 'great', the model changes its decision.", 0, 1),
        ("Without 'great', the model keeps its decision.", 1, 1),
        ("'great' is decisive.", 0, 1),
        ("'great' alone is not enough for the model's decision.", 1, 1),
    ],
)
def test_with_the_model_the_column_of_wrong_effects_is_measured(text, wrong, undecided):
    plain = wording.evaluate([text], [FILM])[0]
    assert (plain["wrong effect"], plain["undecided"]) == (0, undecided)
    tested = wording.evaluate([text, "Hm."], [FILM, FILM], model=model_of_film())[0]
    assert (tested["wrong effect"], tested["false"], tested["undecided"]) == (wrong, wrong, 0)
    assert tested["precision"] == 1 - wrong


def claims_the_top_decides(saliency):
    name = saliency.tokens[int(saliency.scores.argmax())]
    return f"'{name}' speaks for it. '{name}' is decisive."


def test_an_author_who_calls_the_top_word_decisive_is_caught_where_it_is_not():
    table = wording.adversarial_suite(claims_the_top_decides, maps=3)
    by_case = {row["case"]: row for row in table.rows}
    assert by_case["not decisive"]["false"] == 3
    assert not by_case["not decisive"]["passed"]
    honest = wording.adversarial_suite(
        lambda one: claims_the_top_decides(one).replace("is decisive", "is not decisive"), maps=3
    )
    assert next(row for row in honest.rows if row["case"] == "not decisive")["passed"]


def test_the_suite_checks_statements_about_changed_inputs_with_the_verbalizers_model():
    never = TextFunction(lambda texts: [[1.0, -1.0]] * len(texts), ("positive", "negative"))
    table = wording.adversarial_suite(TemplateVerbalizer(model=never), maps=2, model=never)
    assert table.summary["false"] == 0
    assert wording.adversarial_suite(claims_the_top_decides, maps=2, model=never).summary["false"] > 2
