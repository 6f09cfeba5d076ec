from .judging import Outcome as Outcome
from .judging import judge as judge
from .way import way as way
