from .folders import ResultFolder as ResultFolder
from .gathering import AuditImage as AuditImage
from .gathering import gather_images as gather_images
from .prior import MapDensity as MapDensity
from .prior import read_prior as read_prior
from .runner import AuditOutcome as AuditOutcome
from .runner import audit_images as audit_images
from .settings import audit_settings as audit_settings
