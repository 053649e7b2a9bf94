"""The ledger balances at every commit, and is only ever appended to."""

from django.db import migrations

BALANCED = """
CREATE FUNCTION payments_ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount_minor) <> 0 OR count(DISTINCT currency) <> 1
        FROM payments_ledgerentry WHERE movement = NEW.movement) THEN
        RAISE EXCEPTION 'ledger movement % does not balance', NEW.movement
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balances';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON payments_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION payments_ledger_balances();

CREATE FUNCTION payments_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only ever appended to'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_is_append_only';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON payments_ledgerentry
    FOR EACH ROW EXECUTE FUNCTION payments_ledger_is_append_only();
"""
UNDO = """
DROP TRIGGER ledger_balances ON payments_ledgerentry;
DROP FUNCTION payments_ledger_balances();
DROP TRIGGER ledger_is_append_only ON payments_ledgerentry;
DROP FUNCTION payments_ledger_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial")]
    operations = [migrations.RunSQL(BALANCED, UNDO)]
