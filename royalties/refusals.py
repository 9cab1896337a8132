"""The database's own rules in words: what a trigger refuses, as a code and a sentence.

Rules that are constraints of a model carry theirs with the model. These have no model to carry
them; the names are those of `sql/periods.sql` and `sql/sums.sql`.
"""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RULES: dict[str, tuple[str, str | Promise]] = {
    "a_period_stays_its_month": ("period", _("A period stays the month it is.")),
    "a_period_moves_forward": (
        "period_state",
        _("A month goes from open to published, one step at a time, and never back."),
    ),
    "months_are_closed_in_order": (
        "earlier_period_open",
        _("An earlier month is not published yet."),
    ),
    "a_closed_period_stays_closed": (
        "period_closed",
        _("This month does not take this any more. Correct it in a month that is open."),
    ),
    "a_use_is_paid_in_its_month_or_later": (
        "usage_period",
        _("A use is paid in its own month or a later one."),
    ),
    "written_in_one_go": (
        "complete",
        _("This is complete, and nothing is added to it. Write a new one that corrects it."),
    ),
    "a_share_is_of_a_use_of_its_period": (
        "allocation_share",
        _("A share is of a use of its own month and tool."),
    ),
    "postings_balance": ("unbalanced", _("The postings of a transaction sum to zero.")),
    "a_transaction_has_two_sides": ("one_sided", _("A transaction has at least two postings.")),
    "postings_keep_to_one_currency": (
        "two_currencies",
        _("A transaction keeps to one currency."),
    ),
    "an_account_stays_what_it_is": ("account", _("An account stays what it is.")),
    "allocations_add_up": (
        "allocation_sum",
        _("What was allocated does not add up, and goes no further."),
    ),
    "a_split_is_whole": ("split_sum", _("The shares must sum to 100 %.")),
    "a_split_needs_everyones_yes": (
        "split_not_accepted",
        _("A split is in force when everyone in it has said yes."),
    ),
    "a_split_is_not_edited": ("split_edited", _("A split is not edited. Propose another.")),
    "statements_add_up": (
        "statement_sum",
        _("A statement is not the sum of its lines, and is not published."),
    ),
    "statements_are_what_was_posted": (
        "statement_posted",
        _("A statement is not what was posted, and is not published."),
    ),
}
