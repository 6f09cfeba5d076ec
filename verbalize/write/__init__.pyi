from .background import Background as Background
from .template import LENGTHS as LENGTHS
from .template import STYLES as STYLES
from .template import TemplateVerbalizer as TemplateVerbalizer
