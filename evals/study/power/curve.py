"""The power of a study by its number of participants."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

LEVEL = 0.02
"""Growth of the power over two steps below which more participants are said not to help."""


@dataclass(frozen=True)
class PowerPoint:
    """The power with so many participants.

    Attributes:
        participants: how many are analysed.
        power: the share of simulated studies that show the effect.
        low: lower end of its 95 % interval (Wilson): what the number of simulations leaves open.
        high: upper end of that interval.
        estimate: the mean difference that the simulated studies found.
    """

    participants: int
    power: float
    low: float
    high: float
    estimate: float


@dataclass(frozen=True, kw_only=True)
class PowerCurve:
    """What a study can show, by its number of participants.

    Attributes:
        task: the task's name.
        condition: the condition that is compared.
        reference: the condition that it is compared with.
        effect: the true difference of the means, condition less reference.
        margin: for equivalence, the largest difference that does not matter; else None.
        base: the true mean under the reference.
        alpha: the level of the test.
        simulations: how many studies were simulated for each point.
        points: by the number of participants.
        deviations: the standard deviations by name, see `AnswerSpread`.
    """

    task: str
    condition: str
    reference: str
    effect: float
    margin: float | None
    base: float
    alpha: float
    simulations: int
    points: tuple[PowerPoint, ...]
    deviations: Mapping[str, float]

    def participants_needed(self, target: float = 0.8) -> int | None:
        """How many participants it takes for this power; None where no point reaches it.

        The points are made monotone (isotonic regression) and joined by straight lines.

        Args:
            target: the wanted power.

        Raises:
            UsageError: it is no share.
        """
        if not 0 < target < 1:
            raise UsageError(f"a power of {target:g} can't be asked for; give a share between 0 and 1, such as 0.8")
        at, smooth = [one.participants for one in self.points], _monotone([one.power for one in self.points])
        for n, value in enumerate(smooth):
            if value >= target:
                if n == 0:
                    return at[0]
                share = (target - smooth[n - 1]) / (value - smooth[n - 1])
                return ceil(at[n - 1] + share * (at[n] - at[n - 1]) - 1e-9)
        return None

    @property
    def tested(self) -> str:
        """What is shown, in words."""
        pair = f"{self.condition} and {self.reference} (at {self.base:g})"
        if self.margin is None:
            return f"a difference of {self.effect:+g} in {self.task} between {pair}"
        return f"that {pair} differ by less than {self.margin:g} in {self.task}, with a true difference of {self.effect:+g}"

    def advice(self, target: float = 0.8) -> str:
        """How many participants it takes, in a sentence; or that more of them would not help, since items differ too.

        Args:
            target: the wanted power.
        """
        needed = self.participants_needed(target)
        if needed is not None:
            return f"{needed} participants give a power of {target:g}."
        most = self.points[-1]
        told = f"A power of {target:g} is not reached: it is {most.power:.2f} with {most.participants} participants"
        if len(self.points) > 2 and most.power - self.points[-3].power < LEVEL:
            return f"{told} and grows no more. What single items do for a condition is what is left: take more items."
        return f"{told}."

    def table(self) -> str:
        """The curve as text: one row per number of participants."""
        lines = [f"power to show {self.tested}", f"{'participants':>12}  {'power':>6}  95 % of simulations"]
        for one in self.points:
            bar = "#" * round(one.power * 40)
            lines.append(f"{one.participants:>12}  {one.power:>6.3f}  {one.low:.3f} to {one.high:.3f}  {bar}")
        return "\n".join(lines)

    def assumptions(self) -> str:
        """What the simulation assumes, in a sentence."""
        spread = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in self.deviations.items())
        test = "a two-sided test" if self.margin is None else "two one-sided tests"
        return (
            f"{self.simulations:,} simulated studies per number of participants; {test} at {self.alpha:g} over participants "
            f"and items; standard deviations: {spread}."
        )


def _monotone(values: list[float]) -> list[float]:
    """The closest values that never fall (pool adjacent violators)."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pools.append((value, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (last, many), (first, few) = pools.pop(), pools.pop()
            pools.append(((first * few + last * many) / (few + many), few + many))
    return [value for value, count in pools for _ in range(count)]
