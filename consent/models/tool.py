"""AI companies, their tools, and the versions of the models inside."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import Fact
from consent.models.party import Party
from consent.words import ToolKind


class AICompany(models.Model):
    """A company that licenses music for AI, and reports here what it does with it."""

    party = models.OneToOneField(Party, primary_key=True, on_delete=models.PROTECT)
    slug = models.SlugField(max_length=80, unique=True)
    website = models.URLField(blank=True)
    contact = models.EmailField(
        blank=True, help_text=_("told by e-mail what must stop, where no webhook tells it")
    )

    class Meta:
        verbose_name = _("AI company")
        verbose_name_plural = _("AI companies")

    def __str__(self) -> str:
        return self.party.name


class Tool(models.Model):
    """A product of an AI company, as its customers know it."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(AICompany, on_delete=models.PROTECT, related_name="tools")
    slug = models.SlugField(max_length=80, unique=True, help_text=_("its name in the API"))
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=ToolKind.choices)
    about = models.TextField(blank=True)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["company", "name"],
                name="a_company_names_each_tool_once",
                violation_error_code="tool",
                violation_error_message=_("This tool is registered already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ToolState(Fact):
    """What decisions read of a tool."""

    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="states")
    suspended = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["tool", "-id"], name="tool_state_latest")]

    def __str__(self) -> str:
        return f"{self.tool_id}"


class ModelVersion(models.Model):
    """A model as it was trained once. What it has learned cannot be unlearned."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    tool = models.ForeignKey(Tool, on_delete=models.PROTECT, related_name="model_versions")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tool", "name"],
                name="a_tool_names_each_model_version_once",
                violation_error_code="model_version",
                violation_error_message=_("This model version is registered already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class ModelVersionState(Fact):
    """What decisions read of a model version: does it still run."""

    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="states")
    retired = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["model_version", "-id"], name="model_state_latest")]

    def __str__(self) -> str:
        return f"{self.model_version_id}"
