"""Narration into a file: kept text by text, taken up again, and never mixed with texts of other settings."""

from __future__ import annotations

import json

import pytest
from langchain_core.language_models import FakeListChatModel

from agents import chat_model
from saywhy_core.errors import UsageError
from verbalize import Narrator, Query, TokenSaliency
from verbalize.narrate import narrate_to_file

TRUE = "'great' speaks for 'positive'."
FALSE = "'dull' speaks for 'positive'."


def maps(count):
    return [TokenSaliency(["great", "dull"], [2.0, -1.0], Query("positive"), id=f"m{i}") for i in range(count)]


CLAIMS = {TRUE: {"kind": "supports", "part": [0]}, FALSE: {"kind": "supports", "part": [1]}}


def writer(*texts, **options):
    replies = [json.dumps({"sentences": [{"text": text, "claims": [CLAIMS[text]]}]}) for text in texts]
    return Narrator(FakeListChatModel(responses=replies), style="free", **options)


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_progress_is_told_for_every_map(tmp_path):
    seen = []
    done = narrate_to_file(
        writer(TRUE), maps(5), tmp_path / "t.jsonl", model_name="m", on_progress=lambda *now: seen.append(now)
    )
    assert seen == [(i, 5) for i in range(6)]
    assert (done.texts, done.outcomes, done.falsehoods, done.problems) == (5, {"clean": 5}, {}, ())
    assert [record["id"] for record in records(tmp_path / "t.jsonl")] == [f"m{i}" for i in range(5)]
    assert not (tmp_path / "t.jsonl.part").exists()


def test_falsehoods_of_drafts_are_counted(tmp_path):
    done = narrate_to_file(writer(FALSE, TRUE), maps(1), tmp_path / "t.jsonl", model_name="m")
    assert (done.outcomes, done.falsehoods) == ({"repaired": 1}, {"wrong sign": 1})


class Dying:
    """Answers a number of maps, then ends the run as a kill would."""

    def __init__(self, after):
        self.after = after

    def __call__(self, done, of):
        if done > self.after:
            raise KeyboardInterrupt


def test_a_run_goes_on_where_it_stopped(tmp_path):
    out = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        narrate_to_file(writer(TRUE), maps(6), out, model_name="m", on_progress=Dying(2))
    kept = len(records(tmp_path / "t.jsonl.part")) - 1  # the first line holds the settings
    assert 3 <= kept < 6
    seen = []
    narrate_to_file(writer(TRUE), maps(6), out, model_name="m", on_progress=lambda *now: seen.append(now))
    assert seen[0] == (kept, 6)
    assert len(records(out)) == 6


@pytest.mark.parametrize(
    ("options", "name", "texts"), [({"max_words": 30}, "m", maps(6)), ({}, "other", maps(6)), ({}, "m", maps(7)[1:])]
)
def test_texts_of_other_settings_are_not_taken_over(tmp_path, options, name, texts):
    out = tmp_path / "t.jsonl"
    with pytest.raises(KeyboardInterrupt):
        narrate_to_file(writer(TRUE), maps(6), out, model_name="m", on_progress=Dying(2))
    seen = []
    narrate_to_file(writer(TRUE, **options), texts, out, model_name=name, on_progress=lambda *now: seen.append(now))
    assert seen[0] == (0, 6)


def test_a_map_that_could_not_be_asked_about_is_left_out_and_asked_next_time(tmp_path):
    class Down(FakeListChatModel):
        def _call(self, *args, **kwargs):
            raise UsageError("the server is down")

    out = tmp_path / "t.jsonl"
    done = narrate_to_file(Narrator(Down(responses=["x"])), maps(2), out, model_name="m")
    assert [problem.id for problem in done.problems] == ["m0", "m1"]
    assert "the server is down" in str(done.problems[0])
    assert not out.exists()
    assert narrate_to_file(writer(TRUE), maps(2), out, model_name="m").texts == 2


@pytest.mark.long
def test_maps_without_a_text_are_told_in_the_order_of_the_maps(chat_server, misbehaving, tmp_path):
    words = [f"word{number}" for number in range(8)]
    delays = {word: 0.05 * (8 - number) for number, word in enumerate(words)}  # the first is answered last

    def behave(request):
        word = next(word for word in words if word in request.prompt)
        return misbehaving.Reply(status=500, delay=delays[word])

    server = chat_server(behave=behave)
    asked = [TokenSaliency([word], [1.0], Query("positive"), id=word) for word in words]
    narrator = Narrator(chat_model(f"{server.url}#m", max_retries=0), style="free")
    done = narrate_to_file(narrator, asked, tmp_path / "t.jsonl", model_name="m")
    assert [problem.id for problem in done.problems] == words
