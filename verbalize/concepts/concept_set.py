"""The concepts of a layer: extracted from images, named, weighed for a question, and found again in pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.nn import functional

from saywhy_core.errors import UsageError
from verbalize.attribution.target import BATCH, predict, score_of_query
from verbalize.concepts.bank import ConceptBank, fit_bank
from verbalize.concepts.importance import SIGNED, importances
from verbalize.concepts.layout import PATCH, Layout, batch_of, crop_boxes, crops_of
from verbalize.concepts.placing import placed
from verbalize.concepts.splitting import SplitModel, split_model
from verbalize.saliency import PixelSaliency, Query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from verbalize.concepts.bank import Extractor, Floats
    from verbalize.concepts.importance import Estimator
    from verbalize.saliency import Prediction

_TOP_SHARE = 0.1  # of the crops, in which a concept is strongest: those that its sub-concepts are found in (CRAFT)


@dataclass(frozen=True, eq=False)
class Concepts:
    """The concepts of a layer of a model; `extract_concepts` makes them.

    Args:
        split: the model, split at the layer.
        bank: the K concepts as directions of the layer's activations.
        names: one name per concept.
        layout: how the features lie in a picture.
        images: N×C×H×W, what the concepts were extracted from.
        crops: (M, 5) image, top, left, bottom and right of each crop.
        amounts: (M, K) how much of each concept each crop holds.
        error: the share of the activations of the crops that the bank misses, from 0 to 1.
        batch_size: the most images in one call of the model.
    """

    split: SplitModel
    bank: ConceptBank
    names: tuple[str, ...]
    layout: Layout
    images: torch.Tensor
    crops: NDArray[np.int64]
    amounts: Floats
    error: float
    batch_size: int = BATCH

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.names)
        if len(names) != len(self.bank) or len(set(names)) < len(names):
            raise UsageError(f"there are {len(self.bank)} concepts; give as many names, each of its own, not {names!r:.120}")
        object.__setattr__(self, "names", names)

    def __len__(self) -> int:
        return len(self.bank)

    def named(self, names: Sequence[str]) -> Concepts:
        """The same concepts under names that a person gave them after looking at their crops."""
        return replace(self, names=tuple(names))

    def coefficients(self, images: Any) -> Floats:
        """(N, P, K) how much of each concept each place of each image holds; P counts leading tokens first, then row by row."""
        batch = self._batch(images)
        found = []
        with torch.no_grad():
            for some in batch.split(self.batch_size):
                activations = self.layout.activations(self.split.features(some)).double().cpu().numpy()
                rows = self.bank.encode(activations.reshape(-1, activations.shape[-1]))
                found.append(rows.reshape(*activations.shape[:2], -1))
        return np.concatenate(found)

    def maps(self, images: Any) -> Floats:
        """(N, K, H, W) how much of each concept each pixel holds, interpolated between the places of the layer.

        These are the concept attribution maps for a layer with places. CRAFT goes on from there to the pixels through implicit
        gradients of NMF; here, as in its authors' code for such layers, the map of the layer is enlarged.

        Raises:
            UsageError: the features of the layer have no places.
        """
        return self._enlarged(self.coefficients(images))

    def importance(
        self,
        images: Any,
        query: Query | None = None,
        *,
        estimator: Estimator = "sobol",
        samples: int | None = None,
        seed: int | None = None,
    ) -> Floats:
        """(N, K) how much each concept matters for the score of the query, for each image. The mean is the global one.

        Args:
            images: a tensor N×C×H×W, an array N×H×W×C, or a list of images.
            query: the question, pointwise or contrastive, about a class or a group; by default why each image has its label.
            estimator: "sobol" (total Sobol indices, which have no sign), "occlusion", "gradient_input" or
                "integrated_gradients" (whose signs say for and against).
            samples: points of "sobol", a power of two, or steps of the integral; 32 by default.
            seed: the seed of "sobol".

        Raises:
            UsageError: the estimator or a label is unknown, or a setting has no effect.
        """
        batch = self._batch(images)
        asked = self._queries(batch, query)
        coefficients = self.coefficients(batch)
        found = np.zeros((len(batch), len(self)))
        for one in dict.fromkeys(asked):
            rows = [index for index, other in enumerate(asked) if other == one]
            found[rows] = importances(
                self.split, self.bank, coefficients[rows], self.layout.features, one,
                estimator=estimator, samples=samples, seed=seed, batch_size=self.batch_size,
            )  # fmt: skip
        return found

    def saliencies(
        self,
        images: Any,
        query: Query | None = None,
        *,
        estimator: Estimator = "sobol",
        samples: int | None = None,
        seed: int | None = None,
    ) -> list[PixelSaliency]:
        """One map per image, whose regions are the concepts, so that sentences name them: "the region 'concept 3'".

        Each concept that matters has a region, and the regions don't overlap: a pixel belongs to the concept of which it holds
        most, each measured by the most that the image holds of it, if that is at least half. The importance of a concept is
        spread over its region in proportion to how much of it each pixel holds. The sum of the scores of a region is thus the
        importance of its concept, and a share of the map is a share of the importance of all concepts; a heatmap shows
        importance per pixel.

        The arguments are those of `importance`.

        Raises:
            UsageError: as `importance`, or the features of the layer have no places, or there are more concepts than pixels.
        """
        batch = self._batch(images)
        values = self.importance(batch, query, estimator=estimator, samples=samples, seed=seed)
        amounts = self._enlarged(self.coefficients(batch))
        asked, predictions = self._queries(batch, query), self._predictions(batch)
        maps = []
        for index, one in enumerate(values):
            scores, masks, kept = placed(amounts[index], one)
            maps.append(
                PixelSaliency(
                    scores,
                    asked[index],
                    image=batch[index].permute(1, 2, 0).cpu().numpy(),
                    signed=SIGNED[estimator],
                    masks=masks,
                    mask_names=tuple(self.names[concept] for concept in kept),
                    prediction=predictions[index],
                    method=f"concepts of {self.split.layer} ({self.bank.extractor}, {estimator})",
                    floor=None if SIGNED[estimator] else 0.0,
                )
            )
        return maps

    def top_crops(self, concept: int, count: int = 8) -> NDArray[np.int64]:
        """The numbers of the crops that hold most of a concept, the most first.

        Raises:
            UsageError: there is no such concept, or `count` is below 1.
        """
        self._check(concept)
        if count < 1:
            raise UsageError(f"count is how many crops are wanted, 1 or more, not {count!r}")
        return np.argsort(-self.amounts[:, concept], kind="stable")[:count]

    def within(self, concept: int, layer: str, count: int, *, seed: int = 0) -> Concepts:
        """The sub-concepts of a concept: those of an earlier layer, in the crops that hold most of it (CRAFT).

        The sub-concepts are named after it: "concept 3.1", "concept 3.2" and so on.

        Args:
            concept: the number of the concept, from 0.
            layer: the name of the earlier layer.
            count: how many sub-concepts.
            seed: the seed of the factorisation.

        Raises:
            UsageError: there is no such concept or layer, or too few crops for so many sub-concepts.
        """
        self._check(concept)
        chosen = self.crops[self.top_crops(concept, max(count, round(_TOP_SHARE * len(self.crops))))]
        names = tuple(f"{self.names[concept]}.{index + 1}" for index in range(count))
        split = split_model(self.split.model, layer, self.images)
        return _extracted(split, self.images, chosen, count, self.bank.extractor, seed, None, self.batch_size, names)

    def _check(self, concept: int) -> None:
        if not 0 <= concept < len(self):
            raise UsageError(f"concept must be a number from 0 to {len(self) - 1}, not {concept!r}")

    def _batch(self, images: Any) -> torch.Tensor:
        batch = batch_of(images)
        if tuple(batch.shape[1:]) != self.split.shape:
            raise UsageError(f"the concepts are for images of C×H×W {self.split.shape}, not {tuple(batch.shape[1:])}")
        return batch

    def _predictions(self, batch: torch.Tensor) -> list[Prediction]:
        with torch.no_grad():
            logits = [self.split.model.logits(self.split.placed(some)).double().cpu() for some in batch.split(self.batch_size)]
        return [predict(row, self.split.class_names) for row in torch.cat(logits)]

    def _queries(self, batch: torch.Tensor, query: Query | None) -> list[Query]:
        if query is not None:
            score_of_query(
                torch.zeros(1, len(self.split.class_names)), query, self.split.class_names
            )  # an unknown label raises
            return [query] * len(batch)
        return [Query(prediction.label) for prediction in self._predictions(batch)]

    def _enlarged(self, coefficients: Floats) -> Floats:
        grid = self.layout.grid
        if grid is None:
            raise UsageError(
                f"the features of layer {self.split.layer!r} have no places in the picture; choose an earlier layer"
            )
        places = coefficients[:, self.layout.leading :].transpose(0, 2, 1).reshape(len(coefficients), -1, *grid)
        fine = functional.interpolate(
            torch.from_numpy(np.ascontiguousarray(places)), size=self.split.shape[1:], mode="bilinear", align_corners=False
        )
        return fine.numpy()  # type: ignore[no-any-return]


def extract_concepts(
    model: Any,
    images: Any,
    *,
    layer: str,
    count: int = 10,
    extractor: Extractor = "nmf",
    patch: int | None = None,
    leading: int | None = None,
    names: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    seed: int = 0,
    batch_size: int = BATCH,
) -> Concepts:
    """Find the concepts of a layer in images, usually of one class: CRAFT (Fel et al. 2023, CVPR).

    Square crops of the images are enlarged to the size of the model's input. The activations of the layer, averaged over the
    places of each crop, are factorised: A ≈ U W with K concepts W (see `ConceptBank`).

    Args:
        model: a torch module of images, or whatever `verbalize.models.as_model` makes an `ImageModel` of.
        images: a tensor N×C×H×W in [0, 1], an array N×H×W×C, or a list of images, of one size.
        layer: the name of the layer, as in `model.named_modules()`. For "nmf" its output must not be negative.
        count: the number of concepts K.
        extractor: "nmf" (CRAFT), "kmeans" or "pca".
        patch: the side of the crops in pixels; two sevenths of the shorter side of the images by default.
        leading: of a layer with tokens, how many come before those of the picture; 0 or 1 is found out.
        names: one name per concept; "concept 1" and so on by default.
        class_names: one name per logit, where the model does not know them.
        seed: the seed of the factorisation.
        batch_size: the most images in one call of the model. It bounds the memory.

    Raises:
        UsageError: the layer can't be used (see `split_model`), its activations are negative for "nmf", or there are fewer
            crops or directions than concepts.
    """
    if batch_size < 1:
        raise UsageError(f"batch_size must be 1 or more, not {batch_size!r}")
    batch = batch_of(images)
    split = split_model(model, layer, batch, class_names)
    size = split.shape[1:]
    boxes = crop_boxes(len(batch), size, max(1, round(PATCH * min(size))) if patch is None else patch)
    told = tuple(names) if names is not None else tuple(f"concept {index + 1}" for index in range(count))
    return _extracted(split, batch, boxes, count, extractor, seed, leading, batch_size, told)


def _extracted(
    split: SplitModel, batch: torch.Tensor, boxes: NDArray[np.int64], count: int, extractor: Extractor, seed: int,
    leading: int | None, batch_size: int, names: tuple[str, ...],
) -> Concepts:  # fmt: skip
    layout: Layout | None = None
    means = []
    with torch.no_grad():
        for crops in crops_of(batch, boxes, batch_size):
            features = split.features(crops)
            layout = layout or Layout.of(features, split.shape[1:], leading)
            means.append(layout.activations(features)[:, layout.leading :].double().mean(dim=1).cpu().numpy())
    if layout is None:
        raise UsageError("there are no crops to find concepts in; give at least one image")
    activations = np.concatenate(means)
    bank = fit_bank(activations, count, extractor=extractor, seed=seed)
    return Concepts(split, bank, names, layout, batch, boxes, bank.encode(activations), bank.error(activations), batch_size)
