"""Proofs by several workers at once: the same rows as by one process, whoever is lost or told to stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from adversarial import PixelProof
from adversarial.audit import Audit, AuditStore
from adversarial.audit.engines import local
from adversarial.audit.proofs.worker import ProofSetup, ProofWorker
from adversarial.audit.work.job import Job
from adversarial.audit.workers.mailbox import Unusable
from saywhy import signs
from saywhy_core.errors import UsageError

IMAGES = 4
SPENT = ("seconds",)  # what no two runs share


def network(path, inner=8, seed=0):
    """A small classifier of 4 x 4 grey images, as a file."""
    onnx = pytest.importorskip("onnx")
    rng = np.random.default_rng(seed)
    arrays = {
        "a": rng.normal(size=(16, inner)), "b": rng.normal(size=inner), "c": rng.normal(size=(inner, 3)),
        "d": rng.normal(size=3),
    }  # fmt: skip
    node, value = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    steps = [
        node("Flatten", ["image"], ["flat"]), node("Gemm", ["flat", "a", "b"], ["x"]), node("Relu", ["x"], ["y"]),
        node("Gemm", ["y", "c", "d"], ["scores"]),
    ]  # fmt: skip
    tensors = [onnx.numpy_helper.from_array(array.astype(np.float32), name) for name, array in arrays.items()]
    graph = onnx.helper.make_graph(
        steps, "g", [value("image", 1, ("n", 4, 4, 1))], [value("scores", 1, ("n", 3))], tensors
    )  # fmt: skip
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9), path)
    return f"onnx:{path}"


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    """A folder with a network, and the arguments of an audit of some images."""
    folder = tmp_path_factory.mktemp("attacked")
    target = network(folder / "net.onnx")
    np.savez(folder / "set.npz", images=np.random.default_rng(1).random((IMAGES, 4, 4, 1)).astype(np.float32))
    return folder, {
        "images": [folder / "set.npz"], "target": target, "options": {"scores": "logits", "threads": 1}, "budget": 40,
        "weather": (), "survival": False, "prove": 20.0, "prove_pixels": 1, "levels": None,
    }  # fmt: skip


def rows(folder):
    with AuditStore(folder) as store:
        kept = [asdict(row) for row in store.proofs()]
    return [{name: value for name, value in row.items() if name not in SPENT} for row in kept]


class Hands:
    """Workers in this process; `lose` says with which image a worker is lost, by its number; 0 is at once."""

    def __init__(self, most, lose=None):
        self.most, self.lose, self.hired, self.ended = most, dict(lose or {}), [], 0

    @contextmanager
    def open(self, setup):
        self.setup = setup
        yield self

    def hire(self):
        self.hired.append(Hand(self, ProofWorker(self.setup), self.lose.get(len(self.hired))))
        return self.hired[-1]

    def wait(self, hands, seconds):
        return list(hands)


class Hand:
    def __init__(self, crew, worker, left):
        self.crew, self.worker, self.left, self.calls, self.given = crew, worker, left, [], 0

    def ask(self, work=None, journal=None, *, stop=False):
        self.given += work is not None
        self.calls.append(partial(self.worker.exchange, work, journal, stop=stop))

    def answer(self):
        if self.left is not None and self.given >= self.left:
            return None
        return self.calls.pop(0)()

    def end(self):
        self.crew.ended += 1
        self.worker.exchange(stop=True)


@pytest.fixture
def crew(monkeypatch):
    """A function that puts workers of this process in the place of others."""
    monkeypatch.setattr("adversarial.audit.workers.mailbox.QUIET", 0.01)

    def make(most, **more):
        made = Hands(most, **more)
        monkeypatch.setattr(local.run, "crews", lambda workers=None: made)
        return made

    return make


def test_two_workers_prove_what_one_proves_and_what_this_process_proves(attacked, tmp_path, crew):
    Audit(tmp_path / "here").run(**attacked[1])
    here = rows(tmp_path / "here")
    made, told, shares = crew(2), [], []
    Audit(tmp_path / "two").run(
        **attacked[1],
        on_proof=lambda name, said: told.append(name),
        on_proving=lambda done, total: shares.append((done, total)),
    )
    assert made.ended == len(made.hired) == 2
    assert len(told) == len(set(told)) == len(here) > 2
    assert shares == sorted(shares)
    assert shares[-1] == (len(here), len(here))
    assert not (tmp_path / "two" / "proofs").exists()
    assert rows(tmp_path / "two") == here  # torch has one thread here as well


def test_the_network_is_read_once_for_all_images(attacked, tmp_path, monkeypatch):
    from adversarial.bounds import subject

    opened, read_file = [], subject._onnx_file
    monkeypatch.setattr(subject, "_onnx_file", lambda *given: opened.append(given) or read_file(*given))
    Audit(tmp_path / "a").run(**{**attacked[1], "prove": 1.0})
    assert len(opened) == 1
    assert len(rows(tmp_path / "a")) > 2


def test_a_lost_worker_costs_nothing_but_its_work(attacked, tmp_path, crew, proofs):
    made = crew(2, lose={0: 1})
    status = Audit(tmp_path / "a").run(**attacked[1])
    assert [row["image"] for row in rows(tmp_path / "a")] == [1, 2, 3, 4]
    assert len(made.hired) == made.ended == 3
    assert not status.problems
    assert not status.unproved


def test_an_image_with_which_workers_are_lost_is_named(attacked, tmp_path, crew, proofs):
    crew(1, lose={0: 1, 1: 1, 2: 1})
    status = Audit(tmp_path / "a").run(**attacked[1])
    (problem,) = status.unproved
    assert not status.problems  # it was audited
    assert "2 workers ended" in problem.what
    assert len(rows(tmp_path / "a")) == IMAGES - 1
    crew(1)
    assert not Audit(tmp_path / "a").run().unproved
    assert len(rows(tmp_path / "a")) == IMAGES


def test_workers_go_on_after_an_image_about_which_nothing_can_be_proved(attacked, tmp_path, crew, first_refused):
    made = crew(1)
    (problem,) = Audit(tmp_path / "a").run(**attacked[1]).unproved
    assert "NaN" in problem.what
    assert len(rows(tmp_path / "a")) == IMAGES - 1
    assert len(made.hired) == 1


def test_workers_that_never_begin_end_the_audit(attacked, tmp_path, crew, proofs):
    crew(1, lose=dict.fromkeys(range(3), 0))
    with pytest.raises(UsageError, match="3 workers in a row"):
        Audit(tmp_path / "a").run(**attacked[1])


def test_what_workers_had_proved_is_kept_after_ctrl_c_and_gone_on_with(attacked, tmp_path, crew, proofs, monkeypatch):
    begun, made = [], crew(2)

    def endless(network, image, label, *, at_most, journal, progress, **more):
        state = PixelProof(
            pixels=1, asked=at_most, finished=False, share=0.5, blocks=3, seconds=1.0, rounding=0.0, network="this ONNX file"
        )
        Path(journal).write_bytes(b"kept")
        progress(state)
        begun.append(label)
        while True:
            progress(state)
            threading.Event().wait(0.002)

    def waits(hands, seconds):
        if len(begun) == 2 and not stopped:
            stopped.append(True)
            raise KeyboardInterrupt
        return list(hands)

    stopped, made.wait = [], waits
    with monkeypatch.context() as patch:
        patch.setattr("adversarial.bounds.pixels.fewest_pixels", endless)
        with pytest.raises(KeyboardInterrupt):
            Audit(tmp_path / "a").run(**attacked[1])
    assert [(row["image"], row["lower"], row["ended"]) for row in rows(tmp_path / "a")] == [(1, 2, False), (2, 2, False)]
    assert [path.read_bytes() for path in sorted((tmp_path / "a" / "proofs").iterdir())] == [b"kept", b"kept"]
    crew(2)
    Audit(tmp_path / "a").run()
    assert sorted(call["resumed"] for call in proofs.calls) == [False, False, True, True]
    assert [row["ended"] for row in rows(tmp_path / "a")] == [True] * IMAGES
    assert not (tmp_path / "a" / "proofs").exists()


def test_a_worker_that_finds_another_model_says_so(attacked):
    folder, given = attacked
    job = Job(spec=given["target"], attack=None, options=given["options"])
    setup = ProofSetup(job=job, seconds=1.0, pixels=1, seed=0, identity="other", folder=str(folder), limits={})
    worker, end, messages = ProofWorker(setup), time.monotonic() + 20, []
    while not messages and time.monotonic() < end:  # a busy machine takes longer to open the file than workers are quiet
        messages = worker.exchange()
    (message,) = messages
    assert isinstance(message, Unusable)
    assert "another model" in message.why


def test_the_plan_says_how_long_proofs_may_take(attacked, tmp_path, proofs):
    audit, given = Audit(tmp_path / "a"), attacked[1]
    for workers, rounds in ((None, 4), (3, 2), (9, 1)):
        options = {} if workers is None else {"workers": workers}
        plan = audit.plan(**given, engine_options=options)
        assert (plan.proofs, plan.proving, plan.provers) == (4, rounds * 20.0, min(workers or 1, 4))
    audit.run(**given)
    assert audit.plan().proving == 0
    assert audit.plan(prove=40.0, prove_pixels=3).proofs == IMAGES


@pytest.mark.parametrize(
    ("more", "word"), [({"engine_options": {"workers": 0}}, "at least 1"), ({"engine_options": {"workers": 2}, "prove": None,
    "prove_pixels": None}, "prove")],
)  # fmt: skip
def test_workers_that_have_nothing_to_do_are_refused(attacked, tmp_path, more, word):
    with pytest.raises(UsageError, match=word):
        Audit(tmp_path / "a").run(**{**attacked[1], **more})
    assert not (tmp_path / "a").exists()


def test_a_classifier_of_this_program_has_no_workers(attacked, tmp_path):
    from saywhy_core.classifiers import load_classifier

    given = {**attacked[1], "target": load_classifier(attacked[1]["target"], scores="logits"), "options": {}}
    with pytest.raises(UsageError, match="as a text"):
        Audit(tmp_path / "a").run(**given, engine_options={"workers": 2})


@pytest.mark.long
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_real_workers_prove_the_same(attacked, tmp_path, monkeypatch, engine):
    if engine == "ray":
        pytest.importorskip("ray")
    monkeypatch.setenv("RAY_TMPDIR", tempfile.gettempdir())  # the names of sockets must be short
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    Audit(tmp_path / "here").run(**attacked[1])
    Audit(tmp_path / "a").run(**attacked[1], engine=engine, engine_options={"workers": 2})
    assert rows(tmp_path / "a") == rows(tmp_path / "here")
    assert not list((tmp_path / "scratch").rglob("saywhy*"))  # workers are killed once nothing is left to prove


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_the_command_is_stopped_and_goes_on(tmp_path, engine):
    if engine == "ray":
        pytest.importorskip("ray")
    pictures, labels = signs.samples()
    np.savez(tmp_path / "set.npz", images=pictures[1:3], labels=labels[1:3])
    words = ["audit", "run", "out", "set.npz", "--target", "demo:signs", "--budget", "60", "--weather", "none"]
    words += ["--no-survival", "--prove", "300", "--prove-pixels", "3", "--workers", "2", "--engine", engine]
    (tmp_path / "scratch").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}
    environment |= {"TMPDIR": str(tmp_path / "scratch"), "RAY_TMPDIR": tempfile.gettempdir()}  # names of sockets must be short
    process = subprocess.Popen(
        [sys.executable, "-m", "saywhy", *words], cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    end, kept = time.monotonic() + 200, tmp_path / "out" / "proofs"
    while time.monotonic() < end and process.poll() is None and len(list(kept.glob("*.journal"))) < 2:
        with suppress(subprocess.TimeoutExpired):  # journals are written after a second
            process.wait(0.5)
    os.killpg(process.pid, signal.SIGINT)
    said = "".join(process.communicate(timeout=60))
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "finished images and proofs" in said
    assert len(list(kept.glob("*.journal"))) == 2
    # a worker whose batch takes longer than workers are waited for leaves its journal alone
    assert {(row["image"], row["ended"]) for row in rows(tmp_path / "out")} <= {(1, False), (2, False)}
    if engine == "local":  # on a cluster, a worker that is killed within a batch leaves its own behind
        assert not list((tmp_path / "scratch").rglob("saywhy*"))
