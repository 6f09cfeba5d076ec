from .explaining import QueryTemplate as QueryTemplate
from .explaining import check_request as check_request
from .explaining import explain_records as explain_records
from .inputs import InputRecord as InputRecord
from .inputs import read_image_inputs as read_image_inputs
from .inputs import read_text_inputs as read_text_inputs
