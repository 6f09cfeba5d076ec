"""Audits with rows that a test chooses."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from adversarial.audit import AuditStore, ImageRecord, WeatherRecord

SETTINGS = {
    "target": "demo:signs", "model": "one", "distance": "l0", "budget": 1000, "seed": 0, "goal": None, "levels": None,
    "weather": ["blur"], "severities": [1, 3], "images": ["images"], "folder": "/data",
}  # fmt: skip


def found(distance, at=100, **more):
    """An image with an adversarial example, found by the query `at`."""
    return {
        "status": "found", "distance": float(distance), "trace": ((at, float(distance)),), "found_after": at,
        "adversarial_label": 1, "adversarial_name": "yield", "queries": 1000, "search_queries": 1000, **more,
    }  # fmt: skip


def held(**more):
    return {"status": "held", "trace": ((1000, None),), "queries": 1000, "search_queries": 1000, **more}


def wrong(**more):
    return {"status": "wrong", "distance": 0.0, "predicted": 1, "predicted_name": "yield", "queries": 2, **more}


def failed(**more):
    return {"status": "failed", "error": "it is no image", **more}


def waiting(**more):
    return {"status": "waiting", "pixels": None, **more}


def make_audit(where, rows, weather=(), class_names=("stop", "yield"), **settings):
    """An audit of these images: {name: what its row holds}; weather: {name: {(kind, severity): predicted}}."""
    with AuditStore(where, write=True) as store:
        store.tell(
            format=1, saywhy="1.0", settings={**SETTINGS, **settings}, class_names=list(class_names), created="2026-01-01"
        )
        for number, (name, held_) in enumerate(rows.items(), 1):
            row = {
                "path": f"{name}.png", "label": 0, "label_name": "stop", "predicted": 0, "predicted_name": "stop",
                "norm": "l0", "pixels": f"p-{name}", **held_,
            }  # fmt: skip
            record = ImageRecord(id=number, name=name, **row)
            store.add([replace(record, status="waiting")])
            asked = [
                WeatherRecord(
                    image=number, kind=kind, severity=severity, value=severity / 10, predicted=predicted, confidence=0.9,
                    flipped=predicted != 0,
                )
                for (kind, severity), predicted in dict(weather).get(name, {}).items()
            ]  # fmt: skip
            store.write(record, asked)
    return where


def tools(root):
    return SimpleNamespace(
        make=lambda name, rows, *rest, **settings: make_audit(root / name, rows, *rest, **settings),
        found=found, held=held, wrong=wrong, failed=failed, waiting=waiting,
    )  # fmt: skip


@pytest.fixture
def audits(tmp_path):
    """`audits.make(name, images, ...)` writes an audit; `audits.found(3)` and the others are its rows."""
    return tools(tmp_path)


@pytest.fixture(scope="module")
def shared_audits(tmp_path_factory):
    """The same, in a folder that the tests of a module share."""
    return tools(tmp_path_factory.mktemp("audits"))
