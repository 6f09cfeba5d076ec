"""How often `saywhy target` names a mistake: on the right settings of real networks (false alarms) and on wrong ones (hits).

    python benchmarks/target_checks.py [--images 50]

Networks and images are those of ../shared/data; nothing is measured where they are absent. Each row is one network and one
wrong setting; "right" is none. Columns: what is named with all images, without and with labels; and how often something is
named, and how often the right thing, where single images are given.
"""

from __future__ import annotations

import argparse
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from saywhy_core.classifiers import CallableClassifier, load_classifier
from saywhy_core.classifiers.examining.examination import examine
from saywhy_core.classifiers.examining.variants import MEAN, STD

DATA = Path(__file__).parents[2] / "shared" / "data"
NETWORKS = {
    "MNIST": ("mnist/mnist_cnn.onnx", "mnist/mnist_test.npz"),
    "CIFAR ResNet-20": ("cifar10/resnet20.onnx", "cifar10/cifar10_test_jpeg.npz"),
    "GTSRB": ("gtsrb/gtsrb_cnn.onnx", "gtsrb/gtsrb_test.npz"),
    "MNIST ConvSmall": ("verify/MNIST_ConvSmall.onnx", "mnist/mnist_test.npz"),
    "MNIST ConvSmallPGD": ("verify/MNIST_ConvSmallPGD.onnx", "mnist/mnist_test.npz"),
    "CIFAR ConvSmallPGD": ("verify/CIFAR_ConvSmallPGD.onnx", "cifar10/cifar10_test_png.npz"),
    "SqueezeNet": ("pets/squeezenet.onnx", None),
}
WRONG = {  # what is done to the images on their way, and the finding that names it
    "right": (lambda x: x, None),
    "red and blue exchanged": (lambda x: x[..., ::-1], "bgr"),
    "0-255 for 0-1": (lambda x: x * 255, "0-1"),
    "0-1 for 0-255": (lambda x: x / 255, "0-255"),
    "normalised twice": (lambda x: (x - MEAN) / STD, "not normalised"),
    "not normalised": (lambda x: x * STD + MEAN, "normalised"),
}


def images_of(file, number):
    if file is None:
        with zipfile.ZipFile(DATA / "pets" / "pets_images.zip") as archive:
            names = [name for name in archive.namelist() if name.endswith((".jpg", ".jpeg"))][::3][:number]
            read = [np.asarray(Image.open(BytesIO(archive.read(name))).convert("RGB"))[14:241, 14:241] for name in names]
        return np.stack(read).astype(np.float32) / 255, None
    arrays = np.load(DATA / file)
    images = arrays["images"][:number].astype(np.float32) / 255
    return (images if images.ndim == 4 else images[..., None]), arrays["labels"][:number].tolist()


def named(result):
    return [finding.name for finding in result.findings]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=50)
    number = parser.parse_args().images
    if not DATA.is_dir():
        print(f"there is no {DATA}: nothing is measured")
        return
    print("| network | setting | named, without labels | named, with labels | single images: named | rightly |")
    print("| --- | --- | --- | --- | --- | --- |")
    for network, (file, data) in NETWORKS.items():
        model = load_classifier(f"onnx:{DATA / file}", scores="logits")
        images, labels = images_of(data, number)
        for setting, (change, expected) in WRONG.items():
            if images.shape[-1] == 1 and setting not in ("right", "0-255 for 0-1", "0-1 for 0-255"):
                continue

            def predict(given, change=change, model=model):
                return model.predict(np.ascontiguousarray(change(given), dtype=np.float32))

            def fresh(predict=predict):
                return CallableClassifier(predict, "logits", batch_size=25)

            without = named(examine(fresh(), images))
            told = None if labels is None else named(examine(fresh(), images, labels))
            single = [named(examine(fresh(), image[None])) for image in images[: min(number, 20)]]
            some, right = sum(map(bool, single)), sum(expected in one for one in single if expected)
            labelled = "no labels" if told is None else ", ".join(told) or "-"
            print(
                f"| {network} | {setting} | {', '.join(without) or '-'} | {labelled} "
                f"| {some} of {len(single)} | {right if expected else ''} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
