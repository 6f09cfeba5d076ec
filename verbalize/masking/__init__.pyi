from .fills import IMAGE_FILLS as IMAGE_FILLS
from .fills import TEXT_FILLS as TEXT_FILLS
from .masked import MaskedInputs as MaskedInputs
from .preparing import mask_inputs as mask_inputs
