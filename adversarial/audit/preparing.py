"""Everything that an audit needs before its first query: the classifier, the images that wait, and what they depend on."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from adversarial.answer_file import AnswerFile
from adversarial.audit.choices import PROVING, check_same_labels, check_same_names
from adversarial.audit.engines.engine import Tasks
from adversarial.audit.gathering import AuditImage
from adversarial.audit.image_files import ImageFiles, source_of
from adversarial.audit.image_folders.placing import pixels_digest
from adversarial.audit.plan import AuditPlan
from adversarial.audit.settings import audit_settings, image_digest
from adversarial.audit.sources import NoImagesError, list_sources
from adversarial.audit.store import FORMAT, MADE_BY_AUDIT
from adversarial.audit.work.adding import add_sources, new_sources
from adversarial.audit.work.capping import CEILING, TIMING, CappedClassifier, CountedClassifier, note_lost, spent
from adversarial.audit.work.changed import changed_images, file_stamp
from adversarial.audit.work.job import Job, Work
from adversarial.audit.work.outcomes import Outcome, failed_outcome
from adversarial.audit.work.places import Places
from adversarial.audit.work.target import check_same_answers, check_same_target, note_answer, open_target, target_words
from adversarial.audit.work.timing import images_per_second, timing_queries
from adversarial.distances.levels import levels_for, on_grid
from saywhy_core.classifiers import ask
from saywhy_core.errors import Bare, Problem, UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from adversarial.audit.choices import AuditSettings
    from adversarial.audit.proofs.prover import Prover
    from adversarial.audit.records import ImageRecord, Status
    from adversarial.audit.sources import Source
    from adversarial.audit.store import AuditStore
    from adversarial.audit.work.changed import Stamp
    from saywhy_core.classifiers import Classifier


@dataclass(eq=False)
class Prepared:
    """An audit that is ready to start.

    Attributes:
        job: what is done to each image.
        classifier: opened, under the names of the audit.
        files: of the images, old and new.
        depends: what the result of an image depends on beside the image, see `audit_settings`.
        sources: where the images of a new audit are, which is not written down yet.
        problems: what could not be listed.
        about: what is to be written down about the audit; None where nothing is.
        begins: whether the audit is a new one.
        prover: what proves how many pixels are needed; None where that is not asked for.
    """

    job: Job
    classifier: Classifier
    files: ImageFiles
    depends: Mapping[str, Any]
    sources: Sequence[Source]
    problems: tuple[Problem, ...]
    about: Mapping[str, Any] | None
    begins: bool
    prover: Prover | None = None
    _noted: bool = False
    _memories: dict[int, AnswerFile] = field(default_factory=dict)
    _stamps: dict[int, Stamp] = field(default_factory=dict)  # of the files that were read in this run
    _ended: Callable[[], None] | None = None

    def begin(self, store: AuditStore, max_queries: int | None = None) -> None:
        """Write down what the audit is about, and its new images.

        Raises:
            UsageError: the classifier is not the one that the audit was begun with.
        """
        asked = 0 if self.begins else self._check_answers(store, max_queries)
        if self.about is not None:
            store.tell(**self.about)
        if asked:
            store.tell(**{TIMING: spent(store).timing + asked})
        if max_queries is not None:
            store.tell(**{CEILING: max_queries})
        fresh = new_sources(store, self.sources, self.files.places.same)
        if add_sources(store, fresh, there=self.files.there, digest=self.files.digest):
            kept = store.about["settings"]
            store.tell(settings={**kept, "images": [path for path in kept["images"] if self.files.in_use(store, path)]})
        if not self.begins:
            self.files.check_there(store)

    def _check_answers(self, store: AuditStore, max_queries: int | None) -> int:
        """See `check_same_answers`; a server is not asked again about what it answered."""
        known = self.classifier.identity is not None or getattr(self.classifier, "remote", False)
        idle = not (store.counts()["waiting"] or self.sources)
        if known or idle or (max_queries is not None and spent(store).queries >= max_queries):
            return 0

        def begun(record: ImageRecord) -> tuple[Any, Any] | None:
            with suppress(UsageError):
                pixels = self.files.read(source_of(record))
                about = {"digest": image_digest(self.depends, AuditImage(record.name, pixels, record.label))}
                memory = AnswerFile(store.answers_file(record), about)
                levels = levels_for(self.job.attack.levels, getattr(self.classifier, "levels", None), pixels)
                image = on_grid(pixels, levels)
                answer = memory.recall(image[None])[0]
                memory.close()
                return None if answer is None else (image, answer)
            return None

        return check_same_answers(store, self.classifier, begun, noisy=self.job.attack.tolerate_noise)

    def changed(self, store: AuditStore) -> list[Problem]:
        """The finished images whose files were changed since; what was found about the files is noted at `close`."""
        found, unchanged = changed_images(store, self.files.place, self.files.digest)
        self._stamps |= unchanged
        return found

    def check_goal(self) -> None:
        """See whether the classifier has as many classes as the goal needs, by one query where no class names are known.

        Raises:
            UsageError: it has not.
        """
        if self.job.goal is None or self.classifier.class_names is not None:
            return
        pixels = self.first()
        if pixels is not None and self.job.goal >= (classes := ask(self.classifier, pixels[None]).shape[1]):
            raise UsageError(
                f"{argument('goal')}: there is no class {self.job.goal}; the classifier has {classes}, counted from 0"
            )

    def first(self) -> Any:
        """The first image that can be read; None where there is none."""
        for source in (one for one in self.sources if not one.error):
            with suppress(UsageError):
                return self.files.read(source)
        return None

    def plan(
        self, store: AuditStore | None, price: float | None, *, changed: Sequence[Problem] = (), running: bool = False,
        max_queries: int | None = None,
    ) -> AuditPlan:  # fmt: skip
        """What the audit will take. The classifier is timed, in an audit that runs only where it is begun.

        Args:
            store: the audit; None for a new one.
            price: of one query.
            changed: the images whose files were changed, which the plan names.
            running: whether the audit is about to run.
            max_queries: see `Audit.run`.
        """
        if store is None or not any(store.counts().values()):
            images, waiting = len(self.sources), [source for source in self.sources if not source.error]
            left, first = len(waiting), next(iter(waiting), None)
        else:
            counts = store.counts()
            images, left = sum(counts.values()), counts["waiting"]
            record = next(store.images("waiting"), None)
            first = None if record is None else source_of(record)
        queries = left * self.job.queries
        timing = timing_queries(self.classifier, self.job.attack.batch_size)
        timed = (self.begins or not running) and first is not None
        if max_queries is not None and timed:  # not where the ceiling would then be enough for fewer images
            whole = min(left, max_queries // self.job.queries)
            timed = 0 < whole <= (max_queries - timing) // self.job.queries
        rate = self._rate(store if running else None, first, timing) if timed and first is not None else None
        timing = 0 if rate is None else timing
        return AuditPlan(
            images, left, self.job.queries, queries, None if rate is None else queries / rate,
            None if price is None else price * (queries + timing), (*self.problems, *changed), timing,
        )  # fmt: skip

    def _rate(self, store: AuditStore | None, source: Source, queries: int) -> float | None:
        """Images per second; the queries that tell are noted before they are made."""
        try:
            pixels = self.files.read(source)
        except UsageError:
            return None
        if store is not None:
            store.tell(**{TIMING: queries})
        return images_per_second(self.classifier, pixels, queries)

    def retry(self, store: AuditStore) -> None:
        """Let the images that failed wait once more, with the labels that they have now."""
        now = {(self.files.places.same(source.path), source.part): source for source in self.sources}
        for record in list(store.images("failed")):
            source = now.get((self.files.places.same(record.path), record.part))
            if source is None:
                continue
            status: Status = "failed" if source.error else "waiting"
            store.write(replace(record, status=status, label=source.label, error=source.error or None))

    def tasks(self, store: AuditStore, finished: Callable[[Outcome], None], max_queries: int | None) -> Tasks:
        """What an engine is given."""
        before = spent(store).queries
        if max_queries is None:
            classifier = CountedClassifier(self.classifier)
        else:
            classifier = CappedClassifier(self.classifier, max_queries, before, self.job.queries)
        self._ended = lambda: note_lost(store, classifier.asked, before)
        return Tasks(
            job=self.job, classifier=classifier, class_names=self.classifier.class_names,
            waiting=self._waiting(store, finished),
            memory=lambda number: self._memories[number],
            finished=finished, asked=classifier.count,
        )  # fmt: skip

    def keep(self, store: AuditStore, outcome: Outcome) -> None:
        """Write down what became of an image; what was answered about it is not needed any more, unless it failed."""
        store.write(outcome.record, outcome.weather, outcome.arrays)
        if self.classifier.identity is None and not self._noted:
            note_answer(store, outcome)
            self._noted = outcome.clean is not None
        memory = self._memories.pop(outcome.record.id, None)
        if outcome.record.status == "failed":  # it may be tried again, and what was asked was paid for
            if memory is not None:
                memory.close()
        elif memory is not None:
            memory.forget()
        else:
            store.answers_file(outcome.record).unlink(missing_ok=True)

    def close(self, store: AuditStore) -> None:
        """Close the files of answers about images that are not done; note the files read, and what was asked in vain."""
        store.stamp(self._stamps)
        self._stamps.clear()
        for memory in self._memories.values():
            memory.close()
        self._memories.clear()
        if self._ended is not None:
            self._ended()

    def _waiting(self, store: AuditStore, finished: Callable[[Outcome], None]) -> Iterator[tuple[ImageRecord, Work]]:
        for record in store.images("waiting"):
            stamp = file_stamp(self.files.place(record.path))  # before it is read, so that no later change is missed
            if stamp is not None:
                self._stamps[record.id] = stamp
            try:
                pixels = self.files.read(source_of(record))
            except UsageError as error:
                finished(failed_outcome(record, str(error)))
                continue
            image = AuditImage(record.name, pixels, record.label)
            height, width, channels = pixels.shape
            known = replace(
                record, height=height, width=width, channels=channels, pixels=pixels_digest(image),
                digest=image_digest(self.depends, image),
            )  # fmt: skip
            self._memories[record.id] = AnswerFile(store.answers_file(record), {"digest": known.digest or ""})
            yield known, Work(record.id, pixels, record.label)


def prepare(
    about: Mapping[str, Any],
    settings: AuditSettings,
    images: Sequence[str] | None,
    target: str | Classifier | None,
    *,
    labels: str | os.PathLike[str] | None,
    label: str | int | None,
    class_names: Sequence[str] | None,
    trust: bool,
    retry: bool,
) -> Prepared:
    """Open the classifier, and list the images. Nothing is written.

    Raises:
        UsageError: see `Audit.run`.
    """
    kept: Mapping[str, Any] = about.get("settings", {})
    names = class_names if class_names is not None else kept.get("class_names")
    here = os.getcwd()  # noqa: PTH109
    places = Places(str(kept.get("folder") or here), here)
    spec, opened = open_target(target, kept, settings.options, trust, places)
    names = None if names is None else tuple(names)
    job = Job(
        spec=spec, options=settings.options, trust=trust, class_names=names, attack=settings.search(opened),
        weather=settings.kinds(), severities=tuple(settings.severities), survival=settings.survival,
        travels=target is None or isinstance(target, str),
    )  # fmt: skip
    classifier = job.named(opened)
    job = replace(job, goal=settings.goal_index(classifier.class_names))
    size = settings.size(opened)
    had = Bare("none") if kept.get("goal") is None else kept["goal"]
    if kept and replace(settings, goal=kept.get("goal")).goal_index(classifier.class_names) != job.goal:
        raise UsageError(
            f"this folder holds an audit with {argument('goal', had)}, not {settings.goal!r}; "
            "leave it out to go on with it, or give another folder"
        )
    depends = audit_settings(job.attack, classifier, goal=job.goal, target=spec, options=settings.options)
    depends |= {"weather": list(job.weather), "severities": list(job.severities), "survival": job.survival}
    if job.travels and classifier.identity is None:  # its host and key don't change what is answered
        depends["target"], depends["options"] = target_words(spec, settings.options)
    if kept:
        check_same_target(spec, classifier, settings.options, kept)
        check_same_names(classifier.class_names, about, given=class_names is not None)
    labels = places.labels(None if labels is None else os.fspath(labels))
    if kept and not retry:
        before = kept.get("labels")
        same = labels is not None and before is not None and places.same(labels) == places.same(before)
        check_same_labels(before if same else labels, label, kept)
        labels = before if same else labels
    if labels is None and label is None:
        labels, label = kept.get("labels"), kept.get("label")
    given = [places.given(os.fspath(path)) for path in images or ()]
    known = {places.same(path) for path in kept.get("images", ())}
    listed = [*kept.get("images", ()), *(path for path in given if places.same(path) not in known)]
    # what the audit has is listed again only where that is asked for: a folder may have thousands of images
    sources: Sequence[Source] = ()
    problems: Sequence[Problem] = ()
    try:
        if given or retry:
            sources, problems = list_sources(
                [places.kept(path) for path in (listed if retry else given)], labels=places.kept_labels(labels), label=label,
                class_names=classifier.class_names, shape=opened.image_shape,
            )  # fmt: skip
    except NoImagesError as error:
        if not kept or not error.problems:
            raise
        problems = error.problems
    written: dict[str, Any] | None = None
    told = {name: getattr(settings, name) for name in PROVING}
    told |= {"images": listed, "labels": labels, "label": label, "target": spec, "options": dict(settings.options)}
    if not kept or told != {name: kept.get(name) for name in told}:
        written = {
            "format": FORMAT,
            "saywhy": version("saywhy"),
            "class_names": None if classifier.class_names is None else list(classifier.class_names),
            "settings": {
                **settings.kept(), "goal": kept.get("goal") if kept else settings.goal, "levels": job.attack.levels,
                "weather": list(job.weather),
                "target": spec, "model": classifier.identity, "scores": classifier.scores, "labels": labels, "label": label,
                "class_names": None if names is None else list(names), "folder": places.folder,
                "images": listed, "made_by": MADE_BY_AUDIT, **({} if job.travels else {"of_program": True}),
            },
        }  # fmt: skip
    prover = settings.prover(classifier)
    prepared = Prepared(
        job, classifier, ImageFiles(places, classifier, size), depends, sources, tuple(problems), written, not kept, prover
    )  # fmt: skip
    if prover is not None and None in classifier.image_shape and (pixels := prepared.first()) is not None:
        prover.read(pixels.shape)  # only an image tells which size the network takes
    if not kept:
        prepared.check_goal()
    return prepared
