"""A model on a server of TensorFlow Serving's REST interface: `tfserving:URL`, with `/v1/models/NAME` in the URL.

Source: TensorFlow Serving, "RESTful API" (tensorflow.org/tfx/serving/api_rest): predict, model metadata and model status.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.classifier import ANY_SHAPE, EndpointError
from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.classifiers.remote.assembly import (
    agreeing,
    channels_of,
    check_batch_size,
    class_numbers,
    classifier_at,
    images_per_request,
    two_axes,
)
from saywhy_core.classifiers.remote.client import Client
from saywhy_core.classifiers.remote.declared import Tensor, axes_of, four_axes, image_shape_of, kind_of, pick, sizes
from saywhy_core.classifiers.remote.documents import JSON, json_with_numbers, read_json
from saywhy_core.classifiers.remote.options import CONCURRENCY, RETRIES, TIMEOUT, Connection, split_endpoint
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
    from saywhy_core.classifiers.layout import Axes, Channels, Numbers
    from saywhy_core.classifiers.remote.client import Answer

    Images: TypeAlias = NDArray[np.float32]

FORMS = "tfserving:http(s)://HOST:PORT/v1/models/NAME"
SIGNATURE = "serving_default"
"""The signature that TensorFlow Serving itself takes where a request names none."""
DTYPES = {"DT_FLOAT": np.float32, "DT_HALF": np.float32, "DT_DOUBLE": np.float32, "DT_UINT8": np.uint8, "DT_INT32": np.int32}
PICTURES = "DT_STRING"
_PATH = re.compile(r"/v1/models/[^/]+(?:/(?:versions|labels)/[^/]+)?$")


def load(
    where: str,
    *,
    class_names: Sequence[str] | None = None,
    classes: int | None = None,
    scores: Scores | None = None,
    layout: Axes | None = None,
    value_range: Sequence[float] | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    channels: Channels | None = None,
    image_shape: Sequence[int | None] | None = None,
    signature: str | None = None,
    form: str = "instances",
    input: str | None = None,  # noqa: A002 - the protocol's own word
    output: str | None = None,
    batch_size: int | None = None,
    concurrency: int = CONCURRENCY,
    rate: float | None = None,
    timeout: float = TIMEOUT,
    retries: int = RETRIES,
    key_env: str | None = None,
    key_header: str | None = None,
    query: str | None = None,
) -> CallableClassifier:
    """A classifier that asks a model on a server of TensorFlow Serving's REST interface.

    What an option doesn't say is read from `URL/metadata`, where the server has it: the image's shape, layout and type, the
    output's name, and the kind of scores from that name. A model that takes texts (`DT_STRING`) gets PNG pictures in base64.

    Args:
        where: the URL, up to the model's name, or to its version: `/v1/models/NAME/versions/3`.
        class_names: one name per class.
        classes: the number of classes, where neither the names nor the metadata tell.
        scores: what the output is: "logits", "probabilities", "sigmoid", "top-k" or "label".
        layout: "nhwc" (what TensorFlow's models usually take, and the default where the metadata does not tell) or "nchw".
        value_range: the model's values for black and white: (0, 255) for whole numbers and (0, 1) otherwise by default.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the model takes, "rgb" (the default) or "bgr".
        image_shape: (height, width, channels) of the images, where the metadata does not tell; None for each that is free.
        signature: the signature of the model; "serving_default" by default.
        form: "instances", one entry per image, or "inputs", one entry per tensor.
        input: the name of the input, where there are several.
        output: the name of the output with the scores, where there are several.
        batch_size: the most images per request; by default up to 64, and less than 8 MiB.
        concurrency: the most requests on their way at a time.
        rate: the most requests per second.
        timeout: seconds per attempt.
        retries: further attempts after one that failed in a way that may pass.
        key_env: the environment variable that holds the key.
        key_header: the header that the key is sent in, `Authorization` by default.
        query: parameters of all addresses, without a key.

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
    check_batch_size(batch_size)
    client = Client(address, Connection(concurrency, rate, timeout, retries, key_env, key_header, query))
    name = f"the model at {client.host}"
    takes, gives = _declared(client, signature, input, output, name)
    datatype = takes.datatype if takes is not None and takes.datatype else "DT_FLOAT"
    pictures = datatype == PICTURES
    if not pictures and datatype not in DTYPES:
        raise UsageError(f"{name} takes {shown(datatype, 40)}; images need one of {', '.join([*DTYPES, PICTURES])}")
    given = {"layout": layout, "value_range": value_range, "mean": mean, "std": std, "channels": channels}
    if pictures and (unused := [argument(one) for one, value in given.items() if value is not None]):
        raise UsageError(f"{name} takes encoded pictures, so that {', '.join(unused)} would have no effect; leave it out")
    shape = None if takes is None or pictures else four_axes(takes.shape, name)
    axes: Axes = layout if layout is not None else "nhwc" if shape is None else axes_of(shape, name)
    whole = not pictures and np.dtype(DTYPES[datatype]).kind in "iu"
    usual = (0.0, 255.0) if whole else (0.0, 1.0)
    prepare = InputLayout(axes, first_given(value_range, usual), mean, std, first_given(channels, "rgb"))
    kind: Scores | None = first_given(scores, None if gives is None else kind_of(gives.name))
    if kind is None:
        raise UsageError(f"{name} doesn't say what it answers; give {argument('scores', 'logits')}, or another kind of scores")
    declared = ANY_SHAPE if shape is None else image_shape_of(shape, axes)
    prepare.check_channels(channels_of(image_shape, declared))
    fixed = None if shape is None else shape[0]
    wanted = output or (None if gives is None else gives.name)

    def values_of(images: Images) -> NDArray[Any]:
        values = prepare(images)
        return np.rint(values).astype(np.int64) if whole else values

    def ask(images: Images) -> NDArray[Any]:
        body = _pictures(images, form, input, signature) if pictures else _numbers(values_of(images), form, input, signature)
        headers = {"Content-Type": "application/json"}
        return client.ask(lambda answer: read_answer(answer, wanted, class_names), ":predict", body, headers)

    def alive() -> bool:
        try:
            told = client.ask(read_json, tries=1)
        except EndpointError:
            return False
        listed = told.get("model_version_status") if isinstance(told, dict) else None
        return any(isinstance(one, dict) and one.get("state") == "AVAILABLE" for one in listed or [])

    found = None if gives is None or gives.shape is None or len(gives.shape) < 2 else gives.shape[1]
    if classes is None and class_names is None and kind != "label" and found is not None and found > 1:
        classes = found
    return classifier_at(
        client, ask, scores=kind, class_names=class_names, classes=classes,
        image_shape=declared if image_shape is None else agreeing(image_shape, declared, name),
        size=batch_size or fixed or images_per_request(declared, 2 if pictures else JSON),
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
