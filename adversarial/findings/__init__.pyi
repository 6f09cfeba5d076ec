from .findings import changed_mask as changed_mask
from .findings import class_name as class_name
from .findings import finding_in_words as finding_in_words
from .findings import finding_record as finding_record
from .findings import touched_in_words as touched_in_words
from .findings import write_finding as write_finding
