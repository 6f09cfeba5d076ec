"""A model of MLServer around onnxruntime, as a user would write it. It runs in the environment of MLServer."""

import asyncio
import os
from pathlib import Path

import numpy as np
import onnxruntime
from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec


class OnnxModel(MLModel):
    """Serves the ONNX file that the environment variable MODEL_FILE names; COUNT_FILE gets a line for each request: how many images."""

    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options)
        return True

    async def predict(self, payload):
        tensor = payload.inputs[0]
        images = NumpyCodec.decode_input(tensor).astype(np.float32)
        await asyncio.sleep(float(os.environ.get("LATENCY", "0")))
        (scores,) = self._session.run(None, {self._session.get_inputs()[0].name: images})
        if os.environ.get("COUNT_FILE"):
            with Path(os.environ["COUNT_FILE"]).open("a") as stream:
                stream.write(f"{len(images)}\n")
        return types.InferenceResponse(
            model_name=self.name, id=payload.id, outputs=[NumpyCodec.encode_output("logits", scores)]
        )
