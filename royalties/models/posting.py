"""Accounts and postings: double entry, append-only, balanced per currency."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from royalties.models.fields import currency_check, currency_field
from royalties.models.period import Period
from royalties.words import AccountKind, TransactionKind


class Account(models.Model):
    """One party's money of one kind in one currency; its balance is the sum of its postings.

    `held` has an account without a party: money of which nobody has said yet whose it is. Lock
    this row (`select_for_update`) before deciding anything by its balance.
    """

    kind = models.CharField(max_length=10, choices=AccountKind.choices)
    party = models.ForeignKey(
        "consent.Party", null=True, blank=True, on_delete=models.PROTECT, related_name="accounts"
    )
    currency = currency_field()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "party", "currency"],
                nulls_distinct=False,
                name="one_account_of_a_kind",
                violation_error_code="account",
                violation_error_message=_("This account is there already."),
            ),
            models.CheckConstraint(
                condition=Q(party__isnull=False) | Q(kind="held"),
                name="an_account_is_somebodys",
                violation_error_code="account_party",
                violation_error_message=_("An account belongs to a party."),
            ),
            currency_check("an_account_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.party_id} {self.currency}"


class Transaction(models.Model):
    """Postings that belong together, in one currency, and sum to zero. Append-only.

    `key` makes doing it twice impossible: what it is about, in words that do not change.
    """

    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="transactions")
    kind = models.CharField(max_length=12, choices=TransactionKind.choices)
    key = models.CharField(max_length=120)
    currency = currency_field()
    posted_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                name="a_transaction_is_posted_once",
                violation_error_code="transaction",
                violation_error_message=_("This was posted already."),
            ),
            currency_check("a_transaction_has_a_currency"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class Posting(models.Model):
    """One side of a transaction; positive amounts are owed to the account's party. Append-only."""

    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="postings")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings")
    amount_micros = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "account"],
                name="one_posting_per_account",
                violation_error_code="posting",
                violation_error_message=_("This account is posted to already."),
            ),
            models.CheckConstraint(
                condition=~Q(amount_micros=0),
                name="a_posting_moves_something",
                violation_error_code="posting_zero",
                violation_error_message=_("A posting of nothing is no posting."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount_micros}"
