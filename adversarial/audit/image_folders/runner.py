"""The audit itself: images in, a folder with the finding of each out."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from adversarial.audit.image_folders.entries import Entry
from adversarial.audit.image_folders.placing import result_folders
from adversarial.audit.image_folders.proved import prove_folders
from adversarial.audit.proofs.prover import check_proving, prover_of
from adversarial.audit.records import ImageRecord
from adversarial.audit.settings import audit_settings, image_digest
from adversarial.audit.store import DATABASE, FORMAT, MADE_BY_ATTACK, AuditStore
from adversarial.audit.work.job import Job, Work
from adversarial.audit.work.naming import NamedClassifier
from adversarial.audit.work.outcomes import make_outcome
from adversarial.driving.labels import LabelsError, LabelWatch, classes_of
from adversarial.findings.record import IMAGES, write_finding
from adversarial.query_log import LEAST_BUDGET
from adversarial.result import AttackInterrupted, AttackResult, AttackStopped
from adversarial.streaming import check_learning
from saywhy_core.bounded.watched import OverTimeError, of_time
from saywhy_core.disk.destinations import enclosed
from saywhy_core.disk.locks import folder_lock
from saywhy_core.disk.troubles import UnusableFileError, is_of_the_disk
from saywhy_core.errors import Problem, UsageError, argument

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from adversarial.attack import FeatureGuidedAttack
    from adversarial.audit.gathering import AuditImage
    from adversarial.audit.work.job import Aftermath
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress

    OnFinding: TypeAlias = Callable[[str, str], None]

WITH_SURVIVAL = 51  # queries; a smaller budget has none to spare for the question whether a finding survives being saved
LOOKED = 1  # queries of an attack that knows no more than the original: its pictures would only hold up who wants to stop
AT_GOAL = "its label is already the goal"


@dataclass(frozen=True)
class AuditOutcome:
    """What became of the images of an audit.

    Attributes:
        written: number of images with a finding written by this run.
        kept: number of images with a finished finding from an earlier run.
        problems: images that could not be attacked, and why.
        resumed: number of images that an earlier run had begun, and that went on from what it had learned.
        proofs: number of proofs that this run made.
        unproved: images about which nothing could be proved, and why.
    """

    written: int
    kept: int
    problems: tuple[Problem, ...]
    resumed: int = 0
    proofs: int = 0
    unproved: tuple[Problem, ...] = ()


def audit_images(
    classifier: Classifier,
    images: Sequence[AuditImage],
    out: str | os.PathLike[str],
    attack: FeatureGuidedAttack,
    *,
    goal: int | None = None,
    class_names: Sequence[str] | None = None,
    target: str = "",
    options: Mapping[str, Any] | None = None,
    force: bool = False,
    on_finding: OnFinding | None = None,
    on_progress: OnProgress | None = None,
    on_resumed: Callable[[int], None] | None = None,
    prove: float | None = None,
    prove_pixels: int | None = None,
    on_proof: OnFinding | None = None,
    on_proving: OnProgress | None = None,
) -> AuditOutcome:
    """Attack images, and write the finding of each into a folder of its own as soon as it is there.

    This is an audit of a few images (see `Audit`): the same work, kept in the same database, `out`/audit.sqlite, and besides
    a folder for each image with pictures and a record. A finished finding of the same image and settings is not made again.
    What the classifier answers is kept in the image's folder until its finding is written, so that after a kill at any moment
    the next run goes on from there, and comes to the finding of a run without interruption. Where the classifier fails, what
    was found so far is written as unfinished, and the failure is a problem of each image that it left out. An unfinished
    finding replaces neither a finished one of the same image and settings nor an unfinished one that is nearer. From a budget
    of 50 on, two of its queries are kept for the question whether the finding survives being saved as PNG and as JPEG.

    An image's folder has the image's name; images of one name have the names of their folders before it (see
    `docs/attack.md`). A folder that holds the result of another image or of other settings, or something else, makes its image
    a problem, and the others go on.

    Args:
        classifier: the classifier.
        images: the images, see `gather_images`.
        out: the folder for the folders.
        attack: the attack.
        goal: the class to reach, or None for any other class.
        class_names: one name per class; None for the classifier's own.
        target: the text that named the classifier, for the records.
        options: the options that were given with it, for the records.
        force: attack again what is there already, from the start.
        on_finding: called with the name of each image that is finished, and with what was found, in a sentence.
        on_progress: told how many of the images are done.
        on_resumed: called before anything is asked with the number of images that an earlier run had begun, if there are any.
        prove: seconds for each image in which `adversarial.fewest_pixels` proves, after the attacks, how many pixels are needed
            at least; None for no proofs. The proof goes into the row and into `result.json`, as `proof`; one that was made with
            as much time and as many pixels is kept.
        prove_pixels: the most pixels that are proved; None for 3.
        on_proof: called with the name of each image about which something was proved, now or before, and with both bounds in
            words.
        on_proving: told for how many of the images that need a proof it is made.

    Raises:
        UsageError: another audit writes into `out`, `class_names` are more or fewer than the classifier's own, or images are to
            learn from each other, and some have finished results; nothing was asked then. Nothing can be proved about this
            attack or this classifier. Or the disk is full.
        OverTimeError: the classifier took longer than it may; what was found before is written.
        AttackStopped: Ctrl-C, or a signal (see its `__cause__`); what was found so far is written as unfinished.
    """
    if class_names is not None:
        classifier = NamedClassifier(classifier, class_names)
    check_proving(prove, prove_pixels)
    prover = None
    if prove is not None:
        prover = prover_of(
            classifier, distance=attack.distance, goal=goal, seconds=prove, pixels=prove_pixels, seed=attack.seed,
            shape=images[0].pixels.shape if images else None,
        )  # fmt: skip
    if attack.learn:
        check_learning(len(images), targeted=goal is not None)
    settings = audit_settings(attack, classifier, goal=goal, target=target, options=options, images=images)
    digests = [image_digest(settings, image) for image in images]
    with folder_lock(out), enclosed(out):
        folders = result_folders(out, images, digests)
        names = Counter(image.name for image in images)
        with _opened(out) as store:
            if store.made_by not in (None, MADE_BY_ATTACK):
                raise UsageError(f"{out} holds an audit of `saywhy audit run`; give the attack a folder of its own")
            known = {record.name: record for record in store.images()}
            last = store.last()
            entries = []
            for image, folder in zip(images, folders, strict=True):
                record = known.get(folder.path.name)
                if record is None:
                    last += 1
                    record = ImageRecord(id=last, name=folder.path.name, path=image.source or image.name, label=image.label)
                called = image.name if names[image.name] == 1 else folder.path.name
                entries.append(Entry(image, folder, called, record))
            audit = _Audit(
                store,
                classifier,
                _job(attack, goal, target),
                settings,
                int(attack.budget),
                len(entries),
                on_finding,
                on_progress,
            )
            todo = audit.look(entries, force=force)
            if attack.learn and todo and audit.kept:
                for entry in todo:
                    entry.close()
                raise UsageError(
                    f"{out}: {audit.kept} of {len(entries)} images have finished results, and what their searches taught is "
                    f"not kept, so that a run with {argument('learn')} can't go on from them; give {argument('force')} to "
                    "attack all anew, or another folder"
                )
            made = [entry.record for entry in entries if entry.recovered]
            if todo or made:  # where all is there already, or refused, nothing is changed
                describe(store, attack, classifier, settings)
            for record in (*made, *(entry.waiting() for entry in todo)):
                store.write(record)
            resumed = sum(len(entry.memory or ()) > 1 for entry in todo)
            if resumed and on_resumed is not None:
                on_resumed(resumed)
            audit.tell()
            try:
                audit.attack_all(todo)
            finally:
                for entry in todo:
                    entry.close()
            made_proofs, unproved = 0, list[Problem]()
            if prover is not None:
                names_of = classifier.class_names
                made_proofs, unproved = prove_folders(
                    store, prover, entries, names_of, on_proof=on_proof, on_progress=on_proving
                )
    return AuditOutcome(audit.written, audit.kept, tuple(audit.problems), resumed, made_proofs, tuple(unproved))


@contextmanager
def _opened(out: str | os.PathLike[str]) -> Iterator[AuditStore]:
    """The database of a folder. One that was made for a run that did nothing is removed again."""
    fresh = not Path(out, DATABASE).exists()
    store = AuditStore(out, write=True)
    empty = False
    try:
        yield store
    finally:
        with suppress(UsageError):  # it is damaged, which was told already
            empty = store.made_by is None
        store.close()
        if fresh and empty:
            with suppress(OSError):
                store.path.unlink(missing_ok=True)


def _job(attack: FeatureGuidedAttack, goal: int | None, target: str) -> Job:
    """The work on each image. What is found is asked about as PNG and JPEG within the budget, where that has room for it.

    These are two queries. The budget just below the first one with room for them spends one query less, so that the search of
    a larger budget is never the shorter one.
    """
    first = LEAST_BUDGET + 2 if attack.tolerate_noise else WITH_SURVIVAL
    budget = int(attack.budget)
    survival, searched = budget >= first, max(min(budget, first - 2), budget - 2)
    search = replace(attack, budget=searched) if searched < budget else attack
    return Job(spec=target, attack=search, goal=goal, survival=survival)


def describe(store: AuditStore, attack: FeatureGuidedAttack, classifier: Classifier, settings: Mapping[str, Any]) -> None:
    """Write down what holds for the whole audit, as far as all images share it."""
    names = classifier.class_names
    shown = {**settings, "scores": classifier.scores, "levels": attack.levels, "weather": [], "made_by": MADE_BY_ATTACK}
    had = store.about.get("settings")
    store.tell(
        format=FORMAT, saywhy=version("saywhy"), class_names=None if names is None else list(names),
        settings=shown if had is None or had == shown else {**shown, "several": True},
    )  # fmt: skip


@dataclass(eq=False)
class _Audit:
    store: AuditStore
    classifier: Classifier
    job: Job
    settings: Mapping[str, Any]
    budget: int
    total: int
    on_finding: OnFinding | None
    on_progress: OnProgress | None
    kept: int = 0
    written: int = 0
    problems: list[Problem] = field(default_factory=list)

    def look(self, entries: list[Entry], *, force: bool) -> list[Entry]:
        """The entries to attack; what is finished is kept, and what can't be written is a problem."""
        todo: list[Entry] = []
        for entry in entries:
            if entry.image.label is not None and entry.image.label == self.job.goal:
                self.problem(entry, AT_GOAL)
                continue
            try:
                finished = entry.open(force=force)
            except UsageError as error:
                self.problem(entry, str(error))
                continue
            if finished:
                self.kept += 1
                continue
            todo.append(entry)
        return todo

    def tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.kept + self.written, self.total)

    def problem(self, entry: Entry, what: str) -> None:
        entry.done = True
        self.problems.append(Problem(entry.name, what))

    def attack_all(self, todo: list[Entry]) -> None:
        """Attack what is to be attacked; a failure of the classifier becomes a problem of those that it leaves unfinished."""
        by_number = {entry.record.id: entry for entry in todo}
        labelled = ((entry.record.id, entry.image.label) for entry in todo if self.job.goal is None)
        watch = LabelWatch(labelled, partial(classes_of, self.classifier))
        works = (Work(entry.record.id, entry.image.pixels, entry.image.label) for entry in todo)

        def finished(number: int, result: AttackResult, after: Aftermath) -> None:
            self._finish(by_number[number], result, after)
            watch.see(number, result.adversarial_label if result.distance == 0 else result.label)

        def failed(number: int, error: UsageError) -> None:
            entry = by_number[number]
            self.problem(entry, str(error))
            self.store.write(replace(entry.record, status="failed", error=str(error)))
            watch.drop(number, str(error))

        try:
            self.job.run(self.classifier, works, finished, failed, lambda number: by_number[number].opened_memory())
        except LabelsError as error:
            raise UsageError(
                f"{error}; what was written of these images stays: give --force, or another folder, then"
            ) from error
        except AttackInterrupted as error:
            self._write_begun(by_number, error.results)
            if (slow := of_time(error)) is not None:  # every other image would take as long
                raise OverTimeError(slow) from error
            self.problems += [Problem(entry.name, str(error)) for entry in todo if not entry.done]
        except AttackStopped as stopped:
            self._write_begun(by_number, stopped.results)
            raise

    def _write_begun(self, by_number: Mapping[int, Entry], results: Sequence[AttackResult]) -> None:
        """Write what was found about images that are not done, as unfinished."""
        for result in results:
            entry = by_number[result.index]
            if entry.done or result.queries <= LOOKED or entry.folder.keeps(result):
                continue
            try:
                self._write(entry, result, {}, finished=False)
            except UnusableFileError as error:
                if is_of_the_disk(error):
                    raise
                self.problem(entry, str(error))

    def _finish(self, entry: Entry, result: AttackResult, after: Aftermath) -> None:
        if result.label == self.job.goal:
            self.problem(entry, AT_GOAL)
            entry.forget()
            self.store.write(replace(entry.record, status="failed", error=AT_GOAL))
            return
        if result.undecided:  # what was answered is kept, so that giving the command again costs nothing
            self.problem(entry, result.undecided)
            self.store.write(replace(entry.record, status="failed", error=result.undecided, note=result.note or None))
            return
        try:
            self._keep(entry, result, after)  # the record in the folder comes last: where it is, the result is whole
            sentence = self._write(entry, result, after.survives, finished=True)
            entry.forget()
        except UnusableFileError as error:
            if is_of_the_disk(error):
                raise  # what is found about the other images could not be written either
            self.problem(entry, str(error))
            return
        entry.done = True
        self.written += 1
        if self.on_finding is not None:
            self.on_finding(entry.name, sentence)
        self.tell()

    def _keep(self, entry: Entry, result: AttackResult, after: Aftermath) -> None:
        made = make_outcome(entry.waiting(), result, after, self.classifier.class_names, budget=self.budget)
        self.store.write(replace(made.record, file=f"{entry.folder.path.name}/{IMAGES}"), made.weather)

    def _write(self, entry: Entry, result: AttackResult, survives: Mapping[str, bool], *, finished: bool) -> str:
        settings = {**self.settings, "image": entry.image.name, **entry.about, **entry.origin, "finished": finished}
        record = write_finding(
            result, entry.folder.path, self.classifier.class_names, budget=self.budget, settings=settings, survives=survives
        )
        return str(record["sentence"])
