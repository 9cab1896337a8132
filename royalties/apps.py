"""What the uses are worth, and to whom, to the last unit."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RoyaltiesConfig(AppConfig):
    """The middle storey."""

    name = "royalties"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Royalties")
