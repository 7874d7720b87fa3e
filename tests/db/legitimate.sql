-- What the plugin `notes` may do: every line must succeed, on the database that
-- hostile.sql describes. Entries are separated by empty lines; each begins anew.

SELECT 1

SELECT * FROM ext_notes_a

SELECT * FROM main.ext_notes_a

SELECT * FROM EXT_NOTES_A AS a WHERE a.Body > '' ORDER BY n DESC LIMIT 3 OFFSET 0

SELECT count(*) FROM ext_notes_a

SELECT count(*) FROM main.ext_notes_a

SELECT 1 FROM ext_notes_a

SELECT rowid, _rowid_, oid FROM ext_notes_a

SELECT a.id, count(b.id) FROM ext_notes_a AS a LEFT JOIN ext_notes_b AS b ON b.a_id = a.id GROUP BY a.id HAVING count(*) > 0

SELECT * FROM ext_notes_a NATURAL JOIN ext_notes_b

SELECT * FROM ext_notes_a CROSS JOIN ext_notes_b

SELECT * FROM ext_notes_a FULL JOIN ext_notes_b ON a_id = ext_notes_a.id

SELECT (SELECT count(*) FROM ext_notes_a), EXISTS (SELECT 1 FROM ext_notes_b)

SELECT body FROM ext_notes_a UNION SELECT a_id FROM ext_notes_b ORDER BY 1

VALUES (1, 2), (3, 4)

SELECT * FROM host.posts

SELECT * FROM posts

SELECT count(*) FROM posts

SELECT count(*) FROM host.posts

SELECT title FROM posts JOIN ext_notes_a USING (id)

CREATE TABLE ext_notes_t AS SELECT * FROM host.posts
SELECT * FROM ext_notes_t

INSERT INTO ext_notes_a(body) SELECT title FROM posts

WITH c AS (SELECT 1 AS one) SELECT one FROM c

WITH c AS (SELECT 1 AS one) SELECT count(*) FROM c

WITH c(x) AS (VALUES (1), (2)) SELECT 1 FROM c

WITH secrets AS (SELECT 1 AS one) SELECT one FROM secrets

WITH secrets AS (SELECT 1 AS one) SELECT count(*) FROM secrets

WITH users AS (SELECT id FROM ext_notes_a) SELECT count(*) FROM users

SELECT count(*) FROM (SELECT * FROM ext_notes_a) AS secrets

SELECT secrets.id FROM ext_notes_a AS secrets

SELECT body AS secrets FROM ext_notes_a ORDER BY secrets

WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10) SELECT sum(n) FROM c

WITH RECURSIVE tree(id, depth) AS (SELECT id, 0 FROM ext_notes_a UNION ALL SELECT b.id, depth + 1 FROM ext_notes_b AS b JOIN tree ON b.a_id = tree.id WHERE depth < 3) SELECT count(*) FROM tree

WITH c AS MATERIALIZED (SELECT * FROM ext_notes_a) SELECT count(*) FROM c AS d, c AS e

SELECT id, row_number() OVER (ORDER BY id), rank() OVER w, lag(body) OVER w, sum(n) OVER (PARTITION BY body ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM ext_notes_a WINDOW w AS (ORDER BY n)

SELECT ntile(2) OVER (ORDER BY id), first_value(id) OVER (ORDER BY id), nth_value(id, 1) OVER (ORDER BY id), cume_dist() OVER (ORDER BY id), percent_rank() OVER (ORDER BY id) FROM ext_notes_a

SELECT group_concat(body, ', '), string_agg(body, '-'), total(n), avg(n), min(n), max(n) FROM ext_notes_a

SELECT group_concat(body ORDER BY id DESC) FILTER (WHERE n > 0) FROM ext_notes_a

SELECT upper(body), lower(body), length(body), substr(body, 1, 2), trim(body), replace(body, 'a', 'b'), instr(body, 'a'), hex(body), quote(body), printf('%05d', n), format('%s', body) FROM ext_notes_a

SELECT body LIKE 'a%', body LIKE '!%' ESCAPE '!', body GLOB 'a*', body NOT LIKE '_', body BETWEEN 'a' AND 'b' FROM ext_notes_a

SELECT coalesce(n, 0), ifnull(n, 0), nullif(n, 0), iif(n, 1, 2), abs(n), round(1.5), sign(n), typeof(n), random() IS NOT NULL, char(65), unicode('A'), zeroblob(3), randomblob(3), concat('a', 'b'), concat_ws('-', 'a', 'b'), octet_length('a'), unhex('41'), soundex('a') FROM ext_notes_a

SELECT date('now'), time('now'), datetime('now', '+1 day'), julianday('now'), unixepoch(), strftime('%Y', 'now'), timediff('2024-01-02', '2024-01-01'), CURRENT_TIMESTAMP, CURRENT_DATE, CURRENT_TIME

SELECT last_insert_rowid(), changes(), total_changes(), sqlite_version()

SELECT CAST(n AS TEXT), body COLLATE NOCASE, CASE n WHEN 1 THEN 'a' ELSE 'b' END, n IN (1, 2), -n, ~n, NOT n, body || 'x' FROM ext_notes_a

SELECT json('{"a":1}'), json_extract('{"a":1}', '$.a'), '{"a":1}' -> 'a', '{"a":1}' ->> '$.a', json_set('{}', '$.a', 1), json_array(1, 2), json_object('a', 1), json_patch('{}', '{"a":1}'), json_valid('1'), json_type('1'), json_remove('{"a":1}', '$.a'), jsonb('{}')

SELECT value FROM json_each('[1,2,3]')

SELECT count(*) FROM json_each('[1,2,3]')

SELECT key, fullkey FROM json_tree('{"a":[1,2]}')

SELECT a.id, e.value FROM ext_notes_a AS a, json_each('[1,2]') AS e WHERE e.value = a.n

SELECT json_group_array(id), json_group_object(id, body) FROM ext_notes_a

INSERT INTO ext_notes_a(body, n) VALUES ('x', 1), ('y', 2)

INSERT INTO ext_notes_a(body) VALUES ('x') RETURNING id, body

INSERT INTO ext_notes_a DEFAULT VALUES

INSERT OR REPLACE INTO ext_notes_a(id, body) VALUES (1, 'z')

INSERT OR IGNORE INTO ext_notes_a(id, body) VALUES (1, 'z')

REPLACE INTO ext_notes_a(id, body) VALUES (1, 'z')

INSERT INTO ext_notes_a(id, body) VALUES (1, 'z') ON CONFLICT(id) DO UPDATE SET body = excluded.body, n = n + 1 WHERE n > 0 RETURNING *

INSERT INTO ext_notes_a(id, body) VALUES (1, 'z') ON CONFLICT DO NOTHING

INSERT INTO ext_notes_a(body) SELECT body FROM ext_notes_a

WITH c AS (SELECT 'x' AS body) INSERT INTO ext_notes_a(body) SELECT body FROM c

UPDATE ext_notes_a SET body = 'x', n = n + 1 WHERE id = 1 RETURNING n

UPDATE ext_notes_a SET (body, n) = (SELECT 'x', 2)

UPDATE ext_notes_a SET n = b.id FROM ext_notes_b AS b WHERE b.a_id = ext_notes_a.id

UPDATE OR IGNORE ext_notes_a SET id = 1

DELETE FROM ext_notes_b WHERE id = 1

DELETE FROM ext_notes_b RETURNING *

DELETE FROM ext_notes_b

EXPLAIN QUERY PLAN SELECT * FROM ext_notes_a WHERE id = 1

EXPLAIN SELECT * FROM ext_notes_a

PRAGMA table_info(ext_notes_a)

PRAGMA main.table_info('ext_notes_a')

PRAGMA table_xinfo(EXT_NOTES_A)

PRAGMA table_list(ext_notes_a)

PRAGMA index_list(ext_notes_a)

PRAGMA foreign_key_list(ext_notes_b)

CREATE INDEX ext_notes_i ON ext_notes_a(body)
PRAGMA index_info(ext_notes_i)
PRAGMA index_xinfo(ext_notes_i)

PRAGMA data_version

PRAGMA table_info(posts)

PRAGMA table_info(ext_notes_h)

PRAGMA host.table_xinfo(posts)

SELECT name, type FROM pragma_table_info('ext_notes_a')

SELECT m.name FROM pragma_index_list('ext_notes_a') AS m

SELECT * FROM pragma_table_list('ext_notes_a')

CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY, x TEXT NOT NULL UNIQUE, y REAL DEFAULT 1.5 CHECK (y > 0), z BLOB)
INSERT INTO ext_notes_t(x) VALUES ('a')
SELECT * FROM ext_notes_t

CREATE TABLE IF NOT EXISTS ext_notes_a(id)

CREATE TABLE "ext_notes_odd name"(x)
INSERT INTO "ext_notes_odd name" VALUES (1)
DROP TABLE [ext_notes_odd name]

CREATE TABLE EXT_NOTES_UPPER(x)
SELECT * FROM ext_notes_upper

CREATE TABLE main.ext_notes_t(x)
SELECT x FROM main.ext_notes_t

CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY AUTOINCREMENT, x)
INSERT INTO ext_notes_t(x) VALUES (1), (2)
DELETE FROM ext_notes_t
DROP TABLE ext_notes_t

CREATE TABLE ext_notes_t(x INTEGER, y TEXT) STRICT
INSERT INTO ext_notes_t VALUES (1, 'a')

CREATE TABLE ext_notes_t(x PRIMARY KEY, y) WITHOUT ROWID
INSERT INTO ext_notes_t VALUES (1, 2)
SELECT * FROM ext_notes_t

CREATE TABLE ext_notes_t(x, y AS (x + 1), z GENERATED ALWAYS AS (upper(x)) STORED)
INSERT INTO ext_notes_t(x) VALUES (1)
SELECT x, y, z FROM ext_notes_t

CREATE TABLE ext_notes_t(x DEFAULT (datetime('now')), y DEFAULT CURRENT_TIMESTAMP, z CHECK (z LIKE 'a%'), w CHECK (json_valid(w)), UNIQUE (x, y), CHECK (x <> z))
INSERT INTO ext_notes_t(z, w) VALUES ('abc', '{}')

CREATE TABLE ext_notes_t(a REFERENCES ext_notes_a(id) ON DELETE CASCADE ON UPDATE SET NULL, FOREIGN KEY (a) REFERENCES ext_notes_a)
INSERT INTO ext_notes_t VALUES (1)

CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY, up REFERENCES ext_notes_t(id))
INSERT INTO ext_notes_t VALUES (1, NULL), (2, 1)

CREATE TABLE ext_notes_t(later REFERENCES ext_notes_later(id))
CREATE TABLE ext_notes_later(id INTEGER PRIMARY KEY)

CREATE TABLE ext_notes_t AS SELECT id, body FROM ext_notes_a
SELECT * FROM ext_notes_t

CREATE TABLE ext_notes_t AS WITH c AS (SELECT 1 AS x) SELECT x, count(*) AS n FROM c
SELECT * FROM ext_notes_t

CREATE UNIQUE INDEX ext_notes_i ON ext_notes_a(body COLLATE NOCASE, n DESC) WHERE n > 0
DROP INDEX ext_notes_i

CREATE INDEX ext_notes_i ON ext_notes_a(lower(body), n + 1)
SELECT * FROM ext_notes_a WHERE lower(body) = 'x'
INSERT INTO ext_notes_a(body) VALUES ('Y')
REINDEX ext_notes_i

CREATE INDEX main.ext_notes_i ON ext_notes_a(trim(body), replace(body, 'a', 'b'), body LIKE 'a%')
INSERT INTO ext_notes_a(body) VALUES ('Y')

CREATE INDEX IF NOT EXISTS ext_notes_i ON ext_notes_a(body)
CREATE INDEX IF NOT EXISTS ext_notes_i ON ext_notes_a(body)

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
SELECT * FROM ext_notes_v
SELECT count(*) FROM ext_notes_v
DROP VIEW ext_notes_v

CREATE VIEW ext_notes_v(x) AS WITH c AS (SELECT n FROM ext_notes_a) SELECT n FROM c
CREATE VIEW ext_notes_w AS SELECT x FROM ext_notes_v
SELECT * FROM ext_notes_w

CREATE VIEW ext_notes_v AS SELECT value FROM json_each('[1,2]')
SELECT * FROM ext_notes_v

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) VALUES (new.id); END
INSERT INTO ext_notes_a(body) VALUES ('x')
DROP TRIGGER ext_notes_g

CREATE TRIGGER ext_notes_g BEFORE UPDATE OF body ON ext_notes_a FOR EACH ROW WHEN new.body = '' BEGIN SELECT raise(ABORT, 'empty'); END
UPDATE ext_notes_a SET body = 'y'

CREATE TRIGGER ext_notes_g AFTER DELETE ON ext_notes_b BEGIN UPDATE ext_notes_a SET n = n - 1 WHERE id = old.a_id; DELETE FROM ext_notes_b WHERE a_id = old.a_id; END
DELETE FROM ext_notes_b

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON ext_notes_v BEGIN INSERT INTO ext_notes_a(body) VALUES (new.body); END
INSERT INTO ext_notes_v(body) VALUES ('x')

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF DELETE ON ext_notes_v BEGIN DELETE FROM ext_notes_a WHERE id = old.id; END
CREATE TRIGGER ext_notes_h INSTEAD OF UPDATE ON ext_notes_v BEGIN UPDATE ext_notes_a SET body = new.body WHERE id = old.id; END
UPDATE ext_notes_v SET body = 'q' WHERE id = 2
DELETE FROM ext_notes_v WHERE id = 2

CREATE TABLE ext_notes_t(x UNIQUE, y AS (x + 1))
CREATE TRIGGER ext_notes_g AFTER UPDATE ON ext_notes_t BEGIN SELECT 1; END
ALTER TABLE ext_notes_t RENAME COLUMN x TO z

ALTER TABLE ext_notes_a RENAME TO ext_notes_c
SELECT * FROM ext_notes_c
SELECT * FROM ext_notes_b

ALTER TABLE main."ext_notes_a" RENAME TO "ext_notes_other name"

ALTER TABLE ext_notes_a RENAME COLUMN body TO text
SELECT text FROM ext_notes_a

ALTER TABLE ext_notes_a RENAME body TO text

ALTER TABLE ext_notes_a ADD COLUMN extra TEXT NOT NULL DEFAULT 'x'
SELECT extra FROM ext_notes_a

ALTER TABLE ext_notes_a ADD extra

ALTER TABLE ext_notes_b ADD COLUMN c_id INTEGER REFERENCES ext_notes_a(id)

ALTER TABLE ext_notes_a ADD COLUMN big AS (n * 2)

ALTER TABLE ext_notes_a DROP COLUMN body

CREATE INDEX ext_notes_i ON ext_notes_a(body)
CREATE VIEW ext_notes_v AS SELECT body FROM ext_notes_a
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN UPDATE ext_notes_a SET body = upper(new.body); END
ALTER TABLE ext_notes_a RENAME COLUMN body TO text
ALTER TABLE ext_notes_a RENAME TO ext_notes_c
INSERT INTO ext_notes_c(text) VALUES ('x')

ALTER TABLE ext_notes_a ALTER COLUMN body SET NOT NULL

CREATE TABLE ext_notes_t(x CONSTRAINT positive CHECK (x > 0))
ALTER TABLE ext_notes_t DROP CONSTRAINT positive

ALTER TABLE ext_notes_a ADD CONSTRAINT small CHECK (n < 1000)

DROP TABLE ext_notes_b

DROP TABLE IF EXISTS ext_notes_nosuch

DROP VIEW IF EXISTS ext_notes_nosuch

DROP INDEX IF EXISTS ext_notes_nosuch

DROP TRIGGER IF EXISTS ext_notes_nosuch

CREATE VIRTUAL TABLE ext_notes_f USING fts5(title, body, tokenize = 'porter unicode61', prefix = '2 3')
INSERT INTO ext_notes_f VALUES ('Hello', 'a world of words'), ('Bye', 'nothing')
SELECT rowid, highlight(ext_notes_f, 1, '<', '>'), snippet(ext_notes_f, 1, '', '', '', 5), bm25(ext_notes_f) FROM ext_notes_f WHERE ext_notes_f MATCH 'world*' ORDER BY rank
SELECT * FROM ext_notes_f('hello')
SELECT count(*) FROM ext_notes_f
UPDATE ext_notes_f SET body = 'new' WHERE rowid = 1
DELETE FROM ext_notes_f WHERE rowid = 2
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('rebuild')
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('optimize')
INSERT INTO ext_notes_f(ext_notes_f, rank) VALUES ('rank', 'bm25(10.0, 5.0)')
SELECT * FROM ext_notes_f WHERE ext_notes_f MATCH 'new' ORDER BY rank
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('integrity-check')
ALTER TABLE ext_notes_f RENAME TO ext_notes_g
SELECT * FROM ext_notes_g WHERE ext_notes_g MATCH 'new'
DROP TABLE ext_notes_g

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body, content='ext_notes_a', content_rowid='id')
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_f(rowid, body) VALUES (new.id, new.body); END
CREATE TRIGGER ext_notes_h AFTER DELETE ON ext_notes_a BEGIN INSERT INTO ext_notes_f(ext_notes_f, rowid, body) VALUES ('delete', old.id, old.body); END
INSERT INTO ext_notes_a(body) VALUES ('searchable text')
SELECT * FROM ext_notes_f WHERE ext_notes_f MATCH 'searchable'
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('rebuild')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body, content='', contentless_delete=1)
INSERT INTO ext_notes_f(rowid, body) VALUES (1, 'x')
SELECT rowid FROM ext_notes_f WHERE ext_notes_f MATCH 'x'
DELETE FROM ext_notes_f WHERE rowid = 1

CREATE VIRTUAL TABLE ext_notes_f USING fts5(content, detail=none, columnsize=0)
INSERT INTO ext_notes_f VALUES ('x')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(x, tokenize='trigram')
INSERT INTO ext_notes_f VALUES ('abcdef')
SELECT * FROM ext_notes_f WHERE x LIKE '%cde%'

CREATE VIRTUAL TABLE IF NOT EXISTS ext_notes_r USING rtree(id, x0, x1, y0, y1, +name)
INSERT INTO ext_notes_r VALUES (1, 0, 1, 0, 1, 'a')
SELECT name FROM ext_notes_r WHERE x0 >= 0 AND x1 <= 2
ANALYZE ext_notes_a
ALTER TABLE ext_notes_r RENAME TO ext_notes_s
SELECT * FROM ext_notes_s
DROP TABLE ext_notes_s

ANALYZE ext_notes_a
SELECT * FROM ext_notes_a WHERE body = 'x'
DROP TABLE ext_notes_b

ANALYZE main.ext_notes_a

CREATE INDEX ext_notes_i ON ext_notes_a(body)
ANALYZE ext_notes_i
ALTER TABLE ext_notes_a RENAME TO ext_notes_c
DROP TABLE ext_notes_b
DROP TABLE ext_notes_c

REINDEX ext_notes_a

REINDEX main.ext_notes_a

CREATE TABLE ext_notes_new(id INTEGER PRIMARY KEY, body TEXT NOT NULL)
INSERT INTO ext_notes_new SELECT id, body FROM ext_notes_a
DELETE FROM ext_notes_b
DROP TABLE ext_notes_a
ALTER TABLE ext_notes_new RENAME TO ext_notes_a
SELECT * FROM ext_notes_a

-- Comments, quotes and blanks.

/* users */ SELECT 'users', "body" FROM ext_notes_a -- secrets

SELECT 'SELECT * FROM users; DROP TABLE secrets'

INSERT INTO ext_notes_a(body) VALUES ('secrets'), ('users'), ('sqlite_master'), ('ATTACH')

SELECT body AS word, n AS users FROM ext_notes_a AS users

SELECT "users"."body" FROM ext_notes_a AS "users"

SELECT * FROM ext_notes_a WHERE body = 'PRAGMA journal_mode'
