"""Reasons as sentences, in two voices: to the artist and her people, and to an AI company.

Where the reader is the artist herself, it can be said to her as “you”. Of another artist her people
learn who is outstanding, in one and the same sentence whatever she answered (`consent.discretion`).
An AI company never learns who else was asked, who holds which
share, or what a contract says; it gets the code and a sentence without names.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent import days
from consent.decisions import Code


class Move(StrEnum):
    """Whose move it is, where something is missing."""

    NOBODY = ""
    ARTIST = "artist"
    HOLDER = "holder"
    COMPANY = "company"
    LABEL = "label"
    STAFF = "staff"


MOVES: dict[Move, str | Promise] = {
    Move.ARTIST: _("the artist"),
    Move.HOLDER: _("the rights holder"),
    Move.COMPANY: _("the AI company"),
    Move.LABEL: _("whoever delivered the recording"),
    Move.STAFF: _("Liner Notes"),
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """`full` names %(who)s, %(right)s, %(until)s, %(clause)s; `plain` names nobody."""

    full: str | Promise
    plain: str | Promise
    move: Move = Move.NOBODY
    todo: str | Promise = ""


SENTENCES: dict[Code, Sentence] = {
    Code.UNKNOWN_RECORDING: Sentence(
        _("This recording is not known here."),
        _("No recording with this ISRC is known here."),
        Move.LABEL,
        _("Deliver the recording to the catalogue."),
    ),
    Code.RECORDING_WITHDRAWN: Sentence(
        _("This recording was withdrawn from the catalogue."),
        _("This recording was withdrawn from the catalogue."),
        Move.LABEL,
    ),
    Code.NO_MAIN_ARTIST: Sentence(
        _("Nobody is named as the main artist of this recording."),
        _("The main artist of this recording is not known."),
        Move.LABEL,
        _("Name the main artist in the catalogue."),
    ),
    Code.UNKNOWN_USE: Sentence(
        _("There is no such kind of use."), _("There is no such kind of use."), Move.COMPANY
    ),
    Code.UNKNOWN_TOOL: Sentence(
        _("This tool is not registered here."),
        _("This tool is not registered here."),
        Move.COMPANY,
        _("Register the tool."),
    ),
    Code.TOOL_SUSPENDED: Sentence(
        _("This tool is suspended."), _("This tool is suspended."), Move.STAFF
    ),
    Code.COMPANY_SUSPENDED: Sentence(
        _("%(who)s is suspended."), _("The company behind this tool is suspended."), Move.STAFF
    ),
    Code.UNKNOWN_MODEL_VERSION: Sentence(
        _("This model version is not registered for this tool."),
        _("This model version is not registered for this tool."),
        Move.COMPANY,
        _("Register the model version."),
    ),
    Code.MODEL_VERSION_RETIRED: Sentence(
        _("This model version is retired."), _("This model version is retired."), Move.COMPANY
    ),
    Code.RIGHT_UNKNOWN: Sentence(
        _("Nobody is known here to hold the %(right)s rights."),
        _("The holder of a right that is needed is not known."),
        Move.LABEL,
        _("The %(right)s rights must be claimed."),
    ),
    Code.RIGHT_UNDER_CLAIMED: Sentence(
        _("Less than all of the %(right)s rights is claimed."),
        _("A right that is needed is not claimed in full."),
        Move.LABEL,
        _("The rest of the %(right)s rights must be claimed."),
    ),
    Code.RIGHT_OVER_CLAIMED: Sentence(
        _("More than all of the %(right)s rights is claimed: the claims contradict each other."),
        _("The claims to a right that is needed contradict each other."),
        Move.LABEL,
        _("Those who claim the %(right)s rights must settle who holds what."),
    ),
    Code.RIGHT_DISPUTED: Sentence(
        _("The claim of %(who)s to the %(right)s rights is disputed."),
        _("A claim to a right that is needed is disputed."),
        Move.HOLDER,
        _("The dispute must be settled."),
    ),
    Code.NOTHING_CLAIMED: Sentence(
        _("%(who)s says that none of the %(right)s rights here is theirs."),
        _("Somebody who could hold a right here says that none of it is theirs."),
    ),
    Code.HOLDER_SUSPENDED: Sentence(
        _("%(who)s, who holds %(right)s rights, is suspended."),
        _("A holder of a right that is needed is suspended."),
        Move.STAFF,
    ),
    Code.NO_LICENCE: Sentence(
        _("%(who)s has not licensed this, and %(authority)s (%(right)s)."),
        _("A right that is needed is not licensed to you for this use."),
        Move.HOLDER,
        _("%(who)s would have to license it."),
    ),
    Code.LICENSED: Sentence(_("Licensed by %(who)s (%(right)s)."), _("Licensed (%(right)s).")),
    Code.NO_EXPRESS_AUTHORITY: Sentence(
        _("No licence for this is signed by %(who)s, or by somebody with express authority."),
        _("No licence is signed by the artist, or by somebody with express authority."),
        Move.ARTIST,
        _("%(who)s can offer the standard licence from here."),
    ),
    Code.VOICE_UNKNOWN: Sentence(
        _("It is not known here whose voice can be heard. A band as a band has no voice to lend."),
        _("It is not known whose voice can be heard."),
        Move.LABEL,
        _("Name the singers in the credits."),
    ),
    Code.GUARDIAN_MISSING: Sentence(
        _("%(who)s is a minor and no guardian is named."),
        _("The person concerned has not said yes."),
        Move.ARTIST,
        _("A guardian must be named."),
    ),
    Code.ARTIST_SUSPENDED: Sentence(
        _("%(who)s cannot answer at present."),
        _("The artist cannot answer at present."),
        Move.STAFF,
    ),
    Code.ARTIST_ALLOWS: Sentence(_("%(who)s says yes."), _("The artist says yes.")),
    Code.ARTIST_DENIES: Sentence(
        _("%(who)s says no."), _("The artist has not said yes."), Move.ARTIST
    ),
    Code.ARTIST_ASKS: Sentence(
        _("%(who)s wants to be asked each time. Until then the answer is no."),
        _("The artist wants to be asked for this. Until then the answer is no."),
        Move.COMPANY,
        _("Ask for a permission."),
    ),
    Code.ARTIST_UNDECIDED: Sentence(
        _("%(who)s has not answered. Until then the answer is no."),
        _("The artist has not said yes."),
        Move.ARTIST,
        _("%(who)s can answer."),
    ),
    Code.ARTIST_WITHDREW: Sentence(
        _("%(who)s took a yes back."), _("The artist took a yes back."), Move.ARTIST
    ),
    Code.ANSWER_EXPIRED: Sentence(
        _("The yes of %(who)s ended on %(until)s."),
        _("The artist's yes has ended."),
        Move.ARTIST,
        _("%(who)s can answer again."),
    ),
    Code.ANSWER_REVOKED: Sentence(
        _("The answer of %(who)s was revoked by Liner Notes, with a reason."),
        _("The artist has not said yes."),
        Move.ARTIST,
        _("%(who)s can answer again."),
    ),
    Code.ANSWER_OUTDATED: Sentence(
        _(
            "%(who)s said yes to an earlier text. What it means has changed, so the question is "
            "asked again. Until then the answer is no."
        ),
        _("The artist said yes to an earlier text of the question, and is asked again."),
        Move.ARTIST,
        _("%(who)s can read the new text and answer again."),
    ),
    Code.ANSWER_WITHOUT_GUARDIAN: Sentence(
        _("%(who)s is a minor, and this yes was not given by the guardian. Until then it is a no."),
        _("The person concerned has not said yes."),
        Move.ARTIST,
        _("The guardian of %(who)s can answer."),
    ),
    Code.RUNS_OFF: Sentence(
        _(
            "%(who)s took a yes back. Outputs of this model version, licensed before, run off "
            "until %(until)s."
        ),
        _("The artist took a yes back. Outputs of this model version run off until %(until)s."),
    ),
    Code.OVERRIDDEN: Sentence(
        _("The contract of %(who)s lets it decide without the artist: “%(clause)s”."),
        _("The licence covers this without the artist's own answer."),
    ),
    Code.OBJECTION: Sentence(
        _("%(who)s says no. The no is recorded and was delivered as an objection."),
        _("The artist objects."),
    ),
}

OF_OTHERS: dict[Code, Sentence] = {
    Code.ARTIST_UNDECIDED: Sentence(
        _("%(who)s has not said yes."),
        _("The artist has not said yes."),
        Move.ARTIST,
        _("It takes the yes of %(who)s."),
    ),
    Code.ARTIST_ALLOWS: Sentence(
        _("%(who)s does not stand in the way."), _("The artist says yes.")
    ),
}
"""What is said of artists who are not the reader's own, by the codes that `seen_by` leaves."""


TO_YOU: dict[Code, tuple[str | Promise, str | Promise]] = {
    Code.RIGHT_DISPUTED: (
        _("Your claim to the %(right)s rights is disputed."),
        _("The dispute must be settled."),
    ),
    Code.NOTHING_CLAIMED: (
        _("You say that none of the %(right)s rights here is yours."),
        "",
    ),
    Code.HOLDER_SUSPENDED: (_("You hold %(right)s rights, and are suspended."), ""),
    Code.NO_LICENCE: (
        _("You have not licensed this yourself (%(right)s)."),
        _("You would have to license it."),
    ),
    Code.LICENSED: (_("Licensed by you (%(right)s)."), ""),
    Code.NO_EXPRESS_AUTHORITY: (
        _("No licence for this is signed by you, or by somebody with express authority."),
        _("You can offer the standard licence from here."),
    ),
    Code.GUARDIAN_MISSING: (
        _("You are a minor and no guardian is named."),
        _("A guardian must be named."),
    ),
    Code.ARTIST_SUSPENDED: (_("You cannot answer at present."), ""),
    Code.ARTIST_ALLOWS: (_("You say yes."), ""),
    Code.ARTIST_DENIES: (_("You say no."), ""),
    Code.ARTIST_ASKS: (
        _("You want to be asked each time. Until then the answer is no."),
        _("Ask for a permission."),
    ),
    Code.ARTIST_UNDECIDED: (
        _("You have not answered. Until then the answer is no."),
        _("You can answer."),
    ),
    Code.ARTIST_WITHDREW: (_("You took a yes back."), ""),
    Code.ANSWER_EXPIRED: (_("Your yes ended on %(until)s."), _("You can answer again.")),
    Code.ANSWER_REVOKED: (
        _("Your answer was revoked by Liner Notes, with a reason."),
        _("You can answer again."),
    ),
    Code.ANSWER_OUTDATED: (
        _(
            "You said yes to an earlier text. What it means has changed, so the question is asked "
            "again. Until then the answer is no."
        ),
        _("You can read the new text and answer again."),
    ),
    Code.ANSWER_WITHOUT_GUARDIAN: (
        _("You are a minor, and this yes was not given by your guardian. Until then it is a no."),
        _("Your guardian can answer."),
    ),
    Code.RUNS_OFF: (
        _(
            "You took a yes back. Outputs of this model version, licensed before, run off until "
            "%(until)s."
        ),
        "",
    ),
    Code.OVERRIDDEN: (
        _("Your contract lets you decide without the artist: “%(clause)s”."),
        "",
    ),
    Code.OBJECTION: (
        _("You say no. The no is recorded and was delivered as an objection."),
        "",
    ),
}
"""What is said of the reader, and what could be done, where `full` and `todo` would name her."""

YOU: str | Promise = _("you")
"""Whose move it is, where it is the reader's."""


def sentence_of(code: Code, *, others: bool = False, to_you: bool = False) -> Sentence:
    """The sentence of a code. `others`: about an artist who is not the reader's own.

    `to_you`: about whoever reads it.
    """
    if to_you and code in TO_YOU:
        full, todo = TO_YOU[code]
        return replace(SENTENCES[code], full=full, todo=todo)
    return OF_OTHERS[code] if others else SENTENCES[code]


def spell(
    code: Code,
    *,
    who: str = "",
    right: str | Promise = "",
    authority: str | Promise = "",
    until: datetime | None = None,
    until_text: str = "",
    clause: str = "",
    plain: bool = False,
    others: bool = False,
    to_you: bool = False,
) -> str:
    """The reason as a sentence. `plain` is the voice for AI companies: it names nobody.

    `others`: about an artist who is not the reader's own; `to_you`: about whoever reads it.
    """
    sentence = sentence_of(code, others=others, to_you=to_you)
    values: dict[str, Any] = {
        "who": who or str(_("Somebody")),
        "right": str(right),
        "authority": str(authority),
        "until": until_text or (_day(until) if until else ""),
        "clause": clause,
    }
    return str(sentence.plain if plain else sentence.full) % values


def _day(until: datetime) -> str:
    """The last day of a term in the reader's language, as in 3 Nov 2026; of UTC, for everybody."""
    text = date_format(days.last_day(until), "j M Y")
    return str(_("%(day)s (UTC)")) % {"day": text} if days.ends_elsewhere(until) else text


def what_is_missing(
    code: Code,
    *,
    who: str = "",
    right: str | Promise = "",
    others: bool = False,
    to_you: bool = False,
) -> str:
    """What somebody could do about a no, or an empty text where there is nothing to do."""
    todo = sentence_of(code, others=others, to_you=to_you).todo
    return str(todo) % {"who": who or str(_("Somebody")), "right": str(right)}
