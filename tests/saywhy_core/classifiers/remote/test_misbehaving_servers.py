"""Servers that are broken, overloaded or hostile: each becomes one sentence, and no answered query is asked again."""

from __future__ import annotations

import gzip
import re
import shutil
import socket
import ssl
import subprocess
import time

import numpy as np
import pytest

from saywhy_core.classifiers import ClassifierError, EndpointError, load_classifier
from saywhy_core.reading.ceilings import ceilings

pytestmark = pytest.mark.usefixtures("_quick")
GOOD = [[1.0, 2.0, 3.0]]
WAITING = b"\n<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title data-x=1>\n Just a moment &amp;\n more</title></head></html>"


def image(seed=0, count=1):
    return (np.random.default_rng(seed).integers(0, 256, (count, 4, 5, 3)) / 255).astype(np.float32)


def opened(server, options=""):
    return load_classifier(f"oip:{server.url}#m?retries=2&concurrency=1{options}")


def redirect(e):
    return e.raw({}, "Location: http://other.example/v2/models/m/infer?token=abcdef12345", status="307 Temporary Redirect")


DOWN = {
    "html": (lambda e: e.raw(b"<html><body>Log in</body></html>", "Content-Type: text/html"), r"sent a page of HTML in the .* \(3 attempts", 3),
    "html titled": (lambda e: e.raw(WAITING, "Content-Type: text/html; charset=UTF-8"), r"HTML, titled 'Just a moment & more', in .* waiting page\).*3 att", 3),
    "html untyped": (lambda e: e.raw(WAITING), r"sent a page of HTML, titled 'Just", 3),
    "html for hours": (lambda e: e.raw(WAITING, "Retry-After: 7200"), r"sent a page of HTML.*; it asks to wait 7200 s$", 1),
    "503 html": (lambda e: e.raw(WAITING, status="503 Busy"), r"answered 503: Just a moment & more \(3 attempts", 3),
    "text": (lambda e: e.raw(b"all is well", "Content-Type: text/plain"), r"sent a text in the place of an answer \(all is well\)", 1),
    "truncated JSON": (lambda e: e.raw(b'{"outputs": [{"na'), r"sent an answer that is no JSON: .* \(3 attempts in", 3),
    "nothing": (lambda e: e.raw(b""), r"answered 200 with nothing in it \(3 attempts", 3),
    "401": (lambda e: e.raw({"error": "no"}, status="401 Unauthorized"), r"answered 401: no; no key was sent", 1),
    "403": (lambda e: e.raw({"error": "no"}, status="403 Forbidden"), r"answered 403: no; no key was sent", 1),
    "404": (lambda e: e.raw({"error": "gone"}, status="404 Not Found"), r"answered 404: gone; does it serve a model", 1),
    "502": (lambda e: e.raw(b"<html>Bad gateway</html>", status="502 Bad Gateway"), r"answered 502: .* \(3 attempts", 3),
    "429": (lambda e: e.raw({}, "Retry-After: 0.05", status="429 Too Many"), r"429: .*3 attempts.*lower rate or concurrency", 3),
    "429 for hours": (lambda e: e.raw({}, "Retry-After: 7200", status="429 Too Many"), r"it asks to wait 7200 s$", 1),
    "redirect": (redirect, r"it sends requests on to http://other\.example/v2/models/m/infer, and redirects are not followed", 1),
    "drop": (lambda e: e.drop, r"it hung up without an answer \(3 attempts", 3),
    "half": (lambda e: e.half, r"it hung up within its answer \(3 attempts", 3),
    "nonsense": (lambda e: e.nonsense, r"what it sent is no HTTP|hung up within", 3),
    "no HTTP": (lambda e: b"SSH-2.0-OpenSSH\r\n\r\n", r"what it sent is no HTTP", 3),
    "other id": (lambda e: e.raw({**e.oip(GOOD), "id": "other-1"}), r"answered another request \('other-1' in the place of 'saywhy-1'\)", 3),
    "no outputs": (lambda e: e.raw({"outputs": []}), r"no answer of the Open Inference Protocol: there are no outputs", 1),
    "other output": (lambda e: e.raw({"outputs": [e.oip(GOOD, "a")["outputs"][0], e.oip(GOOD, "b")["outputs"][0]]}), r"left out the output 'logits'; there are a, b", 1),
    "datatype": (lambda e: e.raw(e.oip(GOOD, datatype="COMPLEX64")), r"has the datatype 'COMPLEX64'", 1),
    "shape": (lambda e: e.raw(e.oip(GOOD, shape=[1, 4])), r"has the shape \[1, 4\], and 3 numbers", 1),
    "texts": (lambda e: e.raw(e.oip(GOOD, data=["a", "b", "c"])), r"holds what is no number", 1),
    "huge shape": (lambda e: e.raw(e.oip(GOOD, shape=[10**9, 10**9])), r"has the shape \[1000000000, 1000000000\]", 1),
    "lengths": (lambda e: e.raw(b"{}", "Inference-Header-Content-Length: 99"), r"says that 99 of 2 bytes are JSON", 3),
    "brotli": (lambda e: e.raw(b"\x00\x01", "Content-Encoding: br"), r"sent a packed answer \(br\) that was not asked for", 1),
    "bomb": (lambda e: e.raw(gzip.compress(b" " * 2**26), "Content-Encoding: gzip"), r"unpacks to more than 100,000 bytes", 1),
    "endless": (lambda e: e.endless, r"sent an answer of more than 100,000 bytes", 1),
    "null": (lambda e: e.raw(b"null"), r"there are no outputs in it", 1),
}  # fmt: skip


@pytest.mark.parametrize("what", DOWN)
def test_an_endpoint_that_fails_is_one_sentence(endpoint, what):
    make, told, attempts = DOWN[what]
    with endpoint.Endpoint([make(endpoint)] * 9) as server, ceilings(answer=100_000):
        classifier = opened(server)
        with pytest.raises(EndpointError, match=rf"^(?:the connection to )?{re.escape(server.host)} .*(?:{told})") as error:
            classifier(image())
        assert len([one for one in server.requests if one[2]]) == attempts
        assert "\n" not in str(error.value)
        assert "abcdef12345" not in str(error.value)


ABOUT = {
    "NaN": (lambda e: e.raw(e.oip([[1.0, float("nan"), 2.0]])), r"NaN|not finite|not a number"),
    "null": (lambda e: e.raw(e.oip([[1.0, 0.0, 2.0]], data=[1.0, None, 2.0])), r"NaN|not finite|not a number"),
    "two rows": (lambda e: e.raw(e.oip(GOOD * 2)), r"answered 1 images with 2 rows of scores"),
    "two classes": (lambda e: e.raw(e.oip([[1.0, 2.0]])), r"2 scores"),
    "400": (lambda e: e.raw({"error": "too dark"}, status="400 Bad Request"), r"answered 400: too dark"),
    "413": (
        lambda e: e.raw({"error": "big"}, status="413 Too Large"),
        r"answered 413: big; it takes no request as large as a single image",
    ),
    "422": (lambda e: e.raw({"detail": "no"}, status="422 Unprocessable"), r"answered 422: no"),
    "500": (lambda e: e.raw({"error": "CUDA"}, status="500 Oops"), r"answered 500: CUDA \(3 attempts"),
}


@pytest.mark.parametrize("what", ABOUT)
def test_an_error_about_these_images_leaves_the_others(endpoint, what):
    make, told = ABOUT[what]
    with endpoint.Endpoint([None, *[make(endpoint)] * (3 if what == "500" else 1)]) as server:
        classifier = opened(server)
        classifier(image(1))
        with pytest.raises(ClassifierError, match=told) as error:
            classifier(image(2))
        assert not isinstance(error.value, EndpointError)
        np.testing.assert_allclose(classifier(image(3)), endpoint.truth(image(3)), atol=1e-5)


def test_an_error_of_a_server_that_is_not_well_is_the_servers(endpoint):
    broken = [endpoint.raw({"error": "CUDA"}, status="500 Oops")] * 3
    with endpoint.Endpoint(broken, ready=False) as server, pytest.raises(EndpointError, match="answered 500: CUDA"):
        opened(server)(image())


def test_what_passes_is_tried_again_and_nothing_else(endpoint):
    script = [endpoint.drop, endpoint.raw({}, status="503 Busy"), None, endpoint.raw({}, "Retry-After: 0.3", status="429 Slow")]
    with endpoint.Endpoint(script) as server:
        classifier = opened(server)
        np.testing.assert_allclose(classifier(image()), endpoint.truth(image()), atol=1e-5)
        begun = time.monotonic()
        classifier(image(1))
        assert time.monotonic() - begun >= 0.3
        assert server.asked == classifier.queries == 2


@pytest.mark.parametrize("spec", ["oip:{}#m", "tfserving:{}/v1/models/m", 'http:{}/x?names=["red","green","blue"]'])
def test_a_waiting_page_of_a_proxy_passes(endpoint, spec):
    page = endpoint.raw(WAITING, "Content-Type: text/html", "Retry-After: 0.2")
    with endpoint.Endpoint([page, page]) as server:
        classifier, begun = load_classifier(spec.format(server.url)), time.monotonic()
        assert (classifier(image()).argmax(axis=1) == endpoint.truth(image()).argmax(axis=1)).all()
        assert time.monotonic() - begun >= 0.4  # as long as the page asks for
        assert server.asked == classifier.queries == 1


def test_a_model_that_is_loaded_again_is_waited_for(endpoint):
    gone = endpoint.raw({"error": "Request for unknown model: 'm' is not found"}, status="404 Not Found")
    with endpoint.Endpoint([None, gone, gone, None, gone, gone, gone]) as server:
        classifier = opened(server)
        for seed in range(2):  # Triton and Ray Serve answer so while they start
            np.testing.assert_allclose(classifier(image(seed)), endpoint.truth(image(seed)), atol=1e-5)
        with pytest.raises(EndpointError, match=r"unknown model: 'm' is not found \(3 attempts in .*does it serve a model"):
            classifier(image(2))
        assert server.asked == 2


def test_an_answer_that_is_only_called_a_page_is_read(endpoint):
    answer = endpoint.raw({"predictions": GOOD}, "Content-Type: text/html; charset=utf-8")
    with endpoint.Endpoint([answer]) as server:
        assert load_classifier(f"tfserving:{server.url}/v1/models/m")(image()).tolist() == GOOD


def test_a_server_is_not_well_where_a_page_answers_for_it(endpoint):
    def ready(handler):
        if handler.path.endswith("/ready"):
            handler.wfile.write(endpoint.raw(WAITING, "Content-Type: text/html"))
        else:
            get(handler)

    broken = [endpoint.raw({"error": "CUDA"}, status="500 Oops")] * 3
    with endpoint.Endpoint(broken) as server:
        get, server.get = server.get, ready
        with pytest.raises(EndpointError, match="answered 500: CUDA"):
            opened(server)(image())


def test_a_request_that_is_too_large_is_halved_and_so_are_later_ones(endpoint):
    with endpoint.Endpoint(most=3) as server:
        classifier = opened(server)
        batch = image(count=10)
        np.testing.assert_allclose(classifier(batch), endpoint.truth(batch), atol=1e-5)
        assert server.asked == 10
        assert max(server.sizes) <= 3
        refused = len([one for one in server.requests if one[2]]) - len(server.sizes)
        classifier(image(5, count=6))
        assert len([one for one in server.requests if one[2]]) - len(server.sizes) == refused


def test_what_was_answered_before_the_endpoint_died_is_not_asked_again(endpoint):
    dead = endpoint.raw({}, status="503 Busy")
    with endpoint.Endpoint([None, None, dead, dead, dead]) as server:
        classifier = opened(server, "&batch_size=2")
        batch = image(count=8)
        with pytest.raises(EndpointError, match="answered 503"):
            classifier(batch)
        kept = [one is not None for one in classifier.remembered(batch)]
        assert kept[:6] == [True] * 4 + [False] * 2  # the last two may have been on their way
        np.testing.assert_allclose(classifier(batch), endpoint.truth(batch), atol=1e-5)
        assert server.asked == 8


def test_a_server_that_drips_is_given_up_in_time(endpoint):
    with endpoint.Endpoint([endpoint.drip] * 2) as server:
        classifier = load_classifier(f"oip:{server.url}#m?retries=1&timeout=0.4")
        begun = time.monotonic()
        with pytest.raises(EndpointError, match=r"did not answer within 0.4 s \(2 attempts in .*raise the option timeout"):
            classifier(image())
        assert time.monotonic() - begun < 3


def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(
            EndpointError, match=rf"^the connection to 127.0.0.1:{port} failed: Connection refused.*is the server up"
        ):
            load_classifier(f"oip:http://127.0.0.1:{port}#m?retries=1")


def test_a_certificate_that_nobody_signed_is_named(endpoint, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "own.pem", "-days", "2", "-subj", "/CN=127.0.0.1"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem", tmp_path / "key.pem")
    with endpoint.Endpoint() as server:
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        with pytest.raises(
            EndpointError, match=r"^the certificate of 127\.0\.0\.1:\d+ is not trusted: self.signed certificate; if"
        ):
            load_classifier(f"oip:https://{server.host}#m?retries=5")


LABELS = {
    "unknown": ([{"label": "purple", "score": 1.0}], EndpointError, r"answered the label 'purple', which is none of the 3 class names"),
    "twice": ([{"label": "red", "score": 0.5}, {"label": "red", "score": 0.5}], ClassifierError, r"the label 'red' twice"),
    "text score": ([{"label": "red", "score": "high"}], ClassifierError, r"scores that are no numbers"),
    "no score": ([{"label": "red"}], EndpointError, r"an answer without 'score' in it: .* name the fields with label_field"),
    "no list": ({"prediction": "red"}, EndpointError, r"an answer without 'label' in it"),
    "other lengths": ({"label": ["red", "blue"], "score": [1.0]}, EndpointError, r"sent 2 labels and 1 scores"),
}  # fmt: skip


@pytest.mark.parametrize("what", LABELS)
def test_labels_that_can_not_be_used_are_told(endpoint, what):
    body, kind, told = LABELS[what]
    with endpoint.Endpoint([endpoint.raw(body)]) as server:
        classifier = load_classifier(f"http:{server.url}/x", class_names=["red", "green", "blue"])
        with pytest.raises(kind, match=told) as error:
            classifier(image())
        assert isinstance(error.value, EndpointError) is (kind is EndpointError)


@pytest.mark.parametrize(("datatype", "data", "want"), [
    ("FP16", b"\x00\x3c\x00\x40\x00\x42", [1.0, 2.0, 3.0]),
    ("BF16", b"\x80\x3f\x00\x40\x40\x40", [1.0, 2.0, 3.0]),
    ("FP64", np.array([1.0, 2.0, 3.0], "<f8").tobytes(), [1.0, 2.0, 3.0]),
    ("INT8", b"\x01\xfe\x03", [1.0, -2.0, 3.0]),
])  # fmt: skip
def test_binary_outputs_of_other_datatypes_are_read(endpoint, datatype, data, want):
    document = endpoint.oip([[0.0] * 3], datatype=datatype, parameters={"binary_data_size": len(data)})
    del document["outputs"][0]["data"]
    head = str(document).replace("'", '"').encode()
    with endpoint.Endpoint([endpoint.raw(head + data, f"Inference-Header-Content-Length: {len(head)}")]) as server:
        assert opened(server)(image()).tolist() == [want]


@pytest.mark.parametrize("count", [1, 3])
def test_a_server_that_hangs_up_on_a_large_request_may_want_smaller_ones(endpoint, monkeypatch, count):
    monkeypatch.setattr("saywhy_core.classifiers.remote.client.MUCH", 1500)
    with endpoint.Endpoint([endpoint.drop] * 9) as server, pytest.raises(EndpointError, match="it hung up") as error:
        opened(server)(image(count=count))
    assert ("give a smaller batch_size" in str(error.value)) is (count == 3)


def test_not_modified_is_no_redirect(endpoint):
    answer = endpoint.raw(b"", status="304 Not Modified")
    with endpoint.Endpoint([answer]) as server, pytest.raises(EndpointError, match="answered 304, that nothing has changed"):
        opened(server)(image())
