"""Models of the library transformers: loaded quietly, and named by their weights."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    import torch

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


def from_pretrained(loader: Any, name: str, what: str, **options: Any) -> Any:
    """Call a transformers `from_pretrained` without progress bars.

    Args:
        loader: a class of transformers, such as `AutoModel`.
        name: a folder written by `save_pretrained`, or a model name.
        what: what is being loaded, for the error.
        options: passed on.

    Raises:
        UsageError: nothing could be loaded; the text says why and what to give.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    try:
        return loader.from_pretrained(name, **options)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(
            f"no {what} could be loaded from {name!r} ({reason[:200]}); give a folder written by save_pretrained, or a "
            f"model name that is in the local cache or can be downloaded"
        ) from error
