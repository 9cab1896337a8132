"""Who has access to whose work, as what, from when until when, and who let them in."""

import uuid
from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _

from portal.roles import NEVER_OF_STAFF, Role, Scope, scopes_of


class LedgerNow(Func):
    """The one clock (`consent.clock`), read inside a query, so that asking costs no round trip."""

    template = "(SELECT ledger_now())"
    output_field = models.DateTimeField()


def held_at(at: datetime | Combinable | None) -> Q:
    """Rows of `Membership` or `RosterArtist` that hold at `at` (UTC; None: now)."""
    moment = LedgerNow() if at is None else at
    return Q(starts_at__lte=moment) & unended_at(at)


def unended_at(at: datetime | Combinable | None) -> Q:
    """Rows that hold at `at` (UTC; None: now) or later."""
    moment = LedgerNow() if at is None else at
    return (Q(ends_at=None) | Q(ends_at__gt=moment)) & (Q(ended_at=None) | Q(ended_at__gt=moment))


class RosterKind(models.TextChoices):
    LABEL = "label", _("label")
    MANAGEMENT = "management", _("management")
    SELF = "self", _("own work")


class Roster(models.Model):
    """The artists of one label, of one management, or of one independent."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=RosterKind.choices)
    name = models.CharField(max_length=200)
    party = models.ForeignKey(
        "consent.Party",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="rosters",
        help_text=_("the label's company"),
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = [
            models.CheckConstraint(
                condition=~Q(kind=RosterKind.LABEL) | Q(party__isnull=False),
                name="a_label_roster_names_its_company",
                violation_error_code="label_company",
                violation_error_message=_("Name the company that this label is."),
            ),
            models.UniqueConstraint(
                fields=["party"],
                condition=Q(kind=RosterKind.LABEL),
                name="a_label_has_one_roster",
                violation_error_code="label_roster",
                violation_error_message=_("This label has a roster already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class RosterArtistQuerySet(models.QuerySet["RosterArtist"]):
    def live(self, at: datetime | None = None) -> "RosterArtistQuerySet":
        """Those that hold at `at` (UTC; None: now)."""
        return self.filter(held_at(at))

    def unended(self, at: datetime | None = None) -> "RosterArtistQuerySet":
        """Those that hold at `at` (UTC; None: now) or later."""
        return self.filter(unended_at(at))


class RosterArtist(models.Model):
    """An artist is on a roster. Ended by writing the end, never deleted."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="places")
    artist = models.ForeignKey(
        "consent.Artist", on_delete=models.PROTECT, related_name="roster_places"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text=_("empty: until ended"))
    added_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    added_in = models.ForeignKey(
        "consent.Act", on_delete=models.PROTECT, related_name="+", editable=False
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_in = models.ForeignKey(
        "consent.Act",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects: ClassVar[RosterArtistQuerySet] = RosterArtistQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["roster", "artist"], name="roster_places")]
        constraints = [
            models.UniqueConstraint(
                fields=["roster", "artist"],
                condition=Q(ended_at=None),
                name="an_artist_is_on_a_roster_once",
                violation_error_code="on_roster",
                violation_error_message=_("This artist is on the roster already."),
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="a_roster_place_ends_after_it_begins",
                violation_error_code="until_before_from",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_in=None)
                | Q(ended_at__isnull=False, ended_in__isnull=False),
                name="a_roster_place_ends_by_an_act",
                violation_error_code="end_act",
                violation_error_message=_("What ends is recorded with who ended it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.artist_id} on {self.roster_id}"


class MembershipQuerySet(models.QuerySet["Membership"]):
    def live(self, at: datetime | None = None) -> "MembershipQuerySet":
        """Those that hold at `at` (UTC; None: now), of people who may still sign in."""
        return self.filter(held_at(at), user__is_active=True)

    def unended(self, at: datetime | None = None) -> "MembershipQuerySet":
        """Those that hold at `at` (UTC; None: now) or later, whoever they are of."""
        return self.filter(unended_at(at))


class Membership(models.Model):
    """A person has access to one artist's work, or to that of a roster.

    What it allows is `portal.roles.scopes_of(role, scopes, may_answer=…)`. It changes only with
    an entry in the ledger (`delegation.granted`, `delegation.ended`), and is ended by writing
    the end, never deleted or extended.
    """

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships"
    )
    roster = models.ForeignKey(
        Roster, null=True, blank=True, on_delete=models.PROTECT, related_name="memberships"
    )
    artist = models.ForeignKey(
        "consent.Artist",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="memberships",
    )
    role = models.CharField(max_length=12, choices=Role.choices)
    may_answer = models.BooleanField(
        default=True, help_text=_("of an artist: may answer, and not only see and withdraw")
    )
    scopes = ArrayField(
        models.CharField(max_length=20, choices=Scope.choices),
        default=list,
        blank=True,
        help_text=_("what may be done besides what the role allows"),
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text=_("empty: until ended"))
    granted_at = models.DateTimeField(editable=False)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    granted_in = models.ForeignKey(
        "consent.Act", on_delete=models.PROTECT, related_name="+", editable=False
    )
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    ended_in = models.ForeignKey(
        "consent.Act",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )

    objects: ClassVar[MembershipQuerySet] = MembershipQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("access")
        verbose_name_plural = _("access")
        ordering = ("-granted_at", "id")
        indexes = [
            models.Index(fields=["user"], condition=Q(ended_at=None), name="live_access_of_user"),
            models.Index(fields=["artist"], name="access_to_artist"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(roster=None, artist__isnull=False)
                | Q(roster__isnull=False, artist=None),
                name="access_is_to_an_artist_or_a_roster",
                violation_error_code="access_to",
                violation_error_message=_("Give access to one artist or to one roster."),
            ),
            models.CheckConstraint(
                condition=Q(role__in=[Role.ARTIST, Role.GUARDIAN], roster=None)
                | Q(role=Role.LABEL_STAFF, artist=None)
                | Q(role__in=[Role.MANAGER, Role.ASSISTANT]),
                name="a_role_fits_what_it_is_for",
                violation_error_code="role_fits",
                violation_error_message=_(
                    "Artists and guardians have access to one artist; label staff to a label."
                ),
            ),
            models.CheckConstraint(
                condition=Q(roster=None)
                | ~Q(scopes__overlap=[Scope.ANSWER_VOICE, Scope.SIGN_LICENCE]),
                name="a_voice_is_entrusted_by_each_artist",
                violation_error_code="entrusted",
                violation_error_message=_(
                    "Answering for a voice and signing licences is entrusted by each artist, "
                    "not for a whole roster."
                ),
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="access_ends_after_it_begins",
                violation_error_code="until_before_from",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.UniqueConstraint(
                fields=["user", "roster", "artist"],
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="a_person_has_access_once",
                violation_error_code="has_access",
                violation_error_message=_("This person has access already. End it first."),
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_in=None)
                | Q(ended_at__isnull=False, ended_in__isnull=False),
                name="access_ends_by_an_act",
                violation_error_code="end_act",
                violation_error_message=_("What ends is recorded with who ended it."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    def scopes_for(self, *, is_minor: bool) -> frozenset[Scope]:
        """What this access allows for an artist who is, or is not, a minor.

        Less than was granted where its person works in the admin: reads `user`.
        """
        granted = self.granted_for(is_minor=is_minor)
        return granted - NEVER_OF_STAFF if self.user.works_in_admin else granted

    def granted_for(self, *, is_minor: bool) -> frozenset[Scope]:
        """What was granted, whatever its person has become since.

        To let people into a roster is not to let them in to its artists one by one: such access
        would outlast the artist's place on the roster.
        """
        scopes = scopes_of(self.role, self.scopes, may_answer=self.may_answer, is_minor=is_minor)
        return scopes - {Scope.MANAGE_PEOPLE} if self.roster_id is not None else scopes
