"""A model of MLServer around onnxruntime that notes which images it has answered. It runs in the environment of MLServer."""

import asyncio
import hashlib
import json
import os

import numpy as np
import onnxruntime
from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec
from mlserver.handlers import custom_handler
from starlette.requests import Request
from starlette.responses import Response


class CountingModel(MLModel):
    """Serves the ONNX file MODEL_FILE; ANSWERED gets one line for each image that is answered: 16 hexadecimal digits.

    MLServer 1.7.1 itself takes tensors as JSON alone; under /binary the model takes and gives them as bytes.
    """

    async def load(self):
        """See `MLModel`."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options)
        self._answered = os.open(os.environ["ANSWERED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return True

    async def predict(self, payload):
        """See `MLModel`."""
        scores = await self._scores(NumpyCodec.decode_input(payload.inputs[0]))
        outputs = [NumpyCodec.encode_output("logits", scores)]
        return types.InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)

    @custom_handler(rest_path="/binary/v2", rest_method="GET")
    async def server(self, request: Request) -> Response:
        """What the server knows."""
        del request
        return _json({"name": "mlserver", "version": "1.7.1", "extensions": ["binary_tensor_data"]})

    @custom_handler(rest_path="/binary/v2/models/signs", rest_method="GET")
    async def described(self, request: Request) -> Response:
        """The metadata of the model."""
        del request
        settings = self.settings
        tensors = {
            name: [{"name": one.name, "datatype": "FP32", "shape": one.shape} for one in given]
            for name, given in (("inputs", settings.inputs), ("outputs", settings.outputs))
        }
        return _json({"name": self.name, "platform": "", **tensors})

    @custom_handler(rest_path="/binary/v2/models/signs/infer")
    async def binary(self, request: Request) -> Response:
        """An inference with binary tensors."""
        body = await request.body()
        length = int(request.headers["Inference-Header-Content-Length"])
        asked = json.loads(body[:length])
        images = np.frombuffer(body[length:], dtype="<f4").reshape(asked["inputs"][0]["shape"])
        scores = np.ascontiguousarray(await self._scores(images), dtype="<f4")
        said = {
            "name": "logits",
            "datatype": "FP32",
            "shape": list(scores.shape),
            "parameters": {"binary_data_size": scores.nbytes},
        }
        answer = {"model_name": self.name, "outputs": [said]} | ({"id": asked["id"]} if "id" in asked else {})
        head = json.dumps(answer).encode()
        fields = {"Inference-Header-Content-Length": str(len(head))}
        return Response(head + scores.tobytes(), media_type="application/octet-stream", headers=fields)

    async def _scores(self, images):
        images = np.ascontiguousarray(images, dtype=np.float32)
        await asyncio.sleep(float(os.environ.get("LATENCY", "0")))
        (scores,) = self._session.run(None, {self._session.get_inputs()[0].name: images})
        lines = [hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest() for image in images]
        os.write(self._answered, ("\n".join(lines) + "\n").encode())
        return scores


def _json(document) -> Response:
    return Response(json.dumps(document), media_type="application/json")
