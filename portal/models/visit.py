"""When somebody last looked at an artist's work, so that a page can say what changed since."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Visit(models.Model):
    """One person and one artist: the visit that goes on, and when the one before it ended."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="visits"
    )
    artist = models.ForeignKey("consent.Artist", on_delete=models.CASCADE, related_name="visits")
    seen_at = models.DateTimeField()
    before_at = models.DateTimeField(null=True, help_text=_("when the visit before this one ended"))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "artist"],
                name="a_visit_is_remembered_once",
                violation_error_code="visit",
                violation_error_message=_("This visit is remembered already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.artist_id}"
