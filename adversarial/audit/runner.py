"""The audit itself: images in, a folder with the finding of each out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adversarial.attack import BATCH
from adversarial.audit.folders import ResultFolder, result_folders
from adversarial.audit.naming import NamedClassifier
from adversarial.audit.settings import audit_settings, image_digest
from adversarial.findings.record import write_finding
from adversarial.result import AttackInterrupted, AttackResult, AttackStopped
from saywhy_core.disk.files import UnusableFileError
from saywhy_core.disk.locks import folder_lock
from saywhy_core.errors import Problem, UsageError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from adversarial.attack import FeatureGuidedAttack
    from adversarial.audit.gathering import AuditImage
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress

    OnFinding: TypeAlias = Callable[[str, str], None]

AT_GOAL = "its label is already the goal"


@dataclass(frozen=True)
class AuditOutcome:
    """What became of the images of an audit.

    Attributes:
        written: number of images with a finding written by this run.
        kept: number of images with a finished finding from an earlier run.
        problems: images that could not be attacked, and why.
    """

    written: int
    kept: int
    problems: tuple[Problem, ...]


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
) -> AuditOutcome:
    """Attack images, and write the finding of each into a folder of its own as soon as it is there.

    Images of one size share their batches. A finished finding of the same image and settings is not made again. Where the
    classifier fails, what was found so far is written as unfinished, to be attacked again the next time, and the images of
    other sizes go on; the failure is a problem of each image that it left out. An unfinished finding replaces neither a
    finished one of the same image and settings nor an unfinished one that is nearer.

    Args:
        classifier: the classifier.
        images: the images, see `gather_images`.
        out: the folder for the folders.
        attack: the attack.
        goal: the class to reach, or None for any other class.
        class_names: one name per class; None for the classifier's own.
        target: the text that named the classifier, for the records.
        options: the options that were given with it, for the records.
        force: attack again what is there already.
        on_finding: called with the name of each image that is finished, and with what was found, in a sentence.
        on_progress: told how many of the images are done.

    Raises:
        UsageError: another audit writes into `out`, a folder in it holds the result of another image or of other settings, or
            `class_names` are more or fewer than the classifier's own; nothing was asked then. Or the disk is full.
        AttackStopped: Ctrl-C; what was found so far is written as unfinished.
    """
    if class_names is not None:
        classifier = NamedClassifier(classifier, class_names)
    settings = audit_settings(attack, classifier, goal=goal, target=target, options=options)
    digests = [image_digest(settings, image) for image in images]
    folders = result_folders(out, [image.name for image in images], digests)
    entries = [_Entry(image, folder) for image, folder in zip(images, folders, strict=True)]
    with folder_lock(out):
        todo = entries if force else [entry for entry in entries if not entry.folder.finished]
        done = len(entries) - len(todo)
        audit = _Audit(classifier, attack, goal, settings, len(entries), done, on_finding, on_progress)
        audit.tell()
        groups: dict[tuple[int, ...], list[_Entry]] = {}
        for entry in todo:
            groups.setdefault(entry.image.pixels.shape, []).append(entry)
        for group in groups.values():
            audit.attack_together(group)
    return AuditOutcome(audit.written, len(entries) - len(todo), tuple(audit.problems))


@dataclass(eq=False)
class _Entry:
    """An image, its folder, and whether it is done with: finished, or known to be a problem."""

    image: AuditImage
    folder: ResultFolder
    done: bool = False


@dataclass(eq=False)
class _Audit:
    classifier: Classifier
    attack: FeatureGuidedAttack
    goal: int | None
    settings: Mapping[str, Any]
    total: int
    done: int
    on_finding: OnFinding | None
    on_progress: OnProgress | None
    written: int = 0
    problems: list[Problem] = field(default_factory=list)

    def tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.done, self.total)

    def attack_together(self, group: list[_Entry]) -> None:
        """Attack images of one size; a failure becomes a problem of those that it leaves unfinished."""
        try:
            labels = self._labels(group)
            entries = [entry for entry in group if not entry.done]
            if entries:
                self._run(entries, [labels[id(entry)] for entry in entries])
        except UnusableFileError:
            raise  # what is found about the other images could not be written either
        except UsageError as error:
            self.problems += [Problem(entry.image.name, str(error)) for entry in group if not entry.done]

    def _labels(self, group: list[_Entry]) -> dict[int, int]:
        """The class of each entry, predicted where none was given; entries of the goal's class are done with."""
        unknown = [entry for entry in group if entry.image.label is None]
        labels = {id(entry): entry.image.label for entry in group if entry.image.label is not None}
        size = self.attack.batch_size or BATCH
        for start in range(0, len(unknown), size):
            part = unknown[start : start + size]
            winners = self.classifier(np.stack([entry.image.pixels for entry in part])).argmax(axis=1)
            labels |= {id(entry): int(winner) for entry, winner in zip(part, winners, strict=True)}
        for entry in group:
            if labels[id(entry)] == self.goal:
                entry.done = True
                self.problems.append(Problem(entry.image.name, AT_GOAL))
        return labels

    def _run(self, entries: list[_Entry], labels: list[int]) -> None:
        def finished(_done: int, _total: int, result: AttackResult | None) -> None:
            if result is not None:
                self._finish(entries[result.index], result)

        try:
            self.attack.run(
                self.classifier, np.stack([entry.image.pixels for entry in entries]), labels, targets=self.goal,
                progress=finished,
            )  # fmt: skip
        except (AttackInterrupted, AttackStopped) as error:
            for result in error.results:
                entry = entries[result.index]
                if not entry.done and not entry.folder.keeps(result):
                    self._write(entry, result, finished=False)
            raise

    def _finish(self, entry: _Entry, result: AttackResult) -> None:
        sentence = self._write(entry, result, finished=True)
        entry.done = True
        self.written += 1
        self.done += 1
        if self.on_finding is not None:
            self.on_finding(entry.image.name, sentence)
        self.tell()

    def _write(self, entry: _Entry, result: AttackResult, *, finished: bool) -> str:
        settings = {**self.settings, "image": entry.image.name, "digest": entry.folder.digest, "finished": finished}
        record = write_finding(
            result, entry.folder.path, self.classifier.class_names, budget=int(self.attack.budget), settings=settings
        )
        return str(record["sentence"])
