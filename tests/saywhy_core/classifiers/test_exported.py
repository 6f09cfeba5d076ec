"""Honest programs of torch.export: the same scores as torch's own reader gives, bit for bit, and bounds on what they may take."""

from __future__ import annotations

import json
import os
import re
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from saywhy_core.classifiers import ClassifierError, load_classifier
from saywhy_core.classifiers.exported.conditions import Condition
from saywhy_core.classifiers.exported.read import read_exported
from saywhy_core.errors import UsageError
from saywhy_core.reading.ceilings import ceilings

DYNAMIC = torch.export.Dim.DYNAMIC


class Convolutions(nn.Module):
    """Layers, buffers that are kept and that are not, constants, parts without gradients, and arithmetic on sizes."""

    def __init__(self):
        super().__init__()
        self.first, self.normal, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.Linear(8, 5)
        self.again = self.last.weight
        self.register_buffer("scale", torch.rand(5), persistent=False)
        self.constant = torch.rand(5)

    def forward(self, x):
        features = nn.functional.interpolate(torch.relu(self.normal(self.first(x))), scale_factor=2.0)
        with torch.no_grad():
            means = features.mean((2, 3))
        _, _, height, width = x.shape
        means = means * (height * width / (height + 1)) + means.view(x.shape[0], -1) * min(height, width)
        left, right = means.chunk(2, 1)
        return self.last(torch.cat([right, left], 1)) * self.scale + self.constant + torch.arange(5, device=x.device)


class Branching(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda given: given * 2, lambda given: given - 1, (x,)).mean((2, 3))


class Automatic(nn.Module):
    def forward(self, x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            scores = x.flatten(1) @ torch.ones(x[0].numel(), 5)
        return {"logits": scores, "other": None}


class Reading(nn.Module):
    """The size of an array depends on the image."""

    def forward(self, x):
        number = x.sum().int().item()
        torch._check(number >= 2)
        torch._check(number < 1000)
        return x.mean((2, 3)) + torch.zeros(number).sum()


class Upright(nn.Module):
    """Exported for tall images, and so for them alone."""

    def forward(self, x):
        if x.shape[2] > x.shape[3]:
            x = x.transpose(2, 3)
        return x[:, :, 0].mean(2) @ torch.ones(3, 4)


PROGRAMS = {
    "layers": (Convolutions, None), "layers of any size": (Convolutions, {0: DYNAMIC, 2: DYNAMIC, 3: DYNAMIC}),
    "branches": (Branching, None), "autocast": (Automatic, None), "a size from the image": (Reading, None),
    "a condition": (Upright, {0: DYNAMIC, 2: DYNAMIC, 3: DYNAMIC}),
}  # fmt: skip


def exported(path, make, free, *, decomposed=False, strict=False):
    torch.manual_seed(0)
    program = torch.export.export(
        make().eval(), (torch.rand(2, 3, 8, 6),), dynamic_shapes=None if free is None else {"x": free}, strict=strict
    )
    torch.export.save(program.run_decompositions() if decomposed else program, path)
    return path


def plain(answer):
    return next(iter(answer.values())) if isinstance(answer, dict) else answer


FORMS = [
    *((name, "") for name in PROGRAMS),
    ("layers of any size", "decomposed"),
    pytest.param("branches", "decomposed", marks=pytest.mark.long),
    ("a condition", "strict"),
]


@pytest.mark.parametrize(("name", "form"), FORMS)
def test_scores_are_those_of_torch(tmp_path, name, form):
    make, free = PROGRAMS[name]
    path = exported(tmp_path / "m.pt2", make, free, decomposed=form == "decomposed", strict=form == "strict")
    ours, theirs = read_exported(str(path)), torch.export.load(path).module()
    for shape in ((2, 3, 8, 6), *([(5, 3, 12, 7)] if free else [])):
        image = torch.rand(shape)
        with torch.no_grad():
            assert torch.equal(ours(image), plain(theirs(image)))
            assert torch.equal(ours(image), plain(theirs(image)))


def test_what_torch_writes_back_is_written_back(tmp_path):
    """Normalisation in training mode counts its batches and moves its means."""
    program = torch.export.export(
        nn.Sequential(nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3, 2)).train(), (torch.rand(4, 3, 1, 1),)
    )
    for number, form in enumerate((program, program.run_decompositions())):
        torch.export.save(form, tmp_path / f"{number}.pt2")
        ours, theirs = read_exported(str(tmp_path / f"{number}.pt2")), torch.export.load(tmp_path / f"{number}.pt2").module()
        for _ in range(3):
            image = torch.rand(4, 3, 1, 1)
            assert torch.equal(ours(image), theirs(image))
        state = theirs.state_dict()
        kept = {place[1]: getattr(ours, slot) for place, slot in ours._slots.items()}
        assert torch.equal(kept["0.running_mean"], state["0.running_mean"])


def test_images_that_the_program_was_not_exported_for_are_refused(tmp_path):
    fixed = read_exported(str(exported(tmp_path / "fixed.pt2", *PROGRAMS["layers"])))
    with pytest.raises(ClassifierError, match="was exported for inputs of 2 by 3 by 8 by 6, not of 2 by 3 by 8 by 7"):
        fixed(torch.rand(2, 3, 8, 7))
    tall = read_exported(str(exported(tmp_path / "tall.pt2", *PROGRAMS["a condition"])))
    with pytest.raises(ClassifierError, match="was exported for inputs with"):
        tall(torch.rand(2, 3, 6, 8))


def test_a_program_with_the_channels_last_says_how_to_give_them(tmp_path):
    made = nn.Sequential(nn.Flatten(), nn.Linear(8 * 6 * 3, 2))
    torch.export.save(torch.export.export(made, (torch.rand(1, 8, 6, 3),)), tmp_path / "m.pt2")
    image = np.zeros((1, 8, 6, 3), np.float32)
    with pytest.raises(ClassifierError, match=r"1 by 8 by 6 by 3, not of 1 by 3 by 8 by 6; it takes .* so say layout='nhwc'$"):
        load_classifier(f"torch:{tmp_path / 'm.pt2'}", scores="logits")(image)
    assert load_classifier(f"torch:{tmp_path / 'm.pt2'}", scores="logits", layout="nhwc")(image).shape == (1, 2)


class Bomb(nn.Module):
    def forward(self, x):
        wide = x.mean().expand(2_000_000) + 1
        return x.mean((2, 3)) + wide.sum()


class Zeros(nn.Module):
    def forward(self, x):
        return x.mean((2, 3)) + torch.zeros(2_000_000).sum()


@pytest.mark.parametrize("make", [Bomb, Zeros])
def test_a_step_beyond_the_ceiling_is_not_taken(tmp_path, make):
    classifier = load_classifier(f"torch:{exported(tmp_path / 'm.pt2', make, None)}?scores=logits")
    images = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
    said = r"one step needs 8,000,\d+ bytes, and 1,048,576 are allowed .* --ceiling array="
    with ceilings(array=2**20), pytest.raises(ClassifierError, match=said):
        classifier(images)
    with ceilings(array=2**24):
        assert classifier(images).shape == (2, 3)


class Beside(nn.Module):
    """Two arrays that are each below the ceiling, and together above what is allowed."""

    def forward(self, x):
        first, second = torch.zeros(200_000), torch.ones(200_000)
        return x.mean((2, 3)) + (first + second + torch.ones(200_000)).sum()


def test_results_that_are_too_large_together_are_told_with_a_ceiling_that_suffices(tmp_path):
    classifier = load_classifier(f"torch:{exported(tmp_path / 'm.pt2', Beside, None)}?scores=logits")
    images = np.random.default_rng(0).random((2, 8, 6, 3), np.float32)
    with ceilings(array=900_000), pytest.raises(ClassifierError, match="beside the") as told:
        classifier(images)
    need, beside, allowed = (int(one.replace(",", "")) for one in re.findall(r"([\d,]+) (?:bytes|are)", str(told.value)))
    assert need < 900_000
    assert need + beside > allowed >= 900_000
    with ceilings(array=int(str(told.value).rpartition("=")[2])):
        assert classifier(images).shape == (2, 3)


@pytest.mark.parametrize(
    ("source", "sizes", "holds"),
    [
        ("L['x'].size()[2] > L['x'].size()[3]", (1, 3, 8, 6), True), ("(L['flat_args'][0].size()[3] // 2) != 3", (1, 3, 8, 6), False),
        ("max(1, L['x'].size()[0]) == 2*L['x'].size()[0] - 1", (1, 3, 8, 6), True), ("Mod(L['x'].size()[2], 4) == 0", (1, 3, 8, 6), True),
        ("L['x'].size()[0] == 1 and not 3 <= L['x'].size()[1] < 3", (1, 3, 8, 6), True),
    ],
)  # fmt: skip
def test_conditions_on_sizes(source, sizes, holds):
    assert Condition(source, "m.pt2").holds(sizes) is holds


@pytest.mark.parametrize(
    "source",
    [
        "open('x')", "().__class__", "L['x'].size", "[1 for _ in L]", "size", "9**9**9 > 1", "1 << 99 > 0", "'a' * 9999 == ''", "lambda: 1",
        "(" * 5000, "f'{1}'", "x := 1", "L['x'].size()[7] == 1", "__import__('os')", "math.floor.__self__", "max(*[1])", "",
    ],
)  # fmt: skip
def test_other_conditions_are_refused(source):
    with pytest.raises(UsageError, match="a condition on its input that is no arithmetic"):
        Condition(source, "m.pt2")


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"text " * 100, b"PK\x03\x04" + bytes(300), b"PK\x05\x06" + bytes(18), bytes(22)]
)
def test_what_is_no_program_is_told_in_one_sentence(tmp_path, content):
    (tmp_path / "m.pt2").write_bytes(content)
    with pytest.raises(UsageError) as told:
        load_classifier(f"torch:{tmp_path / 'm.pt2'}?scores=logits")
    assert "\n" not in str(told.value)


def test_folders_pipes_and_empty_gigabytes_are_told(tmp_path):
    (tmp_path / "folder.pt2").mkdir()
    os.mkfifo(tmp_path / "pipe.pt2")
    with (tmp_path / "sparse.pt2").open("wb") as stream:
        stream.truncate(5 * 2**30)
    for name, said in (("folder", "is a folder"), ("pipe", "no plain file"), ("sparse", "no zip file")):
        with pytest.raises(UsageError, match=said):
            load_classifier(f"torch:{tmp_path / name}.pt2?scores=logits")


def test_damage_is_told_and_never_computed_with(tmp_path):
    """Each byte of the JSON and of the list of members may be wrong; what can still be read must be what was written."""
    path = exported(tmp_path / "m.pt2", *PROGRAMS["layers"])
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    image = torch.rand(2, 3, 8, 6)
    expected = read_exported(str(path))(image)
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(rng.integers(1, 4)):
            broken[rng.integers(len(broken))] = rng.integers(256)
        path.write_bytes(broken)
        said = ""
        try:
            assert torch.equal(read_exported(str(path))(image), expected)
        except UsageError as error:
            said = str(error)
        assert "\n" not in said


@pytest.mark.long
def test_a_program_with_wrong_parts_is_told(tmp_path):
    """Records of the JSON in the place of others, with the checksums of the zip file right."""
    path = exported(tmp_path / "m.pt2", *PROGRAMS["layers of any size"])
    with zipfile.ZipFile(path) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    (model,) = (name for name in members if name.endswith("models/model.json"))
    rng, image = np.random.default_rng(0), torch.rand(2, 3, 8, 6)
    for _ in range(120):
        content = json.loads(members[model])
        spoil(content, rng)
        with zipfile.ZipFile(path, "w") as made:
            for name, one in members.items():
                made.writestr(name, json.dumps(content) if name == model else one)
        said = ""
        try:
            read_exported(str(path))(image)
        except (UsageError, RuntimeError) as error:  # RuntimeError of an operator, which the classifier tells in one sentence
            said = str(error) if isinstance(error, UsageError) else ""
        assert "\n" not in said


def spoil(content, rng):
    """Put another value into a random place."""
    here = content
    while True:
        keys = list(here) if isinstance(here, dict) else range(len(here))
        key = keys[rng.integers(len(keys))]
        if isinstance(here[key], (dict, list)) and here[key] and rng.random() < 0.9:
            here = here[key]
            continue
        values = (
            None,
            -1,
            0,
            2**63,
            1e308,
            "",
            "x",
            [],
            {},
            [[]],
            {"as_int": 3},
            {"as_tensor": {"name": "x"}},
            True,
            "torch.os.system",
        )
        here[key] = values[rng.integers(len(values))]
        return
