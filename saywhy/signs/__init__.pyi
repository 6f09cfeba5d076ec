from .draw import CLASS_NAMES as CLASS_NAMES
from .draw import SIZE as SIZE
from .draw import draw_signs as draw_signs
from .model import SignClassifier as SignClassifier
from .model import load as load
from .model import samples as samples
from .vision_transformer import load_vit as load_vit
