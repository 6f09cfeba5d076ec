from .assets import ASSETS as ASSETS
from .assets import Asset as Asset
from .assets import fetch_assets as fetch_assets
from .assets import read_assets as read_assets
from .page import POLICY as POLICY
from .page import page_html as page_html
from .page import static_files as static_files
from .page import stylesheet as stylesheet
