"""The constants of the label-only search along the boundary, with the reason for each value.

They were chosen by measuring on images of MNIST, GTSRB and CIFAR-10 at odd places in their files; the figures in the docs are
those of other images.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BoundaryTuning:
    """The constants of `LabelBoundary`. Frozen: a search that is given another one is another search."""

    starts: int = 10  # directions tried for a first flip: asked at shrinking lengths, all but a few cost two or three queries
    bands: tuple[int, ...] = (
        3,
        5,
        8,
        12,
        20,
    )  # half-waves per side of the starts: which flips soonest differs between networks
    even: float = 0.1  # of the strongest contrast is added everywhere to the starts that follow it
    first_length: float = 0.08  # of the root of the number of values is the length at which starts are asked first
    longer: float = 1.6  # times the length where no start flipped
    shorter: float = 1.4  # divides the length while one flips
    redrawn: int = 20  # times that starts are drawn anew before the search gives up
    coarse: float = 3.0  # half-waves per side up to which all frequencies are as strong
    # power by which higher frequencies are weaker, and the share of the highest one beyond which there is nothing: smooth,
    # between, and white noise. Each was the best on one of the three networks
    spectra: tuple[tuple[float, float], ...] = ((0.75, 0.35), (0.5, 0.7), (0.0, 2.0))
    tint: float = 0.25  # of the differences between channels are left in probes that are mostly grey
    floor: float = 0.15  # of the strongest contrast is added everywhere: what matters may lie on an even ground
    around: float = 0.03  # of the shorter side: how far around the perturbation so far probes are strong
    least: float = 0.1  # of the strongest is added everywhere to probes that follow it
    rate: float = 1.2  # by which the preferences of kinds of probes move: some twenty steps must be enough to choose
    average: float = 0.3  # the usual reward is that of the last three steps or so: later steps turn less
    # the preference with which probes follow the perturbation so far: where it is strong, a probe of the same length changes
    # the margin 1.3 to 1.6 times as much as elsewhere on digits and signs, and as much on small photographs
    following: float = 2.0
    most_reward: float = 0.5  # a turn counts above or below the usual at most: one that failed says little about its probes
    chance: float = 0.05  # of the draws are made evenly: what served badly at first may serve later
    ridge: float = 1.0  # of a probe's squared length: in one answer there is about as much chance as slope
    reach: float = 0.2  # length of a probe, of the distance from the original: shorter ones measure the boundary's folds
    leaning: float = 0.04  # of a probe's length: how far out probes move if none flipped. At 0.1 it runs to and fro
    first_probes: int = 8  # in the first step
    growth: float = 0.6  # power of the step by which probes become more: later steps gain less and need surer normals
    most_probes: int = 200  # per step
    room: int = 20_000_000  # numbers that all probes of a step together may have
    first_angle: float = 0.4  # radians by which the first step turns towards the normal
    wider: float = 1.7  # times the angle while the turned image is still adversarial
    narrower: float = 2.5  # divides it while none was
    exact: float = 0.2  # of the angle is how exactly it is found: more exact costs a query and gains little
    least_angle: float = 0.03  # radians with which a step begins at least
    turns: int = 12  # queries for an angle at most
    radial: float = 0.1  # of the distance is bisected where turning gained nothing
    halvings: int = 3  # of that tenth
    steepest: float = 3.0  # power of the slopes at most that a move follows: higher ones follow single, uncertain values


STANDARD = BoundaryTuning()
