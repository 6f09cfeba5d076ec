"""A session of onnxruntime within bounds: of memory, of time, of what it may reach, and of what Ctrl-C can end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.bounded.pace import Pace
from saywhy_core.bounded.watched import OverTimeError
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import CeilingError, ceiling

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
ARRAYS = 2  # times the ceiling `array`: a batch of x
FOLDED = 64 * 2**20  # bytes of one constant that is computed when the file is opened


class Session:
    """An ONNX file, opened.

    Its arrays may take as much memory as its weights say, and twice the ceiling `array`; a step that wants more fails. How long
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
        kinds = onnxruntime.OrtAllocatorType
        self._array = ceiling("array")
        weights = weights_of(path)
        most = COPIES * weights + ARRAYS * self._array
        onnxruntime.create_and_register_allocator(  # it holds for sessions that are opened after it
            onnxruntime.OrtMemoryInfo("Cpu", kinds.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT),
            onnxruntime.OrtArenaCfg({"max_mem": most, "arena_extend_strategy": 1}),
        )
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.log_severity_level = 4  # errors are raised, and need not be written as well
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
            if "Available memory" in str(error) or "Failed to allocate" in str(error):
                raise CeilingError(
                    f"its arrays need more memory than {ARRAYS} times the ceiling array, which is {self._array:,} bytes; "
                    f"if you trust it, raise the ceiling, for example with --ceiling array={ARRAYS * self._array}"
                ) from None
            raise


def weights_of(path: str) -> int:
    """The bytes of a model: of the file, and of files of weights beside it, whose names begin like it."""
    file = Path(path)
    beside = (one for one in file.parent.iterdir() if one.name.startswith((f"{file.name}.", f"{file.name}_", f"{file.stem}.")))
    return file.stat().st_size + sum(one.stat().st_size for one in beside if one.is_file() and one != file)
