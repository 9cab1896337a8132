"""Payouts: asking for the money in a balance. Bank transfers themselves come later."""

from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext_lazy as _

from consent.clock import now
from consent.errors import Refused, refused_by
from consent.models import Party
from consent.services.acts import take_turn
from royalties.models import Account, Payout, Posting
from royalties.money import MoneyError, minor_to_micros
from royalties.services.periods import month_of, open_period_for
from royalties.services.posting import NewTransaction, accounts_of, post
from royalties.words import AccountKind, PayoutState, TransactionKind

if TYPE_CHECKING:
    from portal.models import User


@transaction.atomic
def request_payout(
    *, by: "User | None", party: Party, currency: str, amount_minor: int, key: str
) -> Payout:
    """Ask for `amount_minor` (whole minor units) of a party's balance; it leaves it at once.

    The same `key` again returns the payout that was requested with it. Of two requests that race
    for one balance, one gets it. Raises `Refused`: `payout_differs` when the key stands for
    another amount, `balance_too_low`, or the code of the field that is wrong.
    """
    try:
        amount_micros = minor_to_micros(amount_minor, currency)
    except MoneyError as error:
        raise Refused("currency", str(error), field="currency") from error
    take_turn("payout", party.pk, key)
    # The account's row orders all that is decided by its balance.
    account = accounts_of([(AccountKind.PAYABLE.value, party.pk, currency)])
    payable = Account.objects.select_for_update(no_key=True).get(
        pk=account[AccountKind.PAYABLE.value, party.pk, currency]
    )
    found = Payout.objects.filter(party=party, key=key).first()
    if found is not None:
        if (found.amount_minor, found.currency) != (amount_minor, currency):
            raise Refused("payout_differs", _("Another payout was requested under this key."))
        return found
    at = now()
    payout = Payout(
        party=party,
        currency=currency,
        amount_minor=amount_minor,
        key=key,
        requested_by=by,
        requested_at=at,
    )
    try:
        payout.full_clean()
    except ValidationError as error:
        raise refused_by(error) from error
    balance = Posting.objects.filter(account=payable).aggregate(total=Sum("amount_micros"))["total"]
    if int(balance or 0) < amount_micros:
        raise Refused("balance_too_low", _("There is not so much in the balance."))
    payout.save()
    moved = NewTransaction(TransactionKind.PAYOUT, str(payout.ref), currency)
    moved.move(AccountKind.PAYABLE, party.pk, -amount_micros)
    moved.move(AccountKind.CLEARING, party.pk, amount_micros)
    post(period=open_period_for(month=month_of(at)), transactions=[moved], at=at)
    return payout


@transaction.atomic
def cancel_payout(*, by: "User | None", payout: Payout) -> Payout:
    """Take a payout back that has not left yet; the money returns to the balance.

    Again is harmless. Raises `Refused` (`payout_gone`) when it is on its way or paid.
    """
    payout = Payout.objects.select_for_update(no_key=True).get(pk=payout.pk)
    if payout.state == PayoutState.CANCELLED:
        return payout
    if payout.state not in (PayoutState.REQUESTED, PayoutState.APPROVED):
        raise Refused("payout_gone", _("This payout has left already."))
    at = now()
    payout.state = PayoutState.CANCELLED
    payout.save(update_fields=["state"])
    amount_micros = minor_to_micros(payout.amount_minor, payout.currency)
    moved = NewTransaction(TransactionKind.PAYOUT_BACK, str(payout.ref), payout.currency)
    moved.move(AccountKind.PAYABLE, payout.party_id, amount_micros)
    moved.move(AccountKind.CLEARING, payout.party_id, -amount_micros)
    post(period=open_period_for(month=month_of(at)), transactions=[moved], at=at)
    return payout
