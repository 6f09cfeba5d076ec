"""The commands as CI runs them: exit statuses, files, and the steps of the workflow that the docs show."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from adversarial import CallableClassifier
from adversarial.audit import Audit
from adversarial.audit.comparing import compare_audits


@pytest.fixture
def pair(audits):
    old = {f"i{n}": audits.held() for n in range(10)}
    new = {f"i{n}": audits.found(3) if n < 3 else audits.held() for n in range(10)}
    return audits.make("old", old), audits.make("new", new)


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([], 0),
        (["robust_accuracy drops by 0.3"], 1),
        (["robust_accuracy drops by 0.31"], 0),
        (["robust_accuracy drops by 0.31", "found rises"], 1),
        (["weather drops"], 2),
        (["found rises", "weather drops"], 2),
        (["robust drops"], 2),
    ],
)
def test_exit_statuses(in_process, tmp_path, pair, rules, status):
    words = [word for rule in rules for word in ("--fail-if", rule)]
    done = in_process.run_command("audit", "compare", str(pair[0]), str(pair[1]), *words, folder=tmp_path)
    assert done.returncode == status, done.stderr
    if status == 1:
        assert "the rule holds: " in done.stderr
        assert "FAILS: " in done.stdout


def test_json_and_a_file(in_process, tmp_path, pair):
    words = ["audit", "compare", str(pair[0]), str(pair[1]), "--json", "--out", "c.json", "--fail-if", "found rises by 3"]
    done = in_process.run_command(*words, folder=tmp_path)
    assert done.returncode == 1
    record = json.loads(done.stdout)
    assert record == json.loads((tmp_path / "c.json").read_text())
    assert record["rules"][0]["holds"] is True
    assert len(record["fragile"]) == 3


def test_merge(in_process, tmp_path, audits):
    one, two = audits.make("one", {"a": audits.held()}), audits.make("two", {"b": audits.waiting()})
    done = in_process.run_command("audit", "merge", str(one), str(two), "--out", "all", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 images of 2 shards in all" in done.stderr
    assert "1 image still to be attacked" in done.stderr
    again = in_process.run_command("audit", "merge", str(one), str(two), "--out", "all", folder=tmp_path)
    assert again.returncode == 2
    assert "is not empty" in again.stderr


def network(path, weights):
    """A linear network of two classes on grey images of 8 by 8, as ONNX."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "weights"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 8, 8, 1])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"class_names": '["left", "right"]'})
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, path)


def steps(root):
    """The workflow of the docs: its environment, and the shell steps after the installation."""
    page = (root / "docs" / "audit-ci.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^<!-- workflow -->\n```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (job,) = yaml.safe_load(text)["jobs"].values()
    ran = [step for step in job["steps"] if "run" in step]
    assert ran[0]["name"] == "Install"
    return job["env"], ran[1:]


@pytest.mark.parametrize("scores", ["label", "sigmoid"])
def test_audits_of_every_kind_of_answer_are_compared(tmp_path, scores):
    pictures = np.random.default_rng(0).random((4, 6, 6, 1), dtype=np.float32)

    def answer(images):
        mean = images.mean(axis=(1, 2, 3))
        return (mean > 0.5).astype(int) if scores == "label" else np.stack([1 - mean, mean, mean / 2], axis=1)

    np.save(tmp_path / "images.npy", pictures)
    for name in ("old", "new"):
        classifier = CallableClassifier(answer, scores, ["dark", "bright"] if scores == "label" else ["dark", "bright", "half"])
        status = Audit(tmp_path / name).run(
            [tmp_path / "images.npy"], target=classifier, budget=60, weather=("brightness", "blur"), severities=(1, 5)
        )
        assert not status.problems
        assert status.counts["failed"] == 0
    comparison = compare_audits(tmp_path / "old", tmp_path / "new")
    assert comparison.judged == 4
    assert {"weather", "weather:blur"} <= {one.metric for one in comparison.measurements}
    assert not any(one.rises or one.falls for one in comparison.measurements)


@pytest.mark.long
def test_the_workflow_of_the_docs(tmp_path):
    root = Path(__file__).parents[4]
    rng = np.random.default_rng(0)
    (tmp_path / "images").mkdir()
    lines = ["path,label"]
    for number in range(12):
        picture = rng.integers(60, 120, (8, 8), dtype=np.uint8)
        side = "left" if number % 2 else "right"
        picture[:, :4] += np.uint8(60 if side == "left" else 0)
        picture[:, 4:] += np.uint8(60 if side == "right" else 0)
        Image.fromarray(picture).save(tmp_path / "images" / f"{number}.png")
        lines.append(f"{number}.png,{side}")
    (tmp_path / "images" / "labels.csv").write_text("\n".join(lines) + "\n")
    halves = np.zeros((8, 8, 2))
    halves[:, :4, 0] = halves[:, 4:, 1] = 1
    one_column = np.zeros((8, 8, 2))  # sees one column of each side only: right on all images, and far easier to fool
    one_column[:, 0, 0] = one_column[:, 7, 1] = 4
    network(tmp_path / "models" / "old.onnx", halves.reshape(64, 2))
    network(tmp_path / "models" / "new.onnx", one_column.reshape(64, 2))

    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "saywhy"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m saywhy "$@"\n')
    command.chmod(0o755)
    settings, ran = steps(root)
    environment = {
        **os.environ, **settings, "PATH": f"{command.parent}:{os.environ['PATH']}", "PYTHONPATH": str(root),
    }  # fmt: skip
    ended = {}
    for step in ran:
        done = subprocess.run(
            [shutil.which("bash"), "-e", "-c", step["run"]], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=200,
        )  # fmt: skip
        ended[step["name"]] = done.returncode, done.stdout + done.stderr
    assert {name: status for name, (status, _) in ended.items()} == {
        "Audit the model in use": 0, "Audit the new model": 0, "Compare": 1, "Report": 0,
    }, ended  # fmt: skip
    assert "the rule holds: robust_accuracy@l0=5 drops by 0.02" in ended["Compare"][1]
    assert (tmp_path / "audits" / "new" / "report.html").exists()
    record = json.loads((tmp_path / "comparison.json").read_text())
    assert record["judged_in_both"] == 12
    comparison = compare_audits(tmp_path / "audits" / "old", tmp_path / "audits" / "new")
    assert len(comparison.fragile) == len(record["fragile"]) > 0
