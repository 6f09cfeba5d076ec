from .journal import resume as resume
from .journal import save as save
from .prover import Prover as Prover
