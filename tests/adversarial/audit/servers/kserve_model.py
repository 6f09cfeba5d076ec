"""A model on KServe's own Python server, as a user would write it. It runs in the environment of KServe."""

from kserve import InferOutput, InferResponse, Model, ModelServer
from network import logits, port


class Signs(Model):
    def __init__(self):
        super().__init__("signs")
        self.ready = True

    async def get_input_types(self):
        return [{"name": "image", "datatype": "FP32", "shape": [-1, 48, 48, 3]}]

    async def get_output_types(self):
        return [{"name": "logits", "datatype": "FP32", "shape": [-1, 43]}]

    def predict(self, payload, headers=None, response_headers=None):
        if isinstance(payload, dict):  # of KServe's first protocol, which is that of TensorFlow Serving
            return {"predictions": logits(payload["instances"]).tolist()}
        scores = logits(payload.inputs[0].as_numpy())
        output = InferOutput("logits", list(scores.shape), "FP32")
        output.set_data_from_numpy(scores, binary_data=False)
        return InferResponse(payload.id, "signs", [output])


ModelServer(http_port=port, enable_grpc=False, workers=1).start([Signs()])
