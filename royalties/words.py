"""The words of the royalty department, as enumerations (see docs/glossary.md)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class RateBasis(TextChoices):
    """What a rate is a rate of. The values are those of `royalties.allocation.Basis`."""

    SHARE_OF_REVENUE = "share_of_revenue", _("share of revenue")
    PER_OUTPUT = "per_output", _("price per output")
    FLAT_FEE = "flat_fee", _("flat fee per training")


class SplitStatus(TextChoices):
    """How a split version stands. Superseded ones still govern what was used while they did."""

    PENDING = "pending", _("waits for everyone's yes")
    IN_FORCE = "in_force", _("in force")
    SUPERSEDED = "superseded", _("superseded")
    DECLINED = "declined", _("declined")


class PeriodState(TextChoices):
    """How far a month has been closed. It only ever moves to the next of these."""

    OPEN = "open", _("open")
    SEALED = "sealed", _("sealed")
    ALLOCATED = "allocated", _("allocated")
    POSTED = "posted", _("posted")
    PUBLISHED = "published", _("published")


class AccountKind(TextChoices):
    """What an account holds. A positive balance is owed to its party.

    A clearing account is negative while its party (an AI company) has yet to hand money over,
    positive while money is on its way to its party; settled, it is zero.
    """

    PAYABLE = "payable", _("payable")
    HELD = "held", _("held")
    RECOUPABLE = "recoupable", _("recoupable")
    TAX = "tax", _("tax")
    RESIDUE = "residue", _("carried on")
    CLEARING = "clearing", _("clearing")


class TransactionKind(TextChoices):
    """Why money moved. Each kind has states of its period in which it may be written."""

    ALLOCATION = "allocation", _("allocation")
    RELEASE = "release", _("release of held money")
    CARRY = "carry", _("carried on")
    PAYOUT = "payout", _("payout")
    PAYOUT_BACK = "payout_back", _("payout that came back")


class Standing(TextChoices):
    """Whether a line's money can be paid."""

    PAYABLE = "payable", _("payable")
    HELD = "held", _("held")
    RELEASED = "released", _("held before, released now")


class PayoutState(TextChoices):
    """How far a payout has come."""

    REQUESTED = "requested", _("requested")
    APPROVED = "approved", _("approved")
    SENT = "sent", _("on its way")
    PAID = "paid", _("paid")
    CANCELLED = "cancelled", _("cancelled")


class HeldBecause(TextChoices):
    """Why money waits, beside the reason codes of a decision (`consent.decisions.Code`)."""

    NO_RATE = "no_rate", _("no rate was agreed for this use")
    NO_SPLIT = "no_split", _("nobody has said yet who shares it")
    SPLIT_PENDING = "split_pending", _("a change of the split waits for everyone's yes")


class ClosingPart(TextChoices):
    """The parts of closing a month, in order."""

    SEAL = "seal", _("seal")
    ALLOCATE = "allocate", _("allocate")
    RELEASE = "release", _("release what need not be held any longer")
    POST = "post", _("post")
    DRAFT = "draft", _("draft the statements")
