"""Images in the weather, and what a classifier says about them."""

from __future__ import annotations

import numpy as np
from parameters.harness import case, later, record
from parameters.networks import IMAGES, LABELS, OTHER_IMAGES, classifier, network, other_network

from adversarial import CallableClassifier
from adversarial.weather import Weather

FACE = "adversarial.weather"
LABEL = int(LABELS[0])


def lighten(image, value, draw):
    return image + value


def answered(steps, tools, arguments):
    """What questions come to, with the images that were asked about."""
    asked = []
    try:
        images = next(steps)
        while True:
            asked.append(images)
            images = steps.send(network(images).astype(np.float64))
    except StopIteration as end:
        return asked, end.value


OWN = {"name": "own", "title": "Own", "values": (0.1, 0.2, 0.3, 0.4, 0.5), "change": lighten, "phrase": "{value} more"}


def held(weather, tools, arguments):
    """What a kind of weather is called, says and does."""
    draw = np.random.default_rng(0)
    return weather.name, weather.title, weather.values, weather.in_words(0.1), weather.change(IMAGES[0], 0.1, draw)


case(
    f"{FACE}.Weather",
    OWN,
    held,
    name="other",
    title="Other",
    values=(0.2, 0.3, 0.4, 0.5, 0.6),
    change=lambda image, value, draw: image - value,
    phrase="{percent}% more",
)
case(f"{FACE}.Weather.in_words", {"self": Weather(**OWN), "value": 0.1}, value=0.2)
record(
    f"{FACE}.WeatherImage",
    {"kind": "blur", "severity": 1, "value": 0.1, "image": IMAGES[0]},
    kind="noise",
    severity=2,
    value=0.2,
    image=IMAGES[1],
)
record(
    f"{FACE}.WeatherOutcome",
    {"kind": "blur", "severity": 1, "value": 0.1, "predicted": 1, "confidence": 0.5, "flipped": True},
    kind="noise",
    severity=2,
    value=0.2,
    predicted=0,
    confidence=0.6,
    flipped=False,
)
case(
    f"{FACE}.weather_images",
    {"image": IMAGES[0]},
    image=IMAGES[1],
    kinds=["blur"],
    severities=(2,),
    seed=1,
    levels=16,
)
case(f"{FACE}.weather_queries", {}, kinds=["blur"], severities=(2,))
WEATHER = {"kinds": ["blur", "noise"], "severities": (5,)}
case(
    f"{FACE}.weather_steps",
    {"image": IMAGES[0], "label": LABEL, **WEATHER},
    answered,
    image=IMAGES[1],
    label=LABEL + 1,
    kinds=["jpeg"],
    severities=(4,),
    scores="probabilities",
    seed=1,
    levels=16,
)
case(
    f"{FACE}.survival_steps",
    {"adversarial": IMAGES[0], "label": LABEL},
    answered,
    adversarial=IMAGES[1],
    label=LABEL + 1,
    target=LABEL,
    levels=16,
)
case(
    f"{FACE}.ask_weather",
    {"classifier": later(classifier), "image": IMAGES[0], "label": LABEL, **WEATHER},
    classifier=later(lambda tools: classifier(tools, other_network)),
    image=IMAGES[1],
    label=LABEL + 1,
    kinds=["jpeg"],
    severities=(4,),
    seed=1,
    levels=4,
)


def recording(tools, predict=network):
    """A classifier whose images are recorded."""

    def recorded(images):
        tools.record(images)
        return predict(images)

    return CallableClassifier(recorded)


case(
    f"{FACE}.ask_survival",
    {"classifier": later(recording), "adversarial": IMAGES[0], "label": LABEL},
    lambda survives, tools, arguments: (survives, tools.recorded),
    classifier=later(lambda tools: recording(tools, lambda images: -network(images))),
    adversarial=OTHER_IMAGES[0],
    label=LABEL + 1,
    target=LABEL,
    levels=2,
)
case(f"{FACE}.survival_images", {"image": IMAGES[0]}, image=IMAGES[1], levels=16)
