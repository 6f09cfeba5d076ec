import saywhy_core.errors as _errors
import saywhy_core.images as _images

from .chat import BudgetExceeded as BudgetExceeded
from .chat import ChatError as ChatError
from .chat import OfflineMiss as OfflineMiss
from .chat import Replies as Replies
from .chat import StructuredError as StructuredError
from .chat import StructuredFailure as StructuredFailure
from .chat import Usage as Usage
from .chat import ask as ask
from .chat import ask_many as ask_many
from .chat import chat_model as chat_model
from .chat import usage_of as usage_of
from .encoders import ConvexSemanticEncoder as ConvexSemanticEncoder
from .encoders import ImageTextEncoder as ImageTextEncoder
from .encoders import load_encoder as load_encoder
from .prompting import DifferentialClassifier as DifferentialClassifier
from .prompting import DifferentialDescriber as DifferentialDescriber
from .prompting import PairDescriptions as PairDescriptions
from .prompting import Predictions as Predictions
from .prompting import PromptOptimizer as PromptOptimizer
from .prompting import PromptSet as PromptSet
from .prompting import class_vectors as class_vectors
from .prompting import clip_templates as clip_templates
from .prompting import find_ambiguous as find_ambiguous
from .prompting import read_descriptions as read_descriptions
from .prompting import read_pairs as read_pairs
from .prompting import write_pairs as write_pairs

UsageError = _errors.UsageError
list_images = _images.list_images
