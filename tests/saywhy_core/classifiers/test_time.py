"""Models that would compute for hours: each ends after a time that is set beforehand."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from saywhy_core.bounded.pace import Pace
from saywhy_core.bounded.watched import OverTimeError, Watched, go_on, of_time
from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings

IMAGE = np.zeros((1, 4, 6, 3), np.float32)


@pytest.fixture
def helper():
    pytest.importorskip("onnxruntime")
    return pytest.importorskip("onnx").helper


def whole(value, name):
    return pytest.importorskip("onnx").numpy_helper.from_array(np.array(value, np.int64), name)


def network(path, steps, constants, functions=()):
    """Scores are the means of the channels, and a number "y" that the steps compute is added."""
    onnx = pytest.importorskip("onnx")
    make, kind, value = onnx.helper.make_node, onnx.TensorProto.FLOAT, onnx.helper.make_tensor_value_info
    nodes = [*steps, make("ReduceMean", ["image", "axes"], ["means"], keepdims=0), make("Add", ["means", "y"], ["logits"])]
    graph = onnx.helper.make_graph(
        nodes, "g", [value("image", kind, ["n", 4, 6, 3])], [value("logits", kind, ["n", None])],
        [*constants, whole([1, 2], "axes")],
    )  # fmt: skip
    sets = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("own", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=sets, ir_version=9, functions=functions), path)
    return f"onnx:{path}"


def loop(path, helper, trips):
    """A number is doubled `trips[0]` times, and `trips[1]` times more for each image of a batch but the first."""
    onnx = pytest.importorskip("onnx")
    make, kinds, value = helper.make_node, onnx.TensorProto, helper.make_tensor_value_info
    body = helper.make_graph(
        [make("Identity", ["c"], ["c2"]), make("Add", ["a", "a"], ["a2"])], "b",
        [value("i", kinds.INT64, []), value("c", kinds.BOOL, []), value("a", kinds.FLOAT, [])],
        [value("c2", kinds.BOOL, []), value("a2", kinds.FLOAT, [])],
    )  # fmt: skip
    first, others = trips
    constants = [
        onnx.numpy_helper.from_array(np.array(True), "t"), onnx.numpy_helper.from_array(np.float32(0), "zero"),
        whole(first, "first"), whole(others, "others"), whole(1, "one"), whole(0, "nought"),
    ]  # fmt: skip
    steps = [
        make("Shape", ["image"], ["shape"]), make("Gather", ["shape", "nought"], ["n"]), make("Sub", ["n", "one"], ["more"]),
        make("Mul", ["more", "others"], ["extra"]), make("Add", ["first", "extra"], ["k"]),
        make("Loop", ["k", "t", "zero"], ["y"], body=body),
    ]  # fmt: skip
    return network(path, steps, constants)


def kernel(path, helper, edge):
    """One product of two matrices of `edge` by `edge`, which nothing can stop from outside."""
    make = helper.make_node
    steps = [
        make("ReduceSum", ["image"], ["all"], keepdims=1), make("Reshape", ["all", "one"], ["q"]),
        make("Expand", ["q", "size"], ["z"]), make("MatMul", ["z", "z"], ["zz"]), make("ReduceSum", ["zz"], ["y"], keepdims=0),
    ]  # fmt: skip
    return network(path, steps, [whole([edge, edge], "size"), whole([1, 1], "one")])


def folded(path, helper, times):
    """Products of constants, which onnxruntime computes when it opens the file."""
    make = helper.make_node
    ones = helper.make_tensor("v", pytest.importorskip("onnx").TensorProto.FLOAT, [1], [1.0])
    steps = [make("ConstantOfShape", ["size"], ["z0"], value=ones)]
    steps += [make("MatMul", [f"z{number}", "z0"], [f"z{number + 1}"]) for number in range(times)]
    steps.append(make("ReduceSum", [f"z{times}"], ["y"], keepdims=0))
    return network(path, steps, [whole([4000, 4000], "size")])


def functions(path, helper, depth):
    """Functions of the file that call each other ten times: 10 to the power of `depth` steps where they are written out."""
    make, made = helper.make_node, []
    for level in range(depth):
        name, domain = ("Neg", "") if level == depth - 1 else (f"f{level + 1}", "own")
        nodes = [make(name, [f"x{step}"], [f"x{step + 1}"], domain=domain) for step in range(10)]
        sets = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]
        made.append(helper.make_function("own", f"f{level}", ["x0"], ["x10"], nodes, sets))
    steps = [make("ReduceSum", ["image"], ["s"], keepdims=0), make("f0", ["s"], ["y"], domain="own")]
    return network(path, steps, [], made)


@pytest.mark.parametrize("trips", [(10**12, 0), (100, 10**12)])
@pytest.mark.long
def test_a_loop_of_a_million_million_trips_ends(tmp_path, helper, trips):
    with ceilings(seconds=1):
        classifier = load_classifier(loop(tmp_path / "m.onnx", helper, trips))
    if trips[0] == 100:
        np.testing.assert_array_equal(classifier(IMAGE), [[0, 0, 0]])
    start = time.monotonic()
    with pytest.raises(ClassifierError, match=r"took more than 1 second to compute .*--ceiling seconds=12$") as caught:
        classifier(np.linspace(0, 1, 3 * 72, dtype=np.float32).reshape(3, 4, 6, 3))
    assert time.monotonic() - start < 6
    assert of_time(caught.value)
    start = time.monotonic()
    with pytest.raises(ClassifierError, match="took more than 1 second"):  # the next image waits for nothing
        classifier(IMAGE + 0.5)
    assert time.monotonic() - start < 0.5


def test_a_loop_of_some_trips_is_computed(tmp_path, helper):
    assert (
        load_classifier(loop(tmp_path / "m.onnx", helper, (1000, 10)))(np.repeat(IMAGE, 3, axis=0) + 0.5).tolist()
        == [[0.5] * 3] * 3
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("make", "size", "status"),
    [(kernel, 9_000, 2), (functions, 7, 2), pytest.param(folded, 200, 2, marks=pytest.mark.long)],
)
def test_the_command_ends_where_onnxruntime_can_not_be_stopped(tmp_path, helper, make, size, status):
    np.save(tmp_path / "i.npy", IMAGE[0] + 0.5)
    spec = make(tmp_path / "m.onnx", helper, size)
    code = (
        "import sys, pathlib, os\nfrom saywhy.cli import main\nexit, peak = os._exit, pathlib.Path('/proc/self/status')\n"
        "def told(status):\n"
        "    if peak.exists():\n        print(peak.read_text().partition('VmHWM:')[2].split()[0], flush=True)\n    exit(status)\n"
        "os._exit = told\nmain(sys.argv[1:])\n"
    )
    words = ["attack", str(tmp_path / "i.npy"), "--target", spec, "--budget", "9", "--out", str(tmp_path / "out")]
    run = [sys.executable, "-c", code, *words, "--ceiling", "seconds=1"]
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == status, done.stderr
    assert "error:" in done.stderr
    assert "m.onnx took more than 1 second to" in done.stderr
    assert "Traceback" not in done.stderr
    assert int((done.stdout.split() or ["0"])[-1]) < 1_000_000  # KiB


def test_what_is_watched_returns_raises_and_ends():
    watched = Watched("test")
    assert watched(lambda: 7, 1, "slow") == 7
    thread = watched(threading.current_thread, 1, "slow")
    with pytest.raises(KeyError):
        watched(lambda: {}["a"], 1, "slow")
    steps = [0]

    def endless():
        while True:
            steps[0] += 1
            go_on()

    with pytest.raises(OverTimeError, match=r"^slow$"):
        watched(endless, 0.2, "slow")
    assert watched(lambda: steps[0], 1, "slow") == steps[0] > 5  # the same thread is free again
    assert watched(threading.current_thread, 1, "slow") is thread


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_grows_too_much_ends():
    kept = []

    def growing():
        while True:
            kept.append(np.ones(2**17))
            sum(range(200_000))
            go_on()

    with pytest.raises(OverTimeError, match=r"^large$"):
        Watched("test")(growing, 20, "slow", growth=2**26, too_large="large")
    assert len(kept) * 2**20 < 2**30


def test_the_ceiling_is_a_whole_number():
    with pytest.raises(UsageError, match="seconds must be a whole number"), ceilings(seconds=0):
        pass


@pytest.mark.filterwarnings("ignore")
@pytest.mark.long
def test_a_program_of_many_steps_ends_between_two_of_them(tmp_path):
    torch = pytest.importorskip("torch")

    class Endless(torch.nn.Module):
        def forward(self, images):
            square = images.mean() * torch.ones(2000, 2000)
            for _ in range(60):
                square = square @ square
            return images.mean((2, 3)) + square.sum() * 0

    torch.export.save(torch.export.export(Endless().eval(), (torch.zeros(1, 3, 4, 6),)), tmp_path / "m.pt2")
    with ceilings(seconds=1):
        classifier = load_classifier(f"torch:{tmp_path / 'm.pt2'}?scores=logits")
    start = time.monotonic()
    with pytest.raises(ClassifierError, match=r"m.pt2 took more than 1 second to compute one image.*--ceiling seconds=12$"):
        classifier(IMAGE)
    assert time.monotonic() - start < 6


def test_a_batch_has_the_time_of_its_first_image_several_times():
    sizes = []

    def compute(batch):
        sizes.append(len(batch))
        return len(batch)

    pace = Pace("m", 40_000_000)
    assert pace.allowed(1) == pytest.approx(5 + 2)  # 20 MB for one second more
    assert pace.allowed(10, 3.0) == pytest.approx(5 + 10 * (2 + 4 * 3.0))
    assert pace(compute, np.zeros((7, 4, 6, 3))) == 7
    assert sizes == [1, 7]
    assert pace(compute, np.zeros((5, 4, 6, 3))) == 5
    assert pace(compute, np.zeros((1, 8, 8, 3))) == 1
    assert sizes == [1, 7, 5, 1]
    fixed = Pace("m", 0, alone=False)
    assert fixed(compute, np.zeros((7, 4, 6, 3))) == 7
    assert sizes[4:] == [7]


def test_what_computes_the_same_for_each_batch_of_a_shape_is_watched_once():
    threads = []

    def compute(batch):
        threads.append(threading.current_thread() is threading.main_thread())
        return len(batch)

    for steady in (False, True):
        pace = Pace("m", 0, steady=steady)
        for size in (3, 3, 2):
            assert pace(compute, np.zeros((size, 4, 6, 3))) == size
    assert threads == [False] * 4 + [False, False, True, False]
