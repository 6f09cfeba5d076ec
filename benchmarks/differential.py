"""Times the follow-up classification of 10,000 images, 1,000 classes, k = 10, beside loops over the images.

    python benchmarks/differential.py [--images 10000] [--classes 1000] [--k 10] [--loop 200] [--breeds all|even] [--only-pets]

Embeddings are random, and every side takes them from a cache. Classes lie in clusters of twenty and images lie near a class,
so that images share candidates as they do in practice. Each pair has four captions per class, and a quarter of the captions
are shared between pairs. One loop is the published procedure (lists of captions, a set, the mean, its norm) in numpy, the
other the published program's steps in torch. Both are timed on the first images, and both must make the same decisions. If the
Pets images are there (SAYWHY_DATA), the report on them follows, with the accuracy by k and the controls, and then every first
look with every aggregation. `--breeds even` takes every other breed, for tuning.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time

import numpy as np
import torch
from pets import embedded_pets

from agents.encoders import unit_rows
from agents.prompting.descriptions.pairs import Contrast, PairDescriptions
from agents.prompting.second_look.aggregation import AGGREGATES
from agents.prompting.second_look.differential import DifferentialClassifier, find_ambiguous
from agents.prompting.second_look.first_look import FIRST_LOOKS
from evals.prompts import evaluate_pairs, holm, report_text, usual_ks

DIMENSION = 384
TEMPLATE = "a photo of a {}."


class Cached:
    """An encoder that gives every text a random embedding near its class, and keeps it."""

    def __init__(self, centres, seed):
        self.centres, self.rng, self.known = centres, np.random.default_rng(seed), {}

    def encode_texts(self, texts):  # noqa: D102
        new = [text for text in texts if text not in self.known]
        owners = np.array([int(text.split("class ")[1].split()[0].rstrip(".")) for text in new], dtype=np.int64)
        noise = self.rng.normal(size=(len(new), DIMENSION), scale=DIMENSION**-0.5)
        self.known.update(zip(new, unit_rows(self.centres[owners] + noise), strict=True))
        return np.stack([self.known[text] for text in texts])


def world(images, classes, seed=0):
    rng = np.random.default_rng(seed)
    scale = DIMENSION**-0.5
    clusters = rng.normal(size=(-(-classes // 20), DIMENSION), scale=scale)
    centres = unit_rows(np.repeat(clusters, 20, axis=0)[:classes] + 0.6 * rng.normal(size=(classes, DIMENSION), scale=scale))
    labels = rng.integers(0, classes, size=images)
    rows = unit_rows(centres[labels] + 0.8 * rng.normal(size=(images, DIMENSION), scale=scale))
    names = [f"class {index}" for index in range(classes)]
    encoder = Cached(centres, seed + 1)
    templates = encoder.encode_texts([TEMPLATE.format(name) for name in names])
    entries = {}
    for one, two in find_ambiguous(rows @ templates.T, 10):
        entries[one, two] = [
            Contrast(
                f"attribute {number}",
                tuple(
                    f"a class {own} of look {rng.integers(8)}"
                    if rng.random() < 0.25
                    else f"a class {own} unlike {other} in {number}"
                    for own, other in ((one, two), (two, one))
                ),
            )
            for number in range(4)
        ]
    return names, encoder, rows, PairDescriptions(entries)


def loop(rows, names, encoder, pairs, k):
    """The published procedure, one image at a time, with embeddings from a dictionary."""
    known = encoder.known
    templates = np.stack([known[TEMPLATE.format(name)] for name in names])
    final = []
    for image in rows:
        ranking = np.argsort(-(templates @ image), kind="stable")[:k].tolist()
        captions = {index: [] for index in ranking}
        for one, two in itertools.combinations(ranking, 2):
            low, high = min(one, two), max(one, two)
            for contrast in pairs[low, high]:
                captions[low].append(contrast.captions[0])
                captions[high].append(contrast.captions[1])
        scores = []
        for index in ranking:
            mean = np.stack([known[text] for text in set(captions[index])]).mean(axis=0)
            scores.append(float(image @ (mean / np.linalg.norm(mean))))
        final.append(ranking[int(np.argmax(scores))])
    return np.array(final)


def published(rows, names, encoder, pairs, k):
    """The published program's steps in torch: collect the texts of every pair, stack one tensor per text, mean, norm."""
    cache, where = [], {}
    for text, row in encoder.known.items():
        where[text] = (len(cache), 0)
        cache.append(torch.from_numpy(row[None]))
    templates = torch.from_numpy(np.stack([encoder.known[TEMPLATE.format(name)] for name in names]))
    file = {
        f"{one}_{two}": {"classes": [one, two], "prompt_pairs": [{"prompt_pair": list(c.captions)} for c in contrasts]}
        for (one, two), contrasts in pairs.items()
    }

    def captions_of(classes):
        prompts = [[] for _ in classes]
        entry = file[f"{min(classes)}_{max(classes)}"]
        for item in entry["prompt_pairs"]:
            prompts[classes.index(entry["classes"][0])].append(item["prompt_pair"][0])
            prompts[classes.index(entry["classes"][1])].append(item["prompt_pair"][1])
        return prompts

    def decide(image):
        top = torch.argsort(image @ templates.t(), descending=True, dim=-1)[:k].tolist()
        prompts = [[] for _ in top]
        for one, two in itertools.combinations(range(len(top)), 2):
            first, second = captions_of([top[one], top[two]])
            prompts[one].extend(first)
            prompts[two].extend(second)
        vectors = []
        for texts in prompts:
            tensors = [cache[where[text][0]][where[text][1]] for text in set(texts)]
            mean = torch.stack(tensors).mean(dim=0)
            vectors.append(mean / mean.norm())
        return top[int((image[None] @ torch.stack(vectors).t()).argmax())]

    started = time.perf_counter()
    with torch.no_grad():
        final = [decide(image) for image in torch.from_numpy(rows)]
    return np.array(final), (time.perf_counter() - started) / len(rows)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def print_pets(breeds):
    with embedded_pets() as pets:
        if pets is None:
            return
        chosen = list(range(0, len(pets.names), 2 if breeds == "even" else 1))
        place = {old: new for new, old in enumerate(chosen)}
        names = [pets.names[old] for old in chosen]
        kept = np.isin(pets.labels, chosen)
        rows, labels = pets.rows[kept], np.array([place[old] for old in pets.labels[kept].tolist()])
        pairs = PairDescriptions(
            {(place[i], place[j]): held for (i, j), held in pets.pairs.items() if i in place and j in place},
            dict(enumerate(names)),
        )
        report = evaluate_pairs(pets.encoder, names, pairs, rows, labels, ks=usual_ks(len(names)))
        print(f"Pets, {len(names)} breeds\n{report_text(report)}")
        heads = (
            ("first look", 10),
            ("captions by", 14),
            ("first look alone", -26),
            ("k = 10", -26),
            ("fixed", -7),
            ("broken", -8),
        )
        print("".join(f"{head:{'<' if width > 0 else '>'}{abs(width)}}" for head, width in heads) + f"{'p (Holm)':>10}")
        cells = []
        for first, aggregate in itertools.product(FIRST_LOOKS, AGGREGATES):
            one = evaluate_pairs(pets.encoder, names, pairs, rows, labels, first=first, aggregate=aggregate, draws=0).comparison
            cells.append((first, aggregate, one))
        for (first, aggregate, one), p in zip(cells, holm([one.p for _, _, one in cells]), strict=True):
            print(
                f"{first:10}{aggregate:14}{one.before!s:>26}{one.after!s:>26}{len(one.fixed):>7}{len(one.broken):>8}{p:>10.3g}"
            )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--loop", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--breeds", choices=("all", "even"), default="all")
    parser.add_argument("--only-pets", action="store_true")
    options = parser.parse_args()
    if options.only_pets:
        print_pets(options.breeds)
        return
    names, encoder, rows, pairs = world(options.images, options.classes)
    started = time.perf_counter()
    classifier = DifferentialClassifier(encoder, names, pairs, k=options.k, template=TEMPLATE)
    print(f"{len(pairs)} pairs, {len(encoder.known)} texts; tables made in {time.perf_counter() - started:.1f} s")
    slow, fast, torch_slow = [], [], []
    for _ in range(options.repeats):
        started = time.perf_counter()
        decided = loop(rows[: options.loop], names, encoder, pairs, options.k)
        slow.append((time.perf_counter() - started) / options.loop)
        program, seconds = published(rows[: options.loop], names, encoder, pairs, options.k)
        torch_slow.append(seconds)
        started = time.perf_counter()
        result = classifier.predict_embedded(rows)
        fast.append((time.perf_counter() - started) / options.images)
    same = (decided == result.final[: options.loop]).mean()
    agree = (program == result.final[: options.loop]).mean()
    print(f"medians of {options.repeats}; loops over the first {options.loop} images, arrays over all {options.images}")
    for name, times, alike in (("published program's loop (torch)", torch_slow, agree), ("loop in numpy", slow, same)):
        ratio = np.median(times) / np.median(fast)
        print(f"{name:34}{np.median(times) * 1e6:8.0f} µs per image, {ratio:.0f} times the arrays; same decisions: {alike:.1%}")
    print(f"{'arrays':34}{np.median(fast) * 1e6:8.0f} µs per image")
    before = peak_mib()
    classifier.predict_embedded(np.tile(rows, (3, 1)))
    held = 3 * rows.nbytes * 2 / 2**20
    print(f"three times the images: peak memory +{peak_mib() - before:.0f} MiB, {held:.0f} MiB of them the images themselves")
    print_pets(options.breeds)


if __name__ == "__main__":
    main()
