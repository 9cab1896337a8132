"""Machine clients of AI companies, and their keys."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from portal.roles import ApiScope


class ApiClient(models.Model):
    """A system of an AI company that speaks to the API. What it reports is its company's."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(
        "consent.AICompany", on_delete=models.PROTECT, related_name="api_clients"
    )
    name = models.CharField(max_length=120)
    created_at = models.DateTimeField(editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")
        constraints = [
            models.UniqueConstraint(
                fields=["company", "name"],
                name="a_company_names_each_client_once",
                violation_error_code="api_client",
                violation_error_message=_("This company has a client of that name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """A key of a client. Only its SHA-256 is kept.

    The key has 256 random bits, which no guess reaches: a slow hash would protect nothing and
    cost every request.
    """

    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="keys")
    prefix = models.CharField(
        max_length=24, unique=True, editable=False, help_text=_("how the key begins; no secret")
    )
    digest = models.CharField(max_length=64, editable=False, help_text=_("SHA-256, hexadecimal"))
    scopes = ArrayField(models.CharField(max_length=12, choices=ApiScope.choices))
    sandbox = models.BooleanField(
        default=False, help_text=_("for trying out: writes nothing that counts")
    )
    slot = models.PositiveSmallIntegerField(
        editable=False, help_text=_("1 or 2: two live keys, so that one can replace the other")
    )
    created_at = models.DateTimeField(editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("to the minute")
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=["client", "sandbox", "slot"],
                condition=Q(revoked_at=None),
                name="a_client_has_two_live_keys_at_most",
                violation_error_code="two_live_keys",
                violation_error_message=_("There are two live keys. Revoke one first."),
            ),
            models.CheckConstraint(
                condition=Q(slot__in=[1, 2]),
                name="a_key_has_one_of_two_places",
                violation_error_code="key_slot",
                violation_error_message=_("There are two live keys. Revoke one first."),
            ),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0),
                name="a_key_may_do_something",
                violation_error_code="key_scopes",
                violation_error_message=_("Choose at least one thing that the key may do."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}…"
