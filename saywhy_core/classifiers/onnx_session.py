"""A session of onnxruntime within bounds: of memory, of time, of what it may reach, and of what Ctrl-C can end."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from saywhy_core.bounded.pace import Pace
from saywhy_core.bounded.room import is_lack
from saywhy_core.bounded.watched import OverTimeError
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import CeilingError, ceiling, numbered

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ACCELERATORS = (
    "CUDAExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider", "DmlExecutionProvider",
    "CoreMLExecutionProvider",
)  # fmt: skip
"""What may compute besides the CPU. The provider of Azure is left out: it asks a server."""
CPU = "CPUExecutionProvider"
COPIES = 3  # of the weights: as read, as laid out for the kernels, and as packed by them
ARRAYS = 1.5  # times the ceiling `array`: what a step reads and what it writes
_ASKED = re.compile(r"Available memory of (\d+) is smaller than requested bytes of (\d+)")
_CODE = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_STEP = re.compile(r"while running (\w+) node")
_PLACE = re.compile(r"/\S+:\d+ .*\)(?= )")  # the file, line and function in the source
FOLDED = 64 * 2**20  # bytes of one constant that is computed when the file is opened


class Session:
    """An ONNX file, opened.

    Its arrays may take as much memory as its weights say, and one and a half times the ceiling `array`; a batch that
    wants more is computed in parts. How long
    it may be opened and compute follows from the ceiling `seconds`.
    Libraries of further operators are not loaded, and no provider that asks a server is used.

    Args:
        path: the file.
        threads: how many threads onnxruntime uses; 0 for its own choice.

    Raises:
        UsageError: onnxruntime can't open it.
    """

    def __init__(self, path: str, threads: int) -> None:
        import onnxruntime

        self._library = onnxruntime
        onnxruntime.set_default_logger_severity(4)  # errors are raised, and need not be written as well
        kinds = onnxruntime.OrtAllocatorType
        self._array = ceiling("array")
        weights = weights_of(path)
        self._path, self._most = path, COPIES * weights + int(ARRAYS * self._array)
        onnxruntime.create_and_register_allocator(  # it holds for sessions that are opened after it
            onnxruntime.OrtMemoryInfo("Cpu", kinds.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT),
            onnxruntime.OrtArenaCfg({"max_mem": self._most, "arena_extend_strategy": 1}),
        )
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 4
        # threads that wait for work must not take the processor from the search that makes the next batch
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        settings.add_session_config_entry("session.use_env_allocators", "1")
        settings.add_session_config_entry("optimization.constant_folding_max_output_size_in_bytes", str(FOLDED))
        here = [name for name in onnxruntime.get_available_providers() if name in ACCELERATORS]
        self._pace = Pace(path, weights, accelerated=bool(here))

        def opened() -> Any:
            try:
                return onnxruntime.InferenceSession(path, settings, providers=[*here, CPU], enable_fallback=0)
            except Exception:
                if not here:
                    raise
                return onnxruntime.InferenceSession(path, settings, providers=[CPU], enable_fallback=0)

        try:
            self._session = self._pace.opening(opened, growth=None if here else COPIES * weights + self._array)
            self.inputs = [(node.name, node.shape, node.type) for node in self._session.get_inputs()]
            self.output = str(self._session.get_outputs()[0].name)
            self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        except OverTimeError:
            raise
        except Exception as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
            raise UsageError(f"{path} is no ONNX model that onnxruntime can run: {said}") from error
        first = self.inputs[0][1][0] if self.inputs and self.inputs[0][1] else None
        self._pace.alone = not isinstance(first, int) or first == 1

    def __call__(self, batch: NDArray[Any]) -> NDArray[np.floating]:
        """The first output for a batch. Ctrl-C ends the computation, also one that would never end by itself."""
        options = self._library.RunOptions()
        name = self.inputs[0][0]

        def compute(images: NDArray[Any]) -> NDArray[np.floating]:
            scores: NDArray[np.floating] = self._session.run([self.output], {name: images}, options)[0]
            return scores

        def stop() -> None:  # a step that is begun ends first, and loops end
            options.terminate = True

        try:
            return self._pace(compute, batch, stop)
        except CeilingError:
            raise
        except Exception as error:
            said = str(error)
            lacking = _ASKED.search(said)
            if lacking is not None or "Failed to allocate" in said or is_lack(error):
                raise CeilingError(self._too_large(lacking, len(batch))) from None
            if not type(error).__module__.startswith("onnxruntime"):
                raise
            raise UsageError(_plain(said)) from error

    def _too_large(self, lacking: re.Match[str] | None, images: int) -> str:
        left, asked = (int(number) for number in lacking.groups()) if lacking is not None else (0, self._most)
        step = f"one step needs {asked:,} bytes beside the {self._most - left:,} of the others" if lacking else "it needs more"
        return (
            f"{self._path}: {step}, and {self._most:,} are allowed for {numbered(images, 'image')}; if you trust it, "
            f"raise the ceiling, for example with --ceiling array={self._most - left + asked}"
        )


def _plain(said: str) -> str:
    """What onnxruntime says of a step that failed, without codes, and without places in its source."""
    step = _STEP.findall(said)
    why = " ".join(_PLACE.sub("", said.rpartition("Status Message: ")[2]).split())
    why = shorten(_CODE.sub("", why), 200, placeholder=" ...")
    return f"its step {step[-1]} can't be computed: {why}" if step else why


def weights_of(path: str) -> int:
    """The bytes of a model: of the file, and of files of weights beside it, whose names begin like it."""
    file = Path(path)
    beside = (one for one in file.parent.iterdir() if one.name.startswith((f"{file.name}.", f"{file.name}_", f"{file.stem}.")))
    return file.stat().st_size + sum(one.stat().st_size for one in beside if one.is_file() and one != file)
