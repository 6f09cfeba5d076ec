"""An endpoint that takes pictures and answers with labels and scores, as hosted image classifiers do: `http:URL`."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.classifier import ClassifierError, EndpointError
from saywhy_core.classifiers.remote.assembly import class_numbers, classifier_at
from saywhy_core.classifiers.remote.client import Client
from saywhy_core.classifiers.remote.documents import check_path, lists_at, object_at, put, read_json
from saywhy_core.classifiers.remote.options import Answers, Connection, split_endpoint, with_groups
from saywhy_core.classifiers.remote.pictures import LEVELS, Encoding, check_encoding, encoded
from saywhy_core.classifiers.spec import first_given
from saywhy_core.errors import UsageError, argument
from saywhy_core.names import check_class_names
from saywhy_core.wire.addresses import is_no_name
from saywhy_core.wire.network import WireError
from saywhy_core.wire.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.callable_classifier import CallableClassifier
    from saywhy_core.classifiers.classifier import Scores
    from saywhy_core.classifiers.remote.client import Answer

    Images: TypeAlias = NDArray[np.float32]

FORMS = "http:http(s)://HOST:PORT/PATH"
LABEL = "label"
"""What the field of the labels is called where nothing else is said."""
USUAL = 224
"""Height and width of the grey picture by which labels are learned, where the endpoint takes pictures of any size."""
WHOLE = 0.02  # by how much the scores of all classes may miss 1: rounded to two decimals, those of ten classes miss it by that


@with_groups(answers=Answers, connection=Connection)
def load(
    where: str,
    *,
    answers: Answers,
    encoding: Encoding = "png",
    image_field: str | None = None,
    label_field: str | None = None,
    score_field: str = "score",
    extra: dict[str, Any] | None = None,
    connection: Connection,
) -> CallableClassifier:
    """A classifier that sends pictures to an endpoint, which answers with labels and scores.

    A request holds an encoded picture as its body, or, with `image_field`, JSON with the picture in base64. The answer is a
    list of objects such as {"label": "cat", "score": 0.9}, in any order, or one such list per image. Where the endpoint names
    the best classes only, the others are unseen: `scores` is "top-k", unless an option says otherwise; of "label", the first
    label alone is taken, and no scores are needed. Labels may be class numbers, or names such as LABEL_3.

    There is one picture per request, unless `batch_size` says otherwise; with 2 or more, `image_field` holds a list.

    Where neither the names nor the number of the classes are given, the endpoint is asked about a grey picture, which counts
    as a query: if its scores sum to 1, their labels, sorted, are the class names. It is an error if they don't.

    Fields are paths with dots: `predictions.label` is the label in each object of the list under `predictions`.

    Args:
        where: the URL. A question mark begins the target's own options; parameters of the URL go into `query`.
        answers: what the endpoint answers.
        encoding: "png", or "jpeg", which changes the image on its way.
        image_field: where the picture stands in a JSON document; the picture is the whole body without it.
        label_field: where the labels stand in the answer, "label" by default; an empty text where the scores are a list in the
            order of the names.
        score_field: where the scores stand in the answer; an empty text where the labels are the names of fields and the scores
            their values, as in {"cat": 0.9}. The object of those fields stands at `label_field`, or is the whole answer.
        extra: what else the JSON document holds, such as {"parameters": {"top_k": 1000}}.
        connection: how the endpoint is asked.

    Raises:
        EndpointError: the endpoint can't be reached, refuses us, or answers with something else.
        UsageError: an option is wrong or missing.
    """
    address, _ = split_endpoint(where, FORMS, model=False)
    check_encoding(encoding)
    for name, path in (
        ("image_field", image_field),
        ("label_field", label_field or None),
        ("score_field", score_field or None),
    ):
        check_path(name, path)
    size = connection.batch_size or 1
    if image_field is None and (extra is not None or size > 1):
        unused = argument("batch_size" if extra is None else "extra")
        raise UsageError(f"{unused} has no effect where the picture is the whole body; give {argument('image_field', ...)}")
    if extra is not None and (not isinstance(extra, dict) or is_no_name(json.dumps(extra), file=True)):
        raise UsageError(
            f'{argument("extra")} must be a JSON object, such as {{"parameters": {{}}}}, without a key or a password'
        )
    kind: Scores = first_given(answers.scores, "top-k")
    if kind == "label" and not score_field:
        raise UsageError(
            f"{argument('score_field', '')} has no effect with {argument('scores', 'label')}; leave one of them out"
        )
    if label_field is None:
        label_field = LABEL if score_field or kind == "label" else ""
    class_names, classes = answers.class_names, answers.classes
    if label_field == "" and kind == "label":
        raise UsageError(f"{argument('scores', 'label')} needs labels: give {argument('label_field', ...)}")
    shape = (None, None, 3) if answers.image_shape is None else tuple(answers.image_shape)
    client = Client(address, connection)

    def send(images: Images, read: Callable[[list[tuple[list[Any], list[Any]]]], Any]) -> Any:
        pictures = [encoded(image, encoding) for image in images]
        if image_field is None:
            body, sort = pictures[0], f"image/{encoding}"
        else:
            texts = [b64encode(picture).decode() for picture in pictures]
            document = put(extra or {}, image_field, texts if size > 1 else texts[0])
            body, sort = json.dumps(document).encode(), "application/json"
        fields = (label_field, None if kind == "label" else score_field)
        return client.ask(lambda answer: read(read_answer(answer, len(images), *fields)), "", body, {"Content-Type": sort})

    learned = 0
    if class_names is None and classes is None:
        class_names, learned = _labels_of(send, shape, kind, client.host), 1
    number = len(class_names) if class_names is not None else int(classes or 0)

    def ask(images: Images) -> NDArray[Any]:
        return np.array(send(images, lambda found: [_row(*one, kind, class_names, number, client.host) for one in found]))

    classifier = classifier_at(
        client, ask, scores=kind, class_names=class_names, classes=classes,
        image_shape=shape, size=size, levels=LEVELS,
    )  # fmt: skip
    classifier.count(learned)
    return classifier


def read_answer(answer: Answer, images: int, label_field: str, score_field: str | None) -> list[tuple[list[Any], list[Any]]]:
    """The labels and the scores for each image, in the endpoint's order; empty lists for a field that is not read.

    Args:
        answer: of the endpoint.
        images: how many it was asked about.
        label_field: where the labels stand; an empty text for nowhere.
        score_field: where the scores stand; None for nowhere, and an empty text where fields are named by labels and hold the
            scores.

    Raises:
        WireError: there is no list of labels and scores for each image.
    """
    told = read_json(answer)
    found = []
    for part in _per_image(told, images, label_field or score_field or ""):
        if score_field == "":
            fields = object_at(part, label_field)
            if not fields:
                raise WireError(f"sent an answer without an object of labels and scores: {_beginning(told)}", status=200)
            found.append(([*fields], [*fields.values()]))
            continue
        labels = lists_at(part, label_field) if label_field else []
        values = lists_at(part, score_field) if score_field is not None else []
        if (label_field and not labels) or (score_field is not None and not values):
            field = label_field if label_field and not labels else score_field
            raise WireError(
                f"sent an answer without {field!r} in it: {_beginning(told)}; {_advice(part)}",
                status=200,
            )
        if label_field and score_field is not None and len(labels) != len(values):
            raise WireError(f"sent {len(labels)} labels and {len(values)} scores for one image", status=200)
        found.append((labels, values))
    return found


def _beginning(told: Any) -> str:
    return shown(json.dumps(told)[:400], 120)


def _advice(part: Any) -> str:
    named = "name the fields with label_field and score_field"
    fields = object_at(part, "")
    if fields and not any(isinstance(one, bool) or not isinstance(one, (int, float)) for one in fields.values()):
        return f"{named}, or give {argument('score_field', '')} if the names of these fields are the labels"
    return named


def _per_image(told: Any, images: int, path: str) -> list[Any]:
    """The part of an answer about each image: one list per image, or the whole where one was asked about."""
    nested = isinstance(told, list) and bool(told) and all(isinstance(one, list) for one in told)
    if images == 1:
        return told if nested and len(told) == 1 else [told]
    if isinstance(told, list) and len(told) == images:
        return told
    first = path.partition(".")[0]
    inner = told.get(first) if isinstance(told, dict) else None
    if isinstance(inner, list) and len(inner) == images:  # the list of images stands under the first step of the path
        return [{first: one} for one in inner]
    raise WireError(f"answered {images} images with something else than {images} lists of labels", status=200)


def _row(
    labels: list[Any], values: list[Any], kind: Scores, names: Sequence[str] | None, classes: int, host: str
) -> NDArray[np.float64]:
    """One score per class; not a number for a class that the endpoint did not name."""
    if kind == "label":
        places = class_numbers(labels[:1], names, host)
        values = [1.0]
    else:
        places = class_numbers(labels, names, host) if labels else np.arange(len(values))
        if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in values):
            raise ClassifierError(f"{host} answered scores that are no numbers: {shown(str(values), 80)}")
    if len(places) and places.max() >= classes:
        raise EndpointError(f"{host} answered class {places.max()}, but there are {classes} classes; check names or classes")
    if len(set(places.tolist())) < len(places):
        twice = next(label for label, place in zip(labels, places, strict=True) if (places == place).sum() > 1)
        raise ClassifierError(f"{host} answered the label {shown(str(twice), 80)!r} twice for one image")
    row = np.full(classes, 0.0 if kind == "label" else np.nan)
    row[places] = values
    if kind not in ("label", "top-k") and len(places) < classes:
        raise ClassifierError(f"{host} answered {len(places)} of {classes} classes; say {argument('scores', 'top-k')}")
    return row


def _labels_of(send: Callable[..., Any], shape: Sequence[int | None], kind: Scores, host: str) -> list[str]:
    """The class names, as the endpoint's answer about a grey picture tells them."""
    height, width, channels = (size or usual for size, usual in zip(shape, (USUAL, USUAL, 3), strict=True))
    found = send(np.full((1, height, width, channels), 0.5, np.float32), lambda found: found[0])
    labels, values = [str(label) for label in found[0]], found[1]
    best = "best of its classes alone" if len(labels) > 1 else "best class alone"
    wanted = f"give the names of all classes, as the endpoint writes them, in the option names: {argument('names', ...)}"
    if not labels or kind == "label":
        raise UsageError(f"{host} does not tell its classes; {wanted}")
    if not all(isinstance(one, (int, float)) for one in values) or abs(sum(values) - 1) > WHOLE or len(labels) < 2:
        listed = ", ".join(shown(label, 40) for label in labels[:8])
        raise UsageError(f"{host} answers the {f'{len(labels)} ' if len(labels) > 1 else ''}{best} ({listed}); {wanted}")
    return sorted(check_class_names(labels, f"the labels of {host}"))
