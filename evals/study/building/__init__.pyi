from .asking import parse_conditions as parse_conditions
from .making_study import build_study as build_study
from .previewing import write_preview as write_preview
