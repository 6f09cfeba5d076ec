"""Every constant of the searches in one place, with the reason for each value.

The values were chosen by measuring on images of the test sets of MNIST, GTSRB and CIFAR-10 and on the demo's road signs (see
`docs/benchmarks.md`). They are starting points that do reasonably on many networks, not optima of any one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpeningTuning:
    """The opening of the L0 search: queries about single changed pixels."""

    share: float = 0.35  # of the queries by the end of a stage: with more, too little is left for combining what they found
    lattice: float = 0.5  # of a batch is spread evenly, so that no part stays unseen; the rest follows the gains
    lattice_spare: float = 1.3  # times as many lattice points as queries: the mixture must have some to choose between
    uniform: float = 0.5  # of the density is uniform: a mixture that misses the decisive pixels must not hide them
    smallest_change: float = 0.25  # of the largest change: smaller ones say little about what a pixel can do
    unmoved: float = 0.5  # share of single changes without any effect: with more, decisions tell as much as such scores
    few_moved: int = 4  # gaps that moved: whether fewer are of exact scores can't be told
    different: float = 0.8  # of the gaps that moved are unlike each other where scores are exact, but for chance
    batches: int = 2  # of blocks: by then sets of believed changes flip most images, with a tenth of their pixels or fewer
    blocks_across: int = 24  # blocks per side: 2 by 2 pixels on 48, where they told more than single pixels up to 64 queries


@dataclass(frozen=True)
class StageTuning:
    """The stages of the L0 search: each does with more queries what the one before it did, with all that was learned."""

    first: int = 100  # queries of the first stage, which wants a small flip soon
    factor: float = 10**0.5  # times as many queries by the end of the next one: 316, 1,000, 3,162 and so on
    large: int = 160  # changes: a larger set is made smaller before single changes are asked about
    late: float = 0.75  # of a stage's queries: where nothing is adversarial by then, nothing else is done before a set is


@dataclass(frozen=True)
class EffectsTuning:
    """The kernel regression that estimates what every change does from the changes that were asked about."""

    classes: int = 4  # classes followed at a time: a flip goes most often to one of the nearest, and each class costs time
    best: int = 10  # effects averaged to tell what one good change does: one alone would be an outlier
    kept: float = 0.7  # of a change's weight is kept when it is seen again: newer sets are nearer the current ones
    near: float = 1.2  # pixels, the kernel's standard deviation: about the reach of one 3 by 3 filter
    near_side: float = 40.0  # pixels: on larger images the kernel grows in proportion, since their structures do
    far: float = 3.0  # pixels at which the kernel ends, for `near` as above: 2.5 standard deviations away it is nearly 0
    cell: float = 2.0  # cells per standard deviation of the kernel, on large pictures: from one to the next it hardly falls
    colour_distance: float = 0.6  # e-foldings of likeness per channel in which two colours differ
    grey_factor: float = 8.0  # grey images: black and white have opposite effects, so hardly anything is shared between them
    no_effect: float = 0.5  # observations that "no effect" counts for: a lone neighbour is not believed entirely
    neighbourhood: float = 0.1  # observations that the neighbourhood counts for beside a change's own: its own nearly decides
    shared: float = 0.25  # of an observation is what several changes did together: a single one's own must outweigh it
    crowding: float = 2.0  # how fast the deviation of an unseen change falls with the weight seen around it
    seen_deviation: float = 0.3  # of the deviation is left once a change was seen: its effect varies with the set around it
    least_step: float = 1e-6  # of the gap: keeps divisions finite where no change seen so far helps


@dataclass(frozen=True)
class ExperienceTuning:
    """What earlier images teach about the next one, with `learn=True`."""

    lessons: int = 128  # images that are remembered, the latest: some 25 MB
    changes: int = 1000  # observed ones of an image that are remembered, those observed most
    other: float = 0.25  # of an observation is one in an image of another label: on MNIST it tells half as much
    no_effect: float = 3.0  # observations that "no effect" counts for: images differ more than neighbouring pixels do
    doubt: float = 2.0  # tests made up in which the expectation was of no use: a few images may agree by chance
    doubt_square: float = 0.02  # the squared expectation in these: about that of one which is right by a tenth
    most_certain: float = 0.95  # an image always has something of its own
    looked_at: float = 0.05  # certainty from which sets are asked about before anything was observed, once there was a test
    classes: int = 12  # nearest at the start, of which the one that seems to need the fewest changes is tried then
    smallest: int = 8  # changes in the smallest of these sets
    largest: int = 1024  # changes in the largest of them; each has twice those of the one before


@dataclass(frozen=True)
class TreeTuning:
    """The growth of the search tree, batch by batch."""

    columns: int = 48  # classes stored per node, those nearest at the start: bounds the memory for a thousand classes
    exploration: float = 0.5  # UCT's constant: below the usual 1.4, since a budget holds some tens of batches, not thousands
    thompson: float = 0.5  # deviations of noise per draw: greedier than whole ones, since a budget holds few batches
    features: float = 1.0  # weight of player I's exploration bonus beside the mixture itself
    guidance: float = 0.25  # exponent of the prior: weak, since no gain from the mixture could be measured on road signs
    guidance_range: tuple[float, float] = (0.5, 2.0)  # what the prior may multiply a deviation by: it sways, it never forbids
    elite: int = 6  # nodes of a size that are improved at a time: fewer get stuck, more spread the queries thin
    rivals: int = 3  # classes that share half of the elite: one class's sets would otherwise crowd out the others'
    shortlist: int = 192  # changes looked at for one batch: sorting all changes of a large image for each node is slow
    shortlist_per_added: int = 6  # at least so many changes on the list per change that one child gets
    level: float = 1 / 32  # of a stage's queries go to one size before a larger one is tried, while nothing is adversarial
    growth: float = 0.25  # of its size is added to a large set at a time: one change at a time would take too long
    several_noise: float = 0.2  # of the utilities' deviation: makes the children that get several changes differ
    pairs: int = 2  # leaves per batch that exchange two changes at once: a way out where no single change helps
    early_draws: float = 2.0  # power of the uniform draw of those two: above 1, the top of the list comes up more often


@dataclass(frozen=True)
class RestartTuning:
    """When a tree is given up for another one that starts from everything learned."""

    widest: int = 8  # times the usual elite: when so many nodes give no new children, the neighbourhood is exhausted
    patience: float = 0.16  # of a stage's queries without a smaller set: leaves room for a few trees in each
    idle: int = 12  # trees in a row that found nothing to ask about: then everything within reach was asked


@dataclass(frozen=True)
class LargeSetTuning:
    """The coarse steps for images that are hard to flip."""

    large: int = 9  # changes: smaller sets shrink best one change at a time
    steep: float = 16.0  # good changes that a flip seems to need: growing a set one by one to that size costs too much
    overgrown: float = 2.0  # times `large`: a tree this deep without a flip is not going to make one soon
    first: int = 8  # changes on the lowest rung when climbing: smaller sets were tried by the tree
    climb_again: float = 2.5  # times the queries after which another climb is tried, while nothing is adversarial
    least_rebuilt: int = 4  # changes: smaller sets are found sooner by the tree
    looks: tuple[float, ...] = (0.5, 0.7, 0.85, 0.95)  # of the smallest set's size, after each batch of single changes
    rungs: int = 3  # of a ladder in one batch: the smallest that flips is kept, and asking in turn would make small batches
    classes: int = 2  # climbed towards: the nearest one is wrong often enough to try the second
    coarse_factor: int = 4  # between rungs that paint whole areas, the last resort
    fine_factor: int = 4  # between rungs of the changes that are believed to do most
    finer_factor: int = 2  # between them once more is known: that many of them are too few or too many often enough
    middles: tuple[float, ...] = (1 / 4, 1 / 2, 3 / 4)  # one batch replaces two bisections
    resolution: int = 4  # a rung is refined until it is known to a quarter of its size: shedding does the rest
    groups: int = 12  # groups that a set is cut into: one batch tells what each is worth
    most_groups: int = 48  # beyond, single changes are cheaper to test
    group_noise: float = 0.5  # deviations of noise when the groups are sorted: other groups are formed each time
    shares: tuple[float, ...] = (0.4, 0.6, 0.8, 1.0, 1.2, 1.5)  # of the groups the margin pays for: losses do not just add up
    rebuilt: tuple[float, ...] = (0.4, 0.6, 0.75, 0.85, 0.95)  # sizes of sets made anew, as shares of the best one's
    goal: float = 0.9  # of the size is aimed at by exchanges: a set far smaller would be too far from flipping
    exchange_rate: float = 0.25  # of a set is exchanged at first (Sparse-RS starts at 0.3)
    exchange_decay: float = 0.7  # of that rate is kept after a batch without progress
    least_rate: float = 0.02  # below, it is about one change at a time anyway
    added: float = 0.5  # of a set's size may come in at a time while nothing is adversarial: large sets flip, and shrink soon
    roomy: float = 0.125  # of the pixels: a larger set has little left to grow by
    exchange_noise: float = 0.5  # deviations of noise when exchanged changes are drawn
    patience: int = 6  # batches of exchanges without progress before the coarse steps give up


@dataclass(frozen=True)
class ReachTuning:
    """The way to a wanted class in L0: a first set, and ever smaller ones."""

    across: float = 8.0  # areas per side at first: larger ones flip no sooner, and are longer made small
    again_across: float = 3.0  # areas per side after the smallest ones: what no small area does, a large one may
    smaller: float = 0.7  # of an area's side is kept where nothing helped
    areas: int = 12  # per batch: what helps among so many is made together
    spread: int = 8  # times as many places are drawn from: the best ones lie side by side
    added: tuple[int, ...] = (8, 24, 72, 216)  # changes believed to do most, which are added at a time
    together: tuple[int, ...] = (2, 3, 5, 8, 16)  # helpful sets that are joined: effects add up less and less
    softness: float = 0.1  # of the gap that decides: classes that are as near as this to the hardest one count beside it
    start: float = 0.05  # of the pixels at most have changed where the way begins: what is small then stays small
    patience: int = 24  # rounds without progress: by then all sizes of areas were tried three times
    least: int = 16  # changes: smaller sets shrink best one change at a time, in the tree
    large: int = 64  # changes from which a quarter is tried first: most of a painted set does nothing
    shares: tuple[float, ...] = (0.25, 0.5, 0.75)  # of a large set's size that are tried, one after the other
    small_shares: tuple[float, ...] = (0.5, 0.75, 0.9)  # of a smaller set's size
    probes: int = 12  # single changes per round, and as many parts that are left out: more would be drawn on old knowledge
    parts: int = 24  # parts of a set that are left out, of which a round tries the worst
    noise: float = 0.3  # deviations of noise when they are sorted: other parts are tried each time
    room: int = 8  # changes that fit in: with less room, some are left out in a round
    steps: tuple[int, ...] = (1, 2, 4, 8, 16, 32)  # exchanges at a time
    idle: int = 2  # rounds without progress: a set that nothing drawn makes nearer flips hardly ever
    rounds: int = 3  # after which the pace is judged
    hope: float = 8.0  # rounds that a flip may be away at that pace: a larger set flips sooner


@dataclass(frozen=True)
class ShrinkingTuning:
    """Making smaller what was found."""

    singly: int = 64  # changes: trying a set without each of its changes costs as many queries as it has changes
    rounds: int = 3  # of the search along the line to the original: each cuts the interval eightfold, 512 times in all
    fractions: tuple[float, ...] = (1 / 16, 1 / 8, 1 / 4, 3 / 8, 1 / 2, 5 / 8, 3 / 4, 7 / 8)  # one batch per round


@dataclass(frozen=True)
class WaveTuning:
    """The search in L1, L2, L-infinity and other distances with a geometry."""

    opening: int = 64  # waves around the original: what else the model must know is learned where the boundary is looked for
    unmoved: float = 0.15  # share of waves without any effect: with more, a linear model has little to learn from
    room: int = 20_000_000  # numbers that all waves together may have: bounds how fine the waves of a large image get
    classes: int = 12  # classes modelled, those nearest at the start: solving for all of a thousand would be slow
    length: float = 0.25  # Euclidean length of a wave in an image of 1,000 numbers: of the order of the nearest flips
    shortest: float = 0.05  # of that length must be left of a wave after clipping: a shorter one measures rounding only
    ridge: float = 1e-3  # of a wave's squared length: keeps the answers of almost parallel waves from fighting each other
    block: int = 8  # batches whose answers are learned at once: the equations of a block are solved jointly
    levels: tuple[float, ...] = (0.7, 1.0, 1.4, 2.0, 3.0)  # times the way to the model's boundary: scores are not linear
    flips: int = 3  # classes towards which a first flip is tried: the model's nearest is not always the true one
    outward: float = 1.3  # times the move so far where no candidate came nearer: another place to learn from
    tries: int = 4  # at a first flip to a target before other starts are looked for: most come by then, and later ones seldom
    first_probes: int = 2  # batches of waves after each failed try at a first flip
    blends: tuple[float, ...] = (1.0, 0.75, 0.5, 0.3, 0.15)  # of the way to the model's flip: the model holds near by only
    slack: tuple[float, ...] = (0.002, 0.02, 0.08)  # of the original gap, beyond the model's boundary: it errs either way
    progress: float = 0.999  # of the distance counts as progress: less is polishing
    patience: int = 20  # steps without progress before the search ends
    most_probes: int = 4  # batches of waves per step at most: they double while nothing helps


@dataclass(frozen=True)
class DrawnTuning:
    """Images drawn at random, where nothing else found a start."""

    together: int = 16  # images per batch
    few: int = 256  # numbers in an image: in small ones, classes take up more of all images than any model tells
    blocks: float = 0.5  # of the images have blocks of one colour, and the others single pixels: networks react to either
    ends: float = 0.5  # of the images have values at the ends of the range alone: the farthest changes do most
    halvings: int = 8  # of the line to the original
    nearer: float = 0.6  # of the distance so far at least is what an image like the best one may be away
    idle: int = 24  # batches of those without a nearer one, after which they end
    whole: float = 0.25  # of the images change everywhere, the others in any share of their blocks


@dataclass(frozen=True)
class ScoredTuning:
    """The search along the boundary by scores, in L2, L-infinity and other p-norms above 1."""

    opening: int = 56  # waves around the original, which tell where the boundary is looked for; later ones tell more there
    signs_opening: int = 32  # the same in L-infinity: a first flip comes early then, and blocks of signs mend it
    signs_again: int = 100  # queries after which L-infinity begins anew, with more waves
    signs_reopening: int = 68  # further waves then: with a hundred, starts end an eighth nearer after a thousand queries
    starts_again: int = 8  # steps after which the model's nearest flips are tried as another start, and after twice as many
    nearer_start: float = 0.97  # of the distance so far at which another start must flip: it is followed from the beginning
    glance_lengths: tuple[float, ...] = (1.1, 1.8, 3.0)  # times the model's length then: few waves overrate it
    colours_later: float = 2.0  # times the frequency of brightness at which the other colours come: few classes hang on them
    fine_waves: int = 4  # of the finest brightness among the first ones: they tell whether a network reacts to fine changes
    fine_steeper: float = 8.0  # times the mean square slope along coarse waves: there, coarse ones tell next to nothing
    fine_together: int = 8  # waves before what they told says which ones come next
    fine_share: float = 0.2  # of the distance so far is the length of such waves at least: what is steep near by ends soon
    cells: int = 8  # per side of the frequencies: waves of one cell tell about as much, and few waves tell which cells do
    near_cells: float = 1.4  # cells, standard deviation: networks react to wide bands
    imagined: float = 1.0  # waves of each cell before any was asked about
    other_colours: float = 0.25  # of what brightness tells is expected of the other colours: few classes hang on them
    wave_noise: float = 0.5  # e-foldings by which what one wave of a cell told leaves open what the next one will
    classes: int = 12  # followed, as in `WaveTuning`
    ridge: float = 1e-2  # of a probe's squared length: the scores are bent, and answers must not be believed exactly
    flips: int = 3  # classes towards which the model's nearest flip is tried: its nearest is not always the true one
    beyond: float = 1.1  # times the model's length at which it is asked first
    tries: int = 6  # batches towards a flip along the model's directions
    farther: tuple[float, float] = (1.2, 2.5)  # times the length where the gap says how much is missing, at least and at most
    spare: float = 1.15  # times the length that the gap says: scores saturate
    kept: int = 4  # directions that are shortened on, those that are farthest beyond the boundary
    short: float = 0.97  # of the length at which the gap of the best direction would be closed, were it linear
    shortening: tuple[float, float] = (0.3, 0.91)  # of the length so far, at least and at most: no step tells nothing
    bracket: float = 0.15  # of the length is how exactly the first point of the boundary is known: turning moves it anyway
    rounds: int = 16  # batches for that at most
    groups: int = 4  # kinds of probes per batch, so that they are compared at the same point
    rate: float = 0.6  # by which preferences of kinds move per e-folding of the slopes that a kind tells
    most_news: float = 1.5  # e-foldings that count at most: a group is a few probes, and one may be an outlier
    apart: float = 0.5  # deviations of the largest gap by which a followed one may be less: more are those of other classes
    first_probes: int = 8  # in the first step along the boundary
    growth: float = 0.6  # power of the step by which probes become more: later steps gain less and need surer normals
    most_probes: int = 200  # per step
    reach: float = 0.2  # length of a probe in the first step, of the distance from the original: far off, folds mislead
    nearer: float = 0.35  # power of the step by which probes become shorter: scores tell slopes of the boundary's folds, too
    least_reach: float = 0.06  # of the distance: scores are rounded
    turns: int = 8  # queries for an angle at most
    exact: float = 0.2  # of the angle is how exactly it is found
    inside: float = 0.15  # of a bracket is kept from its ends: gaps are bent, and a point at an end tells little
    wider: float = 1.7  # times the angle while the turned image is still adversarial
    narrower: float = 2.5  # divides it while none was
    least_turn: float = 0.01  # radians: a smaller turn gains less than the queries for it
    signs_first: int = 250  # queries after the first flip in which signs alone are turned: coarse blocks of them gain most
    recent: float = 0.5  # by which the gain per query of a way replaces what it gained before: gains fall as a search gets on


@dataclass(frozen=True)
class LargePictureTuning:
    """How searches on large pictures save time and memory; a picture of 48 by 48 pixels is searched as it is."""

    numbers: int = 27_648  # that a search of all pixels moves one by one: 96 by 96 in colour; more are moved in blocks
    edged: float = 0.5  # of a block's side less in L-infinity and L1, whose nearest images have edges: finer ones flip sooner
    whole: int = 165_888  # numbers up to which L1 moves all pixels: its nearest images are a few of them, each moved far
    single: int = 12_288  # numbers, 64 by 64 in colour, beyond which searches are of single precision: half the time
    together: int = 8_000_000  # numbers of the images that are asked about at once: beyond 32 MB the system clears memory anew
    least_together: int = 8  # images: with fewer, a network computes them no faster than one by one


@dataclass(frozen=True)
class SparseMovesTuning:
    """The search in L1: few pixels, each moved no farther than it must."""

    alone: int = 100  # queries of the search for few pixels before the others begin: it flips most images by then
    turn: int = 64  # queries of a turn at least, as many as the waves begin with
    waves: float = 0.1  # queries by waves for each other one, where few pixels have changed: they seldom come nearer then
    many_waves: float = 1.0  # the same where many have changed, or nothing has flipped: the classifier may react to all pixels
    single: int = 48  # changed numbers that are put back one by one; of more, those of a pixel together
    most_parts: int = 64  # parts of an image that are put back: each costs a query, and the search for few pixels costs less
    together: int = 16  # parts per batch
    shares: tuple[float, ...] = (0.3, 0.6, 0.8, 0.95, 1.1, 1.3, 1.6, 2.2)  # of the margin that are paid: losses do not add up
    between: tuple[float, ...] = (0.2, 0.4, 0.6, 0.8)  # of the way from what flips to what does not, in the next round
    rounds: int = 2  # of that
    free: float = 1e-3  # of the margin, shared by all parts, is what a part costs at least: they are put back in order
    progress: float = 0.97  # of the size: with less progress, putting back ends


@dataclass(frozen=True)
class Tuning:
    """The constants of all searches. Frozen: a search that is given another one is another search."""

    leaves: int = 16  # images per batch of one search: more would be chosen on old knowledge
    tiny: float = 0.1  # of the largest change in the image: smaller changes do too little to be worth a query
    opening: OpeningTuning = OpeningTuning()
    stages: StageTuning = StageTuning()
    effects: EffectsTuning = EffectsTuning()
    experience: ExperienceTuning = ExperienceTuning()
    tree: TreeTuning = TreeTuning()
    restarts: RestartTuning = RestartTuning()
    large_sets: LargeSetTuning = LargeSetTuning()
    reach: ReachTuning = ReachTuning()
    shrinking: ShrinkingTuning = ShrinkingTuning()
    waves: WaveTuning = WaveTuning()
    scored: ScoredTuning = ScoredTuning()
    drawn: DrawnTuning = DrawnTuning()
    large_pictures: LargePictureTuning = LargePictureTuning()
    sparse_moves: SparseMovesTuning = SparseMovesTuning()


STANDARD = Tuning()
