"""What was issued stays as it was issued: the database itself refuses to change or delete a document or a line of it."""

from django.db import migrations

TABLES = ("billing_invoice", "billing_invoiceline")


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION billing_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'an issued document is never changed' USING ERRCODE = 'integrity_constraint_violation';
            END $$
            """,
            "DROP FUNCTION billing_refuse_change()",
        ),
        *(
            migrations.RunSQL(
                f"CREATE TRIGGER {table}_is_issued BEFORE UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION billing_refuse_change()",
                f"DROP TRIGGER {table}_is_issued ON {table}",
            )
            for table in TABLES
        ),
    ]
