-- One JSON document of what --no-owner --no-acl leaves out of the dump.
-- Grants are kept as the server writes them: grantee=rights/grantor.
WITH own AS (
    SELECT classid, objid FROM pg_depend WHERE deptype = 'e'
), object AS (
    SELECT 'pg_namespace'::regclass AS class, oid, nspowner AS owner, nspacl AS acl
    FROM pg_namespace WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, relowner, relacl
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND relpersistence <> 't'
      AND nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, proowner, proacl
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    -- Neither the row types of tables nor array types: those follow their base.
    SELECT 'pg_type'::regclass, t.oid, typowner, typacl
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
      AND (typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class WHERE oid = typrelid))
      AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
      AND typtype <> 'm'
    UNION ALL
    SELECT 'pg_operator'::regclass, o.oid, oprowner, NULL
    FROM pg_operator o JOIN pg_namespace n ON n.oid = oprnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_opfamily'::regclass, o.oid, opfowner, NULL
    FROM pg_opfamily o JOIN pg_namespace n ON n.oid = opfnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_opclass'::regclass, o.oid, opcowner, NULL
    FROM pg_opclass o JOIN pg_namespace n ON n.oid = opcnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_collation'::regclass, c.oid, collowner, NULL
    FROM pg_collation c JOIN pg_namespace n ON n.oid = collnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_conversion'::regclass, c.oid, conowner, NULL
    FROM pg_conversion c JOIN pg_namespace n ON n.oid = connamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, d.oid, dictowner, NULL
    FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = dictnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_ts_config'::regclass, c.oid, cfgowner, NULL
    FROM pg_ts_config c JOIN pg_namespace n ON n.oid = cfgnamespace
    WHERE nspname <> 'information_schema' AND nspname !~ '^pg_'
    UNION ALL
    SELECT 'pg_statistic_ext'::regclass, s.oid, stxowner, NULL FROM pg_statistic_ext s
    UNION ALL
    SELECT 'pg_language'::regclass, oid, lanowner, lanacl FROM pg_language WHERE lanispl
    UNION ALL
    SELECT 'pg_foreign_data_wrapper'::regclass, oid, fdwowner, fdwacl FROM pg_foreign_data_wrapper
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, srvowner, srvacl FROM pg_foreign_server
    UNION ALL
    SELECT 'pg_event_trigger'::regclass, oid, evtowner, NULL FROM pg_event_trigger
    UNION ALL
    SELECT 'pg_publication'::regclass, oid, pubowner, NULL FROM pg_publication
    UNION ALL
    SELECT 'pg_extension'::regclass, oid, extowner, NULL FROM pg_extension
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, lomowner, lomacl FROM pg_largeobject_metadata
), role AS (
    SELECT datdba AS oid FROM pg_database WHERE datname = current_database()
    UNION SELECT owner FROM object
    UNION SELECT refobjid FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass
      AND (dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
           OR classid = 'pg_database'::regclass
              AND objid = (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION SELECT setrole FROM pg_db_role_setting
    WHERE setrole <> 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT json_build_object(
    'kind', 'postgres',
    'format', 1,
    'database', (
        SELECT json_build_object(
            'name', datname, 'owner', pg_get_userbyid(datdba), 'acl', datacl::text[],
            'encoding', pg_encoding_to_char(encoding), 'collate', datcollate, 'ctype', datctype,
            'locale_provider', to_json(d)->>'datlocprovider',
            'locale', coalesce(to_json(d)->>'datlocale', to_json(d)->>'daticulocale'),
            'collation_version', to_json(d)->>'datcollversion',
            'connection_limit', datconnlimit,
            'tablespace', (SELECT spcname FROM pg_tablespace t WHERE t.oid = dattablespace),
            'comment', shobj_description(d.oid, 'pg_database'))
        FROM pg_database d WHERE datname = current_database()),
    'settings', (
        SELECT coalesce(json_agg(json_build_object(
            'role', CASE WHEN setrole = 0 THEN NULL ELSE pg_get_userbyid(setrole) END,
            'config', setconfig)), '[]')
        FROM pg_db_role_setting
        WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
    'extensions', (
        SELECT coalesce(json_agg(json_build_object(
            'name', extname, 'version', extversion, 'schema', nspname) ORDER BY extname), '[]')
        FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace),
    'default_acls', (
        SELECT coalesce(json_agg(json_build_object(
            'role', pg_get_userbyid(defaclrole), 'schema', nspname,
            'kind', defaclobjtype, 'acl', defaclacl::text[])), '[]')
        FROM pg_default_acl LEFT JOIN pg_namespace n ON n.oid = defaclnamespace),
    'objects', (
        SELECT coalesce(json_agg(json_build_object(
            'type', i.type, 'identity', i.identity,
            'owner', pg_get_userbyid(o.owner), 'acl', o.acl::text[]) ORDER BY i.type, i.identity), '[]')
        FROM object o, LATERAL pg_identify_object(o.class, o.oid, 0) i
        WHERE NOT EXISTS (SELECT FROM own WHERE own.classid = o.class AND own.objid = o.oid)),
    'columns', (
        SELECT coalesce(json_agg(json_build_object(
            'table', quote_ident(nspname) || '.' || quote_ident(relname),
            'column', attname, 'acl', attacl::text[])), '[]')
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN pg_namespace n ON n.oid = relnamespace
        WHERE attacl IS NOT NULL AND NOT attisdropped
          AND nspname <> 'information_schema' AND nspname !~ '^pg_'),
    'roles', (
        SELECT coalesce(json_agg(json_build_object(
            'name', rolname, 'login', rolcanlogin, 'superuser', rolsuper,
            'bypassrls', rolbypassrls) ORDER BY rolname), '[]')
        FROM pg_roles WHERE oid IN (SELECT oid FROM role)))
