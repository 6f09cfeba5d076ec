"""Some twenty descriptions and twenty that are none, in several languages and fields; names of one sign; repeats over a file."""

from __future__ import annotations

import json

import pytest

from agents import chat_model
from agents.prompting import Contrast, PairDescriptions, caption, describe_to_file, usable, write_refusals
from agents.prompting.descriptions.judging.judge import Judge
from agents.prompting.descriptions.reading.mentions import Mentions

BIRDS = ("house sparrow", "European robin")
CARS = ("Audi A4 Sedan 2012", "BMW X5 SUV 2007")
TEXTURES = ("braided", "cracked")
FOOD = ("pho", "ramen")
HUNDE = ("Dackel", "Schäferhund")
FRUTAS = ("manzana", "pera")
鸟 = ("麻雀", "知更鸟")


@pytest.mark.parametrize(
    ("names", "attribute", "first", "second"),
    [
        (BIRDS, "breast", "a photo of a house sparrow, with a streaked grey breast", "a photo of an European robin, orange breast"),
        (BIRDS, "bill", "a short, thick bill", "a thin, pointed bill"),
        (BIRDS, "song post", "sparrows on a roof", "a robin on a spade handle"),
        (CARS, "body", "an Audi A4 with a low, sloping roof", "a tall body with a tailgate"),
        (CARS, "grille", "a single large trapezoid grille", "two kidney-shaped grilles"),
        (CARS, "badge", "four rings", "a blue and white roundel"),
        (TEXTURES, "lines", "strands that cross over each other", "thin, dark, branching lines"),
        (TEXTURES, "look", "a pretty regular weave", "an irregular network of fissures"),
        (FOOD, "noodles", "flat white rice noodles", "wavy yellow wheat noodles"),
        (FOOD, "topping", "a beautiful bowl with Thai basil and lime", "a beautiful bowl with a halved egg"),
        (HUNDE, "Beine", "ein Dackel mit sehr kurzen Beinen", "ein Schäferhund mit langen Beinen"),
        (HUNDE, "Ohren", "lange Schlappohren", "spitze, aufrechte Ohren"),
        (HUNDE, "Fell", "schönes, glattes Fell", "schönes, langes Fell"),
        (FRUTAS, "forma", "una manzana redonda", "una pera más estrecha arriba"),
        (FRUTAS, "color", "piel roja brillante", "piel verde con manchas"),
        (FRUTAS, "tallo", "sin tallo", "un tallo largo"),
        (鸟, "胸部", "一张麻雀的照片，灰色的胸部", "一张知更鸟的照片，橙色的胸部"),
        (鸟, "嘴", "漂亮的短嘴", "漂亮的细长嘴"),
        (("tench, Tinca tinca", "goldfish"), "colour", "a photo of a tench, olive green", "an orange goldfish"),
        (CARS, "markings", "striking markings", "plain markings"),
        (("plain", "spotted"), "stripes", "beautiful stripes", "no stripes"),
    ],
)  # fmt: skip
def test_descriptions_in_many_words_are_accepted(names, attribute, first, second):
    assert Judge(names).refused((0, 1), attribute, (first, second)) is None


@pytest.mark.parametrize(
    ("names", "attribute", "first", "second", "kind"),
    [
        (BIRDS, "plumage", "beautiful plumage", "gorgeous plumage", "praise"),
        (BIRDS, "plumage", "a photo of a house sparrow, with stunning feathers", "an European robin with lovely feathers", "praise"),
        (BIRDS, "breast", "____", "an orange breast", "placeholder"),
        (BIRDS, "breast", "a house sparrow with a ____ breast", "an orange breast", "placeholder"),
        (BIRDS, "breast", "this one is easy to recognise", "an orange breast", "vague"),
        (CARS, "body", "an impressive, elegant car body", "a really nice car body", "praise"),
        (CARS, "body", "[BODY STYLE]", "an SUV", "placeholder"),
        (CARS, "doors", "the other one is better", "four doors", "vague"),
        (TEXTURES, "surface", "very interesting", "quite different", "vague"),
        (TEXTURES, "surface", "????", "fissures", "placeholder"),
        (FOOD, "broth", "amazing broth", "a clear broth", "praise"),
        (FOOD, "broth", "broth broth broth", "a clear liquid", "repetition"),
        (HUNDE, "Fell", "wunderschönes Fell", "prächtiges Fell", "praise"),
        (HUNDE, "Fell", "ein Dackel, der typisch aussieht", "langes Fell", "vague"),
        (HUNDE, "Fell", "hier einfügen", "langes Fell", "placeholder"),
        (FRUTAS, "color", "un color precioso", "un color muy bonito", "vague"),
        (FRUTAS, "piel", "una manzana con piel hermosa", "una pera con piel bonita", "praise"),
        (FRUTAS, "piel", "por completar", "piel verde", "placeholder"),
        (鸟, "羽毛", "美丽的羽毛", "漂亮的羽毛", "praise"),
        (鸟, "羽毛", "一张麻雀的照片，非常独特", "橙色的羽毛", "vague"),
    ],
)  # fmt: skip
def test_junk_in_many_words_is_refused_with_a_reason(names, attribute, first, second, kind):
    found = Judge(names).refused((0, 1), attribute, (first, second))
    assert found is not None
    assert found.kind == kind
    assert len(found.why.split()) > 3


@pytest.mark.parametrize(
    ("names", "attribute", "first", "second"),
    [
        (("A", "B"), "shape", "a closed fist with a thumb at the side", "an open palm, fingers together"),
        (("A", "B"), "shape", "a photo of the letter A, a closed fist", "a photo of the letter B, a flat hand"),
        (("A", "B"), "class A shape", "a photo of class A, with a bar", "B: two bowls"),
        (("a", "b"), "shape", "a photo of an a, with a round bowl", "a photo of a b, with a tall stem"),
        (("1", "2"), "strokes", "1 stroke", "2 strokes"),
        (("1", "2"), "loops", "a photo of a 1, with 2 serifs", "a photo of a 2, with 1 loop"),
        (("1", "7"), "top", "a 1 without a bar, unlike a 7", "a 7 with a bar"),
        (("0", "8"), "loops", "one loop", "an 8 with 2 loops"),
        (("I", "O"), "shape", "an I with serifs", "a round ring"),
        (("class 1", "class 2"), "colour", "a photo of class 1, red", "class 2 in blue"),
        (("photo", "painting"), "surface", "a photo of a photo, sharp", "a photo of a painting, with brush strokes"),
        (("dog", "photo"), "surface", "photo: a dog with a wet nose", "a photo with a white edge"),
        (("C++", "C#"), "logo", "a C++ logo with two plus signs", "a C# logo with a hash sign"),
        (("あ", "い"), "形", "三画で丸い形", "二本の縦線"),
        (("一", "二"), "笔画", "一条横线", "两条横线"),
        (("и", "н"), "штрих", "наклонная черта в середине", "прямая черта и две ножки"),
        (("Siberian tiger", "lynx", "tiger"), "coat", "a tiger with thick fur", "a lynx with spots"),
        (("wolf", "dog"), "head", "a photo of a dog-like head, grey", "a dog with floppy ears"),
        (("border collie", "wolf"), "coat", "two border collies, black and white", "wolves with grey fur"),
    ],
)
def test_names_of_one_sign_or_of_common_words_refuse_nothing_wrongly(names, attribute, first, second):
    assert Judge(names).refused((0, 1), attribute, (first, second)) is None
    numbered = {(0, 1): [Contrast(attribute, (first, second))]}
    assert len(PairDescriptions(numbered).arranged(names)) == 1
    assert len(usable(PairDescriptions(numbered, dict(enumerate(names))), names)[0]) == 1


def test_names_of_one_sign_are_found_where_they_stand_for_the_thing():
    def kind(names, first, second):
        found = Judge(names).refused((0, 1), "shape", (first, second))
        return found and found.kind

    assert kind(("A", "B"), "a photo of the letter A", "a photo of the letter B") == "name only"
    assert kind(("A", "B"), "a photo of a B, with two bowls", "a photo of an A, with a bar") == "other class"
    assert kind(("1", "7"), "a photo of a 7, with a bar", "a photo of a 1, thin") == "other class"
    assert kind(("1", "7"), "the digit 1, with a curve", "the digit 7, with a curve") == "same"
    digits = {(1, 7): [Contrast("bar", ("a photo of a 1, thin", "a photo of a 7, with a bar"))]}
    assert PairDescriptions(digits).arranged(list("0123456789")).order == "captions"
    assert caption("a closed fist", "A", "a hand sign {}.") == "a hand sign A, a closed fist."
    assert caption("2 loops", "2", "a photo of a {}.") == "a photo of a 2, 2 loops."
    assert caption("the letter A, a closed fist", "A", "a hand sign {}.") == "the letter A, a closed fist"


@pytest.mark.parametrize(
    ("names", "text", "numbers"),
    [
        (["daisy", "bus", "rose", "movie"], "daisies, buses, roses and movies", [0, 1, 2, 3]),
        (["roses", "wolf", "knife", "glove"], "a rose, wolves, knives and gloves", [0, 1, 2, 3]),
        (["mouse", "fireman", "box", "potato"], "mice, firemen, boxes, potatoes", [0, 1, 2, 3]),
        (["den", "tea", "plan"], "dense fur, a team on a planet", []),
        (["Wilson's warbler", "l'orange"], "a Wilsons warbler, a Wilson’s warbler's wing", [0, 0]),
        (["orange"], "la peau de l'orange", [0]),
        (["tiger", "tiger cat"], "a tiger, cat ears", [0]),
        (["<b>", "R&B", "😀"], "a <b> sign, an R&B record, 😀", [0, 1, 2]),
        (["บาง", "बाघ"], "रूप बाघ का", [1]),
    ],
)
def test_names_are_found_in_every_form(names, text, numbers):
    found = Mentions(names)
    assert [one.numbers[0] for one in found.in_text(text)] == numbers
    rest = found.without(text)
    assert found.in_text(rest) == ()


def test_a_pair_that_stands_twice_in_a_file_keeps_what_is_new():
    twice = PairDescriptions(
        {
            (0, 1): [Contrast("ears", ("round ears", "long ears")), Contrast("tail", ("a long tail", "a short tail"))],
            (1, 0): [Contrast("ear shape", ("ears, long", "ears, round")), Contrast("eyes", ("green eyes", "blue eyes"))],
        },
        {0: "cat", 1: "dog"},
    )
    kept, ((pair, refused),) = usable(twice, ["cat", "dog"])
    assert [one.attribute for one in kept[0, 1]] == ["ears", "tail", "eyes"]
    assert (pair, refused.attribute, refused.why) == ((0, 1), "ear shape", "it says the same as an earlier attribute")
    assert twice.by_class(["cat", "dog"])["dog"] == ["long ears", "a short tail", "ears, long", "green eyes"]
    assert twice.by_class(["cat", "dog"], distinct=True)["dog"] == ["long ears", "a short tail", "green eyes"]


def test_a_caption_that_many_classes_share_is_told(chat_server, tmp_path):
    names = ["cat", "dog", "owl", "cod", "bat"]

    looks = iter(["brown wings", "short wings", "red fins", "thin ears"])

    def behave(request):
        items = [{"attribute": "legs", "first_caption": "four strong legs", "second_caption": next(looks)}]
        return json.dumps({"attributes": items})

    pairs = [(0, 1), (1, 2), (2, 3), (3, 4)]
    found = describe_to_file(chat_model(f"{chat_server(behave=behave).url}#m"), names, pairs, tmp_path / "o.json")
    assert [one.classes for one in found.repeated] == [(0, 1, 2, 3)]
    assert len(found.pairs) == 4
    write_refusals(found, names, tmp_path / "report.json")
    (told,) = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["repeated"]
    assert told["classes"] == names[:4]
    assert "is said, but for the name, of 4 of the 5 classes described, and tells none of these from another" in told["why"]
