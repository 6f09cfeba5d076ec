import saywhy_core.errors as _errors

from .foreseen import Foreseen as Foreseen
from .foreseen import foresee as foresee
from .in_process.local import LocalChat as LocalChat
from .in_process.local import local_chat as local_chat
from .limits import Usage as Usage
from .replies import OfflineMiss as OfflineMiss
from .replies import Replies as Replies
from .servers.failures import ChatError as ChatError
from .specs import chat_model as chat_model
from .specs import usage_of as usage_of
from .structured import StructuredError as StructuredError
from .structured import StructuredFailure as StructuredFailure
from .structured import ask as ask
from .structured import ask_many as ask_many

BudgetExceeded = _errors.BudgetExceeded
