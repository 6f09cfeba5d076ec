from .writing import files_of as files_of
from .writing import write_analysis as write_analysis
