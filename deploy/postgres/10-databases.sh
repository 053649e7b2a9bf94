#!/bin/sh
# Make a role and a database for each service. Only its own role may connect to a database. Runs once, on an empty volume.
set -eu
for name in users destinations bookings notifications; do
    variable="$(printf %s "$name" | tr '[:lower:]' '[:upper:]')_DATABASE_PASSWORD"
    eval "password=\${$variable:?}"
    psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d postgres \
        -v name="$name" -v password="$password" <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
done
