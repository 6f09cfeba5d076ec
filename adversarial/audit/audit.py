"""An audit: thousands of images attacked, each kept as soon as it is done, and gone on with after whatever stops it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adversarial.audit.choices import chosen
from adversarial.audit.engines.engine import AUDIT_ENGINES, check_options, check_ready, proof_crews
from adversarial.audit.plan import AuditPlan, AuditStatus, proof_totals
from adversarial.audit.preparing import Prepared, prepare
from adversarial.audit.proofs.prover import check_endpoint
from adversarial.audit.proofs.proving import proofs_left, prove_rows
from adversarial.audit.store import ANSWERS, DATABASE, IMAGES, MADE_BY_AUDIT, AuditStore
from adversarial.audit.work.arguments import check_images, check_rest, check_target
from adversarial.audit.work.capping import CeilingReachedError, ceiling, spent
from adversarial.driving.labels import LOOKED_AT, LabelsError, LabelWatch, classes_of
from adversarial.result import AttackInterrupted
from adversarial.run import ChangedClassifierError
from saywhy_core.bounded.watched import of_time
from saywhy_core.classifiers import EndpointError
from saywhy_core.classifiers.classifier import WidthError
from saywhy_core.disk.databases import side_files
from saywhy_core.disk.destinations import enclosed
from saywhy_core.disk.locks import folder_lock
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import Problem, UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adversarial.audit.engines.engine import Engine
    from adversarial.audit.proofs.crew import Crews
    from adversarial.audit.records import ImageRecord
    from adversarial.audit.work.outcomes import Outcome
    from saywhy_core.classifiers import Classifier
    from saywhy_core.progress import OnProgress


class AuditPaused(UsageError):  # noqa: N818 - it says what became of the audit
    """The classifier can't be asked any more, or the ceiling on queries is reached. What is done is kept."""


@dataclass(frozen=True)
class _Given:
    """What `run` and `plan` were given alike."""

    images: Any
    target: str | Classifier | None
    labels: str | os.PathLike[str] | None
    label: str | int | None
    class_names: Sequence[str] | None
    trust: bool
    settings: Mapping[str, Any]
    retry: bool = False


class Audit:
    """The audit of a classifier in a folder: `audit.sqlite`, and the images that were found.

    Args:
        directory: the folder. It is made by the first `run`.

    Raises:
        UsageError: the path is empty, or no path.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        if not isinstance(directory, (str, os.PathLike)) or not os.fspath(directory):
            raise UsageError(f"{argument('directory')} must be the path of a folder, not {directory!r}")
        self.directory = Path(directory)

    def run(
        self,
        images: Sequence[str | os.PathLike[str]] | str | os.PathLike[str] | None = None,
        *,
        target: str | Classifier | None = None,
        labels: str | os.PathLike[str] | None = None,
        label: str | int | None = None,
        class_names: Sequence[str] | None = None,
        engine: str = "local",
        engine_options: Mapping[str, Any] | None = None,
        trust: bool = False,
        retry_failed: bool = False,
        max_queries: int | None = None,
        on_plan: Callable[[AuditPlan], None] | None = None,
        on_finding: Callable[[Outcome], None] | None = None,
        on_progress: OnProgress | None = None,
        price: float | None = None,
        on_proof: Callable[[str, str], None] | None = None,
        on_proving: OnProgress | None = None,
        **settings: Any,
    ) -> AuditStatus:
        """Begin the audit, or go on with it: images that are done are kept, and no answered query is asked again.

        Where the folder holds an audit already, everything may be left out that it was begun with; images that are new are
        added to it.

        Args:
            images: files, folders, tables and arrays, see `list_sources`; one path alone will do.
            target: the classifier, by its text (see `load_classifier`) or itself.
            labels: see `list_sources`. Others than the audit was begun with are for `retry_failed`.
            label: the class of all images, likewise.
            class_names: one name per class; None for the classifier's own.
            engine: where the work is done, a name in `AUDIT_ENGINES`.
            engine_options: of the engine.
            trust: whether code that comes with the target may run.
            retry_failed: attack the images that failed once more.
            max_queries: the most queries of the whole audit, over all its runs; it holds until another is given. No more
                images are searched side by side than it is enough for, and the classifier is timed only where that leaves
                enough for as many images.
            on_plan: told what the audit will take, before it starts.
            on_finding: told what became of each image, once that is kept.
            on_progress: told how many images are done.
            price: of one query, for the plan.
            on_proof: told the name of each image about which something was proved, and both bounds in words.
            on_proving: told for how many of the images that need a proof it is made.
            settings: the fields of `AuditSettings`.

        Returns:
            How far the audit is: no image waits any more. Its problems begin with the images whose files were changed after
            they were audited.

        Raises:
            AuditPaused: the classifier can't be asked any more, or `max_queries` is reached.
            AttackStopped: Ctrl-C, or a signal.
            UsageError: there is no audit to go on with, a setting is another than it has, or something can't be read or opened.
        """
        check_rest(labels, label, class_names, price=price, max_queries=max_queries, engine_options=engine_options)
        options = dict(engine_options or {})
        work = AUDIT_ENGINES.get(engine)
        check_options(engine, work, options)
        check_ready(engine, work, target is None or isinstance(target, str), options)
        given = _Given(images, target, labels, label, class_names, trust, settings, retry_failed)
        missing, refused = not self.directory.exists(), False
        try:
            with folder_lock(self.directory), enclosed(self.directory):
                # a new audit is checked before its database is made, so that nothing is left of one that was refused
                prepared = self._prepare({}, None, given) if self._is_new() else None
                if prepared is not None:
                    _crews(engine, work, options, prepared)
                with AuditStore(self.directory, write=True) as store:
                    prepared = prepared or self._prepare(store.about, store, given)
                    crews = _crews(engine, work, options, prepared)
                    max_queries = ceiling(store, max_queries)
                    prepared.begin(store, max_queries)
                    if retry_failed:
                        prepared.retry(store)
                    changed = prepared.changed(store)
                    try:
                        if on_plan is not None:
                            plan = prepared.plan(store, price, changed=changed, running=True, max_queries=max_queries)
                            on_plan(_with_proofs(plan, store, prepared, crews))
                        self._work(store, prepared, engine, options, max_queries, on_finding, on_progress)
                    except UsageError as error:
                        refused = prepared.begins and _is_refusal(error, store)
                        raise
                    unproved, remarks = prove_rows(store, prepared, on_proof, on_proving, crews)
                    store.tidy()
                    status = _status(store)
                    return replace(
                        status, problems=(*changed, *status.problems), unproved=tuple(unproved), remarks=tuple(remarks)
                    )
        except BaseException:
            if refused:
                _discard(self.directory)
            if missing:
                with suppress(OSError):  # it holds something
                    self.directory.rmdir()
            raise

    def plan(
        self,
        images: Sequence[str | os.PathLike[str]] | str | os.PathLike[str] | None = None,
        *,
        target: str | Classifier | None = None,
        labels: str | os.PathLike[str] | None = None,
        label: str | int | None = None,
        class_names: Sequence[str] | None = None,
        engine: str = "local",
        engine_options: Mapping[str, Any] | None = None,
        trust: bool = False,
        price: float | None = None,
        **settings: Any,
    ) -> AuditPlan:
        """What `run` with the same arguments will take. Nothing is written, and the classifier is asked once to time it."""
        check_rest(labels, label, class_names, price=price, engine_options=engine_options)
        options = dict(engine_options or {})
        work = AUDIT_ENGINES.get(engine)
        check_options(engine, work, options)
        check_ready(engine, work, target is None or isinstance(target, str), options)
        given = _Given(images, target, labels, label, class_names, trust, settings)
        if self._is_new():
            prepared = self._prepare({}, None, given)
            return _with_proofs(prepared.plan(None, price), None, prepared, _crews(engine, work, options, prepared))
        with AuditStore(self.directory) as store:
            prepared = self._prepare(store.about, store, given)
            plan = prepared.plan(store, price, changed=prepared.changed(store))
            return _with_proofs(plan, store, prepared, _crews(engine, work, options, prepared))

    def status(self) -> AuditStatus:
        """How far the audit is.

        Raises:
            UsageError: there is none.
        """
        with AuditStore(self.directory) as store:
            if store.made_by is None:
                raise UsageError(f"{self.directory} holds no audit (nothing is in its audit.sqlite); begin one with its images")
            return _status(store)

    def _is_new(self) -> bool:
        """Whether there is no database yet, or an empty file in its place."""
        file = self.directory / DATABASE
        return not file.is_file() or file.stat().st_size == 0

    def _prepare(self, about: Mapping[str, Any], store: AuditStore | None, given: _Given) -> Prepared:
        images = check_images(given.images)
        check_target(given.target)
        kept = about.get("settings")
        if kept is None and (images is None or given.target is None):
            raise UsageError(f"{self.directory} holds no audit to go on with; give the images and the target to begin one")
        if store is not None and store.made_by not in (None, MADE_BY_AUDIT):
            raise UsageError(f"{self.directory} holds results of `saywhy attack`; give the audit a folder of its own")
        if kept is not None:
            _check_kept(kept, self.directory)
        settings = chosen(given.settings, kept)
        check_endpoint(settings.prove, given.target or (kept or {}).get("target"))
        return prepare(
            about,
            settings,
            images,
            given.target,
            labels=given.labels,
            label=given.label,
            class_names=given.class_names,
            trust=given.trust,
            retry=given.retry,
        )

    def _work(
        self,
        store: AuditStore,
        prepared: Prepared,
        engine: str,
        engine_options: dict[str, Any],
        max_queries: int | None,
        on_finding: Callable[[Outcome], None] | None,
        on_progress: OnProgress | None,
    ) -> None:
        counts = store.counts()
        total = sum(counts.values())
        done = total - counts["waiting"]

        def tell() -> None:
            if on_progress is not None:
                on_progress(done, total)

        watch = _watch(store, prepared)

        def finished(outcome: Outcome) -> None:
            nonlocal done
            prepared.keep(store, outcome)
            done += 1
            if on_finding is not None:
                on_finding(outcome)
            tell()
            _see(watch, outcome.record)

        work = AUDIT_ENGINES.get(engine)
        tell()
        try:
            for record in islice(store.images("wrong"), LOOKED_AT):
                _see(watch, record)
            with AUDIT_ENGINES.blame(engine):
                work(prepared.tasks(store, finished, max_queries), **engine_options)
        except LabelsError as error:
            raise UsageError(f"{error}; then begin the audit anew, in another folder") from error
        except AttackInterrupted as error:
            cause = error.__cause__
            if isinstance(cause, WidthError) and prepared.begins and not spent(store).kept:
                raise cause from None
            if isinstance(cause, CeilingReachedError):
                way = "what was answered is kept: give the same command again with a higher --max-queries to go on"
            else:
                way = f"what {spent(store).queries:,} queries brought is kept: give the same command again to go on"
                if isinstance(cause, ChangedClassifierError):
                    way = "give the same command again to go on"
                if not isinstance(cause, EndpointError) and of_time(error) is None:
                    way += " once the classifier is put right, or another folder for any other setting"
            raise AuditPaused(f"the audit is paused, {done:,} of {total:,} images are done: {error}; {way}") from error
        finally:
            prepared.close(store)


def _crews(name: str, engine: Engine, options: Mapping[str, Any], prepared: Prepared) -> Crews | None:
    """Where proofs are made; None for this process, or where none are asked for.

    Raises:
        UsageError: the engine needs workers for proofs alone, and none are asked for.
    """
    if prepared.prover is not None:
        return proof_crews(name, engine, options)
    if name == "local" and "workers" in options:
        raise UsageError(
            f"{argument('workers')} has no effect with {argument('engine', name)} and without {argument('prove')}: the attacks "
            f"share one process; leave it out, or give {argument('engine', 'ray')}"
        )
    return None


def _with_proofs(plan: AuditPlan, store: AuditStore | None, prepared: Prepared, crews: Crews | None) -> AuditPlan:
    """A plan with what the proofs will take."""
    proofs = proofs_left(store, prepared.prover, plan.waiting)
    if not proofs or prepared.prover is None:
        return plan
    most = 1 if crews is None else crews.most
    rounds = -(-proofs // min(most or 1, proofs))
    return replace(plan, proofs=proofs, proving=rounds * prepared.prover.seconds, provers=most and min(most, proofs))


def _watch(store: AuditStore, prepared: Prepared) -> LabelWatch:
    """What sees whether the labels of the audit's first images can be right; with a goal, they decide nothing."""
    labelled = ((record.id, record.label) for record in store.images() if record.status != "failed")
    return LabelWatch(() if prepared.job.goal is not None else labelled, partial(classes_of, prepared.classifier))


def _see(watch: LabelWatch, record: ImageRecord) -> None:
    if record.status == "failed":
        watch.drop(record.id, record.error or "")
    else:
        watch.see(record.id, record.adversarial_label if record.status == "wrong" else record.label)


def _is_refusal(error: UsageError, store: AuditStore) -> bool:
    """Whether an error says that a new audit can't be done as it was asked for, and no answer is there to keep."""
    return not isinstance(error, (AuditPaused, EndpointError, UnusableFileError)) and not spent(store).kept


def _discard(directory: Path) -> None:
    """Take away what a new audit made that was refused."""
    database = directory / DATABASE
    for file in (database, *side_files(database)):
        file.unlink(missing_ok=True)
    for folder in (ANSWERS, IMAGES):
        with suppress(OSError):  # there is none, or it holds something
            (directory / folder).rmdir()


def _status(store: AuditStore) -> AuditStatus:
    made = spent(store)
    problems = tuple(Problem(record.name, record.error or "it failed") for record in store.images("failed"))
    settings = store.about.get("settings", {})
    return AuditStatus(store.counts(), made.begun, made.queries, settings, problems, proof_totals(store))


def _check_kept(kept: Mapping[str, Any], directory: Path) -> None:
    """See whether an audit's settings have what is needed to go on with it."""
    texts = ("target", "folder")
    names = kept.get("class_names")
    images = kept.get("images")
    whole = all(isinstance(kept.get(name), str) for name in texts)
    lists = isinstance(images, list) and (names is None or isinstance(names, list))
    if not (whole and lists and all(isinstance(path, str) for path in images or ())):
        raise UsageError(
            f"the settings in {directory / DATABASE} are damaged, so that the audit can't go on; bring back a copy of it, or "
            "give another folder"
        )
