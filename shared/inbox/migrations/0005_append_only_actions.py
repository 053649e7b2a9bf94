"""The actions of staff on dead letters are append-only, until the purge of settled letters deletes both."""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION inbox_deadletteraction_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND EXISTS (
        SELECT FROM inbox_deadletter
        WHERE id = OLD.letter_id AND status IN ('RETRIED', 'DISCARDED') AND changed_at < now() - interval '7 days'
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the actions on dead letters are append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON inbox_deadletteraction
    FOR EACH ROW EXECUTE FUNCTION inbox_deadletteraction_append_only();
"""
CHANGEABLE = """
DROP TRIGGER append_only ON inbox_deadletteraction;
DROP FUNCTION inbox_deadletteraction_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("inbox", "0004_fault_of_the_release")]

    operations = [migrations.RunSQL(APPEND_ONLY, CHANGEABLE)]
