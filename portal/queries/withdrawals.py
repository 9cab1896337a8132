"""What a no set in motion: per AI company and model version, what stops and what is not undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    Exists,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent.models import Artist, Permission, Tool, Withdrawal, WorkState
from consent.words import Stance, Way
from portal.models import ApiKey, CompanyNews, WebhookEndpoint, WebhookKind, WebhookMessage
from portal.models.roster import LedgerNow
from portal.templatetags.figures import count
from portal.templatetags.times import plain_day
from portal.templatetags.wording import isolated, places_in_words


@dataclass(frozen=True, slots=True)
class Stop:
    """One model version of one company, after a yes was taken back. Moments are UTC.

    Without a `model` it is what the company's tools do that name none. `about` says for which
    recordings and countries, where it is not for all. `untold` says why nobody there knows yet.
    """

    use: str
    scope: str
    about: str
    company: str
    company_language: str
    tool: str
    tool_slug: str
    model: str
    already_trained: bool
    began_at: datetime
    waits: bool  # the no holds from a later day
    outputs_until: datetime
    running_off: bool
    told_at: datetime | None
    is_being_told: bool
    untold: str
    acknowledge_by: datetime
    acknowledged_at: datetime | None
    overdue: bool
    told_by_mail: bool = False
    over_at: datetime | None = None  # all that it took is allowed again
    she_gave_it_back: bool = False

    @property
    def name(self) -> str:
        """Tool and model version."""
        named = f"{self.tool} {self.model}".strip()
        return named or _("Tools without a model version")

    @property
    def at_once(self) -> bool:
        """Do outputs end in the moment in which the no begins?"""
        return self.outputs_until <= self.began_at


def withdrawals_of(artist: Artist) -> QuerySet[Withdrawal]:
    """Everything that this artist's withdrawals set in motion, the newest first."""
    return reachable(
        Withdrawal.objects.filter(artist=artist)
        .select_related(
            "permission__recording",
            "permission__tool",
            "permission__act",
            "company__party",
            "model_version__tool",
        )
        .annotate(at=LedgerNow(), yes_again=Exists(_yes_again()))
        .order_by("-id")
    )


def _yes_again() -> QuerySet[Permission]:
    """What an artist said after a withdrawal (the outer row) that may have given it back."""
    return Permission.objects.filter(
        Q(stance=Stance.ALLOW) | Q(way=Way.CLEARED),
        Q(company=None) | Q(company=OuterRef("company")),
        artist=OuterRef("artist"),
        use=OuterRef("permission__use"),
        pk__gt=OuterRef("permission"),
        act__created_at__lte=OuterRef("over_at"),
    )


def reachable(rows: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
    """The rows, each with how its company is told of it, and when the company was last here."""
    keys = ApiKey.objects.filter(client__company=OuterRef("company"), sandbox=False)
    seen = keys.order_by(F("last_used_at").desc(nulls_last=True)).values("last_used_at")[:1]
    mailed = CompanyNews.objects.filter(withdrawal=OuterRef("pk"))
    return rows.annotate(
        has_webhook=Exists(_hooks()),
        webhook_may_tell=Exists(hooks_that_may_tell()),
        contact=F("company__contact"),
        mail_state=Subquery(mailed.values("mail__state")[:1]),
        mailed_at=Subquery(mailed.values("mail__sent_at")[:1]),
        seen_at=Subquery(seen),
    )


def _hooks() -> QuerySet[WebhookEndpoint]:
    return WebhookEndpoint.objects.filter(
        client__company=OuterRef("company"),
        ended_at=None,
        kinds__contains=[WebhookKind.WITHDRAWAL_STARTED],
    )


def hooks_that_may_tell() -> QuerySet[WebhookEndpoint]:
    """Of the company of a withdrawal (the outer row), the webhooks that may still tell of it.

    One that was given up is none any more: then the company is written to, if it has an address.
    """
    key = Concat(Value("withdrawal "), Cast(OuterRef(OuterRef("ref")), TextField()))
    given_up = WebhookMessage.objects.filter(endpoint=OuterRef("pk"), key=key, state=WorkState.DEAD)
    return _hooks().filter(~Exists(given_up))


def is_being_told(row: Withdrawal) -> bool:
    """Is the company about to hear of it, by webhook or mail? `row` comes from `reachable`."""
    one: Any = row
    if row.told_at is not None or row.acknowledged_at is not None or row.over_at is not None:
        return False
    by_mail = bool(one.contact) and one.mail_state != WorkState.DEAD
    return one.webhook_may_tell or by_mail


def told_by_mail(row: Withdrawal) -> bool:
    """Was it the e-mail by which the company learned of it first? `row` as from `reachable`."""
    one: Any = row
    told_at: datetime | None = row.told_at
    return told_at is not None and one.mailed_at is not None and one.mailed_at <= told_at


def why_untold(row: Withdrawal) -> str:
    """Why the company does not know yet, where it does not. `row` comes from `reachable`."""
    if row.told_at is not None or row.acknowledged_at is not None or row.over_at is not None:
        return ""
    if is_being_told(row):
        return _("Being told")
    one: Any = row
    seen: datetime | None = one.seen_at
    if one.contact:
        why = _("Not told yet: e-mails to it do not arrive.")
    elif one.has_webhook:
        why = _("Not told yet: its webhook does not answer, and it has no e-mail address.")
    else:
        why = _("Not told yet: it has no webhook and no e-mail address.")
    if seen is None:
        return f"{why} {_('It has never been here to look.')}"
    last = _("It has not looked, and was last here on %(day)s.") % {"day": plain_day(seen)}
    return f"{why} {last}"


def stops(rows: Sequence[Withdrawal]) -> list[Stop]:
    """Rows of `withdrawals_of` as pages show them, by company and model version."""
    found = [_stop(row) for row in rows]
    return sorted(found, key=lambda one: (one.company, one.tool, one.model))


def stops_by_use(artist: Artist, *, tool: int | None = None) -> dict[str, list[Stop]]:
    """What still matters, of each model version the latest, by use kind. One query.

    Still matters: outputs run off, or somebody has not confirmed; it is not over, and no yes was
    given since.
    `tool` narrows it to one tool.
    """
    rows = withdrawals_of(artist)
    if tool is not None:
        makers = Tool.objects.filter(pk=tool).values("company")
        of_it = Q(permission__tool=tool) | Q(permission__tool=None, company__in=makers)
        rows = rows.filter(Q(model_version__tool=tool) | Q(of_it, model_version=None))
    matters = Q(outputs_until__gt=LedgerNow()) | Q(acknowledged_at=None)
    held: dict[tuple[str, int, int | None], list[Permission]] = {}
    by_use: dict[str, list[Withdrawal]] = {}
    for row in _not_moot(rows.filter(matters, over_at=None))[:500]:
        no = row.permission
        newer = held.setdefault((no.use, row.company_id, row.model_version_id), [])
        if not any(_covers(one, no) for one in newer):
            by_use.setdefault(no.use, []).append(row)
        newer.append(no)
    return {use: stops(found) for use, found in by_use.items()}


def _covers(newer: Permission, no: Permission) -> bool:
    """Is the newer answer about all that the other was about, at one and the same company?"""
    if newer.act_id == no.act_id:
        return False
    everywhere = not newer.territories or (
        bool(no.territories) and set(no.territories) <= set(newer.territories)
    )
    one_of_many = no.act.entries > 1 or newer.act.entries > 1
    same = newer.recording_id == no.recording_id and not one_of_many
    return everywhere and (newer.recording_id is None or same)


def _not_moot(rows: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
    """Without those whose tool has a yes again, in the scope of the no or within it."""
    no = F("permission__scope")
    text = TextField()
    about = Func(no, Value("/"), Value(1), function="split_part", output_field=text)
    of_company = Concat(about, Value("/c"), Cast("company", text), output_field=text)
    of_tool = Concat(about, Value("/t"), Cast("model_version__tool", text), output_field=text)
    anybody = Q(permission__tool=None)
    again = Permission.objects.filter(
        Q(scope=OuterRef("permission__scope"), territories=OuterRef("permission__territories"))
        & (Q(stance=Stance.ALLOW) | Q(way=Way.CLEARED))
        | Q(
            scope__in=[OuterRef("permission__scope"), OuterRef("of_company"), OuterRef("of_tool")],
            stance=Stance.ALLOW,
            territories=[],
        ),
        artist=OuterRef("artist"),
        use=OuterRef("permission__use"),
        pk__gt=OuterRef("permission"),
    )
    return rows.annotate(
        of_company=Case(When(anybody, then=of_company), default=no, output_field=text),
        of_tool=Case(When(anybody, then=of_tool), default=no, output_field=text),
    ).filter(~Exists(again))


def still_stopping(found: Sequence[Stop], scope: str, stance: str) -> list[Stop]:
    """Those that matter where `scope` says `stance` now: a yes again makes an old no moot."""
    if stance != Stance.ALLOW:
        return list(found)
    return [one for one in found if one.scope != scope]


def recordings_concerned(no: Permission) -> int | None:
    """How many recordings an act named that said this no; None for all work."""
    return None if no.recording_id is None else max(no.act.entries, 1)


def begins_at(row: Withdrawal) -> datetime:
    """When the no begins (UTC): a later day, or the moment in which it was given."""
    later = row.permission.valid_from
    return later if later is not None and later > row.created_at else row.created_at


def about_no(no: Permission) -> str:
    """For which recordings and countries a no is, where it is not for all; else empty."""
    parts: list[str] = []
    number = recordings_concerned(no)
    if number is not None and number > 1:
        words = ngettext("%(n)s recording", "%(n)s recordings", number)
        parts.append(words % {"n": count(number)})
    elif no.recording is not None:
        parts.append(_("“%(title)s” only") % {"title": isolated(no.recording.title)})
    if no.territories:
        parts.append(_("in %(countries)s only") % {"countries": places_in_words(no.territories)})
    return ", ".join(parts)


def _stop(row: Withdrawal) -> Stop:
    at: datetime = row.at  # type: ignore[attr-defined]
    model, no = row.model_version, row.permission
    tool = model.tool if model is not None else no.tool
    began = begins_at(row)
    return Stop(
        use=no.use,
        scope=no.scope,
        about=about_no(no),
        company=row.company.party.name,
        company_language=row.company.party.language,
        tool=tool.name if tool is not None else "",
        tool_slug=tool.slug if tool is not None else "",
        model=model.name if model is not None else "",
        already_trained=row.already_trained,
        began_at=began,
        waits=began > at,
        outputs_until=row.outputs_until,
        running_off=row.outputs_until > at,
        told_at=row.told_at,
        is_being_told=is_being_told(row),
        untold=why_untold(row),
        acknowledge_by=row.acknowledge_by,
        acknowledged_at=row.acknowledged_at,
        overdue=(row.acknowledged_at is None and row.over_at is None and row.acknowledge_by <= at),
        told_by_mail=told_by_mail(row),
        over_at=row.over_at,
        she_gave_it_back=row.over_at is not None and row.yes_again,  # type: ignore[attr-defined]
    )
