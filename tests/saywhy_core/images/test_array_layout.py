"""How many images an array file holds, from its header alone, and arrays of which that is not clear."""

import numpy as np
import pytest

from saywhy_core.errors import UsageError
from saywhy_core.images import read_images
from saywhy_core.images.array_files import array_layout
from verbalize.attribution.records import read_image_inputs
from verbalize.attribution.records.inputs import count_images


@pytest.mark.parametrize(
    ("shape", "count"),
    [((9, 8), 1), ((9, 8, 1), 1), ((9, 8, 3), 1), ((9, 8, 4), 1), ((6, 9, 8), 6), ((1, 9, 8), 1), ((5, 9, 8, 3), 5)],
)
@pytest.mark.parametrize("packed", [False, True])
def test_the_header_tells_how_many_there_are(tmp_path, shape, count, packed):
    path = tmp_path / ("a.npz" if packed else "a.npy")
    if packed:
        np.savez(path, images=np.zeros(shape, dtype=np.uint8), labels=np.zeros(count, dtype=int))
    else:
        np.save(path, np.zeros(shape, dtype=np.uint8))
    assert array_layout(path).count == count == len(list(read_images([path]))) == count_images([str(path)])


@pytest.mark.parametrize("channels", [1, 3, None])
@pytest.mark.parametrize("many", [3, 4])
def test_grey_images_that_may_be_channels_are_refused_unless_labels_count_them(tmp_path, many, channels):
    np.save(tmp_path / "a.npy", np.zeros((many, 9, 8), dtype=np.uint8))
    (problem,) = read_image_inputs([str(tmp_path / "a.npy")], channels=channels)
    assert f"may be one image with its channels first or {many} grey images" in problem.what
    np.savez(tmp_path / "b.npz", images=np.zeros((many, 9, 8), dtype=np.uint8), labels=np.arange(many))
    found = list(read_image_inputs([str(tmp_path / "b.npz")], channels=channels))
    assert [one.content.shape for one in found] == [(9, 8, channels or 1)] * many


def test_what_is_no_array_file_is_told(tmp_path):
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY nothing")
    with pytest.raises(UsageError, match=r"a\.npy"):
        array_layout(tmp_path / "a.npy")
    assert count_images([str(tmp_path / "a.npy")]) is None
