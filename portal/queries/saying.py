"""What an answer is about, in words: for pages, timelines and notices alike."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from consent.models import Act, Permission
from consent.scopes import Scope as About
from consent.scopes import scope_of
from consent.words import Way
from portal.templatetags.times import plain_begin, plain_end
from portal.templatetags.wording import isolated, places_in_words


def about_text(about: About) -> str:
    """In words what an answer is about."""
    if about.tool is not None:
        whom = _("%(tool)s by %(company)s") % {
            "tool": isolated(about.tool.name),
            "company": isolated(about.tool.company.party.name),
        }
    elif about.company is not None:
        whom = _("every tool by %(company)s") % {"company": isolated(about.company.party.name)}
    else:
        whom = ""
    if about.recording is None:
        return whom or _("all your work")
    title = _("“%(title)s”") % {"title": isolated(about.recording.title)}
    return _("%(title)s, for %(whom)s") % {"title": title, "whom": whom} if whom else title


def terms_text(
    *,
    places: Iterable[str] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> str:
    """Where, from when and until when an answer holds, to follow what it is about; or nothing."""
    parts = []
    if places:
        parts.append(_(", in %(places)s") % {"places": places_in_words(places)})
    if valid_from is not None:
        parts.append(_(", from %(day)s") % {"day": plain_begin(valid_from)})
    if valid_until is not None:
        parts.append(_(", until %(day)s, that day included") % {"day": plain_end(valid_until)})
    return "".join(parts)


def terms_of(answer: Permission) -> str:
    """`terms_text` of an answer that was given."""
    return terms_text(
        places=answer.territories, valid_from=answer.valid_from, valid_until=answer.valid_until
    )


def answer_facts(answer: Permission) -> dict[str, Any]:
    """What a notice keeps of one answer (`portal.notices`): what it says, for what and how long.

    No words of ours, which would be in the writer's language; only what there is. Bring the answer
    with its recording, company and tool.
    """
    about = scope_of(answer)
    facts: dict[str, Any] = {"use": answer.use, "stance": answer.stance}
    if answer.way == Way.CLEARED:
        facts["way"] = Way.CLEARED.value
    if about.is_everything:
        facts["all"] = True
    if about.recording is not None:
        facts["title"] = about.recording.title
    if about.tool is not None:
        facts["whom"] = f"{about.tool.name} ({about.tool.company.party.name})"
    elif about.company is not None:
        facts["whom"] = about.company.party.name
    if answer.territories:
        facts["places"] = list(answer.territories)
    if answer.valid_from is not None:
        facts["since"] = answer.valid_from.isoformat()
    if answer.valid_until is not None:
        facts["ends"] = answer.valid_until.isoformat()
    return facts


def act_facts(act: Act) -> dict[str, Any]:
    """What a notice keeps of an act on answers: of one answer all, of many what they share.

    An undo may bring different answers back: then only how many. At most two queries.
    """
    answers = act.permissions.order_by("id")
    first = answers.select_related("recording", "company__party", "tool__company__party")[0]
    facts = answer_facts(first)
    if act.entries <= 1:
        return facts
    facts.pop("title", None)
    said = answers.order_by().values_list("stance", "way", "valid_from", "valid_until")
    if said.distinct()[:2].count() > 1:
        facts = {"use": facts["use"]}
    return facts | {"recordings": act.entries}
