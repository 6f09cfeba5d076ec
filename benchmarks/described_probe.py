"""Measures whether a probe whose change is written in descriptions gains by the words, on Pets.

    python benchmarks/described_probe.py [--shots 1 2 3 4] [--seeds 5] [--first-seed 0] [--half even|odd|all] [--most 8]

The idea is that of LaBo (Yang et al., CVPR 2023): a class's vector is that of its optimised prompts plus a weighted sum of at
most `--most` descriptions, those of other classes among them, with weights of either sign. First a probe is drawn to the
prompts, with a penalty that lets it move more easily where descriptions differ more, and a strength that held-out shots choose.
Its change of each class is then written in descriptions by orthogonal matching pursuit. The controls do the same with as many
random directions: of the descriptions' own covariance, and without structure. If the words matter, descriptions must do better
than both.
It needs the photographs (SAYWHY_DATA). Accuracies are means over draws, on the images that were no shots.
"""

from __future__ import annotations

import argparse

import numpy as np
from optimize import drawn, half_of
from pets import embedded_pets

from agents import PromptOptimizer, class_vectors
from agents.encoders.remembering import RememberingEncoder
from agents.few_shot import METHODS, FewShotClassifier
from agents.few_shot.anchored_probe import RATIOS, USUAL, _Centred, fit_anchored_probe
from agents.few_shot.logistic import solve
from agents.few_shot.selection import held_out_choice
from agents.few_shot.shots import checked_shots


def written(change, directions, most):
    """The change K×D of each class by at most so many directions M×D of length 1."""
    found = np.zeros_like(change)
    for index, whole in enumerate(change):
        rest, used = whole, []
        for _ in range(most):
            used.append(int(np.abs(directions @ rest).argmax()))
            weights = np.linalg.lstsq(directions[used].T, whole, rcond=None)[0]
            rest = whole - weights @ directions[used]
        found[index] = whole - rest
    return found


def described(rows, labels, texts, directions, most, seed):
    """The probe, with its change written in directions M×D."""
    centred = directions - directions.mean(axis=0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    units = centred / np.linalg.norm(centred, axis=1, keepdims=True)

    def begin(part):
        base = _Centred.of(part)
        easy = axes.T * np.sqrt(values)
        easy /= np.sqrt(((base.rows @ easy) ** 2).sum() / (base.rows**2).sum())
        inside = base.rows @ easy

        def fitted(ratio):
            scale = base.scale * (1 + ratio)
            offsets = scale * base.rows @ base.texts.T
            change, _ = solve(inside, base.labels, len(base.texts), penalty=scale / ratio, offsets=offsets, scale=scale)
            weights = scale * (base.texts + written(change @ easy.T, units, most))
            return FewShotClassifier(weights, -weights @ base.middle)

        return fitted

    shots = checked_shots(rows, labels, texts)
    return begin(shots)(held_out_choice(shots, RATIOS, USUAL, begin, folds=5, seed=seed))


def measure(names, encoder, rows, labels, library, options):
    encoder = RememberingEncoder(encoder)
    words = encoder.encode_texts(list(dict.fromkeys(text for name in names for text in library[name]))).astype(np.float64)
    mould = np.linalg.cholesky(np.cov(words.T) + 1e-9 * np.eye(words.shape[1]))
    template = class_vectors(encoder, [[f"a photo of a {name}."] for name in names])
    for count in options.shots:
        right = {}
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            rng = np.random.default_rng(seed)
            few = drawn(labels, count, rng)
            rest = np.setdiff1d(np.arange(len(labels)), few)
            images, truth = rows[few], labels[few]
            found = PromptOptimizer(encoder, names, seed=seed, folds=0).fit_embedded(images, truth, library)
            texts = found.class_vectors(encoder)
            noise = rng.normal(size=words.shape)
            methods = {
                "template": METHODS["template"](images, truth, template),
                "prompts": METHODS["prompts"](images, truth, texts),
                "anchored probe": fit_anchored_probe(images, truth, texts, seed=seed),
                "descriptions": described(images, truth, texts, words, options.most, seed),
                "random, same covariance": described(images, truth, texts, noise @ mould.T, options.most, seed),
                "random, unstructured": described(images, truth, texts, noise, options.most, seed),
            }
            for name, method in methods.items():
                right.setdefault(name, []).append((method.predict(rows[rest]) == labels[rest]).mean())
        figures = ", ".join(f"{name} {np.mean(values):.1%}" for name, values in right.items())
        print(f"{count} shots a class, {len(names)} classes: {figures}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--half", choices=["all", "even", "odd"], default="even")
    parser.add_argument("--most", type=int, default=8)
    options = parser.parse_args()
    with embedded_pets() as found:
        if found is not None:
            library = found.pairs.by_class(found.names)
            names, rows, labels, library = half_of(found.names, found.rows, found.labels, library, options.half)
            measure(names, found.encoder, rows, labels, library, options)


if __name__ == "__main__":
    main()
