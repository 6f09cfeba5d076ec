"""The attack's front door, its results, and the mixtures that guide it."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.networks import (
    CORNER,
    IMAGES,
    LABELS,
    MIXTURE,
    OTHER_IMAGES,
    RESULT,
    SIDE,
    classifier,
    network,
    other_network,
)

from adversarial import AnswerFile, AttackTask, FeatureGuidedAttack, FeatureRobustness
from adversarial.attacks.mcts_game import make_game
from adversarial.distances import DISTANCES


def attacked(attack, tools, arguments):
    """What the attack finds, and the sizes of the batches that it asked about."""
    return attack.run(classifier(tools), IMAGES, LABELS)


SHORT = {"budget": 60}
case(
    "adversarial.FeatureGuidedAttack",
    SHORT,
    attacked,
    distance="l2",
    budget=30,
    player_two="competitive",
    batch_size=7,
    engine="mcts",
    seed=1,
    manipulation="plus_minus_tau:0.3",
    density="uniform",
    attack="random_pixels",
    levels=4,
    tolerate_noise=True,
    learn=True,
)
for distance in DISTANCES:  # whatever attack serves it: what guides the search does so, or is refused
    case(
        "adversarial.FeatureGuidedAttack",
        {**SHORT, "distance": distance},
        attacked,
        manipulation="plus_minus_tau:0.3",
        density="uniform",
        batch_size=7,
        seed=1,
        learn=True,
    )
for player in ("competitive", "random"):
    case(
        "adversarial.FeatureGuidedAttack",
        {**SHORT, "player_two": player},
        attacked,
        manipulation="plus_minus_tau:0.3",
        density="uniform",
        batch_size=7,
        seed=1,
        attack="waves",
        learn=True,
    )
case(
    "adversarial.FeatureGuidedAttack",
    {**SHORT, "engine": "mcts"},
    attacked,
    manipulation="plus_minus_tau:0.3",
    density="uniform",
    batch_size=7,
    seed=1,
    attack="waves",
    learn=True,
)
case(
    "adversarial.FeatureGuidedAttack.run",
    {"self": FeatureGuidedAttack(budget=60), "classifier": later(classifier), "images": IMAGES, "labels": LABELS},
    classifier=later(lambda tools: classifier(tools, other_network)),
    images=OTHER_IMAGES,
    labels=(LABELS + 1) % 5,
    targets=(LABELS + 2) % 5,
    progress=later(lambda tools: tools.record),
)


def told(results, tools, arguments):
    """The results, what was told, and the files that the answers were kept in."""
    return results, sorted(path.name for path in tools.folder.iterdir())


case(
    "adversarial.FeatureGuidedAttack.run",
    {
        "self": FeatureGuidedAttack(budget=60),
        "classifier": later(classifier),
        "images": IMAGES,
        "labels": LABELS + 1000,
        "on_problem": lambda index, error: None,
    },
    on_problem=later(lambda tools: tools.record),
)
case(
    "adversarial.FeatureGuidedAttack.run",
    {"self": FeatureGuidedAttack(budget=60), "classifier": later(classifier), "images": IMAGES, "labels": LABELS},
    told,
    memory=later(lambda tools: lambda index: AnswerFile(tools.folder / f"{index}.bin", {})),
)


def tasks(images=IMAGES, labels=LABELS):
    return [AttackTask(index, image, int(label)) for index, (image, label) in enumerate(zip(images, labels, strict=True))]


def asks(record):
    """Asks about one more image, and records the answer."""
    record((yield IMAGES[:1]))


STREAMED = {
    "self": FeatureGuidedAttack(budget=60),
    "classifier": later(classifier),
    "tasks": tasks(),
    "finished": later(lambda tools: lambda index, result: tools.record(index, result.distance, result.queries)),
}
case(
    "adversarial.FeatureGuidedAttack.stream",
    STREAMED,
    told,
    classifier=later(lambda tools: classifier(tools, other_network)),
    tasks=tasks(OTHER_IMAGES),
    finished=lambda index, result: None,
    memory=later(lambda tools: lambda index: AnswerFile(tools.folder / f"{index}.bin", {})),
    follow=later(lambda tools: lambda index, log: asks(tools.record)),
)
case(
    "adversarial.FeatureGuidedAttack.stream",
    {**STREAMED, "tasks": tasks(labels=LABELS + 1000), "on_problem": lambda index, error: None},
    on_problem=later(lambda tools: tools.record),
)
record(
    "adversarial.AttackTask",
    {"index": 0, "image": IMAGES[0], "label": 1, "target": 2},
    index=1,
    image=IMAGES[1],
    label=3,
    target=4,
)


def kept(answers, tools, arguments):
    """What a file of answers says, holds and answers after two answers were kept."""
    before = answers.recall(IMAGES)
    answers.keep(IMAGES[:1], np.ones((1, 3)))
    return before, answers.recall(IMAGES), [(path.name, path.read_bytes()) for path in sorted(tools.folder.rglob("*.bin"))]


def file_of_answers(tools):
    """A file with an answer to the second image."""
    answers = AnswerFile(tools.folder / "a.bin", {"of": "one"})
    answers.keep(IMAGES[1:2], np.zeros((1, 3)))
    return answers


case(
    "adversarial.AnswerFile",
    {"path": later(lambda tools: file_of_answers(tools).path), "about": {"of": "one"}},
    kept,
    path=later(lambda tools: tools.folder / "b.bin"),
    about={"of": "another"},
)
case(
    "adversarial.AnswerFile",
    {"path": later(lambda tools: tools.folder / "b.bin"), "about": {"of": "one"}},
    kept,
    notes={"place": "here"},
)
case("adversarial.AnswerFile.recall", {"self": later(file_of_answers), "images": IMAGES[:1]}, images=IMAGES[1:2])
case(
    "adversarial.AnswerFile.keep",
    {"self": later(file_of_answers), "images": IMAGES[:1], "scores": np.ones((1, 3))},
    lambda result, tools, arguments: arguments["self"].recall(IMAGES),
    images=OTHER_IMAGES[:1],
    scores=np.zeros((1, 3)),
)
case(
    "adversarial.AnswerFile.add",
    {"self": later(file_of_answers), "keys": [b"k" * 16], "scores": np.ones((1, 3))},
    lambda result, tools, arguments: arguments["self"].answers(),
    keys=[b"l" * 16],
    scores=np.zeros((1, 3)),
)
case(
    "adversarial.FeatureGuidedAttack.picked_for",
    {"self": FeatureGuidedAttack(), "classifier": later(classifier)},
    lambda attack, tools, arguments: attack,
    classifier=None,
)
case("adversarial.FeatureGuidedAttack.mixture", {"self": FeatureGuidedAttack(), "image": IMAGES[0]}, image=IMAGES[1])

record(
    "adversarial.AttackResult",
    RESULT,
    success=False,
    original=IMAGES[1],
    adversarial=None,
    label=2,
    adversarial_label=2,
    distance=2.0,
    distances={},
    queries=11,
    trace=np.zeros((0, 2)),
    touched=None,
    target=1,
    norm="l2",
    undecided="so",
    features=(FeatureRobustness((0.0, 0.0), 1.0, 1.0, 1),),
    note="n",
    index=1,
    density=MIXTURE,
)
record(
    "adversarial.attacks.Attack",
    {"name": "a", "start": max, "uses_mixture": False, "uses_manipulation": False},
    name="b",
    start=min,
    uses_mixture=True,
    uses_manipulation=True,
    uses_batches=False,
    keeps_to_mask=False,
    needs_geometry=True,
    labels_suffice=True,
    learns=True,
)
record(
    "adversarial.attacks.Task",
    {"log": 1, "distance": 1, "manipulation": 1, "seed": 0, "classifier": 1},
    log=2,
    distance=2,
    manipulation=2,
    seed=1,
    classifier=2,
    mixture=MIXTURE,
    mask=CORNER > 0,
    lessons=(),
)
record("adversarial.AttackInterrupted", {"message": "m", "results": []}, message="n", results=[1])
record("adversarial.AttackStopped", {"results": []}, results=[1])
record(
    "adversarial.FeatureRobustness",
    {"centre": (0.0, 0.0), "weight": 1.0, "distance": 1.0, "queries": 1},
    centre=(1.0, 0.0),
    weight=0.5,
    distance=2.0,
    queries=2,
    measured=False,
)


def drawn(mixture, tools, arguments):
    return mixture.sample(4), mixture.density, mixture.source, mixture.features if hasattr(mixture, "features") else None


case(
    "adversarial.KeypointMixture",
    {
        "weights": MIXTURE.weights,
        "means": MIXTURE.means,
        "sigmas": MIXTURE.sigmas,
        "density": MIXTURE.density,
        "source": "map",
    },
    lambda mixture, tools, arguments: (mixture.sample(8), mixture.saliency(), mixture.source, shares(mixture)),
    weights=np.array([0.9, 0.1]),
    means=MIXTURE.means[::-1],
    sigmas=np.array([3.0, 1.0]),
    density=CORNER / CORNER.sum(),
    source="uniform",
    seed=1,
)


def shares(mixture):
    """How a game splits the image among the mixture's parts."""
    game = make_game(IMAGES[0], mixture, lambda images: network(images), int(LABELS[0]))
    return game.weights, game.owner


case("adversarial.KeypointMixture.sample", {"self": MIXTURE, "n": 3, "rng": 0}, n=4, rng=1)
case("adversarial.KeypointMixture.shares", {"self": MIXTURE, "side": 1}, side=2)
case("adversarial.KeypointMixture.saliency", {"self": MIXTURE}, label="eyes", image=IMAGES[0])
case(
    "adversarial.KeypointMixture.from_map",
    {"scores": CORNER},
    lambda mixture, tools, arguments: (mixture.density, mixture.sample(3)),
    scores=CORNER[::-1],
    shape=(2 * SIDE, SIDE),
    seed=1,
)
PHOTO = np.kron(np.random.default_rng(3).random((8, 8, 3)), np.ones((8, 8, 1))).astype(np.float32)
case(
    "adversarial.keypoint_mixture",
    {"image": PHOTO},
    lambda mixture, tools, arguments: (mixture.weights, mixture.source, mixture.sample(3)),
    image=PHOTO[::-1].copy(),
    max_keypoints=5,
    seed=1,
)
case("adversarial.keypoint_mixture", {"image": PHOTO, "max_keypoints": 5000}, min_keypoints=5000)
