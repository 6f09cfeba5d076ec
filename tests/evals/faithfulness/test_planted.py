"""On inputs whose decisive part is known, each metric ranks the known map above a random one, and that above the inverted."""

import numpy as np
import pytest
from planted import Additive, Gated, good_maps

from evals.faithfulness import METRICS, evaluate, inverted_map, random_map

# A metric that asks another question than "is this map right?", with the reason why this test can't rank maps by it.
OTHER_QUESTIONS = {
    "max_sensitivity": "a map and its inversion are equally steady: see test_metrics.py",
}
MASKED = [
    name for name in METRICS.builtin if not METRICS.get(name).needs and name not in OTHER_QUESTIONS and METRICS.get(name).asks({**METRICS.get(name).settings})
]


@pytest.mark.parametrize("name", MASKED)
@pytest.mark.parametrize("scale", ["logits", "probabilities"])
def test_known_good_before_random_before_inverted(name, scale):
    model = Gated() if name == "monotonicity" else Additive()  # an additive model rises by any order
    good = good_maps(8)
    kinds = {
        "good": good,
        "random": [random_map(one, seed=seed) for seed, one in enumerate(good)],
        "inverted": [inverted_map(one) for one in good],
    }
    found = {kind: evaluate(model, maps, metrics=[name], class_names=("object", "other")) for kind, maps in kinds.items()}
    means = {kind: one.of(name, scale).mean for kind, one in found.items()}
    if name == "average_gain" and scale == "logits":
        assert all(np.isnan(mean) for mean in means.values())
        return
    turned = [means["good"], means["random"], means["inverted"]]
    sign = 1 if METRICS.get(name).higher_is_better else -1
    assert sign * turned[0] > sign * turned[1], means
    assert sign * turned[1] > sign * turned[2] or (name in ("increase", "average_gain") and turned[1] == turned[2] == 0), means
