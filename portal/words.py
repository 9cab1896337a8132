"""Words for those who read of an artist's work and are not she: label staff and AI companies.

The pages speak to the artist herself (“Clone your voice”), and so do the labels of the codes.
"""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.words import UseKind

USE_WORDS: Final[dict[str, str | Promise]] = {
    UseKind.GENERATIVE_TRAINING: _("Train generative models"),
    UseKind.ANALYSIS_TRAINING: _("Train analysis models"),
    UseKind.REMIX_INPUT: _("Remix and stems"),
    UseKind.STYLE: _("Imitate the style"),
    UseKind.VOICE: _("Clone the voice"),
    UseKind.NAME_IMAGE: _("Use name and image"),
    UseKind.DISCOVERY: _("Recommend"),
}


def use_words(*uses: str) -> str:
    """Use kinds with commas between."""
    return ", ".join(str(USE_WORDS[use]) for use in uses)


ACT_WORDS: Final[dict[str, str | Promise]] = {
    "access.end": _("ended an access"),
    "alarm.clear": _("cleared an alarm"),
    "catalogue.import": _("took in a release message"),
    "claim.change": _("changed a claim"),
    "claim.confirm_shares": _("confirmed shares"),
    "claim.dispute": _("disputed a claim"),
    "claim.end": _("ended a claim"),
    "claim.make": _("made a claim"),
    "claim.nothing": _("said that none of it is the label's"),
    "claim.settle": _("ended a dispute"),
    "claim.verify": _("confirmed a claim"),
    "claims.import": _("took in a claims file"),
    "client.create": _("created an API client"),
    "company.contact": _("changed a contact address"),
    "company.register": _("registered an AI company"),
    "company.resume": _("let a company go on"),
    "company.suspend": _("suspended a company"),
    "key.create": _("created a key"),
    "key.revoke": _("revoked a key"),
    "label.open": _("opened a label"),
    "licence.end": _("ended a licence"),
    "licence.sign": _("signed a licence"),
    "licence.version": _("signed a new version of a licence"),
    "permission.invalidate": _("found an answer invalid"),
    "permission.revoke": _("revoked an answer"),
    "person.let_in": _("let somebody in"),
    "roster.add": _("put an artist on a roster"),
    "roster.remove": _("took an artist off a roster"),
    "tool.resume": _("let a tool go on"),
    "tool.suspend": _("suspended a tool"),
    "wording.publish": _("published a wording"),
    "work.retry": _("had work tried again"),
}
"""What staff did, by the code under which it was written down."""
