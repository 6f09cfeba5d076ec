from .cam import attribute_cam as attribute_cam
from .pixels import attribute_pixels as attribute_pixels
from .texts import SequenceClassifier as SequenceClassifier
from .texts import ZeroShotClassifier as ZeroShotClassifier
from .texts import load_minilm as load_minilm
from .tokens import attribute_tokens as attribute_tokens
