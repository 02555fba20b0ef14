"""The log of administrative acts, which only grows.

Entries go when their organization goes, and then alone: by the time a foreign key's own deletion comes to them, the
row of the organization is gone, and that is what the trigger looks for.
"""

import uuid

import django.db.models.deletion
from django.db import migrations, models

import truesend.clock

_HELD = """
ALTER TABLE organizations_auditentry ADD CONSTRAINT auditentry_of_organization
  FOREIGN KEY (organization_id) REFERENCES organizations_organization (id) ON DELETE CASCADE;

CREATE FUNCTION organizations_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND NOT EXISTS (SELECT FROM organizations_organization WHERE id = OLD.organization_id) THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'an entry of the audit log stays as it was written' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER organizations_audit_stays BEFORE UPDATE OR DELETE ON organizations_auditentry
  FOR EACH ROW EXECUTE FUNCTION organizations_audit_stays();
"""

_FREE = """
DROP TRIGGER organizations_audit_stays ON organizations_auditentry;
DROP FUNCTION organizations_audit_stays();
ALTER TABLE organizations_auditentry DROP CONSTRAINT auditentry_of_organization;
"""


class Migration(migrations.Migration):
    dependencies = [("organizations", "0009_zone")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField(default=truesend.clock.now)),
                ("actor", models.UUIDField(null=True)),
                ("actor_name", models.CharField(blank=True, max_length=150)),
                ("actor_email", models.CharField(blank=True, max_length=254)),
                ("action", models.CharField(max_length=60)),
                ("about", models.CharField(blank=True, max_length=254)),
                ("words", models.CharField(blank=True, max_length=500)),
                ("ref", models.CharField(blank=True, max_length=80)),
                (
                    "organization",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="audit_entries",
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-at", "-id"], name="audit_newest")
                ],
            },
        ),
        migrations.RunSQL(_HELD, _FREE),
    ]
