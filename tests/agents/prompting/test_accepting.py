"""Captions that are no descriptions are refused with a reason; real ones are not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from agents import DifferentialDescriber, chat_model, usage_of
from agents.prompting import Contrast, PairDescriptions, describe_to_file, read_pairs, refusal, usable, write_pairs
from agents.prompting.descriptions.accepting import judged, tidy

NAMES = ("Bengal", "caracal cat")


@pytest.mark.parametrize(
    ("attribute", "first", "second", "why"),
    [
        ("ears", "a photo of a Bengal.", "a photo of a caracal cat, with tufts.", "says nothing but the name"),
        ("ears", "Bengal", "caracal cat", "says nothing but the name"),
        ("ears", "a Bengal with round ears", "a caracal cat with round ears", "both captions say the same"),
        ("coat", "a Bengal, brown and white coat", "caracal cat: a white and brown coat.", "both captions say the same"),
        ("ears", "As an AI language model, I cannot see images", "a caracal cat with tufts", "speaks of its writer"),
        ("ears", "a Bengal with spots", "I'm sorry, but I can't help with that.", "speaks of its writer"),
        ("ears", "Lo siento, no puedo describir un Bengal", "a caracal cat with tufts", "speaks of its writer"),
        ("ears", "Es tut mir leid", "a caracal cat with tufts", "speaks of its writer"),
        ("ears", "对不起,我无法描述", "a caracal cat with tufts", "speaks of its writer"),
        ("ears", "Sure, here is a caption: a Bengal", "a caracal cat with tufts", "speaks of its writer"),
        ("ears", "a photo of a <class>, with long, pointed ears.", "a caracal cat with tufts", "placeholder"),
        ("ears", "a Bengal with [color] fur", "a caracal cat with tufts", "placeholder"),
        ("ears", "first_caption", "second_caption", "placeholder"),
        ("ears", "a photo of a {}, with fur", "a caracal cat with tufts", "placeholder"),
        ("ears", "string", "string", "says nothing but the name"),
        ("ears", "a caracal cat with tufts", "a Bengal with spots", "is about 'caracal cat'"),
        ("ears", "a Bengal with spots", "bengals with no spots", "is about 'Bengal'"),
        ("ears", "a caracal-cat, unlike a Bengal, has tufts", "a caracal cat with tufts", "is about 'caracal cat'"),
        ("sound", "a Bengal with a loud meow", "a caracal cat with a hiss", "can't be seen in a photo"),
        ("Temperament", "a Bengal, playful", "a caracal cat, shy", "can't be seen in a photo"),
        ("country of origin", "a Bengal from the USA", "a caracal cat from Africa", "can't be seen in a photo"),
        ("life span", "a Bengal, 14 years", "a caracal cat, 12 years", "can't be seen in a photo"),
        ("coat", "a Bengal with `spots` https://x.org", "a caracal cat, plain", "markup"),
        ("coat", "a Bengal " + "spots " * 20, "a caracal cat, plain", "repeats itself"),
    ],
)
def test_what_is_no_description_is_refused(attribute, first, second, why):
    assert why in refusal(attribute, (first, second), NAMES)


@pytest.mark.parametrize(
    ("attribute", "first", "second"),
    [
        ("ears", "a photo of a Bengal, with round ears.", "a photo of a caracal cat, with long, pointed ears."),
        ("ears", "round ears", "tufted ears"),
        ("size", "a Bengal, smaller than a caracal cat", "a caracal cat, larger than a Bengal"),
        ("coat", "ein Bengal mit Rosetten", "ein caracal cat mit einfarbigem Fell"),
        ("stripes", "a Bengal with stripes", "a caracal cat without stripes"),
        ("setting", "a BENGAL on a sofa", "a Caracal Cat in the savanna"),
        ("colour", "ベンガル、斑点", "砂色の毛"),
        ("number of spots", "12 spots", "no spots"),
    ],
)
def test_descriptions_are_accepted(attribute, first, second):
    assert refusal(attribute, (first, second), NAMES) is None


def test_class_names_may_hold_any_word():
    assert refusal("colour", ("a photo of a Sorry, board with pips", "a photo of a <b>, in bold"), ("Sorry", "<b>")) is None
    assert refusal("shape", ("an I can opener, long", "a sound box, square"), ("I can opener", "sound box")) is None


def test_list_marks_and_quotation_marks_are_no_part_of_a_caption():
    assert tidy(' 1. "a Bengal,  with spots" ') == "a Bengal, with spots"
    assert tidy("- round ears") == "round ears"
    assert tidy("a 1.5 m tall cat") == "a 1.5 m tall cat"


class Directions:
    """Texts with "huge" and "large" are nearly one; others are far apart."""

    def encode_texts(self, texts):
        rows = np.zeros((len(texts), 40), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().replace("huge", "large").replace(",", "").split():
                row[hash(word) % 39] += 1
            row[39] += 0.05 * ("huge" in text)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_near_duplicates_are_dropped():
    items = [
        ("size", ("Bengal large body", "caracal cat small body")),
        ("size again", ("Bengal huge body", "caracal cat small body")),
        ("body", ("Bengal, huge body", "caracal cat, large body")),
    ]
    kept, refused = judged(items, NAMES, Directions())
    assert [attribute for attribute, _ in kept] == ["size"]
    assert [one.why for one in refused] == [
        "it says the same as an earlier attribute",
        "both captions say the same in other words",
    ]
    alone, _ = judged(items, NAMES)  # by words
    assert len(alone) == 3
    assert [one for one, _ in judged([items[0], items[0]], NAMES)[0]] == ["size"]


def reply(*items):
    return json.dumps({"attributes": [{"attribute": a, "first_caption": b, "second_caption": c} for a, b, c in items]})


GOOD = ("ears", "a Bengal with round ears", "a caracal cat with tufts")
JUNK = ("sound", "a Bengal, loud", "a caracal cat, quiet")
WORSE = ("ears", "a Bengal", "As an AI, I cannot say")


def test_a_reply_of_junk_goes_back_with_the_reasons(chat_server, tmp_path):
    server = chat_server([reply(JUNK, WORSE), reply(GOOD, JUNK)])
    model = chat_model(f"{server.url}#m")
    found = DifferentialDescriber(model, NAMES, journal=tmp_path / "journal").describe([(0, 1)])
    assert len(server.requests) == 2
    told = server.requests[1].prompt
    assert "sound: the attribute 'sound' can't be seen in a photo" in told
    assert "ears: the caption for 'Bengal' says nothing but the name" in told
    assert [one.attribute for one in found.pairs[0, 1]] == ["ears"]
    ((pair, refused),) = found.refused
    assert (pair, refused.attribute, refused.why) == ((0, 1), "sound", "the attribute 'sound' can't be seen in a photo (sound)")
    again = DifferentialDescriber(model, NAMES, journal=tmp_path / "journal").describe([(0, 1)])
    assert again.refused == found.refused
    assert usage_of(model).requests == 2


def test_junk_alone_is_invalid_and_another_model_is_asked_again(chat_server, tmp_path):
    server = chat_server(default=reply(JUNK))
    out = tmp_path / "pairs.json"
    first = describe_to_file(chat_model(f"{server.url}#a"), NAMES, [(0, 1)], out)
    ((_, why),) = first.invalid
    assert "can't be seen in a photo" in why
    assert len(server.requests) == 3
    assert describe_to_file(chat_model(f"{server.url}#a"), NAMES, [(0, 1)], out).asked == 0
    assert describe_to_file(chat_model(f"{server.url}#b"), NAMES, [(0, 1)], out).asked == 1


def test_junk_of_an_earlier_version_is_told_and_asked_again(chat_server, tmp_path):
    held = PairDescriptions(
        {(0, 1): [Contrast("ears", ("a photo of a Bengal.", "a photo of a caracal cat, I'm sorry."))]}, dict(enumerate(NAMES))
    )
    write_pairs(held, tmp_path / "pairs.json")
    kept, refused = usable(held, NAMES)
    assert (len(kept), len(refused)) == (0, 1)
    server = chat_server(default=reply(GOOD))
    model = chat_model(f"{server.url}#m")
    assert describe_to_file(model, NAMES, [(0, 1)], tmp_path / "pairs.json").asked == 0
    assert describe_to_file(model, NAMES, [(0, 1)], tmp_path / "pairs.json", retry_invalid=True).asked == 1
    assert read_pairs(tmp_path / "pairs.json")[0, 1][0].captions[0] == "a Bengal with round ears"


def test_the_descriptions_of_fudd_are_accepted():
    data = Path(os.environ.get("SAYWHY_DATA", "/nowhere")) / "pets"
    if not data.is_dir():
        pytest.skip("SAYWHY_DATA names no folder with the pets")
    names = json.loads((data / "class_names.json").read_text())
    _, refused = usable(read_pairs(data / "fudd_pets_pairs.json"), names)
    assert len(refused) == 5  # of 2,632; each says the same of both breeds
    assert {one.why for _, one in refused} == {"both captions say the same but for the name"}
