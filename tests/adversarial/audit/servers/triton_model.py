"""A model on Triton behind PyTriton, as a user would write it: tensors in, logits out. It runs in the environment of PyTriton."""

import numpy as np
from network import logits, port
from pytriton.decorators import batch
from pytriton.model_config import ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


@batch
def infer(image):
    return {"logits": logits(image)}


config = TritonConfig(http_port=port, grpc_port=port + 1, metrics_port=port + 2, http_address="127.0.0.1")
with Triton(config=config) as triton:
    triton.bind(
        "signs",
        infer,
        inputs=[Tensor(name="image", dtype=np.float32, shape=(48, 48, 3))],
        outputs=[Tensor(name="logits", dtype=np.float32, shape=(43,))],
        config=ModelConfig(max_batch_size=16),
    )
    triton.serve()
