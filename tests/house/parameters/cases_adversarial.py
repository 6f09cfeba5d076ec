"""Attacks, games, distances, bounds and findings: a small seeded network, linear classifiers, images of a few pixels."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
from parameters.harness import case, later, record

from adversarial import AttackResult, CallableClassifier, FeatureGuidedAttack, FeatureRobustness, KeypointMixture
from adversarial.attacks.mcts_game import Change, Feature, State, make_game
from adversarial.audit import AuditImage, audit_images
from adversarial.bounds import Bound, LipschitzConstant, grid_bound
from adversarial.distances import DISTANCES
from verbalize import PixelSaliency, Query

SIDE = 12
NAMES = ("stop", "yield", "speed limit 30", "danger", "no entry")


def network(batch, classes=5, seed=0):
    """A network of two layers: not linear, five classes."""
    rng = np.random.default_rng(seed)
    inner = rng.normal(size=(SIDE * SIDE * 3, 24)).astype(np.float32) / 6
    outer = rng.normal(size=(24, classes)).astype(np.float32)
    return np.maximum((np.asarray(batch).reshape(len(batch), -1) - 0.5) @ inner, 0) @ outer


def other_network(batch):
    return network(batch, seed=7)


IMAGES = np.random.default_rng(1).random((2, SIDE, SIDE, 3), dtype=np.float32)
LABELS = network(IMAGES).argmax(axis=1)
OTHER_IMAGES = np.random.default_rng(5).random((2, SIDE, SIDE, 3), dtype=np.float32)
CORNER = np.zeros((SIDE, SIDE))
CORNER[:4, :4] = 1.0


def classifier(tools, predict=network):
    return CallableClassifier(tools.counting(predict))


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
case("adversarial.FeatureGuidedAttack.mixture", {"self": FeatureGuidedAttack(), "image": IMAGES[0]}, image=IMAGES[1])

RESULT = {
    "success": True,
    "original": IMAGES[0],
    "adversarial": IMAGES[0],
    "label": 0,
    "adversarial_label": 1,
    "distance": 1.0,
    "distances": {"l0": 1.0},
    "queries": 10,
    "trace": np.array([[5.0, 1.0]]),
    "touched": PixelSaliency(CORNER, Query("yield", ("stop",)), signed=False),
}
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
    features=(FeatureRobustness((0.0, 0.0), 1.0, 1.0, 1),),
    note="n",
    index=1,
    density=1,
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
)

# --- what guides the search ------------------------------------------------------------------------------------------

MIXTURE = KeypointMixture(
    np.array([0.4, 0.6]), np.array([[2.0, 2.0], [8.0, 9.0]]), np.array([1.0, 2.0]), np.full((SIDE, SIDE), 1 / SIDE**2), "map"
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

# --- the game of the published attack --------------------------------------------------------------------------------

GREY = np.full((4, 5, 1), 0.5, np.float32)
TWO = KeypointMixture(
    np.array([0.4, 0.6]), np.array([[1.5, 0.5], [1.5, 3.0]]), np.array([0.5, 0.5]), np.full((4, 5), 1 / 20), "map"
)
SLOPES = np.random.default_rng(2).normal(size=20)


def linear(images, bias=0.0):
    score = images.reshape(len(images), -1) @ SLOPES + bias
    return np.stack([np.full(len(images), 2.0), score, -score], axis=1)


def game(**options):
    return make_game(GREY, TWO, linear, 0, **options)


GAME = game()
ONE, ANOTHER = (Change(0, (1.0,)),), (Change(0, (0.0,)), Change(7, (1.0,)))
record("adversarial.attacks.mcts_game.Change", {"pixel": 0, "value": (1.0,)}, pixel=1, value=(0.0,))
record("adversarial.attacks.mcts_game.Feature", {"number": 0}, number=1)
record(
    "adversarial.attacks.mcts_game.Found",
    {"image": None, "distance": 1.0, "changes": (), "queries": 1, "trace": (), "touched": np.zeros(3)},
    image=GREY,
    distance=2.0,
    changes=ONE,
    queries=2,
    trace=((1, 1.0),),
    touched=np.ones(3),
    iterations=3,
)


def played(made, tools, arguments):
    """Everything that a game tells of itself, its two players and one change."""
    state = State(made).takeAction(Feature(0))
    return (
        made.render(ONE),
        made.distance(ONE),
        made.margin(ONE),
        made.reward(ONE),
        [made.changes_in(number, ()) for number in range(len(made.features))],
        made.open_features(()),
        state.getCurrentPlayer(),
        made.weights,
        made.owner,
        made.chances,
        made.max_distance,
        made.player_two,
    )


case(
    "adversarial.attacks.mcts_game.make_game",
    {"image": GREY, "mixture": TWO, "evaluate": linear, "label": 0},
    played,
    image=GREY + 0.25,
    mixture=KeypointMixture(TWO.weights, TWO.means, TWO.sigmas, np.arange(20.0).reshape(4, 5) / 190, "map"),
    evaluate=lambda images: linear(images, 1.0),
    label=1,
    target=1,
    distance="l2",
    manipulation="plus_minus_tau:0.1",
    player_two="random",
    max_distance=1.0,
)
FIELDS = (
    "image features weights chances evaluate label target norm manipulation player_two max_distance owner".split()  # noqa: SIM905
)
OTHER_GAME = make_game(
    GREY + 0.25, TWO, lambda images: linear(images, 1.0), 1, target=2, distance="l2", manipulation="plus_minus_tau:0.1",
    player_two="random", max_distance=1.0,
)  # fmt: skip
record(
    "adversarial.attacks.mcts_game.Game",
    {name: getattr(GAME, name) for name in FIELDS},
    features=GAME.features[::-1],
    weights=GAME.weights[::-1],
    chances=GAME.chances[::-1],
    owner=1 - GAME.owner,
    evaluate=max,
    **{
        name: getattr(OTHER_GAME, name)
        for name in FIELDS
        if name not in ("features", "weights", "chances", "owner", "evaluate")
    },
)
case(
    "adversarial.attacks.mcts_game.State",
    {"game": GAME},
    lambda state, *_: (state.image, state.getPossibleActions()),
    game=OTHER_GAME,
    changes=ONE,
    feature=1,
)
case("adversarial.attacks.mcts_game.State.takeAction", {"self": State(GAME), "action": Feature(0)}, action=Feature(1))
case("adversarial.attacks.mcts_game.Game.reward", {"self": GAME, "changes": ONE}, changes=(Change(3, (1.0,)),))
for name in ("render", "distance", "margin", "open_features"):
    case(
        f"adversarial.attacks.mcts_game.Game.{name}",
        {"self": GAME, "changes": ONE},
        changes=tuple(Change(pixel, (1.0,)) for pixel in range(0, 20, 5))
        + tuple(Change(pixel, (1.0,)) for pixel in range(1, 20, 5)),
    )
for name in ("open_pixels", "changes_in"):
    case(f"adversarial.attacks.mcts_game.Game.{name}", {"self": GAME, "feature": 0, "changes": ()}, feature=1, changes=ONE)
case(
    "adversarial.attacks.mcts_game.run_mcts",
    {"game": later(lambda tools: game()), "budget": 40},
    game=later(lambda tools: game(distance="l2")),
    budget=20,
    seed=1,
    iterations_per_move=5,
    exploration=9.0,
    on_better=later(lambda tools: tools.record),
)

# --- distances -------------------------------------------------------------------------------------------------------

L2 = DISTANCES.get("l2")
OWN = {"name": "l2", "title": "L2", "measure": L2.measure}


def described(distance, tools, arguments):
    return (
        distance.name,
        distance.between(IMAGES[0], IMAGES[1]),
        distance.in_words(1.0),
        distance.change_in_words("4 pixels", 1.0),
        distance.served_by,
        distance.power,
    )


case(
    "adversarial.distances.Distance",
    OWN,
    described,
    name="own",
    title="Own",
    measure=DISTANCES.get("linf").measure,
    nearest=L2.nearest,
    power=2.0,
    counts_pixels=True,
    change="{pixels}!",
    attack="waves",
)
case(
    "adversarial.distances.Distance.between",
    {"self": L2, "image": IMAGES[0], "other": IMAGES[1]},
    image=OTHER_IMAGES[0],
    other=OTHER_IMAGES[1],
)
case("adversarial.distances.Distance.in_words", {"self": L2, "value": 1.0}, value=2.0)
case(
    "adversarial.distances.Distance.change_in_words",
    {"self": L2, "pixels": "4 pixels", "value": 1.0},
    pixels="5 pixels",
    value=2.0,
)
case(
    "adversarial.distances.all_distances",
    {"image": IMAGES[0], "other": IMAGES[1]},
    image=OTHER_IMAGES[0],
    other=OTHER_IMAGES[1],
)
RAY = {
    "direction": np.array([1.0, 2.0]),
    "slope": np.array([1.0, 1.0]),
    "need": 1.0,
    "low": np.array([-0.2, -0.2]),
    "high": np.array([0.4, 0.9]),
}
case(
    "adversarial.distances.clipped_ray",
    RAY,
    direction=np.array([2.0, 1.0]),
    slope=np.array([1.0, 0.5]),
    need=0.5,
    high=np.array([0.2, 0.9]),
)
case(
    "adversarial.distances.clipped_ray",
    {**RAY, "direction": -RAY["direction"], "slope": -RAY["slope"], "need": 0.3},
    low=np.array([-0.1, -0.9]),
)

# --- bounds ----------------------------------------------------------------------------------------------------------

SMALL = np.full((2, 2, 1), 0.5, np.float32)
EVERY = [(y, x) for y in range(2) for x in range(2)]
PULL = np.array([[0.6, -0.4, 0.3, 0.2], [-0.1, 0.2, 0.1, 0.4], [0.2, 0.1, -0.5, 0.1]])


def three_classes(images):
    moved = images.reshape(len(images), -1).astype(float) - 0.5
    return np.array([1.0, 0.3, 0.1]) + moved @ PULL.T + 2.0 * (moved @ PULL.T) ** 3  # steeper the further away


def turned(images):
    return three_classes(1 - images)


LIPSCHITZ = {"classifier": later(lambda tools: tools.counting(three_classes)), "image": SMALL, "pixels": EVERY}
case(
    "adversarial.bounds.estimate_lipschitz",
    LIPSCHITZ,
    classifier=turned,
    pixels=EVERY[:2],
    norm="l2",
    label=1,
    radius=0.1,
    samples=8,
    batch_size=5,
    seed=1,
)
case("adversarial.bounds.estimate_lipschitz", {**LIPSCHITZ, "radius": 0.3, "target": 1}, image=SMALL + 0.2, target=2)
GRID = {**LIPSCHITZ, "tau": 0.25, "lipschitz": 1.0}
case(
    "adversarial.bounds.grid_bound",
    GRID,
    classifier=turned,
    image=SMALL + 0.2,
    pixels=EVERY[:2],
    tau=0.2,
    norm="l2",
    lipschitz=0.2,
    label=1,
    target=2,
    radius=0.1,
    adversarial=SMALL + 0.4,
    batch_size=5,
    max_images=10,
)
case("adversarial.bounds.grid_bound", {**GRID, "max_images": 40, "partial": True}, partial=False)
record("adversarial.bounds.LipschitzConstant", {"value": 1.0}, value=2.0, estimated=True, norm="l2", note="n")
BOUND = grid_bound(three_classes, SMALL, EVERY, tau=0.25, lipschitz=LipschitzConstant(1.0))
BOUND_FIELDS = {name: getattr(BOUND, name) for name in BOUND.__dataclass_fields__}
record(
    "adversarial.bounds.Bound",
    BOUND_FIELDS,
    radius=0.11,
    upper=0.12,
    norm="l1",
    constant=LipschitzConstant(2.0),
    constant_norm="l1",
    largest_constant=3.0,
    free_if=0.13,
    searched=0.14,
    exhaustive=not BOUND.exhaustive,
    refuted=0.15,
    evaluations=1,
    margin=0.16,
    tau=0.17,
    pixels=((0, 0),),
    label=1,
    target=2,
    example=SMALL,
    beyond=0.18,
)
TARGETED = Bound(**{**BOUND_FIELDS, "radius": 0.1, "refuted": None, "margin": 1.0, "target": 1})
for told in ("to_json", "statement"):
    case(f"adversarial.bounds.Bound.{told}", {"self": TARGETED, "class_names": NAMES}, class_names=NAMES[::-1])

# --- findings --------------------------------------------------------------------------------------------------------


def finding(label=0, pixels=((3, 3), (3, 4))):
    changed = IMAGES[0].copy()
    for y, x in pixels:
        changed[y, x] = 1 - np.round(changed[y, x])
    from adversarial.distances import all_distances

    distances = all_distances(IMAGES[0], changed)
    kept = {"label": label, "adversarial": changed, "distance": distances["l0"], "distances": distances}
    return AttackResult(**{**RESULT, **kept})


FOUND, OTHER = finding(), finding(2, ((9, 9),))
case("adversarial.findings.changed_mask", {"result": FOUND}, result=OTHER)
case("adversarial.findings.class_name", {"index": 0, "class_names": NAMES}, index=1, class_names=NAMES[::-1])
case("adversarial.findings.finding_in_words", {"result": FOUND}, result=OTHER, class_names=NAMES, budget=99)
case("adversarial.findings.finding_record", {"result": FOUND}, result=OTHER, class_names=NAMES, budget=99, settings={"seed": 1})
case(
    "adversarial.findings.touched_in_words",
    {"result": FOUND},
    result=AttackResult(**{**RESULT, "touched": PixelSaliency(CORNER[::-1], Query("x", ("y",)), signed=False)}),
)
case(
    "adversarial.findings.write_finding",
    {"result": FOUND, "directory": later(lambda tools: tools.folder / "a")},
    lambda made, tools, arguments: (
        made,
        [(path.name, path.read_bytes()) for path in sorted(tools.folder.rglob("*.*"))],
        sorted(path.name for path in tools.folder.iterdir()),
    ),
    result=OTHER,
    directory=later(lambda tools: tools.folder / "b"),
    class_names=NAMES,
    budget=99,
    settings={"seed": 1},
)

# --- attacks as they are registered ----------------------------------------------------------------------------------

record(
    "adversarial.attacks.Attack",
    {"name": "own", "start": max, "uses_mixture": False, "uses_manipulation": False},
    name="other",
    start=min,
    uses_mixture=True,
    uses_manipulation=True,
    uses_batches=False,
    keeps_to_mask=False,
    needs_geometry=True,
)
record(
    "adversarial.attacks.Task",
    {"log": "log", "distance": L2, "manipulation": "corners", "seed": 0, "classifier": "classifier"},
    log="another",
    distance=DISTANCES.get("l1"),
    manipulation="colour:1",
    seed=1,
    classifier="another",
    mixture=MIXTURE,
    mask=CORNER > 0,
)

# --- audits ----------------------------------------------------------------------------------------------------------


def saved(tools, images=IMAGES, **more):
    np.savez(tools.folder / "set.npz", images=images, **more)
    return [tools.folder / "set.npz"]


def lines(tools, text="1\n2\n"):
    (tools.folder / "labels.txt").write_text(text, encoding="utf-8")
    return tools.folder / "labels.txt"


AUDITED = [AuditImage("one", IMAGES[0], int(LABELS[0])), AuditImage("two", IMAGES[1], int(LABELS[1]))]
record("adversarial.audit.AuditImage", {"name": "one", "pixels": IMAGES[0]}, name="two", pixels=IMAGES[1], label=1)
record("adversarial.audit.ResultFolder", {"path": Path("a"), "digest": "1"}, path=Path("b"), digest="2")
record("adversarial.audit.AuditOutcome", {"written": 0, "kept": 0, "problems": ()}, written=1, kept=1, problems=("p",))
case(
    "adversarial.audit.gather_images",
    {"paths": later(saved)},
    paths=later(lambda tools: saved(tools, OTHER_IMAGES)),
    shape=(4, 4, 3),
    size=(4, 6),
    label=1,
    labels=later(lines),
)
case("adversarial.audit.gather_images", {"paths": later(saved), "label": 1}, class_names=("only one",))
case(
    "adversarial.audit.MapDensity",
    {"values": CORNER},
    lambda density, tools, arguments: (density.digest, density(IMAGES[0]).sample(4)),
    values=CORNER[::-1],
    seed=1,
)


def prior(tools, values=CORNER):
    np.save(tools.folder / "map.npy", values)
    return tools.folder / "map.npy"


case(
    "adversarial.audit.read_prior",
    {"path": later(prior)},
    path=later(lambda tools: prior(tools, CORNER[::-1])),
    seed=1,
)
case(
    "adversarial.audit.audit_settings",
    {"attack": FeatureGuidedAttack(), "classifier": later(classifier)},
    attack=FeatureGuidedAttack(seed=1),
    classifier=later(lambda tools: SimpleNamespace(identity="known")),
    goal=1,
    target="onnx:a",
    options={"layout": "nchw"},
)


def written(outcome, tools, arguments):
    """The outcome, and every record that was written."""
    found = sorted(tools.folder.rglob("result.json"))
    return outcome, [(str(path.relative_to(tools.folder)), path.read_bytes()) for path in found]


AUDIT = {
    "classifier": later(classifier),
    "images": AUDITED,
    "out": later(lambda tools: tools.folder / "out"),
    "attack": FeatureGuidedAttack(budget=30),
}
case(
    "adversarial.audit.audit_images",
    AUDIT,
    written,
    classifier=later(lambda tools: classifier(tools, other_network)),
    images=AUDITED[:1],
    out=later(lambda tools: tools.folder / "elsewhere"),
    attack=FeatureGuidedAttack(budget=20),
    goal=(int(LABELS[0]) + 1) % 5,
    class_names=NAMES,
    target="onnx:a",
    options={"layout": "nchw"},
    on_finding=later(lambda tools: tools.record),
    on_progress=later(lambda tools: tools.record),
)


def audited_before(tools):
    """A folder in which the images were attacked with other settings: without `force` that is refused."""
    audit_images(CallableClassifier(network), AUDITED, tools.folder / "out", FeatureGuidedAttack(budget=11))
    return tools.folder / "out"


case("adversarial.audit.audit_images", {**AUDIT, "out": later(audited_before), "force": True}, written, force=False)
