-- One JSON document about the database and what this role may read of it.
-- {size} stands for the expression that gives a table's size.
WITH member AS (
    -- What belongs to an extension is made by CREATE EXTENSION and not dumped,
    -- except the data of its configuration tables.
    SELECT d.objid
    FROM pg_depend d
    WHERE d.classid = 'pg_class'::regclass AND d.deptype = 'e'
      AND NOT EXISTS (SELECT FROM pg_extension e WHERE d.objid = ANY (e.extconfig))
), relation AS (
    SELECT c.oid, c.relkind, c.relname, n.nspname, n.oid AS nspoid,
           quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
      AND NOT EXISTS (SELECT FROM member WHERE member.objid = c.oid)
), unreadable AS (
    SELECT 1 AS kind, 'schema ' || quote_ident(nspname) AS name
    FROM (SELECT DISTINCT nspname, nspoid FROM relation) s
    WHERE NOT has_schema_privilege(nspoid, 'USAGE')
    UNION ALL
    SELECT 2, name FROM relation
    WHERE relkind IN ('r', 'p') AND NOT has_table_privilege(oid, 'SELECT')
    UNION ALL
    -- Not has_sequence_privilege: it fails on other relations, and the planner
    -- may ask it before it looks at relkind.
    SELECT 3, 'sequence ' || name FROM relation
    WHERE relkind = 'S' AND NOT has_table_privilege(oid, 'SELECT')
    UNION ALL
    SELECT 4, 'large object ' || m.oid FROM pg_largeobject_metadata m
    WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
      AND NOT pg_has_role(m.lomowner, 'USAGE')
      AND NOT EXISTS (
          SELECT FROM aclexplode(m.lomacl) a
          WHERE a.privilege_type = 'SELECT'
            AND CASE WHEN a.grantee = 0 THEN true ELSE pg_has_role(a.grantee, 'USAGE') END)
)
SELECT json_build_object(
    'version_num', current_setting('server_version_num')::int,
    'version', split_part(current_setting('server_version'), ' ', 1),
    'database', current_database(),
    'role', current_user,
    'size', pg_database_size(current_database()),
    'conforming', current_setting('standard_conforming_strings') = 'on',
    'single_session', (SELECT rolconnlimit = 1 FROM pg_roles WHERE rolname = current_user),
    'large_object_bytes', pg_table_size('pg_catalog.pg_largeobject'),
    'large_objects', EXISTS (SELECT FROM pg_largeobject_metadata),
    'schemas', (SELECT coalesce(json_agg(quote_ident(nspname)), '[]')
                FROM (SELECT DISTINCT nspname FROM relation ORDER BY 1) s),
    'tables', (SELECT coalesce(json_agg(json_build_array(name, nspname || '.' || relname, {size})), '[]')
               FROM relation WHERE relkind = 'r'),
    'unreadable', (SELECT coalesce(json_agg(name ORDER BY kind, name), '[]') FROM unreadable),
    'filtered', (SELECT coalesce(json_agg(name ORDER BY name), '[]')
                 FROM relation WHERE relkind IN ('r', 'p') AND row_security_active(oid)))
