from .task import TASKS as TASKS
from .task import Asked as Asked
from .task import Task as Task
