"""Captions that are no descriptions are refused with a reason; real ones are not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from agents import DifferentialDescriber, chat_model, usage_of
from agents.prompting import (
    Contrast,
    PairDescriptions,
    caption,
    describe_to_file,
    plan_file,
    read_pairs,
    refusal,
    usable,
    write_pairs,
)
from agents.prompting.descriptions.judging.judge import Judge, tidy

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
        ("ears", "string", "string", "placeholder"),
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
    """A direction for each word; "huge" and "large" are nearly one."""

    def __init__(self):
        self.words = {}

    def encode_texts(self, texts):
        rows = np.zeros((len(texts), 200), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.casefold().replace("huge", "large").replace(",", "").split():
                row[self.words.setdefault(word, len(self.words) + 1)] += 1
            row[0] += 0.05 * ("huge" in text)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_near_duplicates_are_dropped():
    items = [
        ("size", ("Bengal large body", "caracal cat small body")),
        ("size again", ("Bengal huge body", "caracal cat small body")),
        ("body", ("Bengal, huge body", "caracal cat, large body")),
    ]
    kept, refused = Judge(NAMES, Directions()).judge((0, 1), items)
    assert [attribute for attribute, _ in kept] == ["size"]
    assert [one.why for one in refused] == [
        "it says the same as an earlier attribute",
        "both captions say the same in other words",
    ]
    alone, _ = Judge(NAMES).judge((0, 1), items)  # by words
    assert len(alone) == 3
    assert [one for one, _ in Judge(NAMES).judge((0, 1), [items[0], items[0]])[0]] == ["size"]


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


@pytest.mark.parametrize(
    ("attribute", "first", "second", "kind"),
    [
        ("ears", "a cat with scattered spots", "tufted ears, longer than those of a cat", None),
        ("ears", "a photo of a cat, with round ears", "a photo of a cat, with tufts", "other class"),
        ("ears", "a photo of a caracal cat, with tufts", "a photo of a caracal cat with ears", "other class"),
        ("coat", "white ears and a black tail", "black ears and a white tail", None),
        ("coat", "long ears, short tail", "a short tail and long ears", "same"),
        ("sound hole shape", "f-shaped holes", "a round hole", None),
        ("bark texture", "smooth bark", "rough bark", None),
        ("hunting behaviour", "stalks", "waits", "unseen"),
        ("look", "a friendly and loyal cat", "a calm, shy caracal cat", "unseen"),
        ("expression", "a friendly expression", "a sad, droopy expression", None),
        ("body", "weighs 4 kg", "weighs about 10-18 kg", "unseen"),
        ("body", "a light body", "a heavy body", None),
        ("background", "originated in Egypt", "originally from Africa", "unseen"),
        ("ears", "with distinctive features", "with a unique appearance", "vague"),
        ("ears", "1. long ears 2. short tail", "tufts", "markup"),
        ("ears", "**long ears**", "- short ears", None),
        ("ears", "a photo of a first class, long", "a photo of a second class, short", "placeholder"),
        ("attribute 1", "long", "short", "placeholder"),
        ("ears", "...", "…", "name only"),
    ],
)
def test_hard_cases(attribute, first, second, kind):
    _, refused = Judge(("cat", "caracal cat")).judge((0, 1), [(attribute, (first, second))])
    assert [one.kind for one in refused] == ([] if kind is None else [kind])


def test_names_in_scripts_without_spaces_are_found():
    judge = Judge(("犬", "猫"))
    assert judge.refused((0, 1), "耳", ("一张犬的照片", "圆耳朵的猫")).kind == "name only"
    assert judge.refused((0, 1), "耳", ("一张犬的照片，长耳朵", "一张犬的照片，圆耳朵")).kind == "other class"
    assert judge.refused((0, 1), "耳", ("一张犬的照片，长耳朵", "一张猫的照片，圆耳朵")) is None


def test_a_name_may_be_a_quality_of_another_thing():
    judge = Judge(("orange", "basketball", "violin"))
    round_one = "an orange with dimpled skin"
    assert judge.refused((0, 1), "colour", (round_one, "an orange ball with black seams")) is None
    assert judge.refused((0, 1), "colour", (round_one, "a photo of an orange basketball with seams")) is None
    assert judge.refused((0, 1), "colour", (round_one, "a photo of an orange, with seams")).kind == "other class"
    assert judge.refused((0, 1), "colour", (round_one, "a photo of a violin, with strings")).kind == "other class"


def test_opposites_are_no_near_duplicates_though_encoders_put_them_close():
    class Close(Directions):
        """Opposites have a cosine of 0.99, both spellings of grey 0.999."""

        def encode_texts(self, texts):
            rows = super().encode_texts([text.replace("gray", "grey") for text in texts])
            rows[:, 0] += 7.0
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    judge = Judge(NAMES, Close())
    items = [("tail", ("a long, narrow tail", "a short, wide tail")), ("fur", ("grey fur", "gray fur"))]
    kept, refused = judge.judge((0, 1), items)
    assert [one for one, _ in kept] == ["tail"]
    assert [one.kind for one in refused] == ["near-duplicate"]


def test_a_journal_of_the_earlier_request_is_taken_over(chat_server, tmp_path):
    from agents.prompting.descriptions.journaled import journal_of
    from saywhy_core.disk.journal import JournalWarning

    names = (*NAMES, "dog")
    with journal_of(tmp_path / "journal", "differential-1", names, "others") as earlier:
        origin = ["m", "differential-1", "2026-01-01T00:00:00+00:00"]
        earlier.append(
            {"pair": [0, 1], "provenance": origin, "contrasts": [["ears", "a Bengal, round", "a caracal cat, long"]]}
        )
        earlier.append({"pair": [0, 2], "invalid": "no"})
    server = chat_server(default=reply(("ears", "round ears", "flat ears")))
    describer = DifferentialDescriber(chat_model(f"{server.url}#m"), names, journal=tmp_path / "journal")
    with pytest.warns(JournalWarning, match="descriptions of 1 pair are taken over|is kept as"):
        found = describer.describe([(0, 1), (0, 2)])
    assert len(server.requests) == found.asked == 1
    assert found.pairs[0, 1][0].provenance.prompt_version == "differential-1"
    again = DifferentialDescriber(chat_model(f"{server.url}#m"), names, journal=tmp_path / "journal")
    assert len(again.describe([(0, 1), (0, 2)]).pairs) == 2
    assert len(server.requests) == 1


def test_retry_invalid_really_asks_again_though_the_cache_has_the_reply(chat_server, tmp_path):
    server = chat_server([reply(JUNK)] * 3, default=reply(GOOD))
    out, cache = tmp_path / "pairs.json", tmp_path / "replies.sqlite"
    assert describe_to_file(chat_model(f"{server.url}#m", cache=cache), NAMES, [(0, 1)], out).invalid
    again = chat_model(f"{server.url}#m", cache=cache, retry_invalid=True)
    planned = plan_file(again, NAMES, [(0, 1)], out, retry_invalid=True)
    assert (planned.foreseen.requests, len(server.requests)) == (1, 3)
    assert len(describe_to_file(again, NAMES, [(0, 1)], out, retry_invalid=True).pairs) == 1
    assert len(server.requests) == 4


def test_a_train_may_have_a_first_class():
    judge = Judge(("train", "tram"))
    assert judge.refused((0, 1), "seats", ("a train with first class seats", "a first class carriage")) is None


def test_a_name_within_a_word_is_no_name():
    assert caption("scattered spots", "cat", "a photo of a {}.") == "a photo of a cat, scattered spots."
    assert caption("Cats with spots", "cat", "a photo of a {}.") == "Cats with spots"
    assert caption("a C++ logo", "C++", "a {}.") == "a C++ logo"
    assert caption("a red ++ sign", "++", "a {}.") == "a red ++ sign"


@pytest.mark.parametrize(
    ("names", "items"),
    [
        (
            ("sparrow", "robin"),
            [("wing bars", "two white wing bars", "plain wings"), ("eye ring", "no eye ring", "a broken one")],
        ),
        (
            ("BMW M3 Coupe 2012", "Audi S4 Sedan 2012"),
            [("badge", "a BMW badge", "four rings"), ("age", "modern", "an older car")],
        ),
        (
            ("pizza", "pad thai"),
            [("price tag", "a price tag in front", "no price tag"), ("temperature", "steaming hot", "cold")],
        ),
        (
            ("melanoma", "nevus"),
            [("size", "larger than 6 mm", "smaller than 6 mm"), ("border", "a notched border", "a smooth border")],
        ),
        (("Annual Crop", "Highway"), [("land use", "regular rows of plants", "roads with vehicles")]),
        (("Boeing 737-300", "Boeing 737-400"), [("windows", "fewer than a Boeing 737-400", "more than a Boeing 737-300")]),
        (("yield sign", "stop sign"), [("text", "the word YIELD", "the word STOP in white letters")]),
        (("T-shirt/top", "Pullover"), [("sleeves", "a T-shirt/top with short sleeves", "a Pullover with long sleeves")]),
        (("sadness", "joy"), [("mood", "a gloomy face", "a cheerful face"), ("mouth", "corners turned down", "a wide smile")]),
        (
            ("guitar", "violin"),
            [("sound hole", "a round sound hole", "two f-shaped sound holes"), ("bow", "no bow", "with a bow")],
        ),
    ],
)
def test_descriptions_of_other_fields_are_accepted(names, items):
    judge = Judge(names)
    wrong = [judge.refused((0, 1), attribute, (first, second)) for attribute, first, second in items]
    assert wrong == [None] * len(items)


@pytest.mark.parametrize(
    ("attribute", "first", "second"),
    [
        ("colour", "The colour of the first class is red", "blue"),
        ("fur", "same as above", "short"),
        ("fur", "I don't know", "unknown"),
        ("fur", "N/A", "none"),
        ("fur", "a photo of a cat, with", "a photo of a dog, with"),
        ("fur", "This attribute is not visible in photos", "none"),
        ("fur", "A caption for the cat", "A caption for the dog"),
        ("fur", "insert caption here", "[caption]"),
        ("fur", "$10", "$20"),
        ("age", "12 years", "15 years"),
    ],
)
def test_what_small_models_write(attribute, first, second):
    assert Judge(("cat", "dog")).refused((0, 1), attribute, (first, second)) is not None
