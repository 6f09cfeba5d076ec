from .onnx_file import read_onnx as read_onnx
from .torch_module import read_module as read_module
