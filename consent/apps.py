"""Who may do what with which recording, what was done, and the proof of both."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    """The lowest storey."""

    name = "consent"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Rights and permissions")
