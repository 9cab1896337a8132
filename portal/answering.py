"""What an answer needs: the scope, and the text. Switches, forms and services share the rule."""

from consent.models import Permission, Wording
from consent.services.wordings import wording_changed
from consent.words import LENT_KINDS, Stance
from portal.roles import Scope


def may_lead_to_a_yes(stance: str, *, ends: bool = False) -> bool:
    """A yes does, and so does whatever `ends`: on that day a wider yes speaks again."""
    return ends or stance == Stance.ALLOW


def scope_needed(use: str, stance: str, *, ends: bool = False) -> Scope:
    """What somebody must be allowed to do in order to give this answer, which may have an end."""
    if not may_lead_to_a_yes(stance, ends=ends):
        return Scope.WITHDRAW
    return Scope.ANSWER_VOICE if use in LENT_KINDS else Scope.ANSWER


def scope_to_clear(permission: Permission) -> Scope:
    """What is needed to take this narrower answer back: a wider yes may speak again."""
    narrower_yes = permission.stance == Stance.ALLOW
    return scope_needed(permission.use, Stance.UNDECIDED if narrower_yes else Stance.ALLOW)


def wording_read(key: str, *, use: str, stance: str) -> Wording | None:
    """The text that whoever answers on a page has read, by the `key` that the page sent along.

    A yes is one to a text: where one is published for `use`, a yes from a page has to name one that
    there is. (That it is the current one, the service sees to.) Raises `Refused`
    (`wording_changed`), as for a page that was opened before there was a text.
    """
    found = Wording.objects.filter(pk=key).first() if key.isdecimal() else None
    if stance != Stance.ALLOW or found is not None:
        return found
    if key or Wording.objects.filter(use=use).exists():
        raise wording_changed()
    return None
