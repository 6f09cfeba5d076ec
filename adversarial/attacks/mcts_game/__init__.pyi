from .engine import Found as Found
from .engine import run_mcts as run_mcts
from .game import Change as Change
from .game import Feature as Feature
from .game import Game as Game
from .game import State as State
from .game import make_game as make_game
