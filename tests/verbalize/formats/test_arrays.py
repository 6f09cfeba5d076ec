"""Pixel maps from arrays and tensors, in memory and in files: what each shape is, and which are refused."""

import json
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from saywhy_core.images.decode import PICTURES
from verbalize import PixelSaliency, Query, SaliencyError, TokenSaliency, read_saliency
from verbalize.formats.arrays.axes import AXES

RNG = np.random.default_rng(0)


def read(source, **options):
    """The maps, and the notes that were told."""
    notes = []
    return read_saliency(source, label="cat", on_note=notes.append, **options), notes


def saved(folder, array, name="map.npy"):
    np.save(folder / name, array)
    return folder / name


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((5, 6), [lambda a: a]),
        ((1, 5, 6), [lambda a: a[0]]),
        ((5, 6, 1), [lambda a: a[:, :, 0]]),
        ((3, 5, 6), [lambda a: a[0] + a[1] + a[2]]),
        ((5, 6, 3), [lambda a: a[..., 0] + a[..., 1] + a[..., 2]]),
        ((2, 5, 6), [lambda a: a[0], lambda a: a[1]]),
        ((4, 5, 4), [lambda a: a[0], lambda a: a[1], lambda a: a[2], lambda a: a[3]]),
        ((1, 1, 5, 6), [lambda a: a[0, 0]]),
        ((2, 1, 5, 6), [lambda a: a[0, 0], lambda a: a[1, 0]]),
        ((2, 3, 5, 6), [lambda a: a[0].sum(0), lambda a: a[1].sum(0)]),
        ((2, 5, 6, 3), [lambda a: a[0].sum(-1), lambda a: a[1].sum(-1)]),
    ],
)
@pytest.mark.parametrize("door", ["array", "npy", "npz", "tensor", "pt"])
def test_an_array_is_one_map_or_several_with_signed_sums_over_channels(tmp_path, door, shape, expected):
    array = RNG.normal(size=shape)
    source = array
    if door == "npy":
        source = saved(tmp_path, array)
    elif door == "npz":
        source = tmp_path / "map.npz"
        np.savez(source, attributions=array)
    elif door in ("tensor", "pt"):
        torch = pytest.importorskip("torch")
        source = torch.tensor(array, requires_grad=True)
        if door == "pt":
            torch.save(source, tmp_path / "map.pt")
            source = tmp_path / "map.pt"
    maps, _ = read(source)
    assert len(maps) == len(expected)
    for found, wanted in zip(maps, expected, strict=True):
        np.testing.assert_allclose(found.scores, wanted(array))
        assert found.signed
    assert len({found.saliency_id for found in maps}) == len(maps)


@pytest.mark.parametrize("shape", [(3, 5, 3), (3, 3, 3), (2, 3, 5, 3)])
def test_axes_that_the_shape_leaves_open_are_asked_for(shape):
    with pytest.raises(SaliencyError, match="axes=") as said:
        read(RNG.normal(size=shape))
    named = [axes for axes in AXES if axes in str(said.value).partition("axes=")[2].partition("(")[0].split()]
    for axes in named:
        assert read(RNG.normal(size=shape), axes=axes)[0]


def test_three_heatmaps_are_not_taken_for_colours():
    """Class activation maps have no signs, attributions of colours have."""
    cams = RNG.random((3, 5, 6))
    with pytest.raises(SaliencyError, match="axes=chw or nhw"):
        read(cams)
    assert len(read(cams, axes="nhw")[0]) == 3
    np.testing.assert_allclose(read(cams, axes="chw")[0][0].scores, cams.sum(0))
    maps = read_saliency(cams, class_names=["a", "b", "c"], on_note=lambda note: None)
    assert [found.query.label for found in maps] == ["a", "b", "c"]
    (found,) = read_saliency(cams, class_names=["a", "b", "c"], label="b", on_note=lambda note: None)
    np.testing.assert_array_equal(found.scores, cams[1])


def test_three_planes_with_signs_are_colours_and_that_is_told():
    _, notes = read(RNG.normal(size=(3, 5, 6)))
    assert any("axes='nhw'" in note for note in notes)


def test_the_picture_decides_what_the_axes_are():
    photo = np.zeros((5, 3, 3))
    maps, _ = read(RNG.normal(size=(7, 5, 3)), image=photo)
    assert len(maps) == 7


@pytest.mark.parametrize("axes", ["whc", "hw", "nchw"])
def test_axes_must_fit(axes):
    with pytest.raises(SaliencyError, match="axes"):
        read(RNG.normal(size=(2, 5, 6)), axes=axes)


def test_axes_have_no_effect_on_words():
    with pytest.raises(SaliencyError, match="has no effect on any record"):
        read([("a", 1.0)], axes="hw")


@pytest.mark.parametrize(
    ("array", "says"),
    [
        (np.zeros((0, 4)), "empty"),
        (np.zeros(7), "scores of words come with their words"),
        (np.zeros((4, 4, 5, 6)), "sum or average over the other axes"),
        (np.full((3, 4), np.nan), "finite"),
        (np.array([[1.0, np.inf]]), "finite"),
        (np.array([[1 + 2j]]), "complex"),
        (np.array([["a", "b"]]), "texts"),
        (np.zeros((2, 2), dtype="datetime64[s]"), "dates"),
        (np.zeros((2, 2), dtype=[("x", float)]), "records"),
        (np.array(1.0), "shape ()"),
    ],
)
def test_what_is_no_map_is_refused_with_what_it_is(tmp_path, array, says):
    with pytest.raises(SaliencyError) as said:
        read(array)
    assert says in str(said.value)
    with pytest.raises(SaliencyError) as said:
        read(saved(tmp_path, array))
    assert says in str(said.value)
    assert "map.npy" in str(said.value)


def huge_header():
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    header += b" " * (117 - len(header)) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(80)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".pt", ".png"])
@pytest.mark.parametrize("damage", ["empty", "garbage", "cut", "header"])
def test_damaged_files_are_one_sentence(tmp_path, capfd, suffix, damage):
    path = tmp_path / f"map{suffix}"
    array = RNG.normal(size=(20, 20))
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".npz":
        np.savez(path, a=array)
    elif suffix == ".pt":
        torch = pytest.importorskip("torch")
        torch.save(torch.tensor(array), path)
    else:
        Image.fromarray((abs(array) * 50).astype(np.uint16)).save(path)
    if damage == "header":
        if suffix == ".npy":
            path.write_bytes(huge_header())
        elif suffix == ".npz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a.npy", huge_header())
        else:
            pytest.skip("only numpy's files have this header")
    else:
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "garbage": b"no array" * 20, "cut": whole[: len(whole) // 2]}[damage])
    with pytest.raises(SaliencyError) as said:
        read(path)
    assert "\n" not in str(said.value)
    assert path.name in str(said.value)
    assert capfd.readouterr().err == ""


def test_nothing_that_could_run_code_is_read(tmp_path):
    objects = tmp_path / "objects.npy"
    np.save(objects, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SaliencyError, match="could run code"):
        read(objects)
    archive = tmp_path / "objects.npz"
    np.savez(archive, a=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SaliencyError, match="could run code"):
        read(archive)
    torch = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(SaliencyError, match="could run code"):
        read(tmp_path / "model.pt")


def test_the_weights_of_a_model_are_no_maps(tmp_path):
    torch = pytest.importorskip("torch")
    for module in (torch.nn.Conv2d(3, 4, 3), torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3))):
        torch.save(module.state_dict(), tmp_path / "weights.pt")
        with pytest.raises(SaliencyError, match="weights of a model"):
            read(tmp_path / "weights.pt")


def test_named_arrays_are_named_maps(tmp_path):
    first, second = RNG.normal(size=(5, 6)), RNG.normal(size=(2, 5, 6))
    np.savez(tmp_path / "two.npz", gradcam=first, rise=second)
    maps, _ = read(tmp_path / "two.npz")
    assert [found.id for found in maps] == ["two.gradcam", "two.rise-0", "two.rise-1"]
    np.testing.assert_array_equal(maps[2].scores, second[1])


def test_one_bad_array_costs_itself_only(tmp_path):
    np.savez(tmp_path / "two.npz", good=RNG.normal(size=(5, 6)), bad=np.array(["text"]))
    problems = []
    (found,) = read_saliency(tmp_path / "two.npz", label="cat", on_problem=problems.append)
    assert found.id == "two.good"
    assert [problem.id for problem in problems] == ["bad"]
    batch = RNG.normal(size=(3, 1, 5, 6))
    batch[1] = np.nan
    maps = read_saliency(batch, label="cat", on_problem=problems.append)
    assert [found.id for found in maps] == ["0", "2"]
    assert problems[-1].id == "1"


def test_pictures_and_labels_stand_beside_the_maps(tmp_path):
    maps, pictures = RNG.normal(size=(4, 3, 5, 6)), RNG.random((4, 3, 5, 6))
    path = tmp_path / "batch.npz"
    np.savez(path, attributions=maps, images=pictures, labels=np.array([0, 1, 0, 1]))
    found = read_saliency(path, class_names=["cat", "dog"])
    assert [one.query.label for one in found] == ["cat", "dog", "cat", "dog"]
    np.testing.assert_allclose(found[3].image, pictures[3].transpose(1, 2, 0), atol=1e-6)
    assert [one.id for one in read_saliency(path, class_names=["cat", "dog"], label="dog")] == ["batch-1", "batch-3"]
    with pytest.raises(SaliencyError, match="leave out image"):
        read_saliency(path, class_names=["cat", "dog"], image=np.zeros((5, 6, 3)))
    np.savez(path, attributions=maps, labels=np.array([0, 1]))
    with pytest.raises(SaliencyError, match="4 maps and 2 labels"):
        read_saliency(path, class_names=["cat", "dog"])


@pytest.mark.parametrize(("size", "word"), [((40, 30), "enlarged"), ((3, 4), "resized"), ((3, 40), "resized")])
def test_a_map_is_resized_to_its_picture_and_that_is_told(tmp_path, size, word):
    scores = np.zeros((10, 20))
    scores[:5, 10:] = 1.0
    (found,), notes = read(saved(tmp_path, scores), image=np.zeros((*size, 3)))
    assert found.shape == size
    assert found.image.shape[:2] == size
    assert any(word in note and "10 x 20" in note and f"{size[0]} x {size[1]}" in note for note in notes)
    # the upper right quarter still holds it all, but for the seam
    rows, columns = size[0] // 2, size[1] // 2
    assert found.scores[: rows + 1, columns - 1 :].sum() >= 0.98 * found.scores.sum()
    assert found.scores.max() == pytest.approx(1.0)


def test_a_map_of_its_pictures_size_stays_as_it_is():
    scores = RNG.normal(size=(5, 6))
    (found,), notes = read(scores, image=np.zeros((5, 6, 3)))
    np.testing.assert_array_equal(found.scores, scores)
    assert notes == []


def test_what_is_signed_is_read_from_the_scores_or_said():
    positive, mixed = RNG.random((5, 6)), RNG.normal(size=(5, 6))
    (found,), notes = read(positive)
    assert not found.signed
    assert any("unsigned" in note for note in notes)
    (found,), notes = read(positive, signed=True)
    assert found.signed
    assert notes == []
    (found,), notes = read(positive, signed=False)
    assert notes == []
    assert read(mixed)[0][0].signed
    with pytest.raises(SaliencyError, match="below 0"):
        read(mixed, signed=False)
    with pytest.raises(SaliencyError, match="leave out signed=True"):
        read(positive > 0.5, signed=True)


def test_the_noise_of_float32_is_no_sign():
    """A resized class activation map is often a hair below 0 somewhere."""
    cam = RNG.random((5, 6))
    cam[2, 2] = -1e-9
    (found,), _ = read(cam)
    assert not found.signed
    assert found.scores[2, 2] == 0.0
    cam[2, 2] = -1e-3
    assert read(cam)[0][0].signed


def test_a_batch_is_signed_as_one():
    batch = np.stack([RNG.random((5, 6)), -RNG.random((5, 6))])
    assert [found.signed for found in read(batch)[0]] == [True, True]


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float16", "float32", ">f8"])
def test_every_type_of_number_is_read(tmp_path, dtype):
    array = np.eye(5, 6).astype(dtype)
    (found,), _ = read(saved(tmp_path, array))
    np.testing.assert_array_equal(found.scores, np.eye(5, 6))
    assert found.scores.dtype == np.float64


def test_lists_and_dictionaries_of_arrays(tmp_path):
    a, b = RNG.normal(size=(5, 6)), RNG.normal(size=(5, 6))
    maps, _ = read([a, b])
    np.testing.assert_array_equal(maps[1].scores, b)
    maps, _ = read({"ig": a, "lrp": b})
    assert [found.id for found in maps] == ["ig", "lrp"]
    (tmp_path / "map.json").write_text(json.dumps(a.tolist()))
    (found,), _ = read(tmp_path / "map.json")
    np.testing.assert_array_equal(found.scores, a)


def test_ids_of_the_arrays_in_a_list_do_not_collide():
    maps, _ = read([RNG.normal(size=(2, 5, 6)), RNG.normal(size=(2, 5, 6))])
    assert len(maps) == 4
    assert len({found.id for found in maps}) == 4


def test_maps_that_are_maps_already_may_stand_in_a_list():
    one = PixelSaliency(RNG.normal(size=(4, 4)), Query("cat"), id="one")
    two = TokenSaliency(["a"], [1.0], Query("cat"), id="two")
    assert read_saliency([one, two]) == [one, two]
    assert read_saliency([one, two], label="cat") == [one, two]
    with pytest.raises(SaliencyError, match="dog"):
        read_saliency([one, two], label="dog")
    with pytest.raises(SaliencyError, match="leave out signed=False"):
        read_saliency(one, signed=False)


@pytest.mark.parametrize("mode", ["L", "LA", "1", "P", "RGB", "RGBA", "I;16"])
def test_grey_pictures_of_every_mode(tmp_path, mode):
    grey = RNG.integers(0, 2, (5, 6)).astype(np.uint8) * 255
    picture = Image.fromarray(grey.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    if mode in ("LA", "RGBA"):
        picture.putalpha(Image.fromarray(RNG.integers(0, 255, (5, 6)).astype(np.uint8)))
    picture.save(tmp_path / "map.png")
    (found,), _ = read(tmp_path / "map.png")
    np.testing.assert_allclose(found.scores, grey / 255, atol=1e-6)
    assert not found.signed
    if mode != "I;16":
        np.testing.assert_allclose(read(picture)[0][0].scores, grey / 255, atol=1e-6)


@pytest.mark.parametrize("ending", sorted(PICTURES))
def test_a_grey_picture_of_every_format_that_is_read_may_be_a_map(tmp_path, ending):
    kind = {".jp2": "JPEG2000", ".jfif": "JPEG", ".apng": "PNG", ".pnm": "PPM", ".pbm": "PPM"}.get(ending)
    grey = Image.fromarray(np.repeat(np.repeat(np.array([[0, 255], [255, 0]], np.uint8), 8, axis=0), 8, axis=1))
    try:
        grey.save(tmp_path / f"m{ending}", **({"format": kind} if kind else {}))
    except (KeyError, ValueError, OSError):
        pytest.skip("this build of Pillow can't write it")
    (found,), _ = read(tmp_path / f"m{ending}")
    assert found.shape == (16, 16)
    assert found.scores[2, 13] > 0.9 > 0.1 > found.scores[2, 2]


def test_a_picture_in_colour_is_no_map(tmp_path):
    Image.fromarray(RNG.integers(0, 255, (5, 6, 3)).astype(np.uint8)).save(tmp_path / "map.png")
    with pytest.raises(SaliencyError, match="in colour"):
        read(tmp_path / "map.png")


@pytest.mark.parametrize("name", ["scores", "attributions", "saliency", "heatmap"])
def test_a_record_in_json_may_hold_rows_of_numbers(tmp_path, name):
    rows = [[0.5, -0.25], [0.0, 1.0]]
    (tmp_path / "maps.jsonl").write_text(
        json.dumps({name: rows, "label": "cat", "id": "first"}) + "\n" + json.dumps({name: [rows], "class": "cat"}) + "\n"
    )
    maps, _ = read(tmp_path / "maps.jsonl")
    assert [(found.id, found.query.label, found.scores.tolist()) for found in maps] == [
        ("first", "cat", rows),
        (None, "cat", rows),
    ]


@pytest.mark.parametrize("rows", [[[1, 2], [3]], [[1, None]], [[1, "a"]], [[[]]], [[1], 2]])
def test_rows_that_are_no_table_are_one_sentence(tmp_path, rows):
    (tmp_path / "map.json").write_text(json.dumps({"scores": rows, "label": "cat"}))
    with pytest.raises(SaliencyError) as said:
        read(tmp_path / "map.json")
    assert "\n" not in str(said.value)


def test_numbers_that_stand_beside_the_tensors_are_not_read_and_that_is_told(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"map": torch.eye(3), "epoch": 3, "note": "a"}, tmp_path / "map.pt")
    (found,), notes = read(tmp_path / "map.pt", signed=False)
    assert found.id == "map"
    assert any("'epoch', 'note'" in note for note in notes)


def test_pictures_whose_white_is_not_known_are_not_shown_and_that_is_told():
    normalised = RNG.normal(size=(1, 3, 5, 6))
    (found,), notes = read({"attributions": RNG.normal(size=(1, 3, 5, 6)), "images": normalised})
    assert found.image is None
    assert any("not shown" in note for note in notes)
