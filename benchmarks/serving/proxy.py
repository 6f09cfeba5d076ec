"""A proxy for HTTP/1.1 that spoils some of the requests before it passes them on: it answers 502 or 503, or hangs up."""

from __future__ import annotations

import asyncio
import random
import threading
from contextlib import suppress

FAULTS = ("502 Bad Gateway", "503 Service Unavailable", "")  # the last one: the connection is closed


class FaultyProxy:
    """Passes requests on to a port of this machine, in a thread of its own.

    Args:
        target: the port.
        share: of the requests (POST) that are spoilt; the others are passed on whole, and their answers come back whole.
        seed: of the choice.

    Attributes:
        port: where it listens.
        share: see above; it may be changed at any time.
        passed: requests that were passed on.
        spoilt: requests that were not.
        cut: requests that were passed on and whose answer found nobody any more.
    """

    def __init__(self, target: int, share: float, seed: int = 0) -> None:
        self._target, self.share, self._chance = target, share, random.Random(seed)
        self.port = self.passed = self.spoilt = self.cut = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._run, name="proxy", daemon=True).start()
        self._ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=2**26))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while (request := await _message(reader)) is not None:
                if request.startswith(b"POST") and self._chance.random() < self.share:
                    self.spoilt += 1
                    fault = self._chance.choice(FAULTS)
                    if not fault:
                        break
                    writer.write(f"HTTP/1.1 {fault}\r\nContent-Length: 0\r\n\r\n".encode())
                    await writer.drain()
                    continue
                answer = await self._pass_on(request)
                if answer is None:
                    writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
                    await writer.drain()
                    continue
                self.passed += 1
                if reader.at_eof():
                    self.cut += 1
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _pass_on(self, request: bytes) -> bytes | None:
        """The answer; None where the server is down."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._target, limit=2**26)
        except OSError:
            return None
        try:
            writer.write(request)
            await writer.drain()
            return await _message(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            return None
        finally:
            writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """One request or answer, whole; None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    fields = dict(line.split(b":", 1) for line in head.lower().split(b"\r\n")[1:] if b":" in line)
    if fields.get(b"transfer-encoding", b"").strip() == b"chunked":
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.strip().split(b";")[0], 16)
            body += line + await reader.readexactly(size + 2)
            if not size:
                return head + body
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))
