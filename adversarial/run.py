"""The driver: many searches, one classifier. What several images ask is put together into full batches."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.driving.array_threads import one_array_thread
from adversarial.driving.calls import Calls
from adversarial.driving.image_attack import CHECKED as CHECKED
from adversarial.driving.image_attack import ImageAttack as ImageAttack  # noqa: TC001 - earlier releases had it here
from saywhy_core.arrays import keyed
from saywhy_core.bounded.watched import leave_behind, of_time
from saywhy_core.classifiers import ClassifierError, EndpointError, ask_some_again, same_answer
from saywhy_core.classifiers.classifier import WidthError
from saywhy_core.disk.troubles import UnusableFileError
from saywhy_core.errors import BudgetExceeded, UsageError, argument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from saywhy_core.classifiers import Classifier

    Images: TypeAlias = NDArray[np.float32]
    Floats: TypeAlias = NDArray[np.float64]

GRACE = 5.0  # seconds that answers on their way are waited for when a run is stopped: a batch of a slow endpoint
SEVERAL = 16  # attacks that may be on their way however small the batches are
PIXELS = 2**19  # of all images whose attacks are on their way: a search takes some 8 kB per pixel
LEAST = 8  # images that an attack asks about at a time, at least on average: more attacks would only take memory
BROKEN = 10  # images in a row that fail alone, after which it is decided whether the classifier itself is broken


class ChangedClassifierError(ClassifierError):
    """The classifier answers otherwise than in the run whose answers were taken from a memory; they are forgotten."""


def drive(
    classifier: Classifier,
    openings: Iterable[Callable[[], ImageAttack | None]],
    batch_size: int,
    finished: Callable[[ImageAttack], None],
    failed: Callable[[ImageAttack, UsageError], None] | None = None,
) -> None:
    """Run attacks to their end, in their order. An attack's answers don't depend on the attacks that it shares batches with.

    Of each batch, the attack that began first gets what it asks, and the later ones fill what is left; images of another size
    go into another batch. A new attack begins only where those on their way can't fill a batch, so that the first results
    come early, a kill costs few attacks, and memory does not grow with the number of images. What an attack found is checked
    in the next batch, and reported as soon as that is answered.

    A classifier that says `concurrency` (a number above 1) is called by that many threads at once, while other attacks
    advance in this one. The results do not depend on it. One that has `affords` says by it whether another attack may begin
    beside those on their way, which made so many queries each; it must allow the first.

    Where a batch fails, what each image asked is asked apart, and only the image that fails alone is told to `failed`. The
    whole ends where the endpoint is at fault (`EndpointError`), the first answer has another number of scores than there are
    classes (`WidthError`), the classifier takes too long, or it seems to be broken: after an image that it answered about
    before has failed, it answers nothing more, or it has never answered about 10 images.

    Args:
        classifier: all attacks ask this one.
        openings: each makes one image's attack, or None where it can't be made; they are called one by one, when there is
            room in the batches.
        batch_size: images per call of the classifier.
        finished: called with each attack that has ended and was checked, at once.
        failed: called with an attack that can't go on, and why; the others go on. None raises the error.

    Raises:
        ClassifierError: from the classifier, or because its second answer about a finding differs from its first one.
        BudgetExceeded: from the classifier.
        KeyboardInterrupt: what was on its way was waited for some seconds, and is kept in the memories.
    """
    with one_array_thread(classifier):
        _Drive(classifier, iter(openings), batch_size, finished, failed).run()


@dataclass(frozen=True, eq=False)
class _Part:
    """What one attack has in a batch: images from the place `first` on among those that it asked about; None for its check.

    Those that are `anew` must be evaluated, whatever was remembered of them.
    """

    attack: ImageAttack
    images: Images
    first: int | None
    anew: bool = True


@dataclass(frozen=True, eq=False)
class _Batch:
    """What one call asks about, checks first; each check is an image of an attack that has ended."""

    classifier: Classifier
    parts: list[_Part]

    def ask(self) -> Floats:
        """The scores of all images, which the memories keep at once: a kill must not lose them while others are computed."""
        checks = sum(len(part.images) for part in self.parts if part.anew)
        images = self.parts[0].images if len(self.parts) == 1 else np.concatenate([part.images for part in self.parts])
        with keyed(images[checks:]) if self._kept_by_key(images) else nullcontext() as keys:
            scores = ask_some_again(self.classifier, images, checks)
        start = 0
        for part in self.parts:
            end = start + len(part.images)
            if part.first is not None and not part.attack.ended:
                known = None if keys is None or part.anew else keys[start - checks : end - checks]
                part.attack.keep(part.first, scores[start:end], known)
            start = end
        return scores

    def _kept_by_key(self, images: Images) -> bool:
        """Whether a memory wants the keys of the images, which the classifier then need not compute once more."""
        kept = any(part.attack.memory is not None and part.attack.memory.add is not None for part in self.parts)
        return kept and all(part.images.dtype == images.dtype for part in self.parts)


class _Drive:
    def __init__(
        self, classifier: Classifier, openings: Iterable[Callable[[], ImageAttack | None]], batch_size: int,
        finished: Callable[[ImageAttack], None], failed: Callable[[ImageAttack, UsageError], None] | None,
    ) -> None:  # fmt: skip
        self.classifier, self.openings, self.batch_size = classifier, iter(openings), batch_size
        self.finished, self.failed = finished, failed
        self.affords: Callable[[list[int]], bool] | None = getattr(classifier, "affords", None)
        self.calls: Calls[_Batch] = Calls(max(1, int(getattr(classifier, "concurrency", 1))))
        self.most = max(SEVERAL, self.calls.room * batch_size // LEAST)  # attacks on their way
        self.running: list[ImageAttack] = []
        self.checks: deque[_Part] = deque()
        self.checked: dict[ImageAttack, Floats] = {}  # the first answers about what is checked
        self.apart: deque[_Part] = deque()  # what was in a batch that failed, and is asked apart
        self.exhausted = False
        self.suspects: OrderedDict[ImageAttack, tuple[ClassifierError, int]] = OrderedDict()  # failed alone, no answer since
        self.answered = False

    def run(self) -> None:
        try:
            while True:
                self._send()
                if not self.calls.on_the_way:
                    self._judge()
                    return
                answered = self.calls.next()
                if answered is not None:
                    self._receive(*answered)
        except (KeyboardInterrupt, ClassifierError, BudgetExceeded) as error:
            if not isinstance(error, ChangedClassifierError):
                self._keep_what_comes()
            raise
        finally:
            self.calls.close()

    def _send(self) -> None:
        """Send batches while another call may be on its way, and there is anything to ask."""
        while self.calls.free:
            if self.apart:
                self.calls.send(_Batch(self.classifier, [self.apart.popleft()]))
                continue
            while not self.exhausted and self._waiting() < self.batch_size and self._has_room():
                self._open()
            if self.calls.busy and self._waiting() < self.batch_size:
                return  # a fuller batch can be sent when the next answer is there
            parts = self._parts()
            if not parts:
                return
            self.calls.send(_Batch(self.classifier, parts))

    def _waiting(self) -> int:
        return len(self.checks) + sum(attack.waiting for attack in self.running)

    def _has_room(self) -> bool:
        pixels = sum(attack.shape[0] * attack.shape[1] for attack in self.running)
        if len(self.running) >= self.most or pixels >= PIXELS:
            return False
        return self.affords is None or self.affords([attack.log.queries for attack in (*self.running, *self.checked)])

    def _open(self) -> None:
        opening = next(self.openings, None)
        if opening is None:
            self.exhausted = True
            return
        attack = opening()
        if attack is not None and self._advance(attack):
            self.running.append(attack)

    def _parts(self) -> list[_Part]:
        """The next batch: images of one size, checks first, then what the attacks ask, in the order in which they began."""
        first = self.checks[0].attack if self.checks else next((attack for attack in self.running if attack.waiting), None)
        if first is None:
            return []
        room, parts, others = self.batch_size, list[_Part](), deque[_Part]()
        while self.checks and room:
            check = self.checks.popleft()
            fits = check.attack.shape == first.shape
            (parts if fits else others).append(check)
            room -= fits
        self.checks.extendleft(reversed(others))
        for attack in self.running:
            if room and attack.waiting and attack.shape == first.shape:
                place, images = attack.next_images(room)
                room -= len(images)
                parts.append(_Part(attack, images, place, attack.anew))
        return sorted(parts, key=lambda part: not part.anew)

    def _receive(self, batch: _Batch, answer: Floats | BaseException) -> None:
        if isinstance(answer, BaseException):
            self._sort_out(batch, answer)
            return
        self.answered = True
        self._acquit()
        served, start, changed = [], 0, []
        for part in batch.parts:
            rows = answer[start : start + len(part.images)]
            start += len(part.images)
            if part.first is None:
                part.attack.log.count_check()
                if not same_answer(self.checked.pop(part.attack), rows[0]):
                    changed.append(part.attack)
                else:
                    self._finish(part.attack)
            elif not part.attack.ended and part.attack.answer(part.first, rows):
                served.append(part.attack)
        if changed:
            self._changed(changed, sum(part.first is None for part in batch.parts))
        for attack in served:
            if not self._advance(attack) and attack in self.running:
                self.running.remove(attack)

    def _advance(self, attack: ImageAttack) -> bool:
        """Let a search go on; whether it asks more. One that has ended is checked next."""
        try:
            if attack.advance():
                return True
        except (ClassifierError, BudgetExceeded, UnusableFileError):
            raise
        except UsageError as error:
            self._fail(attack, error)
            return False
        attack.ended = True
        check = attack.to_check()
        if check is None:
            self._finish(attack)
        else:
            image, self.checked[attack] = check
            self.checks.append(_Part(attack, image[None], None))
        return False

    def _finish(self, attack: ImageAttack) -> None:
        attack.ended = True
        self.finished(attack)

    def _fail(self, attack: ImageAttack, error: UsageError) -> None:
        if self.failed is None:
            raise error
        attack.ended = True
        self.checked.pop(attack, None)
        if attack in self.running:
            self.running.remove(attack)
        self.failed(attack, error)

    def _sort_out(self, batch: _Batch, error: BaseException) -> None:
        """Ask apart what was in a batch that failed; what fails alone is that image's own trouble."""
        self._keep_answered(batch)
        if not isinstance(error, ClassifierError) or isinstance(error, EndpointError) or of_time(error) is not None:
            raise error
        if isinstance(error, WidthError) and not self.answered:
            raise error
        alive = [part for part in batch.parts if part.first is None or not part.attack.ended]
        if len(batch.parts) > 1:
            self.apart.extend(alive)
        elif alive:
            attack = alive[0].attack
            if self.failed is None:
                raise error
            if attack in self.running:
                self.running.remove(attack)
            self.suspects[attack] = error, len(alive[0].images)
            if len(self.suspects) >= BROKEN:
                self._judge()

    def _keep_answered(self, batch: _Batch) -> None:
        """Keep what was answered of a batch before it failed, so that nobody asks for it again."""
        remembered = getattr(self.classifier, "remembered", None)
        if remembered is None:
            return
        for part in batch.parts:
            memory = part.attack.memory
            if memory is None or part.first is None or part.attack.ended:
                continue
            for image, scores in zip(part.images, remembered(part.images), strict=True):
                if scores is not None:
                    memory.keep(image[None], scores[None])

    def _judge(self) -> None:
        """Nothing was answered since these images failed: is it their own trouble, or is the classifier broken?

        It is broken where it answered about one of them before and doesn't answer about its original any more, or where it
        never answered at all about so many.
        """
        for attack, (error, count) in self.suspects.items():
            if attack.log.queries:
                if not self._answers(attack, count):
                    raise error
                break
            if len(self.suspects) >= BROKEN and not self.answered:
                raise error
        self._acquit()

    def _answers(self, attack: ImageAttack, count: int) -> bool:
        """Whether the classifier still answers about the original of an attack, in a batch as large as what failed."""
        found = attack.log.outcome()
        if found.clean is None:
            return False
        one = getattr(self.classifier, "remote", False)  # a server has batches of its own, and its answers may cost
        images = np.repeat(found.image[None], 1 if one else count, axis=0)
        try:
            ask_some_again(self.classifier, images, len(images))
        except ClassifierError as error:
            if isinstance(error, EndpointError) or of_time(error) is not None:
                raise
            return False
        self.answered = True
        return True

    def _acquit(self) -> None:
        """The classifier answers: what failed is the trouble of the images alone."""
        while self.suspects:
            attack, (error, _) = self.suspects.popitem(last=False)
            self._fail(attack, error)

    def _changed(self, changed: list[ImageAttack], checks: int) -> None:
        """The classifier gave another answer than before about the same image."""
        share = f"({len(changed)} of {checks} checks)"
        on_their_way = (*changed, *self.checked, *self.running)
        recalled = [attack for attack in on_their_way if attack.memory is not None and attack.memory.recalled]
        if not any(attack in recalled for attack in changed):
            raise ClassifierError(
                f"the classifier gave another answer when asked again about the same image {share}: it must be deterministic; "
                f"switch off dropout, augmentation or noise in it, or give {argument('tolerate_noise')}"
            )
        for attack in recalled:
            attack.memory.forget()  # type: ignore[union-attr]  # those without one are not among them
        raise ChangedClassifierError(
            f"the classifier gave another answer than in an earlier run about the same image {share}: it has changed since, or "
            "is not deterministic; its earlier answers are forgotten, and the images that were begun then start anew next time"
        )

    def _keep_what_comes(self) -> None:
        """Wait some seconds for the answers on their way, and keep them in the memories."""
        self.calls.stop()
        end = time.monotonic() + GRACE
        while self.calls.on_the_way and (left := end - time.monotonic()) > 0:
            came = self.calls.next(left)
            if came is None:
                continue
            batch, answer = came
            if isinstance(answer, BaseException):
                continue
            start = 0
            for part in batch.parts:
                if part.first is not None and not part.attack.ended:
                    with suppress(UsageError):  # the disk is full, say: another error is on its way already
                        part.attack.answer(part.first, answer[start : start + len(part.images)])
                start += len(part.images)
        if self.calls.on_the_way:
            leave_behind()
