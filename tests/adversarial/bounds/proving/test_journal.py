"""A proof that is stopped anywhere goes on to the same end, and a journal that doesn't fit is refused."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from adversarial.bounds.networks import read_module  # noqa: E402
from adversarial.bounds.proving import prover  # noqa: E402
from adversarial.bounds.proving.bounding import Bounding  # noqa: E402
from adversarial.bounds.proving.journal import resume, save  # noqa: E402
from adversarial.bounds.proving.prover import Prover  # noqa: E402
from adversarial.bounds.proving.tolerance import Tolerance  # noqa: E402
from saywhy_core.errors import UsageError  # noqa: E402

ROOT = Path(__file__).resolve().parents[4]
SIZE = (4, 4, 1)


def proof_of(programs, module, network, picture, label):
    def flips(images):
        return programs.scores(module, images).argmax(1) != label

    return Prover(network, picture.astype(np.float64), label, flips=flips)


@pytest.fixture(scope="module")
def subject(programs):
    """A network with an image of which two pixels flip the class, and no single one."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        module, picture = programs.build(rng, "dense", *SIZE, 3, "large"), programs.image(rng, *SIZE, "inside")
        label = int(programs.scores(module, picture[None]).argmax())
        if programs.fewest_by_force(copy.deepcopy(module).double(), picture, label, 2) != 2:
            continue
        network = read_module(module, SIZE)
        one = proof_of(programs, module, network, picture, label)
        one.run(2, 10)
        if end(one) == (1, 2, 0) and one.blocks < 150:
            return module, network, picture, label
    raise AssertionError("no such network among 200")


@pytest.fixture
def fresh(subject, programs, monkeypatch):
    """`fresh()`: a prover that takes a block at a time, so that there are many places to stop."""
    monkeypatch.setattr(prover, "MOST_BATCH", 1)
    module, network, picture, label = subject

    def make(**changes):
        given = {"network": network, "picture": picture, "label": label} | changes
        return proof_of(programs, module, given["network"], given["picture"], given["label"])

    return make


def end(one):
    return one.proved, one.fewest, len(one.stuck)


@pytest.mark.parametrize("place", ["bound", "need", "push", "ask"])
def test_an_interruption_anywhere_proves_nothing(fresh, tmp_path, monkeypatch, place):
    whole = fresh()
    whole.run(2, 60)
    assert end(whole) == (1, 2, 0)
    owner, name = {
        "bound": (Bounding, "bound"), "need": (Tolerance, "__init__"), "push": (Prover, "_push"), "ask": (Prover, "_ask"),
    }[place]  # fmt: skip
    plain = getattr(owner, name)
    for stop in (1, 2, 5, 13):
        calls = 0

        def stopped(*given, plain=plain, stop=stop):
            nonlocal calls
            calls += 1
            if calls == stop:
                raise KeyboardInterrupt
            return plain(*given)

        one = fresh()
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, stopped)
            try:
                one.run(2, 60)
            except KeyboardInterrupt:
                assert one.proved <= 1
        save(one, tmp_path / "proof.npz")
        again = fresh()
        resume(again, tmp_path / "proof.npz")
        again.run(2, 60)
        assert end(again) == end(whole)
        one.run(2, 60)  # and in memory
        assert end(one) == end(whole)


def test_a_proof_in_small_pieces_ends_as_the_whole(fresh, tmp_path):
    whole, path = fresh(), tmp_path / "proof.npz"
    whole.run(2, 60)
    save(fresh(), path)
    for _ in range(10_000):
        one = fresh()
        resume(one, path)
        one.run(2, 1e-3)
        save(one, path)
        if one.fewest < 3 or one.proved == 2:
            break
    assert end(one) == end(whole)
    assert (one.witness != one.deviations.image.numpy().astype(np.float32)).any(2).sum() == 2


@pytest.mark.long
def test_a_killed_process_leaves_a_journal_that_goes_on(programs, tmp_path):
    code = f"""
import os, sys, pickle, numpy as np, torch
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
import programs
from adversarial import fewest_pixels
from adversarial.bounds import pixels
from adversarial.bounds.proving import prover
pixels.KEPT_EVERY, prover.MOST_BATCH = 0.0, 1
torch.set_num_threads(1)
rng = np.random.default_rng(3)
module, picture = programs.build(rng, "conv", 4, 4, 1, 3), programs.image(rng, 4, 4, 1, "inside")
label = int(programs.scores(module, picture[None]).argmax())
left = [int(sys.argv[1])]
def progress(proof):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), 9)
got = fewest_pixels(module, picture, label, at_most=2, seconds=60, journal=sys.argv[2], progress=progress)
print(got.lower, got.upper, got.exact)
"""

    def run(stop, path):
        found = subprocess.run(
            [sys.executable, "-c", code, str(stop), str(path)], capture_output=True, text=True, check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return found.returncode, found.stdout

    code_of_whole, whole = run(0, tmp_path / "whole.npz")
    assert code_of_whole == 0
    path = tmp_path / "proof.npz"
    assert run(3, path)[0] == -9
    assert path.exists()
    assert run(0, path) == (0, whole)


def test_journals_of_other_proofs_are_refused(fresh, subject, programs, tmp_path):
    _, _, picture, label = subject
    one, path = fresh(), tmp_path / "proof.npz"
    one.run(2, 0.05)
    save(one, path)
    module = programs.build(np.random.default_rng(0), "conv", *SIZE, 3, "large")
    dead = subject[0]
    with torch.no_grad():  # a weight that only other images use
        kept = dead.layers[-1].weight[0, 0].item()
        dead.layers[-1].weight[0, 0] += 1e-6
        unseen = read_module(dead, SIZE)
        dead.layers[-1].weight[0, 0] = kept
    other = picture.copy()
    other[0, 0] = 1 - other[0, 0]
    for changes in (
        {"network": read_module(module, SIZE)}, {"network": unseen}, {"picture": other}, {"label": (label + 1) % 3},
    ):  # fmt: skip
        with pytest.raises(UsageError, match="another network, image or label"):
            resume(fresh(**changes), path)


def test_damaged_journals_are_refused(fresh, tmp_path):
    one, path = fresh(), tmp_path / "proof.npz"
    one.run(2, 60)
    save(one, path)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    bad = tmp_path / "bad.npz"
    for cut in (0, 1, 10, len(good) // 2, len(good) - 1):
        bad.write_bytes(good[:cut])
        with pytest.raises(UsageError):
            resume(fresh(), bad)
    whole = end(one)
    for _ in range(40):
        bad.write_bytes(good)
        with bad.open("r+b") as stream:
            stream.seek(int(rng.integers(len(good))))
            stream.write(bytes([int(rng.integers(256))]))
        again = fresh()
        try:
            resume(again, bad)
        except UsageError:
            continue
        again.run(2, 60)
        assert end(again) == whole  # a byte that says nothing, such as a date


@pytest.mark.parametrize(
    "change",
    [
        {"items": lambda array: array + 10_000}, {"lengths": lambda array: array[:-1]}, {"low": lambda array: array - 1},
        {"shares": lambda array: array[:0]}, {"slots": lambda array: array + 1}, {"witness": lambda array: array * 0 + 0.5},
        {"head": lambda array: array[:-3]}, {"head": lambda _: np.frombuffer(b"[]", np.uint8)},
        {"head": lambda array: np.frombuffer(array.tobytes().replace(b'"proved": 1,', b'"proved": 2,'), np.uint8)},
        {"pixel": lambda array: array[1:]},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_journals_whose_parts_do_not_fit_are_refused(fresh, tmp_path, change):
    one, path = fresh(), tmp_path / "proof.npz"
    one.run(2, 60)
    one._begin(2)  # something waits
    one.items.add(np.array([0, 1]), np.zeros((2, 1)), np.ones((2, 1)))
    save(one, path)
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    resume(fresh(), path)
    name, changed = next(iter(change.items()))
    np.savez(path, **parts | {name: changed(parts[name])})
    with pytest.raises(UsageError):
        resume(fresh(), path)
