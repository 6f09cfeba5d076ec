"""Measures how many candidates the prompt search scores per second, and all methods of `saywhy improve` by shots and seeds.

    python benchmarks/optimize.py [--shots 1 2 3 4] [--seeds 5] [--first-seed 0] [--half all|even|odd]
    python benchmarks/optimize.py --images FOLDER --encoder SPEC [--descriptions FILE]

The speed part needs no data: it uses random images, prompts of 37 made-up classes, and all-MiniLM-L6-v2 for encoding.
"One by one, encoded" encodes the prompts of each candidate before scoring, as a program without an embedding cache does.
"One by one, cached" looks the embeddings up and takes their means.

The second part needs labelled images: those of Pets with FuDD's descriptions (SAYWHY_DATA), or any folder of class folders. For
each number of shots and each seed, shots are drawn from every class, all methods are made of them, and the other images are the
test. "auto" is what `saywhy improve --method auto` picks: it sees the shots alone. Accuracies are means over seeds; intervals
are of a bootstrap over seeds and images (both are drawn anew, the same ones for every method), and so are the differences from
"auto". Seconds are those of making a method once; those of auto hold all methods and folds.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from pets import embedded_pets

from agents import load_encoder, read_descriptions
from agents.encoders import encode_image_files
from agents.few_shot import METHODS
from agents.prompting.fitness import Scorer
from agents.prompting.weights import FitnessWeights
from evals.prompts.alternatives import improve_prompts


def speed(encoder, classes=37, prompts=60, images=37, candidates=4000):
    rng = np.random.default_rng(0)
    texts = [[f"a photo of thing {index}, with look {number}." for number in range(prompts)] for index in range(classes)]
    rows = [encoder.encode_texts(group) for group in texts]
    shots = np.stack([group[0] for group in rows])[rng.integers(0, classes, images)]
    labels = rng.integers(0, classes, images)
    scorer = Scorer(shots, labels, rows, scale=20.0, weights=FitnessWeights(accuracy=1.0, top5=0.0, entropy=1.0))
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


def drawn(labels, shots, rng):
    """Positions of so many images of each class; a class with fewer gives all but one, so that one is left for the test."""
    chosen = []
    for index in np.unique(labels):
        own = np.flatnonzero(labels == index)
        chosen.append(rng.choice(own, size=max(1, min(shots, len(own) - 1)), replace=False))
    return np.concatenate(chosen)


def resampled(right, draws=2000):
    """Means under a bootstrap over seeds and images: draws×M, for M×S×N (NaN where an image was a shot)."""
    rng = np.random.default_rng(0)
    _, seeds, images = right.shape
    judged = ~np.isnan(right[0])
    filled = np.nan_to_num(right)
    seed_weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=draws)
    image_weights = rng.multinomial(images, np.full(images, 1 / images), size=draws)
    total = np.einsum("bs,sn,bn->b", seed_weights, judged.astype(float), image_weights, optimize=True)
    return np.einsum("bs,msn,bn->bm", seed_weights, filled, image_weights, optimize=True) / total[:, None]


def table(names, encoder, rows, labels, library, options):
    for shots in options.shots:
        right, seconds, picks = {}, {}, []
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            chosen = drawn(labels, shots, np.random.default_rng(seed))
            rest = np.setdiff1d(np.arange(len(labels)), chosen)
            started = time.perf_counter()
            found = improve_prompts(
                encoder, names, rows[chosen], labels[chosen], library, seed=seed, test=(rows[rest], labels[rest])
            )
            took = time.perf_counter() - started
            picks.append(found.method)
            for row in found.rows:
                seconds.setdefault(row.name, []).append(row.seconds)
            seconds.setdefault("auto", []).append(took)
            for name, decided in {**found.decisions, "auto": found.decisions[found.method]}.items():
                line = np.full(len(labels), np.nan)
                line[rest] = decided == labels[rest]
                right.setdefault(name, []).append(line)
        methods = list(right)
        values = np.array([right[name] for name in methods])
        means, draws = np.nanmean(values, axis=(1, 2)), resampled(values)
        own = methods.index("auto")
        print(f"\n{shots} shots a class, {options.seeds} seeds, {len(names)} classes; auto picked {', '.join(picks)}")
        print(f"  {'method':20}{'accuracy':>26}{'minus auto':>30}{'seconds':>9}")
        for index, name in enumerate(methods):
            low, high = np.quantile(draws[:, index], [0.025, 0.975])
            gap = means[index] - means[own]
            under, over = np.quantile(draws[:, index] - draws[:, own], [0.025, 0.975])
            apart = "" if index == own else f"{gap:+.1%} ({under:+.1%} to {over:+.1%})"
            accuracy = f"{means[index]:.1%} ({low:.1%} to {high:.1%})"
            print(f"  {name:20}{accuracy:>26}{apart:>30}{np.mean(seconds[name]):9.1f}")
        best = max((name for name in methods if name != "auto"), key=lambda name: means[methods.index(name)])
        ahead = draws[:, methods.index(best)] - draws[:, own]
        verdict = "within noise of" if np.quantile(ahead, 0.025) <= 0 else "behind"
        print(f"  auto is {verdict} the best, {best} ({means[methods.index(best)]:.1%})")


def half_of(names, rows, labels, library, half):
    """The classes at even or odd positions, with their images."""
    kept = [index for index in range(len(names)) if half == "all" or index % 2 == (half == "odd")]
    inside = np.isin(labels, kept)
    names = [names[index] for index in kept]
    return names, rows[inside], np.searchsorted(kept, labels[inside]), {name: library.get(name, ()) for name in names}


def folder(options):
    encoder = load_encoder(options.encoder)
    found = encode_image_files(encoder, options.images)
    names = sorted({label.replace("_", " ") for label in found.images.labels})
    library = {} if options.descriptions is None else read_descriptions(options.descriptions, names)
    kept = half_of(names, found.rows, found.images.label_indices(names), library, options.half)
    table(kept[0], encoder, *kept[1:], options)


def pets(options):
    with embedded_pets() as found:
        if found is not None:
            library = found.pairs.by_class(found.names)
            kept = half_of(found.names, found.rows, found.labels, library, options.half)
            table(kept[0], found.encoder, *kept[1:], options)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--half", choices=["all", "even", "odd"], default="all")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--encoder")
    parser.add_argument("--descriptions", type=Path)
    parser.add_argument("--no-speed", action="store_true", help="leave out the speed part")
    options = parser.parse_args()
    if (options.images is None) != (options.encoder is None):
        parser.error("--images and --encoder go together")
    if not options.no_speed:
        speed(load_encoder("text:minilm"))
    print(f"methods: {', '.join(METHODS)}")
    (pets if options.images is None else folder)(options)


if __name__ == "__main__":
    main()
