"""Classifiers that change their input in place are answered for like their careful twins, whoever asks them."""

import numpy as np
import pytest
import torch
from torch import nn

from adversarial import CallableClassifier, FeatureGuidedAttack, keypoint_mixture
from adversarial.attacks.mcts_game import make_game, run_mcts
from adversarial.bounds import estimate_lipschitz, grid_bound
from adversarial.weather import ask_survival, ask_weather
from saywhy_core.classifiers import TorchClassifier, ask, ask_some_again
from verbalize.attribution import attribute
from verbalize.models.image_models import BlackBoxImages, ImageModel, answer_to

SHAPE = (6, 5, 3)
WEIGHTS = np.random.default_rng(0).normal(size=(3, 90)).astype(np.float32)
IMAGE = np.random.default_rng(1).random(SHAPE, dtype=np.float32)
LABEL = int((WEIGHTS @ (IMAGE.ravel() - 0.5)).argmax())


class Plain:
    """Three linear scores of centred images; of the form of a classifier, and no `CallableClassifier`."""

    scores, class_names, image_shape, identity = "logits", None, SHAPE, None

    def __init__(self):
        self.queries = 0

    def centred(self, batch):
        return batch - np.float32(0.5)

    def __call__(self, images):
        batch = np.asarray(images)
        self.queries += len(batch)
        return (self.centred(batch).reshape(len(batch), -1) @ WEIGHTS.T).astype(np.float64)

    ask_again = __call__


class Careless(Plain):
    """The same, but it centres its input in place, and then wipes it out."""

    def centred(self, batch):
        batch -= np.float32(0.5)
        kept = batch.copy()
        batch[...] = 0
        return kept


class Module(nn.Module):
    """The same as a torch module whose first operations work in place where it is careless."""

    def __init__(self, careless):
        super().__init__()
        self.head = nn.Linear(90, 3, bias=False)
        self.head.weight.data = torch.from_numpy(WEIGHTS.reshape(3, *SHAPE).transpose(0, 3, 1, 2).reshape(3, -1).copy())
        self.careless = careless

    def forward(self, images):
        if self.careless:
            return self.head(images.sub_(0.5).relu_().flatten(1))
        return self.head((images - 0.5).relu().flatten(1))


def same(first, second):
    np.testing.assert_array_equal(first.original, second.original)
    np.testing.assert_array_equal(first.adversarial, second.adversarial)
    assert (first.distance, first.queries, first.label) == (second.distance, second.queries, second.label)


@pytest.mark.parametrize(
    "settings",
    [{}, {"distance": "l2"}, {"distance": "linf"}, {"player_two": "random"}, {"engine": "mcts"}, {"attack": "label_pixels"}],
    ids=str,
)
def test_an_attack_finds_the_same_and_leaves_the_image_alone(settings):
    given = IMAGE.copy()
    attack = FeatureGuidedAttack(budget=80, **settings)
    (careless,), (plain,) = (attack.run(one(), given[None], [LABEL]) for one in (Careless, Plain))
    np.testing.assert_array_equal(given, IMAGE)
    np.testing.assert_array_equal(careless.original, IMAGE)
    assert plain.success
    same(careless, plain)


@pytest.mark.parametrize("made", [CallableClassifier, lambda predict: CallableClassifier(predict, batch_size=3)])
def test_a_function_and_a_torch_module_may_change_what_they_get(made):
    given = IMAGE.copy()
    attack = FeatureGuidedAttack(budget=80, distance="l2")
    careless, plain = (attack.run(made(one()), given[None], [LABEL])[0] for one in (Careless, Plain))
    same(careless, plain)
    in_torch = [attack.run(TorchClassifier(Module(careless)), given[None])[0] for careless in (True, False)]
    same(*in_torch)
    np.testing.assert_array_equal(given, IMAGE)


def test_bounds_the_game_weather_and_saved_files():
    given, chosen = IMAGE.copy(), [(1, 2)]
    bounds = [grid_bound(one(), given, chosen, tau=0.5, lipschitz=1.0, radius=1.0) for one in (Careless, Plain)]
    assert bounds[0].radius == bounds[1].radius
    constants = [estimate_lipschitz(one(), given, chosen, samples=20) for one in (Careless, Plain)]
    assert constants[0].value == constants[1].value
    games = [run_mcts(make_game(given, keypoint_mixture(given), one(), LABEL), budget=60) for one in (Careless, Plain)]
    assert games[0].distance == games[1].distance
    np.testing.assert_array_equal(games[0].touched, games[1].touched)
    weather = [ask_weather(one(), given, LABEL, ["contrast", "darkness"]) for one in (Careless, Plain)]
    assert [one.predicted for one in weather[0]] == [one.predicted for one in weather[1]]
    assert ask_survival(Careless(), given, LABEL) == ask_survival(Plain(), given, LABEL)
    np.testing.assert_array_equal(given, IMAGE)


def test_the_two_ways_to_ask_lend_a_copy_only_where_it_is_needed():
    class Watched(Plain):
        def __call__(self, images):
            self.got = images
            return super().__call__(images)

        ask_again = __call__

    for keeps in (False, True):
        classifier, batch = Watched(), np.stack([IMAGE, 1 - IMAGE])
        classifier.keeps_images = keeps
        for asked in (ask(classifier, batch), ask_some_again(classifier, batch, 0), ask_some_again(classifier, batch, 2)):
            np.testing.assert_array_equal(asked, Plain()(batch))
            assert np.shares_memory(classifier.got, batch) == keeps


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "rise", "occlusion"])
def test_maps_of_a_module_that_works_in_place(method):
    images = torch.from_numpy(IMAGE.transpose(2, 0, 1)[None].copy())
    before = images.clone()
    maps = [
        attribute(ImageModel(Module(careless).eval(), ("a", "b", "c")), IMAGE, method=method).scores
        for careless in (True, False)
    ]
    np.testing.assert_allclose(*maps, rtol=1e-6)
    asked = images.clone().requires_grad_()
    answer_to(Module(careless=True), asked)[0, 0].backward()  # a leaf of gradients, which torch refuses to change
    assert asked.grad is not None
    torch.testing.assert_close(answer_to(Module(careless=True), images), answer_to(Module(careless=False), images))
    torch.testing.assert_close(images, before)


def test_a_black_box_with_one_channel_shares_no_memory_with_the_caller():
    class OneChannel(Plain):
        def __call__(self, images):
            images *= 0
            return np.zeros((len(images), 2))

    images = torch.rand(2, 1, 4, 4)
    before = images.clone()
    BlackBoxImages(OneChannel(), ("a", "b")).logits(images)
    torch.testing.assert_close(images, before)
