"""What uses are worth, and to whom: usage, rates, splits, allocation, postings, statements."""

from royalties.models.allocation import Allocation, AllocationLine, AllocationShare
from royalties.models.earnings import RecordingEarnings, ToolEarnings
from royalties.models.hold import HoldRelease
from royalties.models.payout import Payout
from royalties.models.period import ClosingStep, Period
from royalties.models.posting import Account, Posting, Transaction
from royalties.models.rate import Rate
from royalties.models.split import SplitAnswer, SplitShare, SplitVersion
from royalties.models.statement import Statement, StatementDraft, StatementLine
from royalties.models.usage import UsageConflict, UsageEvent, UsageRefusal

__all__ = [
    "Account",
    "Allocation",
    "AllocationLine",
    "AllocationShare",
    "ClosingStep",
    "HoldRelease",
    "Payout",
    "Period",
    "Posting",
    "Rate",
    "RecordingEarnings",
    "SplitAnswer",
    "SplitShare",
    "SplitVersion",
    "Statement",
    "StatementDraft",
    "StatementLine",
    "ToolEarnings",
    "Transaction",
    "UsageConflict",
    "UsageEvent",
    "UsageRefusal",
]
