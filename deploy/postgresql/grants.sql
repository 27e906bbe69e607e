-- Grant portal_app its privileges; run once as portal_owner in the database portal, after the first `flask db upgrade`.

GRANT USAGE ON SCHEMA public TO portal_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO portal_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO portal_app;
REVOKE UPDATE, DELETE ON audit_events, client_revisions FROM portal_app;
REVOKE UPDATE ON client_reads FROM portal_app;
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM portal_app;
-- The tables that later migrations of this owner make:
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO portal_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON SEQUENCES TO portal_app;
