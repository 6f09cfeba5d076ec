from .kind import PARTICIPANTS as PARTICIPANTS
from .kind import Page as Page
from .kind import Reply as Reply
from .kind import SimulatedKind as SimulatedKind
from .language_model import language_model_kind as language_model_kind
from .language_model import requests_of as requests_of
from .taking import Taken as Taken
from .taking import take_study as take_study
