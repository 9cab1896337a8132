"""The web server's way in."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ.setdefault("LINER_PROCESS", "web")

from django.core.wsgi import get_wsgi_application

from portal import servers

servers.hold()
application = get_wsgi_application()
