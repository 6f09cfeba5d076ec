"""Settings of encrypted connections that can't be used are told in one sentence that names them."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess

import pytest

from agents import ChatError, UsageError, chat_model

SPEC = "https://127.0.0.1:9/v1#m"
NOT_TRUSTED = r"^the certificate of 127\.0\.0\.1:\d+ is not trusted: self.signed certificate; if .* SSL_CERT_FILE$"


@pytest.mark.parametrize(
    ("variable", "make", "told"),
    [
        ("SSL_CERT_FILE", lambda at: None, "which is not there"),
        ("SSL_CERT_FILE", lambda at: at.mkdir(), "which is no file"),
        ("SSL_CERT_FILE", os.mkfifo, "which is no file"),
        ("SSL_CERT_FILE", lambda at: at.write_text("a text"), "in which no certificates can be read"),
        ("SSL_CERT_FILE", lambda at: at.write_bytes(b""), "in which no certificates can be read"),
        (
            "SSL_CERT_FILE",
            lambda at: at.write_text("-----BEGIN CERTIFICATE-----\nMIIC\n"),
            "in which no certificates can be read",
        ),
        ("SSL_CERT_DIR", lambda at: None, "which is no folder"),
        ("SSL_CERT_DIR", lambda at: at.write_text("a text"), "which is no folder"),
        ("SSL_CERT_DIR", lambda at: at.mkdir(), "in which no certificates can be found"),
    ],
)
def test_what_holds_no_certificates_is_named(monkeypatch, tmp_path, variable, make, told):
    at = tmp_path / "x\x1b[1m"
    make(at)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(variable, str(at))
    with pytest.raises(UsageError) as caught:
        chat_model(SPEC)
    assert str(caught.value).startswith(f"the environment variable {variable} names {tmp_path}/x")
    assert told in str(caught.value)
    assert str(caught.value).isprintable()
    chat_model(SPEC.replace("https", "http"))  # where nothing is encrypted, it does not matter


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    at = tmp_path_factory.mktemp("certificate")
    words = "req -x509 -newkey rsa:2048 -nodes -keyout k.pem -out c.pem -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *words.split()], cwd=at, check=True, capture_output=True)
    return at


@pytest.mark.parametrize("log", ["no/such/folder/log", "."])
def test_a_log_of_secrets_that_can_not_be_written_is_named(monkeypatch, tmp_path, certificate, log):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "c.pem"))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / log))
    with pytest.raises(UsageError, match=r"^the environment variable SSLKEYLOGFILE names "):
        chat_model(SPEC)


def test_a_certificate_of_ones_own_authority(monkeypatch, raw, raw_server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "c.pem", certificate / "k.pem")

    def behave(connection, _):
        with context.wrap_socket(connection, server_side=True) as stream:
            raw.request_of(stream)  # whole: to close with bytes unread resets the connection, and the answer is lost
            stream.sendall(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")

    spec = raw_server(behave, read_request=False).url.replace("http:", "https:") + "#m"
    with pytest.raises(ChatError, match=NOT_TRUSTED):
        chat_model(spec, max_retries=2).invoke("hi")
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "c.pem"))
    with pytest.raises(ChatError, match="answered 403"):
        chat_model(spec).invoke("hi")
