"""The summary of an audit: one walk over its database and its pictures."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adversarial.audit.plan import proof_totals
from adversarial.audit.summary import statements as said
from adversarial.audit.summary.mapping import MeanMap, change_map, map_in_words, question_of, rounded, shrunk, smoothed
from adversarial.audit.summary.nouns import (
    AuditSummary,
    Brittle,
    ClassRow,
    Flip,
    FragileImage,
    ImageRow,
    ProofCounts,
    WeatherRow,
)
from adversarial.audit.summary.recounting import Rows, judged
from adversarial.audit.summary.repeating import command_of, why_no_command
from adversarial.audit.summary.survival import held_by_distance, held_by_queries, median_of, wilson
from adversarial.bounds.pixel_words import condition_of
from adversarial.distances.distance import DISTANCES
from adversarial.findings.facts import FindingFacts, ProofFacts
from adversarial.findings.reading import check_finding
from adversarial.result import had_nothing_more
from saywhy_core.errors import UsageError
from saywhy_core.names import class_index
from verbalize.parts import place_in_words
from verbalize.saliency import Query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adversarial.audit.records import ImageArrays, ImageRecord, ProofRecord, WeatherRecord
    from adversarial.audit.store import AuditStore
    from adversarial.audit.summary.nouns import MapText, Statement

PICTURES = 60
"""The images with pictures in a report, if nobody says otherwise: some 2 MB, which a browser shows in a second."""
MOST_PICTURES = 1_000
"""The most of them: pictures are held in memory, and a page of more would not open."""


def summarize_audit(store: AuditStore, *, pictures: int = PICTURES) -> AuditSummary:
    """All that reports tell of an audit, with every sentence checked.

    Sentences about single images are checked against their pictures, those about maps against the maps, and those with figures
    about the whole against the rows, counted another way. Memory grows by some kilobytes per image: pictures are read one
    after the other.

    Args:
        store: the database.
        pictures: of how many images, the most fragile first, the summary holds pictures and maps.

    Raises:
        UsageError: `pictures` is below 0 or above 1,000, or the distance of the audit is not known here.
    """
    if not 0 <= pictures <= MOST_PICTURES:
        raise UsageError(f"the number of images with pictures must be from 0 to {MOST_PICTURES:,}, not {pictures}")
    about = store.about
    records = list(store.images())
    weather = list(store.weather())
    norm = _norm(about, records)
    walk = _Walk(store, about, norm, pictures)
    with closing(Rows(norm)) as rows:
        images, outcomes = [], []
        hit = _hits(weather)
        order = {record.id: rank for rank, record in enumerate(sorted(records, key=lambda one: _fragility(one, norm)), 1)}
        for record in records:
            rows.add(record, distance_of(record, norm))
            if record.status in ("found", "held"):
                outcomes.append(_outcome(record))
            images.append(walk.row(record, order[record.id], hit.get(record.id)))
            if record.id in walk.proofs:
                rows.add_proof(walk.proofs[record.id])
        rows.add_weather(weather)
        images.sort(key=lambda row: _fragility(row.record, norm))
        return _summary(store, about, norm, walk, rows, images, outcomes, weather)


def _summary(
    store: AuditStore,
    about: Mapping[str, Any],
    norm: str,
    walk: _Walk,
    rows: Rows,
    images: Sequence[ImageRow],
    outcomes: Sequence[tuple[int, bool]],
    weather: Sequence[WeatherRecord],
) -> AuditSummary:
    counts = store.counts()
    attacked = [row for row in images if row.record.status in ("found", "held")]
    distances = [row.distance for row in attacked]
    by_distance, by_queries = held_by_distance(distances, counts["wrong"]), held_by_queries(outcomes)
    classes, flips = _classes(images), _flips(images)
    kinds, brittle = _weather(weather, attacked)
    survives = _survives(images)
    places = tuple(walk.places.most_common())
    median = median_of(distances)
    proofs, totals = _proofs([row.proof for row in images if row.proof is not None]), proof_totals(store)
    told: list[tuple[str, str]] = [
        *said.of_images(counts, goal=(about.get("settings") or {}).get("goal") is not None),
        *said.of_distances(by_distance, norm, median, len(attacked)),
        *said.of_queries(by_queries),
        *said.of_proofs(proofs, *((totals.missing, totals.stopped) if totals is not None else ())),
        *said.of_classes(classes, flips),
        *said.of_places(places),
        *said.of_weather(kinds, brittle),
        *said.of_saving(survives),
    ]
    checked: list[Statement] = [judged(matter, text, rows) for matter, text in told]
    return AuditSummary(
        directory=str(store.directory), about=about, norm=norm, title=DISTANCES.get(norm).title, counts=counts,
        right=wilson(len(attacked), len(attacked) + counts["wrong"]), by_distance=by_distance, by_queries=by_queries,
        median=median, classes=classes, flips=flips, weather=kinds, brittle=brittle, survives=survives, places=places,
        maps=tuple(walk.maps()), images=tuple(images), fragile=tuple(sorted(walk.fragile, key=lambda one: one.row.rank or 0)),
        statements=tuple(checked), command=command_of(store.directory, about),
        unrepeatable=why_no_command(about), proofs=proofs,
    )  # fmt: skip


class _Walk:
    """What is gathered while the pictures are read, one image after the other."""

    def __init__(self, store: AuditStore, about: Mapping[str, Any], norm: str, pictures: int) -> None:
        self._store, self._norm, self._pictures = store, norm, pictures
        settings = about.get("settings") or {}
        self._budget = settings.get("budget") if isinstance(settings.get("budget"), int) else None
        self._names: Sequence[str] | None = about.get("class_names")
        self._goal = settings.get("goal")
        self.proofs = {proof.image: proof for proof in store.proofs()}
        known = range(len(self._names or ()))
        self._labels = frozenset(_mention(index, None, self._names) for index in known)
        self.places: Counter[str] = Counter()
        self.fragile: list[FragileImage] = []
        self._changes, self._touched = MeanMap(), MeanMap()

    def row(self, record: ImageRecord, order: int, weather: int | None) -> ImageRow:
        found = record.status == "found"
        needed = record.status in ("found", "held", "wrong")
        arrays = self._store.arrays(record) if needed else None
        if found:
            self._add(record, arrays)
        if arrays is not None and arrays.touched is not None and needed:
            self._touched.add(arrays.touched)
        facts = self._facts(record, arrays)
        sentences = check_finding(record.sentence, facts) if record.sentence and needed else ()
        proof = self.proofs.get(record.id) if needed else None
        row = ImageRow(
            replace(record, trace=()), order if found else None, distance_of(record, self._norm), sentences, weather, proof,
            () if proof is None else check_finding(proof.sentence, replace(facts, proof=self._proof_facts(proof, facts))),
        )  # fmt: skip
        if found and order <= self._pictures:
            self.fragile.append(FragileImage(row, arrays, self._learned(record, arrays)))
        return row

    def maps(self) -> list[MapText]:
        """Where the changes fall, and what mattered to the searches, over all images."""
        found = []
        for name, mean, title in (
            ("changes", self._changes, "Where the changes of all adversarial examples fall"),
            ("touched", self._touched, "What mattered to all searches"),
        ):
            values = mean.mean()
            text = None if values is None else map_in_words(values, Query("another class"), title, name, mean.images)
            if text is not None:
                found.append(text)
        return found

    def _add(self, record: ImageRecord, arrays: ImageArrays | None) -> None:
        place = record.place
        if arrays is not None and arrays.adversarial is not None and arrays.adversarial.shape == arrays.original.shape:
            self._changes.add(change_map(arrays.original, arrays.adversarial))
            mask = (arrays.adversarial != arrays.original).any(axis=2)
            place = place_in_words(mask, mask.shape) if mask.any() else None
        if place:
            self.places[place] += 1

    def _facts(self, record: ImageRecord, arrays: ImageArrays | None) -> FindingFacts:
        success = record.status == "found" or (record.status == "wrong" and record.adversarial_label is not None)
        return FindingFacts(
            success=success,
            label=_mention(record.label, record.label_name, self._names),
            now=_mention(record.adversarial_label, record.adversarial_name, self._names) if success else None,
            goal=self._goal_mention(),
            queries=record.search_queries or record.queries,
            budget=self._budget,
            found_after=record.found_after,
            norm=record.norm or self._norm,
            original=None if arrays is None else arrays.original,
            adversarial=None if arrays is None else arrays.original if record.status == "wrong" else arrays.adversarial,
            touched=None if arrays is None else arrays.touched,
            labels=self._labels,
            exhausted=had_nothing_more(record.note),
        )

    def _proof_facts(self, proof: ProofRecord, facts: FindingFacts) -> ProofFacts:
        """What is known of a proof; how many pixels its example changes is counted from the example."""
        upper: float = math.inf if proof.upper is None else proof.upper
        mask = facts.changed
        if proof.upper and proof.changed is not None:
            upper = len({(y, x) for y, x, _ in json.loads(proof.changed)})
        elif proof.upper and mask is not None:
            upper = int(mask.sum())
        now = None
        if proof.adversarial_label is not None:
            now = _mention(proof.adversarial_label, proof.adversarial_name, self._names)
        return ProofFacts(
            lower=proof.lower, upper=upper, condition=condition_of(proof.network), now=now,
            still_open=None if proof.finished else 1 - proof.share,
            image_pixels=None if facts.original is None else int(np.prod(facts.original.shape[:2])),
        )  # fmt: skip

    def _goal_mention(self) -> str | None:
        if self._goal is None:
            return None
        try:
            number = class_index(self._goal, self._names, "the goal")
        except UsageError:
            return f"'{self._goal}'"
        return _mention(number, None, self._names)

    def _learned(self, record: ImageRecord, arrays: ImageArrays | None) -> MapText | None:
        if arrays is None or arrays.touched is None or not np.any(arrays.touched > 0):
            return None
        values = rounded(smoothed(shrunk(np.maximum(arrays.touched.astype(np.float64), 0))))
        try:
            query = question_of(
                _bare(record.label, record.label_name), _bare(record.adversarial_label, record.adversarial_name)
            )
        except UsageError:
            return None
        text = map_in_words(values, query, "What mattered to the search", f"image {record.id}", 1)
        return text if text is not None and text.verdict == "true" else None


def distance_of(record: ImageRecord, norm: str) -> float | None:
    """The distance of an image's adversarial example, in that distance; None where there is none."""
    if record.status != "found":
        return None
    return record.distance if record.norm in (norm, None) else record.distances.get(norm)


def name_of(label: int | None, name: str | None) -> str:
    """A class as people read it; "" where there is none."""
    return "" if label is None and name is None else _mention(label, name, None)


def _mention(label: int | None, name: str | None, names: Sequence[str] | None) -> str:
    if name is not None:
        return f"'{name}'"
    if names is not None and label is not None and 0 <= label < len(names):
        return f"'{names[label]}'"
    return f"class {label}"


def _bare(label: int | None, name: str | None) -> str | None:
    return name if name is not None else None if label is None else f"class {label}"


def _norm(about: Mapping[str, Any], records: Sequence[ImageRecord]) -> str:
    """The distance of the audit: that of most of its images, or of its settings where it has none yet."""
    found = Counter(record.norm for record in records if record.norm is not None)
    settings = about.get("settings") or {}
    return found.most_common(1)[0][0] if found else str(settings.get("distance") or "l0")


def _fragility(record: ImageRecord, norm: str) -> tuple[int, float, int, int]:
    """The order of a report: what was turned, the smallest change first; what held; what was wrong; what failed or waits."""
    place = {"found": 0, "held": 1, "wrong": 2, "failed": 3, "waiting": 4}[record.status]
    distance = distance_of(record, norm)
    return place, float("inf") if distance is None else distance, _outcome(record)[0], record.id


def _outcome(record: ImageRecord) -> tuple[int, bool]:
    """The queries to the first adversarial example and True, or those of the whole search and False."""
    spent = record.search_queries or record.queries
    if record.status != "found":
        return spent, False
    first = next((queries for queries, distance in record.trace if distance is not None), record.found_after)
    return (spent if first is None else first), True


def _hits(weather: Sequence[WeatherRecord]) -> dict[int, int]:
    """Per image with weather, how many kinds changed its decision at any severity."""
    kinds: dict[int, set[str]] = defaultdict(set)
    for one in weather:
        kinds[one.image].update((one.kind,) if one.flipped else ())
    return {image: len(hit) for image, hit in kinds.items()}


def _classes(images: Sequence[ImageRow]) -> tuple[ClassRow, ...]:
    groups: dict[str, list[ImageRow]] = defaultdict(list)
    for row in images:
        groups[name_of(row.record.label, row.record.label_name) or "no class yet"].append(row)
    rows = []
    for name, group in groups.items():
        statuses = Counter(row.record.status for row in group)
        attacked = [row.distance for row in group if row.record.status in ("found", "held")]
        near = [distance for distance in attacked if distance is not None]
        turned = wilson(statuses["found"], len(attacked))
        nearest = min(near, default=None)
        rows.append(ClassRow(name, len(group), statuses["wrong"], statuses["failed"], turned, nearest, median_of(attacked)))
    return tuple(sorted(rows, key=lambda row: (-(row.turned.value or 0), -row.turned.of, row.name)))


def _flips(images: Sequence[ImageRow]) -> tuple[Flip, ...]:
    counts = Counter(
        (name_of(row.record.label, row.record.label_name), name_of(row.record.adversarial_label, row.record.adversarial_name))
        for row in images
        if row.record.status == "found"
    )
    return tuple(Flip(label, now, count) for (label, now), count in sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def _weather(weather: Sequence[WeatherRecord], attacked: Sequence[ImageRow]) -> tuple[tuple[WeatherRow, ...], Brittle | None]:
    status = {row.record.id: row.record.status for row in attacked}
    cells: dict[tuple[str, int], list[bool]] = defaultdict(list)
    values: dict[tuple[str, int], float | None] = {}
    hit: dict[int, bool] = {}
    for one in weather:
        if one.image in status:
            cells[one.kind, one.severity].append(one.flipped)
            values[one.kind, one.severity] = one.value
            hit[one.image] = hit.get(one.image, False) or one.flipped
    rows = tuple(
        WeatherRow(kind, severity, values[kind, severity], wilson(sum(flips), len(flips)))
        for (kind, severity), flips in sorted(cells.items())
    )
    if not hit:
        return rows, None
    both = Counter((status[image] == "found", flipped) for image, flipped in hit.items())
    return rows, Brittle(both[True, False], both[True, True], both[False, True], both[False, False])


def _proofs(proofs: Sequence[ProofRecord]) -> ProofCounts | None:
    if not proofs:
        return None
    most = max(proof.lower for proof in proofs) - 1
    against = tuple((pixels, sum(proof.lower > pixels for proof in proofs)) for pixels in range(1, most + 1))
    conditions = {condition_of(proof.network) for proof in proofs}
    condition = conditions.pop() if len(conditions) == 1 else None
    return ProofCounts(len(proofs), sum(proof.exact for proof in proofs), against, condition)


def _survives(images: Sequence[ImageRow]) -> dict[str, Any]:
    found = [row.record.survives for row in images if row.record.status == "found"]
    return {
        kind: wilson(sum(bool(one[kind]) for one in found if kind in one), sum(kind in one for one in found))
        for kind in ("png", "jpeg")
        if any(kind in one for one in found)
    }
