"""What a user does with a file: the commands that take it, and the readers of Python. Each is run in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import remains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

QUERIES = "4"


@dataclass(frozen=True)
class Use:
    """One thing that is done with a file.

    Attributes:
        name: for reports.
        words: of the command line; {file} is the mutated file, {out} a path for outputs.
        call: a function of the file, in the place of a command.
        beside: where the mutated file lies, if not beside the others: a path in the folder.
    """

    name: str
    words: tuple[str, ...] = ()
    call: Callable[[Path], object] | None = None
    beside: str | None = None


def _command(line: str, beside: str | None = None) -> Use:
    return Use(line.partition(" --")[0].replace(" {file}", ""), tuple(line.split(" ")), beside=beside)


def _beside(line: str, place: str) -> Use:
    return Use(f"{line.partition(' ')[0]} {place}", tuple(line.split(" ")), beside=place)


def uses_of(role: str) -> list[Use]:
    """The uses of a file in that role."""
    return [_command(one) if isinstance(one, str) else one for one in _USES[role]]


def _maps(path: Path) -> None:
    from verbalize import read_saliency

    problems: list[Any] = []
    read_saliency(path, label="positive", on_problem=problems.append, on_note=problems.append)


def _maps_of_a_stream(path: Path) -> None:
    from verbalize import TemplateVerbalizer, read_saliency

    problems: list[Any] = []
    with path.open("rb") as stream:
        maps = read_saliency(stream, on_problem=problems.append, on_note=problems.append)
    list(TemplateVerbalizer().verbalize_all(maps[:20], on_problem=problems.append))


def _texts(path: Path) -> None:
    from verbalize import check_texts, iter_texts, read_saliency, with_maps

    problems: list[Any] = []
    found = list(iter_texts(path, problems.append))
    maps = read_saliency(path.parent / "maps.jsonl")
    list(check_texts(with_maps(found, maps, on_problem=problems.append), on_problem=problems.append))


def _claims(path: Path) -> None:
    """Claims of the texts, one by one, outside of a record's text."""
    from saywhy_core.errors import UsageError
    from verbalize import iter_texts
    from verbalize.claims import Claim

    for record in iter_texts(path, lambda _: None):
        for claim in record.claims:
            try:
                Claim.from_record(claim).to_record()
            except UsageError:
                continue


def _class_names(path: Path) -> None:
    from saywhy_core.names import read_class_names

    read_class_names(path)


def _descriptions(path: Path) -> None:
    from agents.prompting import read_descriptions

    read_descriptions(path, ["stop", "yield", "keep right"])


def _pairs(path: Path) -> None:
    from agents import read_pairs

    read_pairs(path, ["stop", "yield", "keep right"]).by_class(["stop", "yield", "keep right"])


def _json(path: Path) -> None:
    from saywhy_core.reading.documents import read_json

    read_json(path)


def _image(path: Path) -> None:
    from saywhy_core.images import read_image

    read_image(path, channels=3)


def _images(path: Path) -> None:
    from saywhy_core.images import read_images

    list(read_images([path, path.parent / "photo.png"]))


def _listed(path: Path) -> None:
    from saywhy_core.images import list_images, read_images

    list(read_images(list_images(path).paths))


def _array(path: Path) -> None:
    from saywhy_core.images import load_array

    load_array(path)


def _prior(path: Path) -> None:
    from adversarial.audit import read_prior

    read_prior(path)(np.zeros((4, 6, 3), dtype=np.float32))


def _array_map(path: Path) -> None:
    from verbalize import read_saliency

    read_saliency(path, label="stop", on_problem=lambda _: None, on_note=lambda _: None)


def _picture_of_map(path: Path) -> None:
    from verbalize import read_saliency

    read_saliency(path.parent / "map.npy", label="stop", image=path, on_note=lambda _: None)


def _thermostat(path: Path) -> None:
    from verbalize import read_saliency

    read_saliency(path, tokenizer=Tokenizer(), on_problem=lambda _: None, on_note=lambda _: None)


class Tokenizer:
    """Ten tokens by their numbers."""

    all_special_tokens = ("t3",)

    def convert_ids_to_tokens(self, ids: Sequence[int]) -> list[str]:
        """Tokens of ids."""
        return [["[CLS]", "a", "great", "t3", "##ly", "film", ".", "not", "so", "x"][one] for one in ids]


def _model(file: Path) -> Any:
    from agents.chat import chat_model

    return chat_model(f"{file.with_suffix('.url').read_text()}#m", max_retries=0, timeout=3)


def _invoke(path: Path) -> None:
    _model(path).invoke("hi")


def _ask_many(path: Path) -> None:
    from langchain_core.messages import HumanMessage

    from agents.chat.structured import ask_many
    from agents.prompting.descriptions.describe import PairReply

    list(ask_many(_model(path), [[HumanMessage("hi")]], PairReply))


def _classifier(kind: str) -> Callable[[Path], object]:
    def load(path: Path) -> None:
        from saywhy_core.classifiers import load_classifier

        options = {"scores": "logits"} if kind == "torch" else {}
        classifier = load_classifier(f"{kind}:{path}", **options)
        classifier.ask_again(np.zeros((2, 4, 6, 3), dtype=np.float32))

    return load


_BRIEF = "--max-retries 0 --timeout 3 --max-requests 4"
_ATTACK = f"--target fuzz:means --budget {QUERIES} --out {{out}}"
_ENCODED = "--encoder fuzz:means"
_USES: dict[str, tuple[str | Use, ...]] = {
    "maps": (
        "convert {file} --out {out}.jsonl", "convert {file}", "verbalize {file} --out {out}.jsonl", "verbalize {file} --format text",
        "verbalize {file} --style ranked --length paragraph --format text", "verbalize {file} --mask-labels --style smv", "picture {file} --out {out}.html",
        "picture {file} --out {out} --kind png", "picture {file} --out {out} --kind rationale",
        Use("read_saliency", call=_maps), Use("read_saliency(stream)", call=_maps_of_a_stream),
    ),
    "packed-maps": ("convert {file} --out {out}.jsonl", "verbalize {file} --format text", Use("read_saliency", call=_maps)),
    "one-map": ("check --text 'great'.speaks --maps {file}", "check --text 'great'.speaks --map {file} --json"),
    "pixel-maps": ("convert {file} --out {out}.jsonl", "verbalize {file}", "picture {file} --out {out}.html", "picture {file} --out {out} --kind png", Use("read_saliency", call=_maps)),
    "maps-of-texts": ("check texts.jsonl --maps {file} --why", "check texts.jsonl --maps {file} --json", "evaluate wording texts.jsonl --maps {file}"),
    "maps-of-ids": (Use("read_saliency(tokenizer)", call=_thermostat),),
    "texts": (
        "check {file} --maps maps.jsonl", "check {file} --maps maps.jsonl --why", "check {file} --maps maps.jsonl --json", "check {file} --maps maps.jsonl --strict",
        "evaluate wording {file} --maps maps.jsonl --out {out}.csv", Use("check_texts", call=_texts), Use("Claim.from_record", call=_claims),
    ),
    "text": ("check {file} --maps one.jsonl", "check {file} --map one.jsonl --why", "check {file} --map one.jsonl --json", "evaluate wording {file} --maps one.jsonl"),
    "classes": (
        f"attack image.npy --classes {{file}} {_ATTACK}", f"classify --classes {{file}} --images photos {_ENCODED}",
        "describe --classes {file} --all-pairs --llm http://127.0.0.1:9/v1#x --max-retries 0 --max-requests 1 --out {out}.json",
        "convert numbered.npz --class-names {file} --out {out}.jsonl", Use("read_class_names", call=_class_names),
    ),
    "labels": (f"attack image.npy --classes classes.txt --labels {{file}} {_ATTACK}",),
    "descriptions": (
        f"improve --shots photos {_ENCODED} --descriptions {{file}} --classes classes.txt --rounds 0 --out {{out}}.json",
        f"evaluate prompts {{file}} --classes classes.txt --images photos {_ENCODED} --draws 0", Use("read_descriptions", call=_descriptions),
    ),
    "pairs": (
        f"classify --classes classes.txt --images photos --descriptions {{file}} {_ENCODED} --out {{out}}.csv",
        "verbalize maps.jsonl --background {file} --out {out}.jsonl", "verbalize maps.jsonl --background {file} --class-names classes.txt",
        Use("read_pairs", call=_pairs),
    ),
    "prompts": (
        f"classify --classes classes.txt --images photos --prompts {{file}} {_ENCODED}",
        f"evaluate prompts {{file}} --classes classes.txt --images photos {_ENCODED} --draws 1 --json", Use("read_descriptions", call=_descriptions),
    ),
    "images": (f"classify --classes classes.txt --images {{file}} {_ENCODED}", f"improve --shots {{file}} {_ENCODED} --out {{out}}.json", Use("list_images", call=_listed)),
    "listed": (f"classify --classes classes.txt --images {{file}} {_ENCODED}", Use("list_images", call=_listed)),
    "array-map": (
        "convert {file} --label stop --out {out}.jsonl", "picture {file} --label stop --out {out}.html", "verbalize {file} --label stop --image photo.png", "picture {file} --label stop --out {out} --kind png", Use("read_saliency", call=_array_map),
    ),
    "named-map": ("convert {file} --out {out}.jsonl", "verbalize {file}", Use("read_saliency", call=_array_map)),
    "own-array": tuple(
        Use(f"{line.split(' ')[0]} own", tuple(line.split(" ")), beside="beside.arrays/scores.npy")
        for line in ("verbalize pixels.jsonl --out {out}.txt", "convert pixels.jsonl --out {out}.jsonl", "picture pixels.jsonl --out {out}.html")
    ),
    "images-file": (f"attack {{file}} {_ATTACK}", f"attack {{file}} image.npy --resize 4x6 {_ATTACK}", Use("read_images", call=_images)),
    "one-image": ("verbalize map.npy --label stop --image {file}", Use("read_image", call=_image)),
    "any-array": (Use("load_array", call=_array),),
    "prior": (f"attack image.npy --prior {{file}} {_ATTACK}", Use("read_prior", call=_prior)),
    "picture": (
        f"attack {{file}} {_ATTACK}", f"attack {{file}} photo.png --resize 8x8 {_ATTACK}",
        Use("classify", tuple(f"classify --classes classes.txt --images photos {_ENCODED}".split(" ")), beside="photos/stop/{name}"),
        Use("read_image", call=_image), Use("read_images", call=_images),
    ),
    "picture-of-map": ("convert map.npy --label stop --image {file} --out {out}.jsonl", "picture map.npy --label stop --image {file} --out {out}.html", Use("image=", call=_picture_of_map)),
    "picture-map": ("convert {file} --label stop --out {out}.jsonl", "verbalize {file} --label stop", Use("read_saliency", call=_array_map)),
    "onnx": (f"attack image.npy --target onnx:{{file}} --budget {QUERIES} --out {{out}}", Use("load_classifier", call=_classifier("onnx"))),
    "pt2": (
        f"attack image.npy --target torch:{{file}} --scores logits --budget {QUERIES} --out {{out}}", Use("load_classifier", call=_classifier("torch")),
    ),
    "part": (_beside(remains.NARRATE, "out.jsonl.part"),),
    "journal": (_beside(remains.DESCRIBE, "out.json.journal"), _beside(f"{remains.DESCRIBE} --retry-invalid", "out.json.journal")),
    "replies": (_beside(remains.DESCRIBE, "out.json.replies.sqlite"), _beside(f"{remains.DESCRIBE} --offline", "out.json.replies.sqlite")),
    "pair-file": (_beside(remains.DESCRIBE, "out.json"),),
    "state": (_beside(remains.IMPROVE, "out.json.state"),),
    "embeddings": (_beside(f"{remains.IMPROVE} --embeddings out.embeddings", "out.embeddings/embeddings.sqlite"),),
    "result": (_beside(remains.ATTACK, "out/image/result.json"), _beside(f"{remains.ATTACK} --force", "out/image/result.json")),
    "answers": (_beside(remains.ATTACK, "out/image/answers.bin"),),
    "answer": (
        f"verbalize one.jsonl --style free --llm {{url}}#m {_BRIEF} --out {{out}}.jsonl", f"verbalize one.jsonl --style composed --llm {{url}}#m {_BRIEF}",
        f"describe --classes classes.txt --all-pairs --llm {{url}}#m {_BRIEF} --out {{out}}.json", f"check texts.jsonl --maps maps.jsonl --llm {{url}}#m {_BRIEF}",
        Use("chat_model.invoke", call=_invoke), Use("ask_many", call=_ask_many),
    ),
    "settings-of-verbalize": ("verbalize maps.jsonl --settings {file} --out {out}.jsonl", "verbalize maps.jsonl --settings {file} --out {out}.txt"),
    "settings-of-check": ("check texts.jsonl --settings {file} --maps maps.jsonl",),
    "settings-of-picture": ("picture maps.jsonl --settings {file} --out {out}",),
    "settings-of-attack": (f"attack image.npy --settings {{file}} {_ATTACK}",),
    "torchscript": (f"attack image.npy --target torch:{{file}} --scores logits --budget {QUERIES} --out {{out}}", Use("load_classifier", call=_classifier("torch"))),
}  # fmt: skip


def register_doubles() -> None:
    """A classifier and an encoder of a few lines, so that commands do their own work and no network's."""
    from agents.encoders import ENCODERS
    from saywhy_core.classifiers import TARGETS, CallableClassifier

    weights = np.random.default_rng(2).normal(size=(3, 3))

    def classifier(where: str) -> CallableClassifier:
        return CallableClassifier(lambda images: images.mean(axis=(1, 2))[:, :3] @ weights[: images.shape[3]], "logits", None)

    class Encoder:
        identity = "fuzz"
        scale = 10.0

        def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
            return np.stack([_unit(np.array([len(one), one.count("e") + 1, hash(len(one)) % 7 + 1])) for one in texts])

        def encode_images(self, images: Any) -> np.ndarray:
            from saywhy_core.images import image_batches

            rows = [_unit(one.mean(axis=(0, 1))[:3] + 0.1) for batch in image_batches(images, 16) for one in batch]
            return np.stack(rows)

    def encoder(where: str, *, device: str | None = None, batch: int = 64) -> Encoder:
        return Encoder()

    TARGETS.register("fuzz", classifier)
    ENCODERS.register("fuzz", encoder)


def _unit(row: np.ndarray) -> np.ndarray:
    return (row / np.linalg.norm(row)).astype(np.float32)
