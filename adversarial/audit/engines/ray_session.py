"""A connection to a Ray cluster, or one started here, without Ray's own chatter."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

STORE = 256 * 2**20  # bytes of shared memory for a cluster that is started here: it holds some chunks of images and answers
SECONDS = 20  # for a cluster to answer that it is there
_ASK = "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1])"
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is told to anybody
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming way, which it otherwise announces in a warning
}


@contextmanager
def ray_session(address: str | None, workers: int | None) -> Iterator[Any]:
    """The module `ray`, connected.

    Args:
        address: of the cluster; None for a cluster of this machine, which is started and ended with the block, or for the
            one that this program is connected to already.
        workers: processors of a cluster that is started here; None for all.

    Raises:
        UsageError: Ray is not installed, the cluster can't be reached or started, or there is a connection to another one.
    """
    before = {name: os.environ.get(name) for name in QUIET}
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        ray = _imported()
        if ray.is_initialized():
            if address is not None:
                raise UsageError("this program is connected to a Ray cluster already; leave the address out to use that one")
            yield ray
            return
        with _unprinted():
            try:
                _connect(ray, address, workers)
                yield ray
            finally:
                ray.shutdown()
    finally:
        for name, was in before.items():
            if was is None:
                os.environ.pop(name, None)


def check_reachable(address: str) -> None:
    """See whether a Ray cluster is at an address; Ray itself would try for ten minutes, and end the process then.

    Raises:
        UsageError: Ray is not installed; nothing is there; or it gives no answer within `SECONDS`.
    """
    _imported()
    host, colon, port = address.rpartition(":")
    if not colon:  # "auto" and the like, which Ray looks up here
        return
    what, way = f"the Ray cluster {address} can't be reached", "see that `ray start --head` runs there"
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise UsageError(f"{what}: an address is a host and a port, such as 10.0.0.1:6379")
    try:
        socket.create_connection((host.rpartition("//")[2].strip("[]"), int(port)), timeout=SECONDS).close()
    except OSError as error:
        raise UsageError(f"{what}: {error.strerror or error}; {way}") from None
    if "//" in host:  # Ray's client, which gives up by itself
        return
    try:  # in a process of its own, since Ray's code can't be told to stop
        subprocess.run(
            [sys.executable, "-c", _ASK, address], timeout=SECONDS, check=True, capture_output=True, stdin=subprocess.DEVNULL
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UsageError(f"{what}: what is there did not answer Ray within {SECONDS} seconds; {way}") from None
    except subprocess.CalledProcessError:
        raise UsageError(f"{what}: what is there is no Ray of this release; {way}") from None


def _imported() -> Any:
    try:
        import ray
    except ImportError:
        raise UsageError("the engine ray needs the package ray: pip install 'saywhy[ray]'") from None
    return ray


@contextmanager
def _unprinted() -> Iterator[None]:
    """Inside the block, Ray prints nothing on standard output: it tells of lost workers there, whatever its options say."""
    from ray._private import worker

    printing = getattr(worker, "print_to_stdstream", None)
    if printing is not None:
        worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        if printing is not None:
            worker.print_to_stdstream = printing


def _connect(ray: Any, address: str | None, workers: int | None) -> None:
    options: dict[str, Any] = {"address": address or "local"}
    if address is None:
        options |= {"num_cpus": workers, "include_dashboard": False, "object_store_memory": STORE}
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ray.init(log_to_driver=False, logging_level=logging.CRITICAL, configure_logging=True, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError, TimeoutError) as error:
        what = "a Ray cluster could not be started here" if address is None else f"the Ray cluster {address} can't be reached"
        raise UsageError(f"{what}: {' '.join(str(error).split())[:300]}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():  # Ray puts its own in the place of those that end an audit in order
                if handler is not None:
                    signal.signal(number, handler)
