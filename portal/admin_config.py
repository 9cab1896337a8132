"""Lets `admin.site` be ours. Apart from `portal.admin`, which needs the models to be loaded."""

from importlib import import_module

from django.contrib.admin import apps


class LinerAdminConfig(apps.AdminConfig):
    """Django's admin, with our site as the default one, and our pages on it."""

    default_site = "portal.admin.site.LinerAdminSite"

    def ready(self) -> None:
        """Load the pages once the site is there: they register themselves with it."""
        super().ready()
        import_module("portal.admin.pages")
