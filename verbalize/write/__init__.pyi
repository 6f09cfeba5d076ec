from .background import Background as Background
from .style import LENGTHS as LENGTHS
from .style import STYLES as STYLES
from .style import Limits as Limits
from .style import Style as Style
from .template import TemplateVerbalizer as TemplateVerbalizer
