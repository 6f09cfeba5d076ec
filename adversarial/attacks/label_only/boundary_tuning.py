"""The constants of the label-only search along the boundary, with the reason for each value.

They were chosen by measuring on images of MNIST, GTSRB and CIFAR-10 at odd places in their files; the figures in the docs are
those of other images.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BoundaryTuning:
    """The constants of `LabelBoundary`. Frozen: a search that is given another one is another search."""

    starts: int = 16  # directions tried for a first flip: asked at shrinking lengths, all but a few cost two or three queries
    bands: tuple[int, ...] = (5, 8, 12, 20)  # half-waves per side of the starts: which flips soonest differs between networks
    first_length: float = 0.08  # of the colour cube's half diagonal is the length at which starts are asked first
    longer: float = 1.6  # times the length where no start flipped
    shorter: float = 1.4  # divides the length while one flips
    redrawn: int = 20  # times that starts are drawn anew before the search gives up
    coarse: float = 3.0  # half-waves per side up to which all frequencies are as likely
    falling: float = 0.5  # power by which less of higher frequencies is in a probe: networks react to them less
    highest: float = 0.5  # of the highest frequency; beyond, an image shows no structure, and probes would be lost
    floor: float = 0.15  # of the strongest contrast is added everywhere: what matters may lie on an even ground
    reach: float = 0.2  # length of a probe, of the distance from the original: shorter ones measure the boundary's folds
    first_probes: int = 12  # in the first step
    growth: float = 0.5  # power of the step by which probes become more: later steps gain less and need surer normals
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


STANDARD = BoundaryTuning()
