"""What every page of the admin has in common: scoped by access, read-only, with acts beside it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from portal.access import Access, access_of

if TYPE_CHECKING:
    from portal.admin.doing import Doing

    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

type Text = str | Promise


@dataclass(frozen=True, slots=True)
class Panel:
    """A table beneath the facts of a page. `empty` is said where there is no row."""

    title: Text
    headers: Sequence[Text]
    rows: Sequence[Sequence[Any]]
    empty: Text = ""
    note: Text = ""

    @property
    def named(self) -> list[list[tuple[Text, Any]]]:
        """Each row with the header of each cell: on a phone the headers stand in the rows."""
        return [list(zip(self.headers, row, strict=True)) for row in self.rows]


def link(thing: Model, text: object = None) -> str:
    """A link to a thing's page. Only for things that are known to be within reach."""
    meta = thing._meta
    address = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[thing.pk])
    return format_html('<a href="{}">{}</a>', address, thing if text is None else text)


class ScopedAdmin(ModelAdmin):
    """Shows what its reader may reach, and nothing else; changes nothing by itself.

    `within` says what is reached, and everything here begins with it: lists, counts, filters,
    searches, pages, histories. There is no page to add, edit or delete a row. What can be done is
    in `doings`, each of which calls one domain service.
    """

    for_labels: ClassVar[bool] = False
    """Whether label staff have these pages; the others are the operator's."""
    doings: ClassVar[tuple["Doing", ...]] = ()
    on_list: ClassVar[tuple["Doing", ...]] = ()

    actions = None
    list_per_page = 50
    list_max_show_all = 0
    preserve_filters = False

    # What a subject says

    def within(self, access: Access) -> QuerySet[Any]:
        """Return the rows that are within reach; the operator's pages are asked by nobody else."""
        rows: QuerySet[Any] = self.model._default_manager.all()
        return rows

    def listed(self, rows: QuerySet[Any]) -> Any:
        """Narrow and annotate for the list what is reached."""
        return rows

    def facts(self, request: HttpRequest, thing: Any) -> Iterable[tuple[Text, Any]]:
        """What the page of `thing` says, in order."""
        return ()

    def panels(self, request: HttpRequest, thing: Any) -> Iterable[Panel]:
        """The tables beneath the facts."""
        return ()

    def key_of(self, thing: Any) -> str:
        """Under which key acts of staff on `thing` are kept."""
        return str(thing.pk)

    def title_of(self, thing: Any) -> str:
        """What the page of `thing` is called."""
        return str(thing)

    # Who may

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The operator's staff may see everything; label staff what has pages for them."""
        access = access_of(request)
        return access.is_operator or (self.for_labels and bool(access.label_ids))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As `has_view_permission`."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes a row."""
        return False

    # Pages

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """What the list shows, counts and searches: what is within reach of this request."""
        rows: QuerySet[Any] = self.listed(self.within(access_of(request)))
        return rows

    def thing(self, request: HttpRequest, object_id: str) -> Any:
        """The row with this key, if it is within reach; else 404, whether it exists or not."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            key = self.opts.pk.to_python(object_id)
            found = self.within(access_of(request)).filter(pk=key).first()
        except (ValidationError, ValueError, OverflowError):
            found = None
        if found is None:
            raise Http404
        return found

    def get_urls(self) -> list[URLPattern]:
        """The list, a page and a history for each row, and one address for each doing."""
        info = f"{self.opts.app_label}_{self.opts.model_name}"
        guard: Callable[..., Any] = self.admin_site.admin_view
        return [
            path("", guard(self.changelist_view), name=f"{info}_changelist"),
            *(
                path(f"{one.name}/", guard(self._runner(one)), name=f"{info}_{one.name}")
                for one in self.on_list
            ),
            path("<str:object_id>/", guard(self.page), name=f"{info}_change"),
            path("<str:object_id>/history/", guard(self.history), name=f"{info}_history"),
            *(
                path(
                    f"<str:object_id>/{one.name}/",
                    guard(self._runner(one)),
                    name=f"{info}_{one.name}",
                )
                for one in self.doings
            ),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Show the list, with what can be done beside it."""
        more = {
            "title": capfirst(self.opts.verbose_name_plural),
            "doings": self._offered(request, self.on_list, None),
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One thing: its facts, its tables, and what can be done with it."""
        thing = self.thing(request, object_id)
        return self._respond(
            request,
            "admin/liner/thing.html",
            title=self.title_of(thing),
            thing=thing,
            facts=[(label, value) for label, value in self.facts(request, thing)],
            panels=list(self.panels(request, thing)),
            doings=self._offered(request, self.doings, thing),
        )

    def history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What staff did to this thing, and why: of what the reader may know of."""
        from portal.queries.staff import acts_within, read_acts

        thing = self.thing(request, object_id)
        acts = acts_within(access_of(request)).filter(
            model=self.opts.label_lower, key=self.key_of(thing)
        )
        return self._respond(
            request,
            "admin/liner/history.html",
            title=self.title_of(thing),
            thing=thing,
            acts=read_acts(acts[:200]),
        )

    def _runner(self, doing: "Doing") -> Callable[..., HttpResponse]:
        def run(request: HttpRequest, object_id: str = "") -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            thing = self.thing(request, object_id) if object_id else None
            if not doing.is_allowed(access_of(request), thing):
                raise PermissionDenied
            return doing.run(request, self, thing)

        return run

    def _offered(
        self, request: HttpRequest, doings: Iterable["Doing"], thing: Any
    ) -> list[dict[str, Any]]:
        access = access_of(request)
        info = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return [
            {
                "title": one.title,
                "url": reverse(f"{info}_{one.name}", args=[thing.pk] if thing else []),
            }
            for one in doings
            if one.is_allowed(access, thing) and one.makes_sense(thing)
        ]

    def _respond(self, request: HttpRequest, template: str, **context: Any) -> TemplateResponse:
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            template,
            {**self.admin_site.each_context(request), "opts": self.opts, **context},
        )


def yes_no(value: bool) -> str:
    """“yes” or “no”, for facts and tables."""
    return _("yes") if value else _("no")
