"""On inputs whose decisive part is known, each metric ranks the known map above a random one, and that above the inverted."""

from dataclasses import replace

import numpy as np
import pytest

from evals.faithfulness import METRICS, evaluate, inverted_map, random_map
from tests.evals.faithfulness.planted import GROUPED_NAMES, GROUPS, NAMES, Additive, Gated, Grouped, good_maps
from verbalize import Query

# A metric that asks another question than "is this map right?", with the reason why this test can't rank maps by it.
OTHER_QUESTIONS = {
    "max_sensitivity": "a map and its inversion are equally steady: see test_metrics.py",
}
# An additive model rises in any order of adding; a score can only rise on a part of the input where the rest harms.
# An unsigned map, and its inversion, have sums far from zero in all sets, which the best unit of infidelity_scaled can use.
MODELS = {
    "monotonicity": Gated,
    "increase": lambda: Additive(rest=-0.002),
    "average_gain": lambda: Additive(rest=-0.002),
    "infidelity_scaled": lambda: Additive(rest=-0.02),
}
NEVER_WORSE = ("increase", "average_gain")  # of a random map, they are as low as they can be
PLANTED = [
    name
    for name in METRICS.builtin
    if not METRICS.get(name).needs and name not in OTHER_QUESTIONS and METRICS.get(name).asks is not None
]


@pytest.mark.parametrize("name", PLANTED)
@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_known_good_before_random_before_inverted(name, scale):
    grouped = "groups" in METRICS.get(name).settings
    model = Grouped() if grouped else MODELS.get(name, Additive)()
    settings = {"groups": GROUPS} if grouped else {}
    good = good_maps(8, model)
    if name.startswith("cgs"):  # the question is why the object rather than what is in another group
        good = [replace(one, query=Query("object", ("other",))) for one in good]
    kinds = {
        "good": good,
        "random": [random_map(one, seed=seed) for seed, one in enumerate(good)],
        "inverted": [inverted_map(one) for one in good],
    }
    names = GROUPED_NAMES if grouped else NAMES
    found = {kind: evaluate(model, maps, metrics=[name], class_names=names, **settings) for kind, maps in kinds.items()}
    means = {kind: one.of(name, scale).mean for kind, one in found.items()}
    if name == "average_gain" and scale == "logits":
        assert all(np.isnan(mean) for mean in means.values())
        return
    if name == "infidelity" and scale == "probabilities":
        return  # the known map holds contributions to the logits, and infidelity measures in the unit of the map
    turned = [means["good"], means["random"], means["inverted"]]
    sign = 1 if METRICS.get(name).higher_is_better else -1
    assert sign * turned[0] > sign * turned[1], means
    assert sign * turned[1] > sign * turned[2] or (name in NEVER_WORSE and turned[1] == turned[2] == 0), means
