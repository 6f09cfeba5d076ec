"""A torch module as a target: `torch:FILE`."""

from __future__ import annotations

import pickletools
import zipfile
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.bounded.pace import Pace
from saywhy_core.bounded.room import begin_threads, in_parts, room, room_for
from saywhy_core.bounded.turns import OVERLAPPING, in_turns
from saywhy_core.classifiers.answers.advice import say_scores
from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import ANY_SHAPE
from saywhy_core.classifiers.identity import check_model_file, file_identity
from saywhy_core.classifiers.inside.score_networks import of_module
from saywhy_core.classifiers.layout import InputLayout
from saywhy_core.errors import UsageError
from saywhy_core.trust import require_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.layout import Axes, Channels, Numbers

    Images: TypeAlias = NDArray[np.float32]


class TorchClassifier(CallableClassifier):
    """A torch module as a black box. No gradients are computed.

    Args:
        module: a module, or any function of a float32 tensor, that returns (N, K) scores. A module is put into evaluation
            mode and moved to the device.
        scores: "logits", "probabilities", "sigmoid", "top-k" or "label" (see `CallableClassifier`).
        classes: how many classes there are, where they have no names and the answers don't show it.
        class_names: one name per class.
        layout: "nchw", which is usual in torch, or "nhwc".
        value_range: the module's values for black and white.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the network takes, "rgb" or "bgr".
        device: where the module runs; None for the GPU where there is one.
        batch_size: the largest number of images per call of the module.
        image_shape: (height, width, channels) that the module takes, None for each number that is unknown or free.
        identity: a text that changes whenever the answers may change, for caches.

    Raises:
        UsageError: an argument is wrong.
    """

    def __init__(
        self,
        module: Callable[[torch.Tensor], torch.Tensor],
        *,
        scores: Scores = "logits",
        classes: int | None = None,
        class_names: Sequence[str] | None = None,
        layout: Axes = "nchw",
        value_range: Sequence[float] = (0.0, 1.0),
        mean: Numbers | None = None,
        std: Numbers | None = None,
        channels: Channels = "rgb",
        device: str | None = None,
        batch_size: int | None = None,
        image_shape: Sequence[int | None] | None = None,
        identity: str | None = None,
    ) -> None:
        import torch

        prepare = InputLayout(layout, value_range, mean, std, channels)
        try:
            place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        except (RuntimeError, TypeError) as error:
            raise UsageError(f"there is no device {device!r}: {str(error).splitlines()[0][:160]}") from None
        if isinstance(module, torch.nn.Module):
            network: torch.nn.Module = module
            network.to(place)
            if not isinstance(network, torch.fx.GraphModule):  # an exported program was fixed in one mode when it was saved
                network.eval()

        def predict(images: Images) -> NDArray[np.floating]:
            with torch.inference_mode():
                answer = module(torch.from_numpy(prepare(images)).to(place))
            return np.asarray(answer.float().cpu().numpy())

        super().__init__(
            predict,
            scores,
            class_names,
            classes=classes,
            batch_size=batch_size,
            image_shape=ANY_SHAPE if image_shape is None else image_shape,
            identity=identity,
        )
        self.module, self.prepare = module, prepare
        if isinstance(module, torch.nn.Module):
            self.network = of_module(module, prepare)


def load(
    path: str,
    *,
    class_names: Sequence[str] | None = None,
    scores: Scores | None = None,
    classes: int | None = None,
    layout: Axes = "nchw",
    value_range: Sequence[float] = (0.0, 1.0),
    mean: Numbers | None = None,
    std: Numbers | None = None,
    channels: Channels = "rgb",
    device: str | None = None,
    batch_size: int | None = None,
    image_shape: Sequence[int | None] | None = None,
    trust: bool = False,
) -> TorchClassifier:
    """A classifier from a program of `torch.export` (`.pt2`), or from a TorchScript file.

    Programs are read by `saywhy_core.classifiers.exported`, which runs nothing of the file. TorchScript is code, and needs
    `trust`. Pickled modules and state dictionaries are refused: pickles can run code, and state dictionaries hold no
    network.

    Args:
        path: the file.
        class_names: one name per class.
        scores: "logits", "probabilities", "sigmoid", "top-k" or "label" (see `CallableClassifier`). Required: the file doesn't
            say.
        classes: how many classes there are, where they have no names and the answers don't show it.
        layout: "nchw", which is usual in torch, or "nhwc".
        value_range: the network's values for black and white.
        mean: subtracted after that; one number, or one per channel.
        std: divided by after that; one number, or one per channel.
        channels: the order of the colours that the network takes, "rgb" or "bgr".
        device: where the network runs; None for the GPU where there is one.
        batch_size: the largest number of images per call of the network.
        image_shape: (height, width, channels) that the network takes, None for each number that is unknown or free.
        trust: whether TorchScript may run, which is a program.

    Raises:
        TrustError: the file is TorchScript, and `trust` is false.
        UsageError: the file is missing or of another kind, `scores` is missing, or an option has a wrong value.
    """
    check_model_file(path)
    from saywhy_core.classifiers.exported.read import is_exported, read_exported

    exported = is_exported(path)
    kind = "" if exported else _kind(path)
    if kind in _SAVED:
        raise UsageError(f"{path} {_SAVED[kind]}")
    if kind == "TorchScript" and Path(path).suffix == ".pt2":
        raise UsageError(
            f"{path} is TorchScript, and .pt2 is the suffix of programs of torch.export; rename it to .pt, and allow it "
            "with --trust (in Python trust=True) if you trust its author"
        )
    if scores is None:
        raise UsageError(say_scores(path))
    program = read_exported(path) if exported or Path(path).suffix == ".pt2" else None
    classifier = TorchClassifier(
        program if program is not None else _script(path, trust=trust), scores=scores, classes=classes, class_names=class_names,
        layout=layout, value_range=value_range, mean=mean, std=std, channels=channels, device=device, batch_size=batch_size,
        image_shape=image_shape,
        identity=file_identity("torch", path, scores, InputLayout(layout, value_range, mean, std, channels).key),
    )  # fmt: skip
    if program is not None:  # TorchScript is trusted
        pace = Pace(
            path, Path(path).stat().st_size, alone=program.takes_one, steady=program.steady, accelerated=program.accelerated
        )
        predict = classifier.predict if program.accelerated else _within(classifier.predict, path, program.own_bytes)
        classifier.predict = in_parts(pace.timed(predict)) if program.takes_one else pace.timed(predict)
    classifier.predict = in_turns(classifier.predict)
    classifier.concurrency = OVERLAPPING
    return classifier


def _within(predict: Any, path: str, weights: int) -> Any:
    """The same function of a batch, within the memory that a program may take."""

    def bounded(images: Images) -> Any:
        begin_threads()
        with room(room_for(weights), path, f"compute {len(images)} image{'s' * (len(images) > 1)}"):
            return predict(images)

    return bounded


_SAVE = "save the network with torch.export.save as a .pt2 file"
_SAVED = {
    "state dictionary": f"holds weights alone (a state dictionary), and no network; load them into the network, and {_SAVE}",
    "pickled module": f"is a pickled module, which can run any code and is not read; load it where you trust it, and {_SAVE}",
    "pickle": f"is a pickle, which can run any code and is not read; {_SAVE}",
    "onnx": "is an ONNX file; write onnx: in the place of torch:",
    "safetensors": f"holds weights alone (safetensors), and no network; {_SAVE}",
}
_MOST_OF_PICKLE = 16 * 2**20  # bytes of a list of weights that are looked at


def _kind(path: str) -> str:
    """What a file is that is no exported program, from its first bytes and the names of its members; nothing of it is run."""
    from saywhy_core.classifiers.exported.archive import start_of_directory

    with Path(path).open("rb") as stream:
        head = stream.read(16)
    if head[:1] == b"\x08" and head[2:3] in (
        b"\x12",
        b"\x1a",
        b"\x22",
        b"\x3a",
        b"\x42",
    ):  # the version, and what may follow it
        return "onnx"
    if head[8:10] == b'{"':
        return "safetensors"
    if head[:2] in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"):
        return "pickle"
    if head[:2] != b"PK":
        return ""
    try:
        with Path(path).open("rb") as stream:
            start_of_directory(stream)
            with zipfile.ZipFile(stream) as opened:
                names = {name.partition("/")[2]: name for name in opened.namelist()}
                if "data.pkl" not in names:
                    return ""
                if "constants.pkl" in names:
                    return "TorchScript"
                with opened.open(names["data.pkl"]) as member:
                    content = member.read(_MOST_OF_PICKLE)
    except Exception:  # noqa: BLE001 - zipfile raises almost anything on damaged bytes; the reader says what is wrong
        return ""
    needed = _globals(content)
    if needed is None or any(one.startswith(("torch.nn.", "torch.jit", "torch.fx")) for one in needed):
        return "pickle" if needed is None else "pickled module"
    plain = all(one.startswith(("torch._utils _rebuild", "collections OrderedDict", "torch ")) for one in needed)
    return "state dictionary" if plain else "pickle"


def _globals(content: bytes) -> list[str] | None:
    """The names that a pickle would import, as "module name"; None where they can't all be told."""
    found: list[str] = []
    texts: list[str] = []
    try:
        for operation, argument, _ in pickletools.genops(content):
            if operation.name in ("GLOBAL", "INST"):
                found.append(str(argument))
            elif operation.name == "STACK_GLOBAL":
                found.append(" ".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument)
    except Exception:  # noqa: BLE001 - pickletools raises almost anything on damaged bytes
        return None
    return found


def _script(path: str, *, trust: bool) -> Any:
    """The module in a TorchScript file."""
    with Path(path).open("rb") as stream:
        if stream.read(2) != b"PK":  # whatever it is, it is no TorchScript, and trust would change nothing
            raise UsageError(
                f"{path} is neither an exported program nor TorchScript; save the network with torch.export.save as a .pt2 file"
            )
    require_trust(
        f"torch:{path} runs the program in a TorchScript file", trust=trust,
        instead="or have the network saved with torch.export.save as a .pt2 file, which needs no trust",
    )  # fmt: skip
    import torch

    try:
        return torch.jit.load(path, map_location="cpu")
    except Exception as error:  # noqa: BLE001 - torch raises almost anything on damaged bytes
        why = shorten((str(error).strip().splitlines() or [type(error).__name__])[0], 160, placeholder=" ...")
        raise UsageError(
            f"{path} is neither TorchScript nor an exported program ({why}); save the network with torch.export.save"
        ) from None
