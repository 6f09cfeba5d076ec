"""A model on a server of TensorFlow Serving's REST interface: `tfserving:URL`, with `/v1/models/NAME` in the URL.

Source: TensorFlow Serving, "RESTful API" (tensorflow.org/tfx/serving/api_rest): predict, model metadata and model status.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.classifier import ANY_SHAPE, EndpointError
from saywhy_core.classifiers.remote.assembly import (
    agreeing,
    channels_of,
    class_numbers,
    classifier_at,
    images_per_request,
    two_axes,
)
from saywhy_core.classifiers.remote.client import Client
from saywhy_core.classifiers.remote.declared import Tensor, axes_of, four_axes, image_shape_of, kind_of, pick, sizes
from saywhy_core.classifiers.remote.documents import JSON, json_with_numbers, read_json
from saywhy_core.classifiers.remote.options import Answers, Connection, Tensors, split_endpoint, with_groups
from saywhy_core.classifiers.remote.pictures import LEVELS, encoded
from saywhy_core.classifiers.spec import first_given
from saywhy_core.errors import UsageError, argument
from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.callable_classifier import CallableClassifier
    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.layout import Axes
    from saywhy_core.classifiers.remote.client import Answer

    Images: TypeAlias = NDArray[np.float32]

FORMS = "tfserving:http(s)://HOST:PORT/v1/models/NAME"
SIGNATURE = "serving_default"
"""The signature that TensorFlow Serving itself takes where a request names none."""
DTYPES = {"DT_FLOAT": np.float32, "DT_HALF": np.float32, "DT_DOUBLE": np.float32, "DT_UINT8": np.uint8, "DT_INT32": np.int32}
PICTURES = "DT_STRING"
_PATH = re.compile(r"/v1/models/[^/]+(?:/(?:versions|labels)/[^/]+)?$")


@with_groups(answers=Answers, tensors=Tensors, connection=Connection)
def load(
    where: str,
    *,
    answers: Answers,
    tensors: Tensors,
    signature: str | None = None,
    form: str = "instances",
    connection: Connection,
) -> CallableClassifier:
    """A classifier that asks a model on a server of TensorFlow Serving's REST interface.

    What an option doesn't say is read from `URL/metadata`, where the server has it: the image's shape, layout and type, the
    output's name, and the kind of scores from that name. The layout is "nhwc", which TensorFlow's models usually take, where
    the metadata does not tell it. A model that takes texts (`DT_STRING`) gets PNG pictures in base64.

    Args:
        where: the URL, up to the model's name, or to its version: `/v1/models/NAME/versions/3`.
        answers: what the model answers.
        tensors: its input and its output.
        signature: the signature of the model; "serving_default" by default.
        form: "instances", one entry per image, or "inputs", one entry per tensor.
        connection: how the server is asked.

    Raises:
        EndpointError: the server can't be reached, refuses us, or does not speak the protocol.
        UsageError: an option is wrong or missing, or the model takes something else than images.
    """
    address, _ = split_endpoint(where, FORMS, model=False)
    address = address.removesuffix(":predict")
    if not _PATH.search(address):
        raise UsageError(f"the address names no model: write {FORMS}")
    if form not in ("instances", "inputs"):
        raise UsageError(f"{argument('form')} must be 'instances' or 'inputs', not {form!r}")
    client = Client(address, connection)
    name = f"the model at {client.host}"
    takes, gives = _declared(client, signature, tensors.input, tensors.output, name)
    datatype = takes.datatype if takes is not None and takes.datatype else "DT_FLOAT"
    pictures = datatype == PICTURES
    if not pictures and datatype not in DTYPES:
        raise UsageError(f"{name} takes {shown(datatype, 40)}; images need one of {', '.join([*DTYPES, PICTURES])}")
    prepared = ("layout", "value_range", "mean", "std", "channels")
    if pictures and (unused := [argument(one) for one in prepared if getattr(tensors, one) is not None]):
        raise UsageError(f"{name} takes encoded pictures, so that {', '.join(unused)} would have no effect; leave it out")
    shape = None if takes is None or pictures else four_axes(takes.shape, name)
    axes: Axes = tensors.layout if tensors.layout is not None else "nhwc" if shape is None else axes_of(shape, name)
    whole = not pictures and np.dtype(DTYPES[datatype]).kind in "iu"
    prepare = tensors.input_layout(axes, {}, whole=whole)
    kind: Scores | None = first_given(answers.scores, None if gives is None else kind_of(gives.name))
    if kind is None:
        raise UsageError(f"{name} doesn't say what it answers; give {argument('scores', 'logits')}, or another kind of scores")
    declared = ANY_SHAPE if shape is None else image_shape_of(shape, axes)
    prepare.check_channels(channels_of(answers.image_shape, declared))
    fixed = None if shape is None else shape[0]
    wanted = tensors.output or (None if gives is None else gives.name)

    def values_of(images: Images) -> NDArray[Any]:
        values = prepare(images)
        return np.rint(values).astype(np.int64) if whole else values

    def ask(images: Images) -> NDArray[Any]:
        rest = form, tensors.input, signature
        body = _pictures(images, *rest) if pictures else _numbers(values_of(images), *rest)
        headers = {"Content-Type": "application/json"}
        return client.ask(lambda answer: read_answer(answer, wanted, answers.class_names), ":predict", body, headers)

    def alive() -> bool:
        try:
            told = client.ask(read_json, tries=1)
        except EndpointError:
            return False
        if not isinstance(told, dict):
            return False
        if str(told.get("ready")).lower() == "true":  # as KServe says it, whose first protocol is that of TensorFlow Serving
            return True
        listed = told.get("model_version_status")
        return any(isinstance(one, dict) and one.get("state") == "AVAILABLE" for one in listed or [])

    found = None if gives is None or gives.shape is None or len(gives.shape) < 2 else gives.shape[1]
    classes = answers.classes
    if classes is None and answers.class_names is None and kind != "label" and found is not None and found > 1:
        classes = found
    given = answers.image_shape
    return classifier_at(
        client, ask, scores=kind, class_names=answers.class_names, classes=classes,
        image_shape=declared if given is None else agreeing(given, declared, name),
        size=connection.batch_size or fixed or images_per_request(declared, 2 if pictures else JSON),
        alive=alive, levels=LEVELS if pictures else None,
    )  # fmt: skip


def read_answer(answer: Answer, output: str | None, names: Sequence[str] | None) -> NDArray[Any]:
    """The scores in an answer: rows under `predictions`, or tensors under `outputs`; several outputs stand by their names.

    Raises:
        WireError: it is no answer of the protocol.
    """
    told = read_json(answer)
    rows = None if not isinstance(told, dict) else told.get("predictions", told.get("outputs"))
    if rows is None:
        raise WireError("sent an answer without predictions or outputs", status=200)
    if isinstance(rows, dict):
        rows = _one_of(rows, output)
    if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
        rows = [_one_of(row, output) for row in rows]
    if not isinstance(rows, list):
        raise WireError("sent predictions that are no list", status=200)
    if rows and all(isinstance(row, str) for row in rows):
        return class_numbers(rows, names, "the endpoint")
    try:
        return two_axes(np.array([_without_null(row) for row in rows], dtype=np.float64))
    except (TypeError, ValueError, OverflowError):
        raise WireError("sent predictions that are not the same number of numbers for each image", status=200) from None


def _without_null(row: Any) -> Any:
    return [float("nan") if one is None else one for one in row] if isinstance(row, list) else row


def _one_of(outputs: dict[str, Any], output: str | None) -> Any:
    if output in outputs:
        return outputs[output]
    listed = ", ".join(shown(name, 60) for name in list(outputs)[:8])
    if output is None and len(outputs) == 1:
        return next(iter(outputs.values()))
    if output is None:
        raise UsageError(f"the model answers with {len(outputs)} outputs ({listed}); name one with {argument('output', ...)}")
    raise WireError(f"left out the output {output!r}; there are {listed}", status=200)


def _numbers(values: NDArray[Any], form: str, name: str | None, signature: str | None) -> bytes:
    document: dict[str, Any] = {} if signature is None else {"signature_name": signature}
    if name is None:
        return json_with_numbers(document, document, form, values)
    if form == "inputs":
        document["inputs"] = {}
        return json_with_numbers(document, document["inputs"], name, values)
    rows = []
    for value in values:
        row: dict[str, Any] = {}
        rows.append(json_with_numbers(row, row, name, value))
    head = json_with_numbers(document, document, "instances", np.zeros(0))
    return head.replace(b"[]", b"[" + b",".join(rows) + b"]", 1)


def _pictures(images: Images, form: str, name: str | None, signature: str | None) -> bytes:
    import json

    rows: Any = [{"b64": b64encode(encoded(image, "png")).decode()} for image in images]
    if name is not None:
        rows = {name: rows} if form == "inputs" else [{name: row} for row in rows]
    return json.dumps({**({} if signature is None else {"signature_name": signature}), form: rows}).encode()


def _declared(
    client: Client, signature: str | None, takes: str | None, gives: str | None, name: str
) -> tuple[Tensor | None, Tensor | None]:
    """The input and the output of a signature, as far as the server tells."""
    try:
        told = client.ask(read_json, "/metadata", missing=f"write {FORMS}")
    except EndpointError as error:
        if error.status not in {404, 405, 501}:
            raise
        client.ask(read_json, missing=f"write {FORMS}")  # its status: the model may be missing, too
        told = None
    for step in ("metadata", "signature_def", "signature_def"):
        told = told.get(step) if isinstance(told, dict) else None
    if not isinstance(told, dict):
        return (None if takes is None else Tensor(takes, "", None)), (None if gives is None else Tensor(gives, "", None))
    wanted = signature or SIGNATURE
    if wanted not in told:
        listed = ", ".join(shown(one, 60) for one in list(told)[:8] if one != "__saved_model_init_op")
        raise UsageError(f"{name} has no signature {shown(wanted, 60)!r}; it has {listed}, which go into the option signature")
    found = [_tensors(told[wanted], which) for which in ("inputs", "outputs")]
    outputs = [one for one in found[1] if gives is None or one.name == gives] or found[1]
    return pick(found[0], takes, "input", name), pick(outputs, gives, "output", name)


def _tensors(told: Any, which: str) -> list[Tensor]:
    listed = told.get(which) if isinstance(told, dict) else None
    found = []
    for name, one in listed.items() if isinstance(listed, dict) else ():
        if isinstance(one, dict):
            shape = one.get("tensor_shape")
            axes = shape.get("dim") if isinstance(shape, dict) and not shape.get("unknown_rank") else None
            dims = [axis.get("size") if isinstance(axis, dict) else None for axis in axes] if isinstance(axes, list) else None
            found.append(Tensor(str(name), str(one.get("dtype") or ""), sizes(dims) or None))
    return found
