"""What was answered to a request that may be sent again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.models.client import ApiClient


class AnsweredRequest(models.Model):
    """The answer to a request with an `Idempotency-Key`, written in the transaction of its effect.

    So the same request again finds its answer if and only if it had its effect.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=255)
    sandbox = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, help_text=_("SHA-256 of method, path and body"))
    status = models.PositiveSmallIntegerField(default=0)
    body = models.BinaryField(default=b"", editable=False, help_text=_("sealed"))
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "sandbox", "key"],
                name="a_request_has_one_answer",
                violation_error_code="idempotency_key",
                violation_error_message=_("This request was answered already."),
            )
        ]

    def __str__(self) -> str:
        return self.key
