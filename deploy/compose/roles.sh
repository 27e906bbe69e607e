#!/bin/sh
# Create the roles, their passwords and the database. PostgreSQL's image runs this once, when it creates its data.
set -eu
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres --file=/etc/portal/roles.sql
psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username=postgres \
    --set=owner="$(cat /run/secrets/owner_password)" --set=app="$(cat /run/secrets/app_password)" <<'SQL'
ALTER ROLE portal_owner PASSWORD :'owner';
ALTER ROLE portal_app PASSWORD :'app';
SQL
