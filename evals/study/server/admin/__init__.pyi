from .entry import Entry as Entry
from .entry import admin_token as admin_token
from .progress import Progress as Progress
from .progress import progress_of as progress_of
from .routes import admin_routes as admin_routes
