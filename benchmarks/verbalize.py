"""Measures the cost of putting maps into words, and compares the errors with those of the published method.

Run: python benchmarks/verbalize.py [--maps 1000] [--samples 52]
The peer is the pipeline published with Feldhus et al. 2023: three searches, the five best results of each, and words for the
upper quartile. It is written anew here and keeps its faults. Its mask search, which is compiled there, is vectorised here; the
other parts are loops, as there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from itertools import combinations, islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

# Python puts this folder first on the path, where this file would be taken for the package of the same name.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

from verbalize import Query, TemplateVerbalizer, TokenSaliency, best_spans, check  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

FILTER_LENGTH, TOP_SHARE, TOP = 5, 0.4, 5


def published(scores: NDArray[np.float64]) -> list[tuple[tuple[int, ...], bool]]:
    """The parts that the published pipeline names, and whether it calls each of them the most important."""
    values = scores.tolist()
    masks = [m for ones in range(2, FILTER_LENGTH - 1) for m in combinations(range(FILTER_LENGTH), ones)]
    centred = [tuple(range(1, 4)), tuple(range(5))]
    single = [((i,), published_coverage([i], values)) for i in range(len(values))]
    chosen: set[int] = set()
    for candidates in (published_search(scores, masks, values), published_search(scores, centred, values), single):
        best = sorted(candidates, key=lambda item: item[1], reverse=True)[:TOP]
        chosen.update(i for indices, _ in best for i in indices)
    runs: list[list[int]] = []
    for i in sorted(chosen):
        if runs and runs[-1][-1] + 1 == i:
            runs[-1].append(i)
        else:
            runs.append([i])
    covered = [published_coverage([run[0], run[-1]], values) for run in runs]
    quartile = float(np.quantile(covered, 0.75))
    order = sorted(covered, reverse=True)
    by_rank = {}
    for run, share in zip(runs, covered, strict=True):
        rank = order.index(share)
        if share >= quartile and round(100 * share) != 0:
            by_rank[rank] = (tuple(run), rank == 0)
    return [by_rank[rank] for rank in sorted(by_rank)]


def published_search(
    scores: NDArray[np.float64], masks: Sequence[tuple[int, ...]], values: list[float]
) -> list[tuple[tuple[int, ...], float]]:
    count = len(scores) - FILTER_LENGTH
    if count <= 0 or scores.max() == 0:
        return []
    scaled = scores / abs(scores.max())
    top = np.sort(scaled)[::-1][: int(len(scaled) * TOP_SHARE)]
    found = []
    for mask in masks:
        windows = np.stack([scaled[place : place + count] for place in mask])
        kept = np.flatnonzero((windows >= 0).all(axis=0) & (windows.mean(axis=0) > top.mean()))
        found += [tuple(int(start) + place for place in mask) for start in kept]
    return [(indices, published_coverage(indices, values)) for indices in found]


def published_coverage(span: Sequence[int], values: list[float]) -> float:
    whole = sum((value > 0) * value for value in values)
    return max(sum(values[span[0] : span[-1]]) / whole, 0) if whole else 0.0


def milliseconds(job: Callable[[], object], least: float = 0.3) -> float:
    """The median CPU time of a call, over as many calls as fit into `least` seconds."""
    job()
    times: list[float] = []
    while sum(times) < least or len(times) < 5:
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return 1e3 * statistics.median(times)


def saliency(scores: NDArray[np.float64], seed: int = 0) -> TokenSaliency:
    words = np.random.default_rng(seed).choice([f"word{i}" for i in range(300)], len(scores)).tolist()
    return TokenSaliency(tokens=words, scores=scores, query=Query("positive"))


def random_scores(n: int, kind: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return (rng.normal(size=n), rng.laplace(size=n), rng.gamma(0.5, size=n) - 0.2)[kind % 3]


def print_costs() -> None:
    rng = np.random.default_rng(0)
    print(f"{'CPU ms (median)':34}" + "".join(f"{n:>9}" for n in (500, 1000, 2000)) + "   2000 / 500")
    for name, draw in (
        ("best_spans, normal scores", lambda n: rng.normal(size=n)),
        ("best_spans, all positive", lambda n: np.abs(rng.normal(size=n))),
        ("best_spans, every score the same", lambda n: np.ones(n)),
    ):
        costs = []
        for n in (500, 1000, 2000):
            scores = draw(n)
            costs.append(milliseconds(lambda s=scores: best_spans(s, max_words=12, max_spans=3)))  # type: ignore[misc]
        print(f"{name:34}" + "".join(f"{cost:9.2f}" for cost in costs) + f"{costs[-1] / costs[0]:13.1f}")
    draws = [rng.normal(size=n) for n in (500, 1000, 2000)]
    costs = [milliseconds(lambda s=scores: published(s)) for scores in draws]  # type: ignore[misc]
    print(f"{'published searches':34}" + "".join(f"{cost:9.2f}" for cost in costs) + f"{costs[-1] / costs[0]:13.1f}")
    scores = rng.normal(size=512)
    peer = milliseconds(lambda: published(scores))
    print("\n512 tokens, CPU ms per map")
    for style, length in (("plain", "short"), ("plain", "paragraph"), ("ranked", "short"), ("smv", "short")):
        of, verbalizer = saliency(scores), TemplateVerbalizer(style=style, length=length)
        cost = milliseconds(lambda v=verbalizer, s=of: v.verbalize(s))  # type: ignore[misc]
        print(f"  template, {style + ', ' + length:22} {cost:8.2f}   published / ours {peer / cost:6.1f}")
    print(f"  {'published searches':32} {peer:8.2f}")


def print_faults(maps: int) -> None:
    rng = np.random.default_rng(1)
    names = ("names nothing", "top positive token left out", "negative token named", "'most important' of a negative map")
    counts = {"published": [0] * 4, "template": [0] * 4}
    false = 0
    verbalizer = TemplateVerbalizer()
    for i in range(maps):
        scores = random_scores(int(rng.integers(1, 401)), i, rng)
        if i % 10 == 9:
            scores = -np.abs(scores) - 1e-9
        of = saliency(scores, i)
        said = verbalizer.verbalize(of)
        false += len(check(said.claims, of).errors)
        ours = {j for claim in said.claims if claim.kind == "supports" for j in claim.part or ()}
        first = {j for c in said.claims if c.kind == "most_important" and c.direction != "opposes" for j in c.part or ()}
        theirs = published(scores)
        for name, parts, most, nothing in (
            ("published", {j for part, _ in theirs for j in part}, any(top for _, top in theirs), not theirs),
            ("template", ours, bool(first), not said.text),
        ):
            found = counts[name]
            found[0] += nothing
            found[1] += scores.max() > 0 and int(np.argmax(scores)) not in parts
            found[2] += any(scores[j] < 0 for j in parts)
            found[3] += bool(most) and scores.max() <= 0
    print(f"\n{maps} random maps (normal, Laplace, skewed; 1 to 400 tokens; every tenth all negative)")
    print(f"{'':38}{'published':>10}{'template':>10}")
    for row, name in enumerate(names):
        print(f"  {name:36}{counts['published'][row] / maps:10.1%}{counts['template'][row] / maps:10.1%}")
    print(f"  false claims of the template: {false}")


def print_samples(count: int) -> None:
    """What the default style says of maps of real models, to be read by eye."""
    sys.path.append(str(Path(__file__).resolve().parent))
    from real_maps import real_maps

    verbalizer, words, names, false = TemplateVerbalizer(), [], 0, 0
    for number, of in enumerate(islice(real_maps(), count), 1):
        said = verbalizer.verbalize(of)
        false += len(check(said.claims, of).errors)
        words.append(len(said.text.split()))
        names += len(said.claims)
        source = repr(of.text or of.text_of(range(len(of)))) if isinstance(of, TokenSaliency) else f"picture {of.scores.shape}"
        print(f"\n{number}. {of.method or 'magnitudes'}, {'signed' if of.signed else 'unsigned'}: {source}\n   {said.text}")
    print(f"\n{len(words)} texts, {np.mean(words):.0f} words on average, {names} claims, {false} false")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=1000, help="how many random maps to check for faults")
    parser.add_argument("--samples", type=int, default=0, help="print what is said of so many real maps instead (up to 52)")
    arguments = parser.parse_args()
    if arguments.samples:
        print_samples(arguments.samples)
    else:
        print_costs()
        print_faults(arguments.maps)
