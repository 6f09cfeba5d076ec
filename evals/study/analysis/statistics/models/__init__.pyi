from .fitting import Kind as Kind
from .fitting import mixed_model as mixed_model
from .tables import Coefficient as Coefficient
from .tables import ModelTable as ModelTable
