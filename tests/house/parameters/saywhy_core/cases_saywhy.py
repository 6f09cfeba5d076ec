"""The ground floor (classifiers, images) and the demo's road signs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from parameters.harness import case, later, record
from PIL import Image

from saywhy_core.classifiers import CallableClassifier, InputLayout, TorchClassifier
from saywhy_core.errors import Problem
from saywhy_core.images import ImageSet

IMAGES = np.random.default_rng(0).random((5, 4, 4, 3), dtype=np.float32)
NAMES = ["a", "b", "c"]
WEIGHTS = np.random.default_rng(1).normal(size=(48, 3)).astype(np.float32)


def scores(images):
    return np.asarray(images).reshape(len(images), -1) @ WEIGHTS


def asked(classifier, tools, arguments):
    """Scores, labels and everything that a classifier says of itself."""
    told = [getattr(classifier, name, None) for name in ("scores", "class_names", "image_shape", "identity")]
    return classifier(IMAGES), classifier.label(1), [one if not callable(one) else None for one in told]


case(
    "saywhy_core.classifiers.CallableClassifier",
    {"predict": later(lambda tools: tools.counting(scores))},
    asked,
    predict=lambda images: scores(1 - images),
    scores="sigmoid",
    class_names=NAMES,
    classes=2,
    budget=3,
    batch_size=2,
    image_shape=(8, 8, 3),
    identity="mine",
)
made = later(lambda tools: CallableClassifier(tools.counting(scores), class_names=NAMES))
for method in ("ask_again", "probabilities"):
    case(f"saywhy_core.classifiers.CallableClassifier.{method}", {"self": made, "images": IMAGES}, images=IMAGES[::-1])


def _half_asked(tools):
    classifier = CallableClassifier(scores)
    classifier(IMAGES[:1])
    return classifier


case(
    "saywhy_core.classifiers.CallableClassifier.remembered", {"self": later(_half_asked), "images": IMAGES}, images=IMAGES[::-1]
)
case(
    "saywhy_core.classifiers.CallableClassifier.ask_some_again",
    {"self": later(_half_asked), "images": IMAGES, "again": 0},
    lambda answers, tools, arguments: (answers, arguments["self"].queries),
    images=IMAGES[::-1],
    again=len(IMAGES),
)
case(
    "saywhy_core.classifiers.ask_some_again",
    {"classifier": later(_half_asked), "images": IMAGES, "again": 0},
    lambda answers, tools, arguments: (answers, arguments["classifier"].queries),
    classifier=later(lambda tools: CallableClassifier(lambda images: scores(images) + 1)),
    images=IMAGES[::-1],
    again=len(IMAGES),
)
case("saywhy_core.classifiers.ask", {"classifier": scores, "images": IMAGES}, classifier=np.negative, images=IMAGES[::-1])
case(
    "saywhy_core.classifiers.lend", {"asked": made, "images": IMAGES},
    lambda lent, tools, arguments: (lent, lent is arguments["images"]), asked=scores, images=IMAGES[::-1],
)  # fmt: skip
case("saywhy_core.classifiers.CallableClassifier.label", {"self": made, "index": 0}, index=1)


for kind in ("sigmoid", "label"):
    case(
        "saywhy_core.classifiers.confidence",
        {"scores": np.array([[0.2, 0.7, 0.1]]), "kind": "logits"},
        scores=np.array([[0.2, 0.9, 0.1]]),
        kind=kind,
    )
case("agents.UsageError", {"args": ("one",)}, lambda found, tools, arguments: str(found), args=("another",))


@cache
def module(seed=0):
    import torch

    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)).eval()


case(
    "saywhy_core.classifiers.TorchClassifier",
    {"module": later(lambda tools: module())},
    lambda classifier, tools, arguments: (asked(classifier, tools, arguments), tools.recorded),
    module=later(lambda tools: module(1)),
    scores="sigmoid",
    class_names=NAMES,
    classes=2,
    layout="nhwc",
    value_range=(0, 255),
    mean=0.5,
    std=0.5,
    device="no-such-device",
    image_shape=(8, 8, 3),
    identity="mine",
)
case(
    "saywhy_core.classifiers.TorchClassifier",
    {"module": later(lambda tools: lambda batch: (tools.record(len(batch)), module()(batch))[1])},
    lambda classifier, tools, arguments: classifier(IMAGES),
    batch_size=2,
)
case(
    "saywhy_core.classifiers.load_classifier",
    {"spec": "demo:signs"},
    lambda classifier, tools, arguments: classifier.class_names,
    spec="demo:other",
    class_names=[f"c{i}" for i in range(12)],
    trust=True,
    budget="x",
)
SCORES = np.array([[1.0, 3.0, 2.0], [-1.0, 0.0, 0.5]])
for name in ("as_probabilities", "comparable"):
    case(f"saywhy_core.classifiers.{name}", {"scores": SCORES, "kind": "logits"}, scores=SCORES[::-1])
    case(f"saywhy_core.classifiers.{name}", {"scores": np.abs(SCORES) / 4, "kind": "logits"}, kind="probabilities")
SURE = np.array([[1.0, 1e-40]])
case("saywhy_core.classifiers.comparable", {"scores": SURE, "kind": "probabilities"}, least=1e-50)
case(
    "saywhy_core.classifiers.least_probability",
    {"scores": SURE[0], "kind": "probabilities"},
    scores=SURE[0] > 0.5,
    kind="logits",
)
case("saywhy_core.classifiers.same_answer", {"first": SCORES[0], "second": SCORES[0]}, first=SCORES[1], second=SCORES[1])
case("saywhy_core.classifiers.read_option", {"pair": "name=a%26b"}, pair="name=b", escaped=True)
case("saywhy_core.classifiers.split_spec", {"spec": "onnx:a?layout=nchw"}, spec="onnx:b")
case("saywhy_core.classifiers.target_options", {"kind": "onnx"}, kind="torch")
case(
    "saywhy_core.classifiers.TorchClassifier",
    {"module": later(lambda tools: module())},
    lambda classifier, tools, arguments: classifier(IMAGES),
    channels="bgr",
)
case(
    "saywhy_core.classifiers.CallableClassifier.count",
    {"self": made, "queries": 1},
    lambda found, tools, arguments: arguments["self"].queries,
    queries=2,
)
record("saywhy_core.classifiers.InputLayout", {}, axes="nchw", value_range=(0.0, 255.0), mean=0.5, std=0.5, channels="bgr")
case(
    "saywhy_core.classifiers.InputLayout.check_channels",
    {"self": InputLayout(channels="bgr"), "channels": 3},
    channels=1,  # which is refused
)

# --- images ----------------------------------------------------------------------------------------------------------

PATHS = (Path("a.png"), Path("b.png"))
record(
    "saywhy_core.images.ImageSet",
    {"paths": PATHS, "labels": None},
    paths=PATHS[::-1],
    labels=("a", "b"),
    problems=(Problem("a", "b"),),
    passed_over=1,
    root=Path("b"),
    doubt="two levels",
)
record("saywhy_core.images.NamedImage", {"name": "a", "pixels": IMAGES[0]}, name="b", pixels=IMAGES[1], label=1)
case("saywhy_core.images.ImageSet.label_of", {"self": ImageSet(PATHS, ("a", "b")), "place": 0}, place=1)
case("saywhy_core.images.ImageSet.named", {"self": ImageSet(PATHS, ("a", "b")), "class_names": NAMES}, class_names=["A", "B"])
case(
    "saywhy_core.images.ImageSet.classes_of",
    {"self": ImageSet(PATHS, ("a", "b")), "class_names": NAMES},
    class_names=NAMES[::-1],
)
case(
    "saywhy_core.images.ImageSet.label_indices",
    {"self": ImageSet(PATHS, ("a", "b")), "class_names": NAMES},
    class_names=NAMES[::-1],
)


def folder(tools, *names, broken=()):
    for name in names:
        path = tools.folder / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray((IMAGES[len(name) % 5] * 255).astype(np.uint8)).save(path)
    for name in broken:
        (tools.folder / name).write_bytes(b"no picture")
    return tools.folder


def array_file(tools, number):
    np.save(tools.folder / "a.npy", np.full((2, 2), number))
    return tools.folder / "a.npy"


def paths(tools, *names, broken=()):
    where = folder(tools, *names, broken=broken)
    return [where / name for name in (*names, *broken)]


case(
    "saywhy_core.images.list_images",
    {"source": later(lambda tools: folder(tools, "a.png"))},
    lambda found, tools, arguments: [path.name for path in found.paths],
    source=later(lambda tools: folder(tools, "a.png", "bb.png")),
)
case(
    "saywhy_core.images.load_array",
    {"path": later(lambda tools: array_file(tools, 1))},
    path=later(lambda tools: array_file(tools, 2)),
)
case(
    "saywhy_core.images.readable",
    {"paths": later(lambda tools: paths(tools, "a.png"))},
    lambda found, *_: found[0],
    paths=later(lambda tools: paths(tools, broken=("b.png",))),
)
case(
    "saywhy_core.images.read_images",
    {"paths": later(lambda tools: paths(tools, "a.png"))},
    lambda found, *_: list(found),
    paths=later(lambda tools: paths(tools, "bb.png")),
    channels=1,
)
case("saywhy_core.images.read_image", {"source": IMAGES[0]}, source=IMAGES[1], channels=1)
case("saywhy_core.images.image_batches", {"images": IMAGES, "batch": 2}, images=IMAGES[::-1], batch=3, channels=1)
case("saywhy_core.images.as_picture", {"image": IMAGES[0]}, lambda picture, *_: np.asarray(picture), image=IMAGES[1])
case("saywhy_core.images.resize_image", {"image": IMAGES[0], "size": (2, 2)}, image=IMAGES[1], size=(3, 2))

# --- the demo's signs ------------------------------------------------------------------------------------------------


def signs():
    from saywhy import signs

    return signs.load()


SIGNS = np.random.default_rng(4).random((2, 48, 48, 3), dtype=np.float32)
case(
    "saywhy.signs.SignClassifier",
    {"network": later(lambda tools: signs().network)},
    lambda classifier, tools, arguments: (classifier.predict(SIGNS), classifier.class_names),
    network=later(lambda tools: lambda batch: signs().network(batch).flip(1)),
    class_names=tuple(f"c{i}" for i in range(12)),
)
case("saywhy.signs.SignClassifier.predict", {"self": later(lambda tools: signs()), "images": SIGNS}, images=SIGNS[::-1])
case("saywhy.signs.draw_signs", {"labels": [0], "seed": 0}, labels=[1], seed=1, dirt=0.0)
case("saywhy.signs.samples", {}, per_class=2, seed=1, dirt=0.0)
case("saywhy.signs.load", {}, lambda classifier, *_: classifier.predict(SIGNS), weights=Path("nowhere.npz"))
case("saywhy.signs.load_vit", {}, lambda classifier, *_: classifier.predict(SIGNS), weights=Path("nowhere.npz"))
record("saywhy_core.classifiers.ScoreNetwork", {"network": "a.onnx"}, network="b.onnx", unlike="it takes bytes")
case(
    "saywhy_core.classifiers.score_network",
    {"classifier": later(lambda tools: TorchClassifier(module()))},
    lambda network, tools, arguments: type(network).__name__,
    classifier=made,
)
