"""What staff can do: one form, one domain service, one reason that is written down."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.catalogue.problems import MessageRefused
from consent.errors import Refused
from consent.models import Party
from portal.access import Access, access_of
from portal.models import User
from portal.services.staff_acts import LONGEST_REASON, record_staff_act

if TYPE_CHECKING:
    from portal.admin.base import ScopedAdmin


class DoingForm(forms.Form):
    """What is asked before something is done: at least why."""

    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Kept with your name and the time; nobody can change it later."),
    )

    def __init__(self, *args: Any, access: Access, thing: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.access = access
        self.thing = thing
        self.prepare()
        self.order_fields([name for name in self.fields if name != "reason"])

    def prepare(self) -> None:
        """Offer what this person may choose from."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of it: the thing that was acted on, in whose books, and what to say."""

    thing: Model
    message: str
    label: Party | None = None
    key: str = ""
    about: str = ""
    subject: uuid.UUID | None = None
    """Of whom the act tells, if of somebody: an erasure of theirs takes its words."""
    page: Mapping[str, Any] | None = None
    """With this, the answer is a page with these values, made once, instead of the thing's own."""


class Doing(ABC):
    """One thing that staff can do. Subclasses say what; `run` sees to the rest.

    `perform` calls one domain service. The act of staff is written in the same transaction: what
    cannot be written down is not done. A refusal of the domain is shown beside its field.
    """

    name: ClassVar[str]
    """Its address below the list or the thing, and the end of its code."""
    action: ClassVar[str]
    """Its code in acts of staff, as in `licence.sign`. Never changes its meaning."""
    title: ClassVar[str | Promise]
    sentence: ClassVar[str | Promise] = ""
    """What it means, above the form."""
    button: ClassVar[str | Promise] = gettext_lazy("Do it")
    form: ClassVar[type[DoingForm]] = DoingForm
    for_labels: ClassVar[bool] = False
    template: ClassVar[str] = "admin/liner/doing.html"

    def is_allowed(self, access: Access, thing: Any) -> bool:
        """Whether this person may do it; `thing` is within her reach."""
        return access.is_operator or (self.for_labels and bool(access.label_ids))

    def makes_sense(self, thing: Any) -> bool:
        """Whether to offer it: nothing is offered that would change nothing."""
        return True

    def initial(self, request: HttpRequest, thing: Any) -> dict[str, Any]:
        """With what the form begins."""
        return {}

    def explain(self, thing: Any) -> str | Promise:
        """What it means for this thing, above the form."""
        return self.sentence

    @abstractmethod
    def perform(self, *, by: User, access: Access, thing: Any, form: DoingForm) -> Done:
        """Call the domain service. Raises `Refused` as it does."""

    # Seeing to it

    def run(self, request: HttpRequest, pages: "ScopedAdmin", thing: Any) -> HttpResponse:
        """Ask, or do it and say what came of it."""
        form = self.make_form(request, thing)
        if request.method == "POST" and form.is_valid() and self.is_ready(request, form):
            done = self.attempt(request, thing, form)
            if done is not None:
                return self.answer(request, pages, done)
        return self.ask(request, pages, thing, form)

    def make_form(self, request: HttpRequest, thing: Any) -> DoingForm:
        """The form, filled in with what was posted."""
        posted = request.method == "POST"
        return self.form(
            request.POST if posted else None,
            request.FILES if posted else None,
            access=access_of(request),
            thing=thing,
            initial=self.initial(request, thing),
        )

    def is_ready(self, request: HttpRequest, form: DoingForm) -> bool:
        """Whether a valid form is to be acted on now, and not looked at first."""
        return True

    def attempt(self, request: HttpRequest, thing: Any, form: DoingForm) -> Done | None:
        """Do it and write it down, both or neither; None when refused, with the form told."""
        by = request.user
        assert isinstance(by, User)
        try:
            with transaction.atomic():
                done = self.perform(by=by, access=access_of(request), thing=thing, form=form)
                record_staff_act(
                    by=by,
                    action=self.action,
                    thing=done.thing,
                    key=done.key,
                    about=done.about,
                    subject=done.subject,
                    reason=form.cleaned_data["reason"],
                    label=done.label,
                )
        except Refused as refusal:
            tell(form, refusal)
            return None
        except MessageRefused as refusal:
            form.add_error("file", refusal.sentence)
            return None
        return done

    def ask(
        self, request: HttpRequest, pages: "ScopedAdmin", thing: Any, form: DoingForm, **more: Any
    ) -> HttpResponse:
        """Show the form."""
        return pages._respond(
            request,
            self.template,
            title=self.title,
            subtitle=pages.title_of(thing) if thing is not None else None,
            sentence=self.explain(thing),
            button=self.button,
            thing=thing,
            form=form,
            **more,
        )

    def answer(self, request: HttpRequest, pages: "ScopedAdmin", done: Done) -> HttpResponse:
        """Say what came of it, on the page of the thing."""
        if done.page is not None:
            return pages._respond(
                request,
                "admin/liner/done.html",
                title=self.title,
                thing=done.thing,
                message=done.message,
                **done.page,
            )
        messages.success(request, done.message)
        meta = done.thing._meta
        return HttpResponseRedirect(
            reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[done.thing.pk])
        )


def tell(form: forms.Form, refusal: Refused) -> None:
    """Put a refusal of the domain beside the field that it is about."""
    field = refusal.field if refusal.field in form.fields else None
    form.add_error(field, refusal.sentence)


def only_label(access: Access) -> Party | None:
    """The label in whose books one works, where there is only one."""
    labels = list(access.labels()[:2]) if not access.is_operator else []
    return labels[0] if len(labels) == 1 else None


def no_change() -> str:
    """What is said when everything was like that already."""
    return _("Nothing had to change.")
