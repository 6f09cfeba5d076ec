from .kinds import MODELS as MODELS
from .kinds import ModelLoader as ModelLoader
from .kinds import model_kinds as model_kinds
from .kinds import model_options as model_options
from .specs import open_model as open_model
