"""A model of MLServer around onnxruntime that notes which images it has answered. It runs in the environment of MLServer."""

import asyncio
import hashlib
import os

import numpy as np
import onnxruntime
from mlserver import MLModel, types
from mlserver.codecs import NumpyCodec


class CountingModel(MLModel):
    """Serves the ONNX file MODEL_FILE; ANSWERED gets one line for each image that is answered: 16 hexadecimal digits."""

    async def load(self):
        """See `MLModel`."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options)
        self._answered = os.open(os.environ["ANSWERED"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return True

    async def predict(self, payload):
        """See `MLModel`."""
        images = np.ascontiguousarray(NumpyCodec.decode_input(payload.inputs[0]), dtype=np.float32)
        await asyncio.sleep(float(os.environ.get("LATENCY", "0")))
        (scores,) = self._session.run(None, {self._session.get_inputs()[0].name: images})
        lines = [hashlib.blake2b(image.tobytes(), digest_size=8).hexdigest() for image in images]
        os.write(self._answered, ("\n".join(lines) + "\n").encode())
        outputs = [NumpyCodec.encode_output("logits", scores)]
        return types.InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
