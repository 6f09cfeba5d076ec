from .improvement import Improvement as Improvement
from .improvement import improve_prompts as improve_prompts
from .table import MethodRow as MethodRow
from .table import table_text as table_text
