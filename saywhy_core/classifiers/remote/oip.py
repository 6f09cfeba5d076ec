"""A model on a server of the Open Inference Protocol: `oip:URL#MODEL`, as Triton, KServe, MLServer and others serve it.

Source: Open Inference Protocol v2 (github.com/kserve/open-inference-protocol), its HTTP form and its binary tensor extension.
"""

from __future__ import annotations

import json
import threading
from itertools import count
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import numpy as np

from saywhy_core.classifiers.classifier import ANY_SHAPE, ClassifierError, EndpointError
from saywhy_core.classifiers.remote.assembly import (
    MOST_IMAGES,
    agreeing,
    channels_of,
    class_numbers,
    classifier_at,
    images_per_request,
    two_axes,
)
from saywhy_core.classifiers.remote.client import Client
from saywhy_core.classifiers.remote.declared import (
    Tensor,
    axes_of,
    four_axes,
    image_shape_of,
    kind_of,
    pick,
    said_in_parameters,
    sizes,
)
from saywhy_core.classifiers.remote.documents import JSON, json_with_numbers, read_json
from saywhy_core.classifiers.remote.options import Answers, Connection, Tensors, split_endpoint, with_groups
from saywhy_core.classifiers.remote.tensors import INPUTS, as_datatype, read_tensors
from saywhy_core.classifiers.spec import first_given
from saywhy_core.errors import UsageError, argument
from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import is_page, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.callable_classifier import CallableClassifier
    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.layout import Axes
    from saywhy_core.classifiers.remote.client import Answer

    Images: TypeAlias = NDArray[np.float32]

FORMS = "oip:http(s)://HOST:PORT#MODEL"
EXTENSION = "binary_tensor_data"
"""What the metadata of a server that knows binary tensors lists among its extensions."""
CONFIGURATION = "model_configuration"
"""What the metadata of Triton lists: a model's configuration says how many images the model takes at a time."""
LENGTH = "Inference-Header-Content-Length"
"""The header that says how long the JSON part of a message with binary tensors is."""
BINARY = "application/octet-stream"
UNNAMED = "input-0"  # the input of a model whose metadata says nothing, as MLServer's documentation calls it


@with_groups(answers=Answers, tensors=Tensors, connection=Connection)
def load(
    where: str,
    *,
    answers: Answers,
    tensors: Tensors,
    version: str | int | None = None,
    binary: bool | None = None,
    connection: Connection,
) -> CallableClassifier:
    """A classifier that asks a model on a server of the Open Inference Protocol.

    What an option doesn't say is read from the model's metadata: the image's shape, layout and datatype from its input; the
    kind of scores from the name of its output, where that contains "logit", "prob", "softmax" or "sigmoid"; and all of these
    from its `parameters`, where it has entries `layout`, `scores`, `value_range`, `mean`, `std`, `channels` and `class_names`.

    Args:
        where: `URL#MODEL`, where the URL is what stands before `/v2`.
        answers: what the model answers.
        tensors: its input and its output.
        version: of the model; the server's own choice by default.
        binary: whether tensors are sent as bytes; what the server says it knows by default, and JSON otherwise.
        connection: how the server is asked.

    Raises:
        EndpointError: the server can't be reached, refuses us, or does not speak the protocol.
        UsageError: an option is wrong or missing, or the model takes something else than images.
    """
    address, model = split_endpoint(where, FORMS, model=True)
    client = Client(address.removesuffix("/v2"), connection)
    if binary is not None and not isinstance(binary, bool):
        raise UsageError(f"{argument('binary')} must be true or false, not {binary!r}")
    path = f"/v2/models/{quote(model)}" + ("" if version is None else f"/versions/{quote(str(version), safe='')}")
    missing = f"does it serve a model named {model!r}{'' if version is None else f', version {version}'}?"
    name = f"the model {model!r} at {client.host}"
    try:
        told = client.ask(read_json, path, missing=missing)
    except EndpointError as error:
        if error.status != 404 or tensors.layout is None or answers.scores is None:
            raise
        told = {}  # some servers have models without metadata, and the options tell all that is needed
    if not isinstance(told, dict):
        raise EndpointError(f"{client.host} sent no metadata of the model {model!r}")
    said = said_in_parameters(told.get("parameters"), name)
    takes = pick(_tensors(told, "inputs"), tensors.input, "input", name) or Tensor(UNNAMED, "", None)
    gives = pick(_tensors(told, "outputs"), tensors.output, "output", name)
    datatype = takes.datatype or "FP32"
    if datatype not in INPUTS:
        raise UsageError(f"{name} takes {shown(datatype, 40)}; images need one of {', '.join(INPUTS)}")
    shape = four_axes(takes.shape, name)
    if tensors.layout is None and "layout" not in said and shape is None:
        raise UsageError(
            f"{name} declares no input, so that nothing tells its layout; give {argument('layout', 'nhwc')} or "
            f"{argument('layout', 'nchw')}"
        )
    axes: Axes | None = first_given(tensors.layout, said.get("layout"))
    if axes is None:
        axes = axes_of(shape or (), name)
    prepare = tensors.input_layout(axes, said, whole="INT" in datatype)
    kind: Scores | None = first_given(answers.scores, said.get("scores"), None if gives is None else kind_of(gives.name))
    if kind is None:
        raise UsageError(
            f"{name} doesn't say what its output {'' if gives is None else repr(shown(gives.name, 60))} is; "
            f"give {argument('scores', 'logits')}, or another kind of scores"
        )
    extensions = _extensions(client)
    unlisted = binary is True and EXTENSION not in extensions
    if binary is None:
        binary = EXTENSION in extensions
    if datatype == "BF16" and not binary:
        raise UsageError(f"{name} takes BF16, which JSON has not; give {argument('binary', True)}")
    declared = ANY_SHAPE if shape is None else image_shape_of(shape, axes)
    prepare.check_channels(channels_of(answers.image_shape, declared))
    fixed = shape[0] if shape is not None else None
    per_value = np.dtype("<u2" if datatype == "BF16" else as_datatype(np.zeros(1, np.float32), datatype).dtype).itemsize
    most = _most_images(client, path) if CONFIGURATION in extensions else None
    alone = most == 0 and takes.shape is not None and len(takes.shape) == 3  # one image, without an axis that counts images
    most = 1 if alone else fixed or most or None
    size = (
        connection.batch_size or fixed or min(images_per_request(declared, per_value if binary else JSON), most or MOST_IMAGES)
    )
    if most is not None and size > most:
        raise UsageError(f"{name} takes {most} images at a time; give {argument('batch_size', most)}, or none")
    names = first_given(answers.class_names, said.get("class_names"))
    ids = count(1)
    wanted = None if gives is None else gives.name
    lock = threading.Lock()

    def ask(images: Images) -> NDArray[Any]:
        values = as_datatype(prepare(images), datatype)
        if fixed is not None and len(values) < fixed:  # padded, because the model takes nothing else
            values = np.concatenate([values, np.repeat(values[-1:], fixed - len(values), axis=0)])
        with lock:
            identifier = f"saywhy-{next(ids)}"
        values = values[0] if alone else values
        body, headers = request_of(values, takes.name, datatype, wanted, identifier, binary=bool(binary))
        try:
            rows = client.ask(
                lambda answer: read_answer(answer, identifier, wanted, names), f"{path}/infer", body, headers, missing=missing
            )
        except ClassifierError as error:
            if unlisted and getattr(error, "status", None) in {400, 415, 422, 500}:
                advice = "the server does not list binary tensors among its extensions; leave out binary"
                raise EndpointError(f"{error}; {advice}") from None
            raise
        if alone:
            return rows.reshape(1, -1)
        return rows[: len(images)] if fixed is not None else rows

    def alive() -> bool:
        try:
            return client.ask(lambda answer: not is_page(answer.body), f"{path}/ready", tries=1)
        except EndpointError as error:
            return error.status == 200  # with nothing in it, as servers answer here

    found = None if gives is None or gives.shape is None or len(gives.shape) < 2 else gives.shape[1]
    classes = answers.classes
    if classes is None and names is None and kind != "label" and found is not None and found > 1:
        classes = found
    given = answers.image_shape
    return classifier_at(
        client, ask, scores=kind, class_names=names, classes=classes,
        image_shape=declared if given is None else agreeing(given, declared, name), size=size, alive=alive,
    )  # fmt: skip


def request_of(
    values: NDArray[Any], name: str, datatype: str, output: str | None, identifier: str, *, binary: bool
) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a request about a tensor."""
    tensor: dict[str, Any] = {"name": name, "shape": list(values.shape), "datatype": datatype}
    document: dict[str, Any] = {"id": identifier, "inputs": [tensor]}
    if output is not None:
        document["outputs"] = [{"name": output, "parameters": {"binary_data": True}} if binary else {"name": output}]
    if not binary:
        return json_with_numbers(document, tensor, "data", values.ravel()), {"Content-Type": "application/json"}
    data = values.tobytes()
    tensor["parameters"] = {"binary_data_size": len(data)}
    if output is None:
        document["parameters"] = {"binary_data_output": True}
    head = json.dumps(document).encode()
    return head + data, {"Content-Type": BINARY, LENGTH: str(len(head))}


def read_answer(answer: Answer, identifier: str, output: str | None, names: Sequence[str] | None) -> NDArray[Any]:
    """The scores in the answer to a request.

    Args:
        answer: of the server.
        identifier: of the request.
        output: the output with the scores; None for the only one.
        names: of the classes, for answers that are texts.

    Raises:
        WireError: it is no answer to that request.
    """
    document, rest = _split(answer)
    told = document.get("id") if isinstance(document, dict) else None
    if told not in (None, "", identifier):
        raise WireError(f"answered another request ({shown(str(told), 60)!r} in the place of {identifier!r})", again=True)
    tensors = read_tensors(document, rest)
    if output is None and len(tensors) > 1:
        listed = ", ".join(shown(name, 60) for name in tensors)
        raise UsageError(f"the model answers with {len(tensors)} outputs ({listed}); name one with {argument('output', ...)}")
    found = next(iter(tensors.values())) if output is None or len(tensors) == 1 else tensors.get(output)
    if found is None:
        raise WireError(f"left out the output {output!r}; there are {', '.join(shown(name, 60) for name in tensors)}")
    if isinstance(found, list):
        return class_numbers(found, names, "the endpoint")
    return two_axes(found)


def _split(answer: Answer) -> tuple[Any, bytes]:
    """The JSON part of an answer, and the bytes of tensors behind it."""
    length = answer.headers.get(LENGTH.lower())
    if length is None:
        return read_json(answer), b""
    if not length.strip().isdecimal() or not 0 < int(length) <= len(answer.body):
        raise WireError(f"says that {shown(length, 30)} of {len(answer.body)} bytes are JSON", again=True)
    return read_json(answer, answer.body[: int(length)]), answer.body[int(length) :]


def _tensors(told: dict[str, Any], which: str) -> list[Tensor]:
    listed = told.get(which)
    found = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [
        Tensor(str(one.get("name")), str(one.get("datatype") or "").upper().removeprefix("TYPE_"), sizes(one.get("shape")))
        for one in found
    ]


def _most_images(client: Client, path: str) -> int | None:
    """How many images the model takes at a time at most; 0 where the server adds no axis that counts them, None if unknown.

    Source: Triton Inference Server, "Model Configuration Extension": `max_batch_size`.
    """
    try:
        told = client.ask(read_json, f"{path}/config", tries=1)
    except EndpointError:
        return None
    most = told.get("max_batch_size") if isinstance(told, dict) else None
    return most if isinstance(most, int) and not isinstance(most, bool) and most >= 0 else None


def _extensions(client: Client) -> list[Any]:
    """What the server knows besides the protocol; nothing where it does not say."""
    try:
        told = client.ask(read_json, "/v2", tries=1)
    except EndpointError as error:
        if error.status in {None, 401, 403}:
            raise
        return []
    listed = told.get("extensions") if isinstance(told, dict) else None
    return listed if isinstance(listed, list) else []
