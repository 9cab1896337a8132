"""What AI did: recordings that taught a model, outputs, and what those outputs drew on."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from consent.models.ledger import LedgerEntry
from consent.models.recording import Recording
from consent.models.tool import AICompany, ModelVersion
from consent.words import Right, UseKind


class TrainingRun(models.Model):
    """One run, as reported: which recordings taught which model version."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(AICompany, on_delete=models.PROTECT, related_name="runs")
    client_ref = models.CharField(max_length=100, help_text=_("the company's own id, unique"))
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="runs")
    use = models.CharField(max_length=20, choices=UseKind.choices)
    trained_at = models.DateTimeField()
    manifest_digest = models.CharField(
        max_length=64, help_text=_("SHA-256 over the sorted ISRCs, one per line")
    )
    entry = models.ForeignKey(LedgerEntry, on_delete=models.PROTECT, related_name="+")
    reported_at = models.DateTimeField(editable=False)

    class Meta:
        indexes = [models.Index(fields=["-trained_at"], name="training_by_time")]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "client_ref"],
                name="a_training_run_is_reported_once",
                violation_error_code="training_run",
                violation_error_message=_("This training run was reported already."),
            )
        ]

    def __str__(self) -> str:
        return self.client_ref


class TrainingUse(models.Model):
    """A recording taught a model version. `allowed` is the decision at the time of use."""

    run = models.ForeignKey(TrainingRun, on_delete=models.PROTECT, related_name="uses")
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="training_uses"
    )
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="training_uses")
    allowed = models.BooleanField()
    reason = models.CharField(max_length=40, help_text=_("code of the deciding reason"))
    known_seq = models.BigIntegerField(help_text=_("the ledger position of that decision"))

    class Meta:
        indexes = [
            models.Index(fields=["recording", "model_version"], name="training_of_recording"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "recording"],
                name="a_recording_is_in_a_run_once",
                violation_error_code="training_use",
                violation_error_message=_("This recording is in the run already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.recording_id} in {self.run_id}"


class Output(models.Model):
    """Something an AI tool made, and under which use kind it drew on recordings."""

    ref = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(AICompany, on_delete=models.PROTECT, related_name="outputs")
    client_ref = models.CharField(max_length=100, help_text=_("the company's own id, unique"))
    model_version = models.ForeignKey(
        ModelVersion, on_delete=models.PROTECT, related_name="outputs"
    )
    use = models.CharField(max_length=20, choices=UseKind.choices)
    title = models.CharField(max_length=300, blank=True)
    made_at = models.DateTimeField()
    reported_at = models.DateTimeField(editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["model_version", "-made_at"], name="outputs_of_model"),
            # A span of days is read from the index alone, beside one artist's part in it.
            models.Index(
                fields=["-made_at"],
                include=["id", "model_version", "use"],
                name="outputs_by_time",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["company", "client_ref"],
                name="an_output_is_reported_once",
                violation_error_code="output",
                violation_error_message=_("This output was reported already."),
            )
        ]

    def __str__(self) -> str:
        return self.client_ref


class Attribution(models.Model):
    """How much an output drew on a recording: an estimate, in basis points, per right.

    The parts of one output and right sum to 10 000; the database checks it at commit.
    """

    output = models.ForeignKey(Output, on_delete=models.PROTECT, related_name="attributions")
    recording = models.ForeignKey(Recording, on_delete=models.PROTECT, related_name="attributions")
    right = models.CharField(max_length=12, choices=Right.choices)
    influence_bp = models.PositiveIntegerField()
    method = models.CharField(max_length=60, help_text=_("method and version, as attrib-3.2"))
    confidence_bp = models.PositiveIntegerField(null=True, blank=True)
    allowed = models.BooleanField(help_text=_("the decision at the time of use"))
    reason = models.CharField(max_length=40, help_text=_("code of the deciding reason"))
    known_seq = models.BigIntegerField(help_text=_("the ledger position of that decision"))

    class Meta:
        indexes = [models.Index(fields=["recording", "output"], name="attributions_of_recording")]
        constraints = [
            models.UniqueConstraint(
                fields=["output", "recording", "right"],
                name="a_recording_is_attributed_once",
                violation_error_code="attribution",
                violation_error_message=_("This recording is attributed already."),
            ),
            models.CheckConstraint(
                condition=Q(influence_bp__gte=1, influence_bp__lte=10_000),
                name="an_influence_is_a_part_of_the_whole",
                violation_error_code="influence",
                violation_error_message=_("An influence is more than 0 and at most 100 %%."),
            ),
            models.CheckConstraint(
                condition=Q(confidence_bp=None) | Q(confidence_bp__lte=10_000),
                name="a_confidence_is_at_most_certain",
                violation_error_code="confidence",
                violation_error_message=_("A confidence is at most 100 %%."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.influence_bp / 100} %"
