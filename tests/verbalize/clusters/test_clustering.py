"""Clusters of signed maps."""

import io

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from verbalize import PixelSaliency, Prediction, Query, TokenSaliency, check
from verbalize.clusters import cluster_maps, clusters_page, clusters_png
from verbalize.write import TemplateVerbalizer

STOP = Query("stop")


def planted(count, seed=0):
    """Maps of three kinds in turn: for it on the left, for it on the right, against it on the left."""
    random = np.random.default_rng(seed)
    maps = []
    for index in range(count):
        scores = random.normal(0, 0.02, (24, 30))
        place = np.s_[8:16, 18:26] if index % 3 == 1 else np.s_[8:16, 4:12]
        scores[place] += -1.0 if index % 3 == 2 else 1.0
        maps.append(PixelSaliency(scores * random.uniform(0.1, 10), STOP, image=np.full((24, 30, 3), 0.5), id=str(index)))
    return maps


@pytest.mark.parametrize("algorithm", ["kmeans", "spectral"])
def test_planted_kinds_are_found(algorithm):
    made = cluster_maps(planted(15), algorithm=algorithm)
    assert len(made.clusters) == 3
    assert {frozenset(cluster.members) for cluster in made.clusters} == {frozenset(range(kind, 15, 3)) for kind in range(3)}
    assert made.silhouette == max(made.silhouettes.values()) > 0.8
    assert [made.assigned[index] for index in range(3)] == [made.assigned[index] for index in range(12, 15)]


def test_mean_maps_are_the_means_of_each_sign():
    maps = planted(9)
    made = cluster_maps(maps, clusters=3)
    for cluster in made.clusters:
        shares = [maps[index].scores / np.abs(maps[index].scores).sum() for index in cluster.members]
        above = np.mean([np.where(one > 0, one, 0) for one in shares], axis=0)
        below = np.mean([np.where(one < 0, one, 0) for one in shares], axis=0)
        assert np.allclose(cluster.favourable.scores, above)
        assert np.allclose(cluster.unfavourable.scores, below)
        assert np.allclose(cluster.mean.scores, above + below)
        for one in (cluster.favourable, cluster.unfavourable, cluster.mean):
            assert check(TemplateVerbalizer().verbalize(one).claims, one)


def test_words_say_how_many_and_where():
    maps = planted(9)
    predicted = [Prediction("stop"), Prediction("yield"), Prediction("stop")]
    maps = [PixelSaliency(one.scores, STOP, prediction=predicted[index // 3]) for index, one in enumerate(maps)]
    made = cluster_maps(maps)
    text = made.in_words()
    assert text.startswith("The 3 clusters are apart: their mean silhouette is 0.")
    cluster = next(one for one in made.clusters if 1 in one.members)
    said = cluster.in_words()
    assert f"Cluster {cluster.number} holds 3 of 9 inputs: 2 with the label 'stop' and 1 with the label 'yield'." in said
    assert "On its favourable mean map for 'stop': The region at the right" in said
    assert "speaks most for 'stop'" in said
    assert "Nothing in the picture speaks for" not in said


def test_noise_is_told_to_have_no_structure():
    random = np.random.default_rng(1)
    maps = [PixelSaliency(random.normal(size=(16, 16)), STOP) for _ in range(12)]
    assert "are hardly apart" in cluster_maps(maps, clusters=2).in_words()


def test_texts_are_clustered_by_their_words():
    texts = [
        TokenSaliency(("Great", "film"), (1.0, 0.1), Query("good")),
        TokenSaliency(("a", "great", "cast"), (0.1, 1.0, -0.2), Query("good")),
        TokenSaliency(("awful", "film"), (-1.0, 0.1), Query("good")),
        TokenSaliency(("awful", "plot"), (-1.0, -0.1), Query("good")),
    ]
    made = cluster_maps(texts)
    assert {frozenset(cluster.members) for cluster in made.clusters} == {frozenset((0, 1)), frozenset((2, 3))}
    first = made.clusters[0]
    assert dict(zip(first.favourable.tokens, first.favourable.scores, strict=True))["great"] == pytest.approx(
        (1 / 1.1 + 1 / 1.3) / 2
    )
    assert "'great'" in first.in_words()
    assert clusters_png(made)


def test_labels_that_differ_have_a_question_of_their_own():
    maps = [PixelSaliency(one.scores, Query(f"label {index}")) for index, one in enumerate(planted(6))]
    made = cluster_maps(maps, clusters=1)
    assert made.clusters[0].mean.query == Query("the label of each input")
    assert made.silhouette is None
    assert "2 with another label" in made.clusters[0].in_words()


def test_other_sizes_empty_maps_and_single_maps():
    maps = planted(6)
    maps[1] = PixelSaliency(np.kron(maps[1].scores, np.ones((2, 2))), STOP)
    maps[4] = PixelSaliency(np.zeros((5, 7)), STOP)
    made = cluster_maps(maps)
    assert sorted(index for cluster in made.clusters for index in cluster.members) == list(range(6))
    assert all(cluster.mean.shape == (24, 30) for cluster in made.clusters)
    alone = cluster_maps(maps[:1])
    assert alone.clusters[0].members == (0,)
    alike = cluster_maps([maps[0]] * 4)
    assert len(alike.clusters) == 1


def test_the_seed_and_the_order_do_not_change_what_is_planted():
    maps = planted(12)
    assert cluster_maps(maps, seed=3).assigned == cluster_maps(maps).assigned


def test_pictures_and_page():
    from PIL import Image

    made = cluster_maps(planted(9))
    picture = Image.open(io.BytesIO(clusters_png(made, members=2)))
    assert picture.width > 400
    page = clusters_page(made, title="Signs & <signs>")
    assert "Signs &amp; &lt;signs&gt;" in page
    assert page.count("<section>") == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maps": []}, "no maps"),
        ({"maps": [PixelSaliency(np.ones((4, 4)), STOP, signed=False)]}, "unsigned"),
        ({"maps": [*planted(2), TokenSaliency(("a",), (1.0,), STOP)]}, "one kind"),
        ({"maps": [*planted(2), PixelSaliency(np.ones((4, 4)), Query("stop", ("yield",)))]}, "contrastive"),
        ({"clusters": 2, "most": 3}, "most has no effect"),
        ({"clusters": 99}, "only 6 different maps"),
        ({"clusters": 0}, "1 or more"),
        ({"words": 3}, "words has no effect"),
        ({"side": 0}, "side must be 1"),
        ({"algorithm": "x"}, "algorithm"),
    ],
)
def test_wrong_input_is_told(changes, message):
    with pytest.raises(UsageError, match=message):
        cluster_maps(**{"maps": planted(6)} | changes)
