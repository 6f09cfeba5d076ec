"""Methods x metrics x questions on three real models, as tables in Markdown: `benchmarks.evaluate --tables` prints them.

The models are the zero-shot text classifier of the demo (all-MiniLM-L6-v2) on news, ResNet-20 on CIFAR-10, and the vision
transformer of the road signs on drawings that it has not seen. Of a drawing it is known where the evidence is, because the same
scene can be drawn with another sign: for a pointwise question it is wherever any other sign would look different; for "why A
rather than B?" it is where the same scene with sign A differs from that with sign B.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.evaluation.decisive import read_texts
from benchmarks.evaluation.pairs import material
from benchmarks.evaluation.resnet20 import load_resnet20
from evals.faithfulness import compare, rank
from saywhy import signs
from verbalize.attribution import ZeroShotClassifier, load_minilm
from verbalize.models import as_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from evals.faithfulness import Comparison, Evaluation
    from evals.faithfulness.comparing.comparison import Run

MODELS = ("minilm", "resnet20", "vit")
QUESTIONS = ("pointwise", "contrastive")
METRICS = {
    "deletion": "deletion ↓", "insertion": "insertion ↑", "comprehensiveness": "compreh. ↑", "sufficiency": "suffic. ↓",
    "ccs_contrast": "ccs_contrast ↑", "pointing_game": "pointing ↑", "class_sensitivity": "class sens. ↓",
    "randomisation": "random. ↓",
}  # fmt: skip
GRADIENTS = ("saliency", "input_x_gradient", "integrated_gradients?steps=20", "gradient_shap?samples=10")
SAMPLED = ("occlusion?patch=4&stride=4", "kernel_shap?patch=4&samples=200", "lime?patch=4&samples=200", "rise?masks=300")
TEXT_METHODS = (
    *GRADIENTS, "occlusion", "shapley?steps=2", "kernel_shap?samples=48", "lime?samples=48", "attention_gradient", "rollout",
    "class_attention",
)  # fmt: skip
IMAGE_METHODS = (
    *GRADIENTS, "deep_lift", "lrp", *SAMPLED, "layer_grad_cam", "cf_cam", "norm_grad", "meta_norm_grad", "salient_relevance",
    "eigen_cam",
)  # fmt: skip
VIT_METHODS = (*GRADIENTS, *SAMPLED, "attention_gradient", "rollout", "class_attention", "token_cut")
STEPS = 10  # of deletion and insertion
DIRT = 0.35  # as in the demo
SIGNS_SEED = 7_301  # neither training nor the tests of the network draw with it
_VISIBLE = 0.1  # how far a colour must change to count as another sign; contrast alone changes less


@dataclass(frozen=True, eq=False)
class Subject:
    """A model with its inputs and methods."""

    name: str
    model: Any
    inputs: Sequence[Any]
    methods: tuple[str, ...]
    labels: tuple[int, ...] = ()  # of drawings

    def truth(self, question: str) -> list[NDArray[np.bool_]] | None:
        """For each input the places of the evidence; `None` where they are not known."""
        return places(self, question) if self.labels else None


def subjects(folder: Path | None, count: int, models: Sequence[str] = MODELS) -> Iterator[Subject]:
    """The models, each opened when it is asked for."""
    if "minilm" in models:
        kind, classes, texts = read_texts(None, 10**6)[0]
        classifier = ZeroShotClassifier(*load_minilm(), classes)
        yield Subject(f"MiniLM, zero-shot, on {kind}", classifier, texts[:count], TEXT_METHODS)
    if "resnet20" in models and folder is not None:
        yield Subject("ResNet-20 on CIFAR-10", load_resnet20(folder), list(material(folder, count)[0]), IMAGE_METHODS)
    if "vit" in models:
        labels = tuple(index % len(signs.CLASS_NAMES) for index in range(count))
        drawn = list(signs.draw_signs(list(labels), seed=SIGNS_SEED, dirt=DIRT))
        network = as_model(signs.load_vit().module(), signs.CLASS_NAMES)
        yield Subject("ViT on drawn road signs", network, drawn, VIT_METHODS, labels)


def places(subject: Subject, question: str) -> list[NDArray[np.bool_]]:
    """For each drawing the (1, H, W) pixels in which the sign differs from any other, or from the most likely other one."""
    count = len(signs.CLASS_NAMES)
    others = np.stack([signs.draw_signs([label] * len(subject.inputs), seed=SIGNS_SEED, dirt=DIRT) for label in range(count)])
    logits = signs.load_vit().predict(np.stack(subject.inputs))
    found = []
    for row, ranked in enumerate(np.argsort(-logits, axis=1)):
        shown = others[:, row] if question == "pointwise" else others[ranked[:2], row]
        found.append((np.ptp(shown, axis=0).max(axis=-1) > _VISIBLE)[None])
    return found


def print_tables(folder: Path | None, count: int, models: Sequence[str] = MODELS, batch_size: int = 64) -> None:
    """Compare the methods on each model, and print a table for each kind of question as soon as it is known."""
    for subject in subjects(folder, count, models):
        for question in QUESTIONS:
            began = time.perf_counter()
            truth = subject.truth(question)
            metrics = [name for name in METRICS if name != "pointing_game" or truth is not None]
            found = compare(
                subject.model, subject.inputs, subject.methods, questions=(question,), metrics=metrics, truth=truth,
                batch_size=batch_size, steps=STEPS, on_progress=lambda _, what: print(what, file=sys.stderr, flush=True),
            )  # fmt: skip
            print(f"\n### {subject.name}, {question}, {len(subject.inputs)} inputs\n")
            print(table(found, question, metrics), flush=True)
            taken = time.perf_counter() - began
            print(f"\n{agreement(found, question)} {taken:.0f} s.", flush=True)


def table(found: Comparison, question: str, metrics: Sequence[str]) -> str:
    """A row per method, best mean rank first: mean ± half of the interval of each metric, mean rank, seconds per map.

    Shuffled maps come last, without a rank where they lack a metric that methods have.
    """
    ranking = rank(found, question)
    runs = {run.method: run for run in found.of(question)}
    shown = ["method", *(METRICS[name] for name in metrics), "mean rank", "s per map"]
    lines = ["| " + " | ".join(shown) + " |", "| --- |" + " ---: |" * (len(shown) - 1)]
    for index in np.argsort(ranking.means, kind="stable"):
        mean = f"{ranking.means[index]:.1f} ({ranking.low[index]:.1f} to {ranking.high[index]:.1f})"
        lines.append(_row(runs[ranking.methods[index]], metrics, mean, found.inputs))
    if "random" in runs and "random" not in ranking.methods:
        lines.append(_row(runs["random"], metrics, "", found.inputs))
    return "\n".join(lines)


def _row(run: Run, metrics: Sequence[str], rank: str, inputs: int) -> str:
    seconds = f"{run.seconds / inputs:.3f}" if run.seconds else ""
    return "| " + " | ".join([run.method, *(mean_of(run.evaluation, name) for name in metrics), rank, seconds]) + " |"


def mean_of(found: Evaluation | None, metric: str) -> str:
    try:
        one = found[metric] if found is not None else None
    except KeyError:  # shuffled maps have no method that could explain other inputs
        one = None
    if one is None or not np.isfinite(one.mean):
        return ""
    half = (one.high - one.low) / 2
    return f"{one.mean:.2f} ± {half:.2f}" if np.isfinite(half) else f"{one.mean:.2f}"


def agreement(found: Comparison, question: str) -> str:
    """What the ranks stand on, how far the metrics agree, and which methods are missing and why."""
    ranking = rank(found, question)
    said = f"Ranks over {', '.join(ranking.metrics)}; Kendall's W {ranking.concordance:.2f}."
    for run in found.runs:
        if run.question == question and run.problem:
            said += f" Without {run.method}: {run.problem}."
    return said
