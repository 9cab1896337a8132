"""People, what they may reach, and everything they see."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """The top storey."""

    name = "portal"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Portal")

    def ready(self) -> None:
        """Load Celery's application, so that ``shared_task`` belongs to it everywhere."""
        from allauth.mfa.signals import authenticator_added

        from portal import celery, second_factor  # noqa: F401
        from portal.services import (
            alarms,  # noqa: F401 — the operator hears of an alarm, whoever found it
            forgetting,  # noqa: F401 — an erasure reaches this storey
        )

        authenticator_added.connect(
            second_factor.remember_first_proof, dispatch_uid="portal.second_factor"
        )
