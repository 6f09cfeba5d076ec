from .network import Add as Add
from .network import Affine as Affine
from .network import MaxPool as MaxPool
from .network import Network as Network
from .network import Node as Node
from .network import Relu as Relu
