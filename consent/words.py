"""The field's own words, as enumerations: one idea, one word (see docs/glossary.md)."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class UseKind(TextChoices):
    """What AI would do with a recording, a voice or a name."""

    GENERATIVE_TRAINING = "generative_training", _("Train generative models")
    ANALYSIS_TRAINING = "analysis_training", _("Train analysis models")
    REMIX_INPUT = "remix_input", _("Remix and stems")
    STYLE = "style", _("Imitate your style")
    VOICE = "voice", _("Clone your voice")
    NAME_IMAGE = "name_image", _("Use your name and image")
    DISCOVERY = "discovery", _("Recommend you")


class Stance(TextChoices):
    """One of four answers. Only `allow` allows; `undecided` and `ask` behave as `deny`."""

    UNDECIDED = "undecided", _("Later")
    DENY = "deny", _("No")
    ASK = "ask", _("Ask me")
    ALLOW = "allow", _("Yes")


class Way(TextChoices):
    """How an answer came to be, after the consent states of DPV (ISO/IEC TS 27560)."""

    ANSWERED = "answered", _("answered")
    WITHDRAWN = "withdrawn", _("withdrawn")  # a yes was taken back by the person herself
    CLEARED = "cleared", _("taken back")  # a narrower answer is taken back: the wider one speaks
    UNDONE = "undone", _("undone")  # an act was undone, which is itself a decision
    REVOKED = "revoked", _("revoked by staff")  # by someone else than the person
    INVALIDATED = "invalidated", _("found invalid")


class Right(TextChoices):
    MASTER = "master", _("master recording")
    PUBLISHING = "publishing", _("publishing")
    PERFORMANCE = "performance", _("performance")
    LIKENESS = "likeness", _("voice, name and likeness")


class Authority(TextChoices):
    """By what authority a party speaks for a right."""

    OWN = "own", _("owns it")
    CONTRACT = "contract", _("holds it under a contract")
    BLANKET = "blanket", _("holds it under a blanket mandate")


class Standing(TextChoices):
    """How far a rights claim has been confirmed."""

    DECLARED = "declared", _("declared, unverified")
    VERIFIED = "verified", _("verified")
    DISPUTED = "disputed", _("disputed")


class AiPart(TextChoices):
    """How far AI made something (DDEX `ContainsAI`, `AiContribution`). Absent is not `none`."""

    UNDECLARED = "undeclared", _("not declared")
    NONE = "none", _("no AI")
    PARTLY = "partly", _("partly AI")
    ALL = "all", _("all AI")


class PartyKind(TextChoices):
    PERSON = "person", _("person")
    GROUP = "group", _("group")
    COMPANY = "company", _("company")
    SOCIETY = "society", _("collecting society")


class ToolKind(TextChoices):
    COMPOSER = "composer", _("makes music")
    VOICE = "voice", _("makes voices")
    REMIX = "remix", _("reworks recordings")
    ASSISTANT = "assistant", _("helps to write and produce")
    DISCOVERY = "discovery", _("recommends music")
    ANALYSIS = "analysis", _("analyses music")


TRAINING_KINDS = frozenset({UseKind.GENERATIVE_TRAINING, UseKind.ANALYSIS_TRAINING})
# Lent for a time, never given: a yes ends on a date, and for a minor it is the guardian's.
LENT_KINDS = frozenset({UseKind.VOICE, UseKind.NAME_IMAGE})
VOICE_YEARS = 10
PERSONAL_KINDS = frozenset({UseKind.STYLE, UseKind.VOICE, UseKind.NAME_IMAGE})
