"""An endpoint of BentoML that takes a picture in JSON, as a user would write it. It runs in the environment of BentoML."""

import base64

import bentoml
from network import labelled


@bentoml.service
class Signs:
    @bentoml.api(route="/classify")
    def classify(self, image: str) -> list[dict]:
        return labelled(base64.b64decode(image))
