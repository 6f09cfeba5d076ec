from .file import StudyFile as StudyFile
from .plans import Cell as Cell
from .plans import Trial as Trial
from .plans import cells_of as cells_of
from .reading import read_study_file as read_study_file
