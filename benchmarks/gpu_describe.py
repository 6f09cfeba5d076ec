"""Measures descriptions per second for 1,000 pairs and images per second of a ViT-L/14, beside one-by-one code.

    python benchmarks/gpu_describe.py                   # CPU: small randomly initialised models, few pairs and images
    python benchmarks/gpu_describe.py --device cuda     # GPU: 7 billion parameters in bfloat16, ViT-L/14

Random weights take as long as trained ones. Every reply has `--tokens` tokens, so both sides generate the same number. The
requests are those of `DifferentialDescriber`, which differ only in their last lines. One-by-one generation is timed on the
first `--loop` pairs, with the same messages. The encoder's images per second include resizing and conversion to 8 bits, but no
decoding of files. The plain forward pass gets prepared pixels, so it is the upper bound.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import time

import numpy as np
import torch
from local_llm import SIZES, make_model, make_tokenizer

from agents.chat.in_process.local import local_chat
from agents.encoders import ClipEncoder
from agents.prompting.descriptions.describe import DifferentialDescriber

SMALL = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2}
LARGE_TEXT = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12}
LARGE_VISION = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16}


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def timed(run, device):
    wait(device)
    started = time.perf_counter()
    result = run()
    wait(device)
    return time.perf_counter() - started, result


def describe(options):
    model, tokenizer = make_model(SIZES["7b" if options.device == "cuda" else "small"], options.device), make_tokenizer()
    chat = local_chat(model, tokenizer, max_tokens=options.tokens, batch_size=options.batch)
    classes = 2
    while classes * (classes - 1) // 2 < options.pairs:
        classes += 1
    describer = DifferentialDescriber(chat, [f"breed number {index}" for index in range(classes)])
    pairs = list(itertools.combinations(range(classes), 2))[: options.pairs]
    requests = [describer.messages(pair) for pair in pairs]
    chat.batch(requests[:2])
    loop, _ = timed(lambda: [chat.invoke(request) for request in requests[: options.loop]], options.device)
    batched, _ = timed(lambda: chat.batch(requests), options.device)
    alone, together = options.loop / loop, len(pairs) / batched
    print(f"one by one   {alone:8.2f} descriptions per second ({options.loop} pairs, {options.tokens} tokens each)")
    print(f"batched      {together:8.2f} descriptions per second ({len(pairs)} pairs): {together / alone:.1f} times")


def images(options):
    from transformers import CLIPConfig, CLIPModel

    large = options.device == "cuda"
    tokenizer = make_tokenizer()
    text = {**(LARGE_TEXT if large else SMALL), "vocab_size": len(tokenizer), "eos_token_id": 2, "bos_token_id": 1}
    vision = {**(LARGE_VISION if large else SMALL), "image_size": 224, "patch_size": 14}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=768 if large else 32)
    with tempfile.TemporaryDirectory() as folder:
        CLIPModel(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        encoder = ClipEncoder(folder, device=options.device, batch=options.image_batch, dtype=options.dtype)
    pictures = np.random.default_rng(0).random((options.images, 256, 256, 3), dtype=np.float32)
    pixels = torch.rand(options.image_batch, 3, 224, 224, device=options.device, dtype=encoder.model.dtype)

    def plain():
        with torch.inference_mode():
            for _ in range(0, options.images, options.image_batch):
                encoder.model.get_image_features(pixel_values=pixels)

    encoder.encode_images(pictures[: options.image_batch])
    plain()
    forward, _ = timed(plain, options.device)
    whole, _ = timed(lambda: encoder.encode_images(pictures), options.device)
    print(f"plain forward{options.images / forward:8.1f} images per second, {options.dtype}, batches of {options.image_batch}")
    print(f"encode_images{options.images / whole:8.1f} images per second: {forward / whole:.2f} of the plain forward pass")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--loop", type=int)
    parser.add_argument("--tokens", type=int)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--images", type=int)
    parser.add_argument("--image-batch", type=int, default=64)
    parser.add_argument("--dtype", choices=["float32", "bfloat16"])
    options = parser.parse_args()
    large = options.device == "cuda"
    options.pairs = options.pairs or (1000 if large else 32)
    options.loop = options.loop or (8 if large else 4)
    options.tokens = options.tokens or (200 if large else 16)
    options.images = options.images or (2048 if large else 64)
    options.dtype = options.dtype or ("bfloat16" if large else "float32")
    print(torch.cuda.get_device_name() if large else f"CPU, {torch.get_num_threads()} threads")
    describe(options)
    images(options)


if __name__ == "__main__":
    main()
