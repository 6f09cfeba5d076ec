"""The audit itself: images in, a folder with the finding of each out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attack import BATCH
from adversarial.audit.image_folders.entries import Entry, Looks
from adversarial.audit.image_folders.placing import result_folders
from adversarial.audit.settings import audit_settings, image_digest
from adversarial.audit.work.naming import NamedClassifier
from adversarial.findings.record import write_finding
from adversarial.result import AttackInterrupted, AttackResult, AttackStopped
from adversarial.run import ChangedClassifierError
from saywhy_core.bounded.watched import OverTimeError, of_time
from saywhy_core.disk.destinations import enclosed
from saywhy_core.disk.locks import folder_lock
from saywhy_core.disk.troubles import UnusableFileError, is_of_the_disk
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from adversarial.attack import FeatureGuidedAttack
    from adversarial.audit.gathering import AuditImage
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress

    OnFinding: TypeAlias = Callable[[str, str], None]

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
    """

    written: int
    kept: int
    problems: tuple[Problem, ...]
    resumed: int = 0


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
) -> AuditOutcome:
    """Attack images, and write the finding of each into a folder of its own as soon as it is there.

    Images of one size share their batches. They are finished in their order, as few at a time as fill the batches. A finished
    finding of the same image and settings is not made again. What the classifier answers is kept in the image's folder until
    its finding is written, so that after a kill at any moment the next run goes on from there, and comes to the finding of a
    run without interruption. Where the classifier fails, what was found so far is written as unfinished, and the images of
    other sizes go on; the failure is a problem of each image that it left out. An unfinished finding replaces neither a
    finished one of the same image and settings nor an unfinished one that is nearer.

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

    Raises:
        UsageError: another audit writes into `out`, or `class_names` are more or fewer than the classifier's own; nothing was
            asked then. Or the disk is full.
        OverTimeError: the classifier took longer than it may; what was found before is written.
        AttackStopped: Ctrl-C, or a signal (see its `__cause__`); what was found so far is written as unfinished.
    """
    if class_names is not None:
        classifier = NamedClassifier(classifier, class_names)
    settings = audit_settings(attack, classifier, goal=goal, target=target, options=options)
    digests = [image_digest(settings, image) for image in images]
    with folder_lock(out), enclosed(out):
        folders = result_folders(out, images, digests)
        names = Counter(image.name for image in images)
        entries = [
            Entry(image, folder, image.name if names[image.name] == 1 else folder.path.name)
            for image, folder in zip(images, folders, strict=True)
        ]
        audit = _Audit(classifier, attack, goal, settings, len(entries), on_finding, on_progress)
        todo = audit.look(entries, force=force)
        resumed = sum(len(entry.memory or ()) > 1 for entry in todo)
        if resumed and on_resumed is not None:
            on_resumed(resumed)
        audit.tell()
        looks = Looks(Path(out), settings)
        groups: dict[tuple[int, ...], list[Entry]] = {}
        for entry in todo:
            groups.setdefault(entry.image.pixels.shape, []).append(entry)
        try:
            for group in groups.values():
                audit.attack_together(group, looks)
        finally:
            looks.close()
        if all(entry.done for entry in todo):
            looks.forget()
    return AuditOutcome(audit.written, audit.kept, tuple(audit.problems), resumed)


@dataclass(eq=False)
class _Audit:
    classifier: Classifier
    attack: FeatureGuidedAttack
    goal: int | None
    settings: Mapping[str, Any]
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
            try:
                finished = entry.open(force=force)
            except UsageError as error:
                self.problem(entry, str(error))
                continue
            if finished:
                self.kept += 1
            else:
                todo.append(entry)
        return todo

    def tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.kept + self.written, self.total)

    def problem(self, entry: Entry, what: str) -> None:
        entry.done = True
        self.problems.append(Problem(entry.name, what))

    def attack_together(self, group: list[Entry], looks: Looks) -> None:
        """Attack images of one size; a failure becomes a problem of those that it leaves unfinished."""
        try:
            labels = self._labels(group, looks)
            entries = [entry for entry in group if not entry.done]
            if entries:
                self._run(entries, [labels[id(entry)] for entry in entries])
        except UnusableFileError:
            raise  # what is found about the other images could not be written either
        except UsageError as error:
            if isinstance(error.__cause__, ChangedClassifierError):
                looks.forget()
            if (slow := of_time(error)) is not None:  # every other image would take as long
                raise OverTimeError(slow) from error
            self.problems += [Problem(entry.name, str(error)) for entry in group if not entry.done]
        finally:
            for entry in group:
                entry.close()

    def _labels(self, group: list[Entry], looks: Looks) -> dict[int, int]:
        """The class of each entry, predicted where none was given; entries of the goal's class are done with."""
        unknown = [entry for entry in group if entry.image.label is None]
        labels = {id(entry): entry.image.label for entry in group if entry.image.label is not None}
        size = self.attack.batch_size or BATCH
        for start in range(0, len(unknown), size):
            part = unknown[start : start + size]
            scores = looks.at(self.classifier, np.stack([entry.image.pixels for entry in part]))
            for entry, row in zip(part, scores, strict=True):
                labels[id(entry)], entry.look = int(row.argmax()), row
        for entry in group:
            if labels[id(entry)] == self.goal:
                self.problem(entry, AT_GOAL)
        return labels

    def _run(self, entries: list[Entry], labels: list[int]) -> None:
        complete: set[int] = set()

        def finished(_done: int, _total: int, result: AttackResult | None) -> None:
            if result is not None:
                complete.add(result.index)
                self._finish(entries[result.index], result)

        try:
            self.attack.run(
                self.classifier, np.stack([entry.image.pixels for entry in entries]), labels, targets=self.goal,
                progress=finished,
                memory=lambda index: entries[index].opened_memory(),
                on_problem=lambda index, error: self.problem(entries[index], str(error)),
            )  # fmt: skip
        except (AttackInterrupted, AttackStopped) as error:
            for result in error.results:
                entry = entries[result.index]
                if result.index in complete and not entry.done:
                    self._finish(entry, result)  # it was being written
                elif not entry.done and result.queries > LOOKED and not entry.folder.keeps(result):
                    self._write_begun(entry, result)
            raise

    def _finish(self, entry: Entry, result: AttackResult) -> None:
        try:
            sentence = self._write(entry, result, finished=True)
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

    def _write_begun(self, entry: Entry, result: AttackResult) -> None:
        try:
            self._write(entry, result, finished=False)
        except UnusableFileError as error:
            if is_of_the_disk(error):
                raise
            self.problem(entry, str(error))

    def _write(self, entry: Entry, result: AttackResult, *, finished: bool) -> str:
        settings = {**self.settings, "image": entry.image.name, **entry.about, **entry.origin, "finished": finished}
        record = write_finding(
            result, entry.folder.path, self.classifier.class_names, budget=int(self.attack.budget), settings=settings
        )
        return str(record["sentence"])
