"""The work of `saywhy attack`: which images are to be attacked, with what, and where the results go."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from saywhy_core.classifiers import load_classifier, read_option, split_spec
from saywhy_core.errors import Problem, UsageError
from saywhy_core.images import NamedImage, read_image, read_images, resize_image
from saywhy_core.names import class_index, read_lines, safe_file_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from adversarial import AttackResult, FeatureGuidedAttack
    from adversarial.attacks.mcts_game.game import PlayerTwo
    from adversarial.features import KeypointMixture
    from saywhy_core.classifiers import Classifier

    Shape: TypeAlias = tuple[int | None, int | None, int | None]

FILES = ("onnx", "torch")  # kinds of target that are a file
BATCH = 64  # images per call of the classifier, where the user says nothing
AUTO = (0, 0)  # the size that the classifier takes


@dataclass(frozen=True)
class Settings:
    """What an attack depends on beside the image; results of other settings are never taken for these."""

    target: str
    options: dict[str, Any]
    model: str | None
    distance: str
    budget: int
    goal: int | None
    manipulation: str | None
    player_two: PlayerTwo
    engine: str
    batch_size: int | None
    seed: int
    prior: str | None


@dataclass(frozen=True, eq=False)
class Job:
    """One image to attack, its class (None for the predicted one), and the folder for what comes out."""

    picture: NamedImage
    label: int | None
    folder: Path
    digest: str

    @property
    def done(self) -> bool:
        """Whether the folder holds the result of this image under these settings.

        Raises:
            UsageError: it holds another result.
        """
        path = self.folder / "result.json"
        if not path.exists():
            return False
        try:
            settings = json.loads(path.read_text(encoding="utf-8"))["settings"]
        except (OSError, ValueError, KeyError, TypeError):
            settings = {}
        if not isinstance(settings, dict) or settings.get("digest") != self.digest:
            raise UsageError(
                f"{self.folder} holds the result of another image or of other settings; write to another folder, or "
                "use --force to replace it"
            )
        return bool(settings.get("finished"))


@dataclass
class Run:
    """All the images of one command, the classifier they are put to, and what became of them."""

    classifier: Classifier
    shape: Shape
    settings: Settings
    class_names: Sequence[str] | None
    prior: NDArray[np.float64] | None
    jobs: list[Job] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    written: int = 0
    guided: FeatureGuidedAttack = field(init=False)
    _finished: set[Path] = field(default_factory=set)

    def __post_init__(self) -> None:
        from adversarial import FeatureGuidedAttack

        settings = self.settings
        self.guided = FeatureGuidedAttack(
            distance=settings.distance, budget=settings.budget, player_two=settings.player_two,
            batch_size=settings.batch_size, engine=settings.engine, seed=settings.seed,
            manipulation=settings.manipulation, density=None if self.prior is None else self._prior_of,
        )  # fmt: skip

    def gather(
        self, paths: Sequence[Path], out: Path, *, size: tuple[int, int] | None, label: str | None, labels: Path | None
    ) -> None:
        """Read the images and make a job of each; what can't be read or doesn't fit becomes a problem.

        Raises:
            UsageError: the labels are of other classes or of another number than the images.
        """
        height, width, channels = self.shape
        if size == AUTO:
            if height is None or width is None:
                raise UsageError(f"{self.settings.target} doesn't say what size it takes; use --resize HEIGHTxWIDTH")
            size = (height, width)
        items = list(read_images(paths, channels=channels if channels in (1, 3) else None))
        lines = None if labels is None else read_lines(labels)
        if lines is not None and len(lines) != len(items):
            raise UsageError(f"{labels} holds {len(lines)} labels for {len(items)} images; give one per line, in their order")
        taken: set[str] = set()
        for place, item in enumerate(items):
            if isinstance(item, Problem):
                self.problems.append(str(item))
                continue
            pixels = item.pixels if size is None else resize_image(item.pixels, size)
            own = item.label
            if label is not None:
                own = class_index(label, self.class_names, "--label")
            elif lines is not None:
                own = class_index(lines[place][1], self.class_names, f"{labels}, line {lines[place][0]}")
            problem = self._misfit(pixels.shape, own)
            if problem is not None:
                self.problems.append(f"{item.name}: {problem}")
                continue
            folder = out / safe_file_name(item.name, "", taken)
            self.jobs.append(Job(NamedImage(item.name, pixels, item.label), own, folder, self._digest(pixels, own)))

    def attack(self, jobs: Sequence[Job], told: Callable[[str, str], None]) -> None:
        """Attack images; those of one size share their batches, and each is written as soon as it is finished.

        Where the classifier fails, what was found so far is written as unfinished, to be attacked again the next time.

        Args:
            jobs: the images.
            told: called with the name of each image that is finished and with what was found, in a sentence.
        """
        groups: dict[tuple[int, ...], list[Job]] = {}
        for job in jobs:
            groups.setdefault(job.picture.pixels.shape, []).append(job)
        for group in groups.values():
            try:
                self._attack_together(self._labelled(group), told)
            except UsageError as error:
                left = [job for job in group if job.folder not in self._finished]
                self.problems += [f"{job.picture.name}: {error}" for job in left]

    def _labelled(self, jobs: list[Job]) -> list[tuple[Job, int]]:
        """Jobs with their classes, asked of the classifier where none was given."""
        unknown = [job.picture.pixels for job in jobs if job.label is None]
        guesses: list[int] = []
        size = self.settings.batch_size or BATCH
        for start in range(0, len(unknown), size):
            scores = self.classifier(np.stack(unknown[start : start + size]))
            guesses += scores.argmax(axis=1).tolist()
        guess = iter(guesses)
        labelled = [(job, next(guess) if job.label is None else job.label) for job in jobs]
        there = [job for job, label in labelled if label == self.settings.goal]
        self.problems += [f"{job.picture.name}: it is of the class to be reached already" for job in there]
        self._finished.update(job.folder for job in there)
        return [(job, label) for job, label in labelled if label != self.settings.goal]

    def _attack_together(self, jobs: list[tuple[Job, int]], told: Callable[[str, str], None]) -> None:
        from adversarial import AttackInterrupted, AttackStopped

        if not jobs:
            return

        def write(result: AttackResult, *, finished: bool) -> None:
            job = jobs[result.index][0]
            sentence = self._write(job, result, finished=finished)
            if finished:
                self._finished.add(job.folder)
                told(job.picture.name, sentence)

        def step(_done: int, _all: int, result: AttackResult | None) -> None:
            if result is not None:
                write(result, finished=True)

        try:
            self.guided.run(
                self.classifier, np.stack([job.picture.pixels for job, _ in jobs]), [label for _, label in jobs],
                targets=None if self.settings.goal is None else [self.settings.goal] * len(jobs), progress=step,
            )  # fmt: skip
        except (AttackInterrupted, AttackStopped) as error:
            for result in error.results:
                if jobs[result.index][0].folder not in self._finished:
                    write(result, finished=False)
            raise

    def _prior_of(self, image: NDArray[np.float32]) -> KeypointMixture:
        from adversarial.features import KeypointMixture

        values = np.ones(image.shape[:2]) if self.prior is None else self.prior
        return KeypointMixture.from_map(values, shape=(image.shape[0], image.shape[1]), seed=self.settings.seed)

    def _write(self, job: Job, result: AttackResult, *, finished: bool) -> str:
        from adversarial.findings.findings import write_finding

        settings = {**asdict(self.settings), "image": job.picture.name, "digest": job.digest, "finished": finished}
        record = write_finding(result, job.folder, self.class_names, budget=self.settings.budget, settings=settings)
        self.written += finished
        return str(record["sentence"])

    def _misfit(self, shape: tuple[int, ...], label: int | None) -> str | None:
        wrong = [want is not None and have != want for have, want in zip(shape, self.shape, strict=True)]
        if any(wrong[:2]):
            sides = " x ".join("any" if side is None else str(side) for side in self.shape[:2])
            return f"the image is {shape[0]} x {shape[1]} (height x width) but the classifier takes {sides}; use --resize auto"
        if wrong[2]:
            return f"the image has {shape[2]} channels but the classifier takes {self.shape[2]}"
        if label is not None and self.class_names is not None and not 0 <= label < len(self.class_names):
            return f"its label {label} is no class; there are {len(self.class_names)}, counted from 0"
        return None

    def _digest(self, pixels: NDArray[np.float32], label: int | None) -> str:
        content = json.dumps([asdict(self.settings), label, pixels.shape], sort_keys=True).encode()
        return hashlib.sha256(content + pixels.tobytes()).hexdigest()[:20]


def open_classifier(spec: str, options: Mapping[str, Any]) -> tuple[Classifier, Shape]:
    """The classifier that a target names, with the height, width and channels that it takes, None where it doesn't say.

    Raises:
        UsageError: there is no such target, it can't be opened, or it has no such option.
    """
    classifier = load_classifier(spec, **options)
    return classifier, classifier.image_shape


def read_options(pairs: Sequence[str], scores: str | None) -> dict[str, Any]:
    """Options of a target from "name=value" texts, written as `read_option` says."""
    options: dict[str, Any] = {}
    for pair in [*pairs, *([] if scores is None else [f"scores={scores}"])]:
        name, value = read_option(pair)
        options[name] = value
    return options


def read_size(text: str | None) -> tuple[int, int] | None:
    """(height, width) of "48x64", `AUTO` of "auto", None of nothing."""
    if text is None:
        return None
    if text.strip().lower() == "auto":
        return AUTO
    match = re.fullmatch(r"\s*([1-9]\d*)\s*[xX×]\s*([1-9]\d*)\s*", text)
    if match is None:
        raise UsageError(f"--resize takes HEIGHTxWIDTH, such as 48x48, or auto, not {text!r}")
    return int(match[1]), int(match[2])


def read_prior(path: Path | None) -> NDArray[np.float64] | None:
    """The map that takes SIFT's place, (H, W): an array of any non-negative values, or a picture's grey levels."""
    if path is None:
        return None
    if path.suffix.lower() != ".npy":
        return np.asarray(read_image(path, channels=1)[:, :, 0], dtype=np.float64)
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UsageError(f"the map {path} can't be read: {error}") from None
    if values.ndim != 2 or values.dtype.kind not in "buif":
        raise UsageError(f"the map {path} must be an array (height, width) of numbers, not {values.dtype} of {values.shape}")
    return np.asarray(values, dtype=np.float64)


def file_digest(path: Path | None) -> str | None:
    """A digest of a file's content, None of nothing."""
    if path is None:
        return None
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:20]
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None


def model_digest(spec: str) -> str | None:
    """A digest of the file that a target names, None where it is no file."""
    kind, _, rest = split_spec(spec)[0].partition(":")
    return file_digest(Path(rest)) if kind in FILES else None


def make_folder(path: Path) -> None:
    """Make the folder for results."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path} can't be made a folder: {error.strerror}") from None
