"""What can be attacked, one file a kind: an ONNX file, a torch module, a Python function."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from saywhy_core.errors import UsageError
from saywhy_core.names import read_class_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from saywhy_core.classifiers.classifier import CallableClassifier

    Loader = Callable[..., CallableClassifier]

KINDS = {"onnx": "onnx", "torch": "torch_module", "callable": "python"}


def load_classifier(spec: str, *, class_names: Sequence[str] | str | None = None, **options: Any) -> CallableClassifier:
    """The classifier that a line of text names.

    - `onnx:model.onnx` (see `targets.onnx.load`),
    - `torch:model.pt` for TorchScript, `torch:model.pt2` for a program of `torch.export` (see `targets.torch_module.load`),
    - `callable:package.module:function`, or `package.module:function`, for a function from images to scores (see
      `targets.function.load`).

    Args:
        spec: the kind, a colon, and where it is.
        class_names: names of the classes in order, or a file that `read_class_names` reads.
        options: the kind's own, such as `layout="nchw"`, `value_range=(0, 255)`, `mean=`, `std=`, `scores="logits"`.

    Raises:
        UsageError: there is no such kind or file, or the model needs an option that wasn't given.
    """
    kind, colon, rest = spec.partition(":")
    if not colon or not rest:
        raise UsageError(f"{spec!r} names no classifier; write for example onnx:model.onnx or package.module:function")
    if kind not in KINDS:
        kind, rest = "callable", spec
    loader = cast("Loader", import_module(f"saywhy_core.classifiers.{KINDS[kind]}").load)
    names = read_class_names(class_names) if isinstance(class_names, str) else class_names
    try:
        return loader(rest, class_names=names, **options)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        raise UsageError(f"{kind} classifiers have no such option: {str(error).split('argument ')[-1]}") from None
