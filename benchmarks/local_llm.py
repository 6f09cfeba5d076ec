"""Measures tokens per second of the in-process chat model, beside a loop that calls `generate` once per prompt.

    python benchmarks/local_llm.py                   # CPU: a small randomly initialised model
    python benchmarks/local_llm.py --device cuda     # GPU: a model of 7 billion parameters in bfloat16

Random weights take as long as trained ones. No token ends a reply, so every reply has its full length and both sides
generate the same number of tokens. The loop is timed on the first `--loop` prompts. The bandwidth limit holds for decoding
one prompt at a time: each token reads all weights once, so memory bandwidth / size of the weights bounds the tokens per
second. A batch of B prompts reads the weights once for B tokens. The bandwidth is measured by copying memory, not taken
from a data sheet.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.utils import logging

from agents.chat.in_process.local import LocalChat, local_chat
from agents.chat.specs import usage_of

WORDS = ["the", "film", "is", "slow", "and", "careful", "about", "people", "who", "have", "little", "to", "say"]


@dataclass(frozen=True)
class Size:
    """The sizes of a Llama model."""

    hidden: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int


SIZES = {
    "small": Size(256, 688, 4, 4, 4, 8_000),
    "7b": Size(4096, 11008, 32, 32, 32, 32_000),  # the shape of Llama 2 7B
}


def main() -> None:
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    args = _arguments()
    torch.manual_seed(args.seed)
    model, tokenizer = make_model(SIZES[args.size], args.device), make_tokenizer()
    prompts = make_prompts(args.prompts, args.seed)
    chat = local_chat(model, tokenizer, max_tokens=args.tokens, batch_size=args.batch, continuous=args.continuous)
    chat.batch(prompts[:2])  # warm up
    weights = sum(p.numel() * p.element_size() for p in model.parameters())

    loop, loop_tokens = timed_loop(chat, prompts[: args.loop], args)
    batched, batched_tokens = timed_batch(chat, prompts, args)
    bandwidth = memory_bandwidth(args.device)
    steps = batched_tokens / batched / min(args.batch, args.prompts)
    report = {
        "device": torch.cuda.get_device_name() if args.device == "cuda" else f"CPU, {torch.get_num_threads()} threads",
        "parameters": sum(p.numel() for p in model.parameters()),
        "dtype": str(model.dtype).removeprefix("torch."),
        "prompts": args.prompts,
        "tokens per reply": args.tokens,
        "loop, tokens/s": round(loop_tokens / loop, 1),
        "batched, tokens/s": round(batched_tokens / batched, 1),
        "batched / loop": round(batched_tokens / batched / (loop_tokens / loop), 2),
        "memory bandwidth, GB/s": round(bandwidth / 1e9, 1),
        "limit at one prompt, tokens/s": round(bandwidth / weights, 1),
        "share of this limit, loop": round(loop_tokens / loop * weights / bandwidth, 3),
        f"limit at {min(args.batch, args.prompts)} prompts, tokens/s": round(
            bandwidth / weights * min(args.batch, args.prompts), 1
        ),
        "share of this limit, batched": round(steps * weights / bandwidth, 3),
    }
    print(json.dumps(report, indent=2) if args.json else "\n".join(f"{k:32}{v}" for k, v in report.items()))


def timed_loop(chat: LocalChat, prompts: list[str], args: argparse.Namespace) -> tuple[float, int]:
    """Seconds and tokens of a plain loop: one call of `generate` per prompt."""
    engine = chat.engine()
    model, tokenizer = engine.model, engine.tokenizer
    made = 0
    _wait(args.device)
    started = time.perf_counter()
    for prompt in prompts:
        ids = tokenizer(prompt, return_tensors="pt").to(args.device)
        with torch.inference_mode():
            out = model.generate(**ids, max_new_tokens=args.tokens, do_sample=False, pad_token_id=0)
        made += out.shape[1] - ids["input_ids"].shape[1]
    _wait(args.device)
    return time.perf_counter() - started, made


def timed_batch(chat: LocalChat, prompts: list[str], args: argparse.Namespace) -> tuple[float, int]:
    """Seconds and tokens of `chat.batch`, including the overhead of langchain."""
    before = usage_of(chat).completion_tokens
    _wait(args.device)
    started = time.perf_counter()
    chat.batch(prompts)
    _wait(args.device)
    return time.perf_counter() - started, usage_of(chat).completion_tokens - before


def memory_bandwidth(device: str) -> float:
    """Bytes per second that a large copy reads and writes; the best of ten."""
    size = (4 << 30) if device == "cuda" else (256 << 20)
    source = torch.empty(size, dtype=torch.uint8, device=device).fill_(1)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(10):
        _wait(device)
        started = time.perf_counter()
        target.copy_(source)
        _wait(device)
        best = min(best, time.perf_counter() - started)
    return 2 * size / best


def make_model(size: Size, device: str) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        max_position_embeddings=4096,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16 if device == "cuda" else torch.float32)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    with torch.no_grad():
        # The end token always has the logit 0 and some other token a greater one, so no reply ends early.
        model.get_output_embeddings().weight[2].zero_()
    return model.eval()


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A tokenizer with one token per byte: it needs no training and encodes any text."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<bos>", "<eos>", *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<bos>", eos_token="<eos>")


def make_prompts(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(5, 20))) + f" {i}" for i in range(count)]


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--size", choices=list(SIZES), help="default: small on a CPU, 7b on a GPU")
    parser.add_argument("--prompts", type=int, default=256)
    parser.add_argument("--tokens", type=int, help="tokens per reply; default: 32 on a CPU, 128 on a GPU")
    parser.add_argument("--batch", type=int, help="prompts per padded batch; default: 64 on a CPU, 256 on a GPU")
    parser.add_argument("--loop", type=int, default=8, help="prompts for the one-by-one loop")
    parser.add_argument("--continuous", action=argparse.BooleanOptionalAction, help="continuous batching; default: on a GPU")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    on_gpu = args.device == "cuda"
    args.size = args.size or ("7b" if on_gpu else "small")
    args.tokens = args.tokens or (128 if on_gpu else 32)
    args.batch = args.batch or (256 if on_gpu else 64)
    return args


if __name__ == "__main__":
    main()
