"""What people may do, and as what: scopes, and the roles that carry them.

Every scope and every role has one sentence that a person can read; pages that list who has
access show these sentences and nothing else, so that what is shown is what is enforced.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from portal.models import User


class Scope(TextChoices):
    """One thing that a person may do for an artist, or for a label (`manage_label`)."""

    SEE = "see", _("see")
    WITHDRAW = "withdraw", _("withdraw")
    ANSWER = "answer", _("answer")
    ANSWER_VOICE = "answer_voice", _("answer for the voice")
    SEE_MONEY = "see_money", _("see money")
    EXPORT = "export", _("export")
    SIGN_LICENCE = "sign_licence", _("sign licences")
    MANAGE_PEOPLE = "manage_people", _("manage people")
    MANAGE_LABEL = "manage_label", _("manage the label")


class Role(TextChoices):
    """As what a person has access. In order: the first that applies is shown."""

    ARTIST = "artist", _("artist")
    GUARDIAN = "guardian", _("guardian")
    MANAGER = "manager", _("manager")
    ASSISTANT = "assistant", _("assistant")
    LABEL_STAFF = "label_staff", _("label staff")


class ApiScope(TextChoices):
    """What an AI company's key may do."""

    DECIDE = "decide", _("ask for decisions")
    FOLLOW = "follow", _("follow changes of permissions")
    REGISTER = "register", _("register tools and model versions")
    REPORT = "report", _("report training, outputs and usage")
    REQUEST = "request", _("ask artists for permission")


SCOPE_SENTENCES: Final[dict[Scope, str | Promise]] = {
    Scope.SEE: _("Sees permissions, AI usage, credits and the history of every decision."),
    Scope.WITHDRAW: _("Can say no, and take back a yes, at any time."),
    Scope.ANSWER: _("Can answer what AI may do, for everything but voice, name and image."),
    Scope.ANSWER_VOICE: _("Can answer what AI may do with voice, name and image."),
    Scope.SEE_MONEY: _("Sees earnings and statements."),
    Scope.EXPORT: _("Can download what can be seen as files."),
    Scope.SIGN_LICENCE: _("Can sign licences in the artist's name."),
    Scope.MANAGE_PEOPLE: _("Can let other people in, and end their access."),
    Scope.MANAGE_LABEL: _("Works on the label's catalogue, rights and licences in the admin."),
}

ROLE_SENTENCES: Final[dict[Role, str | Promise]] = {
    Role.ARTIST: _("The artist, or one of the people who are the artist together."),
    Role.GUARDIAN: _("Answers for an artist who is a minor."),
    Role.MANAGER: _("Acts for the artist, who sees everything that is done."),
    Role.ASSISTANT: _("Sees the artist's work and changes nothing."),
    Role.LABEL_STAFF: _("Works for the label, and sees the label's own artists only."),
}

API_SCOPE_SENTENCES: Final[dict[ApiScope, str | Promise]] = {
    ApiScope.DECIDE: _("Asks whether a use may happen."),
    ApiScope.FOLLOW: _("Reads the feed of changed permissions."),
    ApiScope.REGISTER: _("Registers tools and model versions of its company."),
    ApiScope.REPORT: _("Reports training runs, outputs and usage."),
    ApiScope.REQUEST: _("Asks artists for permission, and reads their answers."),
}

ROLE_SCOPES: Final[dict[Role, frozenset[Scope]]] = {
    Role.ARTIST: frozenset(
        {Scope.SEE, Scope.WITHDRAW, Scope.SEE_MONEY, Scope.EXPORT, Scope.MANAGE_PEOPLE}
    ),
    Role.GUARDIAN: frozenset(
        {
            Scope.SEE,
            Scope.WITHDRAW,
            Scope.ANSWER,
            Scope.ANSWER_VOICE,
            Scope.SEE_MONEY,
            Scope.EXPORT,
            Scope.SIGN_LICENCE,
            Scope.MANAGE_PEOPLE,
        }
    ),
    Role.MANAGER: frozenset(
        {Scope.SEE, Scope.WITHDRAW, Scope.ANSWER, Scope.SEE_MONEY, Scope.EXPORT}
    ),
    Role.ASSISTANT: frozenset({Scope.SEE}),
    Role.LABEL_STAFF: frozenset({Scope.MANAGE_LABEL}),
}
"""What each role can do without anything further being said."""

ANSWERING_ARTIST: Final = frozenset({Scope.ANSWER, Scope.ANSWER_VOICE, Scope.SIGN_LICENCE})
"""What an artist has besides, unless the others of a band keep the answers to themselves."""

ADDABLE: Final[dict[Role, frozenset[Scope]]] = {
    Role.ARTIST: frozenset(),
    Role.GUARDIAN: frozenset(),
    Role.MANAGER: frozenset({Scope.ANSWER_VOICE, Scope.SIGN_LICENCE, Scope.MANAGE_PEOPLE}),
    Role.ASSISTANT: frozenset({Scope.SEE_MONEY, Scope.EXPORT}),
    Role.LABEL_STAFF: frozenset(),
}
"""What may be added to a role, one by one."""

ENTRUSTED_BY_THE_ARTIST: Final = frozenset({Scope.ANSWER_VOICE, Scope.SIGN_LICENCE})
"""What only the artist (for a minor: nobody) can entrust to a manager; never passed on, never
for a whole roster at once."""

GUARDED: Final = frozenset({Scope.ANSWER_VOICE, Scope.SIGN_LICENCE, Scope.MANAGE_PEOPLE})
"""What only the guardian does while the artist is a minor."""

NEVER_OF_STAFF: Final = frozenset(
    {
        Scope.WITHDRAW,
        Scope.ANSWER,
        Scope.ANSWER_VOICE,
        Scope.SIGN_LICENCE,
        Scope.MANAGE_PEOPLE,
    }
)
"""What nobody has who works in the admin, for whatever artist: giving her answers, a no like a yes,
signing in her name, and letting somebody in who could."""

ANSWERING_ROLES: Final = frozenset({Role.ARTIST, Role.GUARDIAN, Role.MANAGER})
"""The roles that carry any of that."""

OWNERS: Final = frozenset({Role.ARTIST, Role.GUARDIAN})
"""Who the work is, or speaks for a minor. Their access is not a manager's to end."""


def scopes_of(
    role: Role | str,
    extra: Iterable[str] = (),
    *,
    may_answer: bool = True,
    is_minor: bool = False,
    is_staff: bool = False,
) -> frozenset[Scope]:
    """What one grant of access allows.

    `may_answer` counts for artists only: someone of a band may see and withdraw without having
    the right to answer. While the artist `is_minor`, what is `GUARDED` is the guardian's alone,
    whatever was granted to others; and a guardian's powers end with the artist's coming of age.
    An account that works in the admin (`is_staff`) has nothing that is `NEVER_OF_STAFF`, even where
    it was granted before.
    """
    role = Role(role)
    if role is Role.GUARDIAN and not is_minor:
        return frozenset()
    scopes = ROLE_SCOPES[role] | {Scope(name) for name in extra if name in ADDABLE[role]}
    if role is Role.ARTIST and may_answer:
        scopes |= ANSWERING_ARTIST
    if is_minor and role is not Role.GUARDIAN:
        scopes -= GUARDED
    return scopes - NEVER_OF_STAFF if is_staff else scopes


def in_order(scopes: Iterable[Scope]) -> list[Scope]:
    """Scopes in the order in which they are shown and written to the ledger."""
    held = set(scopes)
    return [scope for scope in Scope if scope in held]


def sentences(scopes: Iterable[Scope]) -> list[str]:
    """What somebody can do, one sentence for each scope, in the reader's language."""
    return [str(SCOPE_SENTENCES[scope]) for scope in in_order(scopes)]


def needs_mfa(user: "User") -> bool:
    """Must this person have a second factor? Staff must, and whoever acts for others.

    Managers, assistants and guardians count, and label staff; an artist in her own work does
    not. One query, none for staff.
    """
    from portal.models import Membership

    if not user.is_active:
        return False
    if user.is_staff:
        return True
    return Membership.objects.live().filter(user=user).exclude(role=Role.ARTIST).exists()
