"""What a proof is about: a network as a graph, and the same network as its users run it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from saywhy_core.classifiers import load_classifier
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from adversarial.bounds.networks import Network
    from saywhy_core.classifiers import CallableClassifier

RUN_IN = ("float32", "float64")  # precisions of which the error is small enough for a proof
ASKED = 256  # images per call of the network as it is run
COMPARED = 2  # random images on which the network as it is run is compared with its graph


@dataclass(frozen=True, eq=False)
class Subject:
    """A network to prove something about.

    Attributes:
        network: its graph.
        predict: (N, H, W, C) float32 -> (N, K) scores, as its users run it.
        words: what it is, for sentences: "this ONNX file" or "this torch module".
    """

    network: Network
    predict: Callable[[NDArray[np.float32]], NDArray[np.floating]]
    words: str

    def labels(self, images: NDArray[np.float32]) -> NDArray[np.int64]:
        """(N,) the classes that the network as it is run gives images (N, H, W, C)."""
        parts = [np.asarray(self.predict(images[at : at + ASKED])).argmax(1) for at in range(0, len(images), ASKED)]
        return np.concatenate(parts).astype(np.int64) if parts else np.zeros(0, dtype=np.int64)


def open_subject(network: Any, image_shape: tuple[int, int, int], threads: int | None = None) -> Subject:
    """Read a network, and open it for being run.

    Args:
        network: the path of an ONNX file, or a torch module; or a subject, which is returned as it is.
        image_shape: (H, W, C) of the image.
        threads: how many threads may run it; None for the library's own choice.

    Raises:
        UsageError: it is neither, can't be read, holds an unknown operation, takes images of another shape, or does not compute
            the scores of its graph, so that a proof would be about another network.
    """
    if isinstance(network, Subject):
        _check_shape(network.network.image_shape, image_shape)
        return network
    if isinstance(network, str | os.PathLike):
        subject = _onnx_file(os.fspath(network), image_shape, threads)
    else:
        subject = _module(network, image_shape)
    if subject.network.precision not in RUN_IN:
        raise UsageError(
            f"{subject.words} computes in {subject.network.precision}, whose rounding errors are too large for a proof; "
            "convert it to float32"
        )
    _check_scores(subject)
    return subject


def _check_scores(subject: Subject) -> None:
    from adversarial.bounds.networks.comparing import unlike

    images = np.random.default_rng(0).random((COMPARED, *subject.network.image_shape), dtype=np.float32)
    if apart := unlike(subject.network, subject.predict, images):
        raise UsageError(
            f"{subject.words} returns scores that differ by {apart[0]:.3g} from those of the operations in it, where rounding "
            f"explains {apart[1]:.3g}, so that nothing can be proved about it; see that it is run in no shorter format, such "
            "as TF32, and that its scores hang on nothing but the image"
        )


def _onnx_file(path: str, image_shape: tuple[int, int, int], threads: int | None) -> Subject:
    from adversarial.bounds.networks import read_onnx

    if not os.path.isfile(path):  # noqa: PTH113 - a text that names a file
        raise UsageError(f"there is no ONNX file {path}")
    # of a picture as high and as wide as it has channels, both readings fit; channels come last in this library
    graph, layout = read_onnx(path, channels="last"), "nhwc"
    if graph.image_shape != image_shape:
        graph, layout = read_onnx(path, channels="first"), "nchw"
    _check_shape(graph.image_shape, image_shape)
    options: dict[str, Any] = {} if threads is None else {"threads": threads}
    classifier = load_classifier(
        f"onnx:{path}", scores="logits", layout=layout, value_range=(0, 1), mean=0.0, std=1.0, **options
    )
    return Subject(graph, cast("CallableClassifier", classifier).predict, "this ONNX file")


def _module(network: Any, image_shape: tuple[int, int, int]) -> Subject:
    from torch import nn

    if not isinstance(network, nn.Module):
        raise UsageError(f"a proof is about an ONNX file, named by its path, or a torch module, not {type(network).__name__}")
    from adversarial.bounds.networks import read_module
    from adversarial.bounds.running import RunningModule, plain_module

    module = plain_module(network)
    running = RunningModule(module, image_shape)  # first, as what it says of a module that doesn't fit is plainer
    return Subject(read_module(module, image_shape), running, "this torch module")


def _check_shape(taken: tuple[int, int, int], given: tuple[int, int, int]) -> None:
    if tuple(taken) != tuple(given):
        raise UsageError(
            f"the network takes images of shape {taken} (height, width, channels), and the image has the shape {given}"
        )
