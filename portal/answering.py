"""Which scope an answer needs: the rule that switches, forms and services share."""

from consent.models import Permission
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
