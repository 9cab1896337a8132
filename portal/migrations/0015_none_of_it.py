"""A notice that a label says so of a recording."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0014_company_mail"),
    ]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("answered_for_you", "someone answered for you"),
                    ("licence_signed", "a licence touches your work"),
                    ("overridden", "a contract overrides your answer"),
                    ("requested", "an AI company asks you"),
                    ("withdrawal_acknowledged", "a withdrawal was acknowledged"),
                    ("withdrawal_overdue", "a withdrawal is overdue"),
                    ("revoked_by_staff", "an answer was revoked by staff"),
                    ("access_granted", "someone got access"),
                    ("access_ended", "someone's access ended"),
                    ("invited", "you got access"),
                    ("statement_published", "a statement was published"),
                    ("export_ready", "an export is ready"),
                    ("export_failed", "an export failed"),
                    ("objection", "an artist objects to a licence of yours"),
                    ("yes_ends", "a yes of yours ends soon"),
                    ("yes_ended", "a yes of yours has ended"),
                    ("licence_ends", "a licence on your work ends soon"),
                    ("licence_ended", "a licence on your work has ended"),
                    ("not_saved", "a change of many recordings was not saved"),
                    ("reaches_more", "a licence reaches more of your work"),
                    ("billing_changed", "where you are named changed"),
                    ("text_changed", "a text that you said yes to changed"),
                    ("contested", "claims on your recordings contradict each other"),
                    ("contest_settled", "claims on your recordings do not contradict any more"),
                    ("none_of_it", "a label says that none of a recording of yours is its own"),
                    ("conflict", "claims on a label's recordings contradict each other"),
                    ("conflict_settled", "claims on a label's recordings add up again"),
                ],
                max_length=30,
            ),
        ),
    ]
