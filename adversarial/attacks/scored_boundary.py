"""Search for the smallest change in L2 or L-infinity by scores: a model of their slopes leads along the boundary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.label_only.boundary import TINY, LabelBoundary, Point
from adversarial.attacks.label_only.boundary_tuning import STANDARD as BOUNDARY
from adversarial.attacks.label_only.probes import unit
from adversarial.attacks.large_pictures.wave_images import is_large
from adversarial.attacks.scored_probes import ScoredProbes
from adversarial.attacks.scored_rays import ScoredRays
from adversarial.attacks.tuning import STANDARD, Tuning
from adversarial.attacks.waves import WaveSearch, projection
from adversarial.margins import deciding

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from numpy.typing import NDArray

    from adversarial.attacks.registry import ImageSearch
    from adversarial.distances.distance import Distance
    from adversarial.query_log import QueryLog, Search

    Floats: TypeAlias = NDArray[np.float64]
    Images: TypeAlias = NDArray[np.float32]
    # a part of the search that asks, and returns the point it ends at, or None where nothing flips
    Crossing: TypeAlias = Generator[Images, Floats, "Point | None"]


class ScoredBoundary(LabelBoundary):
    """One image's search for a near adversarial image, where scores tell more than the decision.

    It goes along the boundary as `LabelBoundary` does, with what the scores add. The gaps between the scores are modelled as
    linear, class by class; every answer corrects the model by a block of Kaczmarz projections (Elfving 1980), so that the
    normal of the boundary is known from all probes so far and not from the last ones' signs. Waves around the original begin
    the model, unless these leave rounded scores as they were. Its nearest flips are tried first; then they and the starts of
    the label-only search shorten together, so that the search begins where either kind of start is nearest. In L-infinity,
    signs are turned block by block (see `ScoredRays`), first of a start that few waves tell, so that it comes early, then of
    one that more tell; later, steps of `WaveSearch` are taken where these gained more.

    Args:
        log: the image, its budget and the answers.
        distance: what is to be made small; a p-norm with p above 1.
        rng: all chance comes from here: the same seed, the same search.
        mask: (H, W) the pixels that may change, or None for all.
        tuning: its constants.
        by_decision: makes a search that needs no scores, for answers that tell one class of several; None for none.
        by_waves: makes the search that goes on where no start flips; None for none.

    Attributes:
        model: (H W C, A + 1) slope of each followed gap, in gap per unit of value; the last one is the largest one's.
        columns: (A,) the gaps that are followed.
    """

    def __init__(
        self, log: QueryLog, distance: Distance, rng: np.random.Generator,
        mask: NDArray[np.bool_] | None = None, tuning: Tuning = STANDARD,
        by_decision: Callable[[], ImageSearch] | None = None, by_waves: Callable[[], ImageSearch] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(log, distance, rng, mask, BOUNDARY)
        self.by_decision, self.by_waves = by_decision, by_waves
        self.constants, self._all_constants = tuning.scored, tuning
        self.scored_probes = ScoredProbes(self.image, self.allowed, rng, BOUNDARY, tuning)
        self.columns = np.zeros(0, dtype=np.int64)
        self.model = np.zeros((self.image.size, 0))
        self.start = np.zeros(0)
        self.longest = 2 * math.sqrt(self.image.size)
        self._fallen: ImageSearch | None = None
        self._column = 0
        log.bounded = log.kind == "top-k"

    def steps(self) -> Search:
        """See `ImageSearch.steps`."""
        gaps = deciding((yield from self.log.ask(self.log.image[None])), every=self.log.every)
        if self.log.found() or not self.allowed.any():
            return
        if self.by_decision is not None and self._tells_one():
            self._fallen = self.by_decision()
            yield from self._fallen.steps()
            return
        self.columns = np.argsort(-gaps[0], kind="stable")[: self.constants.classes]
        self.start = np.append(gaps[0, self.columns], gaps[0].max())
        self.model = np.zeros((self.image.size, len(self.start)), dtype=np.float32 if is_large(self.image.size) else np.float64)
        signs = math.isinf(self.distance.power or 2.0)
        if not signs:
            self.scored_probes.fine = (
                False  # in L2, a flip of fine waves comes sooner, but the way along the boundary is longer
            )
        yield from self._open(self.constants.signs_opening if signs else self.constants.opening)
        point = yield from self._cross()
        if point is not None:
            yield from self._follow_signs(point) if signs else self._follow(point)
        elif self.by_waves is not None:
            self._fallen = self.by_waves()
            yield from self._fallen.steps()

    def evidence(self) -> Floats:
        """(H, W): the steepness of the model at each pixel, towards the class that was nearest last."""
        if self._fallen is not None:
            return self._fallen.evidence()
        if not self.model.shape[1]:
            return np.zeros(self.image.shape[:2])
        return np.asarray(np.abs(self._slope(self._column)).max(axis=-1) * self.log.unit)

    def _tells_one(self) -> bool:
        """Whether the answer about the original tells one class of several: how far the others are behind it does not say."""
        scores = self.log.clean
        return self.log.bounded and scores is not None and int((scores > scores.min()).sum()) <= 1 < len(scores) - 1

    def _gaps(self, moves: Floats) -> Generator[Images, Floats, Floats]:
        """The followed gaps and the largest one of images that are moved so, (n, A + 1); fewer where the budget ends."""
        asked = yield from self.log.ask(np.clip(self.image + moves, 0, 1).astype(np.float32))
        gaps = deciding(asked, every=self.log.every)
        return np.concatenate([gaps[:, self.columns], gaps.max(axis=1, keepdims=True)], axis=1)

    def _correct(self, moves: Floats, wrong: Floats) -> None:
        """Correct the model so that it errs no longer by `wrong` (n, A + 1) at moves (n, S), up to the ridge."""
        ridge = self.constants.ridge * float((moves**2).sum(axis=1).mean())
        if ridge > 0:
            self.model += projection(moves, wrong, ridge)

    def _slope(self, column: int) -> Floats:
        return self.model[:, column].reshape(self.image.shape) * self.allowed[..., None]

    def _open(self, left: int) -> Search:
        """Ask about waves around the original, and begin the model with their answers; where they tell little, ask few."""
        waves = self._all_constants.waves
        length = waves.length * math.sqrt(self.image.size / 1000)
        block = max(8, min(waves.block * self._all_constants.leaves, self.tuning.room // self.image.size))
        first, number = True, min(block, self._all_constants.leaves)
        while left > 0:
            if self.scored_probes.fine and self.log.best is not None:
                length = max(length, self.constants.fine_share * float(np.linalg.norm(self.log.best - self.image)))
            asked = length * self.scored_probes.waves(min(left, number))
            left -= len(asked)
            asked = self.log.on_grid(np.clip(self.image + asked, 0, 1)) - self.image
            gaps = yield from self._gaps(asked)
            moves = asked[: len(gaps)].reshape(len(gaps), -1)
            wrong = gaps - self.start - moves @ self.model
            self.scored_probes.told_by_waves(moves, wrong[:, : self.constants.flips])
            self._correct(moves, wrong)
            if self._is_saturated():
                return
            if first and not self.log.found():
                yield from self._glance()
            first, number = False, self.constants.fine_together if self.scored_probes.fine else block

    def _glance(self) -> Search:
        """Ask about the model's nearest flips at growing lengths, until one is adversarial."""
        nearest = self._nearest_flips()
        for longer in self.constants.glance_lengths if nearest else ():
            moves = np.stack([self._move(one, min(longer * length, self.longest)) for length, one in nearest])
            yield from self._gaps(moves)
            if self.log.found():
                return

    def _is_saturated(self) -> bool:
        """Whether scores look rounded and many waves left them as they were: around the original they tell little."""
        return self.log.coarse and self.log.unmoved > self._all_constants.waves.unmoved

    def _cross(self) -> Crossing:
        """A point of the boundary along the shortest of the model's nearest flips and the label-only search's starts."""
        tuning, nearest = self.constants, self._nearest_flips()
        lengths = np.array([min(tuning.beyond * length, self.longest) for length, _ in nearest])
        directions = np.stack([direction for _, direction in nearest]) if nearest else np.zeros((0, *self.image.shape))
        for _ in range(tuning.tries if nearest else 0):
            moves = np.stack([self._move(one, by) for one, by in zip(directions, lengths.tolist(), strict=True)])
            values = (yield from self._gaps(moves))[:, -1]
            flips = np.flatnonzero(values > 0)
            if len(flips):
                first = int(flips[lengths[flips].argmin()])
                others = np.concatenate([np.delete(directions, first, axis=0), self._directions()])
                known = Point(directions[first], 0.0, float(lengths[first]))
                return (yield from self._shorten(np.concatenate([directions[first][None], others]), known, known.above))
            if len(values) < len(lengths) or lengths.min() >= self.longest:
                break
            gained = np.maximum(values - self.start[-1], TINY)
            missing = np.clip(-tuning.spare * self.start[-1] / gained, *tuning.farther)
            lengths = np.minimum(lengths * missing, self.longest)
        for _ in range(self.tuning.redrawn if self.by_waves is None else 1):
            length = self.tuning.first_length * math.sqrt(self.image.size)
            point = yield from self._shorten(self._directions(), None, length)
            if point is not None:
                return point
        return None

    def _nearer(self, above: float) -> Crossing:
        """A point of the boundary nearer than a length, along the model's nearest flips; None where none of them flips."""
        nearest = self._nearest_flips()
        if not nearest:
            return None
        directions = np.stack([direction for _, direction in nearest])
        lengths = np.array([min(self.constants.beyond * length, self.constants.nearer_start * above) for length, _ in nearest])
        moves = np.stack([self._move(one, by) for one, by in zip(directions, lengths.tolist(), strict=True)])
        flips = np.flatnonzero((yield from self._gaps(moves))[:, -1] > 0)
        if not len(flips):
            return None
        first = int(flips[lengths[flips].argmin()])
        known = Point(directions[first], 0.0, float(lengths[first]))
        return (
            yield from self._shorten(directions[[first, *np.delete(np.arange(len(directions)), first)]], known, known.above)
        )

    def _nearest_flips(self) -> list[tuple[float, Floats]]:
        """The lengths and directions of the model's nearest flips, of the nearest classes."""
        found = []
        for column in range(len(self.columns)):
            slope, need = self._slope(column), -float(self.start[column])
            direction = unit(slope)
            length = need / max(float((direction * slope).sum()), TINY)
            for _ in range(8):  # the colour cube cuts off some of a long move, which must then be longer
                risen = float((self._move(direction, length) * slope).sum())
                if risen >= 0.98 * need or length > self.longest:
                    break
                length *= min(2.0, max(1.05, need / max(risen, TINY)))
            if length <= self.longest:
                found.append((length, direction))
        return sorted(found, key=lambda one: one[0])[: self.constants.flips]

    def _shorten(self, directions: Floats, known: Point | None, length: float) -> Crossing:
        """Shorten together the directions that flip, by what their gaps say, and keep those farthest beyond the boundary.

        Where no direction is known to flip, the length first grows until one does; None where none does.
        """
        tuning, before = self.constants, float(self.start[-1])
        best = None if known is None else known.direction
        above, below = (math.inf if known is None else length), 0.0
        tried = length if known is None else length / self.tuning.shorter
        for _ in range(tuning.rounds):
            values = (yield from self._gaps(self._move(directions, tried)))[:, -1]
            order = np.argsort(-values, kind="stable")[: tuning.kept]
            order = order[values[order] > 0]
            if len(order):
                directions, above = directions[order], tried
                best = directions[0]
                if below:
                    break
                closed = tuning.short * -before / (float(values[order[0]]) - before)
                tried = above * min(max(closed, tuning.shortening[0]), tuning.shortening[1])
            elif best is None:
                tried *= self.tuning.longer
                if tried > self.longest:
                    return None
            else:
                below = tried
                if above - below < tuning.bracket * above:
                    break
                directions, tried = best[None], (above + below) / 2
        return None if best is None else self._settled(best, below, above)

    def _follow(self, point: Point) -> Search:
        """Go along the boundary from a point of it: turn towards the normal, step by step."""
        self._follow_class()
        angle, step, again = self.tuning.first_angle, 0, self.constants.starts_again
        while point.above > TINY:
            step += 1
            yield from self._estimate(point, step)
            point, turned = yield from self._turn(point, angle)
            angle = max(turned, self.tuning.least_angle)
            if step == again:  # another start may be nearer by now, where this one leads nowhere
                again *= 2
                other = yield from self._nearer(point.above)
                point = point if other is None or other.above >= point.above else other

    def _reach(self, step: int) -> float:
        """The length of a probe, of the distance from the original, in a step."""
        return float(max(self.constants.least_reach, self.constants.reach * step**-self.constants.nearer))

    def _follow_signs(self, point: Point) -> Search:
        """In L-infinity: turn signs block by block, and take steps along waves in between where these gained more lately.

        The signs begin anew once more waves were asked about: turned blocks mend the coarse parts of a start, and the fine
        ones are those that the waves told.
        """
        rays = ScoredRays(self.log, self.rng, self.allowed > 0)
        yield from rays.begin(np.sign(point.direction) * self.allowed[..., None], point.above / self._moving(point))
        waves = WaveSearch(self.log, self.distance, self.rng, self.allowed > 0, self._all_constants)
        waves.columns, waves.model = self.columns, self.model[:, :-1]
        least = TINY if self.log.levels is None else 1.5 / (self.log.levels - 1)  # one level, but for rounding
        while least < self.log.distance < math.inf and self.log.queries < self.constants.signs_again:
            yield from self._sign_series(rays)
        yield from self._open(self.constants.signs_reopening)
        other = yield from self._cross()
        if other is not None:  # whether it is nearer or not: what more waves have told leads farther
            yield from rays.begin(np.sign(other.direction) * self.allowed[..., None], other.above / self._moving(other))
        gains, begun = [math.inf, math.inf], self.log.queries
        while least < self.log.distance < math.inf:
            before, asked = self.log.distance, self.log.queries
            early = asked - begun < self.constants.signs_first
            way = 0 if early else gains.index(max(gains))
            if way == 0:
                yield from self._sign_series(rays)
            else:
                yield from waves.step(-float(self.start[-1]), waves.leaves)
                if self.log.best is not None and self.log.distance < before:
                    signs = np.sign(self.log.best - self.image) * self.allowed[..., None]
                    rays.go_on(np.where(signs == 0, rays.signs, signs), self.log.distance)
            gain = math.log(before / max(self.log.distance, TINY)) / max(1, self.log.queries - asked)
            gains[way] = gain if math.isinf(gains[way]) else gains[way] + self.constants.recent * (gain - gains[way])

    def _sign_series(self, rays: ScoredRays) -> Search:
        """Some turns of signs; on a grid, one level nearer than the nearest image."""
        if self.log.levels is None:
            yield from rays.series()
        else:
            rays.radius = self.log.distance
            yield from rays.climb()

    def _moving(self, point: Point) -> float:
        """By how much a point is longer than the move of each value, all of which move equally far."""
        return math.sqrt(max(1, int(np.count_nonzero(point.direction))))

    def _follow_class(self) -> None:
        """Follow the class that the nearest image so far is taken for, if it is not followed yet."""
        if self.log.best_scores is None or self.log.clean is None:
            return
        found = int(deciding(self.log.gaps(self.log.best_scores[None]), every=self.log.every)[0].argmax())
        if found not in self.columns:
            start = deciding(self.log.gaps(self.log.clean[None]), every=self.log.every)[0, found]
            self.columns = np.append(self.columns, found)
            self.start = np.insert(self.start, -1, start)
            self.model = np.insert(self.model, -1, self.model[:, -1], axis=1)

    def _estimate(self, point: Point, step: int) -> Generator[Images, Floats, int]:
        """Ask about probes around a point of the boundary, and correct the model by the answers; returns how many they were.

        The last queries go into turns alone: probes that no turn can follow would be lost.
        """
        count = self._probe_count(step)
        if count:
            here, moved = self._around(point, self.scored_probes.draw(count, point.direction), self._reach(step))
            moved = self.log.on_grid(moved.astype(np.float32)).astype(moved.dtype)
            gaps = yield from self._gaps(moved - self.image)
            moves = (moved - here)[: len(gaps)].reshape(len(gaps), -1)
            wrong = gaps - moves @ self.model
            wrong -= wrong.mean(axis=0)  # what the gaps are at the point itself was not asked
            self._column = self._nearest_column(gaps)
            self.scored_probes.told(moves, wrong[:, self._column])
            self._correct(moves, wrong)
            self._lean(gaps[:, -1] > 0)
        self.normal = self._slope(self._column)
        return count

    def _probe_count(self, step: int) -> int:
        """See `LabelBoundary._probe_count`."""
        tuning = self.constants
        most = max(2, self.tuning.room // self.image.size)
        return min(tuning.most_probes, int(tuning.first_probes * step**tuning.growth), most)

    def _turn(self, point: Point, angle: float) -> Generator[Images, Floats, tuple[Point, float]]:
        """Turn towards the normal along the semicircle, by the secant of the gaps there; the new point, and how far."""
        tuning, length, turned = self.constants, point.middle, self._semicircle(point)
        low, high, above, below = 0.0, math.pi / 2, 0.0, 0.0
        for _ in range(tuning.turns):
            value = float((yield from self._gaps(self._move(turned(angle), length * math.cos(angle))[None]))[0, -1])
            if value > 0:
                low, above = angle, value
            else:
                high, below = angle, value
            if low and below:
                if high - low < tuning.exact * high:
                    break
                share = above / (above - below)
                angle = low + (high - low) * min(max(share, tuning.inside), 1 - tuning.inside)
            elif low:
                angle = min(angle * tuning.wider, (angle + high) / 2)
            elif high < tuning.least_turn:
                break
            else:
                angle /= tuning.narrower
        if low and length * math.cos(low) < point.above:
            reached = length * math.cos(low)
            nearer = length * math.cos((low + high) / 2)
            return self._settled(turned(low), min(nearer, 2 * nearer - reached), reached), low
        return (yield from self._radially(point)), max(low, high / 3)

    def _radially(self, point: Point) -> Generator[Images, Floats, Point]:
        """The same direction with its boundary known better, where turning gained nothing."""
        above, below, tried = point.above, (1 - self.tuning.radial) * point.below, point.below
        for _ in range(self.tuning.halvings):
            if (yield from self._ask(self._move(point.direction, tried)[None]))[0]:
                above = tried
            else:
                below = tried
            tried = (above + below) / 2
        return self._settled(point.direction, below, above)

    def _nearest_column(self, gaps: Floats) -> int:
        """The column of the class that is nearest around a point; the last one where that is mostly a class not followed."""
        means = gaps.mean(axis=0)
        column = int(means[:-1].argmax())
        apart = self.constants.apart * float(gaps[:, -1].std())
        return column if means[-1] - means[column] <= apart else len(means) - 1
