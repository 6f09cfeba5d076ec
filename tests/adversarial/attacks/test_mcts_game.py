import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adversarial.attacks.mcts_game.engine import run_mcts
from adversarial.attacks.mcts_game.game import Change, Feature, make_game
from adversarial.distances import all_distances
from adversarial.features import KeypointMixture, keypoint_mixture
from adversarial.manipulations import Colour, Corners, PlusMinusTau, load_manipulation
from saywhy_core.errors import UsageError

SHAPE = (4, 5)


def two_features():
    """The left two columns are one feature and the right three the other."""
    means = np.array([[1.5, 0.5], [1.5, 3.0]])
    density = np.full(SHAPE, 1 / 20)
    return KeypointMixture(np.array([0.4, 0.6]), means, np.array([0.5, 0.5]), density, "map")


def linear(weights, bias=0.0):
    """Class 1 where the weighted sum of the grey values passes -bias, class 0 otherwise; counts what it is asked."""

    def predict(images):
        predict.asked += len(images)
        score = images.reshape(len(images), -1) @ np.asarray(weights, float).ravel() + bias
        return np.stack([np.zeros(len(images)), score], axis=1)

    predict.asked = 0
    return predict


def game_of(weights, bias, *, grey=0.5, **options):
    image = np.full((*SHAPE, 1), grey, np.float32)
    return make_game(image, two_features(), linear(weights, bias), 0, **options)


@pytest.mark.parametrize(
    ("manipulation", "channels", "count"),
    [(Corners(), 1, 2), (Corners(), 3, 8), (PlusMinusTau(0.25), 3, 6), (Colour((1.0, 0.0, 0.0)), 3, 1), (Colour((0.0,)), 3, 1)],
)
def test_every_manipulation_stays_in_the_cube_and_changes_something(manipulation, channels, count):
    original = np.random.default_rng(0).random((30, channels)).astype(np.float32)
    values, legal = manipulation.moves(original, original)
    assert values.shape == (30, count, channels)
    assert legal.all()
    assert (values >= 0).all()
    assert (values <= 1).all()
    assert (values != original[:, None]).any(axis=2).all()
    changed = values[:, 0]
    again, legal = manipulation.moves(original, changed)
    if manipulation.once:
        assert not legal.any()
    else:
        back = np.abs(again - original[:, None]).sum(-1) <= np.abs(changed - original).sum(-1)[:, None]
        assert not (legal & back).any()
    assert load_manipulation(manipulation.spec) == manipulation


def test_corners_of_the_colour_cube_are_all_there_and_a_pixel_has_no_move_to_itself():
    black = np.zeros((1, 3), np.float32)
    values, legal = Corners().moves(black, black)
    assert {tuple(v) for v in values[0, legal[0]].tolist()} == set(itertools.product([0.0, 1.0], repeat=3)) - {(0.0, 0.0, 0.0)}


def test_steps_of_tau_stop_at_the_border_of_the_cube():
    original, near_white = np.float32([[0.5]]), np.float32([[0.95]])
    values, legal = PlusMinusTau(0.1).moves(original, near_white)
    assert values[0].ravel().tolist() == pytest.approx([1.0, 0.85])
    assert legal[0].tolist() == [True, False]
    assert not PlusMinusTau(0.1).moves(original, np.float32([[1.0]]))[1].any()


@pytest.mark.parametrize(
    "spec", ["blur", "corners:3", "colour:red", "colour:2,0,0", "plus_minus_tau:0", "plus_minus_tau:x", "colour:#ff00z0"]
)
def test_a_manipulation_that_cannot_be_is_named(spec):
    with pytest.raises(UsageError):
        load_manipulation(spec)


def test_hexadecimal_colours():
    assert load_manipulation("colour:#ff0033") == Colour((1.0, 0.0, 0.2))


def test_turns_alternate_and_states_are_immutable_hashable_and_order_free():
    game = game_of(np.zeros(SHAPE), -1.0)
    start = game.start()
    assert start.getCurrentPlayer() == 1
    assert not start.isTerminal()
    assert start.getPossibleActions() == [Feature(0), Feature(1)]
    left = start.takeAction(Feature(0))
    assert left.getCurrentPlayer() == 1
    assert {move.pixel % 5 for move in left.getPossibleActions()} == {0, 1}
    assert {move.value for move in left.getPossibleActions()} == {(0.0,), (1.0,)}
    one = left.takeAction(Change(0, (1.0,)))
    assert start.changes == ()
    assert start.image[0, 0, 0] == 0.5
    assert one.image[0, 0, 0] == 1
    assert one.distance == 1
    two = one.takeAction(Feature(1)).takeAction(Change(3, (0.0,)))
    other_way = start.takeAction(Feature(1)).takeAction(Change(3, (0.0,))).takeAction(Feature(0)).takeAction(Change(0, (1.0,)))
    assert two == other_way
    assert len({two, other_way, one, start, left}) == 4
    with pytest.raises(AttributeError):
        two.feature = 1


def test_moves_out_of_turn_are_refused():
    start = game_of(np.zeros(SHAPE), -1.0).start()
    for state, action in (
        (start, Change(0, (1.0,))),
        (start, Feature(7)),
        (start.takeAction(Feature(0)), Feature(1)),
        (start.takeAction(Feature(0)), Change(4, (1.0,))),
    ):
        with pytest.raises(UsageError, match="no move here"):
            state.takeAction(action)


def test_a_game_ends_with_a_flip_at_the_bound_or_with_the_last_move():
    weights = np.zeros(SHAPE)
    weights[0, 0] = 1
    flips = game_of(weights, -0.8)
    assert flips.start().takeAction(Feature(0)).takeAction(Change(0, (1.0,))).isTerminal()
    assert not flips.start().takeAction(Feature(0)).takeAction(Change(0, (0.0,))).isTerminal()
    bounded = game_of(weights, -9.0, max_distance=1)
    assert bounded.start().takeAction(Feature(0)).takeAction(Change(5, (1.0,))).isTerminal()
    state = game_of(np.zeros(SHAPE), -1.0, manipulation="colour:0").start()
    turns = 0
    while not state.isTerminal():
        assert state.getPossibleActions()
        state = state.takeAction(state.getPossibleActions()[0])
        turns += 1
    assert turns == 40
    np.testing.assert_array_equal(state.image, 0)


def test_each_image_is_asked_about_once():
    predict = linear(np.ones(SHAPE), -15.0)
    game = make_game(np.full((*SHAPE, 1), 0.5, np.float32), two_features(), predict, 0)
    state = game.start().takeAction(Feature(0)).takeAction(Change(0, (1.0,)))
    for _ in range(3):
        state.isTerminal()
        state.getReward()
    assert predict.asked == 2  # this image, and the original that its margin is compared with


def test_nearer_flips_earn_more_and_every_flip_more_than_none():
    weights = np.zeros(SHAPE)
    weights[0, :2] = 1, 0.4
    game = game_of(weights, -1.05, max_distance=5)
    none = game.start().takeAction(Feature(0)).takeAction(Change(1, (1.0,)))
    near = game.start().takeAction(Feature(0)).takeAction(Change(0, (1.0,)))
    far = near.takeAction(Feature(0)).takeAction(Change(1, (1.0,)))
    assert 0 <= none.getReward() < 0.5 < far.getReward() < near.getReward() <= 1
    assert near.getReward() == pytest.approx(1 - 0.5 * 1 / 5)


def test_beyond_the_bound_there_is_no_reward():
    game = game_of(np.ones(SHAPE), -1e-3, grey=0.0, distance="l2", max_distance=0.5)
    assert game.start().takeAction(Feature(0)).takeAction(Change(0, (1.0,))).getReward() == 0


def value(state):
    """Minimax over the whole tree, written from the interface alone; nature's nodes do not occur here."""
    if state.isTerminal():
        return state.getReward()
    values = [value(state.takeAction(action)) for action in state.getPossibleActions()]
    return max(values) if state.getCurrentPlayer() == 1 else min(values)


def small_game(player_two, weights, bias, **options):
    image = np.full((1, 4, 1), 0.5, np.float32)
    mixture = KeypointMixture(
        np.array([0.5, 0.5]), np.array([[0, 0.5], [0, 2.5]]), np.array([0.5, 0.5]), np.full((1, 4), 0.25), "map"
    )
    return make_game(image, mixture, linear(weights, bias), 0, player_two=player_two, manipulation="colour:1", **options)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-4, 4), min_size=4, max_size=4), st.integers(1, 9))
def test_the_values_of_the_games_are_the_distances_found_by_brute_force(weights, tenths):
    # the score is bias + half the weights at the start, and half a weight more for each pixel that turns white
    bias = -sum(weights) / 2 - tenths / 2
    games = {player: small_game(player, weights, bias) for player in ("cooperative", "competitive")}

    def smallest(pixels):
        sizes = [
            size
            for size in range(1, len(pixels) + 1)
            for chosen in itertools.combinations(pixels, size)
            if sum(weights[p] for p in chosen) > tenths
        ]
        return min(sizes, default=np.inf)

    everywhere, by_feature = smallest(range(4)), [smallest([0, 1]), smallest([2, 3])]
    cooperative, competitive = value(games["cooperative"].start()), value(games["competitive"].start())
    if everywhere < np.inf:
        assert cooperative == pytest.approx(1 - 0.5 * everywhere / 4)
    else:
        assert cooperative < 0.5
    if max(by_feature) < np.inf:
        assert competitive == pytest.approx(0.5 * max(by_feature) / 4)
        # robustness of the most robust feature: never less than the cooperative distance
        assert competitive >= (1 - cooperative) - 1e-12
    else:
        assert competitive > 0.5


def test_who_maximises_and_who_minimises():
    for player, number in (("cooperative", 1), ("competitive", -1), ("random", 0)):
        start = game_of(np.zeros(SHAPE), -1.0, player_two=player).start()
        assert start.getCurrentPlayer() == 1
        assert start.takeAction(Feature(0)).getCurrentPlayer() == number


def test_the_competitive_player_keeps_to_its_feature():
    start = game_of(np.zeros(SHAPE), -1.0, player_two="competitive").start()
    assert start.takeAction(Feature(1)).takeAction(Change(4, (1.0,))).getPossibleActions() == [Feature(1)]


def test_the_target_must_be_reached_itself():
    def predict(images):
        lit = images[:, 0, :2, 0] > 0.9
        return np.stack([np.full(len(images), 0.5), lit[:, 0], lit[:, 1]], axis=1).astype(float)

    image = np.full((*SHAPE, 1), 0.5, np.float32)
    for target, pixel in ((1, 0), (2, 1)):
        game = make_game(image, two_features(), predict, 0, target=target)
        left = game.start().takeAction(Feature(0))
        assert left.takeAction(Change(pixel, (1.0,))).isTerminal()
        assert not left.takeAction(Change(1 - pixel, (1.0,))).isTerminal()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"distance": "l3"}, "l3"),
        ({"player_two": "hostile"}, "hostile"),
        ({"target": 0}, "label itself"),
        ({"max_distance": 0}, "bound"),
        ({"manipulation": "colour:0.5"}, "changes nothing"),
    ],
)
def test_games_that_cannot_be_played_are_refused(options, said):
    with pytest.raises(UsageError, match=said):
        game_of(np.zeros(SHAPE), -1.0, **options)


def test_features_of_another_size_are_refused():
    with pytest.raises(UsageError, match="features are for"):
        make_game(np.zeros((3, 3, 1)), two_features(), linear(np.zeros(9)), 0)


def test_every_pixel_belongs_to_one_feature_of_a_real_mixture():
    image = np.random.default_rng(0).random((16, 16, 3)).astype(np.float32)
    game = make_game(image, keypoint_mixture(image), lambda x: np.zeros((len(x), 2)), 0)
    pixels = np.concatenate(game.features)
    assert sorted(pixels) == list(range(256))
    assert game.weights.sum() == pytest.approx(1)
    assert all(chance.sum() == pytest.approx(1) and (chance > 0).all() for chance in game.chances)


# --- the same game by the stock package ---


def hard_pixels():
    """Two pixels must turn white together: 2 is the smallest L0 distance, known by hand."""
    weights = np.zeros(SHAPE)
    weights[1, 1] = weights[2, 3] = 2.0
    return weights


@pytest.mark.parametrize("seed", [2, *(pytest.param(seed, marks=pytest.mark.long) for seed in (0, 1))])
def test_the_stock_package_finds_the_smallest_flip(seed):
    game = game_of(hard_pixels(), -3.5)
    found = run_mcts(game, budget=3000, seed=seed)
    assert found.distance == 2
    assert {change.pixel for change in found.changes} == {6, 13}
    np.testing.assert_array_equal(found.image, game.render(found.changes))
    queries, distances = zip(*found.trace, strict=True)
    assert list(queries) == sorted(queries)
    assert list(distances) == sorted(distances, reverse=True)
    assert distances[-1] == found.distance
    assert found.touched.shape == SHAPE
    assert found.touched[1, 1] > 0


@pytest.mark.parametrize("budget", [1, 2, 7, 60])
def test_the_budget_is_kept_to_the_query(budget):
    game = game_of(hard_pixels(), -50.0)
    found = run_mcts(game, budget=budget)
    assert found.queries == game.evaluate.asked == budget
    assert found.image is None
    assert found.distance == np.inf
    assert found.trace == ()


@pytest.mark.parametrize(
    ("distance", "manipulation"),
    [
        ("l2", "plus_minus_tau:0.1"),
        ("linf", "plus_minus_tau:0.2"),
        pytest.param("l1", "corners", marks=pytest.mark.long),
    ],
)
def test_other_distances_are_searched_as_well(distance, manipulation):
    game = game_of(hard_pixels(), -2.45, distance=distance, manipulation=manipulation)
    found = run_mcts(game, budget=800)
    assert found.distance == pytest.approx(all_distances(game.image, found.image)[distance])
    assert game.evaluate(found.image[None])[0, 1] > 0


def test_same_seed_same_result_and_the_global_generator_is_left_alone():
    random.seed(123)
    expected = random.random()
    random.seed(123)
    first = run_mcts(game_of(hard_pixels(), -3.5), budget=200, seed=4)
    assert random.random() == expected
    second = run_mcts(game_of(hard_pixels(), -3.5), budget=200, seed=4)
    assert (first.trace, first.changes, first.queries) == (second.trace, second.changes, second.queries)
    np.testing.assert_array_equal(first.touched, second.touched)


def test_what_is_misclassified_already_costs_one_query():
    game = game_of(np.ones(SHAPE), 5.0)
    found = run_mcts(game, budget=10)
    assert (found.queries, found.distance) == (1, 0)


def test_what_was_found_is_not_lost_when_the_classifier_fails():
    sure = game_of(hard_pixels(), -3.5)
    seen = []

    def breaks(images):
        if sure.evaluate.asked > 40:
            raise ConnectionError("gone")
        return sure.evaluate(images)

    game = make_game(sure.image, two_features(), breaks, 0)
    with pytest.raises(ConnectionError):
        run_mcts(game, budget=500, on_better=seen.append)
    assert seen
    assert sure.evaluate(seen[-1].image[None])[0, 1] > 0


def test_a_game_seen_whole_comes_to_an_end():
    game = small_game("cooperative", [1, 1, 1, 1], -100.0)
    found = run_mcts(game, budget=100)
    assert found.queries <= 16  # there are no more images
    assert found.image is None


@pytest.mark.parametrize("player", ["competitive", "random"])
def test_games_the_package_cannot_play_are_refused(player):
    with pytest.raises(UsageError, match=r"mcts 1\.0\.4"):
        run_mcts(game_of(hard_pixels(), -3.5, player_two=player), budget=10)
    with pytest.raises(UsageError, match="at least 1"):
        run_mcts(game_of(hard_pixels(), -3.5), budget=0)
