"""Posting: balanced transactions between accounts, each once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Sum

from royalties.models import Account, Period, Posting, Transaction
from royalties.words import AccountKind

type AccountKey = tuple[str, int | None]
"""Kind of account, and the id of its party (None: money that is nobody's yet)."""


@dataclass(slots=True)
class NewTransaction:
    """Movements to be posted together, in one currency; they must sum to zero.

    `key` says what it is about: of one kind, currency and key there is one transaction, for ever.
    """

    kind: str
    key: str
    currency: str
    amounts: dict[AccountKey, int] = field(default_factory=dict)

    def move(self, kind: str, party: int | None, amount_micros: int) -> None:
        """Add to what is moved to (positive) or from (negative) an account."""
        account = (str(kind), party)
        self.amounts[account] = self.amounts.get(account, 0) + amount_micros


def post(*, period: Period, transactions: Sequence[NewTransaction], at: datetime) -> None:
    """Write `transactions`; call it inside a database transaction. What moves nothing is left out.

    The database refuses what does not balance (`postings_balance`), what was posted before
    (`a_transaction_is_posted_once`), and what comes at the wrong time of the period
    (`a_closed_period_stays_closed`).
    """
    moving = [t for t in transactions if any(t.amounts.values())]
    accounts = accounts_of((kind, party, t.currency) for t in moving for kind, party in t.amounts)
    rows = Transaction.objects.bulk_create(
        [
            Transaction(
                period=period,
                kind=t.kind,
                key=f"{t.key}/{t.currency}",
                currency=t.currency,
                posted_at=at,
            )
            for t in moving
        ]
    )
    Posting.objects.bulk_create(
        [
            Posting(
                transaction=row,
                account_id=accounts[kind, party, t.currency],
                amount_micros=amount,
            )
            for row, t in zip(rows, moving, strict=True)
            for (kind, party), amount in t.amounts.items()
            if amount
        ]
    )


def accounts_of(
    keys: Iterable[tuple[str, int | None, str]],
) -> dict[tuple[str, int | None, str], int]:
    """The ids of these accounts (kind, party, currency), opened where they are not there yet."""
    wanted = set(keys)
    if not wanted:
        return {}
    Account.objects.bulk_create(
        [
            Account(kind=kind, party_id=party, currency=currency)
            for kind, party, currency in sorted(wanted, key=str)
        ],
        ignore_conflicts=True,
    )
    there = Account.objects.filter(
        kind__in={kind for kind, _party, _currency in wanted},
        currency__in={currency for _kind, _party, currency in wanted},
    ).values_list("kind", "party_id", "currency", "pk")
    return {(kind, party, currency): pk for kind, party, currency, pk in there}


def balances(
    *, kind: AccountKind | str, parties: Collection[int] | None = None
) -> dict[tuple[int | None, str], int]:
    """Balances in micros of all accounts of a kind, by party and currency."""
    postings = Posting.objects.filter(account__kind=kind)
    if parties is not None:
        postings = postings.filter(account__party__in=parties)
    return {
        (party, currency): int(total)
        for party, currency, total in postings.values_list("account__party_id", "account__currency")
        .annotate(total=Sum("amount_micros"))
        .order_by("account__party_id", "account__currency")
    }
