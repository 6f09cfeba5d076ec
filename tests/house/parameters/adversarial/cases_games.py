"""The game of the published attack: a linear classifier and an image of 20 pixels."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record

from adversarial import KeypointMixture
from adversarial.attacks.mcts_game import Change, Feature, State, make_game

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
