from .registry import ATTACKS as ATTACKS
from .registry import ENGINES as ENGINES
from .registry import PLAYERS as PLAYERS
from .registry import Attack as Attack
from .registry import ImageSearch as ImageSearch
from .registry import PlayerTwo as PlayerTwo
from .registry import Task as Task
