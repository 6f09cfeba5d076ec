from .app import study_app as study_app
from .listening import running as running
from .listening import serve as serve
from .store import forget as forget
from .store import open_store as open_store
from .store import read_answers as read_answers
