"""Monte Carlo tree search for the fewest pixels, batched at the leaves: the cooperative game of features and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from adversarial.attacks.feature_guided.effects import Effects
from adversarial.attacks.feature_guided.large_sets import approach, climb, exchange, glance, shed
from adversarial.attacks.feature_guided.shrink import LARGE, drop_singly, drops
from adversarial.attacks.feature_guided.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Generator

    from numpy.typing import NDArray

    from adversarial.attacks.moves import Key, MoveTable
    from adversarial.features import KeypointMixture
    from adversarial.query_log import QueryLog

    Floats: TypeAlias = NDArray[np.floating]
    Indices: TypeAlias = NDArray[np.int64]
    Steps: TypeAlias = Generator[NDArray[np.float32], NDArray[np.float64], None]

LEAVES = 16  # leaves a batch of one image; batches of several images are put together for the classifier
OPENING = 0.35  # of the budget goes to single changes at most
LATTICE = 0.5  # of these to a lattice, the rest to where the effects seem great
EXPLORATION = 0.5  # of UCT between nodes
THOMPSON = 0.5  # standard deviations by which estimates are perturbed when changes are drawn
ELITE = 6  # nodes of a size that are improved at a time
SHORTLIST = 192  # changes looked at for a batch of leaves
LEVEL = 1 / 32  # of the budget, but one or two batches, goes to a size before a larger one is tried
RIVALS = 3  # classes between which half of the places among the elite are shared
WIDEST = 8  # a tree is given up when nothing new is found among this many times as many nodes
PATIENCE = 0.16  # or when this share of the budget, spent on it, made nothing smaller
TREES = 12
ANYTIME = 500  # queries: a longer search looks for a first flip early on, so that it may be stopped
STEEP = 16.0  # times what one of the best changes does: an image farther than this from flipping is climbed at once
LATE = 0.75  # of the budget: without a flip by then, the search climbs whatever the image
SINGLY = 64  # changes in a set that is still worth trying without each of its changes
PAIRS = 2  # of the leaves of a batch exchange two changes of a set at once, once sets are to become smaller
FEATURES = 1.0  # weight of player I's exploration bonus
GUIDANCE = 0.25  # exponent of the prior: how strongly the mixture sways the deviations of what was not seen


class PixelSearch:
    """One image's search for the smallest set of changed pixels.

    Nodes are sets of changes. The opening asks about single changes: player I picks features by UCT with the mixture as
    prior, player II changes in them by Thompson sampling from `Effects`. Then sets grow, a change at a time, from nodes that
    UCT selects, until one is adversarial; and from then on the search is for a set of one change less: the best sets of
    that size lose a change each, and these parents get others. Every answer sharpens the estimates, and with them the
    distribution that changes are drawn from.
    """

    def __init__(
        self, account: QueryLog, palette: MoveTable, mixture: KeypointMixture | None, rng: np.random.Generator, budget: int
    ) -> None:
        self.account, self.palette, self.rng, self.budget = account, palette, rng, budget
        self.height, self.width = account.image.shape[:2]
        self.tree = Tree(palette, account)
        self.allowed = palette.size > 0
        self.wide, self.number, self.since = 1, 1, 0
        self.jump = 1
        self.rivals: Indices | None = None
        pixels = self.height * self.width
        self.density = np.full(pixels, 1 / pixels)
        self.shares: Floats | None = None
        self.weights: Floats | None = None
        if mixture is not None:
            self.density = 0.5 * self.density + 0.5 * mixture.density.ravel()
            self.shares = mixture.responsibilities.reshape(len(mixture), -1).astype(np.float32)
            self.weights = mixture.weights
        self.effects: Effects | None = None

    def steps(self) -> Steps:
        """The whole search; it ends by itself when nothing is left to try. It asks by yielding images."""
        tree = self.tree
        yield from tree.ask([()])
        if self.account.found() or not self.allowed.any():
            return
        self.effects = Effects((self.height, self.width), self.palette.codes, tree.gaps.shape[1], every=self.account.every)
        yield from self._open(self.effects)
        if RIVALS and not self.account.every and len(self.effects.seen):
            self.effects.refresh(tree.gaps[0])
            self.rivals = self.effects.classes[:RIVALS]
        climbed = False
        while not self._done():
            if not climbed and self._hard(self.effects):
                climbed = True
                yield from climb(tree, self.effects, self.density, self.rng)
                yield from approach(tree, self.effects, self.rng, LEAVES)
            yield from self._reduce(self.effects)
            before = tree.best
            if tree.size_found() <= SINGLY:
                yield from drop_singly(tree, self.effects)
            if self._done():
                return
            yield from self._round(self.effects)
            if tree.best != before:
                self.since, self.wide = self.account.queries, 1
            spent = self.account.queries - self.since > PATIENCE * self.budget
            if self.wide > WIDEST or (spent and tree.size_found()):
                self._restart()

    def evidence(self) -> NDArray[np.float64]:
        """(H, W): the greatest gain seen of changing each pixel, towards the class that was nearest; 0 where unseen."""
        evidence = np.zeros(self.height * self.width)
        if self.effects is not None and len(self.effects.seen):
            gains = np.maximum(self.effects.observed(self.effects.classes[:1])[:, 0], 0)
            np.maximum.at(evidence, self.palette.pixels(self.effects.seen), gains)
        return evidence.reshape(self.height, self.width)

    def _done(self) -> bool:
        return self.number > TREES or self.tree.size_found() == 1

    def _restart(self) -> None:
        """Another tree, from what was learned, for each of the rivals in turn: one class's best sets crowd out others'."""
        rivals = [] if self.rivals is None else self.rivals.tolist()
        self.tree.restart(rivals[(self.number - 1) % len(rivals)] if rivals else None)
        self.number, self.wide, self.jump, self.since = self.number + 1, 1, 1, self.account.queries

    def _hard(self, effects: Effects) -> bool:
        """Whether nothing is adversarial yet, and growing a change at a time will not, or did not, get there in time."""
        tree = self.tree
        if tree.best is not None or not len(effects.seen):
            return False
        effects.refresh(tree.gaps[0])
        needs = -tree.gaps[0][effects.classes] / effects.step
        need = float(needs.max() if self.account.every else needs.min())
        return need > STEEP or tree.deepest > 2 * LARGE or self.account.queries > LATE * self.budget

    def _reduce(self, effects: Effects) -> Steps:
        """Make a large set smaller by groups and by exchanges, as long as that helps."""
        before = 0
        while LARGE < self.tree.size_found() != before:
            before = self.tree.size_found()
            yield from shed(self.tree, effects, self.rng)
            yield from exchange(self.tree, effects, self.rng, LEAVES)

    def _open(self, effects: Effects) -> Steps:
        budget = max(1, int(OPENING * self.budget))
        first = self._lattice(max(1, int(LATTICE * budget)))
        for start in range(0, len(first), LEAVES):
            yield from self._singles(effects, first[start : start + LEAVES])
            if self._done():
                return
        if self.budget >= ANYTIME:
            yield from glance(self.tree, effects)
        large = self.palette.size > 0.25 * self.palette.size.max()
        while self.account.queries < budget:
            effects.refresh(self.tree.gaps[0])
            utility = effects.utility(self._draw(effects, self._prior()), self.tree.gaps[0])
            score = np.where(large, utility, -np.inf)
            score[effects.seen] = -np.inf
            chosen = _largest(score, LEAVES)
            if not len(chosen):
                return
            yield from self._singles(effects, chosen)
            if self._done():
                return

    def _lattice(self, count: int) -> Indices:
        """Single changes on a lattice, more where the mixture is dense; the colour is drawn, far ones more often."""
        sizes = self.palette.size.reshape(-1, self.palette.count).astype(np.float64) ** 2
        share = (sizes.sum(axis=1) > 0).mean()
        step = max(1, int(np.sqrt(share * self.height * self.width / (1.3 * count))))
        top, left = self.rng.integers(step, size=2)
        rows, columns = np.arange(top, self.height, step), np.arange(left, self.width, step)
        grid = (rows[:, None] * self.width + columns).ravel()
        grid = grid[sizes[grid].sum(axis=1) > 0]
        if not len(grid):
            grid = np.flatnonzero(sizes.sum(axis=1) > 0)
        keys = np.log(self.density[grid]) + self.rng.gumbel(size=len(grid))
        grid = grid[np.argsort(-keys, kind="stable")[:count]]
        chances = np.cumsum(sizes[grid], axis=1)
        draws = self.rng.random(len(grid))[:, None] * chances[:, -1:]
        return np.asarray(grid * self.palette.count + (draws >= chances).sum(axis=1))

    def _prior(self) -> Floats:
        """(P J,) how far each change's deviation is raised: player I's UCT over the features, with the mixture as prior."""
        if self.shares is None or self.weights is None:
            return np.ones(1, dtype=np.float32)
        visits = self.shares @ self.tree.tried.astype(np.float32)
        bonus = self.weights * np.sqrt(1 + visits.sum()) / (1 + visits)
        pixels = self.density * (1 + FEATURES * (bonus.astype(np.float32) @ self.shares))
        raised = np.clip((pixels / pixels.mean()) ** GUIDANCE, 0.5, 2.0).astype(np.float32)
        return np.repeat(raised, self.palette.count)

    def _draw(self, effects: Effects, prior: Floats) -> NDArray[np.float32]:
        """(P J, classes) a draw from what is believed of each change, in units of what one of the best changes does."""
        noise = self.rng.standard_normal(len(effects.mean), dtype=np.float32)
        noise *= np.float32(THOMPSON) * effects.deviation * prior
        return np.asarray((effects.mean + noise[:, None] * effects.scale) / effects.step)

    def _singles(self, effects: Effects, changes: Indices) -> Steps:
        nodes = yield from self.tree.ask([(change,) for change in changes.tolist()])
        if len(nodes):
            asked = np.array([self.tree.keys[node][0] for node in nodes])
            effects.observe(asked, self.tree.gaps[nodes] - self.tree.gaps[0])

    def _round(self, effects: Effects) -> Steps:
        """One batch of leaves: parents by UCT, a change (or several, when sets grow fast) added to each."""
        tree, size, extra = self.tree, self.tree.size_found(), 1
        parents: list[int] = []
        if size and tree.deepest >= size - 1:
            goal = size - 1
            parents = yield from drops(tree, tree.top(goal, ELITE * self.wide, self.rivals), 2 * LEAVES)
            if tree.size_found() <= goal:
                return
        else:
            goal, extra = self._growing(size - 1 if size else None)
        parents += tree.top(goal - extra, 2 * ELITE * self.wide, self.rivals).tolist()
        nodes = np.array(list(dict.fromkeys(parents)), dtype=np.int64)
        nodes = nodes[np.argsort(-tree.worth(nodes), kind="stable")[: 2 * ELITE * self.wide]]
        if not len(nodes):
            self.wide *= 2
            return
        effects.refresh(tree.gaps[nodes[0]], tree.focus)
        pairs = PAIRS if size and goal == size - 1 and goal >= 2 else 0
        counts = tree.select(nodes, LEAVES - pairs, EXPLORATION, float(effects.scale.mean()))
        leaves = self._expand(effects, nodes, counts, extra)
        yield from tree.ask(self._exchange(effects, goal, LEAVES - len(leaves) if pairs else 0))
        before = len(tree.keys)
        yield from tree.ask([key for _, key in leaves])
        asked = [(parent, key, tree.index[key]) for parent, key in leaves if tree.index.get(key, -1) >= before]
        if len(asked) < (LEAVES - pairs) // 2:
            self.wide *= 2
        if asked:
            added = [sorted(set(key).difference(tree.keys[parent])) for parent, key, _ in asked]
            children, above = np.array([node for *_, node in asked]), np.array([parent for parent, *_ in asked])
            gains = (tree.gaps[children] - tree.gaps[above]) / extra  # several changes share what they did
            effects.observe(np.concatenate(added), np.repeat(gains, [len(changes) for changes in added], axis=0))

    def _growing(self, most: int | None) -> tuple[int, int]:
        """The size to try next while nothing is adversarial, and by how much it exceeds the parents'."""
        tree = self.tree
        deepest = tree.deepest
        enough = LEAVES if deepest >= LARGE else min(2 * LEAVES, max(LEAVES, int(LEVEL * self.budget)))
        if deepest <= 1 or len(tree.of_size(deepest)) >= enough:
            self.jump = 1 if deepest < LARGE else max(1, deepest // 4)
            if most is not None:
                self.jump = min(self.jump, most - deepest)
            deepest += self.jump
        return deepest, self.jump

    def _expand(self, effects: Effects, nodes: Indices, counts: Indices, extra: int) -> list[tuple[int, Key]]:
        """New children of the nodes, as many as asked for each where there are as many: (parent, set)."""
        tree = self.tree
        belief = self._draw(effects, self._prior())
        score = np.where(self.allowed, effects.utility(belief, tree.gaps[nodes[0]]), -np.inf)
        shortlist = _largest(score, max(SHORTLIST * self.wide, 6 * extra))
        belief, pixels = belief[shortlist], self.palette.pixels(shortlist)
        leaves: dict[Key, int] = {}
        given = np.zeros_like(counts)
        for place in np.flatnonzero(counts).tolist():
            node, wanted = int(nodes[place]), int(counts[place])
            key = tree.keys[node]
            utility = effects.utility(belief, tree.gaps[node])
            free = ~np.isin(pixels, np.array(key, dtype=np.int64) // self.palette.count)
            if extra > 1:
                made = self._several(key, shortlist[free], pixels[free], utility[free], extra, wanted)
            else:
                order = shortlist[free][np.argsort(-utility[free], kind="stable")]
                made = [tuple(sorted((*key, change))) for change in order.tolist()]
            for child in made:
                if given[place] == wanted:
                    break
                if child not in tree.index and child not in leaves:
                    leaves[child] = node
                    given[place] += 1
        tree.visit(nodes, given)
        return [(parent, key) for key, parent in leaves.items()]

    def _exchange(self, effects: Effects, goal: int, count: int) -> list[Key]:
        """Sets near the best ones of a size, with two changes drawn anew: a way out where no single change helps."""
        elite = self.tree.top(goal, ELITE * self.wide)
        if not count or not len(elite):
            return []
        score = np.where(self.allowed, effects.utility(self._draw(effects, self._prior()), self.tree.gaps[elite[0]]), -np.inf)
        shortlist = _largest(score, SHORTLIST // 2)
        made = []
        for node in self.rng.choice(elite, size=count):
            key = np.array(self.tree.keys[node])
            kept = np.delete(key, self.rng.choice(len(key), size=2, replace=False))
            free = shortlist[~np.isin(self.palette.pixels(shortlist), self.palette.pixels(kept))]
            drawn = free[(len(free) * self.rng.random(2) ** 2).astype(np.int64)] if len(free) else free
            if len(drawn) == 2 and self.palette.pixels(drawn[:1]) != self.palette.pixels(drawn[1:]):
                made.append(tuple(sorted((*kept.tolist(), *drawn.tolist()))))
        return made

    def _several(self, key: Key, changes: Indices, pixels: Indices, utility: Floats, extra: int, wanted: int) -> list[Key]:
        """Children with several more changes: the best of them under fresh noise, one a pixel."""
        children: list[Key] = []
        for _ in range(wanted if len(utility) else 0):
            noisy = utility + self.rng.gumbel(size=len(utility)) * 0.2 * max(float(utility.std()), 1e-9)
            order = np.argsort(-noisy, kind="stable")
            _, first = np.unique(pixels[order], return_index=True)
            chosen = changes[order[np.sort(first)[:extra]]]
            children.append(tuple(sorted((*key, *chosen.tolist()))))
        return children


def _largest(score: Floats, count: int) -> Indices:
    """Places of the largest finite scores, at most `count`, the largest first."""
    count = min(count, len(score))
    places = np.argpartition(-score, count - 1)[:count]
    places = places[np.isfinite(score[places])]
    return np.asarray(places[np.argsort(-score[places], kind="stable")])
