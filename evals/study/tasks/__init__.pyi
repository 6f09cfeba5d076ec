from .task import TASKS as TASKS
from .task import Asked as Asked
from .task import Option as Option
from .task import StudySettings as StudySettings
from .task import Task as Task
from .task import TaskSettings as TaskSettings
