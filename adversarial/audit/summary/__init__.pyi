from .summarizing import summarize_audit as summarize_audit
from .survival import held_by_distance as held_by_distance
from .survival import held_by_queries as held_by_queries
from .survival import median_of as median_of
from .survival import wilson as wilson
