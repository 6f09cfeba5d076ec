from .curve import PowerCurve as PowerCurve
from .curve import PowerPoint as PowerPoint
from .estimating import detectable_effect as detectable_effect
from .estimating import power as power
from .picture import draw_power as draw_power
from .spread import AnswerSpread as AnswerSpread
