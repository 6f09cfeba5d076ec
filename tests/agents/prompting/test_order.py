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
from agents.prompting import Contrast, describe_to_file
from agents.prompting.descriptions.order import Names, strange_classes
from evals.prompts import evaluate_pairs
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


@pytest.mark.parametrize(
    ("names", "texts"),
    [
        # the name of one class is a word for another one
        (["orange", "basketball"], {0: ["a photo of an orange, peeled", "an orange on a tree"], 1: ["an orange ball", "an orange ball, lines"]}),
        (["dog", "bulldog"], {0: ["a dog, long legs", "a dog with fur"], 1: ["a dog with a flat face", "a dog, broad"]}),
        (["cat", "tiger cat", "tiger"], {0: ["a cat, grey"], 1: ["a tiger cat, striped"], 2: ["a tiger, orange"]}),
        # a comparison names both
        (["crow", "raven"], {0: ["a crow, smaller than a raven"], 1: ["a raven, larger than a crow"]}),
        # one caption alone is about the other class, and the other class has none
        (["wolf", "dog"], {0: ["a dog-like animal, grey"]}),
        (["bee", "wasp"], {0: ["bees with hairy bodies"], 1: ["Wasps: smooth bodies"]}),
        (["a.b", "c{}d"], {0: ["a photo of a a.b, x"], 1: ["a photo of a c{}d, y"]}),
    ],
)  # fmt: skip
def test_right_captions_are_never_refused(names, texts):
    assert strange_classes(texts, names)[0] == []


def test_names_are_whole_words_and_the_longest_counts():
    names = Names(["cat", "Caracal cat", "Cats of Prey", "St. Bernard"])
    assert names.in_text("A photo of a caracal-cat, unlike a CAT; concatenate") == [(1, True), (0, False)]
    assert names.in_text("two St Bernards") == [(3, False)]
    assert Names([]).in_text("a cat") == []


def test_random_files_and_orders():
    """No file is refused for its own list; of a few pairs, a shuffled list is refused wherever a described class has moved."""
    draw = random.Random(0)
    every = list(itertools.combinations(range(8), 2))
    for _ in range(200):
        pairs = pairs_of(some=draw.sample(every, draw.choice([2, 3, 5, 28])))
        assert len(pairs.arranged(BREEDS)) == len(pairs)
        shuffled = draw.sample(BREEDS, 8)
        found = {one.given for one in strange_classes(_by_number(pairs), shuffled)[0]}
        moved = {number for pair in pairs for number in pair if shuffled[number] != BREEDS[number]}
        described = {number for pair in pairs for number in pair}
        lone = {n for n in moved if shuffled.index(BREEDS[n]) not in described and len(set(_by_number(pairs)[n])) < 2}
        assert found == moved - lone


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
    assert read_pairs(data / "fudd_pets_pairs.json", names).order == "captions"
    with pytest.raises(UsageError, match="another order"):
        read_pairs(data / "fudd_pets_pairs.json", sorted(names))


def test_descriptions_by_class_in_two_spellings(tmp_path):
    file = tmp_path / "d.json"
    file.write_text(json.dumps({"Great-Dane": ["tall"], "GREAT_DANE": ["big"], "pug": ["flat"]}))
    with pytest.raises(UsageError, match="'Great-Dane' and 'GREAT_DANE' may both be the class 'great dane'"):
        read_descriptions(file, ["great dane", "Pug"])
    file.write_text(json.dumps({"great dane": ["tall"], "GREAT_DANE": ["big"]}))
    assert read_descriptions(file, ["great dane", "Pug"]) == {"great dane": ["tall"], "Pug": []}
