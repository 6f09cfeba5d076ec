from .reporter import REPORTERS as REPORTERS
from .reporter import Reporter as Reporter
from .reporter import write_reports as write_reports
