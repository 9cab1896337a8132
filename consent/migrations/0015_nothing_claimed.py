"""A party may say that nothing of a right in one recording is its own: a claim of 0."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0014_answers"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="rightsclaim",
            name="a_claim_is_a_share_of_the_whole",
        ),
        migrations.AddConstraint(
            model_name="rightsclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(("share_bp__gte", 0), ("share_bp__lte", 10000)),
                name="a_claim_is_a_share_of_the_whole",
                violation_error_code="claim_share",
                violation_error_message="A share is more than 0 and at most 100 %%.",
            ),
        ),
        migrations.AddConstraint(
            model_name="rightsclaim",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("share_bp__gt", 0),
                    models.Q(("recording__isnull", False), ("territories", [])),
                    _connector="OR",
                ),
                name="nothing_is_claimed_of_one_recording_everywhere",
                violation_error_code="claim_nothing",
                violation_error_message="That nothing is claimed is said of one recording, and for all countries.",
            ),
        ),
    ]
