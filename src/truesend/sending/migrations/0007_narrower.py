"""What an email costs to change: fewer indexes, a row without its text, and room beside it.

An email's row changes twice while it is sent. With its HTML in the row that is a copy of all of it; beside it (in TOAST)
the list of emails reads less too. With room on its page no index is touched (HOT).
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0003_standstill"),
        ("sending", "0006_corrected_and_late"),
    ]

    operations = [
        migrations.AlterField(
            model_name="attachment",
            name="email",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attachments",
                to="sending.email",
            ),
        ),
        migrations.AlterField(
            model_name="attachmentpiece",
            name="attachment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="pieces",
                to="sending.attachment",
            ),
        ),
        # By hand: Django would drop every index over this one column, the two unique partial ones too (tried).
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "DROP INDEX sending_attempt_delivery_id_c3e8182e",
                    "CREATE INDEX sending_attempt_delivery_id_c3e8182e ON sending_attempt (delivery_id)",
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="attempt",
                    name="delivery",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="sending.delivery",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="email",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="emails",
                to="organizations.member",
            ),
        ),
        migrations.AlterField(
            model_name="email",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="emails",
                to="organizations.organization",
            ),
        ),
        migrations.AlterField(
            model_name="recipient",
            name="delivery",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="recipients",
                to="sending.delivery",
            ),
        ),
        migrations.RunSQL(
            "ALTER TABLE sending_email SET (toast_tuple_target = 256, fillfactor = 85)",
            "ALTER TABLE sending_email RESET (toast_tuple_target, fillfactor)",
        ),
    ]
