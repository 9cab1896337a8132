"""One reason, where there is room for one sentence and nobody's name is at hand.

A reason that was kept alone does not say whose answer it was. On a recording that needs somebody
else's say too (`shared`), it is told without what was answered.
"""

from django.utils.translation import gettext as _

from consent.decisions import Code
from consent.discretion import PERSONAL, public_code
from consent.sentences import spell
from royalties.words import HeldBecause


def state_of_use(*, allowed: bool, reason: str, shared: bool) -> str:
    """The pill (`wording.STATES`) of a use that happened: what held at that moment."""
    if not allowed:
        return "denied"
    return "overridden" if reason == Code.OBJECTION and not shared else "allowed"


def reason_of_use(*, allowed: bool, reason: str, shared: bool) -> str:
    """The deciding reason of a use in a sentence; empty where the pill says all there is."""
    if shared:
        reason = public_code(reason, allowed=allowed)
    if reason == Code.RUNS_OFF:
        return _("A yes was taken back; outputs may run off until the notice is over.")
    if reason in {Code.OVERRIDDEN, Code.OBJECTION}:
        return _("A contract allows it without the artist's yes.")
    if allowed or reason not in set(Code):
        return ""
    return _spelled(reason, shared)


def reason_held(code: str, *, shared: bool) -> str:
    """Why money waits, in a sentence."""
    if code in HeldBecause.values:
        return _("It waits: %(why)s.") % {"why": HeldBecause(code).label}
    if code in set(Code):
        return _("This use was not allowed: %(why)s") % {"why": _spelled(code, shared)}
    return _("It waits.")


def _spelled(code: str, shared: bool) -> str:
    if shared and code in PERSONAL:
        return _("Not everybody who is asked had said yes.")
    return spell(Code(code), plain=True)
