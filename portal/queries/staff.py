"""What staff see on the admin's first page: what waits for them, and what was done last."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.models import (
    LedgerAlarm,
    Licence,
    Permission,
    PermissionRequest,
    RequestState,
    Withdrawal,
    WorkRow,
    WorkState,
)
from consent.queries.conflicts import conflicts
from consent.vault import unseal_each
from portal.access import Access
from portal.models import StaffAct


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many things wait; `urgent` ones hold something up until somebody sees to them."""

    text: str | Promise
    count: int
    url: str
    urgent: bool = False


def acts_within(access: Access) -> QuerySet[StaffAct]:
    """What staff did, as far as this person may know of it: in the books of a label of hers."""
    acts = StaffAct.objects.select_related("by", "label")
    if access.is_operator:
        return acts
    return acts.filter(label__in=access.label_ids)


@dataclass(frozen=True, slots=True)
class ReadAct:
    """An act of staff with what was sealed; both texts are empty after an erasure."""

    act: StaffAct
    about: str
    reason: str


def read_acts(acts: Iterable[StaffAct]) -> list[ReadAct]:
    """Open what is sealed, for whoever may read these acts. One query."""
    rows = list(acts)
    opened = unseal_each([(act.subject, bytes(act.sealed)) for act in rows])
    said = [found[1] if found is not None else {} for found in opened]
    return [
        ReadAct(act, str(one.get("about", "")), str(one.get("reason", "")))
        for act, one in zip(rows, said, strict=True)
    ]


def recent_acts(access: Access, how_many: int = 8) -> list[ReadAct]:
    """The latest of `acts_within`."""
    return read_acts(acts_within(access)[:how_many])


def permissions_within(access: Access) -> QuerySet[Permission]:
    """Answers of a label's own artists: in general, and on recordings that the label holds."""
    if access.is_operator:
        return Permission.objects.all()
    held = access.recordings_of_label().filter(pk=OuterRef("recording"))
    return Permission.objects.filter(
        Q(recording=None) | Q(Exists(held)), artist__in=access.artists_of_label()
    )


def requests_within(access: Access) -> QuerySet[PermissionRequest]:
    """What a label's own artists are asked: in general, and on recordings that it holds."""
    if access.is_operator:
        return PermissionRequest.objects.all()
    held = access.recordings_of_label().filter(pk=OuterRef("recording"))
    return PermissionRequest.objects.filter(
        Q(recording=None) | Q(Exists(held)), artist__in=access.artists_of_label()
    )


def withdrawals_within(access: Access) -> QuerySet[Withdrawal]:
    """What withdrawals of a label's artists set in motion, at companies that it has licensed.

    An artist may have another label, whose dealings with a company are that label's own.
    """
    if access.is_operator:
        return Withdrawal.objects.all()
    dealt = Licence.objects.filter(company=OuterRef("company"), holder__in=access.label_ids)
    held = access.recordings_of_label().filter(pk=OuterRef("permission__recording"))
    return Withdrawal.objects.filter(
        Exists(dealt),
        Q(permission__recording=None) | Q(Exists(held)),
        artist__in=access.artists_of_label(),
    )


def overdue(rows: QuerySet[Withdrawal]) -> QuerySet[Withdrawal]:
    """Those that a company should have acknowledged by now, and that are not over."""
    return rows.filter(acknowledged_at=None, over_at=None, acknowledge_by__lte=now())


def requests_by_state(access: Access) -> dict[RequestState, int]:
    """How many questions to one's artists are open, granted, refused, put off, taken back."""
    counted = dict(requests_within(access).order_by().values_list("state").annotate(n=Count("pk")))
    return {state: counted[state] for state in RequestState if state in counted}


def work_kinds() -> list[type[WorkRow]]:
    """Every kind of row that is work, whoever does it."""
    found: list[type[WorkRow]] = []
    kinds = [WorkRow]
    while kinds:
        for kind in kinds.pop().__subclasses__():
            kinds.append(kind)
            if not kind._meta.abstract:
                found.append(kind)
    return sorted(found, key=lambda kind: kind._meta.label)


def waiting_for(access: Access) -> list[Waiting]:
    """What waits for this person in the admin; what waits for nobody is left out."""
    found = _for_operator() if access.is_operator else _for_labels(access)
    return [one for one in found if one.count]


def _for_labels(access: Access) -> list[Waiting]:
    asked = requests_by_state(access)
    return [
        *(
            Waiting(
                _("Claims that do not add up"),
                conflicts(label=label, size=1).total,
                f"{reverse('admin:conflicts')}?label={label.pk}",
            )
            for label in access.labels()
        ),
        Waiting(
            _("Withdrawals that a company should have acknowledged"),
            overdue(withdrawals_within(access)).count(),
            f"{reverse('admin:consent_withdrawal_changelist')}?stage=overdue",
            urgent=True,
        ),
        Waiting(
            _("Questions of AI companies that your artists have not answered"),
            asked.get(RequestState.OPEN, 0),
            reverse("admin:consent_artist_changelist"),
        ),
    ]


def _for_operator() -> list[Waiting]:
    given_up = sum(
        kind._default_manager.filter(state=WorkState.DEAD).count() for kind in work_kinds()
    )
    return [
        Waiting(
            _("Alarms of the ledger: nothing new is allowed"),
            LedgerAlarm.objects.filter(cleared_at=None).count(),
            reverse("admin:consent_ledgeralarm_changelist"),
            urgent=True,
        ),
        Waiting(_("Pieces of work that were given up"), given_up, reverse("admin:work"), True),
        Waiting(
            _("Withdrawals that a company should have acknowledged"),
            overdue(Withdrawal.objects.all()).count(),
            f"{reverse('admin:consent_withdrawal_changelist')}?stage=overdue",
            urgent=True,
        ),
    ]
