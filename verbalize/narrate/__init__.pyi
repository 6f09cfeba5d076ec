from .dialogue import AUDIENCES as AUDIENCES
from .dialogue import STYLES as STYLES
from .dialogue import zero_shot_request as zero_shot_request
from .narrator import Narrator as Narrator
from .resumable import NarratedFile as NarratedFile
from .resumable import PlannedFile as PlannedFile
from .resumable import narrate_to_file as narrate_to_file
from .resumable import plan_to_file as plan_to_file
