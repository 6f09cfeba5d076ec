"""Classifiers behind real servers of each protocol: the same scores as computed here, and requests as the options say."""

from __future__ import annotations

import base64
import inspect
import io
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from saywhy_core.classifiers import TARGETS, EndpointError, load_classifier, target_options
from saywhy_core.errors import UsageError

pytestmark = pytest.mark.usefixtures("_quick")


def images(count, seed=0, levels=256):
    """Images on the grid of 8 bits, so that pictures hold them exactly."""
    drawn = np.random.default_rng(seed).integers(0, levels, (count, 4, 5, 3))
    return (drawn / (levels - 1)).astype(np.float32)


def posted(server):
    return [one for one in server.requests if one[2]]


SPECS = {
    "oip:{}#m": {},
    "oip:{}#m?binary=true": {},
    "oip:{}/v2#m?version=2": {},
    "tfserving:{}/v1/models/m": {},
    "tfserving:{}/v1/models/m?form=inputs": {},
    "tfserving:{}/v1/models/m?batch_size=5": {"pictures": True},
}


@pytest.mark.parametrize("spec", SPECS)
def test_scores_are_those_of_the_model(endpoint, spec):
    with endpoint.Endpoint(**SPECS[spec]) as server:
        classifier = load_classifier(spec.format(server.url))
        batch = images(23)
        np.testing.assert_allclose(classifier(batch), endpoint.truth(batch), atol=1e-5)
        assert classifier.scores == "logits"
        assert classifier.queries == server.asked == 23
        assert classifier.levels == (256 if "pictures" in SPECS[spec] else None)
        if classifier.levels is None:  # numbers arrive with all their digits
            fine = np.random.default_rng(1).random((3, 4, 5, 3), dtype=np.float32)
            np.testing.assert_allclose(classifier(fine), endpoint.truth(fine), atol=1e-5)


@pytest.mark.parametrize("options", ["", "&image_field=inputs", "&image_field=inputs&batch_size=4"])
def test_pictures_travel_exactly_and_labels_come_back_in_any_order(endpoint, options):
    with endpoint.Endpoint() as server:
        classifier = load_classifier(f"http:{server.url}/classify?image_shape=4,5,3{options}")
        assert classifier.class_names == ("blue", "green", "red")  # learned with one query, and sorted
        assert classifier.queries == server.asked == 1
        assert classifier.levels == 256
        batch = images(9)
        want = endpoint.softmax(endpoint.truth(batch))[:, ::-1]
        np.testing.assert_allclose(classifier(batch), want, atol=1e-9)
        assert len(posted(server)) == 1 + (3 if "batch_size" in options else 9)


def test_jpeg_changes_the_image_and_png_does_not(endpoint):
    batch = images(2)
    for encoding, same in (("png", True), ("jpeg", False)):
        with endpoint.Endpoint() as server:
            load_classifier(f"http:{server.url}/x?encoding={encoding}", class_names=["red", "green", "blue"])(batch)
            sent = [np.asarray(Image.open(io.BytesIO(one[2]))) for one in posted(server)]
            assert {one[1]["Content-Type"] for one in posted(server)} == {f"image/{encoding}"}
            found = [any((picture == np.rint(image * 255)).all() for image in batch) for picture in sent]
            assert all(found) if same else not any(found)


def test_only_the_best_classes_are_seen_and_names_must_be_given_then(endpoint):
    with endpoint.Endpoint(most=2) as server:
        with pytest.raises(UsageError, match=r"the 2 best of its classes alone \(.*names=\.\.\."):
            load_classifier(f"http:{server.url}/x?image_shape=4,5,3")
        classifier = load_classifier(f"http:{server.url}/x", class_names=["red", "green", "blue"])
        batch = images(4)
        assert (classifier(batch).argmax(axis=1) == endpoint.truth(batch).argmax(axis=1)).all()
        assert classifier.scores == "top-k"


def test_fields_have_other_names_and_lie_deeper(endpoint):
    def told(handler):
        handler.wfile.write(
            endpoint.raw({"data": {"found": [{"name": {"en": "b"}, "p": 0.25}, {"name": {"en": "a"}, "p": 0.75}]}})
        )

    with endpoint.Endpoint([told]) as server:
        classifier = load_classifier(
            f"http:{server.url}/x?image_field=data.image&label_field=data.found.name.en&score_field=data.found.p",
            class_names=["a", "b"], extra={"data": {"top": 2}}, scores="probabilities",
        )  # fmt: skip
        np.testing.assert_allclose(classifier(images(1)), [[0.75, 0.25]])
        sent = json.loads(posted(server)[0][2])
        assert sent["data"]["top"] == 2
        assert Image.open(io.BytesIO(base64.b64decode(sent["data"]["image"]))).size == (5, 4)


def test_what_the_model_takes_is_read_from_its_metadata(endpoint):
    said = {
        "inputs": [{"name": "image", "datatype": "UINT8", "shape": [-1, 3, 4, 5]}],
        "parameters": {"class_names": ["r", "g", "b"], "scores": "logits"},
        "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, 3]}],
    }
    with endpoint.Endpoint(metadata=said) as server:
        classifier = load_classifier(f"oip:{server.url}#m")
        assert (classifier.image_shape, classifier.class_names) == ((4, 5, 3), ("r", "g", "b"))
        batch = images(3)
        np.testing.assert_allclose(classifier(batch), endpoint.truth(batch), atol=1e-5)
        tensor = json.loads(posted(server)[0][2])["inputs"][0]
        assert (tensor["datatype"], tensor["shape"]) == ("UINT8", [3, 3, 4, 5])
        assert tensor["data"] == np.rint(batch * 255).transpose(0, 3, 1, 2).ravel().astype(int).tolist()


def test_binary_tensors_are_sent_where_the_server_says_that_it_knows_them(endpoint):
    for extensions, binary in ((["binary_tensor_data"], True), ([], False)):
        with endpoint.Endpoint(extensions=extensions) as server:
            load_classifier(f"oip:{server.url}#m")(images(1))
            assert ("Inference-Header-Content-Length" in posted(server)[0][1]) is binary


def test_colours_range_and_normalisation_go_into_the_tensor(endpoint):
    with endpoint.Endpoint() as server:
        load_classifier(f"oip:{server.url}#m?channels=bgr&value_range=0,255&mean=1,2,3&std=2", scores="logits")(images(1))
        sent = np.array(json.loads(posted(server)[0][2])["inputs"][0]["data"]).reshape(4, 5, 3)
        want = (images(1)[0].astype(np.float64)[..., ::-1] * 255 - [1, 2, 3]) / 2
        np.testing.assert_allclose(sent, want, rtol=1e-5)


def test_keys_come_from_the_environment_and_go_into_one_header(endpoint, monkeypatch):
    monkeypatch.setenv("MY_KEY", "verysecret0815")
    with endpoint.Endpoint(key="verysecret0815") as server:
        for option in ("key_env=MY_KEY", "key_env=MY_KEY&key_header=X-Key"):
            assert load_classifier(f"oip:{server.url}#m?{option}").image_shape == (4, 5, 3)
        with pytest.raises(UsageError, match="answered 401: who are you\\?; no key was sent: name the environment variable"):
            load_classifier(f"oip:{server.url}#m")
        monkeypatch.setenv("OTHER", "alsosecret4711")
        with pytest.raises(UsageError, match=r"check the key in OTHER$"):
            load_classifier(f"oip:{server.url}#m?key_env=OTHER")


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("oip:http://h#m?api_key=sk-123456", r"no such option: 'api_key'"),
        ("oip:http://me:hunter2secret@h#m", r"has a user or password in it"),
        ("oip:http://h#m?key_env=hf_abcDEFghi123JKLmno", r"the name of an environment variable, and not the key itself"),
        ("oip:http://h#m?key_header=X-Key", r"key_header has no effect without a key"),
        ("oip:http://h", r"no model is named: write oip:"),
        ("oip:h:80#m", r"names no host"),
        ("http:http://h/x#m", r"nothing may stand behind a #"),
        ("http:http://h/x?query=token=abcdefgh12345", r"query holds a key or a password"),
        ("http:http://h/x?batch_size=4", r"batch_size has no effect where the picture is the whole body"),
        ("http:http://h/x?extra=[]&image_field=x", r"extra must be a JSON object"),
        ("http:http://h/x?encoding=gif", r"encoding must be 'png' or 'jpeg'"),
        ("tfserving:http://h/m", r"the address names no model: write tfserving:"),
        ("oip:http://h#m?rate=0", r"rate must be a number of at least 1e-06"),
        ("oip:http://h#m?concurrency=0", r"concurrency must be a whole number of at least 1"),
        ("oip:http://h#m?binary=maybe", r"binary must be true or false"),
    ],
)  # fmt: skip
def test_wrong_options_are_told_before_anything_is_asked(spec, told):
    with pytest.raises(UsageError, match=told) as error:
        load_classifier(spec)
    assert not any(secret in str(error.value) for secret in ("hunter2secret", "abcdefgh12345", "hf_abc", "sk-123456"))


SHARED = ["class_names", "classes", "scores", "image_shape"], [
    "batch_size", "concurrency", "rate", "timeout", "retries", "key_env", "key_header", "query",
]  # fmt: skip
TENSORS = ["layout", "value_range", "mean", "std", "channels", "input", "output"]


@pytest.mark.parametrize(("kind", "own"), [
    ("oip", [*TENSORS, "version", "binary"]),
    ("tfserving", [*TENSORS, "signature", "form"]),
    ("http", ["encoding", "image_field", "label_field", "score_field", "extra"]),
])  # fmt: skip
def test_options_that_stand_in_groups_are_listed_and_explained_one_by_one(kind, own):
    assert list(target_options(kind)) == [*SHARED[0], *own, *SHARED[1]]
    load = TARGETS.get(kind)
    told = inspect.getdoc(load)
    for name in target_options(kind):
        assert len(re.findall(rf"^    {name}: \S", told, re.MULTILINE)) == 1, name
    assert not re.findall(r"^    (?:answers|tensors|connection):", told, re.MULTILINE)
    assert inspect.signature(load).parameters["retries"].default == 6
    with pytest.raises(TypeError, match="unexpected keyword argument 'connection'"):
        load("http://h", connection=None)


def test_parameters_of_the_address_go_with_each_request(endpoint):
    with endpoint.Endpoint() as server:
        load_classifier(f"oip:{server.url}#m?query=api-version%3D2%26x%3D1")(images(1))
        assert {one[0].partition("?")[2] for one in server.requests} == {"api-version=2&x=1"}


def test_requests_are_on_their_way_at_the_same_time_and_no_more_than_allowed(endpoint):
    with endpoint.Endpoint(delay=0.05) as server:
        classifier = load_classifier(f"oip:{server.url}#m?batch_size=2&concurrency=5")
        assert classifier.concurrency == 5
        begun = time.monotonic()
        classifier(images(40))
        assert server.most_at_once == 5
        assert time.monotonic() - begun < 20 * 0.05  # one after another they take longer
        assert server.sizes == [2] * 20
    with endpoint.Endpoint(delay=0.02) as server:
        classifier = load_classifier(f"oip:{server.url}#m?concurrency=3")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda seed: classifier(images(2, seed)), range(8)))
        assert server.most_at_once == 3
        assert classifier.queries == server.asked == 16


def test_a_rate_is_kept(endpoint):
    with endpoint.Endpoint() as server:
        classifier = load_classifier(f"oip:{server.url}#m?batch_size=1&rate=50")
        begun = time.monotonic()
        classifier(images(16))
        assert time.monotonic() - begun >= 15 / 50


def test_one_connection_is_kept_for_many_requests(endpoint):
    with endpoint.Endpoint() as server:
        classifier = load_classifier(f"oip:{server.url}#m?concurrency=1&batch_size=1")
        opened = []
        process = server.server.process_request
        server.server.process_request = lambda *given: (opened.append(1), process(*given))
        classifier(images(10))
        assert len(opened) <= 1


@pytest.mark.parametrize("header", ["Host", "Content-Length", "content-type", "Transfer-Encoding", "Connection", "User-Agent"])
def test_a_key_does_not_take_the_place_of_what_a_request_needs(header, monkeypatch):
    monkeypatch.setenv("SOME_KEY", "abcdefgh12345")
    with pytest.raises(UsageError, match=f"key_header can't be {header}"):
        load_classifier(f'http:http://127.0.0.1:1/x?names=["a","b"]&key_env=SOME_KEY&key_header={header}')


def test_labels_are_compared_without_the_blanks_around_them(endpoint):
    body = [{"label": " red\n", "score": 0.2}, {"label": "blue ", "score": 0.8}]
    with endpoint.Endpoint([endpoint.raw(body)]) as server:
        scores = load_classifier(f"http:{server.url}/x", class_names=["red", "green", "blue"])(images(1))
    assert scores.argmax() == 2
    assert scores[0, 0] == 0.2


def test_a_single_label_is_no_list_of_all_classes(endpoint):
    told = r"answers the best class alone \(red.*in the option names"
    body = [{"label": "red\n", "score": 1.0}]
    with endpoint.Endpoint([endpoint.raw(body)]) as server, pytest.raises(UsageError, match=told):
        load_classifier(f"http:{server.url}/x")


def test_a_decision_deep_in_an_answer_is_read_with_the_names_alone(endpoint):
    with endpoint.Endpoint([endpoint.raw({"result": {"category": "green"}})]) as server:
        options = {"class_names": ["red", "green", "blue"], "scores": "label", "label_field": "result.category"}
        assert load_classifier(f"http:{server.url}/x", **options)(images(1)).tolist() == [[0, 1, 0]]


MAPPED = {
    "score_field=": {"red": 0.25, "blue": 0.75},
    "score_field=&label_field=out.found": {"out": {"found": {"blue": 0.75, "red": 0.25}}},
    "score_field=&image_field=inputs": [{"red": 0.25, "blue": 0.75}],
}


@pytest.mark.parametrize("options", MAPPED)
def test_labels_that_are_names_of_fields_are_read(endpoint, options):
    with endpoint.Endpoint([endpoint.raw(MAPPED[options])] * 2) as server:
        classifier = load_classifier(f"http:{server.url}/x?{options}")
        assert classifier.class_names == ("blue", "red")
        assert classifier(images(1)).tolist() == [[0.75, 0.25]]


def test_labels_that_are_names_of_fields_are_read_for_each_image(endpoint):
    answer = endpoint.raw([{"red": 0.25, "blue": 0.75}, {"green": 0.5, "red": 0.125}])
    with endpoint.Endpoint([answer]) as server:
        names = ["red", "green", "blue"]
        classifier = load_classifier(f"http:{server.url}/x?score_field=&image_field=inputs&batch_size=2", class_names=names)
        assert classifier(images(2)).argmax(axis=1).tolist() == [2, 1]


@pytest.mark.parametrize(("answer", "options", "told"), [
    ({"red": 0.25, "blue": 0.75}, "", r"without 'label' in it: .*, or give score_field='' if the names of these fields are the"),
    ({"answer": {"red": 1}}, "", r"without 'label' in it: .*; name the fields with label_field and score_field$"),
    ([["red", 0.25]], "&score_field=", r"sent an answer without an object of labels and scores: \[\[\"red\", 0.25\]\]"),
    ({"red": "high"}, "&score_field=", r"scores that are no numbers"),
    ({"red": 1}, "&score_field=&scores=label", r"score_field='' has no effect with scores='label'"),
])  # fmt: skip
def test_labels_that_are_names_of_fields_are_asked_for(endpoint, answer, options, told):
    with endpoint.Endpoint([endpoint.raw(answer)]) as server, pytest.raises(ValueError, match=told):
        load_classifier(f"http:{server.url}/x?encoding=png{options}", class_names=["red", "green", "blue"])(images(1))


def with_answers(server, **answers):
    """Further addresses that the server answers: the bytes of an answer per ending of the path."""
    get = server.get

    def answer(handler):
        found = next((one for path, one in answers.items() if handler.path.endswith(f"/{path}")), None)
        handler.wfile.write(found) if found is not None else get(handler)

    server.get = answer


def test_no_more_images_are_sent_than_the_model_takes_at_a_time(endpoint):
    with endpoint.Endpoint(extensions=["model_configuration"]) as server:
        with_answers(server, config=endpoint.raw({"max_batch_size": 4}))
        load_classifier(f"oip:{server.url}#m")(images(10))
        assert sorted(server.sizes) == [2, 4, 4]
        with pytest.raises(UsageError, match=r"takes 4 images at a time; give batch_size=4, or none"):
            load_classifier(f"oip:{server.url}#m?batch_size=5")
        with_answers(server, config=endpoint.raw({"max_batch_size": 0}))  # which says that the server itself batches nothing
        load_classifier(f"oip:{server.url}#m")(images(10, seed=1))
        assert server.sizes[-1] == 10
    with endpoint.Endpoint(extensions=["model_configuration"]) as server:  # and answers 404 then
        load_classifier(f"oip:{server.url}#m")(images(10))
        assert server.sizes == [10]


@pytest.mark.parametrize("binary", [True, False])
def test_a_model_that_takes_one_image_without_an_axis_for_it_gets_one(endpoint, binary):
    metadata = {"inputs": [{"name": "image", "datatype": "FP32", "shape": [4, 5, 3]}]}
    metadata["outputs"] = [{"name": "logits", "datatype": "FP32", "shape": [3]}]
    extensions = ["model_configuration", *(["binary_tensor_data"] if binary else [])]
    with endpoint.Endpoint(
        extensions=extensions, metadata=metadata, truth=lambda image: endpoint.truth(image[None])[0]
    ) as server:
        with_answers(server, config=endpoint.raw({"max_batch_size": 0}))
        classifier = load_classifier(f"oip:{server.url}#m")
        np.testing.assert_allclose(classifier(images(3)), endpoint.truth(images(3)), atol=1e-5)
        heads = [
            json.loads(body[: int(headers.get("Inference-Header-Content-Length", len(body)))])
            for _, headers, body in posted(server)
        ]
        assert [one["inputs"][0]["shape"] for one in heads] == [[4, 5, 3]] * 3
        with pytest.raises(UsageError, match=r"takes 1 images at a time; give batch_size=1, or none"):
            load_classifier(f"oip:{server.url}#m?batch_size=2")


def test_a_model_without_metadata_needs_options_that_tell_what_it_would(endpoint):
    with endpoint.Endpoint() as server:
        with_answers(server, m=endpoint.raw({"error": "no"}, status="404 Not Found"))
        with pytest.raises(EndpointError, match=r"answered 404: no; does it serve a model named 'm'\?$"):
            load_classifier(f"oip:{server.url}#m?scores=logits")
        classifier = load_classifier(f"oip:{server.url}#m?scores=logits&layout=nhwc&input=image")
        np.testing.assert_allclose(classifier(images(3)), endpoint.truth(images(3)), atol=1e-5)


def test_what_the_server_does_not_know_at_all_is_asked_once(endpoint):
    with endpoint.Endpoint() as server:
        with_answers(server, **{"2": endpoint.raw({"error": "no versions"}, status="501 Not Implemented")})
        with pytest.raises(EndpointError, match=r"answered 501: no versions$"):
            load_classifier(f"oip:{server.url}#m?version=2")
