"""AI companies, their tools, and the keys of their machines: the operator's to see to."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from consent.models import (
    AICompany,
    ModelVersion,
    ModelVersionState,
    PartyState,
    Tool,
    ToolState,
)
from consent.services.tools import (
    change_contact,
    register_company,
    resume_company,
    resume_tool,
    suspend_company,
    suspend_tool,
)
from portal.access import Access
from portal.admin.base import Panel, ScopedAdmin, Text, link, yes_no
from portal.admin.doing import Doing, DoingForm, Done
from portal.admin.words import when
from portal.models import ApiClient, ApiKey, CompanyMail, User
from portal.roles import API_SCOPE_SENTENCES, ApiScope
from portal.services.clients import create_api_client, create_api_key, revoke_api_key
from portal.templatetags.figures import count
from portal.templatetags.times import moment


def is_company_suspended(company: AICompany) -> bool:
    """Whether every decision about this company's tools is a no."""
    state = PartyState.objects.filter(party=company.pk).order_by("-id").first()
    return state is not None and state.suspended


def is_tool_suspended(tool: Tool) -> bool:
    """Whether every decision about this tool is a no."""
    state = ToolState.objects.filter(tool=tool).order_by("-id").first()
    return state is not None and state.suspended


# Companies


class CompanyForm(DoingForm):
    slug = forms.SlugField(
        label=gettext_lazy("Short name"),
        max_length=80,
        help_text=gettext_lazy("For addresses and machines; it never changes."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=300)
    website = forms.URLField(label=gettext_lazy("Website"), required=False, assume_scheme="https")
    contact = forms.EmailField(
        label=gettext_lazy("Contact address"),
        required=False,
        help_text=gettext_lazy("Told by e-mail what must stop, where no webhook tells it."),
    )


class RegisterCompany(Doing):
    name, action = "register", "company.register"
    title = gettext_lazy("Register an AI company")
    button = gettext_lazy("Register it")
    form = CompanyForm

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        company = register_company(
            by=by,
            slug=said["slug"],
            name=said["name"],
            website=said["website"],
            contact=said["contact"],
        )
        return Done(company, _("%(company)s is registered.") % {"company": company})


class ContactForm(DoingForm):
    contact = forms.EmailField(
        label=gettext_lazy("Contact address"),
        required=False,
        help_text=gettext_lazy("Empty: the company reads no e-mail."),
    )


class ChangeContact(Doing):
    name, action = "contact", "company.contact"
    title = gettext_lazy("Change the contact address")
    sentence = gettext_lazy(
        "Where no webhook tells the company, it is told here what must stop, what was answered, "
        "and that artists object to a licence. What it was not told yet is sent within a minute."
    )
    button = gettext_lazy("Change it")
    form = ContactForm

    def initial(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        return {"contact": thing.contact}

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        company = change_contact(by=by, company=thing, contact=form.cleaned_data["contact"])
        return Done(
            company, _("The contact address of %(company)s is changed.") % {"company": company}
        )


class SuspendCompany(Doing):
    name, action = "suspend", "company.suspend"
    title = gettext_lazy("Suspend the company")
    sentence = gettext_lazy("From now on every decision about its tools is a no.")
    button = gettext_lazy("Suspend it")

    def makes_sense(self, thing: Any) -> bool:
        return not is_company_suspended(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        suspend_company(by=by, company=thing)
        return Done(thing, _("%(company)s is suspended.") % {"company": thing})


class ResumeCompany(Doing):
    name, action = "resume", "company.resume"
    title = gettext_lazy("Let the company go on")
    sentence = gettext_lazy("What is licensed and permitted holds again.")
    button = gettext_lazy("Let it go on")

    def makes_sense(self, thing: Any) -> bool:
        return is_company_suspended(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        resume_company(by=by, company=thing)
        return Done(thing, _("%(company)s goes on.") % {"company": thing})


class ClientForm(DoingForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        help_text=gettext_lazy("Which system this is, as in “reporting”."),
    )


class CreateClient(Doing):
    name, action = "client", "client.create"
    title = gettext_lazy("Create an API client")
    sentence = gettext_lazy(
        "A system of the company that speaks to the API. It gets keys of its own."
    )
    button = gettext_lazy("Create it")
    form = ClientForm

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        client = create_api_client(by=by, company=thing, name=form.cleaned_data["name"])
        return Done(client, _("The client is there. Now create a key for it."))


@admin.register(AICompany)
class CompanyAdmin(ScopedAdmin):
    """The companies that license music for AI."""

    on_list = (RegisterCompany(),)
    doings = (CreateClient(), ChangeContact(), SuspendCompany(), ResumeCompany())
    list_display = ("company_name", "slug", "website", "contact", "suspended")
    list_select_related = ("party",)
    search_fields = ("party__name", "slug")
    ordering = ("slug",)

    def listed(self, rows: QuerySet[Any]) -> Any:
        last = PartyState.objects.filter(party=OuterRef("pk")).order_by("-id")
        return rows.annotate(is_suspended=Subquery(last.values("suspended")[:1]))

    @admin.display(description=gettext_lazy("name"), ordering="party__name")
    def company_name(self, company: Any) -> str:
        return str(company)

    @admin.display(description=gettext_lazy("suspended"))
    def suspended(self, company: Any) -> str:
        return yes_no(bool(company.is_suspended))

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Name"), thing.party
        yield _("Short name"), thing.slug
        yield _("Website"), thing.website or "–"
        yield _("Contact address"), thing.contact or "–"
        yield _("Suspended"), yes_no(is_company_suspended(thing))

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        yield Panel(
            _("Tools"),
            [_("Name"), _("Kind"), _("Since")],
            [
                (link(tool), tool.get_kind_display(), moment(tool.created_at))
                for tool in thing.tools.order_by("name")
            ],
            empty=_("None yet: a company's own client registers them."),
        )
        yield Panel(
            _("API clients"),
            [_("Name"), _("Since")],
            [
                (link(client), moment(client.created_at))
                for client in thing.api_clients.order_by("name")
            ],
            empty=_("None yet."),
        )
        yield Panel(
            _("E-mails to it"),
            [_("Since"), _("Says"), _("State"), _("Sent"), _("To"), _("What went wrong")],
            [
                (
                    moment(mail.created_at),
                    ngettext("%(n)s thing", "%(n)s things", mail.says) % {"n": count(mail.says)},
                    mail.get_state_display(),
                    moment(mail.sent_at) if mail.sent_at else "–",
                    mail.address or "–",
                    mail.last_error or "–",
                )
                for mail in CompanyMail.objects.filter(company=thing)
                .annotate(says=Count("news"))
                .order_by("-pk")[:20]
            ],
            empty=_("None yet."),
        )


# Tools


class SuspendTool(Doing):
    name, action = "suspend", "tool.suspend"
    title = gettext_lazy("Suspend the tool")
    sentence = gettext_lazy("From now on every decision about it is a no.")
    button = gettext_lazy("Suspend it")

    def makes_sense(self, thing: Any) -> bool:
        return not is_tool_suspended(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        suspend_tool(by=by, tool=thing)
        return Done(thing, _("%(tool)s is suspended.") % {"tool": thing})


class ResumeTool(Doing):
    name, action = "resume", "tool.resume"
    title = gettext_lazy("Let the tool go on")
    sentence = gettext_lazy("What is licensed and permitted holds again.")
    button = gettext_lazy("Let it go on")

    def makes_sense(self, thing: Any) -> bool:
        return is_tool_suspended(thing)

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        resume_tool(by=by, tool=thing)
        return Done(thing, _("%(tool)s goes on.") % {"tool": thing})


@admin.register(Tool)
class ToolAdmin(ScopedAdmin):
    """Products of AI companies."""

    doings = (SuspendTool(), ResumeTool())
    list_display = ("name", "company_name", "kind", "slug", "suspended")
    list_filter = ("kind",)
    list_select_related = ("company__party",)
    search_fields = ("name", "slug", "company__party__name")
    ordering = ("name",)

    def listed(self, rows: QuerySet[Any]) -> Any:
        last = ToolState.objects.filter(tool=OuterRef("pk")).order_by("-id")
        return rows.annotate(is_suspended=Subquery(last.values("suspended")[:1]))

    @admin.display(description=gettext_lazy("AI company"), ordering="company__party__name")
    def company_name(self, tool: Any) -> str:
        return str(tool.company)

    @admin.display(description=gettext_lazy("suspended"))
    def suspended(self, tool: Any) -> str:
        return yes_no(bool(tool.is_suspended))

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Name"), thing.name
        yield _("AI company"), link(thing.company)
        yield _("Kind"), thing.get_kind_display()
        yield _("Name in the API"), thing.slug
        yield _("About"), thing.about or "–"
        yield _("Suspended"), yes_no(is_tool_suspended(thing))

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        retired = set(
            ModelVersionState.objects.filter(model_version__tool=thing, retired=True).values_list(
                "model_version", flat=True
            )
        )
        yield Panel(
            _("Model versions"),
            [_("Name"), _("Since"), _("Retired")],
            [
                (v.name, moment(v.created_at), yes_no(v.pk in retired))
                for v in ModelVersion.objects.filter(tool=thing).order_by("-id")[:200]
            ],
            empty=_("None yet."),
        )


# Clients and keys


class KeyForm(DoingForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=[(scope.value, API_SCOPE_SENTENCES[scope]) for scope in ApiScope],
        widget=forms.CheckboxSelectMultiple,
    )
    sandbox = forms.BooleanField(
        label=gettext_lazy("For trying out: writes nothing that counts"), required=False
    )


class CreateKey(Doing):
    name, action = "key", "key.create"
    title = gettext_lazy("Create a key")
    sentence = gettext_lazy(
        "It is shown once, on the next page, and kept nowhere. A client has two live keys at most, "
        "so that one can replace the other."
    )
    button = gettext_lazy("Create it")
    form = KeyForm

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        said = form.cleaned_data
        created = create_api_key(
            by=by, client=thing, scopes=said["scopes"], sandbox=said["sandbox"]
        )
        return Done(
            created.key,
            _("Copy the key now and give it to the company in a safe way. It is not shown again."),
            about=f"{created.key} ({thing})",
            page={"secret": created.secret},
        )


@admin.register(ApiClient)
class ClientAdmin(ScopedAdmin):
    """Machines of AI companies."""

    doings = (CreateKey(),)
    list_display = ("name", "company_name", when("created_at", gettext_lazy("created")))
    list_select_related = ("company__party",)
    search_fields = ("name", "company__party__name")
    ordering = ("company__party__name", "name")

    @admin.display(description=gettext_lazy("AI company"), ordering="company__party__name")
    def company_name(self, client: Any) -> str:
        return str(client.company)

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Name"), thing.name
        yield _("AI company"), link(thing.company)
        yield _("Created"), moment(thing.created_at)
        yield _("By"), thing.created_by or "–"

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        yield Panel(
            _("Keys"),
            [_("Begins with"), _("May"), _("Sandbox"), _("Created"), _("Last used"), _("Revoked")],
            [
                (
                    link(key),
                    ", ".join(str(ApiScope(scope).label) for scope in key.scopes),
                    yes_no(key.sandbox),
                    moment(key.created_at),
                    moment(key.last_used_at) if key.last_used_at else _("never"),
                    moment(key.revoked_at) if key.revoked_at else "–",
                )
                for key in thing.keys.order_by("-id")[:50]
            ],
            empty=_("None yet."),
        )


class RevokeKey(Doing):
    name, action = "revoke", "key.revoke"
    title = gettext_lazy("Revoke the key")
    sentence = gettext_lazy("From its next request on it is worthless. This cannot be undone.")
    button = gettext_lazy("Revoke it")

    def makes_sense(self, thing: Any) -> bool:
        return thing.revoked_at is None

    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        key = revoke_api_key(by=by, key=thing)
        return Done(key, _("The key is revoked."), about=f"{key} ({thing.client})")


@admin.register(ApiKey)
class KeyAdmin(ScopedAdmin):
    """Keys of machines. No page shows more of one than how it begins."""

    doings = (RevokeKey(),)
    list_display = (
        "prefix",
        "client_name",
        "for_trying",
        when("created_at", gettext_lazy("created")),
        when("last_used_at", gettext_lazy("last used")),
        when("revoked_at", gettext_lazy("revoked")),
    )
    list_filter = ("sandbox",)
    list_select_related = ("client__company__party",)
    search_fields = ("prefix", "client__name")
    ordering = (F("revoked_at").asc(nulls_first=True), "-id")

    def within(self, access: Access) -> QuerySet[Any]:
        return ApiKey.objects.select_related("client__company__party", "created_by", "revoked_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).select_related(None).defer("digest")

    @admin.display(description=gettext_lazy("sandbox"), ordering="sandbox")
    def for_trying(self, key: Any) -> str:
        return yes_no(key.sandbox)

    @admin.display(description=gettext_lazy("client"))
    def client_name(self, key: Any) -> str:
        return f"{key.client.company}: {key.client}"

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        yield _("Begins with"), thing.prefix
        yield _("Client"), link(thing.client)
        yield _("May"), ", ".join(str(ApiScope(scope).label) for scope in thing.scopes)
        yield _("Sandbox"), yes_no(thing.sandbox)
        yield _("Created"), moment(thing.created_at)
        yield _("By"), thing.created_by or "–"
        yield _("Last used"), moment(thing.last_used_at) if thing.last_used_at else _("never")
        yield _("Revoked"), moment(thing.revoked_at) if thing.revoked_at else "–"
        if thing.revoked_by:
            yield _("Revoked by"), thing.revoked_by
