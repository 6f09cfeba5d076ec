"""Each way in which a `.pt2` file is known to run code or to write files: refused here, with a canary that plain torch lets out.

A canary is a file. Each hostile program makes it when it runs. The same file is given to torch's own reader afterwards, to show
that the canary would have appeared.
"""

from __future__ import annotations

import importlib
import io
import json
import pickle
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError


class Means(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = torch.nn.Parameter(torch.ones(3, 4))
        self.register_buffer("shift", torch.zeros(4), persistent=False)

    def forward(self, x):
        return x.mean((2, 3)) @ self.weights + self.shift


class Bomb:
    def __init__(self, canary):
        self.canary = str(canary)

    def __reduce__(self):
        return open, (self.canary, "w")


@pytest.fixture(scope="session")
def honest(tmp_path_factory):
    """The members of an honest program, without the root folder."""
    path = tmp_path_factory.mktemp("honest") / "m.pt2"
    torch.export.save(torch.export.export(Means(), (torch.zeros(2, 3, 4, 4),)), path)
    with zipfile.ZipFile(path) as opened:
        return {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}


def written(path, members, *, root="m/"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of members named twice
        with zipfile.ZipFile(path, "w") as made:
            for name, content in members.items() if isinstance(members, dict) else members:
                made.writestr(root + name, content)
    return path


def changed(members, name, change):
    content = json.loads(members[name])
    change(content)
    return {**members, name: json.dumps(content).encode()}


def saved(thing):
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


MODEL, WEIGHTS, CONSTANTS = (
    "models/model.json",
    "data/weights/model_weights_config.json",
    "data/constants/model_constants_config.json",
)


def example_inputs(members, canary):
    return {**members, "data/sample_inputs/model.pt": saved(((Bomb(canary),), {}))}


def weight(members, canary):
    def pickled(config):
        config["config"]["weights"]["use_pickle"] = True

    return {**changed(members, WEIGHTS, pickled), "data/weights/weight_0": saved(Bomb(canary))}


def constant(members, canary):
    def opaque(config):
        config["config"]["shift"].update(use_pickle=True, path_name="opaque_obj_0", tensor_meta=None)

    return {**changed(members, CONSTANTS, opaque), "data/constants/opaque_obj_0": pickle.dumps(Bomb(canary))}


def weights_of_earlier_versions(members, canary):
    return {**members, "data/weights/model.pt": saved({"weights": Bomb(canary)})}


def condition(members, canary):
    return changed(members, MODEL, lambda program: program.update(guards_code=[f"open({str(canary)!r}, 'w') is not None"]))


def size(members, canary):
    def expression(program):
        sizes = program["graph_module"]["graph"]["tensor_values"]["x"]["sizes"]
        sizes[0] = {"as_expr": {"expr_str": f"__import__('pathlib').Path({str(canary)!r}).touch()", "hint": {"as_int": 2}}}

    return changed(members, MODEL, expression)


def with_step(members, target, inputs):
    """The program with one step more at its beginning."""
    given = [{"name": name, "arg": value, "kind": 1} for name, value in inputs]
    step = {"target": target, "inputs": given, "outputs": [{"as_tensor": {"name": "made"}}], "metadata": {}, "name": "made"}

    def insert(program):
        graph = program["graph_module"]["graph"]
        graph["tensor_values"]["made"] = {**graph["tensor_values"]["x"], "sizes": [{"as_int": 4}], "strides": [{"as_int": 1}]}
        graph["nodes"].insert(0, step)

    return changed(members, MODEL, insert)


def operator_that_maps_a_file(members, canary):
    inputs = [("filename", {"as_string": str(canary)}), ("shared", {"as_bool": True}), ("size", {"as_int": 4})]
    return with_step(members, "torch.ops.aten.from_file.default", inputs)


def spec(kind, context):
    def put(members, canary):
        name = f"module_of_{canary.name}"
        (canary.parent / f"{name}.py").write_text(f"open({str(canary)!r}, 'w')\n")
        filled = context.replace("MODULE", name)
        tree = json.dumps(
            [1, {"type": kind, "context": filled if kind == "builtins.dict" else json.loads(filled), "children_spec": []}]
        )
        return changed(
            members, MODEL, lambda program: program["graph_module"]["module_call_graph"][0]["signature"].update(out_spec=tree)
        )

    return put


def name_of_the_input(members, canary):
    def inject(program):
        # it stands twice in the Python source that torch generates: the second ends a text that the first begins
        name = f"x=open({str(canary)!r}, 'w')):\n    " + '""" #'
        program["graph_module"]["module_call_graph"][0]["signature"]["forward_arg_names"] = [name]

    return changed(members, MODEL, inject)


WAYS = {
    "example inputs": example_inputs,
    "a pickled weight": weight,
    "a pickled constant": constant,
    "weights of earlier versions": weights_of_earlier_versions,
    "a condition on the input": condition,
    "an expression for a size": size,
    "an operator that maps a file": operator_that_maps_a_file,
    "an enumeration in a tree": spec("builtins.dict", '[{"__enum__": true, "fqn": "MODULE:A.B", "name": "C"}]'),
    "a default dictionary in a tree": spec(
        "collections.defaultdict", '{"default_factory_module": "MODULE", "default_factory_name": "x", "dict_context": []}'
    ),
    "the name of the input": name_of_the_input,
}
HARMLESS = {"an expression for a size", "an enumeration in a tree", "a default dictionary in a tree", "the name of the input"}
"""These parts aren't read at all, so that such a file is read, and its hostile part does nothing."""


@pytest.fixture
def canary(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    importlib.invalidate_caches()
    yield tmp_path / "canary"
    sys.modules.pop("module_of_canary", None)


def ask(path):
    classifier = load_classifier(f"torch:{path}?scores=logits")
    return classifier(np.random.default_rng(0).random((2, 4, 4, 3), np.float32))


def ask_torch(path):
    """What users of torch do. Each step may fail after the canary is out."""
    try:
        torch.export.load(path).module()(torch.zeros(2, 3, 4, 4))
    except Exception as error:  # noqa: BLE001 - whatever torch makes of it
        return error


@pytest.mark.parametrize("way", WAYS)
def test_nothing_of_the_file_runs(honest, canary, way):
    path = written(canary.parent / "m.pt2", WAYS[way](honest, canary))
    if way in HARMLESS:
        ask(path)
    else:
        with pytest.raises(UsageError, match=r"refused|could run code|no arithmetic"):
            ask(path)
    assert not canary.exists()
    why = ask_torch(path)
    assert canary.exists(), f"torch didn't let the canary out: {why!r}"


def test_the_form_before_the_archive(honest, canary):
    members = {
        "version": "8.5", "serialized_exported_program.json": honest[MODEL], "serialized_state_dict.pt": saved({"weights": torch.ones(3, 4)}),
        "serialized_constants.pt": saved({"shift": torch.zeros(4)}), "serialized_example_inputs.pt": saved(((torch.zeros(2, 3, 4, 4),), {})),
    }  # fmt: skip
    path = written(canary.parent / "m.pt2", members, root="")
    images = np.random.default_rng(0).random((2, 4, 4, 3), np.float32)
    np.testing.assert_allclose(ask(path), np.repeat(images.mean((1, 2)).sum(1)[:, None], 4, 1), rtol=1e-5)
    for part in ("state_dict", "constants", "example_inputs"):
        path = written(canary.parent / f"{part}.pt2", {**members, f"serialized_{part}.pt": saved({"x": Bomb(canary)})}, root="")
        with pytest.raises(UsageError, match="could run code; the file was refused"):
            ask(path)
        assert not canary.exists()
        ask_torch(path)
        assert canary.exists()
        canary.unlink()


@pytest.mark.parametrize(
    ("target", "inputs"),
    [
        ("torch.ops.aten.save.default", [("item", {"as_tensor": {"name": "x"}}), ("filename", {"as_string": "canary"})]),
        ("torch.os.mkdir", [("", {"as_string": "canary"})]),
        ("torch.load", [("", {"as_string": "canary"})]),
        ("torch.hub.load", [("", {"as_string": "a/b"}), ("", {"as_string": "c"})]),
        ("torch.classes.load_library", [("", {"as_string": "canary.so"})]),
        ("torch.ops.load_library", [("", {"as_string": "canary.so"})]),
        ("torch.ops.aten.relu.default._schema", [("", {"as_tensor": {"name": "x"}})]),
        ("torch.ops.aten._sparse_coo_tensor_unsafe.default", [("", {"as_tensor": {"name": "x"}})]),
        ("torch.ops.aten.set_.source_Storage", [("", {"as_tensor": {"name": "x"}})]),
        ("torch.ops.aten.__class__.default", []),
        ("torch.ops.higher_order.while_loop", []),
        ("torch.ops.higher_order.print", [("", {"as_string": "x"})]),
        ("_operator.methodcaller", [("", {"as_string": "x"})]),
        ("_operator.attrgetter", [("", {"as_string": "x"})]),
        ("math.__loader__.load_module", [("", {"as_string": "os"})]),
        ("#extension:op", []),
        ("os.system", [("", {"as_string": "true"})]),
        ("", []),
    ],
)
def test_only_operators_that_compute_are_used(honest, tmp_path, target, inputs):
    with pytest.raises(UsageError, match="none of the operators that compute on tensors alone"):
        ask(written(tmp_path / "m.pt2", with_step(honest, target, inputs)))


@pytest.mark.parametrize(
    "name", ["data/aotinductor/model/wrapper.so", "data/aotinductor/model/kernel.cpp", "data/extra/a.cubin"]
)
def test_native_code_is_refused(honest, tmp_path, name):
    path = written(tmp_path / "m.pt2", {**honest, name: b"\x7fELF"})
    with pytest.raises(UsageError, match="holds native code"):
        ask(path)


def test_an_object_of_its_own_is_refused(honest, tmp_path):
    with pytest.raises(UsageError, match="an object of its own"):
        ask(written(tmp_path / "m.pt2", {**honest, "data/constants/custom_obj_0": b"x"}))


def test_a_member_named_twice_is_refused(honest, canary):
    hostile = example_inputs(honest, canary)
    twice = [*honest.items(), ("data/sample_inputs/model.pt", hostile["data/sample_inputs/model.pt"])]
    with pytest.raises(UsageError, match="names a member twice"):
        ask(written(canary.parent / "m.pt2", twice))
    assert not canary.exists()


def test_a_member_with_another_name_in_its_own_header_is_refused(honest, tmp_path):
    path = written(tmp_path / "m.pt2", {**honest, "data/sample_inputs/aaaaa.pt": honest["data/sample_inputs/model.pt"]})
    content = bytearray(path.read_bytes())
    at = content.index(b"m/data/sample_inputs/aaaaa.pt")
    content[at : at + 29] = b"m/data/sample_inputs/bbbbb.pt"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="another name in its own header"):
        ask(path)


def test_compressed_members_are_refused(honest, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.pt2", "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in honest.items():
            made.writestr(f"m/{name}", content)
    with pytest.raises(UsageError, match="compressed"):
        ask(tmp_path / "m.pt2")


PROTOCOLS = [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_form_of_pickle_is_seen_through(honest, canary, protocol):
    stream = io.BytesIO()
    torch.save(((Bomb(canary),), {}), stream, pickle_protocol=max(protocol, 2))
    for content in (
        stream.getvalue(),
        pickle.dumps(Bomb(canary), protocol),
        pickle.dumps(1) + pickle.dumps(Bomb(canary), protocol),
    ):
        path = written(canary.parent / "m.pt2", {**honest, "data/sample_inputs/model.pt": content})
        with pytest.raises(UsageError, match=r"could run code|no file of torch\.save"):
            ask(path)
        assert not canary.exists()


X = ("self", {"as_tensor": {"name": "x"}})
FOUR = ("size", {"as_ints": [4]})
UNSET = {
    "empty.memory_format": [FOUR], "new_empty.default": [X, FOUR], "empty_like.default": [X],
    "empty_strided.default": [FOUR, ("stride", {"as_ints": [3]})], "empty_permuted.default": [FOUR, ("physical_layout", {"as_ints": [0]})],
    "new_empty_strided.default": [X, FOUR, ("stride", {"as_ints": [0]})],
}  # fmt: skip


@pytest.mark.parametrize("name", UNSET)
def test_memory_as_it_was_left_is_never_shown(honest, tmp_path, name):
    members = with_step(honest, f"torch.ops.aten.{name}", UNSET[name])
    classifier = load_classifier(f"torch:{written(tmp_path / 'm.pt2', members)}?scores=logits")
    made = []

    class Kept(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            answer = function(*args, **(kwargs or {}))
            if not made and str(function) == f"aten.{name}" and answer.device.type == "cpu":
                answer.untyped_storage().fill_(7)  # what another part of the process left
                made.append(answer)
            return answer

    with Kept():
        classifier.module(torch.zeros(2, 3, 4, 4))
    assert len(made) == 1
    assert set(made[0].untyped_storage()) == {0}


def test_results_written_into_another_without_values_are_refused(honest, tmp_path):
    members = with_step(honest, "torch.ops.aten.empty.out", [FOUR, ("out", {"as_tensor": {"name": "x"}})])
    with pytest.raises(UsageError, match="none of the operators that compute"):
        load_classifier(f"torch:{written(tmp_path / 'm.pt2', members)}?scores=logits")


def test_programs_of_too_many_steps_are_told_before_any_is_read(honest, tmp_path):
    def lengthen(program):
        nodes = program["graph_module"]["graph"]["nodes"]
        nodes[:0] = 10_000 * [nodes[0]]

    members = changed(honest, MODEL, lengthen)
    with pytest.raises(UsageError, match=r"has 10,00\d steps, and at most 10,000 are read"):
        load_classifier(f"torch:{written(tmp_path / 'm.pt2', members)}?scores=logits")
