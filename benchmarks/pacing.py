"""Requests that a limit of the server costs, and the time, beside other clients' retries.

    python benchmarks/pacing.py                              # 60 requests under 10 in any 2 seconds, about a minute
    python benchmarks/pacing.py --requests 190 --seconds 10  # ten minutes and more

A server on this machine answers after a quarter of a second, and turns away with 429 what is more than `--most` requests in any
`--seconds`; it does not tell how long to wait. Each client asks with eight threads. "langchain, limiter" is told the
true rate, which nobody knows beforehand; it shows the best that a fixed rate can do.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_openai import ChatOpenAI

from agents import chat_model

TESTS = Path(__file__).parents[1] / "tests" / "agents"
sys.path[:0] = [str(TESTS), str(TESTS / "chat")]

from limiters import SlidingWindow  # noqa: E402 - from the tests
from misbehaving_server import MisbehavingServer, Reply  # noqa: E402

THREADS = 8


def ours(url, prompts):
    return chat_model(f"{url}#m").batch(prompts, return_exceptions=True)


def of_openai(retries):
    def ask(url, prompts):
        client = openai.OpenAI(base_url=url, api_key="none", max_retries=retries)

        def one(prompt):
            try:
                return client.chat.completions.create(model="m", messages=[{"role": "user", "content": prompt}])
            except openai.OpenAIError as error:
                return error

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(one, prompts))

    return ask


def of_langchain(limiter=None):
    def ask(url, prompts):
        model = ChatOpenAI(model="m", base_url=url, api_key="none", max_retries=0, rate_limiter=limiter)
        chain = model if limiter else model.with_retry(stop_after_attempt=10)
        return chain.batch(prompts, {"max_concurrency": THREADS}, return_exceptions=True)

    return ask


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--most", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    options = parser.parse_args()
    rate = options.most / options.seconds
    clients = {
        "saywhy": ours,
        "openai, max_retries=2 (its default)": of_openai(2),
        "openai, max_retries=10": of_openai(10),
        "langchain, with_retry(10 attempts)": of_langchain(),
        "langchain, limiter at the true rate": of_langchain(InMemoryRateLimiter(requests_per_second=rate)),
    }
    best = options.requests / rate
    print(f"{options.requests} requests, {options.most} allowed in any {options.seconds:g} s; at best {best:.0f} s")
    print(f"{'client':38} answered  requests each  seconds")
    for name, ask in clients.items():
        limit, lock = SlidingWindow(options.most, options.seconds), threading.Lock()

        def behave(request, limit=limit, lock=lock):
            with lock:
                allowed = limit.allows(request.received_at)
            return Reply("ok", delay=0.25) if allowed else Reply(status=429, error="Too many requests")

        with MisbehavingServer(behave=behave) as server:
            begun = time.monotonic()
            found = ask(server.url, [f"p{n}" for n in range(options.requests)])
            seconds = time.monotonic() - begun
            answered = sum(not isinstance(one, Exception) for one in found)
            print(f"{name:38} {answered:8}  {len(server.requests) / options.requests:13.2f}  {seconds:7.1f}")


if __name__ == "__main__":
    main()
