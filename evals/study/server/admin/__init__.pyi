from .entry import admin_token as admin_token
from .routes import admin_routes as admin_routes
