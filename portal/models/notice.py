"""What people are told, in the portal and by e-mail."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import WorkRow


class NoticeKind(models.TextChoices):
    """Why somebody is told. The sentences are in `portal.notices`."""

    ANSWERED_FOR_YOU = "answered_for_you", _("someone answered for you")
    LICENCE_SIGNED = "licence_signed", _("a licence touches your work")
    OVERRIDDEN = "overridden", _("a contract overrides your answer")
    REQUESTED = "requested", _("an AI company asks you")
    WITHDRAWAL_ACKNOWLEDGED = "withdrawal_acknowledged", _("a withdrawal was acknowledged")
    WITHDRAWAL_OVERDUE = "withdrawal_overdue", _("a withdrawal is overdue")
    REVOKED_BY_STAFF = "revoked_by_staff", _("an answer was revoked by staff")
    ACCESS_GRANTED = "access_granted", _("someone got access")
    ACCESS_ENDED = "access_ended", _("someone's access ended")
    INVITED = "invited", _("you got access")
    STATEMENT_PUBLISHED = "statement_published", _("a statement was published")
    EXPORT_READY = "export_ready", _("an export is ready")
    EXPORT_FAILED = "export_failed", _("an export failed")
    OBJECTION = "objection", _("an artist objects to a licence of yours")
    YES_ENDS = "yes_ends", _("a yes of yours ends soon")
    YES_ENDED = "yes_ended", _("a yes of yours has ended")
    LICENCE_ENDS = "licence_ends", _("a licence on your work ends soon")
    LICENCE_ENDED = "licence_ended", _("a licence on your work has ended")
    NOT_SAVED = "not_saved", _("a change of many recordings was not saved")
    REACHES_MORE = "reaches_more", _("a licence reaches more of your work")
    BILLING_CHANGED = "billing_changed", _("where you are named changed")
    TEXT_CHANGED = "text_changed", _("a text that you said yes to changed")
    CONTESTED = "contested", _("claims on your recordings contradict each other")
    CONTEST_SETTLED = "contest_settled", _("claims on your recordings do not contradict any more")
    NONE_OF_IT = "none_of_it", _("a label says that none of a recording of yours is its own")
    CONFLICT = "conflict", _("claims on a label's recordings contradict each other")
    CONFLICT_SETTLED = "conflict_settled", _("claims on a label's recordings add up again")


class Notice(WorkRow):
    """One thing that one person is told. The row itself is the work of sending the e-mail.

    `params` holds facts (names, codes, counts, days), never a rendered text: each reader gets
    the sentence in her own language. A notice about an artist is shown and sent only while its
    reader has access to that artist.
    """

    LOCK = timedelta(seconds=60)

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="notices"
    )
    artist = models.ForeignKey(
        "consent.Artist", null=True, blank=True, on_delete=models.PROTECT, related_name="notices"
    )
    kind = models.CharField(max_length=30, choices=NoticeKind.choices)
    params = models.JSONField(default=dict, blank=True)
    link = models.CharField(max_length=300, blank=True, help_text=_("a path of the portal"))
    scope = models.CharField(
        max_length=20, default="see", help_text=_("what the reader must be allowed to do")
    )
    key = models.CharField(max_length=150, help_text=_("the same news is told once"))
    read_at = models.DateTimeField(null=True, blank=True, editable=False)
    emailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    withheld_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("access had ended before delivery")
    )

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = [
            models.Index(fields=["recipient", "-created_at"], name="notices_of_person"),
            models.Index(
                fields=["next_at"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="notices_to_send",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recipient", "key"],
                name="a_person_is_told_once",
                violation_error_code="told",
                violation_error_message=_("This person has been told already."),
            ),
            models.CheckConstraint(
                condition=models.Q(link="") | models.Q(link__startswith="/"),
                name="a_notice_links_into_the_portal",
                violation_error_code="notice_link",
                violation_error_message=_("A notice leads to a page of the portal."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_id}"


class ToldReach(models.Model):
    """What an artist was told last of a licence: which version, and how much of hers it touches.

    What holds now is in the facts. This says what is news beside it: told once for each licence,
    and of what they all reach since then once a day at most (`waits`: there is some to be told).
    """

    licence = models.ForeignKey("consent.Licence", on_delete=models.PROTECT, related_name="+")
    artist = models.ForeignKey("consent.Artist", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField(help_text=_("of the version that was told"))
    recordings = models.PositiveIntegerField(default=0)
    overridden = models.PositiveIntegerField(
        default=0, help_text=_("of these, where her yes is not needed")
    )
    told_at = models.DateTimeField()
    more_at = models.DateTimeField(
        null=True, help_text=_("when she was told last of what it reaches beyond")
    )
    waits = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(fields=["told_at"], condition=models.Q(waits=True), name="reach_to_tell")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["licence", "artist"],
                name="a_licence_is_told_once",
                violation_error_code="told",
                violation_error_message=_("This artist has been told of this licence already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.licence_id} to {self.artist_id}"


class ToldConflict(models.Model):
    """What one party is told of claims that contradict each other: that they do, and no more.

    The party is an artist on the recording, or a label that claims or delivered it. `waits`: there
    is something to be told. What was over before it was told is told to nobody.
    """

    party = models.ForeignKey(
        "consent.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recording = models.ForeignKey(
        "consent.Recording", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    right = models.CharField(max_length=20)
    found_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    settled_told_at = models.DateTimeField(null=True)
    waits = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["party"], condition=models.Q(waits=True), name="conflicts_to_tell"
            ),
            models.Index(fields=["party", "told_at"], name="conflicts_told"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["recording", "right", "party"],
                condition=models.Q(settled_at=None),
                name="a_conflict_is_told_once",
                violation_error_code="told",
                violation_error_message=_("This party has been told of this conflict already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.right} in {self.recording_id} to {self.party_id}"


class NewsPosition(models.Model):
    """How far a reader of the ledger has come: everything up to `seq` has been told."""

    name = models.CharField(max_length=40, primary_key=True)
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name} {self.seq}"
