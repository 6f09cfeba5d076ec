"""The threads of numpy's linear algebra, which would take processors from the classifier."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from saywhy_core.classifiers import Classifier


def one_array_thread(classifier: Classifier) -> AbstractContextManager[object]:
    """Inside the block, OpenBLAS computes in one thread, where the classifier computes elsewhere (it says `concurrency`).

    The threads of OpenBLAS wait actively for the next product. On two processors they made a network of onnxruntime half as
    fast while it was attacked. A classifier written in numpy keeps its threads.
    """
    if getattr(classifier, "concurrency", 1) <= 1:
        return nullcontext()
    from threadpoolctl import ThreadpoolController

    limited: AbstractContextManager[object] = ThreadpoolController().select(internal_api="openblas").limit(limits=1)
    return limited
