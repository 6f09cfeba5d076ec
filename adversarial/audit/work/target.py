"""The classifier of an audit: opened, and held against the one that the audit was begun with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.audit.records import FINISHED
from saywhy_core.classifiers import CallableClassifier, ClassifierError, ask_some_again, load_classifier, same_answer
from saywhy_core.classifiers.spec import split_spec
from saywhy_core.errors import UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    from adversarial.audit.records import ImageRecord
    from adversarial.audit.store import AuditStore
    from adversarial.audit.work.outcomes import Outcome
    from adversarial.audit.work.places import Places
    from saywhy_core.classifiers import Classifier

HARMLESS = frozenset({"batch_size", "concurrency", "rate", "timeout", "retries", "key_env", "key_header"})
"""Options that say how a classifier is asked, and not what it answers. They may change, and so may the host of a server."""
NAMES = frozenset({"names", "class_names"})  # compared by what they come to, since a file of names may lie elsewhere
FIRST = "first_answer"
"""The name of what an audit notes of the answer about the original of its first finished image."""
MOST = 2_000  # classes whose scores are noted: enough to tell two classifiers apart, in 40 kB
TRIED = 3  # images that are begun, whose answers are looked for where no image is finished
REMEMBERED = 8_000_000  # bytes of answers that the classifier remembers: each image's own are kept in its file until it is done
_HOST = re.compile(r"https?://[^/#?]*", re.IGNORECASE)


def open_target(
    target: str | Classifier | None, kept: Mapping[str, Any], options: Mapping[str, Any], trust: bool, places: Places
) -> tuple[str, Classifier]:
    """The text of an audit's target, and the classifier.

    Args:
        target: what was given; None for what the audit has.
        kept: the settings of the audit; empty for a new one.
        options: of the target, beside its text.
        trust: whether code that comes with the target may run.
        places: where its relative paths start.

    Raises:
        UsageError: it can't be opened.
    """
    if target is not None and not isinstance(target, str):
        if trust:
            raise UsageError("trust has no effect on a classifier that is opened already; leave it out")
        return str(getattr(target, "identity", None) or f"a classifier of this program ({type(target).__name__})"), target
    if target is None and kept.get("of_program"):
        raise UsageError(f"this audit was begun with a classifier of a program; give it again ({argument('target')})")
    spec = target or str(kept.get("target"))
    try:
        opened = load_classifier(spec, trust=trust, **dict(options))
    except UsageError as error:
        if target is not None or not places.away:
            raise
        raise UsageError(
            f"{error}; the audit was begun in {places.folder}: give the command there, "
            f"or the target again ({argument('target')})"
        ) from error
    if isinstance(opened, CallableClassifier):
        opened.memory = REMEMBERED
    return spec, opened


def lasting(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a target that an audit keeps to."""
    return {name: value for name, value in options.items() if name not in HARMLESS}


def target_words(spec: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What of a target an audit keeps to: its kind, path and model, without the host of a server, and its `lasting` options."""
    address, written = split_spec(spec)
    kind, _, where = address.partition(":")
    together = lasting({**written, **options})
    place, mark, model = _HOST.sub("", where).partition("#")
    return f"{kind}:{place.rstrip('/')}{mark}{model}", {name: together[name] for name in sorted(together.keys() - NAMES)}


def check_same_target(spec: str, classifier: Classifier, options: Mapping[str, Any], kept: Mapping[str, Any]) -> None:
    """See that an audit goes on with the target that it was begun with, as far as its text and its model tell.

    Args:
        spec: the text of the target.
        classifier: the target, opened.
        options: of the target, beside its text.
        kept: the settings of the audit.

    Raises:
        UsageError: it is another one.
    """
    way = "leave the target out to go on with it, or give another folder"
    if kept.get("model") != classifier.identity:
        raise UsageError("the target is another model than the one that this audit was begun with; give another folder")
    if kept.get("scores") not in (None, classifier.scores):
        raise UsageError(f"this folder holds an audit with scores = {kept['scores']!r}, not {classifier.scores!r}; {way}")
    if classifier.identity is not None or kept.get("of_program"):
        return
    before, now = target_words(str(kept["target"]), kept.get("options") or {}), target_words(spec, options)
    if before[0] != now[0]:
        raise UsageError(
            f"this folder holds an audit of {kept['target']}, not of {spec}: of a server only the host may be another; {way}"
        )
    if before[1] != now[1]:
        name = next(name for name in (*now[1], *before[1]) if now[1].get(name) != before[1].get(name))
        had, new = (f"the option {name} = {one[name]!r}" if name in one else f"no option {name}" for one in (before[1], now[1]))
        raise UsageError(
            f"this folder holds an audit whose target has {had}, and not {new}: of the options only "
            f"{', '.join(sorted(HARMLESS))} may be others; {way}"
        )


def note_answer(store: AuditStore, outcome: Outcome) -> None:
    """Note the answer about an original, for whoever goes on with the audit; the first one stays."""
    if outcome.clean is None or outcome.record.status not in FINISHED or FIRST in store.about:
        return
    scores = outcome.clean
    store.tell(**{FIRST: {"image": outcome.record.id, "classes": len(scores), "scores": scores[:MOST].tolist()}})


def check_same_answers(
    store: AuditStore,
    classifier: Classifier,
    begun: Callable[[ImageRecord], tuple[NDArray[np.float32], NDArray[np.float64]] | None],
    *,
    noisy: bool,
) -> int:
    """See that a classifier without an identity answers as before, by one question about an image that it was asked about.

    Args:
        store: the audit.
        classifier: the classifier.
        begun: the original (H, W, C) of an image that is begun and its scores (K,); None where there are none.
        noisy: whether it may answer differently when it is asked again: then only the number of classes is compared.

    Returns:
        How many queries that took.

    Raises:
        UsageError: it answers otherwise.
    """
    known = _noted(store) or next(_of_begun(store, begun), None)
    if known is None:
        return 0
    image, scores, classes = known
    try:
        now = np.asarray(ask_some_again(classifier, image[None], 1)[0])
    except ClassifierError:  # the audit itself will tell
        return 1
    what = f"it gives {len(now):,} scores per image, and gave {classes:,}" if len(now) != classes else ""
    if not what and not noisy and not same_answer(scores, now[: len(scores)]):
        what = "it answers otherwise about the first image"
    if what:
        raise UsageError(
            f"the target is another classifier than the one that this audit was begun with, or has changed since: {what}; give "
            "another folder"
        )
    return 1


def _noted(store: AuditStore) -> tuple[NDArray[np.float32], NDArray[np.float64], int] | None:
    noted = store.about.get(FIRST)
    try:
        arrays = store.arrays(store.image(int(noted["image"])))  # type: ignore[index]
        scores, classes = np.asarray(noted["scores"], dtype=np.float64), int(noted["classes"])  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None
    return None if arrays is None else (arrays.original, scores, classes)


def _of_begun(
    store: AuditStore, begun: Callable[[ImageRecord], tuple[NDArray[np.float32], NDArray[np.float64]] | None]
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float64], int]]:
    tried = 0
    for record in store.images("waiting"):
        if tried == TRIED:
            return
        if store.answers_file(record).exists():
            tried += 1
            found = begun(record)
            if found is not None:
                yield (*found, len(found[1]))
