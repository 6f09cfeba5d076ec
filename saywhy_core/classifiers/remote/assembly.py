"""A classifier from a function that asks a server: what the protocols have in common."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers.callable_classifier import CallableClassifier
from saywhy_core.classifiers.classifier import ClassifierError, EndpointError
from saywhy_core.classifiers.remote.batching import Requests
from saywhy_core.classifiers.remote.declared import in_words
from saywhy_core.errors import UsageError, argument
from saywhy_core.wire.words import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from saywhy_core.classifiers.classifier import ImageShape, Scores
    from saywhy_core.classifiers.remote.client import Client

    Images: TypeAlias = NDArray[np.float32]

MOST_IMAGES = 64  # per request, as many as the attacks ask about at a time
MOST_BYTES = 8 * 2**20  # of a request; many servers and proxies refuse more by default


def images_per_request(shape: ImageShape, bytes_per_value: float) -> int:
    """How many images a request holds where the user says nothing: what stays below some megabytes."""
    values = math.prod(size or 0 for size in shape) or 224 * 224 * 3  # the size of images is often free, and that is usual
    return max(1, min(MOST_IMAGES, int(MOST_BYTES / (values * bytes_per_value))))


def classifier_at(
    client: Client,
    ask: Callable[[Images], NDArray[Any]],
    *,
    scores: Scores,
    class_names: Sequence[str] | None,
    classes: int | None,
    image_shape: Sequence[int | None],
    size: int | None,
    alive: Callable[[], bool] | None = None,
    levels: int | None = None,
) -> CallableClassifier:
    """The classifier that asks a server, several requests at a time.

    Args:
        client: of the server.
        ask: one request: images -> rows of scores, or class numbers.
        scores: what they are.
        class_names: one name per class.
        classes: how many classes there are, where nothing else tells.
        image_shape: what the server takes.
        size: the most images per request.
        alive: whether the server says that it is well.
        levels: how many values a channel of an image can have on its way.
    """
    concurrency = client.connection.concurrency
    classifier = CallableClassifier(
        Requests(ask, concurrency, size, alive), scores, class_names, classes=classes, image_shape=image_shape
    )
    classifier.concurrency, classifier.levels, classifier.remote = concurrency, levels, True
    return classifier


def two_axes(rows: NDArray[Any]) -> NDArray[Any]:
    """Scores without axes of one value behind the classes: some networks keep those of the image after global pooling."""
    if rows.ndim > 2 and len(rows) and rows[0].size == rows.shape[1]:
        return rows.reshape(rows.shape[:2])
    return rows


def class_numbers(labels: Sequence[Any], class_names: Sequence[str] | None, where: str) -> NDArray[np.int64]:
    """The numbers of classes that an endpoint names, by their names or as numbers.

    Raises:
        EndpointError: a label is none of the class names; the names are wrong then, and no image is to blame.
        ClassifierError: a label is neither a text nor a whole number.
    """
    index = {} if class_names is None else {name: number for number, name in enumerate(class_names)}
    stripped: dict[str, int] = {}
    for name, number in index.items():  # -1 for what two names come to
        stripped[name.strip()] = -1 if name.strip() in stripped else number
    found = []
    for label in labels:
        text = label.decode("utf-8", "replace") if isinstance(label, bytes) else label
        if isinstance(text, str) and text in index:
            found.append(index[text])
        elif isinstance(text, str) and stripped.get(text.strip(), -1) >= 0:  # with blanks or a line end around it
            found.append(stripped[text.strip()])
        elif isinstance(text, str) and class_names is not None:
            raise EndpointError(
                f"{where} answered the label {shown(text, 80)!r}, which is none of the {len(class_names)} class names; "
                "give the names as the endpoint writes them in the option names"
            )
        else:
            found.append(_number(text, where))
    return np.array(found, dtype=np.int64)


def _number(label: Any, where: str) -> int:
    digits = label.rpartition("_")[2] if isinstance(label, str) else ""  # LABEL_3 is what models without names answer
    if digits.isdecimal() and len(digits) < 9:
        return int(digits)
    if isinstance(label, str):
        raise EndpointError(
            f"{where} answered the label {shown(label, 80)!r}; give the names of its classes in the option names"
        )
    if isinstance(label, (int, float)) and not isinstance(label, bool) and 0 <= label < 1e9 and label == int(label):
        return int(label)
    raise ClassifierError(f"{where} answered {shown(str(label), 60)!r} in the place of a label")


def channels_of(given: Sequence[int | None] | None, declared: Sequence[int | None]) -> int | None:
    """How many channels images have, by the user's `image_shape` or by the metadata; None where neither tells."""
    for shape in (given, declared):
        if isinstance(shape, (list, tuple)) and len(shape) == 3 and isinstance(shape[2], int):
            return shape[2]
    return None


def agreeing(given: Sequence[int | None], declared: Sequence[int | None], name: str) -> Sequence[int | None]:
    """The image's shape as the user gives it, where it does not contradict the metadata.

    Raises:
        UsageError: it does.
    """
    try:
        wrong = len(given) == 3 and any(
            a is not None and b is not None and a != b for a, b in zip(given, declared, strict=True)
        )
    except TypeError:
        return given  # which the classifier refuses with its own words
    if wrong:
        raise UsageError(f"{argument('image_shape')} is {in_words(given)}, but {name} takes images of {in_words(declared)}")
    return given
