"""Audits made up: any number of images, their figures drawn from a seeded generator, sentences as saywhy writes them."""

from __future__ import annotations

import numpy as np

from adversarial.audit.records import ImageArrays, ImageRecord, WeatherRecord
from adversarial.audit.store import AuditStore
from verbalize.parts import located, place_in_words

KINDS = ("blur", "brightness", "contrast", "jpeg", "noise", "occlusion", "rotation", "scale", "shift")
NAMES = ("stop", "give way", "no entry", "priority road", "danger", "roundabout", "keep right", "speed limit 30")


def mention(number, names):
    return f"'{names[number]}'" if names is not None else f"class {number}"


def count(number, noun):
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def sentence(record, mask, names, budget):
    """What `finding_in_words` says of it, for L0."""
    label = mention(record.label, names)
    if record.status == "found":
        number = int(mask.sum())
        where = located(place_in_words(mask, mask.shape))
        queries = "query" if record.found_after == 1 else "queries"
        return (
            f"Changing {count(number, 'pixel')} {where} turns {label} into {mention(record.adversarial_label, names)}. "
            f"It was found after {record.found_after:,} {queries}; the attack made {record.search_queries:,} of {budget:,} queries."
        )
    if record.status == "held":
        return f"No change that turns {label} into another class was found within {budget:,} queries. There may still be one."
    return None


def make_audit(
    folder, images, *, names=NAMES, seed=0, side=24, shares=(0.7, 0.2, 0.06, 0.04), weather=KINDS, arrays=True, waiting=0,
    budget=1000, paths="images/{number:05d}.png", settings=None, changed=None,
):  # fmt: skip
    """An audit of so many images; `shares` are those found, held, wrong and failed."""
    draw = np.random.default_rng(seed)
    classes = len(names) if names is not None else 8
    with AuditStore(folder, write=True) as store:
        store.tell(
            format=1, saywhy="0.1.0", created="2026-11-26T06:00:00+00:00", class_names=None if names is None else list(names),
            settings={"target": "demo:signs", "distance": "l0", "budget": budget, "seed": 0, **(settings or {})},
        )  # fmt: skip
        for number in range(1, images + 1):
            status = str(draw.choice(["found", "held", "wrong", "failed"], p=np.array(shares) / sum(shares)))
            if number > images - waiting:
                status = "waiting"
            record, kept = _image(draw, number, status, names, classes, side, budget, paths, changed)
            seen = [] if status in ("waiting", "failed") or not weather else list(_weather(draw, record, weather, classes))
            store.write(record, seen, kept if arrays else None)
    return folder


def _image(draw, number, status, names, classes, side, budget, paths, changed):
    label = int(draw.integers(classes))
    now = int((label + draw.integers(1, classes)) % classes) if classes > 1 else label
    shared = {
        "id": number, "name": f"image-{number:05d}", "path": paths.format(number=number), "status": status, "label": label,
        "label_name": None if names is None else names[label], "norm": "l0", "height": side, "width": side, "channels": 3,
    }  # fmt: skip
    if status == "waiting":
        return ImageRecord(**shared), None
    if status == "failed":
        return ImageRecord(**shared, error=str(draw.choice(["the answer holds NaN", "time-out after 30 s"]))), None
    original = draw.integers(0, 256, (side, side, 3)).astype(np.float32) / np.float32(255)
    heat = np.exp(-((np.mgrid[:side, :side] - draw.integers(0, side, (2, 1, 1))) ** 2).sum(axis=0) / side)
    if status == "held":
        shared |= {"predicted": label, "predicted_name": shared["label_name"], "queries": budget, "search_queries": budget}
        record = ImageRecord(**shared, sentence=sentence(ImageRecord(**shared), None, names, budget))
        return record, ImageArrays(original, None, None, heat.astype(np.float32))
    wrong = status == "wrong"
    pixels = 0 if wrong else min(max(1, side * side // 2), 1 + int(draw.exponential(9)))
    pixels = pixels if changed is None else changed
    adversarial, mask = original.copy(), np.zeros((side, side), bool)
    if pixels:
        places = np.argsort(-(heat + draw.random((side, side)) / 3), axis=None)[:pixels]
        mask.ravel()[places] = True
        adversarial[mask] = 1 - np.round(original[mask])
    first = int(draw.integers(1, budget // 2))
    last = int(draw.integers(first, budget + 1))
    record = ImageRecord(
        **shared, predicted=now if wrong else label, predicted_name=None if names is None else names[now if wrong else label],
        adversarial_label=now, adversarial_name=None if names is None else names[now], confidence=float(draw.random()),
        distance=float(mask.sum()), distances={"l0": float(mask.sum()), "l2": 1.5}, queries=1 if wrong else budget,
        search_queries=1 if wrong else budget, found_after=1 if wrong else last,
        trace=((1, 0.0),) if wrong else ((first, float(pixels + 5)), (last, float(pixels))),
        changed_pixels=int(mask.sum()), place=place_in_words(mask, mask.shape) if pixels else None,
        survives={} if wrong else {"png": bool(draw.random() < 0.98), "jpeg": bool(draw.random() < 0.3)},
    )  # fmt: skip
    record = ImageRecord(**{**vars(record), "sentence": sentence(record, mask, names, budget)})
    return record, ImageArrays(original, adversarial, heat.astype(np.float32), heat.astype(np.float32))


def _weather(draw, record, kinds, classes):
    for place, kind in enumerate(kinds):
        for severity in (1, 3, 5):
            flipped = bool(draw.random() < 0.04 * (place + 1) * severity / 5)
            yield WeatherRecord(
                image=record.id, kind=kind, severity=severity, value=severity / 10, predicted=record.label or 0,
                confidence=0.5, flipped=flipped,
            )  # fmt: skip
