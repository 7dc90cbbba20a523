// Expressions that the queries of PostgreSQL's catalogue have in common.

/** Objects that initdb made have smaller ids. Source: FirstNormalObjectId, src/include/access/transam.h. */
export const FIRST_ID_OF_USERS = 16384;

/** What an object is called, whole: with schema, argument types, owner or whatever else makes it this one. */
export const IDENTITY = (catalogue: string, oid: string): string =>
  `(pg_identify_object('pg_catalog.${catalogue}'::regclass, ${oid}, 0)).identity`;

/** Members of extensions are told by `EXTENSIONS`. */
export const NOT_OF_AN_EXTENSION = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** Grants as sorted text; a list that was never touched reads like the default it stands for. */
export const ACL = (acl: string, kind: string, owner: string): string => `(
  SELECT string_agg(one, ' ' ORDER BY one) FROM (
    SELECT coalesce(r.rolname, 'PUBLIC') || '=' ||
           string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ',' ORDER BY a.privilege_type) AS one
      FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
     GROUP BY r.rolname) AS grants)`;

/** Of what may hold a password: compared, never read. */
export const DIGEST = (text: string): string => `left(encode(sha256(convert_to(${text}, 'UTF8')), 'hex'), 12)`;
