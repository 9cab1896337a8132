"""One reason, where there is room for one sentence and nobody's name is at hand."""

from django.utils.translation import gettext as _

from consent.decisions import Code
from consent.sentences import spell
from royalties.words import HeldBecause


def state_of_use(*, allowed: bool, reason: str) -> str:
    """The pill (`wording.STATES`) of a use that happened: what held at that moment."""
    if not allowed:
        return "denied"
    return "overridden" if reason == Code.OBJECTION else "allowed"


def reason_of_use(*, allowed: bool, reason: str) -> str:
    """The deciding reason of a use in a sentence; empty where the pill says all there is."""
    if reason == Code.RUNS_OFF:
        return _("A yes was taken back; outputs may run off until the notice is over.")
    if reason in {Code.OVERRIDDEN, Code.OBJECTION}:
        return _("A contract allows it without the artist's yes.")
    if allowed or reason not in set(Code):
        return ""
    return spell(Code(reason), plain=True)


def reason_held(code: str) -> str:
    """Why money waits, in a sentence."""
    if code in HeldBecause.values:
        return _("It waits: %(why)s.") % {"why": HeldBecause(code).label}
    if code in set(Code):
        return _("This use was not allowed: %(why)s") % {"why": spell(Code(code), plain=True)}
    return _("It waits.")
