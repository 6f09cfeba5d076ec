"""`fewest_pixels`: from a file or a module to bounds, with an example that flips the network as it is run."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from adversarial import fewest_pixels  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402

SIZE = (4, 3, 1)


@pytest.fixture(scope="module")
def threshold():
    """The sum of six pixels, against 2: of an image of ones, class 0, five pixels must be lost."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2), nn.ReLU(), nn.Linear(2, 2))
    with torch.no_grad():
        module[1].weight.copy_(torch.tensor([[1.0] * 6, [0.0] * 6]))
        module[1].bias.copy_(torch.tensor([0.0, 1.5]))
        module[3].weight.copy_(torch.eye(2))
        module[3].bias.zero_()
    return module


ONES = np.ones((2, 3, 1), np.float32)


def test_a_network_that_is_solved_by_hand(threshold):
    got = fewest_pixels(threshold, ONES, 0, at_most=6, seconds=30)
    assert (got.lower, got.upper, got.exact, got.witness_label) == (5, 5, True, 1)
    assert got.proof.finished
    assert got.proof.pixels == 4
    one = fewest_pixels(threshold, ONES, 0, at_most=1, seconds=30)
    assert (one.lower, one.proof.asked) == (2, 1)


@pytest.mark.parametrize("seed", range(6))
def test_files_and_modules_have_the_same_bounds_and_examples_flip_both(programs, tmp_path, seed):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    rng = np.random.default_rng(seed)
    kind = programs.KINDS[(0, 3, 4, 6, 9, 10)[seed]]
    module, picture = programs.build(rng, kind, *SIZE, 3, "large"), programs.image(rng, *SIZE, "inside")
    label = int(programs.scores(module, picture[None]).argmax())
    last = bool(seed % 2)
    path = programs.write_onnx(module, tmp_path / "net.onnx", SIZE, last=last)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    truth = programs.fewest_by_force(copy.deepcopy(module).double(), picture, label, 2)
    found = [fewest_pixels(network, picture, label, at_most=2, seconds=20) for network in (path, module)]
    assert (found[0].lower, found[0].upper) == (found[1].lower, found[1].upper)
    for got in found:
        assert got.lower <= min(truth, got.upper)
        assert got.lower == min(truth, 3)
        if got.witness is not None:
            images = got.witness[None] if last else got.witness.transpose(2, 0, 1)[None]
            assert session.run(None, {"image": images})[0].argmax() == got.witness_label != label
            assert programs.scores(module, got.witness[None]).argmax() != label
            assert (got.witness != picture).any(axis=2).sum() == got.upper


def test_a_picture_that_is_seen_as_another_class_needs_no_pixel(threshold):
    got = fewest_pixels(threshold, ONES, 1, seconds=5)
    assert (got.lower, got.upper, got.witness_label) == (0, 0, 0)
    assert np.array_equal(got.witness, ONES)


def test_nothing_flips_a_network_with_one_answer(threshold):
    module = copy.deepcopy(threshold)
    with torch.no_grad():
        module[3].bias[0] = 50
    got = fewest_pixels(module, ONES, 0, at_most=9, seconds=30)
    assert (got.lower, got.upper, got.witness) == (7, math.inf, None)
    assert got.statement().startswith("No change of pixel values flips class 0 (")


def test_classes_that_tie_are_not_proved_apart(threshold):
    module = copy.deepcopy(threshold)
    with torch.no_grad():
        module[3].weight[1] = module[3].weight[0]
    got = fewest_pixels(module, ONES, 0, seconds=5)
    assert (got.lower, got.upper) == (0, math.inf)
    assert not got.proof.finished
    assert "rounding may decide it" in got.statement()


def test_a_known_example_takes_the_place_of_the_attack(threshold):
    known = ONES.copy()
    known.reshape(-1)[:5] = 0
    got = fewest_pixels(threshold, ONES, 0, at_most=1, seconds=5, adversarial=known)
    assert (got.upper, got.witness is not None) == (5, True)
    with pytest.raises(UsageError, match="given is none"):
        fewest_pixels(threshold, ONES, 0, adversarial=ONES)
    with pytest.raises(UsageError, match="shape"):
        fewest_pixels(threshold, ONES, 0, adversarial=np.zeros((3, 2, 1), np.float32))


def test_scores_of_float64_are_compared_in_float64():
    """Class 0 is ahead by 1e-9 of scores near 1, which float32 can't tell apart."""
    module = nn.Sequential(nn.Flatten(), nn.Linear(1, 2)).double()
    with torch.no_grad():
        module[1].weight.zero_()
        module[1].bias.copy_(torch.tensor([1.0, 1.0 + 1e-9], dtype=torch.float64))
    got = fewest_pixels(module, np.zeros((1, 1, 1), np.float32), 1, at_most=1, seconds=5)
    assert (got.lower, got.upper) == (2, math.inf)


def test_progress_is_told_and_threads_are_put_back(threshold):
    before, seen = torch.get_num_threads(), []
    fewest_pixels(
        threshold,
        ONES,
        0,
        at_most=3,
        seconds=20,
        threads=1,
        progress=lambda proof: seen.append((proof, torch.get_num_threads())),
    )
    assert seen
    assert {threads for _, threads in seen} == {1}
    assert [proof.blocks for proof, _ in seen] == sorted({proof.blocks for proof, _ in seen})
    assert torch.get_num_threads() == before
    with pytest.raises(UsageError):
        fewest_pixels(threshold, ONES, 5, threads=before + 1)
    assert torch.get_num_threads() == before


def test_an_interruption_keeps_the_journal(threshold, tmp_path):
    path = tmp_path / "proof.npz"

    def stop(proof):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fewest_pixels(threshold, ONES, 0, at_most=6, seconds=20, threads=1, journal=path, progress=stop)
    assert path.exists()
    got = fewest_pixels(threshold, ONES, 0, at_most=6, seconds=20, journal=path)
    assert (got.lower, got.upper) == (5, 5)
    again = fewest_pixels(threshold, ONES, 0, at_most=6, seconds=20, journal=path)
    assert (again.lower, again.upper, again.proof.blocks) == (5, 5, got.proof.blocks)
    with pytest.raises(UsageError, match="another network, image or label"):
        fewest_pixels(threshold, ONES * 0.99, 0, journal=path)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"image": np.full((2, 3, 1), np.nan)}, "holds NaN in 6 places"),
        ({"image": ONES + 0j}, "the image must be numbers .*complex"),
        ({"adversarial": ONES + 0j}, "the adversarial example must be numbers"),
        ({"image": np.full((2, 3, 1), 300)}, "from 300 to 300"),
        ({"journal": 5}, "path of a file"),
        ({"journal": b"x"}, "path of a file"),
        ({"journal": ""}, "path of a file"),
        ({"progress": 3}, "function of one argument"),
        ({"image": np.full((2, 3, 1), 1.5)}, r"in \[0, 1\]"),
        ({"image": np.ones((2, 2, 2, 2))}, "height, width, channels"),
        ({"image": np.ones((0, 3, 1))}, "height, width, channels"),
        ({"image": np.ones((3, 3, 1), np.float32)}, "can.t be run on an image of 3 x 3 pixels with 1 channel"),
        ({"label": 2}, "from 0 to 1"),
        ({"label": -1}, "from 0 to 1"),
        ({"label": True}, "from 0 to 1"),
        ({"at_most": 0}, "at least 1"),
        ({"seconds": 0}, "above 0"),
        ({"seconds": math.nan}, "above 0"),
        ({"threads": 0}, "at least 1"),
        ({"seed": -1}, "at least 0"),
        ({"network": "no/such.onnx"}, "no ONNX file"),
        ({"network": 3}, "torch module"),
    ],
)
def test_what_does_not_fit_is_refused(threshold, changes, why):
    given = {"network": threshold, "image": ONES, "label": 0} | changes
    with pytest.raises(UsageError, match=why):
        fewest_pixels(given.pop("network"), given.pop("image"), given.pop("label"), **given)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("scale", [1.7e-8, 2.1e-8, 1e-5])
def test_classes_that_a_last_softmax_rounds_to_a_tie_are_not_proved_apart(tmp_path, kind, scale):
    """One pixel changes the scores by less than float32 can tell near a share of 1/2, and the tie goes to the first class."""
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    weights = np.zeros((9, 2), np.float32)
    weights[:, 1] = scale * np.array([1, 0.5, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])
    make, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    steps = [make("Flatten", ["image"], ["f"]), make("MatMul", ["f", "v"], ["z"]), make(kind, ["z"], ["scores"], axis=1)]
    graph = onnx.helper.make_graph(
        steps,
        "g",
        [value("image", 1, ["n", 3, 3, 1])],
        [value("scores", 1, None)],
        [onnx.numpy_helper.from_array(weights, "v")],
    )
    path = tmp_path / "net.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8), path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    image = np.ones((3, 3, 1), np.float32)
    without = image.copy()
    without[0, 0] = 0
    label, now = (int(session.run(None, {"image": one[None]})[0].argmax()) for one in (image, without))
    got = fewest_pixels(str(path), image, label, at_most=1, seconds=2, adversarial=np.zeros_like(image) if label else None)
    assert got.lower <= 1 or now == label  # one pixel flips it
    assert got.lower == (2 if scale == 1e-5 else 0)


@pytest.mark.parametrize("last", [nn.Softmax(1), nn.LogSoftmax(-1)])
def test_a_last_softmax_of_a_module_is_given_its_rounding(threshold, last):
    module = nn.Sequential(threshold, last)
    got = fewest_pixels(module, ONES, 0, at_most=6, seconds=30)
    assert (got.lower, got.upper) == (5, 5)
    plain = fewest_pixels(threshold, ONES, 0, at_most=1, seconds=30).proof.rounding
    assert fewest_pixels(module, ONES, 0, at_most=1, seconds=30).proof.rounding > plain + 64 * 2.0**-24


class Wrapped(nn.Module):
    """A convolution, and what a function makes of it."""

    def __init__(self, forward):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv2d(1, 4, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3))
        self.forward_of = forward

    def forward(self, x):
        return self.forward_of(self.net, x)


GREY = np.random.default_rng(0).random((3, 3)).astype(np.float32)


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: {"logits": net(x)},
        lambda net, x: (net(x), x),
        lambda net, x: net(x).squeeze(),
        lambda net, x: net[3](net[1](net[0](x)).view(x.size(0), -1)),
        lambda net, x: net[3](net[1](net[0](x)).view(1, -1)),
        lambda net, x: net(x.mul_(1)),
    ],
    ids=["dictionary", "tuple", "squeezed", "viewed flat", "one at a time", "in place"],
)
def test_usual_ways_to_write_a_module_have_the_same_bounds(forward):
    module = Wrapped(forward)
    image = GREY[..., None].copy()
    label = int(module.net(torch.tensor(GREY)[None, None]).argmax())
    plain = fewest_pixels(module.net, image, label, at_most=1, seconds=20)
    got = fewest_pixels(module, image, label, at_most=1, seconds=20)
    assert (got.lower, got.upper) == (plain.lower, plain.upper)
    assert np.array_equal(image[..., 0], GREY)


@pytest.mark.parametrize(
    ("forward", "why"),
    [
        (lambda net, x: {"a": x, "b": net(x)}, "returns a dictionary of 'a', 'b'; a proof needs scores"),
        (lambda net, x: None, "returns NoneType; a proof needs scores"),
        (lambda net, x: net(x).sum(), r"returns an array of shape \(\)"),
        (lambda net, x: net(x) * math.nan, "scores that are NaN"),
        (lambda net, x: net(torch.cat([x, x], 1)), "can't be run on an image of 3 x 3 pixels with 1 channel"),
        (lambda net, x: torch.softmax(net(x), 0), "works on axis 0"),
        (lambda net, x: net[3](torch.softmax(net[:3](x), 1)), "stands before other operations"),
    ],
)
def test_what_a_module_may_not_return_is_said(forward, why):
    with pytest.raises(UsageError, match=why):
        fewest_pixels(Wrapped(forward), GREY, 0, at_most=1, seconds=5)


def test_a_compiled_module_is_read_as_the_one_that_was_compiled(threshold):
    got = fewest_pixels(torch.compile(threshold), ONES, 0, at_most=6, seconds=30)
    assert (got.lower, got.upper) == (5, 5)


def test_pictures_of_8_bits_are_scaled(threshold):
    pictures = pytest.importorskip("PIL.Image")
    eight = (ONES * 255).astype(np.uint8)
    with pytest.warns(UserWarning, match="uint8"):
        assert fewest_pixels(threshold, eight, 0, at_most=6, seconds=30).lower == 5
    assert fewest_pixels(threshold, pictures.fromarray(eight[..., 0]), 0, at_most=6, seconds=30).lower == 5


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_journal_says_what_to_do(threshold, tmp_path, content):
    path = tmp_path / "journal"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"no journal of a proof .*delete it or give another path"):
        fewest_pixels(threshold, ONES, 0, seconds=1, journal=path)
    assert path.read_bytes() == content
