"""Measures how many candidates the prompt search scores per second, and its gain on unseen Pets images over five seeds.

    python benchmarks/optimize.py [--seeds 5]

The speed part needs no data: it uses random images, prompts of 37 made-up classes, and all-MiniLM-L6-v2 for encoding.
"One by one, encoded" encodes the prompts of each candidate before scoring, as a program without an embedding cache does.
"One by one, cached" looks the embeddings up and takes their means. The gain part needs the Pets images (SAYWHY_DATA): it
searches with one labelled image per class and FuDD's descriptions, and measures the accuracy on the other images.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from pets import embedded_pets

from agents import PromptOptimizer, class_vectors, load_encoder
from agents.prompting.fitness import Scorer
from evals.prompts import compare, random_words


def speed(encoder, classes=37, prompts=60, images=37, candidates=4000):
    rng = np.random.default_rng(0)
    texts = [[f"a photo of thing {index}, with look {number}." for number in range(prompts)] for index in range(classes)]
    rows = [encoder.encode_texts(group) for group in texts]
    shots = np.stack([group[0] for group in rows])[rng.integers(0, classes, images)]
    labels = rng.integers(0, classes, images)
    scorer = Scorer(shots, labels, rows, scale=20.0, entropy_weight=1.0)
    masks = rng.random((candidates, classes, prompts)) < 0.1
    masks[:, :, 0] = True

    def score(vectors):
        logits = 20.0 * shots @ vectors.T
        top = logits.max(axis=1, keepdims=True)
        log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        return (logits.argmax(axis=1) == labels).mean() + log_p[np.arange(len(labels)), labels].mean()

    def vectors_of(groups):
        means = np.stack([group.mean(axis=0) for group in groups])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def together():
        return np.concatenate([scorer.rate(scorer.cosines(masks[at : at + 500])).value for at in range(0, candidates, 500)])

    def cached():
        return [score(vectors_of([group[on] for group, on in zip(rows, mask, strict=True)])) for mask in masks[:100]]

    def encoding():
        chosen = [
            [text for text, on in zip(group, flags, strict=True) if on] for group, flags in zip(texts, masks[0], strict=True)
        ]
        flat = encoder.encode_texts([text for group in chosen for text in group])
        ends = np.cumsum([len(group) for group in chosen])[:-1]
        return [score(vectors_of(np.split(flat, ends)))]

    rates = {}
    values = {}
    for name, run, count in (
        ("one by one, encoded", encoding, 1),
        ("one by one, cached", cached, 100),
        ("matrix products", together, candidates),
    ):
        times = []
        for _ in range(3):
            started = time.perf_counter()
            values[name] = run()
            times.append(time.perf_counter() - started)
        rates[name] = count / np.median(times)
    np.testing.assert_allclose(values["matrix products"][:100], values["one by one, cached"], atol=1e-3)
    # The search scores edits, and an edit changes only a group of five classes.
    group = np.arange(5)
    base = scorer.cosines(masks[:1])[0]
    started = time.perf_counter()
    scorer.rate_edits(base, np.ascontiguousarray(masks[:, group]), group)
    rates["matrix products, edits of 5 classes"] = candidates / (time.perf_counter() - started)
    for name, rate in rates.items():
        print(f"{name:38}{rate:10.1f} candidates per second, {rate / rates['one by one, encoded']:8.0f} times encoding")


def gain(seeds):
    with embedded_pets() as pets:
        if pets is None:
            return
        names, encoder, rows, labels = pets.names, pets.encoder, pets.rows, pets.labels
        library = pets.pairs.by_class(names)
        table = []
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            shots = np.array([rng.choice(np.flatnonzero(labels == index)) for index in range(len(names))])
            unseen = np.setdiff1d(np.arange(len(labels)), shots)
            started = time.perf_counter()
            found = PromptOptimizer(encoder, names, seed=seed).fit_embedded(rows[shots], labels[shots], library)
            seconds = time.perf_counter() - started

            def decide(prompts, unseen=unseen):
                return (rows[unseen] @ class_vectors(encoder, [prompts[name] for name in names]).T).argmax(axis=1)

            truth = labels[unseen]
            before, after = decide({name: [f"a photo of a {name}."] for name in names}), decide(found.prompts)
            words = [(decide(random_words(found.prompts, seed=draw)) == truth).mean() for draw in range(5)]
            change = compare(before, after, truth, names)
            table.append((change.before.value, change.after.value, float(np.mean(words))))
            print(
                f"seed {seed}: template {change.before.value:.1%} -> {change.after.value:.1%}, random words "
                f"{np.mean(words):.1%}; {found.candidates} candidates in {found.seconds:.1f} s, {seconds:.1f} s with encoding. "
                f"{change.verdict}"
            )
        before, after, words = np.mean(table, axis=0)
        print(f"mean of {seeds} seeds: template {before:.1%}, optimised {after:.1%}, random words {words:.1%}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    speed(load_encoder("text:minilm"))
    gain(options.seeds)


if __name__ == "__main__":
    main()
