"""A headless Chromium that is driven over the DevTools protocol: real key presses, sizes of screens, print and dark mode."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import time

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
KEYS = {"Tab": 9, "Enter": 13, " ": 32, "ArrowDown": 40}


class Chromium:
    """One browser with one page; everything it fetches and every error of the page is kept."""

    def __init__(self, profile):
        self.fetched, self.errors = [], []
        to_browser, from_us = os.pipe()
        to_us, from_browser = os.pipe()

        def place_pipes():
            first, second = os.dup(to_browser), os.dup(from_browser)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self._process = subprocess.Popen(
            [
                BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
                "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank",
            ],
            preexec_fn=place_pipes, close_fds=False, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._out, self._in, self._held, self._number, self._session = from_us, to_us, b"", 0, None
        target = next(one for one in self.send("Target.getTargets")["targetInfos"] if one["type"] == "page")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method, **parameters):
        """Give a command, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        return self._wait(lambda one: one.get("id") == self._number, method)

    def _wait(self, wanted, what, seconds=90):
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            while b"\0" in self._held:
                line, self._held = self._held.split(b"\0", 1)
                message = json.loads(line)
                self._keep(message)
                if wanted(message):
                    assert "error" not in message, (what, message)
                    return message.get("result", message.get("params"))
            piece = os.read(self._in, 2**20)
            assert piece, f"the browser has gone while it did {what}"
            self._held += piece
        raise TimeoutError(what)

    def _keep(self, message):
        method, about = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.fetched.append(about["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(about["exceptionDetails"]["text"])
        elif method == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"])

    def open(self, path, *, width=1280, height=900, dark=False, media=""):
        """Open a file on a screen of that size."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.send("Emulation.setEmulatedMedia", media=media, features=scheme)
        self.fetched.clear()
        self.errors.clear()
        self.send("Page.navigate", url=path.resolve().as_uri())
        self._wait(lambda one: one.get("method") == "Page.loadEventFired", "loading")

    def run(self, script):
        """The value of an expression in the page."""
        found = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key, text=""):
        """Press a key, as a person does."""
        about = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS.get(key, 0)}
        typed = text or ("\r" if key == "Enter" else key if len(key) == 1 else "")
        self.send("Input.dispatchKeyEvent", type="keyDown", **about, **({"text": typed} if typed else {}))
        self.send("Input.dispatchKeyEvent", type="keyUp", **about)

    def type(self, text):
        """Type a text into what has the focus."""
        for letter in text:
            self.press(letter, letter)

    def picture(self, path, *, whole=True):
        """Write a picture of the page."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole, **({} if not whole else self._clip()))
        path.write_bytes(base64.b64decode(shot["data"]))

    def _clip(self):
        size = self.send("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 12_000), "scale": 1}}

    def printed(self):
        """The page as PDF."""
        return base64.b64decode(self.send("Page.printToPDF", printBackground=False)["data"])

    def close(self):
        """End the browser and what it started."""
        os.close(self._out)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._in)
