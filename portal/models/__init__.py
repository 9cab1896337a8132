"""The portal's own tables: people, their rosters, what they are told and what they fetched."""

from portal.models.account import User
from portal.models.alarm import AlarmMail
from portal.models.bulk import BulkChange
from portal.models.client import ApiClient, ApiKey
from portal.models.company_mail import CompanyMail, CompanyNews, CompanyNewsKind
from portal.models.export import Export, ExportKind, JobSlot
from portal.models.idempotency import AnsweredRequest
from portal.models.notice import NewsPosition, Notice, NoticeKind, ToldConflict, ToldReach
from portal.models.roster import Membership, Roster, RosterArtist, RosterKind
from portal.models.staff_act import StaffAct
from portal.models.visit import Visit
from portal.models.webhook import WebhookAttempt, WebhookEndpoint, WebhookKind, WebhookMessage

__all__ = [
    "AlarmMail",
    "AnsweredRequest",
    "ApiClient",
    "ApiKey",
    "BulkChange",
    "CompanyMail",
    "CompanyNews",
    "CompanyNewsKind",
    "Export",
    "ExportKind",
    "JobSlot",
    "Membership",
    "NewsPosition",
    "Notice",
    "NoticeKind",
    "Roster",
    "RosterArtist",
    "RosterKind",
    "StaffAct",
    "ToldConflict",
    "ToldReach",
    "User",
    "Visit",
    "WebhookAttempt",
    "WebhookEndpoint",
    "WebhookKind",
    "WebhookMessage",
]
