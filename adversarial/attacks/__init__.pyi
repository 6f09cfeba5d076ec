from .registry import ATTACKS as ATTACKS
from .registry import Attack as Attack
from .registry import ImageSearch as ImageSearch
from .registry import Task as Task
