"""The describer against a server that misbehaves, killed and resumed."""

from __future__ import annotations

import itertools
import json
import re
import signal
import subprocess
import sys
from collections import Counter

import pytest

from agents import DifferentialDescriber, PairDescriptions, UsageError, chat_model, read_pairs, usage_of
from agents.prompting.descriptions.describe import PROMPT_VERSION
from agents.prompting.descriptions.pairs import Contrast


def names_of(count):
    return [f"Breed-{index:02d}" for index in range(count)]


def pair_of(request):
    """The two class names that a request is about, whichever turn of the talk it is."""
    text = " ".join(str(message["content"]) for message in request.messages)
    return re.search(r"First class: (\S+)\s+Second class: (\S+)", text).groups()


def reply_for(first, second):
    return json.dumps(
        {
            "attributes": [
                {
                    "attribute": "ears",
                    "first_caption": f"a photo of a {first}, with tall ears.",
                    "second_caption": f"a photo of a {second}, with flat ears.",
                },
                {"attribute": "size", "first_caption": "large body", "second_caption": "small body"},
                {"attribute": "none", "first_caption": "the same", "second_caption": "The same"},
            ]
        }
    )


def all_pairs(count):
    return list(itertools.combinations(range(count), 2))


def test_each_pair_is_asked_once_and_validated(chat_server):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    names = names_of(4)
    describer = DifferentialDescriber(chat_model(f"{server.url}#tiny", max_retries=0), names)
    described = describer.describe([(1, 0), (0, 1), (2, 3)])
    assert len(server.requests) == described.asked == 2
    assert list(described.pairs) == [(0, 1), (2, 3)]
    ears, size = described.pairs[0, 1]
    assert ears.captions == ("a photo of a Breed-00, with tall ears.", "a photo of a Breed-01, with flat ears.")
    assert size.captions == ("a photo of a Breed-00, large body.", "a photo of a Breed-01, small body.")
    assert ears.provenance.prompt_version == PROMPT_VERSION
    assert ears.provenance.model == "tiny"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", ears.provenance.time)
    assert described.invalid == described.unasked == ()


def test_requests_share_all_but_their_end(chat_server):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    DifferentialDescriber(chat_model(f"{server.url}#tiny"), names_of(3)).describe(all_pairs(3))
    texts = ["\n".join(str(message["content"]) for message in request.messages) for request in server.requests]
    shared = next(index for index, letters in enumerate(zip(*texts, strict=False)) if len(set(letters)) > 1)
    assert shared > 400


def test_invalid_pairs_are_asked_again_with_the_error_then_listed(chat_server, tmp_path):
    def behave(request):
        first, second = pair_of(request)
        return "I would rather not." if (first, second) == ("Breed-00", "Breed-02") else reply_for(first, second)

    server = chat_server(behave=behave)
    model = chat_model(f"{server.url}#tiny", max_retries=0)
    journal = tmp_path / "journal"
    described = DifferentialDescriber(model, names_of(3), journal=journal, reasks=2).describe(all_pairs(3))
    assert list(described.pairs) == [(0, 1), (1, 2)]
    assert [pair for pair, _ in described.invalid] == [(0, 2)]
    assert len(server.requests) == 2 + 3
    again = DifferentialDescriber(model, names_of(3), journal=journal).describe(all_pairs(3))
    assert (again.asked, again.invalid) == (0, described.invalid)
    DifferentialDescriber(model, names_of(3), journal=journal, retry_invalid=True, reasks=0).describe(all_pairs(3))
    assert len(server.requests) == 6


def test_captions_that_name_the_other_class_are_dropped(chat_server):
    def behave(request):
        first, second = pair_of(request)
        return (
            reply_for(second, first)
            if first == "Breed-00"
            else json.dumps({"attributes": json.loads(reply_for(second, first))["attributes"][:1]})
        )

    described = DifferentialDescriber(chat_model(f"{chat_server(behave=behave).url}#tiny"), names_of(3)).describe(
        [(0, 1), (1, 2)]
    )
    assert [contrast.attribute for contrast in described.pairs[0, 1]] == ["size"]
    assert [pair for pair, _ in described.invalid] == [(1, 2)]


def test_a_ceiling_leaves_the_rest_for_later(chat_server, tmp_path):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    names, journal = names_of(6), tmp_path / "journal"
    model = chat_model(f"{server.url}#tiny", max_requests=4, concurrency=2)
    described = DifferentialDescriber(model, names, journal=journal, batch=4).describe(all_pairs(6))
    assert len(server.requests) == 4 == usage_of(model).requests
    assert len(described.pairs) == 4
    assert len(described.unasked) == 11
    assert described.reason
    rest = DifferentialDescriber(chat_model(f"{server.url}#tiny"), names, journal=journal).describe(all_pairs(6))
    assert len(rest.pairs) == 15
    assert Counter(pair_of(request) for request in server.requests).most_common(1)[0][1] == 1


def test_an_unreachable_model_is_a_reason_and_not_a_verdict(chat_server, misbehaving):
    server = chat_server(default=misbehaving.Reply(status=400))
    described = DifferentialDescriber(chat_model(f"{server.url}#tiny", max_retries=0), names_of(3)).describe(all_pairs(3))
    assert described.invalid == ()
    assert len(described.unasked) == 3
    assert described.reason


def test_known_pairs_are_not_asked(chat_server):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    known = PairDescriptions({(0, 1): [Contrast("x", ("one", "two"))]})
    described = DifferentialDescriber(chat_model(f"{server.url}#tiny"), names_of(3), known=known).describe(all_pairs(3))
    assert len(server.requests) == 2
    assert described.pairs[0, 1][0].attribute == "x"


def test_journals_are_of_their_classes_and_survive_a_torn_line(chat_server, tmp_path):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    model, journal = chat_model(f"{server.url}#tiny"), tmp_path / "journal"
    DifferentialDescriber(model, names_of(3), journal=journal).describe([(0, 1), (0, 2)])
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]) + lines[2][: len(lines[2]) // 2])
    described = DifferentialDescriber(model, names_of(3), journal=journal).describe([(0, 1), (0, 2)])
    assert described.asked == 1
    assert len(described.pairs) == 2
    assert len(journal.read_bytes().splitlines()) == 3
    with pytest.raises(UsageError, match="other classes"):
        DifferentialDescriber(model, ["x", "y", "z"], journal=journal).describe([(0, 1)])
    with pytest.raises(UsageError, match="no pair"):
        DifferentialDescriber(model, names_of(3)).describe([(0, 3)])


KILLED = """
import sys
from agents import DifferentialDescriber, chat_model
url, journal, replies, classes = sys.argv[1:5]
names = [f"Breed-{index:02d}" for index in range(int(classes))]
pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
model = chat_model(f"{url}#tiny", concurrency=1, cache=replies)
DifferentialDescriber(model, names, journal=journal).describe(pairs)
"""


def _kill_and_resume(chat_server, misbehaving, tmp_path, classes, kills):
    """The server kills its client instead of answering, so that no answer is under way when the client dies."""
    pairs, names = all_pairs(classes), names_of(classes)
    bad = {(names[i], names[j]) for i, j in pairs[5 :: len(pairs) // 3]}
    seen, killed, client = Counter(), [], []

    def behave(request):
        pair = pair_of(request)
        seen[pair] += 1
        if len(killed) < len(kills) and request.number >= kills[len(killed)]:
            killed.append(request.number)
            client[-1].kill()
            return misbehaving.Reply(fault="drop")
        if pair in bad:
            return '{"attributes": []}'
        if seen[pair] == 1 and request.number % 40 == 7:
            return misbehaving.Reply(status=500)
        return reply_for(*pair)

    server = chat_server(behave=behave)
    journal, replies = tmp_path / "journal", tmp_path / "replies.sqlite"
    for _ in kills:
        client.append(subprocess.Popen([sys.executable, "-c", KILLED, server.url, journal, replies, str(classes)]))
        assert client[-1].wait(timeout=240) == -signal.SIGKILL
    described = DifferentialDescriber(chat_model(f"{server.url}#tiny", cache=replies), names, journal=journal).describe(pairs)
    assert sorted([*described.pairs, *(pair for pair, _ in described.invalid)]) == pairs
    assert {(names[i], names[j]) for (i, j), _ in described.invalid} == bad
    assert described.unasked == ()
    paid = Counter(pair_of(request) for request in server.answered)
    assert {paid[names[i], names[j]] for i, j in described.pairs} == {1}
    assert {paid[pair] for pair in bad} == {3}


@pytest.mark.long
def test_a_killed_run_goes_on_without_loss_or_repetition(chat_server, misbehaving, tmp_path):
    _kill_and_resume(chat_server, misbehaving, tmp_path, classes=8, kills=(8, 17))


@pytest.mark.long
def test_666_pairs_killed_and_resumed_twice(chat_server, misbehaving, tmp_path):
    _kill_and_resume(chat_server, misbehaving, tmp_path, classes=37, kills=(200, 450))


def test_an_interrupted_batch_is_not_paid_for_again(chat_server, tmp_path):
    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    names, journal = names_of(9), tmp_path / "journal"

    def interrupt(settled, _):
        if settled == 10:
            raise KeyboardInterrupt

    model = chat_model(f"{server.url}#tiny", cache=tmp_path / "replies.sqlite")
    with pytest.raises(KeyboardInterrupt):
        DifferentialDescriber(model, names, journal=journal).describe(all_pairs(9), progress=interrupt)
    described = DifferentialDescriber(model, names, journal=journal).describe(all_pairs(9))
    assert len(described.pairs) == 36
    assert max(Counter(pair_of(request) for request in server.answered).values()) == 1


def test_the_file_it_leaves_reads_back(chat_server, tmp_path):
    from agents import write_pairs

    server = chat_server(behave=lambda request: reply_for(*pair_of(request)))
    described = DifferentialDescriber(chat_model(f"{server.url}#tiny"), names_of(3)).describe(all_pairs(3))
    write_pairs(described.pairs, tmp_path / "pairs.json")
    assert dict(read_pairs(tmp_path / "pairs.json", names_of(3))) == dict(described.pairs)
