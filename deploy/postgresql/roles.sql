-- Create the roles and the database; run once as a superuser. portal_owner owns the tables and runs migrations.
-- portal_app serves.

CREATE ROLE portal_owner LOGIN;
CREATE ROLE portal_app LOGIN;
CREATE DATABASE portal OWNER portal_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE CONNECT, TEMPORARY ON DATABASE portal FROM PUBLIC;
GRANT CONNECT ON DATABASE portal TO portal_app;
