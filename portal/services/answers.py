"""Answering for an artist: who may, the act of the domain, and telling the others.

Each function here is one transaction: the check of access, the act of `consent`, the notices.
Saying no, or taking back a yes, needs `Scope.WITHDRAW`; whatever may lead to a yes needs
`Scope.ANSWER`, for a voice `Scope.ANSWER_VOICE`. `by` is the access of whoever answers.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from consent.models import Act, Artist, Permission, PermissionRequest, RightsClaim, Wording
from consent.queries.licences import licences_touching
from consent.scopes import EVERYTHING
from consent.scopes import Scope as About
from consent.services import permissions
from consent.services.permissions import Given, Undone
from consent.words import PERSONAL_KINDS, Authority, Right, Stance, Way
from portal.access import Access
from portal.answering import scope_needed, scope_to_clear
from portal.models import NoticeKind
from portal.queries.saying import answer_facts
from portal.roles import Scope
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
    by.require(artist, scope_needed(use, stance))
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
        _tell(by, artist, given.permission.act)
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
    by.require(artist, scope_needed(use, stance))
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
        _tell(by, artist, act)
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
        _tell(by, artist, given.permission.act)
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
        _tell(by, request.artist, answered.permission.act)
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
        if one.stance == Stance.ALLOW or one.way == Way.CLEARED:
            by.require(artist, scope_needed(one.use, Stance.ALLOW))
    _tell(by, artist, undone.act)
    return undone


def _tell(by: Access, artist: Artist, act: Act) -> None:
    """Tell everybody else who sees this artist; and a no to those who may decide without her."""
    answers = act.permissions.order_by("id")
    first = answers.select_related("recording", "company__party", "tool__company__party")[0]
    facts = answer_facts(first)
    if act.entries > 1:
        facts = _facts_of_many(first, answers) | {"recordings": act.entries}
    if by.user is not None:
        facts["who"] = str(by.user.ref)
    notify_artist(
        artist=artist,
        kind=NoticeKind.ANSWERED_FOR_YOU,
        key=f"answered {act.ref}",
        params=facts,
        but=by.user,
    )
    # As a decision has it that does without her (`consent.decisions`): a no, or a yes taken back.
    # What is her person's nobody decides without her.
    objects = answers.filter(Q(stance=Stance.DENY) | Q(took_back_allow=True))
    if first.use not in PERSONAL_KINDS and objects.exists():
        _object(artist, act, first.use)


def _facts_of_many(first: Permission, answers: QuerySet[Permission]) -> dict[str, Any]:
    """What is the same for all answers of one act; an undo may bring different ones back."""
    said = answers.order_by().values_list("stance", "way", "valid_from", "valid_until")
    facts = answer_facts(first)
    facts.pop("title", None)
    if said.distinct()[:2].count() > 1:
        return {"use": facts["use"]}
    return facts


def _object(artist: Artist, act: Act, use: str) -> None:
    """Deliver a no to each holder whose licence does without her yes, as an objection."""
    mandates = RightsClaim.objects.filter(
        Q(repertoire=artist.pk) | Q(recording__in=artist.profile_counts.values("example")),
        right=Right.PUBLISHING,  # the only mandate that asks nobody one by one
        authority=Authority.BLANKET,
        ended=False,
    ).values("party")
    licences = licences_touching(artist).filter(
        Q(artist_approval=False) | Q(licence__holder__in=mandates), uses__contains=[str(use)]
    )
    for version in licences:
        notify_label(
            label=version.licence.holder,
            artist=artist,
            kind=NoticeKind.OBJECTION,
            # As `news` has it, which reads the same act in the ledger: told once by either.
            key=f"objection {act.ref} {version.licence.ref}",
            params={"company": version.licence.company.party.name, "uses": [str(use)]},
        )
