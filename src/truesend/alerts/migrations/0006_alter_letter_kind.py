from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0005_alter_letter_kind"),
    ]

    operations = [
        migrations.AlterField(
            model_name="letter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("broken", "a connection is in trouble"),
                    ("recovered", "a connection works again"),
                    ("client", "an operator has to repair something"),
                    ("client_works", "it is repaired"),
                    ("due", "scheduled mail would not leave"),
                    ("ask", "somebody asks for something"),
                    ("done", "what was asked for is done"),
                    ("account", "an organization's account ends, has ended, or is odd"),
                    ("host", "an organization's tracking host does not lead here"),
                    ("host_leads", "it does again"),
                    ("closing", "an organization is to be deleted"),
                    ("kept", "it stays after all"),
                    ("closed", "an organization or an account is deleted"),
                ],
                max_length=12,
            ),
        ),
    ]
