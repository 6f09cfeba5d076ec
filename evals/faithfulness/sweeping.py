"""One sweep: a model on inputs of which more and more is hidden, or one part after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from evals.faithfulness.answers import query_scores, softmax
from evals.faithfulness.hiding.asks import Hide, Keep, steps_of
from evals.faithfulness.hiding.inputs import checked_maps
from evals.faithfulness.hiding.masked_runs import MaskedRuns
from evals.faithfulness.hiding.parts import named_parts_of, part_masks
from evals.faithfulness.settings import checked_shares, fills_of
from saywhy_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from evals.faithfulness.answers import Scale
    from evals.faithfulness.hiding.asks import Ask
    from evals.faithfulness.hiding.ordering import Order
    from verbalize.saliency import Floats, Query, Saliency

What: TypeAlias = Literal["top", "bottom", "token", "word", "region", "mask"]
_STEPS = 10


@dataclass(frozen=True, eq=False)
class Sweep:
    """What a model said of the inputs of N maps under S masks.

    Args:
        maps: the maps.
        class_names: K names, one per logit.
        what: what was hidden.
        fills: (S,) what stood in the place of hidden parts, for each step.
        shares: (S,) the share of the parts that was hidden, in a sweep of shares; NaN in others.
        hidden: for each map the names of the parts of a sweep over single parts, once per fill; empty in sweeps of shares.
        logits: (N, S, K); NaN where a map has fewer parts than others.
        original: (N, K) logits of the inputs of which nothing is hidden.
        forwards: how many inputs the model was run on: the distinct ones.
        seconds: how long it took.
    """

    maps: tuple[Saliency, ...]
    class_names: tuple[str, ...]
    what: What
    fills: tuple[str, ...]
    shares: Floats
    hidden: tuple[tuple[str, ...], ...]
    logits: Floats
    original: Floats
    forwards: int
    seconds: float

    @property
    def probabilities(self) -> Floats:
        """(N, S, K) softmax of the logits."""
        return softmax(self.logits)

    def scores(self, scale: Scale = "logits", queries: Sequence[Query] | None = None) -> Floats:
        """(N, S) scores of the query of each map, or of other queries, one per map.

        Args:
            scale: "logits" for `verbalize.attribution.score_of_query`; "probabilities" for the probability of the label, minus
                that of the labels in `versus` where the query is contrastive.
            queries: N other queries.
        """
        asked = [one.query for one in self.maps] if queries is None else queries
        return query_scores(self.logits, asked, self.class_names, scale)


def sweep(
    model: Any,
    maps: Sequence[Saliency],
    *,
    what: What = "top",
    by: str | Sequence[str] | None = None,
    steps: int | None = None,
    shares: Sequence[float] | None = None,
    order: Order | None = None,
    alone: bool = False,
    class_names: Sequence[str] | None = None,
    batch_size: int = 64,
    memory: float = 512,
) -> Sweep:
    """Run a model on the inputs of maps with parts hidden: each distinct masked text, and each distinct mask of an image, once.

    Args:
        model: whatever `verbalize.models.as_model` takes.
        maps: maps over words, or over pixels with their images. Texts of different lengths share batches; images of different
            sizes do not.
        what: "top" or "bottom": a growing share of the parts, highest or lowest scores first (see `Hide`). One part at a
            time: "token" (a token of the map), "word" (tokens between which the text has no space), "region"
            (`verbalize.parts.find_regions`), "mask" (the masks of the map, such as concepts or segments).
        by: what stands in the place of hidden parts: of pixels "zero", "grey", "white", "mean", "blur" or "noise"; of words
            "removal", "mask", "pad" or "unk"; or several, one after the other. By default "zero" and "removal".
        steps: in how many steps the share grows from 0 to 1; 10 by default.
        shares: the shares themselves, in the place of steps.
        order: "scores" puts the part with the highest score first (the default), "magnitude" the highest absolute one.
        alone: in sweeps over single parts, whether the part stays alone, and all else is hidden.
        class_names: one name per logit, where the model does not know them.
        batch_size: the most masked inputs in one call of the model.
        memory: about how many megabytes masks, masked inputs and logits may take, besides what the model takes.

    Raises:
        UsageError: a map does not fit the model or `what`, a setting is out of range, or has no effect.
    """
    began = time.perf_counter()
    maps = checked_maps(maps)
    fills = fills_of(by)
    asks: list[Ask]
    if what in ("top", "bottom"):
        if alone:
            raise UsageError('alone has no effect on shares; hide the other share, "top" or "bottom"')
        if steps is not None and shares is not None:
            raise UsageError("give steps or shares, not both")
        wanted = steps_of(_STEPS if steps is None else steps) if shares is None else checked_shares("shares", shares)
        asks = [Hide(what, wanted, fill) for fill in fills]
    else:
        for name, value in (("steps", steps), ("shares", shares), ("order", order)):
            if value is not None:
                raise UsageError(f"{name} has no effect on single parts ({what}); leave it out")
        asks = [Keep(part_masks, (what, bool(alone)), fill) for fill in fills]
    runs = MaskedRuns(model, maps, order or "scores", class_names, batch_size, memory)
    blocks = list(runs.blocks(asks))
    logits = [_gathered([(block.rows, block.found[ask]) for block in blocks], len(maps)) for ask in asks]
    first = blocks[0]
    whole = _gathered([(block.rows, block.original) for block in blocks], len(maps))[:, 0]
    found = np.concatenate(logits, axis=1)
    each = found.shape[1] // len(fills)
    shared = np.tile(wanted, len(fills)) if what in ("top", "bottom") else np.full(found.shape[1], np.nan)
    hidden = () if what in ("top", "bottom") else tuple(named_parts_of(one, what) for one in maps)
    return Sweep(
        maps,
        first.class_names,
        what,
        tuple(first.default if fill is None else fill for fill in fills for _ in range(each)),
        shared,
        hidden,
        found,
        whole,
        sum(block.forwards for block in blocks),
        time.perf_counter() - began,
    )


def _gathered(parts: list[tuple[list[int], Floats]], maps: int) -> Floats:
    """The (n, S, K) logits of blocks as one array (N, S, K), filled up with NaN."""
    found = np.full((maps, max(some.shape[1] for _, some in parts), parts[0][1].shape[2]), np.nan)
    for rows, some in parts:
        found[rows, : some.shape[1]] = some
    return found
