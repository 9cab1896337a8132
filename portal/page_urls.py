"""The pages that people see. Those about an artist live under `/a/<slug>/`.

A slug may be in any script, so its converter is `str`: Django's `slug` knows only ASCII.
"""

from django.urls import URLPattern, URLResolver

from portal.views.permissions.urls import PERMISSION_PAGES
from portal.views.urls_other import OTHER_PAGES

urlpatterns: list[URLPattern | URLResolver] = [*PERMISSION_PAGES, *OTHER_PAGES]
