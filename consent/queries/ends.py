"""What ends by itself: a yes to a likeness that was lent until a day, a licence that has a term."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least

from consent.decisions import GUARDIAN_YEARS
from consent.models import Artist, LicenceVersion, PartyState, Permission
from consent.queries.decision import GUARDIAN
from consent.queries.texts import text_replaced
from consent.scopes import scope_key
from consent.words import LENT_KINDS, Stance

# Of a 29 February the 28th, as `consent.decisions.years_after` counts.
_AT_MOST = Func(
    Value(GUARDIAN_YEARS),
    template="make_interval(years => %(expressions)s)",
    output_field=DurationField(),
)


@dataclass(frozen=True, slots=True)
class YesEnd:
    """A yes that ends at `at` (UTC), as one act gave it: for all her work, or for `recordings`.

    `whom` is the AI company or tool that it is for; empty when it is for everybody. `about` is its
    key, as in `*/t7`.
    """

    act: uuid.UUID
    artist: Artist
    use: str
    at: datetime
    recordings: int
    about: str
    whom: str


@dataclass(frozen=True, slots=True)
class LicenceEnd:
    """A licence that ends at `at` (UTC): by its term, or by the version that says so."""

    version: LicenceVersion
    at: datetime


def yes_ends(*, after: datetime, until: datetime, notice: timedelta) -> list[YesEnd]:
    """The yeses to voice, name and image that end in (`after`, `until`].

    Those that were given at least `notice` before their end, and that are a yes until then, as
    `consent.decisions` has it: a guardian's holds for five years at most while her artist is a
    minor, and no other does; one to a text whose meaning was replaced, or of an artist who is
    suspended, is none already. Nor does one end that something else speaks instead of by then (a
    later answer in its slot that has begun). Two queries.
    """
    newer = Permission.objects.filter(
        Q(valid_from=None) | Q(valid_from__lte=OuterRef("end")),
        artist=OuterRef("artist"),
        use=OuterRef("use"),
        scope=OuterRef("scope"),
        territories=OuterRef("territories"),
        pk__gt=OuterRef("pk"),
    )
    state = PartyState.objects.filter(party=OuterRef("artist")).order_by("-id")
    rows = list(
        Permission.objects.filter(
            Q(valid_until__lte=until) | Q(act__role=GUARDIAN),
            use__in=LENT_KINDS,
            stance=Stance.ALLOW,
            valid_until__gt=after,
        )
        .annotate(
            minor=Coalesce(Subquery(state.values("is_minor")[:1]), False),
            guardian=Subquery(state.values("guardian")[:1]),
            suspended=Coalesce(Subquery(state.values("suspended")[:1]), False),
            end=Case(
                When(minor=True, then=Least("valid_until", F("entry__recorded_at") + _AT_MOST)),
                default=F("valid_until"),
            ),
        )
        .filter(
            Q(minor=False) | Q(guardian__isnull=False, act__role=GUARDIAN),
            ~Exists(newer),
            ~text_replaced(),
            suspended=False,
            end__gt=after,
            end__lte=until,
            end__gte=F("act__created_at") + notice,
        )
        .values(
            "act",
            "artist",
            "use",
            "end",
            "company",
            "tool",
            "company__party__name",
            "tool__name",
        )
        .annotate(recordings=Count("recording"))
        .order_by("end", "act", "use", "company", "tool")
    )
    artists = Artist.objects.select_related("party").in_bulk({row["artist"] for row in rows})
    return [
        YesEnd(
            act=row["act"],
            artist=artists[row["artist"]],
            use=row["use"],
            at=cast(datetime, row["end"]),
            recordings=row["recordings"],
            about=scope_key(None, row["company"], row["tool"]),
            whom=row["tool__name"] or row["company__party__name"] or "",
        )
        for row in rows
    ]


def licence_ends(*, after: datetime, until: datetime, notice: timedelta) -> list[LicenceEnd]:
    """The licences that end in (`after`, `until`], signed at least `notice` before. One query.

    One that was ended at once has no end ahead, and is not among them.
    """
    newer = LicenceVersion.objects.filter(
        Q(starts_at=None) | Q(starts_at__lte=OuterRef("end")),
        licence=OuterRef("licence"),
        pk__gt=OuterRef("pk"),
    )
    versions = (
        LicenceVersion.objects.annotate(
            end=Case(When(ended=True, then=F("starts_at")), default=F("ends_at"))
        )
        .filter(~Exists(newer), end__gt=after, end__lte=until, end__gte=F("signed_at") + notice)
        .select_related("licence__holder", "licence__company__party")
        .order_by("end", "pk")
    )
    return [LicenceEnd(version, version.end) for version in versions]
