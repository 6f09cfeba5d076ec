"""Concepts: what directions a layer of a model is made of, how much each matters, where it is in a picture, and in which words.

A model is split at a layer (`split_model`), the activations of crops are factorised into a bank of concepts
(`extract_concepts`), each concept has an importance for a question (`Concepts.importance`), is a named region of a picture
(`Concepts.saliency`), and the images of a class fall into strategies by what matters most in each (`strategy_graph`).
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
