"""Honest files of every format that saywhy reads, made here: what is mutated, and what lies beside it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CLASSES = ("stop", "yield", "keep right")
_TEXT = "A great, great film, not awful"
_TOKENS = ["A", "great", ",", "great", "film", ",", "not", "awful"]
_SCORES = [0.01, 0.5, 0.0, 0.25, 0.125, -0.0625, -0.1, -0.75]


@dataclass(frozen=True)
class Seed:
    """An honest file.

    Attributes:
        name: of its kind, such as "own-tokens".
        suffix: how its name ends.
        data: its bytes.
        roles: what commands may take it for: "maps", "texts", "classes", ... (`uses.py`).
        options: further words of the command that reads it.
    """

    name: str
    suffix: str
    data: bytes
    roles: tuple[str, ...]
    options: tuple[str, ...] = ()


def _json(value: Any, indent: int | None = None) -> bytes:
    return json.dumps(value, indent=indent).encode()


def _lines(values: Iterable[Any]) -> bytes:
    return b"".join(_json(one) + b"\n" for one in values)


def own_maps() -> list[dict[str, Any]]:
    """Records of saywhy's own format over tokens."""
    return [
        {
            "version": 1, "id": "review-1", "query": {"label": "positive", "versus": ["negative"]}, "tokens": _TOKENS, "scores": _SCORES,
            "signed": True, "text": _TEXT, "offsets": [[0, 1], [2, 7], [7, 8], [9, 14], [15, 19], [19, 20], [21, 24], [25, 30]],
            "prediction": {"label": "positive", "probability": 0.75, "scores": {"positive": 0.75, "negative": 0.25}, "true_label": "positive"},
            "method": "lime",
        },
        {
            "version": 1, "id": "review-2", "query": {"label": "negative"}, "tokens": ["dull", "and", "too", "long"], "scores": [0.8, 0.0, 0.05, 0.3],
            "signed": False, "special": [["[CLS]", 0.1, 0], ["[SEP]", 0.0, 5]],
        },
        {"version": 1, "id": 3, "query": {"label": "positive"}, "tokens": ["un", "##kind", "words", "hurt"], "scores": [0.5, 0.25, -1.0, 2], "scheme": "wordpiece"},
    ]  # fmt: skip


def own_pixels() -> list[dict[str, Any]]:
    """Records of saywhy's own format over pixels, whose arrays lie in `beside.arrays`."""
    return [
        {"version": 1, "id": "sign", "query": {"label": "stop"}, "pixels": "beside.arrays/scores.npy", "signed": True},
        {
            "version": 1, "id": "two", "query": {"label": "stop"}, "pixels": "beside.arrays/scores.npy", "image": "beside.arrays/image.npy",
            "masks": "beside.arrays/masks.npy", "mask_names": ["left", "right"], "signed": True,
        },
    ]  # fmt: skip


def texts() -> list[dict[str, Any]]:
    """Texts about `own_maps`: sentences that are true, false, and neither."""
    return [
        {
            "id": "review-1", "text": "'great' speaks for 'positive'. 'awful' speaks most against it, with 43 % of the weight!",
            "claims": [{"kind": "supports", "part": [1]}, {"kind": "share", "part": [1, 3], "value": 0.8, "tolerance": 0.05, "of": "positive"}],
        },
        {"id": "review-2", "text": "The word \"dull\" matters most (0.8), followed by 'long'; nothing else stands out."},
        {"id": "3", "text": "The three most important words are 'hurt', 'words' and 'unkind'.\nThe model predicts positive with 75.5%."},
    ]  # fmt: skip


def _inseq() -> dict[str, Any]:
    from safetensors.numpy import save

    token = [{"token": word, "id": number} for number, word in enumerate(("Hello", "Ġworld", "!"))]
    sequence = {
        "source": token, "target": token, "source_attributions": [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]], "attr_pos_start": 1, "attr_pos_end": 3,
        "target_attributions": base64.b64encode(save({"attribution": np.array([[0.1, 0.2], [0.0, 0.3], [0.0, 0.0]], dtype=np.float32)})).decode(),
        "sequence_scores": {}, "step_scores": {},
    }  # fmt: skip
    return {
        "sequence_attributions": [sequence],
        "info": {"attribution_method": "input_x_gradient", "attributed_fn": "probability"},
    }


def jsonl() -> list[Seed]:
    """JSON Lines: maps and texts."""
    plain = {"tokens": _TOKENS, "attributions": _SCORES, "label": "positive", "text": _TEXT, "id": "p"}
    matrix = {
        "tokens": ["so", "very", "great"],
        "scores": [[0.1, 0.2, 0.9], [-0.1, 0.0, 0.4]],
        "labels": ["positive", "negative"],
        "id": "m",
    }
    return [
        Seed("own-tokens", ".jsonl", _lines(own_maps()), ("maps", "maps-of-texts")),
        Seed("own-pixels", ".jsonl", _lines(own_pixels()), ("pixel-maps",)),
        Seed("plain", ".jsonl", _lines([plain, plain | {"id": "q", "attention": [0.125] * 8} | {"attributions": None}, plain | {"id": 7}]), ("maps",)),
        Seed("matrix", ".jsonl", _lines([matrix]), ("maps",)),
        Seed("pairs", ".jsonl", _lines([[[word, score] for word, score in zip(_TOKENS, _SCORES, strict=True)]]), ("maps", "one-map"), ("--label", "positive")),
        Seed(
            "thermostat", ".jsonl",
            _lines([{"attributions": [0.1, 0.2, -0.3], "input_ids": [3, 4, 5], "predictions": [0.5, 2.0], "label": 1, "idx": 0}]),
            ("maps-of-ids",),
        ),
        Seed("texts", ".jsonl", _lines(texts()), ("texts",)),
        Seed("texts-in-order", ".jsonl", _lines([{"text": one["text"]} for one in texts()]), ("texts",)),
    ]  # fmt: skip


def documents() -> list[Seed]:
    """JSON documents: maps of other tools, texts, class names, pairs, descriptions, prompts."""
    rows = [{"id": "a", "token": word, "score": score} for word, score in zip(_TOKENS, _SCORES, strict=True)]
    eli5 = {
        "estimator": "LogisticRegression()", "error": None, "method": "linear model", "is_regression": False,
        "targets": [
            {
                "target": "positive", "score": 1.5, "proba": 0.8,
                "feature_weights": {
                    "pos": [{"feature": "great", "weight": 0.5, "std": None, "value": 1.0}], "neg": [{"feature": "awful", "weight": -0.25}],
                    "pos_remaining": 0, "neg_remaining": 0,
                },
                "weighted_spans": {
                    "docs_weighted_spans": [{"document": _TEXT, "spans": [["great", [[2, 7], [9, 14]], 0.5]], "preserve_density": False, "vec_name": None}],
                    "other": None,
                },
            }
        ],
    }  # fmt: skip
    pair = {
        "attr_type": "shape",
        "prompt_pair": ["a photo of a stop, with eight sides.", "a photo of a yield, with three sides."],
    }
    other = {
        "attr_type": "colour",
        "prompt_pair": ["a photo of a stop, with a red face.", "a photo of a keep right, with a blue face."],
    }
    fudd = {
        "0_1": {"classes": [0, 1], "prompt_pairs": [pair], "names": ["stop", "yield"], "provenance": {"model": "m", "prompt_version": "1", "time": "2026-01-01"}},
        "0_2": {"classes": [0, 2], "prompt_pairs": [other, other], "names": ["stop", "keep right"]},
    }  # fmt: skip
    numbered = {
        key: {part: value for part, value in one.items() if part in {"classes", "prompt_pairs"}} for key, one in fudd.items()
    }
    by_class = {"stop": ["red and white", "eight sides"], "Yield": ["three sides"], "keep_right": ["blue"]}
    prompts = {
        "version": 1, "prompts": {"stop": ["a photo of a stop."], "yield": ["a yield."], "keep right": ["a keep right."]}, "history": [],
        "template": "a photo of a {}.", "templates": ["a photo of a {}."], "scale": 100.0, "start_fitness": -1.0, "fitness": -0.5, "candidates": 3, "seconds": 0.1,
    }  # fmt: skip
    words = [[word, score] for word, score in zip(_TOKENS, _SCORES, strict=True)]
    plain = {"tokens": _TOKENS, "attributions": _SCORES, "label": "positive", "text": _TEXT}
    return [
        Seed("rows", ".json", _json(rows, 1), ("maps",), ("--label", "positive")),
        Seed("words", ".json", _json(words), ("maps", "one-map"), ("--label", "positive")),
        Seed("lime-list", ".json", _json([["great", 0.5], ["awful", -0.25], ["film", 0.125], ["not", 0.0625]]), ("maps",), ("--label", "p", "--input-text", _TEXT)),
        Seed("labelled", ".json", _json({"positive": words, "negative": words}), ("maps",)),
        Seed("columns", ".json", _json({"token": _TOKENS, "score": _SCORES}), ("maps",), ("--label", "positive")),
        Seed("dianna", ".json", _json([[word, place, score] for place, (word, score) in enumerate(words)]), ("maps",), ("--label", "positive")),
        Seed("inseq", ".json", _json(_inseq()), ("maps",)),
        Seed("inseq-gz", ".json.gz", gzip.compress(_json(_inseq()), mtime=0), ("packed-maps",)),
        Seed("eli5", ".json", _json(eli5, 1), ("maps",)),
        Seed("allennlp", ".json", _json({"instance_1": {"grad_input_1": [0.2, 0.3, 0.5]}, "tokens": ["so", "very", "great"]}), ("maps",), ("--label", "positive")),
        Seed("plain-list", ".json", _json([plain | {"id": str(number)} for number in range(3)], 1), ("maps",)),
        Seed("grid", ".json", _json({"scores": [[0.1, 0.2, 0.9], [0.0, -0.5, 0.3], [0.1, 0.1, 0.1]]}), ("array-map",), ("--label", "stop")),
        Seed("texts", ".json", _json(texts(), 1), ("texts",)),
        Seed("classes", ".json", _json(list(CLASSES)), ("classes",)),
        Seed("classes-by-number", ".json", _json({str(number): name for number, name in enumerate(CLASSES)}), ("classes",)),
        Seed("pairs", ".json", _json(fudd, 1), ("descriptions", "pairs")),
        Seed("numbered-pairs", ".json", _json(numbered, 1), ("descriptions",)),
        Seed("by-class", ".json", _json(by_class), ("descriptions",)),
        Seed("prompts", ".json", _json(prompts), ("prompts",)),
    ]  # fmt: skip


def tables() -> list[Seed]:
    """CSV and TSV: maps and lists of images."""
    rows = "".join(f'review-1,"{word}",{score},positive\n' for word, score in zip(_TOKENS, _SCORES, strict=True))
    return [
        Seed("scores", ".csv", ("id,token,score,label\n" + rows + "review-2,dull,-0.80,positive\nreview-2,and,0.00,positive\n").encode(), ("maps",)),
        Seed("places", ".csv", b"sentence_id,word,weight,position,text\n1,great,0.5,2,A great film\n1,A,0.1,0,A great film\n2,dull,-1,0,dull\n", ("maps",), ("--label", "p")),
        Seed("tabs", ".tsv", b"token\tscore\tprediction\tprobability\ngreat\t0.9\tpositive\t0.8\nfilm\t0.1\tpositive\t0.8\n\ndull\t0.5\tnegative\t0.6\n", ("maps",)),
        Seed("semicolons", ".csv", b"token;score;signed\ngreat;0.9;yes\nfilm;-0.1;yes\n", ("maps",), ("--label", "p")),
        Seed("eli5-table", ".csv", b"target,feature,weight,value\npositive,great,0.5,1\npositive,awful,-0.25,1\nnegative,great,-0.5,1\n", ("maps",)),
        Seed("images", ".csv", b"path,label\nphotos/stop/a.png,stop\nphotos/yield/b.png,yield\nphotos/stop/c.png,stop\n", ("images",)),
    ]  # fmt: skip


def plain_texts() -> list[Seed]:
    """Text files: one text, class names, labels, lists of paths."""
    return [
        Seed("one-text", ".txt", "\n".join(one["text"] for one in texts()[:1]).encode(), ("text",)),
        Seed(
            "long-text",
            ".txt",
            (" ".join(one["text"] for one in texts()) + "\n\n* 'great' (+0.5)\n* \"awful\" (-0.75)\n").encode(),
            ("text",),
        ),
        Seed("classes", ".txt", "\n".join(CLASSES).encode(), ("classes",)),
        Seed("labels", ".txt", b"stop\n", ("labels",)),
        Seed("paths", ".txt", b"photos/stop/a.png\nphotos/yield/b.png\n", ("listed",)),
    ]


def settings() -> list[Seed]:
    """Options of commands in TOML."""
    return [
        Seed(
            "verbalize",
            ".toml",
            b'# how to say it\nstyle = "smv"\nmax-words = 12\nmax_spans = 2\nmask-labels = true\n',
            ("settings-of-verbalize",),
        ),
        Seed("check", ".toml", b"strict = true\nwhy = true\n", ("settings-of-check",)),
        Seed("picture", ".toml", b'kind = "rationale"\nmax-words = 3\n', ("settings-of-picture",)),
        Seed(
            "attack",
            ".toml",
            b'seed = 3\nclasses = "classes.txt"\ndistance = "l2"\ngoal = "stop"\nplayer-two = "cooperative"\n',
            ("settings-of-attack",),
        ),
        Seed(
            "reading",
            ".toml",
            b'versus = ["a", "b"]\n"label" = \'positive\'\nclass-names = "classes.txt"\n',
            ("settings-of-picture", "settings-of-verbalize"),
        ),
    ]


def answers() -> list[Seed]:
    """One honest answer of a server; mutated ones come from `answers.py`."""
    from answering import DESCRIPTION, DRAFT

    return [Seed("draft", ".http", DRAFT, ("answer",)), Seed("description", ".http", DESCRIPTION, ("answer",))]


def _npy(array: Any) -> bytes:
    into = io.BytesIO()
    np.save(into, np.asarray(array))
    return into.getvalue()


def _npz(**arrays: Any) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as target:
        for name, array in arrays.items():
            target.writestr(zipfile.ZipInfo(f"{name}.npy"), _npy(array), zipfile.ZIP_DEFLATED)
    return into.getvalue()


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def arrays() -> list[Seed]:
    """Arrays of numpy: maps over pixels, images, maps in the place of SIFT."""
    rng = _rng()
    image, field = rng.random((4, 6, 3), dtype=np.float32), rng.normal(size=(12, 16)).astype(np.float32)
    pixels = ("--label", "stop")
    return [
        Seed("map", ".npy", _npy(field), ("array-map", "prior"), pixels),
        Seed("maps", ".npy", _npy(rng.normal(size=(2, 3, 8, 8))), ("array-map",), pixels),
        Seed("map-f16", ".npy", _npy(np.asfortranarray(field.astype(np.float16))), ("array-map", "prior"), pixels),
        Seed("map-bytes", ".npy", _npy((field * 40).astype(np.int8)), ("array-map", "prior"), pixels),
        Seed("named-maps", ".npz", _npz(scores=field, image=rng.random((12, 16, 3), dtype=np.float32)), ("named-map",), pixels),
        Seed("own-scores", ".npy", _npy(rng.normal(size=(4, 6))), ("own-array",)),
        Seed("image", ".npy", _npy(image), ("images-file", "one-image", "any-array")),
        Seed("image-bytes", ".npy", _npy((image * 255).astype(np.uint8)), ("images-file", "one-image", "any-array")),
        Seed(
            "images",
            ".npz",
            _npz(images=rng.random((3, 4, 6, 3), dtype=np.float32), labels=np.array([0, 1, 2])),
            ("images-file",),
        ),
        Seed("one-of", ".npz", _npz(x=image), ("images-file", "one-image")),
    ]


def pictures() -> list[Seed]:
    """Pictures in the formats that people have."""
    from PIL import Image

    rng = _rng()
    colour = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
    grey = rng.integers(0, 256, (12, 16), dtype=np.uint8)

    def save(array: Any, form: str, **options: Any) -> bytes:
        into = io.BytesIO()
        (array if isinstance(array, Image.Image) else Image.fromarray(array)).save(into, form, **options)
        return into.getvalue()

    roles, pixels = ("picture", "picture-of-map"), ("--label", "stop")
    clear = np.dstack([colour, np.full((4, 6), 128, dtype=np.uint8)])
    frames = [Image.fromarray(grey), Image.fromarray(255 - grey)]
    return [
        Seed("png", ".png", save(colour, "PNG"), roles),
        Seed("png-clear", ".png", save(clear, "PNG"), roles),
        Seed("png-palette", ".png", save(Image.fromarray(large).quantize(16), "PNG"), roles),
        Seed("png-16", ".png", save(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"), ("picture-map",), pixels),
        Seed("png-grey", ".png", save(grey, "PNG"), ("picture-map", "prior"), pixels),
        Seed("jpeg", ".jpg", save(large, "JPEG", quality=90), roles),
        Seed("jpeg-progressive", ".jpeg", save(large, "JPEG", progressive=True, exif=_orientation()), roles),
        Seed("jpeg-grey", ".jpg", save(grey, "JPEG"), ("picture-map", "prior"), pixels),
        Seed("bmp", ".bmp", save(colour, "BMP"), roles),
        Seed("gif", ".gif", save(frames[0], "GIF", save_all=True, append_images=frames[1:]), ("picture",)),
        Seed("tiff", ".tif", save(colour, "TIFF", compression="tiff_lzw"), roles),
        Seed("webp", ".webp", save(colour, "WEBP", lossless=True), roles),
    ]


def _orientation() -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


def networks() -> list[Seed]:
    """ONNX networks: channel means times weights, with fixed and free sizes, and a convolution with metadata."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = _rng().normal(size=(3, 3)).astype(np.float32)

    def network(shape: list[Any], axes: list[int], kind: int = TensorProto.FLOAT, *, conv: bool = False) -> bytes:
        nodes = [helper.make_node("Cast", ["image"], ["x"], to=TensorProto.FLOAT)]
        constants = [
            numpy_helper.from_array(np.array(axes, dtype=np.int64), "axes"),
            numpy_helper.from_array(weights, "weights"),
        ]
        last = "x"
        if conv:
            constants.append(numpy_helper.from_array(_rng().normal(size=(3, 3, 3, 3)).astype(np.float32), "kernel"))
            nodes += [
                helper.make_node("Conv", ["x", "kernel"], ["c"], pads=[1, 1, 1, 1]),
                helper.make_node("Relu", ["c"], ["r"]),
            ]
            last = "r"
        nodes += [
            helper.make_node("ReduceMean", [last, "axes"], ["means"], keepdims=0),
            helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        ]
        graph = helper.make_graph(
            nodes, "means", [helper.make_tensor_value_info("image", kind, shape)],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [shape[0], 3])], constants,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        for key, value in {
            "class_names": json.dumps(list(CLASSES)),
            "mean": "[0.5, 0.5, 0.5]",
            "scores": "logits",
            "layout": "nchw" if conv else "nhwc",
        }.items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model)
        return bytes(model.SerializeToString())

    return [
        Seed("means", ".onnx", network(["n", 4, 6, 3], [1, 2]), ("onnx",)),
        Seed("conv", ".onnx", network([2, 3, 4, 6], [2, 3], conv=True), ("onnx",)),
        Seed("bytes", ".onnx", network(["n", "h", "w", 3], [1, 2], TensorProto.UINT8), ("onnx",)),
    ]


def programs() -> list[Seed]:
    """Files of torch: exported programs, TorchScript, tensors."""
    import torch

    torch.manual_seed(0)

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out = torch.nn.Conv2d(3, 2, 3, padding=1), torch.nn.Linear(2, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.out(torch.relu(self.conv(x)).mean((2, 3)))

    class Means(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((2, 3)) * 2

    def exported(module: torch.nn.Module, **options: Any) -> bytes:
        into = io.BytesIO()
        torch.export.save(torch.export.export(module.eval(), (torch.zeros(4, 3, 4, 6),), **options), into)
        return into.getvalue()

    def saved(value: Any) -> bytes:
        into = io.BytesIO()
        torch.save(value, into)
        return into.getvalue()

    script = io.BytesIO()
    torch.jit.save(torch.jit.trace(Net().eval(), torch.zeros(2, 3, 4, 6)), script)
    free = {"dynamic_shapes": {"x": {0: torch.export.Dim("batch", min=1, max=64)}}}
    return [
        Seed("program", ".pt2", exported(Net(), **free), ("pt2",)),
        Seed("program-without-weights", ".pt2", exported(Means(), **free), ("pt2",)),
        Seed("script", ".pt", script.getvalue(), ("torchscript",)),
        Seed("tensor", ".pt", saved(torch.randn(8, 8)), ("array-map",), ("--label", "stop")),
        Seed("tensors", ".pt", saved({"scores": torch.randn(2, 8, 8), "note": 3}), ("array-map",), ("--label", "stop")),
    ]


def furnish(folder: Path) -> None:
    """Put the honest files into a folder that lie beside the one that is mutated."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    rng = _rng()
    (folder / "maps.jsonl").write_bytes(_lines(own_maps()))
    (folder / "one.jsonl").write_bytes(_lines(own_maps()[:1]))
    (folder / "pixels.jsonl").write_bytes(_lines(own_pixels()))
    (folder / "texts.jsonl").write_bytes(_lines(texts()))
    (folder / "classes.txt").write_text("\n".join(CLASSES))
    (folder / "image.npy").write_bytes(_npy(rng.random((4, 6, 3), dtype=np.float32)))
    (folder / "numbered.npz").write_bytes(_npz(scores=rng.normal(size=(4, 6)), label=np.array(1)))
    (folder / "map.npy").write_bytes(_npy(rng.normal(size=(12, 16)).astype(np.float32)))
    (folder / "photo.png").write_bytes(pictures()[0].data)
    for number, name in enumerate(("stop/a.png", "yield/b.png", "stop/c.png", "keep right/d.png")):
        path = folder / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(number).integers(0, 256, (4, 6, 3), dtype=np.uint8)).save(path)
    beside = folder / "beside.arrays"
    beside.mkdir(exist_ok=True)
    (beside / "scores.npy").write_bytes(_npy(rng.normal(size=(4, 6))))
    (beside / "image.npy").write_bytes(_npy(rng.random((4, 6, 3), dtype=np.float32)))
    (beside / "masks.npy").write_bytes(_npy(np.stack([np.eye(4, 6, dtype=bool), ~np.eye(4, 6, dtype=bool)])))
