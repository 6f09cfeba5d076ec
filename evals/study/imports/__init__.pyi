from .columns import read_columns as read_columns
from .importing import IMPORTS as IMPORTS
from .importing import Import as Import
from .importing import detect as detect
from .importing import read_answers as read_answers
from .mapping import read_mapping as read_mapping
