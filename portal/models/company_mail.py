"""What AI companies are told by e-mail, where no webhook tells them."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models import WorkRow


class CompanyNewsKind(models.TextChoices):
    """Why a company is written to. The sentences are in the template of the e-mail."""

    WITHDRAWAL = "withdrawal", _("a yes was taken back")
    OVER = "over", _("what was taken back is allowed again")
    ANSWER = "answer", _("a question was answered")
    OBJECTION = "objection", _("an artist objects to a licence")


class CompanyMail(WorkRow):
    """One e-mail to one company: all that is new at its time. The row is the work of sending it.

    Nobody else tells the company, so it is tried for more than a day before it is given up.
    """

    MAX_ATTEMPTS = 8

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey("consent.AICompany", on_delete=models.PROTECT, related_name="mails")
    address = models.EmailField(blank=True, editable=False, help_text=_("where it was sent"))
    sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("e-mail to a company")
        verbose_name_plural = _("e-mails to companies")
        ordering = ("-id",)

    def __str__(self) -> str:
        return str(self.company)


class CompanyNews(models.Model):
    """One thing that a company is told by e-mail, once. Without a `mail` it waits for the next.

    `about` holds refs and codes, never a rendered text.
    """

    company = models.ForeignKey(
        "consent.AICompany", on_delete=models.PROTECT, related_name="mailed_news"
    )
    kind = models.CharField(max_length=12, choices=CompanyNewsKind.choices)
    key = models.CharField(max_length=150, help_text=_("the same news is told once"))
    about = models.JSONField(default=dict, blank=True)
    withdrawal = models.ForeignKey(
        "consent.Withdrawal", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    mail = models.ForeignKey(
        CompanyMail, null=True, blank=True, on_delete=models.PROTECT, related_name="news"
    )
    created_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(
                fields=["company"], condition=models.Q(mail=None), name="company_news_to_send"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "key"],
                name="a_company_is_mailed_once",
                violation_error_code="told",
                violation_error_message=_("This company has been told already."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind="withdrawal", withdrawal__isnull=False)
                | (~models.Q(kind="withdrawal") & models.Q(withdrawal=None)),
                name="news_of_a_withdrawal_names_it",
                violation_error_code="withdrawal",
                violation_error_message=_("News of a withdrawal say of which."),
            ),
        ]

    def __str__(self) -> str:
        return self.key
