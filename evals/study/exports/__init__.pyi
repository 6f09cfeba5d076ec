from .exporting import EXPORTS as EXPORTS
from .exporting import Export as Export
from .exporting import export_study as export_study
