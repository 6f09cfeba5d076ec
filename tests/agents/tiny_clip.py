"""CLIP and SigLIP models of a few thousand parameters, made from a configuration and saved to a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

if TYPE_CHECKING:
    from pathlib import Path

WORDS = ["a", "photo", "of", "the", "cat", "dog", "bird", "fish", "red", "green", "blue", "with", "fur", "ears", ",", "."]
POSITIONS = 12


def _tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {word: index for index, word in enumerate(["<pad>", "<start>", "<unk>", *WORDS, "<end>"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>",
        special_tokens=[("<start>", vocabulary["<start>"]), ("<end>", vocabulary["<end>"])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<start>", eos_token="<end>", unk_token="<unk>", pad_token="<pad>"
    )


def make_tiny_clip(folder: Path, *, kind: str = "clip", processor: bool = True, seed: int = 0) -> Path:
    """Save a model, its tokenizer and (by default) its image processor to a folder."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {
        **shape,
        "vocab_size": len(tokenizer),
        "max_position_embeddings": POSITIONS,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {**shape, "image_size": 24, "patch_size": 8}
    if kind == "clip":
        model = CLIPModel(CLIPConfig(text_config={**text, "projection_dim": 8}, vision_config=vision, projection_dim=8))
        pictures = CLIPImageProcessorPil(size={"shortest_edge": 24}, crop_size={"height": 24, "width": 24})
    else:
        model = SiglipModel(SiglipConfig(text_config={**text, "projection_size": 16}, vision_config=vision))
        pictures = SiglipImageProcessorPil(size={"height": 24, "width": 24})
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if processor:
        pictures.save_pretrained(folder)
    return folder
