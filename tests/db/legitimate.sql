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

-- Altering again: what SQLite checks in the rows that are there.

ALTER TABLE ext_notes_a ADD COLUMN x CHECK (x > 0)

ALTER TABLE ext_notes_a ADD COLUMN x INTEGER NOT NULL DEFAULT 3 CHECK (x < 9)

ALTER TABLE ext_notes_a ADD COLUMN x AS (n + 1) NOT NULL

CREATE TABLE ext_notes_t(x INTEGER) STRICT
INSERT INTO ext_notes_t VALUES (1)
ALTER TABLE ext_notes_t ADD COLUMN y TEXT DEFAULT 'a'
ALTER TABLE ext_notes_t ADD COLUMN z INTEGER NOT NULL DEFAULT 7
SELECT x, y, z FROM ext_notes_t

ALTER TABLE ext_notes_a ADD COLUMN x COLLATE NOCASE

ALTER TABLE ext_notes_a ADD COLUMN x DEFAULT 'now' CHECK (length(x) < 40 OR x IS NULL)
SELECT 1

ALTER TABLE ext_notes_a ADD COLUMN x REFERENCES ext_notes_b(id) ON DELETE SET NULL DEFAULT NULL

ALTER TABLE main.ext_notes_a ADD COLUMN "a b" TEXT
SELECT "a b" FROM ext_notes_a

ALTER TABLE ext_notes_a RENAME COLUMN "n" TO `count`
SELECT count FROM ext_notes_a

ALTER TABLE ext_notes_b DROP COLUMN a_id

ALTER TABLE EXT_NOTES_A RENAME TO Ext_Notes_Z
SELECT * FROM ext_notes_z

ALTER TABLE ext_notes_a RENAME TO "ext_notes_é"
SELECT * FROM "ext_notes_é"

CREATE TABLE ext_notes_t(x, y, z)
CREATE INDEX ext_notes_i ON ext_notes_t(x, y) WHERE z > 1
CREATE INDEX ext_notes_j ON ext_notes_t(lower(z))
ALTER TABLE ext_notes_t RENAME COLUMN z TO w
ALTER TABLE ext_notes_t RENAME TO ext_notes_u
DROP INDEX ext_notes_i
DROP INDEX ext_notes_j
ALTER TABLE ext_notes_u DROP COLUMN y

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY, x)
CREATE TABLE ext_notes_q(p REFERENCES ext_notes_p(id), y)
ALTER TABLE ext_notes_p RENAME COLUMN id TO key
ALTER TABLE ext_notes_p RENAME TO ext_notes_parent
INSERT INTO ext_notes_parent VALUES (1, 2)
INSERT INTO ext_notes_q VALUES (1, 2)

CREATE VIEW ext_notes_v AS SELECT id, n AS k FROM ext_notes_a
CREATE VIEW ext_notes_w AS SELECT k FROM ext_notes_v WHERE id > 0
ALTER TABLE ext_notes_a RENAME COLUMN n TO m
SELECT * FROM ext_notes_w

CREATE TABLE ext_notes_t(x CHECK (x > 0), y)
ALTER TABLE ext_notes_t ADD CONSTRAINT later CHECK (y < 10)
ALTER TABLE ext_notes_t DROP CONSTRAINT later

ALTER TABLE ext_notes_a ALTER COLUMN n SET NOT NULL
ALTER TABLE ext_notes_a ALTER COLUMN n DROP NOT NULL

-- Dropping.

CREATE TABLE ext_notes_t(x UNIQUE)
CREATE INDEX ext_notes_i ON ext_notes_t(x DESC)
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_t BEGIN SELECT 1; END
CREATE VIEW ext_notes_v AS SELECT x FROM ext_notes_t
DROP TABLE ext_notes_t
DROP VIEW ext_notes_v

DROP TABLE main.ext_notes_b

DROP TABLE IF EXISTS "ext_notes_b"

CREATE INDEX ext_notes_i ON ext_notes_a(n)
DROP INDEX main.ext_notes_i

CREATE INDEX ext_notes_i ON ext_notes_a(n)
DROP INDEX IF EXISTS [ext_notes_i]

CREATE VIEW ext_notes_v AS VALUES (1)
DROP VIEW IF EXISTS main.ext_notes_v

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END
DROP TRIGGER IF EXISTS main.ext_notes_g

CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY AUTOINCREMENT)
INSERT INTO ext_notes_t DEFAULT VALUES
ANALYZE ext_notes_t
DROP TABLE ext_notes_t
CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY AUTOINCREMENT)
INSERT INTO ext_notes_t DEFAULT VALUES RETURNING id

-- Tables of every kind.

CREATE TABLE ext_notes_t(a INT, b TEXT, c BLOB, d REAL, e NUMERIC, f ANY, g VARCHAR(10), h)
INSERT INTO ext_notes_t VALUES (1, 'a', x'00ff', 1.5, 2, NULL, 'g', 'h')
SELECT typeof(a), typeof(b), typeof(c), typeof(d), typeof(e), typeof(f) FROM ext_notes_t

CREATE TABLE ext_notes_t(a INTEGER PRIMARY KEY, b ANY, c BLOB) WITHOUT ROWID, STRICT

CREATE TABLE ext_notes_t(a INT, b TEXT, PRIMARY KEY (a, b)) STRICT, WITHOUT ROWID
INSERT INTO ext_notes_t VALUES (1, 'a'), (1, 'b')
SELECT * FROM ext_notes_t WHERE (a, b) > (1, 'a')

CREATE TABLE ext_notes_t(a, b, PRIMARY KEY (b DESC, a)) WITHOUT ROWID
INSERT INTO ext_notes_t VALUES (1, 2) ON CONFLICT DO UPDATE SET a = 3
UPDATE ext_notes_t SET a = 4 WHERE b = 2
DELETE FROM ext_notes_t WHERE b = 2

CREATE TABLE ext_notes_t(a PRIMARY KEY ON CONFLICT REPLACE, b UNIQUE ON CONFLICT IGNORE, c NOT NULL ON CONFLICT ABORT)
INSERT INTO ext_notes_t VALUES (1, 1, 1), (1, 2, 2), (2, 2, 2)

CREATE TABLE ext_notes_t(a COLLATE NOCASE UNIQUE, b COLLATE RTRIM, c COLLATE BINARY)
INSERT INTO ext_notes_t VALUES ('A', 'b  ', 'c')
SELECT * FROM ext_notes_t WHERE a = 'a' AND b = 'b'

CREATE TABLE ext_notes_t(a CHECK (a IN (1, 2, 3)), b CHECK (b BETWEEN 1 AND 9), c CHECK (typeof(c) = 'text'), d CHECK (d GLOB '[a-z]*'))
INSERT INTO ext_notes_t VALUES (1, 2, 'c', 'd')

CREATE TABLE ext_notes_t(a DEFAULT 1, b DEFAULT (1 + 2), c DEFAULT (hex(randomblob(16))), d DEFAULT (strftime('%s')), e DEFAULT (json_object('a', 1)), f DEFAULT x'00', g DEFAULT TRUE)
INSERT INTO ext_notes_t DEFAULT VALUES RETURNING *

CREATE TABLE ext_notes_t(data TEXT, name AS (data ->> '$.name') STORED, size AS (json_array_length(data, '$.list')) VIRTUAL, low AS (lower(data)))
CREATE INDEX ext_notes_i ON ext_notes_t(name, size)
INSERT INTO ext_notes_t(data) VALUES ('{"name":"a","list":[1,2]}')
SELECT name, size FROM ext_notes_t WHERE name = 'a'

CREATE TABLE ext_notes_t(a, b AS (a || '!') UNIQUE)
INSERT INTO ext_notes_t(a) VALUES ('x')
INSERT INTO ext_notes_t(a) VALUES ('x') ON CONFLICT(b) DO NOTHING

CREATE TABLE ext_notes_t AS SELECT a.id, b.id AS other, count(*) OVER () AS k FROM ext_notes_a AS a LEFT JOIN ext_notes_b AS b ON b.a_id = a.id
SELECT * FROM ext_notes_t

CREATE TABLE IF NOT EXISTS ext_notes_t AS WITH RECURSIVE c(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM c LIMIT 5) SELECT n FROM c
SELECT sum(n) FROM ext_notes_t

CREATE TABLE ext_notes_t AS SELECT title, length(title) AS size FROM posts

CREATE TABLE [ext_notes_a b](["c"] TEXT, `d e`, 'f')
INSERT INTO [ext_notes_a b](`d e`, f) SELECT 1, 2 WHERE 0

CREATE TABLE ext_notes_t("select" TEXT, "from" INT, "order" INT)
INSERT INTO ext_notes_t("select", "from") VALUES ('a', 1)
SELECT "select", t."from" FROM ext_notes_t AS t ORDER BY "order"

-- Foreign keys with every action.

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p ON DELETE CASCADE)
INSERT INTO ext_notes_p VALUES (1)
INSERT INTO ext_notes_c VALUES (1)
DELETE FROM ext_notes_p

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p ON DELETE SET NULL ON UPDATE CASCADE)
INSERT INTO ext_notes_p VALUES (1)
INSERT INTO ext_notes_c VALUES (1)
UPDATE ext_notes_p SET id = 2
DELETE FROM ext_notes_p

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_c(p DEFAULT 2 REFERENCES ext_notes_p ON DELETE SET DEFAULT ON UPDATE SET DEFAULT)
INSERT INTO ext_notes_p VALUES (1), (2)
INSERT INTO ext_notes_c VALUES (1)
DELETE FROM ext_notes_p WHERE id = 1

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p ON DELETE RESTRICT ON UPDATE NO ACTION)
INSERT INTO ext_notes_p VALUES (1)
DELETE FROM ext_notes_p

CREATE TABLE ext_notes_p(a, b, UNIQUE (a, b))
CREATE TABLE ext_notes_c(x, y, FOREIGN KEY (x, y) REFERENCES ext_notes_p(a, b) ON UPDATE CASCADE)
INSERT INTO ext_notes_p VALUES (1, 2)
INSERT INTO ext_notes_c VALUES (1, 2)
UPDATE ext_notes_p SET a = 9

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_c(p REFERENCES ext_notes_p DEFERRABLE INITIALLY DEFERRED)
INSERT INTO ext_notes_p VALUES (1)
INSERT INTO ext_notes_c VALUES (1)

CREATE TABLE ext_notes_t(id INTEGER PRIMARY KEY, up REFERENCES ext_notes_t ON DELETE CASCADE)
INSERT INTO ext_notes_t VALUES (1, NULL), (2, 1), (3, 2)
DELETE FROM ext_notes_t WHERE id = 1
SELECT count(*) FROM ext_notes_t

PRAGMA foreign_key_list('ext_notes_b')

SELECT "table", "from", "to", on_delete FROM pragma_foreign_key_list('ext_notes_b')

-- Indexes.

CREATE INDEX ext_notes_i ON ext_notes_a(body) WHERE body IS NOT NULL AND n BETWEEN 1 AND 9
SELECT * FROM ext_notes_a INDEXED BY ext_notes_i WHERE body = 'x' AND n BETWEEN 1 AND 9

CREATE INDEX ext_notes_i ON ext_notes_a(coalesce(body, ''), n % 10, json_valid(body), abs(n))
INSERT INTO ext_notes_a(body, n) VALUES ('{}', -1)

CREATE UNIQUE INDEX ext_notes_i ON ext_notes_a(body COLLATE RTRIM ASC)
INSERT OR IGNORE INTO ext_notes_a(body) VALUES ('one  ')

CREATE INDEX ext_notes_i ON ext_notes_a(date(body), substr(body, 1, 3), instr(body, 'x'))

CREATE INDEX ext_notes_i ON ext_notes_a(body)
CREATE INDEX ext_notes_j ON ext_notes_a(n)
SELECT * FROM ext_notes_a WHERE body = 'one' OR n = 2
ANALYZE main.ext_notes_i
REINDEX main.ext_notes_j
REINDEX ext_notes_a

CREATE TABLE ext_notes_t(x UNIQUE)
REINDEX sqlite_autoindex_ext_notes_t_1
PRAGMA index_info(sqlite_autoindex_ext_notes_t_1)

SELECT l.name, i.name FROM pragma_index_list('ext_notes_a') AS l, pragma_index_info(l.name) AS i

SELECT * FROM ext_notes_a NOT INDEXED WHERE id = 1

-- Triggers.

CREATE TRIGGER IF NOT EXISTS ext_notes_g AFTER UPDATE OF body, n ON ext_notes_a FOR EACH ROW WHEN old.body IS NOT new.body BEGIN INSERT INTO ext_notes_b(a_id) VALUES (new.id); UPDATE ext_notes_b SET a_id = NULL WHERE id = old.id; DELETE FROM ext_notes_b WHERE a_id IS NULL; SELECT 1; END
UPDATE ext_notes_a SET body = 'changed'

CREATE TRIGGER ext_notes_g BEFORE INSERT ON ext_notes_a WHEN new.n < 0 BEGIN SELECT raise(IGNORE); END
INSERT INTO ext_notes_a(n) VALUES (-1)

CREATE TRIGGER ext_notes_g BEFORE DELETE ON ext_notes_b BEGIN SELECT CASE WHEN old.id > 100 THEN raise(FAIL, 'no') END; END
DELETE FROM ext_notes_b

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(id, a_id) VALUES (1, new.id) ON CONFLICT(id) DO UPDATE SET a_id = excluded.a_id; END
INSERT INTO ext_notes_a(body) VALUES ('x')
SELECT a_id FROM ext_notes_b

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN UPDATE ext_notes_b SET a_id = s.k FROM (SELECT max(id) AS k FROM ext_notes_a) AS s; END
INSERT INTO ext_notes_a(body) VALUES ('x')

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) WITH c AS (SELECT new.id AS k) SELECT k FROM c; END
INSERT INTO ext_notes_a(body) VALUES ('x')

CREATE TABLE ext_notes_log(what, at DEFAULT CURRENT_TIMESTAMP)
CREATE TRIGGER ext_notes_g AFTER DELETE ON ext_notes_a BEGIN INSERT INTO ext_notes_log(what) VALUES (json_object('id', old.id, 'body', old.body)); END
DELETE FROM ext_notes_b
DELETE FROM ext_notes_a
SELECT count(*) FROM ext_notes_log

CREATE VIEW ext_notes_v AS SELECT a.id, a.body, count(b.id) AS k FROM ext_notes_a AS a LEFT JOIN ext_notes_b AS b ON b.a_id = a.id GROUP BY a.id
CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON ext_notes_v BEGIN INSERT INTO ext_notes_a(body) VALUES (new.body); INSERT INTO ext_notes_b(a_id) VALUES (last_insert_rowid()); END
INSERT INTO ext_notes_v(body) VALUES ('x'), ('y')
SELECT * FROM ext_notes_v

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF UPDATE OF body ON ext_notes_v BEGIN UPDATE ext_notes_a SET body = new.body WHERE id = old.id; END
UPDATE ext_notes_v SET body = upper(body)

-- Views.

CREATE VIEW IF NOT EXISTS ext_notes_v(a, b, c) AS SELECT id, body, n FROM ext_notes_a WHERE n > 0 ORDER BY n DESC LIMIT 10
SELECT a, b FROM ext_notes_v WHERE c > 0

CREATE VIEW ext_notes_v AS SELECT id FROM ext_notes_a UNION ALL SELECT id FROM ext_notes_b EXCEPT SELECT 5
SELECT count(*) FROM ext_notes_v

CREATE VIEW ext_notes_v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 5) SELECT n FROM c
SELECT sum(n) FROM ext_notes_v

CREATE VIEW ext_notes_v AS SELECT ext_notes_a.id AS a, rank() OVER (ORDER BY n) AS r, json_each.value FROM ext_notes_a, json_each('[1]')
SELECT * FROM ext_notes_v

CREATE VIEW ext_notes_v AS SELECT (SELECT max(id) FROM ext_notes_b WHERE a_id = a.id) AS m, EXISTS (SELECT 1 FROM ext_notes_b) AS e FROM ext_notes_a AS a
SELECT m, e FROM ext_notes_v

CREATE VIEW ext_notes_v AS SELECT 'secrets' AS word, body AS users FROM ext_notes_a
SELECT word, users FROM ext_notes_v

CREATE VIEW ext_notes_v AS SELECT 1 AS one
PRAGMA table_xinfo(ext_notes_v)
SELECT name FROM pragma_table_info('ext_notes_v')

-- Upsert, RETURNING, UPDATE FROM, conflicts.

CREATE TABLE ext_notes_t(k TEXT PRIMARY KEY, v INTEGER DEFAULT 0, at TEXT)
INSERT INTO ext_notes_t(k) VALUES ('a') ON CONFLICT(k) DO UPDATE SET v = v + 1, at = datetime('now') RETURNING k, v
INSERT INTO ext_notes_t(k, v) VALUES ('a', 5), ('b', 6) ON CONFLICT(k) DO UPDATE SET v = excluded.v WHERE excluded.v > ext_notes_t.v
INSERT INTO ext_notes_t(k) SELECT 'c' WHERE true ON CONFLICT DO NOTHING RETURNING rowid

CREATE TABLE ext_notes_t(a UNIQUE, b UNIQUE, c)
INSERT INTO ext_notes_t VALUES (1, 2, 3) ON CONFLICT(a) DO UPDATE SET c = 1 ON CONFLICT(b) DO UPDATE SET c = 2 ON CONFLICT DO NOTHING

INSERT INTO ext_notes_a AS t (id, n) VALUES (1, 5) ON CONFLICT(id) DO UPDATE SET n = t.n + excluded.n, body = (SELECT max(title) FROM posts)

INSERT INTO ext_notes_a(body, n) VALUES ('x', 1) RETURNING id AS key, upper(body) AS up, n * 2, (SELECT count(*) FROM ext_notes_b)

UPDATE ext_notes_a SET body = p.title FROM posts AS p WHERE p.id = ext_notes_a.id RETURNING body

UPDATE ext_notes_a AS a SET n = c.k FROM (SELECT a_id, count(*) AS k FROM ext_notes_b GROUP BY a_id) AS c WHERE c.a_id = a.id

UPDATE ext_notes_a SET (body, n) = ('x', 9) WHERE (id, n) = (1, 1)

UPDATE OR REPLACE ext_notes_a SET id = 2 WHERE id = 2

UPDATE OR FAIL ext_notes_a SET n = 3

UPDATE OR ROLLBACK ext_notes_a SET n = 3

WITH c AS (SELECT max(id) AS m FROM ext_notes_a) UPDATE ext_notes_a SET n = (SELECT m FROM c) RETURNING n

WITH c AS (SELECT id FROM ext_notes_b) DELETE FROM ext_notes_b WHERE id IN c RETURNING id

DELETE FROM ext_notes_b WHERE id IN (SELECT id FROM posts)

INSERT OR ROLLBACK INTO ext_notes_a(n) VALUES (1)

INSERT INTO ext_notes_a VALUES (NULL, 'a', 1), (NULL, 'b', 2), (NULL, 'c', 3) RETURNING *

INSERT INTO ext_notes_a(body) SELECT value FROM json_each('["a","b"]')

INSERT INTO ext_notes_a(id, body) WITH c(n) AS (VALUES (100), (101)) SELECT n, 'row ' || n FROM c

-- Windows, aggregates, recursive queries, row values.

SELECT id, sum(n) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING), avg(n) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING), max(n) OVER (ORDER BY n RANGE BETWEEN 5 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM ext_notes_a

SELECT id, lead(body, 1, 'none') OVER w, last_value(n) OVER (w GROUPS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING), dense_rank() OVER w FROM ext_notes_a WINDOW w AS (PARTITION BY n > 1 ORDER BY id)

SELECT count(*) FILTER (WHERE n > 1) OVER (), group_concat(body, '/') OVER (ORDER BY id) FROM ext_notes_a

SELECT * FROM (SELECT id, row_number() OVER (PARTITION BY n ORDER BY id DESC) AS r FROM ext_notes_a) WHERE r = 1

SELECT n, count(DISTINCT body), sum(n), total(n), avg(n) FROM ext_notes_a GROUP BY n ORDER BY 2

SELECT string_agg(body, ','), group_concat(DISTINCT body), json_group_array(body ORDER BY id DESC), min(body), max(length(body)) FROM ext_notes_a

SELECT json_group_object(body, json_array(id, n)) FILTER (WHERE n > 0) FROM ext_notes_a

WITH RECURSIVE fib(a, b) AS (SELECT 0, 1 UNION ALL SELECT b, a + b FROM fib LIMIT 20) SELECT group_concat(a) FROM fib

WITH RECURSIVE days(d) AS (SELECT date('2024-01-01') UNION ALL SELECT date(d, '+1 day') FROM days WHERE d < '2024-01-31') SELECT count(*) FROM days

WITH RECURSIVE path(id, p) AS (SELECT id, '/' || id FROM ext_notes_a UNION SELECT b.id, p || '/' || b.id FROM ext_notes_b AS b, path WHERE b.a_id = path.id AND length(p) < 20 ORDER BY 1) SELECT p FROM path

WITH a(x) AS (VALUES (1)), b AS NOT MATERIALIZED (SELECT x + 1 AS y FROM a) SELECT * FROM a, b

SELECT * FROM ext_notes_a WHERE (n, body) IN (SELECT n, body FROM ext_notes_a) AND (id, n) >= (1, 1)

SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v JOIN ext_notes_a AS a ON a.id = v.column1

SELECT a.id FROM ext_notes_a AS a RIGHT JOIN ext_notes_b AS b ON a.id = b.a_id WHERE a.body IS NOT DISTINCT FROM 'one'

SELECT 1 UNION SELECT 2 INTERSECT SELECT 2 EXCEPT SELECT 3 ORDER BY 1 LIMIT 1 OFFSET 0

SELECT * FROM ext_notes_a ORDER BY n DESC NULLS LAST, body COLLATE NOCASE ASC NULLS FIRST

SELECT iif(n > 1, 'many', 'one'), CASE WHEN n IS NULL THEN 0 ELSE n END, n IS TRUE, n & 1, n | 2, n << 1, n >> 1, n % 2 FROM ext_notes_a

-- Functions.

SELECT abs(-1), round(1.55, 1), round(2.5), sign(-1), 7 % 3, 7 / 2, 7 / 2.0, max(1, 2.5), min(-1, 0)

SELECT ltrim('  a'), rtrim('a  '), trim('xax', 'x'), substring('abc', 2), substr('abc', -2, 1), unhex('4142'), hex('AB'), quote('it''s'), unistr('\u0041'), unistr_quote('a'), soundex('Robert'), unicode('é'), char(72, 105), length('é'), octet_length('é'), instr('abc', 'c'), replace('aXb', 'X', '-'), upper('a'), lower('A'), printf('%.2f %s %d %x %q', 1.5, 'a', 2, 255, 'b'), format('%,d', 1234567)

SELECT date('2024-02-30'), time('12:00', '+5 minutes'), datetime(1700000000, 'unixepoch', 'localtime'), julianday('2024-01-01'), unixepoch('now', 'subsec'), strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), date('now', 'start of month', '+1 month', '-1 day', 'weekday 0'), timediff('now', '2020-01-01')

SELECT json('[1,{"a":2}]'), json_array_length('[1,2]'), json_extract('{"a":[1,2]}', '$.a[#-1]', '$.a[0]'), json_insert('{}', '$.a', json('[1]')), json_replace('{"a":1}', '$.a', 2), json_remove('[1,2]', '$[0]'), json_type('{"a":1}', '$.a'), json_quote('a'), json_pretty('{"a":1}'), json_error_position('{'), json_valid('{}', 6), json_array_insert('[1]', '$[0]', 0)

SELECT jsonb_extract(jsonb('{"a":1}'), '$.a'), hex(jsonb_array(1, 2)), json(jsonb_set('{}', '$.a', 1)), json(jsonb_remove('{"a":1}', '$.a')), json(jsonb_patch('{}', '{"b":1}')), json(jsonb_object('a', 1)), json(jsonb_insert('[]', '$[0]', 1)), json(jsonb_replace('[1]', '$[0]', 2))

SELECT key, value, type, atom, id, parent, fullkey, path FROM json_tree('{"a":{"b":[1,null]}}', '$.a') WHERE type <> 'null'

SELECT a.body, j.value ->> '$.x' FROM ext_notes_a AS a LEFT JOIN json_each('[{"x":1}]') AS j ON j.key = a.id - 1

SELECT value FROM jsonb_each('[1,2]')

SELECT count(*) FROM jsonb_tree('[1,[2]]')

SELECT max(1, 2), min('a', 'b'), nullif(1, 1), ifnull(NULL, 1), coalesce(NULL, NULL, 3), likelihood(1, 0.5), likely(1), unlikely(0), typeof(1.0), zeroblob(4), length(randomblob(8)), concat(1, NULL, 'a'), concat_ws(',', 1, 2), if(1, 2)

SELECT 'a' LIKE 'A', 'a%' LIKE 'a\u{5c}%' ESCAPE '\u{5c}', 'abc' GLOB '[a-c]*', 'x' BETWEEN 'a' AND 'z', 'a' IN ('a', 'b'), 1 IS NOT NULL, x'41' || 'b', CAST('12ab' AS INTEGER), +'5', -'5', ~5

-- Tables that the host grants.

SELECT p.id, p.title FROM host.posts AS p WHERE p.title LIKE 'f%'

SELECT "host"."posts"."title" FROM "host"."posts"

SELECT POSTS.Title FROM POSTS

SELECT * FROM posts AS users

SELECT a.body FROM ext_notes_a AS a WHERE EXISTS (SELECT 1 FROM posts WHERE posts.id = a.id)

SELECT count(*), max(id) FROM host.posts GROUP BY title HAVING count(*) > 0

WITH p AS (SELECT * FROM posts) SELECT * FROM p JOIN ext_notes_a USING (id)

SELECT title FROM posts UNION SELECT body FROM ext_notes_a

SELECT rowid, * FROM host.posts ORDER BY rowid

SELECT EXISTS (SELECT EXISTS (SELECT 1 FROM posts))

SELECT name FROM pragma_table_info('posts')

SELECT name FROM pragma_table_info('posts', 'host')

CREATE TABLE ext_notes_copy AS SELECT * FROM posts WHERE id > 0
INSERT INTO ext_notes_copy SELECT * FROM host.posts
SELECT count(*) FROM ext_notes_copy

CREATE TABLE ext_notes_posts(id)
SELECT count(*) FROM ext_notes_posts

EXPLAIN QUERY PLAN SELECT * FROM posts WHERE id = 1

-- Full text search.

CREATE VIRTUAL TABLE ext_notes_f USING fts5(a, b UNINDEXED, c, tokenize = "unicode61 remove_diacritics 2 tokenchars '-_'")
INSERT INTO ext_notes_f(rowid, a, b, c) VALUES (7, 'one two three', 'x', 'four'), (8, 'two', 'y', 'five six')
SELECT rowid FROM ext_notes_f WHERE ext_notes_f MATCH '{a c} : two OR (one NOT three)'
SELECT rowid FROM ext_notes_f WHERE ext_notes_f MATCH 'NEAR(one three, 2)' ORDER BY bm25(ext_notes_f, 1.0, 2.0)
SELECT rowid, rank FROM ext_notes_f WHERE ext_notes_f = '"one two" + three' ORDER BY rank LIMIT 1
SELECT a FROM ext_notes_f WHERE a MATCH '^one'
REPLACE INTO ext_notes_f(rowid, a) VALUES (7, 'seven')
INSERT INTO ext_notes_f(ext_notes_f, rank) VALUES ('merge', 16)
INSERT INTO ext_notes_f(ext_notes_f, rank) VALUES ('automerge', 4)
INSERT INTO ext_notes_f(ext_notes_f, rank) VALUES ('pgsz', 4000)
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('flush')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body, content='ext_notes_a', content_rowid='id', tokenize='trigram case_sensitive 0')
INSERT INTO ext_notes_f(ext_notes_f) VALUES ('rebuild')
SELECT a.id FROM ext_notes_f AS f JOIN ext_notes_a AS a ON a.id = f.rowid WHERE f.body LIKE '%one%'
DROP TABLE ext_notes_f

CREATE VIRTUAL TABLE "ext_notes_full text" USING fts5(x, prefix='1 2')
INSERT INTO "ext_notes_full text" VALUES ('hello')
SELECT * FROM "ext_notes_full text" WHERE "ext_notes_full text" MATCH 'he*'
DROP TABLE IF EXISTS "ext_notes_full text"

CREATE VIRTUAL TABLE ext_notes_f USING fts5(x, content='')
INSERT INTO ext_notes_f(rowid, x) VALUES (1, 'a')
INSERT INTO ext_notes_f(ext_notes_f, rowid, x) VALUES ('delete', 1, 'a')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(x, detail=column)
INSERT INTO ext_notes_f VALUES ('a b')
SELECT rowid FROM ext_notes_f('x : a')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(x)
CREATE VIEW ext_notes_v AS SELECT rowid AS id, x FROM ext_notes_f
INSERT INTO ext_notes_f VALUES ('a')
SELECT * FROM ext_notes_v
CREATE TRIGGER ext_notes_g AFTER DELETE ON ext_notes_a BEGIN DELETE FROM ext_notes_f WHERE rowid = old.id; END
DELETE FROM ext_notes_a WHERE id = 2

-- R-trees.

CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, minx, maxx, miny, maxy, +label TEXT)
INSERT INTO ext_notes_r VALUES (1, 0, 1, 0, 1, 'a'), (2, 5, 6, 5, 6, 'b')
SELECT id, label FROM ext_notes_r WHERE minx > 2 AND maxy < 9
UPDATE ext_notes_r SET maxx = 7 WHERE id = 2
DELETE FROM ext_notes_r WHERE id = 1
SELECT a.id FROM ext_notes_a AS a JOIN ext_notes_r AS r ON r.id = a.id

CREATE VIRTUAL TABLE ext_notes_r USING rtree_i32(id, a, b)
INSERT INTO ext_notes_r VALUES (1, 2, 3)
CREATE TABLE ext_notes_t AS SELECT * FROM ext_notes_r
DROP TABLE ext_notes_r

-- Describing what is not there.

PRAGMA table_info(ext_notes_nosuch)

PRAGMA index_list(ext_notes_h)

PRAGMA main.index_info('ext_notes_nosuch')

EXPLAIN PRAGMA table_info(ext_notes_h)

SELECT count(*) FROM pragma_table_info('ext_notes_h')

-- More spellings.

select body from ext_notes_a where n = 1;

SELECT body FROM ext_notes_a -- the end

SELECT\nbody\nFROM\next_notes_a\nWHERE\nn=1

/* one */ SELECT /* two */ 1 /* three */ ; -- four

SELECT 1e3, 0x1F, 1_000, .5, 5., 'it''s', x'CAFE', "body", [n], `id` FROM ext_notes_a

SELECT 'a' AS "select", 'b' AS [from] FROM ext_notes_a

SELECT ext_notes_a.*, main.ext_notes_a.body FROM main.ext_notes_a

SELECT (((1))), ((SELECT (SELECT (SELECT 1))))

INSERT INTO ext_notes_a(body) VALUES ('a;b'), ('--'), ('/*'), ('"'), ('[')

SELECT body FROM ext_notes_a WHERE body = 'DROP TABLE secrets' OR body = 'PRAGMA journal_mode = OFF'

SELECT 1 AS secrets, 2 AS users, 3 AS sqlite_master

WITH v_users AS (SELECT 1 AS x), secret_view AS (SELECT x FROM v_users) SELECT x FROM secret_view

SELECT count(*) FROM (SELECT 1) AS secrets JOIN (SELECT 2) AS users

SELECT users.n FROM ext_notes_a AS users WHERE users.n IN (SELECT secrets.id FROM ext_notes_b AS secrets)

EXPLAIN INSERT INTO ext_notes_a(body) VALUES ('x')

EXPLAIN QUERY PLAN DELETE FROM ext_notes_b WHERE a_id = 1
