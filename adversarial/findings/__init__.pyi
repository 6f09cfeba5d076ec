from .record import finding_record as finding_record
from .record import write_finding as write_finding
from .words import changed_mask as changed_mask
from .words import class_name as class_name
from .words import finding_in_words as finding_in_words
from .words import touched_in_words as touched_in_words
