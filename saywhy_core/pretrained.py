"""Models of the library transformers: loaded quietly, and named by their weights."""

from __future__ import annotations

import hashlib
import json
import os
import re
import warnings
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from pickle import UnpicklingError
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.model_folder import check_folder, weights_of
from saywhy_core.reading.tokenizer_file import check_tokenizer
from saywhy_core.trust import require_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

KERNELS = ("_attn_implementation", "attn_implementation", "_attn_implementation_internal")
SAMPLED = 256  # values of each parameter that are hashed: training changes all of them, and hashing all would cost seconds


def fingerprint(model: torch.nn.Module) -> str:
    """A short hash of a model's configuration and of the first values of each of its parameters."""
    # where the model came from and which version saved it change no answer
    config = {key: value for key, value in model.config.to_dict().items() if key not in {"_name_or_path", "dtype"}}
    config.pop("transformers_version", None)
    digest = hashlib.sha256(json.dumps(config, sort_keys=True, default=str).encode())
    for name, parameter in model.named_parameters():
        digest.update(name.encode())
        digest.update(parameter.detach().flatten()[:SAMPLED].float().cpu().numpy().tobytes())
    return digest.hexdigest()[:16]


def from_pretrained(loader: Any, name: str, what: str, *, trust: bool = False, **options: Any) -> Any:
    """Call a transformers `from_pretrained` without progress bars, and without code that comes with the model.

    Nothing is fetched for a folder, whatever other models its configuration names. Weights are read from safetensors where
    there are any. Weights in pickles (`pytorch_model.bin`) are read by torch's reader
    of tensors, which refuses every other object.

    Args:
        loader: a class of transformers, such as `AutoModel`.
        name: a folder written by `save_pretrained`, or a model name.
        what: what is being loaded, for the error.
        trust: whether Python files that come with the model may run.
        options: passed on.

    Raises:
        TrustError: the model has Python files of its own, and `trust` is false.
        UsageError: nothing could be loaded; the text says why and what to give.
    """
    folder = Path(name) if is_folder(name) else None
    own = own_code(name)
    if folder is not None:
        _check_parts(folder, loader.__name__, what, options.get("gguf_file"))
    if own:
        require_trust(f"{name} runs Python files that come with the model ({', '.join(own)[:120]})", trust=trust)
    # without it, transformers asks a server to convert pickled weights of models by name, in a thread of its own
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    models = loader.__name__.startswith("AutoModel")
    if models:
        options["output_loading_info"] = True
    try:
        with (
            _quiet(gguf="gguf_file" in options),
            _within_weights(name, folder, gguf="gguf_file" in options),
            _offline() if folder is not None and not own else nullcontext(),
        ):
            found = loader.from_pretrained(name, trust_remote_code=trust, **options)
    except UsageError:
        raise
    except KeyboardInterrupt:
        raise
    except Exception as error:  # transformers, tokenizers, safetensors and pickle raise almost anything on damaged folders
        if "trust_remote_code" in str(error) and not trust:
            require_trust(f"{name} runs Python files that come with the model", trust=False)
        if isinstance(error, UnpicklingError):
            raise UsageError(
                f"{name} keeps its weights in a pickle with objects that could run code, which was not read; save them as "
                "safetensors (save_pretrained does that)"
            ) from error
        raise UsageError(
            f"no {what} could be loaded from {name!r} ({_reason(error, what)}); give a folder written by save_pretrained, or a "
            f"model name that is in the local cache or can be downloaded"
        ) from error
    if not models:
        return found
    model, said = found
    drawn = sorted(str(one) for one in said.get("missing_keys", ()))
    if drawn:
        warnings.warn(
            f"{name} has no weights for {len(drawn)} part{'s' * (len(drawn) > 1)} of the {what} ({', '.join(drawn)[:120]}): "
            "they were drawn at random",
            RuntimeWarning,
            stacklevel=2,
        )
    return model


def is_folder(name: str) -> bool:
    """Whether a name is that of a folder.

    Raises:
        UsageError: nothing can have that name.
    """
    if "\0" in name:
        raise UsageError(f"{name!r:.200} is no name of a folder or a model")
    return Path(name).is_dir()


def _check_parts(folder: Path, loader: str, what: str, gguf: str | None = None) -> None:
    """See that a folder has the files that the loader begins with."""
    wanted: tuple[str, ...]
    if gguf is not None:  # one file that holds all
        if Path(gguf).name != gguf or not (folder / gguf).is_file():
            raise UsageError(f"no {what} could be loaded from {str(folder)!r}: the folder has no file {gguf!r:.120}")
        return
    if loader == "AutoTokenizer":
        wanted, said = ("tokenizer*.json", "vocab.*", "*.model", "tekken.json", "*.tiktoken", "merges.txt"), "tokenizer.json"
        check_tokenizer(folder)
    elif loader == "AutoImageProcessor":
        wanted, said = ("*processor_config.json", "config.json"), "preprocessor_config.json"
    elif loader.startswith("Auto"):
        wanted, said = ("config.json",), "config.json"
    else:
        return
    if not any(any(folder.glob(pattern)) for pattern in wanted):
        raise UsageError(
            f"no {what} could be loaded from {str(folder)!r}: the folder has no {said}; "
            "give a folder written by save_pretrained"
        )


PYTHONS_OWN = (TypeError, IndexError, KeyError, AttributeError, ArithmeticError, AssertionError, RecursionError)


def _reason(error: Exception, what: str) -> str:
    """What went wrong: the library's words where it means to be read, and ours where an exception of Python came out."""
    if isinstance(error, MemoryError):
        return "it needs more memory than there is"
    if isinstance(error, PYTHONS_OWN):
        return "its configuration holds a value of another kind than the library expects"
    said = str(error).strip()
    if "ignore_mismatched_sizes" in said:
        return "its weights have other shapes than its configuration says"
    if "backend tokenizer" in said:
        return f"it has no file from which a {what} can be made, such as tokenizer.json"
    if (kind := _TYPE.search(said)) is not None:  # which may hold anything, also line ends
        return f"its configuration says model_type {shorten(kind[1], 80)!r}, which this release of transformers doesn't know"
    first = (said.splitlines() or [type(error).__name__])[0].rstrip(" :")
    return shorten(first, 200, placeholder=" ...")


_TYPE = re.compile(r"has model type `(.*)` but", re.DOTALL)
MOST_TENSORS = 50_000
SLACK = 2**20  # values that a folder may leave out, such as those of a new head


@contextmanager
def _within_weights(name: str, folder: Path | None, *, gguf: bool = False) -> Iterator[None]:
    """Inside the block no module grows beyond what the files of weights can fill.

    transformers builds the module first, without memory for its values, so a configuration could ask for any number of layers.
    """
    import torch.nn.modules.module as hooks

    held = weights_of(folder) if folder is not None else None
    per_byte = 8 if gguf else 2  # weights of 4 bits; those of GGUF have 2 at least, and are set in the place of empty ones
    values = None if held is None else per_byte * held + SLACK
    tensors = MOST_TENSORS if held is None else min(MOST_TENSORS, 2_000 + held // 1024)
    have = {"values": 0, "tensors": 0, "modules": 0}

    def count(what: str, more: int, most: int | None) -> None:
        have[what] += more
        if most is not None and have[what] > most:
            raise UsageError(
                f"{name}: the configuration asks for a larger model than the weights in it can fill; nothing was loaded"
            )

    def added(_module: object, _key: str, tensor: Any) -> None:
        if tensor is not None:
            count("tensors", 1, tensors)
            count("values", tensor.numel(), values)

    def joined(_module: object, _key: str, _part: object) -> None:
        count("modules", 1, 4 * tensors)

    handles = [
        hooks.register_module_parameter_registration_hook(added),
        hooks.register_module_buffer_registration_hook(added),
        hooks.register_module_module_registration_hook(joined),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _quiet(*, gguf: bool = False) -> Iterator[None]:
    """Inside the block transformers writes no bars and no coloured tables, which hold names of the file as they are."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    before = logging.get_verbosity()
    logging.set_verbosity(50)
    with ExitStack() as stack:
        stack.callback(logging.set_verbosity, before)
        if gguf:  # whose bar heeds no setting
            from transformers import modeling_gguf_pytorch_utils as reader

            stack.callback(setattr, reader, "tqdm", reader.tqdm)
            reader.tqdm = partial(reader.tqdm, disable=True)
        yield


@contextmanager
def _offline() -> Iterator[None]:
    """Inside the block nothing is fetched: the configuration of a folder may name other models, which nobody asked for."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def own_code(name: str) -> list[str]:
    """The code that the configuration files of a folder name, as "class in module"; nothing for a model name.

    Transformers runs such code where it is told to (`auto_map`), and fetches native code where an attention kernel is named
    like a repository.
    """
    found: list[str] = []
    if not is_folder(name):
        return found
    for content in check_folder(name).values():
        for part in (content, *(value for value in content.values() if isinstance(value, dict))):
            mapped = part.get("auto_map")
            if mapped:
                found.extend(_named(mapped))
            kernel = next((part[key] for key in KERNELS if isinstance(part.get(key), str) and "/" in part[key]), None)
            if kernel:
                found.append(f"the kernel {kernel}")
    return list(dict.fromkeys(found))


def _named(mapped: Any) -> list[str]:
    if isinstance(mapped, dict):
        return [one for value in mapped.values() for one in _named(value)]
    if isinstance(mapped, list):
        return [one for value in mapped for one in _named(value)]
    return [] if mapped is None else [str(mapped)]
