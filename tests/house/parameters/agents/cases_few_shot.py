"""Classifiers from a few images."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.space import EMBEDDED, LABELS, SPACE, TURNED

from agents.encoders.seen import SeenImages
from agents.few_shot import METHODS, ClassifierFile, FewShotClassifier, fit_probe, write_classifier

TEXTS = SPACE.encode_texts(["cat", "dog", "owl", "fish"])
NEAR = TEXTS[LABELS] + 0.3 * EMBEDDED
SHOTS = {"rows": NEAR, "labels": LABELS, "texts": TEXTS}
OTHER = {"rows": NEAR[::-1], "labels": LABELS[::-1], "texts": TURNED.encode_texts(["cat", "dog", "owl", "fish"])}
UNLIKE = np.random.default_rng(9).normal(size=(5, 8))


def scores(found, tools, arguments):
    return np.round(found.scores(UNLIKE), 6)


case("agents.few_shot.fit_prototypes", SHOTS, scores, **OTHER, ratio=8.0)
case(
    "agents.few_shot.fit_tip_adapter",
    {**SHOTS, "alpha": 1.0, "beta": 5.0},
    scores,
    **OTHER,
    alpha=4.0,
    beta=9.0,
    scale=50.0,
)
case("agents.few_shot.fit_probe", SHOTS, scores, rows=OTHER["rows"], labels=OTHER["labels"], strength=30.0, folds=1)
case("agents.few_shot.fit_probe", SHOTS, scores, texts=np.concatenate([TEXTS, -TEXTS[:1]]))
case("agents.few_shot.fit_anchored_probe", SHOTS, scores, **OTHER, ratio=8.0, folds=1)


def scattered(number):
    """Images around the texts of their classes, with noise under which the folds decide the strength of a probe."""
    return TEXTS[LABELS] + (0.3 + 0.02 * number) * np.random.default_rng(number).normal(size=(24, 8))


case("agents.few_shot.fit_probe", {**SHOTS, "rows": scattered(4), "folds": 2}, scores, seed=3)
case("agents.few_shot.fit_anchored_probe", {**SHOTS, "rows": scattered(2), "folds": 2}, scores, seed=3)
WEIGHTS = {"weights": np.eye(2, 8), "bias": np.zeros(2)}
record(
    "agents.few_shot.FewShotClassifier",
    WEIGHTS,
    weights=np.ones((2, 8)),
    bias=np.ones(2),
    keys=np.eye(1, 8),
    key_labels=np.array([1]),
    alpha=1.0,
    beta=2.0,
)
for method in ("scores", "predict"):
    case(
        f"agents.few_shot.FewShotClassifier.{method}",
        {"self": FewShotClassifier(**WEIGHTS), "embeddings": UNLIKE},
        embeddings=-UNLIKE,
    )
FILE = {"classifier": FewShotClassifier(**WEIGHTS), "class_names": ("a", "b"), "encoder": "space", "method": "probe"}
record(
    "agents.few_shot.ClassifierFile",
    FILE,
    classifier=FewShotClassifier(np.ones((2, 8)), np.ones(2)),
    class_names=("a", "c"),
    encoder=None,
    method="template",
    seen=SeenImages(("00" * 32,)),
)
case(
    "agents.few_shot.ClassifierFile.scores",
    {"self": ClassifierFile(**FILE), "embeddings": UNLIKE, "class_names": ("a", "b"), "encoder": SPACE},
    embeddings=-UNLIKE,
    class_names=("b", "a"),
    encoder=type("Other", (), {"identity": "other"})(),
)


def files(result, tools, arguments):
    return [
        (path.name, {key: value.tolist() for key, value in np.load(path).items()}) for path in sorted(tools.folder.iterdir())
    ]


case(
    "agents.few_shot.write_classifier",
    {"path": later(lambda tools: tools.folder / "a.npz"), "classifier": FILE["classifier"], "class_names": ("a", "b")},
    files,
    path=later(lambda tools: tools.folder / "b.npz"),
    classifier=FewShotClassifier(np.ones((2, 8)), np.ones(2)),
    class_names=("b", "a"),
    encoder=SPACE,
    method="probe",
    seen=SeenImages(("00" * 32,)),
)


def written(name):
    def make(tools):
        classes = ("a", "b", "c", "d")
        write_classifier(tools.folder / f"{name}.npz", fit_probe(**SHOTS), classes, method=name)
        return tools.folder / f"{name}.npz"

    return later(make)


case("agents.few_shot.read_classifier", {"path": written("one")}, lambda found, *_: found.method, path=written("two"))
case(
    "agents.few_shot.stratified_folds",
    {"labels": LABELS},
    labels=np.arange(24),
    folds=3,
    rows=np.zeros((24, 2)),
    seed=1,
)
case("agents.few_shot.find_method", {"name": "probe"}, lambda found, *_: found.name, name="template")
METHOD = {"name": "a", "words": "b", "texts": "plain"}
record("agents.few_shot.Method", METHOD, name="b", words="c", texts="prompts", fit="agents.few_shot.prototypes:fit_prototypes")
assert METHODS["template"].fit is None
