from .judging import Outcome as Outcome
from .judging import judge as judge
from .way import steps_for as steps_for
