"""RFxG's metrics against plain loops in the manner of its authors, and what they share with deletion."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from evals.faithfulness import evaluate
from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query

NAMES = ("a", "b", "c", "d")
GROUPS = {"ab": ["a", "b"], "cd": ["c", "d"]}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 64, 4)).eval()


@pytest.fixture(scope="module")
def maps():
    random = np.random.default_rng(5)
    queries = [Query("a"), Query("b", ("c",)), Query("cd", (), ("c", "d")), Query("d", ("a",))]
    return [
        PixelSaliency(random.normal(size=(10, 10)), query, image=random.random((10, 10, 3), dtype=np.float32))
        for query in queries
    ]


def by_hand(network, saliency, share):
    """Probabilities of the image without its top share."""
    count = int(np.floor(share * 100 + 0.5))
    top = np.argsort(-saliency.scores.reshape(-1), kind="stable")[:count]
    image = saliency.image.reshape(100, 3).copy()
    image[top] = 0
    tensor = torch.from_numpy(image.reshape(10, 10, 3)).permute(2, 0, 1)[None]
    with torch.no_grad():
        return network(tensor)[0].double().softmax(0).numpy()


def area(values):
    return sum((one + other) / 2 * 0.1 for one, other in itertools.pairwise(values))


def expected(network, saliency, name, first, second, group, other):
    whole = by_hand(network, saliency, 0)
    values, contrasts = [], []
    for step in range(1, 10):
        hidden = by_hand(network, saliency, step / 10)
        change = hidden - whole
        if name == "ccs":
            margin = hidden[first].mean() - hidden[second].mean()
            values.append(margin)
            contrasts.append(whole[first].mean() - whole[second].mean() - margin)
        elif name == "cgc":
            values.append(0.5 * (change[group].mean() + change[first].mean()))
            rest = [index for index in group if index not in first]
            contrasts.append(np.nan if not rest else change[rest].mean() - change[first].mean())
        elif name == "pgs":
            values.append(-change[group].mean())
            contrasts.append(-change[group].mean() + change[[i for i in range(4) if i not in group]].mean())
        elif set(group) & set(other):
            values.append(np.nan)
            contrasts.append(np.nan)
        else:
            values.append(0.5 * (change[group].mean() + change[other].mean()))
            contrasts.append(change[other].mean() - change[group].mean())
    return area(values), area(contrasts)


def test_each_metric_equals_the_formula(network, maps):
    names = ["ccs", "cgc", "pgs", "cgs"]
    asked = [one for name in names for one in (name, f"{name}_contrast")]
    found = evaluate(network, maps, metrics=asked, class_names=NAMES, groups=GROUPS)
    for row, saliency in enumerate(maps):
        query = saliency.query
        first = [NAMES.index(one) for one in (query.members or (query.label,))]
        whole = by_hand(network, saliency, 0)
        likely = [index for index in np.argsort(-whole) if index not in first]
        second = [NAMES.index(one) for one in query.versus] or [likely[0]]
        group, other = ([0, 1] if columns[0] < 2 else [2, 3] for columns in (first, second))
        for name in names:
            plain, contrast = expected(network, saliency, name, first, second, list(group), list(other))
            np.testing.assert_allclose(found.of(name, "probabilities").values[row], plain, atol=1e-6)
            np.testing.assert_allclose(found.of(f"{name}_contrast", "probabilities").values[row], contrast, atol=1e-6)


def test_all_of_them_cost_no_forward_beside_deletion(network, maps):
    alone = evaluate(network, maps, metrics=["deletion"], class_names=NAMES)
    together = evaluate(
        network, maps, metrics=["deletion", "ccs", "cgc", "pgs", "cgs", "cgs_contrast"], class_names=NAMES, groups=GROUPS
    )
    assert together.sweeps == alone.sweeps


def test_without_groups_only_what_needs_none_is_defined(network, maps):
    found = evaluate(network, maps[:2], metrics=["ccs", "pgs", "cgs"], class_names=NAMES)
    assert not found["ccs"].reasons
    assert set(found["pgs"].reasons) == {0, 1}
    assert "give groups=" in found["cgs"].reasons[0]


def test_a_group_of_unknown_classes_is_told(network, maps):
    with pytest.raises(UsageError, match="'husky', which is no class of the model"):
        evaluate(network, maps[:1], metrics=["pgs"], class_names=NAMES, groups={"dogs": ["husky"]})
