"""Answering for an artist: who may, the act of the domain, and telling the others.

Each function here is one transaction: the check of access, the act of `consent`, the notices.
Saying no, or taking back a yes, needs `Scope.WITHDRAW`; whatever may lead to a yes needs
`Scope.ANSWER`, for a voice `Scope.ANSWER_VOICE`. `by` is the access of whoever answers.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from consent.models import Act, Artist, Permission, PermissionRequest, RightsClaim, Wording
from consent.queries.licences import licences_touching
from consent.scopes import EVERYTHING
from consent.scopes import Scope as About
from consent.services import permissions
from consent.services.permissions import Given, Undone
from consent.words import PERSONAL_KINDS, Authority, Right, Stance, Way
from portal.access import Access
from portal.answering import may_lead_to_a_yes, scope_needed, scope_to_clear
from portal.models import NoticeKind
from portal.queries.saying import act_facts
from portal.roles import Scope
from portal.services.company_mail import note_objection
from portal.services.notices import notify_artist, notify_label


@transaction.atomic
def give_answer(
    *,
    by: Access,
    artist: Artist,
    use: str,
    stance: str,
    about: About = EVERYTHING,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    territories: Iterable[str] = (),
    notice_days: int | None = None,
    wording: Wording | None = None,
) -> Given:
    """Answer one use kind, for all her work or for what `about` names.

    Raises `Http404` and `PermissionDenied` as `Access.require` does, and what
    `consent.services.permissions.answer_permission` raises.
    """
    by.require(artist, scope_needed(use, stance, ends=valid_until is not None))
    given = permissions.answer_permission(
        by=by.user,
        artist=artist,
        use=use,
        stance=stance,
        role=by.role_for(artist),
        scope=about,
        valid_from=valid_from,
        valid_until=valid_until,
        territories=territories,
        notice_days=notice_days,
        wording=wording,
    )
    if given.changed:
        tell_answered(artist=artist, act=given.permission.act)
    return given


@transaction.atomic
def answer_many(
    *,
    by: Access,
    artist: Artist,
    use: str,
    stance: str,
    recordings: Sequence[int],
    valid_until: datetime | None = None,
    wording: Wording | None = None,
    summary: dict[str, Any] | None = None,
) -> Act | None:
    """Give the same answer for each of many recordings, in one act; None when nothing changes."""
    by.require(artist, scope_needed(use, stance, ends=valid_until is not None))
    act = permissions.answer_recordings(
        by=by.user,
        artist=artist,
        use=use,
        stance=stance,
        recordings=recordings,
        role=by.role_for(artist),
        valid_until=valid_until,
        wording=wording,
        summary=summary,
    )
    if act is not None:
        tell_answered(artist=artist, act=act)
    return act


@transaction.atomic
def take_back_narrower(
    *, by: Access, artist: Artist, use: str, about: About, territories: Sequence[str] = ()
) -> Given | None:
    """Let the wider answer speak again; None when there was no narrower one."""
    territories = sorted(territories)
    last = (
        Permission.objects.filter(artist=artist, use=use, scope=about.key, territories=territories)
        .order_by("-id")
        .first()
    )
    needed = scope_needed(use, Stance.ALLOW) if last is None else scope_to_clear(last)
    by.require(artist, needed)
    given = permissions.clear_permission(
        by=by.user,
        artist=artist,
        use=use,
        scope=about,
        territories=territories,
        role=by.role_for(artist),
    )
    if given is not None:
        tell_answered(artist=artist, act=given.permission.act)
    return given


@transaction.atomic
def answer_question(
    *, by: Access, request: PermissionRequest, stance: str, wording: Wording | None = None
) -> PermissionRequest:
    """Answer what an AI company asked: `allow`, `deny`, or `undecided` for later."""
    by.require(request.artist_id, scope_needed(request.use, stance))
    answered = permissions.answer_request(
        by=by.user,
        request=request,
        stance=stance,
        role=by.role_for(request.artist_id),
        wording=wording,
    )
    if answered.permission is not None:
        tell_answered(artist=request.artist, act=answered.permission.act)
    return answered


@transaction.atomic
def undo(*, by: Access, artist: Artist, act: Act) -> Undone:
    """Undo an act on this artist's answers; newer answers stay, and are named in `skipped`.

    Whoever may only say no can undo what leads to no more than there is now.
    """
    by.require(artist, Scope.WITHDRAW)
    if act.artist_id != artist.pk:
        by.require("", Scope.SEE)  # somebody else's act does not exist here: 404
    undone = permissions.undo_act(by=by.user, act=act, role=by.role_for(artist))
    if undone.act is None:
        return undone
    restored = list(undone.act.permissions.all())
    for one in restored:
        ends = one.way == Way.CLEARED or one.valid_until is not None
        if may_lead_to_a_yes(one.stance, ends=ends):
            by.require(artist, scope_needed(one.use, Stance.ALLOW))
    tell_answered(artist=artist, act=undone.act)
    return undone


@transaction.atomic
def tell_answered(*, artist: Artist, act: Act, at: datetime | None = None) -> None:
    """Tell everybody else who sees this artist; and a no to those who may decide without her.

    Once for each act, whoever calls it: the page that wrote it, or the reader of the ledger. `at`
    is when it happened (UTC; None: now).
    """
    facts = act_facts(act)
    if act.by is not None:
        notify_artist(
            artist=artist,
            kind=NoticeKind.ANSWERED_FOR_YOU,
            key=f"answered {act.ref}",
            params=facts | {"who": str(act.by.ref), "role": act.role},
            but=act.by,
            at=at,
        )
    # As a decision has it that does without her (`consent.decisions`): a no, or a yes taken back.
    # What is her person's nobody decides without her.
    objects = act.permissions.filter(Q(stance=Stance.DENY) | Q(took_back_allow=True))
    if facts["use"] not in PERSONAL_KINDS and objects.exists():
        _object(artist, act, facts["use"], at)


def _object(artist: Artist, act: Act, use: str, at: datetime | None) -> None:
    """Deliver a no to each holder whose licence does without her yes, and to its company."""
    mandates = RightsClaim.objects.filter(
        Q(repertoire=artist.pk) | Q(recording__in=artist.profile_counts.values("example")),
        right=Right.PUBLISHING,  # the only mandate that asks nobody one by one
        authority=Authority.BLANKET,
        share_bp__gt=0,
        ended=False,
    ).values("party")
    licences = licences_touching(artist).filter(
        Q(artist_approval=False) | Q(licence__holder__in=mandates), uses__contains=[str(use)]
    )
    for version in licences:
        news = f"objection {act.ref} {version.licence.ref}"
        notify_label(
            label=version.licence.holder,
            artist=artist,
            kind=NoticeKind.OBJECTION,
            key=news,
            params={"company": version.licence.company.party.name, "uses": [str(use)]},
            at=at,
        )
        note_objection(licence=version.licence, artist=artist, uses=[use], news=news)
