"""Models of the library transformers: loaded quietly, and named by their weights."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import contextmanager, nullcontext
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError
from saywhy_core.reading.documents import read_json
from saywhy_core.trust import require_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch

CONFIGURATIONS = (
    "config.json", "tokenizer_config.json", "preprocessor_config.json", "processor_config.json", "generation_config.json",
    "image_processor_config.json", "video_preprocessor_config.json", "feature_extractor_config.json",
)  # fmt: skip
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
    own = own_code(name)
    if own:
        require_trust(f"{name} runs Python files that come with the model ({', '.join(own)[:120]})", trust=trust)
    # without it, transformers asks a server to convert pickled weights of models by name, in a thread of its own
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        with _offline() if Path(name).is_dir() and not own else nullcontext():
            return loader.from_pretrained(name, trust_remote_code=trust, **options)
    except UsageError:
        raise
    except KeyboardInterrupt:
        raise
    except Exception as error:  # transformers, tokenizers, safetensors and pickle raise almost anything on damaged folders
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        if "trust_remote_code" in str(error) and not trust:
            require_trust(f"{name} runs Python files that come with the model", trust=False)
        if isinstance(error, UnpicklingError):
            raise UsageError(
                f"{name} keeps its weights in a pickle with objects that could run code, which was not read; save them as "
                "safetensors (save_pretrained does that)"
            ) from error
        raise UsageError(
            f"no {what} could be loaded from {name!r} ({reason[:200]}); give a folder written by save_pretrained, or a "
            f"model name that is in the local cache or can be downloaded"
        ) from error


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
    for file in CONFIGURATIONS:
        path = Path(name) / file
        if not path.is_file():
            continue
        content = read_json(path)
        if not isinstance(content, dict):
            raise UsageError(f"{path} must be a JSON object; give a folder written by save_pretrained")
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
