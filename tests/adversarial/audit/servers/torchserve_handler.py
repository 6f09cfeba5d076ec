"""A handler of TorchServe, as a user would write it: a mapping for a picture, as TorchServe's own `image_classifier` answers, and
a document of the Open Inference Protocol for tensors. It runs in TorchServe's worker.
"""

import numpy as np
from network import labelled, logits


def handle(data, context):
    return [answer(one.get("data") or one.get("body"), context) for one in data or []]


def answer(body, context):
    if not isinstance(body, dict):
        return {one["label"]: one["score"] for one in labelled(bytes(body))}
    (tensor,) = body["inputs"]
    scores = logits(np.array(tensor["data"], dtype=np.float32).reshape(tensor["shape"]))
    output = {"name": "logits", "datatype": "FP32", "shape": list(scores.shape), "data": scores.ravel().tolist()}
    return {"id": body.get("id"), "model_name": context.manifest["model"]["modelName"], "outputs": [output]}
