"""Descriptions never go to the wrong class: numbers are held against what the captions name, names match in any order."""

from __future__ import annotations

import itertools
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest

from agents import DifferentialClassifier, PairDescriptions, UsageError, read_descriptions, read_pairs, write_pairs
from agents.prompting import Contrast, PromptSet, classify_by_prompts, describe_to_file
from agents.prompting.descriptions.order import judged
from agents.prompting.descriptions.reading.mentions import Mentions
from evals.prompts import evaluate_pairs, evaluate_prompts, is_pair_file
from verbalize.saliency import Query
from verbalize.write.background import Background

BREEDS = [
    "Abyssinian",
    "American Bulldog",
    "american_pit-bull terrier",
    "Basset Hound",
    "Beagle",
    "Bengal",
    "Boxer",
    "Saint Bernard",
]
LOOKS = [
    "short, ticked fur",
    "a broad chest",
    "a square jaw",
    "long ears",
    "a white muzzle",
    "spots",
    "a dark mask",
    "a thick coat",
]


def captions(name, look):
    return f"a photo of {'an' if name[0] in 'aA' else 'a'} {name.lower().replace('_', ' ')}, with {look}."


def pairs_of(names=BREEDS, *, named=False, some=None):
    """Numbers as FuDD's own files have them: captions alone tell what they are about."""
    entries = {}
    for i, j in some or itertools.combinations(range(len(names)), 2):
        entries[i, j] = [Contrast("look", (captions(names[i], LOOKS[i]), captions(names[j], LOOKS[j])))]
    return PairDescriptions(entries, dict(enumerate(names)) if named else None)


def test_the_right_order_is_taken():
    arranged = pairs_of().arranged(BREEDS)
    assert arranged == pairs_of()
    assert arranged.order == "captions"
    assert arranged.arranged(BREEDS) is arranged


def test_sorted_folder_names_do_not_get_the_captions_of_others():
    """Folders are sorted by capitals first, and a Bengal must not be described as an American bulldog."""
    folders = sorted(BREEDS, key=lambda name: name.swapcase())
    assert folders != BREEDS
    with pytest.raises(
        UsageError, match=r"are about '.*'; and so on for \d more; give the list .* in its order \(--classes FILE\)"
    ):
        pairs_of().arranged(folders, "fudd.json")


@pytest.mark.parametrize(("i", "j"), [(0, 1), (1, 5), (2, 6), (3, 7)])
def test_two_exchanged_classes_are_found_and_named(i, j):
    swapped = list(BREEDS)
    swapped[i], swapped[j] = swapped[j], swapped[i]
    with pytest.raises(UsageError) as refused:
        pairs_of().arranged(swapped, "fudd.json")
    assert f"captions for class {i}, {swapped[i]!r}, are about {BREEDS[i]!r}" in str(refused.value)
    assert str(refused.value).startswith("fudd.json has class numbers of another list")


def test_every_door_refuses_them(tmp_path):
    write_pairs(pairs_of(), tmp_path / "fudd.json")
    wrong = [*BREEDS[1:], BREEDS[0]]
    file = tmp_path / "fudd.json"

    class Space:
        truncated = 0

        def encode_texts(self, texts):
            return np.ones((len(texts), 4), dtype=np.float32)

    rows, labels = np.ones((3, 4), dtype=np.float32), np.array([0, 1, 2])
    for door in (
        lambda: read_pairs(file, wrong),
        lambda: read_descriptions(file, wrong),
        lambda: read_pairs(file).by_class(wrong),
        lambda: DifferentialClassifier(Space(), wrong, file),
        lambda: evaluate_pairs(Space(), wrong, json.loads(file.read_text()), rows, labels),
        lambda: Background.of(file, class_names=wrong),
        lambda: describe_to_file(None, wrong, [(0, 1)], file),
    ):
        with pytest.raises(UsageError, match="another order"):
            door()


def test_pairs_with_names_fit_any_order_and_spelling(tmp_path):
    write_pairs(pairs_of(named=True), tmp_path / "ours.json")
    other = [
        "saint-bernard",
        "BOXER",
        "Bengal",
        "beagle",
        "Basset_hound",
        "American Pit Bull Terrier",
        "american bulldog",
        "Abyssinian",
    ]
    found = read_pairs(tmp_path / "ours.json", other)
    assert found.order == "names"
    assert found.problems == ()
    for i, j in itertools.combinations(range(8), 2):
        assert found[i, j][0].captions == (captions(BREEDS[7 - i], LOOKS[7 - i]), captions(BREEDS[7 - j], LOOKS[7 - j]))
    assert found.by_class(other)["Bengal"] == [captions("Bengal", "spots")]
    assert found.names[0] == "saint-bernard"


def test_classes_that_the_list_lacks_are_told_and_never_lost(tmp_path):
    write_pairs(pairs_of(named=True), tmp_path / "ours.json")
    found = read_pairs(tmp_path / "ours.json", ["Beagle", "Bengal", "Boxer", "Pug"])
    assert set(found) == {(0, 1), (0, 2), (1, 2)}
    assert sum(int(problem.what.split()[0]) for problem in found.problems) == 28 - 3
    assert "'Abyssinian' left out, which the class list does not hold" in found.problems[0].what
    with pytest.raises(UsageError, match="they would be lost; name another --out"):
        describe_to_file(None, ["Beagle", "Bengal", "Boxer"], [(0, 1)], tmp_path / "ours.json")
    with pytest.raises(UsageError, match=r"describes none of the 2 classes; it speaks of 'Abyssinian'; is 'Abysinian' meant\?"):
        read_pairs(tmp_path / "ours.json", ["Abysinian", "Pug"])


def test_captions_without_names_leave_the_order_unknown():
    entries = {(0, 1): [Contrast("ears", ("long ears", "short ears"))]}
    assert PairDescriptions(entries).arranged(["Beagle", "Boxer"]).order == "unknown"


def strange_of(texts, names):
    """Of captions by class, without the classes that they are told apart from."""
    return judged({number: [(text, None) for text in own] for number, own in texts.items()}, names).strange


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        # the name of one class is a word for another one
        (["orange", "basketball"], {0: ["a photo of an orange, peeled", "an orange on a tree"], 1: ["an orange ball", "an orange ball, lines"]}),
        (["orange", "basketball"], {0: ["a peeled fruit"], 1: ["an orange ball", "an orange sphere", "black lines"]}),
        (["dog", "bulldog"], {0: ["a dog, long legs", "a dog with fur"], 1: ["a dog with a flat face", "a dog, broad"]}),
        (["cat", "tiger cat", "tiger"], {0: ["a cat, grey"], 1: ["a tiger cat, striped"], 2: ["a tiger, orange"]}),
        (["bulldog", "american bulldog"], {0: ["wrinkles", "a pet"], 1: ["a bulldog, tall", "a bulldog with a broad chest"]}),
        (["lynx", "cat", "cow"], {0: ["a cat with tufted ears", "long legs"], 1: ["a small pet", "whiskers"], 2: ["a cow, horns"]}),
        (["car", "wheel"], {0: ["four black wheels", "two headlights", "a windscreen"], 1: ["round", "with spokes", "of rubber"]}),
        # a comparison names both, or the other one alone
        (["crow", "raven"], {0: ["a crow, smaller than a raven"], 1: ["a raven, larger than a crow"]}),
        (["crow", "raven"], {0: ["smaller than the beak of a raven"], 1: ["larger, whereas the beak of a crow is thin"]}),
        (["crow", "raven"], {0: ["a croak that the raven lacks"], 1: ["a tail that the crow lacks"]}),
        # one caption alone is about the other class, and the other class has none
        (["wolf", "dog"], {0: ["a dog-like animal, grey"]}),
        (["bee", "wasp"], {0: ["bees with hairy bodies"], 1: ["Wasps: smooth bodies"]}),
        (["a.b", "c{}d"], {0: ["a photo of a a.b, x"], 1: ["a photo of a c{}d, y"]}),
        # words of any caption
        (["1", "2", "8"], {0: ["1 stroke"], 1: ["1 curve"], 2: ["2 loops"]}),
        (["A", "B"], {0: ["a hand"], 1: ["a fist"]}),
    ],
)  # fmt: skip
def test_right_captions_are_never_refused(names, texts):
    assert strange_of(texts, names) == ()


STYLES = [
    "a photo of a {}, with {}.",
    "This is a photo of a {} with {}.",
    "{0}: {1}",
    "The {1} of a {0}.",
    "photo showing {1} on the {0}",
    "With {1}, the {0} stands out.",
    "a fluffy young {} with {}",
    "a {0} with {1}, unlike a {2}.",
    "Unlike the {2}, the {0} has {1}.",
    "Two {}s with {}",
]


def styled(style, names=BREEDS):
    def text(one, other):
        return style.format(names[one].lower().replace("_", " "), LOOKS[one], names[other].lower().replace("_", " "))

    pairs = itertools.combinations(range(len(names)), 2)
    return PairDescriptions({(i, j): [Contrast("look", (text(i, j), text(j, i)))] for i, j in pairs})


@pytest.mark.parametrize("style", STYLES)
def test_captions_of_any_wording_tell_the_order(style):
    pairs = styled(style)
    right = pairs.arranged(BREEDS)
    assert (right.order, right.unchecked) == ("captions", ())
    for i, j in itertools.combinations(range(len(BREEDS)), 2):
        swapped = list(BREEDS)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        with pytest.raises(UsageError, match=f"for class {i}, '{swapped[i]}', are about '{BREEDS[i]}'; .* class {j}, "):
            pairs.arranged(swapped)
    with pytest.raises(UsageError, match="another order"):
        pairs.arranged(sorted(BREEDS))


def test_classes_that_their_captions_do_not_name_are_told():
    pairs = pairs_of([*BREEDS[:6], "x1", "x2"]).arranged(BREEDS)
    assert (pairs.order, pairs.unchecked) == ("captions", (6, 7))
    compared = styled("{1}, longer than those of a {2}").arranged(BREEDS)
    assert compared.order == "unknown"


def test_names_are_whole_words_and_the_longest_counts():
    names = Mentions(["cat", "Caracal cat", "Cats of Prey", "St. Bernard", "roses", "crane (bird)", "crane (machine)"])

    def seen(text):
        return [(one.numbers, one.leads, one.compared) for one in names.in_text(text)]

    assert seen("A photo of a caracal-cat, unlike a CAT; concatenate") == [((1,), True, False), ((0,), False, True)]
    assert seen("two St Bernards") == seen("two St. Bernards.") == [((3,), True, False)]
    assert Mentions(["tiger", "tiger cat"]).in_text("a tiger, cat-like")[0].numbers == (0,)
    assert seen("a rose beside cats of prey") == [((4,), True, False), ((2,), False, False)]
    assert seen("without fur, the cat") == [((0,), False, False)]
    assert seen("a crane") == [((5, 6), True, False)]
    assert Mentions([]).in_text("a cat") == ()
    assert [one.numbers for one in Mentions(["猫", "熊猫", "बाघ"]).in_text("一张熊猫的照片和猫, बाघ")] == [(1,), (0,), (2,)]


def test_synonyms_and_alternatives_count():
    names = Mentions(["tench, Tinca tinca", "Highway or Road", "Sea/Lake"])
    assert [one.numbers for one in names.in_text("a tinca tinca, a road, a highway, a lake")] == [(0,), (1,), (1,), (2,)]


def test_random_files_and_orders():
    """No file is refused for its own list; of a few pairs, a shuffled list is refused wherever a described class has moved."""
    draw = random.Random(0)
    every = list(itertools.combinations(range(8), 2))
    for _ in range(100):
        pairs = pairs_of(some=draw.sample(every, draw.choice([2, 3, 5, 28])))
        assert len(pairs.arranged(BREEDS)) == len(pairs)
        shuffled = draw.sample(BREEDS, 8)
        found = {one.given for one in strange_of(_by_number(pairs), shuffled)}
        moved = {number for pair in pairs for number in pair if shuffled[number] != BREEDS[number]}
        assert found <= moved
        if len({number for pair in pairs for number in pair}) == 8:
            assert found == moved


def _by_number(pairs):
    texts = {}
    for pair, contrasts in pairs.items():
        for side in (0, 1):
            texts.setdefault(pair[side], []).extend(one.captions[side] for one in contrasts)
    return texts


def test_fudds_own_file_of_pets():
    data = Path(os.environ.get("SAYWHY_DATA", "/nowhere")) / "pets"
    if not data.is_dir():
        pytest.skip("SAYWHY_DATA names no folder with the pets")
    names = json.loads((data / "class_names.json").read_text())
    file = read_pairs(data / "fudd_pets_pairs.json")
    right = file.arranged(names)
    assert (right.order, right.unchecked) == ("captions", ())
    with pytest.raises(UsageError, match="'Bengal', are about 'american bulldog'"):
        file.arranged(sorted(names))
    for i, j in itertools.islice(itertools.combinations(range(len(names)), 2), 0, None, 29):
        swapped = list(names)
        swapped[i], swapped[j] = swapped[j], swapped[i]
        with pytest.raises(UsageError, match="another order"):
            file.arranged(swapped)


def test_a_file_put_together_from_two_lists_is_refused(tmp_path):
    one = {"classes": [0, 1], "names": ["cat", "dog"], "prompt_pairs": [{"attr_type": "x", "prompt_pair": ["a", "b"]}]}
    (tmp_path / "mixed.json").write_text(json.dumps({"0_1": one, "0_2": {**one, "classes": [0, 2], "names": ["dog", "owl"]}}))
    with pytest.raises(UsageError, match="names its class 0 both 'cat' and 'dog'"):
        read_pairs(tmp_path / "mixed.json")
    (tmp_path / "text.json").write_text(json.dumps({"0_1": one, "0_2": {**one, "classes": [0, 2], "names": "ab"}}))
    assert "names must be two texts" in read_pairs(tmp_path / "text.json").problems[0].what


def test_names_that_two_classes_share_mix_nothing_up():
    """ImageNet names a bird and a machine "crane"."""
    names = ["crane", "dog", "crane"]
    pairs = PairDescriptions(
        {(0, 1): [Contrast("x", ("feathers", "fur"))], (1, 2): [Contrast("x", ("fur", "steel"))]}, dict(enumerate(names))
    )
    same = pairs.arranged(names)
    assert [one[0].captions for one in same.values()] == [("feathers", "fur"), ("fur", "steel")]
    fewer = PairDescriptions({**pairs, (1, 3): [Contrast("x", ("tail", "wings"))]}, {**pairs.names, 3: "owl"}).arranged(
        ["owl", "crane", "dog"]
    )
    assert dict(fewer) == {(0, 2): (Contrast("x", ("wings", "tail")),)}
    assert fewer.problems[0].what == "2 pairs of 'crane' left out, since several classes of the file are named so"
    with pytest.raises(UsageError, match="the classes 0 and 2 are both named 'crane'"):
        PairDescriptions(pairs, {0: "Crane", 1: "dog", 2: "x"}).arranged(names)
    assert Background.of(pairs).sentences(Query("crane", versus=("dog",))) == ()

    class Space:
        truncated = 0

        def encode_texts(self, texts):
            return np.array(
                [np.eye(4)[["crane", "dog", "owl", "cat"].index(text.split()[-1])] for text in texts], dtype=np.float32
            )

    names = ["crane", "crane", "dog", "owl", "cat"]
    library = {name: [f"a {name}"] for name in names}
    found = classify_by_prompts(Space(), names, library, np.eye(4, dtype=np.float32), candidates=2, template="a {}")
    assert found.final.tolist() == found.first.tolist() == [0, 2, 3, 4]
    report = evaluate_prompts(
        Space(), names, library, np.eye(4, dtype=np.float32), np.array([0, 2, 3, 4]), template="a {}", draws=0
    )
    assert report.comparison.after.value == 1


def test_background_matches_names_and_never_the_wrong_one():
    pairs = PairDescriptions(
        {(0, 1): [Contrast("x", ("big", "small"))], (1, 2): [Contrast("x", ("small", "tall"))]},
        {0: "Cat", 1: "Dog_House", 2: "cat"},
    )
    known = Background.of(pairs)
    assert "big" in known.sentences(Query("Cat", versus=("dog-house",)))[0]
    assert "tall" in known.sentences(Query("cat", versus=("dog house",)))[0]
    assert known.sentences(Query("CAT", versus=("dog house",))) == ()
    fewer = Background.of(pairs, class_names=["dog house", "Cat", "owl"])
    assert "big" in fewer.sentences(Query("Cat", versus=("dog house",)))[0]


def test_near_names_are_told_and_classes_without_descriptions_listed(tmp_path):
    file = tmp_path / "d.json"
    file.write_text(json.dumps({"Yorkshire_Terier": ["small"], "pug": ["flat", "flat"], "owl": ["wings"]}))
    found = read_descriptions(file, ["Yorkshire terrier", "Pug"])
    assert found == {"Yorkshire terrier": [], "Pug": ["flat", "flat"]}
    assert found.missing == ("Yorkshire terrier",)
    assert [one.what for one in found.problems] == [
        "'Yorkshire_Terier' is in no class list, and 'Yorkshire terrier' has no descriptions; is it meant? Rename one"
    ]


def test_cupls_form_goes_out_and_comes_back(tmp_path):
    prompts = {"Great Dane": ["a tall {dog}, ünïcode", "a tall {dog}, ünïcode"], "pug": ["a pug"]}
    made = PromptSet(prompts, (), "a {}", (), 1.0, 0.0, 0.0, 1, 0.0)
    made.write_cupl(tmp_path / "flat.json")
    made.write_cupl(tmp_path / "set.json", data_set="dogs")
    made.write(tmp_path / "own.json")
    assert json.loads((tmp_path / "flat.json").read_text(encoding="utf-8")) == prompts
    assert json.loads((tmp_path / "set.json").read_text(encoding="utf-8")) == {"dogs": prompts}
    for file in ("flat.json", "set.json", "own.json"):
        assert read_descriptions(tmp_path / file, ["Pug", "great-dane"]) == {
            "Pug": ["a pug"],
            "great-dane": prompts["Great Dane"],
        }
        assert not is_pair_file(tmp_path / file)
    (tmp_path / "two.json").write_text(json.dumps({"dogs": prompts, "cats": {"cat": ["a cat"]}}))
    with pytest.raises(UsageError, match=r"prompts of 2 data sets \('dogs', 'cats'\)"):
        read_descriptions(tmp_path / "two.json", ["pug"])
    with pytest.raises(UsageError, match="'owl' has no prompt"):
        PromptSet({"owl": []}, (), "a {}", (), 1.0, 0.0, 0.0, 1, 0.0).write_cupl(tmp_path / "no.json")
    assert not (tmp_path / "no.json").exists()


def test_descriptions_by_class_in_two_spellings(tmp_path):
    file = tmp_path / "d.json"
    file.write_text(json.dumps({"Great-Dane": ["tall"], "GREAT_DANE": ["big"], "pug": ["flat"]}))
    with pytest.raises(UsageError, match="'Great-Dane' and 'GREAT_DANE' may both be the class 'great dane'"):
        read_descriptions(file, ["great dane", "Pug"])
    file.write_text(json.dumps({"great dane": ["tall"], "GREAT_DANE": ["big"]}))
    assert read_descriptions(file, ["great dane", "Pug"]) == {"great dane": ["tall"], "Pug": []}
