"""What holds of every array, and of every file that may be given as one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from verbalize import SaliencyError, read_saliency
from verbalize.formats.arrays.axes import AXES, planes

NUMBERS = st.integers(-1000, 1000).map(lambda number: number / 8)  # exact in every sum
ARRAYS = arrays(np.float64, array_shapes(min_dims=1, max_dims=5, min_side=1, max_side=5), elements=NUMBERS)


@given(ARRAYS)
def test_maps_hold_the_whole_of_an_array_or_it_is_refused(array):
    """Nothing is lost or counted twice, whatever the axes are taken for."""
    try:
        maps, axes = planes(array)
    except SaliencyError:
        return
    assert maps.sum() == array.sum()
    assert maps.shape[1:] == (array.shape[axes.index("h")], array.shape[axes.index("w")])
    assert len(maps) == (array.shape[axes.index("n")] if "n" in axes else 1)


@given(ARRAYS, st.sampled_from(AXES))
def test_axes_that_are_said_are_those_that_are_read(array, axes):
    if len(axes) != array.ndim:
        with pytest.raises(SaliencyError, match="does not fit"):
            planes(array, axes)
        return
    maps, read = planes(array, axes)
    assert read == axes
    expected = np.einsum(f"{axes}->{'nhw' if 'n' in axes else 'hw'}", array)
    np.testing.assert_array_equal(maps, expected if "n" in axes else expected[None])


@given(arrays(np.float64, (3, 4), elements=NUMBERS))
def test_the_order_of_layers_in_memory_plays_no_part(array):
    for other in (np.asfortranarray(array), array[::-1][::-1], np.broadcast_to(array, (1, 3, 4)), array.astype(">f8")):
        (found,) = read_saliency(other, label="x", on_note=str)
        np.testing.assert_array_equal(found.scores, array)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".png", ".tif", ".json", ".jsonl", ".csv", ".gz"])
@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"[[", b"II*\0"])
)
def test_no_bytes_make_a_reader_fail_in_another_way(tmp_path_factory, suffix, content, start):
    path = tmp_path_factory.getbasetemp() / f"fuzz{suffix}"
    path.write_bytes(start + content)
    try:
        read_saliency(path, label="x", on_problem=lambda problem: None, on_note=str)
    except SaliencyError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may be read, too


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_of_an_array_file_makes_its_reader_fail_in_another_way(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.npz"
    np.savez(path, a=np.eye(4), image=np.zeros((4, 4, 3)))
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole[: data.draw(st.integers(1, len(whole)))]))
    try:
        read_saliency(path, label="x", on_problem=lambda problem: None, on_note=str)
    except SaliencyError as error:
        assert "\n" not in str(error)  # noqa: PT017 - it may be read, too
