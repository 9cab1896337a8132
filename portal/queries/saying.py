"""What an answer is about, in words: for pages and timelines alike."""

from django.utils.translation import gettext as _

from consent.scopes import Scope as About


def about_text(about: About) -> str:
    """In words what an answer is about."""
    if about.tool is not None:
        whom = _("%(tool)s by %(company)s") % {
            "tool": about.tool.name,
            "company": about.tool.company.party.name,
        }
    elif about.company is not None:
        whom = _("every tool by %(company)s") % {"company": about.company.party.name}
    else:
        whom = ""
    if about.recording is None:
        return whom or _("all your work")
    title = _("“%(title)s”") % {"title": about.recording.title}
    return _("%(title)s, for %(whom)s") % {"title": title, "whom": whom} if whom else title
