from .model_reader import ModelReader as ModelReader
