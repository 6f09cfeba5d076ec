"""Methods side by side: ranks, their disagreement, and agreement in words."""

import json
import re

import numpy as np
import pytest
import torch
from scipy.stats import kendalltau, spearmanr
from torch import nn

from evals.faithfulness import agree, compare, rank, write_comparison
from evals.faithfulness.comparing.comparison import Comparison, Run
from evals.faithfulness.comparing.questions import questions_of
from evals.faithfulness.evaluation import Evaluation, Outcome
from evals.faithfulness.reporting.plots import squares
from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Query, TokenSaliency
from verbalize.models import ImageModel

NAMES = ("a", "b", "c")
METHODS = ["integrated_gradients", "input_x_gradient", "occlusion?patch=3"]


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ImageModel(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3)).eval(), NAMES)


@pytest.fixture(scope="module")
def images():
    return list(np.random.default_rng(0).random((3, 8, 8, 3), dtype=np.float32))


@pytest.fixture(scope="module")
def found(model, images):
    return compare(
        model, images, METHODS, questions=["pointwise", "group contrastive"], groups={"ab": ["a", "b"]},
        metrics=["deletion", "insertion"],
    )  # fmt: skip


def test_each_method_answers_each_question_and_random_is_among_them(found, images):
    assert [(run.question, run.method) for run in found.runs] == [
        (question, method) for question in ("pointwise", "group contrastive") for method in (*METHODS, "random")
    ]
    for run in found.runs:
        assert len(run.maps) == 3
        assert run.evaluation["deletion"].values.shape == (3,)
        assert all(bool(one.query.versus) == (run.question != "pointwise") for one in run.maps)
    costs = {row["method"]: row for row in found.costs() if row["question"] == "pointwise"}
    assert costs["input_x_gradient"]["backwards"] == 3
    assert costs["occlusion?patch=3"]["backwards"] == 0
    assert costs["occlusion?patch=3"]["forwards"] > 3
    assert costs["random"]["forwards"] == 0


def test_a_method_that_cant_answer_is_listed_and_the_others_go_on(model, images):
    found = compare(model, images, ["eigen_cam", "input_x_gradient"], questions=["contrastive"], metrics=["deletion"])
    problems = {run.method: run.problem for run in found.runs}
    assert "looks at no class" in problems["eigen_cam"]
    assert not problems["input_x_gradient"]
    with pytest.raises(UsageError, match="no method could explain this model"):
        compare(model, images, ["eigen_cam"], questions=["contrastive"], metrics=["deletion"])


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"methods": []}, "needs inputs and methods"),
        ({"inputs": []}, "needs inputs and methods"),
        ({"methods": ["magic"]}, "no attribution method 'magic'"),
        ({"methods": ["occlusion", "occlusion"]}, "named twice"),
        ({"questions": ["why"]}, "no kind of question 'why'"),
        ({"questions": ["group"]}, "needs groups"),
        ({"queries": [Query("a")]}, "1 queries for 3 inputs"),
    ],
)
def test_what_cant_be_compared_is_told(model, images, changed, said):
    given = {"inputs": images, "methods": ["input_x_gradient"], "metrics": ["deletion"], **changed}
    with pytest.raises(UsageError, match=said):
        compare(model, given.pop("inputs"), given.pop("methods"), **given)


def test_questions_are_those_of_the_prediction():
    logits = np.array([[3.0, 2, 1], [0, 1, 2]])
    groups = {"ab": ["a", "b"]}
    assert questions_of("pointwise", logits, NAMES) == [Query("a"), Query("c")]
    assert questions_of("contrastive", logits, NAMES) == [Query("a", ("b",)), Query("c", ("b",))]
    assert questions_of("group", logits, NAMES, groups) == [Query("ab", (), ("a", "b")), Query("c")]
    assert questions_of("group contrastive", logits, NAMES, groups) == [Query("ab", ("c",), ("a", "b")), Query("c", ("b",))]
    with pytest.raises(UsageError, match="holds all classes"):
        questions_of("group contrastive", logits, NAMES, {"all": list(NAMES)})
    with pytest.raises(UsageError, match="'z', which is no class"):
        questions_of("group", logits, NAMES, {"z": ["z"]})


def ranked(values, better=(True, False)):
    """A comparison of methods with given values: metric -> method -> one value per input."""
    runs = []
    for method in values[0]:
        outcomes = tuple(
            Outcome(f"m{index}", "logits", "", higher, np.array(metric[method], float), {}, 0.0, 0.0, 0.0, 0, 0.0)
            for index, (metric, higher) in enumerate(zip(values, better, strict=True))
        )
        maps = tuple(PixelSaliency(np.eye(2), Query("a")) for _ in outcomes[0].values)
        runs.append(Run(method, "pointwise", maps, Evaluation(maps, outcomes, {}, 0.95, 0, 0, 0, 0.0)))
    return Comparison(tuple(runs), len(maps), 0.95)


def test_ranks_are_taken_within_inputs_and_averaged():
    found = rank(ranked([{"x": [3, 10], "y": [2, 30], "z": [1, 20]}, {"x": [1, 1], "y": [1, 2], "z": [5, 3]}]), "pointwise")
    # m0, higher is better: input 1 x y z = 1 2 3, input 2 = 3 1 2; m1, lower is better: 1.5 1.5 3 and 1 2 3
    np.testing.assert_allclose(found.ranks, [[2, 1.5, 2.5], [1.25, 1.75, 3]])
    np.testing.assert_allclose(found.means, [1.625, 1.625, 2.75])
    assert found.taus[0, 1] == pytest.approx(kendalltau([2, 1.5, 2.5], [1.25, 1.75, 3]).statistic)
    # Kendall's W by hand: ranks of the methods 2 1 3 and 1 2 3, sums 3 3 6, mean 4: S = 6, W = 12 * 6 / (4 * 24)
    assert found.concordance == pytest.approx(0.75)
    words = " ".join(found.sentences())
    assert "The metrics disagree about the best method: y under m0; x under m1." in words
    assert "may be chance" in words


def test_an_input_without_a_value_for_a_method_is_left_out():
    found = rank(ranked([{"x": [1, np.nan], "y": [2, 5]}], better=(True,)), "pointwise")
    np.testing.assert_allclose(found.means, [2, 1])
    assert found.inputs == 1
    assert np.isnan(found.low).all()


def words_map(scores, **fields):
    tokens = ["the", "service", "is", "still", "rude"]
    return TokenSaliency(tokens, scores, Query("negative"), text=" ".join(tokens), **fields)


def test_four_of_five_methods_name_rude():
    first, without = [0, 0, 0, 0, 2], [0, 3, 0, 0, 0]
    split = [0, 0, 0, 1.5, 2]
    found = agree(
        {
            "a": [words_map(first)],
            "b": [words_map(first)],
            "c": [words_map(split)],
            "d": [words_map(split)],
            "e": [words_map(without)],
        }
    )
    (one,) = found.inputs
    assert one.text == "Four of five methods name 'rude'; they disagree on 'service' and 'still'." or (
        one.text == "Four of five methods name 'rude'; they disagree on 'still' and 'service'."
    )
    assert one.parts == ("service", "still", "rude")
    assert one.places == (2, 4, 5)
    assert one.named.sum(axis=0).tolist() == [1, 2, 4]
    assert found.overlap[0, 1] == 1
    assert found.overlap[0, 4] == 0
    assert found.correlation[0, 2] == pytest.approx(spearmanr(first, split).statistic)


def test_maps_that_contradict_each_other_are_told():
    found = agree({"a": [words_map([0, 1, 0, 0, 2])], "b": [words_map([0, -1, 0, 0, 2])]}, k=2)
    assert "Both methods name 'rude'" in found.inputs[0].text
    assert (
        "contradict each other on 'service': some maps say that it speaks for 'negative', some against" in found.inputs[0].text
    )


def test_no_method_without_signs_is_said_to_speak_for_or_against():
    found = agree({"a": [words_map([0, 1, 0, 0, 2], signed=False)], "b": [words_map([0, -1, 0, 0, 2])]}, k=2)
    assert "contradict" not in found.inputs[0].text
    assert np.isnan(found.signs[0, 1])


def test_flat_maps_name_nothing():
    found = agree({"a": [words_map([1, 1, 1, 1, 1])], "b": [words_map([0, 0, 0, 0, 0])]})
    assert found.inputs[0].text == "No method names a word: all scores of each map are equal."
    assert np.isnan(found.correlation[0, 1])


def test_maps_of_other_inputs_or_questions_are_refused():
    other = TokenSaliency(["x"], [1], Query("negative"))
    with pytest.raises(UsageError, match="map 1 of b is of another input"):
        agree({"a": [words_map([0, 1, 0, 0, 2])], "b": [other]})
    asked = TokenSaliency(["x"], [1], Query("positive"))
    with pytest.raises(UsageError, match="answers another question"):
        agree({"a": [other], "b": [asked]})
    with pytest.raises(UsageError, match="a has 2 maps and b 1"):
        agree({"a": [other, other], "b": [other]})
    with pytest.raises(UsageError, match="k must be 1 or more"):
        agree({"a": [other]}, k=0)


def test_all_files_are_written(found, tmp_path):
    paths = write_comparison(found, tmp_path / "out")
    assert [path.name for path in paths][-1] == "report.html"
    assert {"means.csv", "values.csv", "costs.csv", "ranking.csv", "pairs.csv", "comparison.json"} <= {p.name for p in paths}
    record = json.loads((tmp_path / "out" / "comparison.json").read_text(encoding="utf-8"))
    assert record["version"] == 1
    means = {(row["question"], row["method"], row["metric"]): row["logits"] for row in record["means"]}
    run = found.of("pointwise")[1]
    assert means["pointwise", run.method, "deletion"] == pytest.approx(run.evaluation["deletion"].mean)
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    assert all(method.replace("&", "&amp;") in page for method in METHODS)


def test_a_method_that_looks_at_no_class_has_the_same_map_for_another_class(model, images):
    found = compare(model, images, ["eigen_cam"], metrics=["class_sensitivity", "randomisation", "deletion"])
    (run,) = (one for one in found.of("pointwise") if one.method == "eigen_cam")
    np.testing.assert_allclose(run.evaluation["class_sensitivity"].values, 1.0)
    assert np.isfinite(run.evaluation["randomisation"].values).all()


def test_randomisation_is_undefined_where_the_model_with_random_weights_has_no_scores(images):
    class Divides(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([[1.0, 0.0], [2.0, 1.0]]))

        def forward(self, batch):
            grey = batch.mean(dim=(1, 2, 3))[:, None]
            return grey / self.weight[0, 0] * torch.tensor([1.0, 0.5, 0.2])  # infinite once the zero comes first

    found = compare(
        ImageModel(Divides().eval(), NAMES), images, ["saliency"], metrics=["randomisation"], seed=next(_moving_the_zero())
    )
    assert not np.isfinite(found.of("pointwise")[0].evaluation["randomisation"].values).any()


def _moving_the_zero():
    """Seeds that bring the zero, the second of four weights, to the front."""
    return (seed for seed in range(100) if torch.randperm(4, generator=torch.Generator().manual_seed(seed))[0] == 1)


def test_a_page_shows_the_regions_that_it_names_and_counts_in_words(model, images, tmp_path):
    found = compare(model, images[:1], ["input_x_gradient", "occlusion?patch=3"], metrics=["deletion"], level=0.999)
    page = write_comparison(found, tmp_path)[-1].read_text(encoding="utf-8")
    assert "2 methods on 1 input." in page
    assert "at a level of 99.9%" in page
    assert "The regions that are compared" in page
    (agreed,) = agree({run.method: run.maps for run in found.of("pointwise") if run.method != "random"}).inputs
    for name in agreed.joint.mask_names:
        assert f"<li>{name}: matters" in page
    assert "one input gives none" in page
    assert "1 methods" not in page


def test_names_beside_squares_are_not_cut():
    names = ["occlusion?patch=8,stride=4,fill=x", "b"]
    plot = squares("alike", np.array([[1, np.nan], [np.nan, 1]]), names, names, low=-1, high=1)
    (width,) = re.findall(r'width="(\d+)" height="\d+" role', plot)
    (left, slanted) = (float(re.search(pattern, plot)[1]) for pattern in (r'<text x="(\d+)"', r"translate\(([\d.]+) "))
    assert left >= 7.2 * 32
    assert plot.count("–") == 2
    assert float(width) >= slanted + 0.7 * 7.2 * 32
    assert float(re.search(r"translate\([\d.]+ (\d+)\)", plot)[1]) >= 0.7 * 7.2 * 32


def test_what_cant_be_written_is_told(found, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match="can't be a folder, because there is a file"):
            write_comparison(found, folder)
    with pytest.raises(UsageError, match="comparison is what compare returned, not a str"):
        write_comparison("found", tmp_path)
