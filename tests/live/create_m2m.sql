-- Create a machine-to-machine application with access to the Management API in a self-hosted Logto, as the Console does.
--   psql -v app_id=... -v app_secret=... -f tests/live/create_m2m.sql "$DB_URL"
-- The App ID has at most 21 letters and digits, the secret at most 64.
\set ON_ERROR_STOP on
BEGIN;
INSERT INTO applications (tenant_id, id, name, secret, type, oidc_client_metadata)
  VALUES ('default', :'app_id', 'Live suite', gen_random_uuid(), 'MachineToMachine',
          '{"redirectUris": [], "postLogoutRedirectUris": []}');
INSERT INTO application_secrets (tenant_id, application_id, name, value)
  VALUES ('default', :'app_id', 'Default secret', :'app_secret');
INSERT INTO applications_roles (tenant_id, id, application_id, role_id)
  SELECT 'default', left(replace(gen_random_uuid()::text, '-', ''), 21), :'app_id', id FROM roles
  WHERE tenant_id = 'default' AND name = 'Logto Management API access';
COMMIT;
