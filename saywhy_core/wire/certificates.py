"""The settings of encrypted connections: which certificates are trusted, as environment variables say."""

from __future__ import annotations

import os
import re
import ssl
import stat
from pathlib import Path

from saywhy_core.errors import UsageError
from saywhy_core.legible import legible
from saywhy_core.wire.network import httpx

FILE, FOLDER, SECRETS = "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE"
"""The environment variables that OpenSSL and Python know: a file and a folder of certificates, and where secrets are logged."""
_BY_DIGEST = re.compile(r"[0-9a-fA-F]{8}\.\d+")
_LARGEST = 64 * 2**20  # bytes; all authorities that browsers trust take a quarter of a megabyte


def tls_context() -> ssl.SSLContext:
    """What encrypted connections are made with.

    Raises:
        UsageError: an environment variable names certificates that can't be used, or a log of secrets that can't be written.
    """
    if named := os.environ.get(FILE):
        _check_file(named)
    elif named := os.environ.get(FOLDER):
        _check_folder(named)
    log = os.environ.get(SECRETS)
    if log and named and (Path(log).is_dir() or Path(log).is_fifo()):
        raise _wrong(SECRETS, log, "which is no file", "name a file to write to")
    try:
        context: ssl.SSLContext = httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        if log and named:
            raise _wrong(SECRETS, log, f"which can't be written ({_words(error)})", "name a file to write to") from None
        variables = f"unset {FILE if os.environ.get(FILE) else FOLDER}" if named else f"name a file of certificates in {FILE}"
        raise UsageError(f"the certificates of this system can't be used ({_words(error)}); {variables}") from None
    return context


def _check_file(named: str) -> None:
    how = "name a file of certificates in PEM form"
    try:
        found = Path(named).stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for
            raise _wrong(FILE, named, "which is no file", how)
        if found.st_size > _LARGEST:
            raise _wrong(FILE, named, f"which has more than {_LARGEST // 2**20} MiB", how)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=named)
    except ssl.SSLError:
        raise _wrong(FILE, named, "in which no certificates can be read", how) from None
    except FileNotFoundError:
        raise _wrong(FILE, named, "which is not there", how) from None
    except (OSError, ValueError) as error:
        raise _wrong(FILE, named, f"which can't be read ({_words(error)})", how) from None


def _check_folder(named: str) -> None:
    how = "name a folder of certificates that `openssl rehash` has made ready"
    folders = [Path(one) for one in named.split(os.pathsep) if one]
    if not any(one.is_dir() for one in folders):
        raise _wrong(FOLDER, named, "which is no folder", how)
    try:
        found = any(_BY_DIGEST.fullmatch(one.name) for folder in folders if folder.is_dir() for one in folder.iterdir())
    except OSError as error:
        raise _wrong(FOLDER, named, f"which can't be read ({_words(error)})", how) from None
    if not found:
        raise _wrong(FOLDER, named, "in which no certificates can be found", how)


def _words(error: Exception) -> str:
    said = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return legible(re.sub(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)", "", said))


def _wrong(variable: str, named: str, why: str, how: str) -> UsageError:
    return UsageError(f"the environment variable {variable} names {legible(named)[:200]}, {why}; {how}, or unset {variable}")
