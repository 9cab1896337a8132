"""People: created, invited, and choosing whose work they look at."""

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from consent.errors import NotFound, Refused, refused_by
from consent.models import Artist
from consent.services.acts import take_turn
from portal.access import ACTING_FOR, Access
from portal.models import Membership, Roster, User
from portal.roles import Role, Scope
from portal.services.delegation import end_access, grant_access

__all__ = [
    "create_user",
    "create_user_with_access",
    "end_access",
    "grant_access",
    "invite_person",
    "let_person_in",
    "switch_artist",
]


@transaction.atomic
def create_user(
    *,
    email: str,
    name: str = "",
    password: str | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
    is_staff: bool = False,
) -> User:
    """Create somebody who signs in with `email`; without a password, after choosing one by mail.

    She reaches nothing yet. Raises `Refused` with the field that is wrong, `unique` for an
    address that is in use.
    """
    user = User(
        email=email.strip().lower(),
        name=name.strip(),
        locale=locale,
        time_zone=time_zone,
        is_staff=is_staff,
    )
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise refused_by(error) from error
    user.save()
    return user


@transaction.atomic
def create_user_with_access(
    *,
    by: User | None,
    email: str,
    role: Role | str,
    artist: Artist | None = None,
    roster: Roster | None = None,
    name: str = "",
    password: str | None = None,
    locale: str = "en",
    time_zone: str = "UTC",
    scopes: Iterable[Scope | str] = (),
    may_answer: bool = True,
    starts_at: datetime | None = None,
    until: datetime | None = None,
) -> Membership:
    """Create somebody and let her in, for the operator (`by=None`: its own tools).

    Label staff become staff, who work in the admin. Otherwise as `grant_access`, which raises the
    same; and what `create_user` raises.
    """
    _require_operator(by)
    user = create_user(
        email=email,
        name=name,
        password=password,
        locale=locale,
        time_zone=time_zone,
        is_staff=Role(role) is Role.LABEL_STAFF,
    )
    return grant_access(
        by=by,
        user=user,
        role=role,
        artist=artist,
        roster=roster,
        scopes=scopes,
        may_answer=may_answer,
        starts_at=starts_at,
        until=until,
    )


@transaction.atomic
def let_person_in(
    *, by: User | None, email: str, role: Role | str, roster: Roster, name: str = ""
) -> Membership:
    """Let the person with this address in to a roster, known here already or new; the operator's.

    Somebody new is called `name`; somebody known keeps her name, her password and every access
    that she has. As label staff she may enter the admin, where she sees this label and no other.
    To a management she comes as one of its heads, who let in later people themselves. Raises as
    `create_user_with_access`: `inactive` for somebody who may not sign in any more, `has_access`
    for somebody who is in already.
    """
    _require_operator(by)
    address = email.strip().lower()
    take_turn("invite", address)
    known = User.objects.select_for_update().filter(email=address).first()
    given: dict[str, Any] = {"by": by, "role": role, "roster": roster}
    given["scopes"] = [Scope.MANAGE_PEOPLE] if Role(role) is Role.MANAGER else []
    if known is None:
        return create_user_with_access(email=address, name=name, **given)
    membership = grant_access(user=known, **given)
    if Role(role) is Role.LABEL_STAFF and not known.is_staff:
        known.is_staff = True
        known.save(update_fields=["is_staff"])
    return membership


@transaction.atomic
def invite_person(
    *,
    by: User,
    artist: Artist,
    email: str,
    role: Role | str,
    scopes: Iterable[Scope | str] = (),
    may_answer: bool = True,
    until: datetime | None = None,
) -> Membership:
    """Let the person with this address in, whether she signs in here already or not.

    Nobody learns which: either way there is the access, and an e-mail that says so. Somebody new
    chooses a password by mail first, which proves that the address is hers. Raises what
    `grant_access` raises, and `Refused` for something that is no address.
    """
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise Refused("email", str(error.messages[0]), field="email") from error
    if Access.of(by).reach(artist) is None and not by.is_superuser:
        raise NotFound("no_such_artist", _("There is no such artist."))
    take_turn("invite", address)  # of two who invite the same new person, one creates her
    user = User.objects.filter(email=address).first()
    if user is None:
        user = create_user(email=address, locale=by.locale, time_zone=by.time_zone)
    return grant_access(
        by=by,
        user=user,
        role=role,
        artist=artist,
        scopes=scopes,
        may_answer=may_answer,
        until=until,
    )


def _require_operator(by: User | None) -> None:
    if by is not None and not by.is_superuser:
        raise Refused("may_not_grant", _("Only the operator can do this."))


def switch_artist(*, by: User, session: MutableMapping[str, Any], artist: str) -> Artist:
    """Make `artist` (a pseudonym or slug) the one whom this session looks at.

    Raises `NotFound` where she is out of reach. Nothing else changes: what may be done for her is
    asked at each request.
    """
    reach = next(
        (
            one
            for one in Access.of(by).artists
            if artist in {str(one.artist.party.ref), one.artist.slug}
        ),
        None,
    )
    if reach is None:
        raise NotFound("no_such_artist", _("There is no such artist."))
    session[ACTING_FOR] = str(reach.artist.party.ref)
    return reach.artist
