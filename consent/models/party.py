"""Who: people, groups, companies and societies; and the artists among them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Fact
from consent.words import PartyKind


class Party(models.Model):
    """A person, group, company or society. `ref` is its pseudonym in the ledger."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=PartyKind.choices)
    name = models.CharField(max_length=300)
    language = models.CharField(max_length=35, blank=True, help_text=_("BCP 47, of the name"))
    created_at = models.DateTimeField(editable=False)

    class Meta:
        verbose_name_plural = _("parties")
        indexes = [models.Index(fields=["name"], name="party_by_name")]

    def __str__(self) -> str:
        return self.name


class PartyName(models.Model):
    """Another name of a party, in its own script or language."""

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="names")
    name = models.CharField(max_length=300)
    language = models.CharField(max_length=35, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["party", "name", "language"],
                name="a_party_has_each_name_once",
                violation_error_code="party_name",
                violation_error_message=_("This name is there already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class PartyIdentifier(models.Model):
    """An identifier as it was delivered. A bad one is kept and flagged, never dropped."""

    party = models.ForeignKey(Party, on_delete=models.CASCADE, related_name="identifiers")
    scheme = models.CharField(max_length=20, help_text=_("isni, ipi_name, ipi_base, dpid, own"))
    namespace = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=120)
    is_valid = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["scheme", "value"], name="party_by_identifier")]
        constraints = [
            models.UniqueConstraint(
                fields=["party", "scheme", "namespace", "value"],
                name="a_party_has_each_identifier_once",
                violation_error_code="party_identifier",
                violation_error_message=_("This identifier is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.scheme} {self.value}"


class PartyState(Fact):
    """What decisions read of a party: may it be dealt with, is it a minor, an estate."""

    party = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="states")
    kind = models.CharField(max_length=10, choices=PartyKind.choices)
    suspended = models.BooleanField(default=False)
    is_minor = models.BooleanField(default=False)
    is_estate = models.BooleanField(default=False)
    guardian = models.ForeignKey(
        Party, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    members = ArrayField(
        models.BigIntegerField(),
        default=list,
        blank=True,
        help_text=_("of a group: its people's ids"),
    )

    class Meta:
        indexes = [models.Index(fields=["party", "-id"], name="party_state_latest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_minor=False) | models.Q(kind="person"),
                name="only_a_person_is_a_minor",
                violation_error_code="minor",
                violation_error_message=_("Only a person can be a minor."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.party_id} {self.kind}"


class Artist(models.Model):
    """A professional name that credits appear under, and that a person may answer for."""

    party = models.OneToOneField(Party, primary_key=True, on_delete=models.PROTECT)
    slug = models.SlugField(max_length=80, unique=True, allow_unicode=True)

    class Meta:
        ordering = ("party__name",)

    def __str__(self) -> str:
        return self.party.name
