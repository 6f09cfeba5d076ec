"""Shards of one audit put together into one."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.audit.records import FINISHED
from adversarial.audit.store import ANSWERS, IMAGES, AuditStore
from adversarial.audit.work.capping import CEILING, LOST, TIMING, noted
from adversarial.audit.work.target import FIRST, target_words
from saywhy_core.disk.locks import folder_lock
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adversarial.audit.records import ImageRecord, ProofRecord, WeatherRecord

    Key: TypeAlias = tuple[str, int | None]

PLACES = ("images", "folder", "labels", "label", "batch_size", "made_by", "of_program", "prove", "prove_pixels")
"""Settings that say where a shard's images are, how fast it went, or what was proved; all others must be the same."""

OWN = ("id", "name", "path", "file")
"""What the row of one image may differ in from shard to shard."""

NAMED = 5  # conflicts that an error lists


@dataclass(frozen=True)
class MergeOutcome:
    """What became of the shards.

    Attributes:
        images: images of the merged audit.
        repeated: images that more than one shard held, with the same result.
        waiting: images that are still to be attacked.
        failed: images that could not be attacked.
        renamed: images that got another name, because another shard had an image of theirs.
        releases: the releases of saywhy that wrote the shards.
        alike: images with the same pixels as an earlier image of another file, or another place in one: each counts.
    """

    images: int
    repeated: int
    waiting: int
    failed: int
    renamed: int
    releases: tuple[str, ...]
    alike: int = 0


@dataclass(frozen=True, eq=False)
class _Row:
    store: AuditStore
    record: ImageRecord
    weather: tuple[WeatherRecord, ...]
    proof: ProofRecord | None = None


def merge_audits(shards: Sequence[str | os.PathLike[str]], out: str | os.PathLike[str]) -> MergeOutcome:
    """Put shards of one audit together in a new folder: all rows, pictures, and what was answered about begun images.

    The shards must have been audited with the same settings and the same model. An image that several shards hold must have the
    same result in all; where it is finished in one only, that one counts. The shards stay as they are.

    Args:
        shards: the folders of two audits or more.
        out: the new folder; it must not exist, or be empty. It is there when everything is in it, and not before.

    Raises:
        UsageError: a shard is no audit, is being written, or has other settings; an image has two results; or `out` is taken.
    """
    folders = [Path(shard) for shard in shards]
    if len({folder.resolve() for folder in folders}) < max(2, len(folders)):
        raise UsageError("merging needs two different audits or more; give each folder once")
    goal = Path(out)
    if goal.exists() and (not goal.is_dir() or any(goal.iterdir())):
        raise UsageError(f"{goal} is not empty; give a new folder for the merged audit")
    with ExitStack() as held:
        stores = []
        for folder in folders:
            stores.append(held.enter_context(AuditStore(folder)))
            held.enter_context(folder_lock(folder))
        abouts = [store.about for store in stores]
        _check_settings(folders, abouts)
        rows, repeated = _collected(stores, [_base(about) for about in abouts])
        goal.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{goal.name}.", dir=goal.parent))
        try:
            renamed = _write(made, rows, _common(abouts))
            made.chmod(0o777 & ~_umask())
            os.replace(made, goal)  # noqa: PTH105 - a folder onto an empty folder
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    statuses = [row.record.status for row in rows]
    releases = tuple(sorted({str(about.get("saywhy")) for about in abouts}))
    pixels = [row.record.pixels for row in rows if row.record.pixels is not None]
    alike = len(pixels) - len(set(pixels))
    return MergeOutcome(len(rows), repeated, statuses.count("waiting"), statuses.count("failed"), renamed, releases, alike)


def _check_settings(folders: Sequence[Path], abouts: Sequence[Mapping[str, Any]]) -> None:
    first = _depends(abouts[0])
    for folder, about in zip(folders[1:], abouts[1:], strict=True):
        other = _depends(about)
        for name in dict.fromkeys((*first, *other)):
            if first.get(name) != other.get(name):
                raise UsageError(
                    f"{folders[0]} was audited with {name} = {_shown(first.get(name))} and {folder} with "
                    f"{_shown(other.get(name))}, so that they are no shards of one audit; give shards of one audit alone"
                )


def _depends(about: Mapping[str, Any]) -> dict[str, Any]:
    """What all results of an audit depend on."""
    settings = {name: value for name, value in about.get("settings", {}).items() if name not in PLACES}
    if settings.get("model") is not None:  # it tells the model better than the text that named it
        settings.pop("target", None)
    elif isinstance(settings.get("target"), str) and not settings.get("of_program"):  # the host may be another
        settings["target"], settings["options"] = target_words(settings["target"], settings.get("options") or {})
    return {**settings, "class names": about.get("class_names"), "format": about.get("format")}


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _base(about: Mapping[str, Any]) -> str:
    return str(about.get("settings", {}).get("folder") or "")


def _common(abouts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What holds for the merged audit."""
    first = {name: value for name, value in abouts[0].items() if name not in (CEILING, FIRST)}
    settings = [about.get("settings", {}) for about in abouts]
    shared = {name: value for name, value in settings[0].items() if all(one.get(name) == value for one in settings)}
    bases = [_base(about) for about in abouts]
    images = [
        path if len(set(bases)) == 1 else os.path.normpath(os.path.join(base, path))  # noqa: PTH118 - as its rows
        for base, one in zip(bases, settings, strict=True)
        for path in one.get("images", ())
    ]
    releases = sorted({str(about.get("saywhy")) for about in abouts})
    return {
        **first,
        **{name: total for name in (TIMING, LOST) if (total := sum(noted(about, name) for about in abouts))},
        "saywhy": first.get("saywhy") if len(releases) == 1 else ", ".join(releases),
        "created": min((str(about["created"]) for about in abouts if about.get("created")), default=None),
        "settings": {**settings[0], "labels": None, "label": None, **shared, "images": list(dict.fromkeys(images))},
    }


def _collected(stores: Sequence[AuditStore], bases: Sequence[str]) -> tuple[list[_Row], int]:
    """One row per image, in the order of the shards, and how many were repeated.

    Raises:
        UsageError: an image has two results.
    """
    rows: dict[Key, _Row] = {}
    conflicts: list[str] = []
    repeated: set[Key] = set()
    same_base = len(set(bases)) == 1
    for store, base in zip(stores, bases, strict=True):
        weather: dict[int, list[WeatherRecord]] = {}
        for one in store.weather():
            weather.setdefault(one.image, []).append(one)
        proofs = {proof.image: proof for proof in store.proofs()}
        for record in store.images():
            place = os.path.normpath(os.path.join(base, record.path))  # noqa: PTH118 - "" is a base, too
            moved = record if same_base else replace(record, path=place)
            row = _Row(store, moved, tuple(weather.get(record.id, ())), proofs.get(record.id))
            key = place, record.part
            kept = rows.get(key)
            if kept is None:
                rows[key] = row
                continue
            repeated.add(key)
            better = _better(kept, row)
            if better is None:
                conflicts.append(f"{record.path} in {kept.store.directory} and {store.directory}")
            else:
                rows[key] = better
    if conflicts:
        more = f" and {len(conflicts) - NAMED:,} more" if len(conflicts) > NAMED else ""
        images = "1 image has" if len(conflicts) == 1 else f"{len(conflicts):,} images have"
        raise UsageError(f"{images} two results: {'; '.join(conflicts[:NAMED])}{more}; keep one of the shards that hold them")
    return list(rows.values()), len(repeated)


def _better(one: _Row, two: _Row) -> _Row | None:
    """Which of two rows of one image counts; None where both are finished and differ."""
    finished = [row.record.status in FINISHED for row in (one, two)]
    if all(finished):
        return _better_proved(one, two) if _result(one) == _result(two) else None
    if any(finished):
        return one if finished[0] else two
    return two if one.record.status == "waiting" and two.record.status == "failed" else one


def _better_proved(one: _Row, two: _Row) -> _Row:
    """Of two rows with the same result, the one of whose image more is proved."""
    if two.proof is None or (one.proof is not None and one.proof.lower >= two.proof.lower):
        return one
    return two


def _result(row: _Row) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    weather = sorted((one.kind, one.severity, one.value, one.predicted, one.confidence, one.flipped) for one in row.weather)
    return {name: value for name, value in asdict(row.record).items() if name not in OWN}, weather


def _write(folder: Path, rows: Iterable[_Row], about: Mapping[str, Any]) -> int:
    """Write the merged audit; how many images got another name."""
    names: set[str] = set()
    renamed = 0
    with AuditStore(folder, write=True) as store:
        store.tell(**about)
        (folder / IMAGES).mkdir(exist_ok=True)
        for number, row in enumerate(rows, 1):
            name = _free(row.record.name, names)
            names.add(name)
            renamed += name != row.record.name
            record = replace(row.record, id=number, name=name, file=None)
            if row.record.file is not None and (source := row.store.directory / row.record.file).is_file():
                record = replace(record, file=f"{IMAGES}/{number:06d}.npz")
                shutil.copyfile(source, folder / str(record.file))
            answers = row.store.answers_file(row.record)
            if answers.is_file():
                (folder / ANSWERS).mkdir(exist_ok=True)
                shutil.copyfile(answers, store.answers_file(record))
            store.write(record, [replace(one, image=number) for one in row.weather])
            if row.proof is not None:
                store.write_proof(replace(row.proof, image=number))
    return renamed


def _free(name: str, taken: set[str]) -> str:
    found, number = name, 2
    while found in taken:
        found, number = f"{name} ({number})", number + 1
    return found


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
