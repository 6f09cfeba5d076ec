"""Measures what the prompt search gains on unseen images from more labelled ones, on Pets and on CIFAR-10 photographs.

    python benchmarks/prompt_search.py [--data pets cifar10] [--shots 1 2 3 4] [--seeds 5] [--first-seed 0] [--half even]

For each number of labelled images per class it prints, as means over draws, the accuracy on the other images of the template,
of ProAPO's sets of prompts and of the result, and the gap between the folds' own and unseen images that the result reports.
It needs the photographs (SAYWHY_DATA). CIFAR-10's classes have ten short descriptions each, written for this file.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter
from pathlib import Path

import numpy as np
from pets import embedded_pets

from agents import PromptOptimizer, class_vectors, load_encoder

CIFAR10 = {
    "airplane": "long wings;a white fuselage;a tail fin;jet engines under the wings;blue sky behind;landing gear;"
    "a pointed nose;a runway;propellers;a cockpit window",
    "automobile": "four wheels;a windshield;headlights;a license plate;a shiny hood;a road;doors and mirrors;"
    "a small passenger cabin;red paint;a parking lot",
    "bird": "feathers;a beak;two thin legs;wings folded;perched on a branch;a small round head;colourful plumage;a nest;"
    "long tail feathers;grass behind",
    "cat": "pointed ears;whiskers;green eyes;a striped coat;a long tail;soft fur;a small pink nose;lying on a sofa;"
    "paws with claws;"
    "a kitten face",
    "deer": "antlers;brown fur;slender legs;a forest behind;a white tail;large ears;grazing in a meadow;spots on the back;"
    "a long neck;hooves",
    "dog": "floppy ears;a wet nose;an open mouth with a tongue;a collar;a wagging tail;short fur;a long snout;puppy eyes;"
    "standing on grass;four paws",
    "frog": "green skin;bulging eyes;webbed feet;sitting on a leaf;wet skin;a wide mouth;brown spots;a pond;long hind legs;"
    "a small round body",
    "horse": "a mane;long legs;a saddle;a rider;hooves;a long head;a brown coat;a stable;a flowing tail;a green pasture",
    "ship": "a hull;water around;masts;containers on deck;smoke stacks;a harbour;sails;a bow and a stern;blue sea;"
    "a large white cruise liner",
    "truck": "a large cargo bed;a big grille;many wheels;a trailer;a driver cabin;a dump bed;a fire engine ladder;a highway;"
    "bright red paint;exhaust pipes",
}


class Remembering:
    """An encoder that keeps the embeddings of texts: searches over the same texts take turns here."""

    def __init__(self, encoder):
        self.encoder, self.rows = encoder, {}

    def encode_texts(self, texts):
        """The rows of texts, each encoded once."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.rows]
        if fresh:
            self.rows.update(zip(fresh, self.encoder.encode_texts(fresh), strict=True))
        return np.stack([self.rows[text] for text in texts])


def measure(what, encoder, names, rows, labels, library, shots, seeds):
    encoder = Remembering(encoder)
    for count in shots:
        table, kinds = [], Counter()
        for seed in seeds:
            rng = np.random.default_rng(seed)
            few = np.concatenate([rng.permutation(np.flatnonzero(labels == index))[:count] for index in range(len(names))])
            unseen = np.setdiff1d(np.arange(len(labels)), few)
            sets = PromptOptimizer(encoder, names, seed=seed, folds=0, strengths=(), kind="descriptions")
            found = PromptOptimizer(encoder, names, seed=seed).fit_embedded(rows[few], labels[few], library)
            every = (
                {name: [f"a photo of a {name}."] for name in names},
                sets.fit_embedded(rows[few], labels[few], library).prompts,
                found.prompts,
            )
            right = [
                (
                    (rows[unseen] @ class_vectors(encoder, [prompts[name] for name in names]).T).argmax(axis=1)
                    == labels[unseen]
                ).mean()
                for prompts in every
            ]
            gap = found.cross_validation.gap
            table.append((*right, np.nan if gap is None else gap))
            kinds[found.cross_validation.chosen] += 1
        template, published, result, gap = np.mean(table, axis=0)
        print(
            f"{what}, {count} per class: template {template:.1%}, ProAPO's sets {published:.1%}, result {result:.1%}, "
            f"gap {'unknown' if np.isnan(gap) else f'{gap:.1%}'}; "
            f"{', '.join(f'{kind} ({times})' for kind, times in kinds.items())}",
            flush=True,
        )


def pets(options, seeds):
    with embedded_pets() as found:
        if found is None:
            return
        start, step = {"all": (0, 1), "even": (0, 2), "odd": (1, 2)}[options.half]
        names = found.names[start::step]
        place = {found.names.index(name): number for number, name in enumerate(names)}
        keep = np.isin(found.labels, list(place))
        labels = np.array([place[label] for label in found.labels[keep]])
        library = {name: texts for name, texts in found.pairs.by_class(found.names).items() if name in names}
        measure("Pets", found.encoder, names, found.rows[keep], labels, library, options.shots or [1, 2, 3, 4], seeds)


def cifar10(options, seeds):
    data = Path(os.environ.get("SAYWHY_DATA") or Path(__file__).parents[1].parent / "shared" / "data")
    file = data / "cifar10" / "cifar10_test_jpeg.npz"
    if not file.exists():
        print("CIFAR-10: skipped, because the images are not here (set SAYWHY_DATA to the folder that holds them)")
        return
    content = np.load(file)
    spec = f"conse:{data}/pets/squeezenet.onnx?names={data}/pets/imagenet_class_names.json+minilm"
    encoder = load_encoder(spec)
    rows = encoder.encode_images(content["images"].astype(np.float32) / 255)
    library = {name: texts.split(";") for name, texts in CIFAR10.items()}
    measure("CIFAR-10", encoder, list(CIFAR10), rows, content["labels"], library, options.shots or [1, 2, 4, 8, 16], seeds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="+", choices=["pets", "cifar10"], default=["pets", "cifar10"])
    parser.add_argument("--shots", type=int, nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--half", choices=["all", "even", "odd"], default="all")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    for name in options.data:
        {"pets": pets, "cifar10": cifar10}[name](options, seeds)


if __name__ == "__main__":
    main()
