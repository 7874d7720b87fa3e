-- What the plugin `notes` must be refused.
--
-- Entries are separated by empty lines, and one statement is a line. The last line
-- of an entry must be refused and leave no trace; the lines before it are set-up and
-- must succeed. To add one, write it under the comment of its kind; no build is
-- needed, and a bad one is named by its line. Each is tried in the wrappings of
-- host/services/db/guard/tests/wrapping.rs.
--
-- `by SQLite` in a comment of its own above an entry marks what SQLite refuses in
-- words of its own, `when run` what can be compiled and is refused as it runs.
-- \n and \u{17f} stand for a line end and for a character.
--
-- In `main` there are the foreign tables secrets(id, word), ext_other_t, ext_notesx,
-- extXnotesXt, _exthost_outbox and _exthost_migrations, all alike, the view
-- secret_view, the index secrets_word and the trigger secrets_trigger; in `host`
-- users(id, name, word), v_users, the index users_name, ext_notes_h(id, word) and the
-- granted table posts(id, title). The plugin has ext_notes_a(id, body, n) and
-- ext_notes_b(id, a_id).

-- Reading a foreign table, in many spellings.

SELECT * FROM secrets

SELECT word FROM secrets

SELECT word FROM main.secrets

SELECT word FROM "secrets"

SELECT word FROM [secrets]

SELECT word FROM `secrets`

SELECT word FROM 'secrets'

SELECT word FROM "main"."secrets"

SELECT word FROM SECRETS

SELECT Word FROM SeCrEtS

SELECT word FROM/**/secrets

SELECT/* ext_notes_a */word/**/FROM main/**/./**/secrets

/* SELECT * FROM ext_notes_a */ SELECT word FROM secrets

SELECT word FROM ext_other_t

SELECT word FROM EXT_OTHER_T

SELECT word FROM ext_notesx

SELECT word FROM extXnotesXt

SELECT word FROM _exthost_outbox

SELECT * FROM main._exthost_outbox

SELECT * FROM "_EXTHOST_MIGRATIONS"

SELECT id FROM _exthost_outbox

SELECT rowid FROM secrets

SELECT secrets.rowid FROM secrets

SELECT s.word FROM secrets AS s

SELECT ext_notes_a.word FROM secrets AS ext_notes_a

SELECT word FROM secrets ORDER BY word LIMIT 1

SELECT DISTINCT word FROM secrets

SELECT word FROM secrets GROUP BY word HAVING count(*) > 0

SELECT * FROM secrets INDEXED BY secrets_word WHERE word > ''

SELECT * FROM secrets NOT INDEXED

-- by SQLite
TABLE secrets

-- Counting, where no column is named.

SELECT count(*) FROM secrets

SELECT 1 FROM secrets

SELECT count(*) FROM main.secrets

SELECT count(*) FROM secrets AS s

SELECT 'x' FROM secrets LIMIT 1

SELECT EXISTS (SELECT 1 FROM secrets)

SELECT EXISTS (SELECT * FROM secrets WHERE word LIKE 'a%')

SELECT (SELECT count(*) FROM secrets)

SELECT count(*) FROM secrets, ext_notes_a

SELECT a.id FROM ext_notes_a AS a, secrets

SELECT a.id FROM ext_notes_a AS a CROSS JOIN secrets

SELECT max(1) FROM _exthost_outbox

SELECT count(*) FROM secret_view

SELECT count(*) FROM host.users

SELECT count(*) FROM users

SELECT count(*) FROM HOST.USERS

SELECT 1 FROM v_users

SELECT count(*) FROM host.v_users

SELECT count(*) FROM sqlite_master

SELECT count(*) FROM host.sqlite_master

SELECT count(*) FROM sqlite_sequence

SELECT count(*) FROM sqlite_stat1

WITH c AS (SELECT count(*) AS n FROM secrets) SELECT n FROM c

WITH c AS (SELECT 1 AS one) SELECT one, (SELECT count(*) FROM secrets) FROM c

WITH secrets AS (SELECT 1) SELECT count(*) FROM main.secrets

SELECT (WITH secrets AS (SELECT 1) SELECT count(*) FROM secrets), (SELECT count(*) FROM main.secrets)

-- Common table expressions, subqueries, joins, compounds.

WITH c AS (SELECT word FROM secrets) SELECT word FROM c

WITH c(word) AS (SELECT word FROM secrets) SELECT count(*) FROM c

WITH RECURSIVE c(n, w) AS (SELECT 1, word FROM secrets UNION ALL SELECT n + 1, w FROM c WHERE n < 3) SELECT * FROM c

WITH c AS MATERIALIZED (SELECT * FROM secrets) SELECT * FROM c

WITH c AS NOT MATERIALIZED (SELECT * FROM main.secrets) SELECT * FROM c

WITH unused AS (SELECT word FROM secrets) SELECT word FROM unused LIMIT 0

WITH v_users AS (SELECT word FROM host.users) SELECT * FROM v_users

WITH posts AS (SELECT word FROM host.users) SELECT * FROM posts

SELECT * FROM (SELECT word FROM secrets)

SELECT * FROM (SELECT * FROM (SELECT * FROM secrets)) AS ext_notes_a

SELECT (SELECT word FROM secrets LIMIT 1)

SELECT body, (SELECT word FROM secrets) FROM ext_notes_a

SELECT * FROM ext_notes_a WHERE body IN (SELECT word FROM secrets)

SELECT * FROM ext_notes_a WHERE body IN secrets

SELECT * FROM ext_notes_a WHERE EXISTS (SELECT 1 FROM secrets WHERE word > body)

SELECT * FROM ext_notes_a WHERE n = (SELECT length(word) FROM secrets)

SELECT * FROM ext_notes_a JOIN secrets ON secrets.id = ext_notes_a.id

SELECT * FROM ext_notes_a LEFT JOIN secrets USING (id)

SELECT * FROM ext_notes_a NATURAL JOIN secrets

SELECT * FROM secrets RIGHT JOIN ext_notes_a USING (id)

SELECT * FROM ext_notes_a FULL OUTER JOIN secrets USING (id)

SELECT a.* FROM ext_notes_a AS a JOIN secrets AS s ON s.word LIKE 'a%'

SELECT body FROM ext_notes_a UNION SELECT word FROM secrets

SELECT body FROM ext_notes_a EXCEPT SELECT word FROM secrets

SELECT body FROM ext_notes_a INTERSECT SELECT word FROM secrets

SELECT body FROM ext_notes_a UNION ALL VALUES ((SELECT word FROM secrets))

VALUES ((SELECT word FROM secrets))

SELECT CASE WHEN 1 THEN (SELECT word FROM secrets) END

SELECT group_concat(word) FROM secrets

SELECT sum(length(word)) OVER () FROM secrets

SELECT row_number() OVER (ORDER BY (SELECT word FROM secrets)) FROM ext_notes_a

SELECT body FROM ext_notes_a ORDER BY (SELECT word FROM secrets)

SELECT body FROM ext_notes_a LIMIT (SELECT count(*) FROM secrets)

SELECT * FROM json_each((SELECT json_group_array(word) FROM secrets))

SELECT e.value FROM secrets, json_each('[1]') AS e

SELECT json_group_object(id, word) FROM secrets

SELECT printf('%s', (SELECT word FROM secrets))

EXPLAIN SELECT * FROM secrets

EXPLAIN QUERY PLAN SELECT * FROM secrets

-- The host's database: what was not granted.

SELECT * FROM host.users

SELECT word FROM users

SELECT * FROM "HOST"."Users"

SELECT title, (SELECT word FROM host.users LIMIT 1) FROM host.posts

SELECT * FROM host.posts JOIN host.users USING (id)

SELECT * FROM posts, users

SELECT * FROM host.v_users

SELECT name FROM v_users

SELECT * FROM host.sqlite_master

SELECT * FROM host.sqlite_schema

SELECT * FROM host.sqlite_sequence

SELECT * FROM host.sqlite_stat1

-- by SQLite
SELECT count(*) FROM ext_notes_h

-- by SQLite
SELECT * FROM ext_notes_h

SELECT * FROM host.ext_notes_h

INSERT INTO host.posts VALUES (9, 'mine')

INSERT INTO posts(title) VALUES ('mine')

UPDATE host.posts SET title = 'mine'

UPDATE posts SET title = 'mine'

DELETE FROM host.posts

INSERT INTO host.users(name) VALUES ('mine')

DELETE FROM host.users

DROP TABLE host.posts

DROP TABLE posts

ALTER TABLE host.posts ADD COLUMN mine

ALTER TABLE posts RENAME TO ext_notes_posts

CREATE INDEX host.ext_notes_i ON posts(title)

CREATE TABLE host.ext_notes_t(x)

CREATE VIEW host.ext_notes_v AS SELECT 1

CREATE TRIGGER host.ext_notes_g AFTER INSERT ON posts BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON posts BEGIN SELECT 1; END

REINDEX host.users

REINDEX users

REINDEX users_name

ANALYZE host

ANALYZE host.users

ANALYZE users

-- Writing foreign tables.

INSERT INTO secrets(word) VALUES ('mine')

INSERT INTO main.secrets DEFAULT VALUES

INSERT OR REPLACE INTO secrets(id, word) VALUES (1, 'mine')

INSERT OR IGNORE INTO secrets(id, word) VALUES (1, 'mine')

REPLACE INTO secrets(id, word) VALUES (1, 'mine')

INSERT INTO secrets(id, word) VALUES (1, 'mine') ON CONFLICT(id) DO UPDATE SET word = excluded.word

INSERT INTO secrets(word) SELECT body FROM ext_notes_a

INSERT INTO secrets(word) VALUES ('mine') RETURNING *

INSERT INTO _exthost_outbox(word) VALUES ('mine')

INSERT INTO ext_other_t(word) VALUES ('mine')

INSERT INTO ext_notes_a(body) SELECT word FROM secrets

INSERT INTO ext_notes_a(body) VALUES ((SELECT word FROM secrets))

INSERT INTO ext_notes_a(body) VALUES ('x') RETURNING (SELECT word FROM secrets)

INSERT INTO ext_notes_a(id, body) VALUES (1, 'x') ON CONFLICT(id) DO UPDATE SET body = (SELECT word FROM secrets)

INSERT INTO ext_notes_a(id, body) VALUES (1, 'x') ON CONFLICT(id) DO UPDATE SET body = 'y' WHERE EXISTS (SELECT 1 FROM secrets)

WITH c AS (SELECT word FROM secrets) INSERT INTO ext_notes_a(body) SELECT word FROM c

UPDATE secrets SET word = 'mine'

UPDATE main.secrets SET word = 'mine' WHERE id = 1

UPDATE secrets SET id = id

UPDATE OR REPLACE secrets SET id = 1

UPDATE _exthost_migrations SET word = 'mine'

UPDATE ext_notes_a SET body = (SELECT word FROM secrets)

UPDATE ext_notes_a SET body = word FROM secrets

UPDATE ext_notes_a SET body = s.word FROM secrets AS s WHERE s.id = ext_notes_a.id

UPDATE ext_notes_a SET (body, n) = (SELECT word, id FROM secrets)

UPDATE ext_notes_a SET n = 1 WHERE body < (SELECT word FROM secrets)

UPDATE ext_notes_a SET n = 1 RETURNING (SELECT word FROM secrets)

WITH c AS (SELECT * FROM secrets) UPDATE ext_notes_a SET body = (SELECT word FROM c)

DELETE FROM secrets

DELETE FROM main.secrets WHERE id = 1

DELETE FROM secrets RETURNING word

DELETE FROM _exthost_outbox

DELETE FROM ext_notes_a WHERE EXISTS (SELECT 1 FROM secrets)

DELETE FROM ext_notes_a RETURNING (SELECT count(*) FROM secrets)

INSERT INTO secret_view(word) VALUES ('mine')

DELETE FROM secret_view

UPDATE secret_view SET word = 'mine'

-- SQLite's own tables.

SELECT * FROM sqlite_master

SELECT sql FROM sqlite_schema

SELECT sql FROM "Sqlite_Master"

SELECT name FROM main.sqlite_schema WHERE type = 'table'

SELECT rowid FROM sqlite_master

SELECT * FROM sqlite_temp_master

SELECT * FROM sqlite_temp_schema

SELECT * FROM temp.sqlite_master

SELECT * FROM sqlite_sequence

SELECT * FROM sqlite_stat1

SELECT stat FROM sqlite_stat1

SELECT tbl, stat FROM main.sqlite_stat1

SELECT * FROM "sqlite_stat1" AS s

SELECT * FROM sqlite_stat4

SELECT sample FROM sqlite_stat4

UPDATE sqlite_sequence SET seq = 9223372036854775807

INSERT INTO sqlite_sequence VALUES ('secrets', 9223372036854775807)

DELETE FROM sqlite_sequence

UPDATE sqlite_master SET sql = 'CREATE TABLE secrets(x)' WHERE name = 'secrets'

DELETE FROM sqlite_master

INSERT INTO sqlite_schema VALUES ('table', 'ext_notes_x', 'ext_notes_x', 2, 'CREATE TABLE ext_notes_x(x)')

DELETE FROM sqlite_stat1

SELECT * FROM dbstat

SELECT name FROM dbstat('main')

SELECT * FROM sqlite_dbpage

SELECT * FROM sqlite_stmt

SELECT * FROM bytecode('SELECT 1')

SELECT * FROM tables_used('SELECT 1')

DROP TABLE sqlite_master

DROP TABLE sqlite_sequence

DROP TABLE sqlite_stat1

ALTER TABLE sqlite_master ADD COLUMN x

CREATE INDEX ext_notes_i ON sqlite_master(name)

CREATE TRIGGER ext_notes_g AFTER INSERT ON sqlite_master BEGIN SELECT 1; END

CREATE TABLE sqlite_mine(x)

CREATE VIEW ext_notes_v AS SELECT * FROM sqlite_master

CREATE TABLE ext_notes_t AS SELECT * FROM sqlite_master

CREATE TABLE ext_notes_t AS SELECT rowid FROM sqlite_master

CREATE TABLE ext_notes_t AS SELECT count(*) AS n FROM sqlite_master

CREATE TABLE ext_notes_t AS SELECT 1 AS n FROM sqlite_master

CREATE TABLE ext_notes_t AS SELECT (SELECT sql FROM sqlite_schema LIMIT 1) AS x

CREATE TABLE ext_notes_t AS SELECT * FROM sqlite_sequence

CREATE TABLE ext_notes_t AS SELECT * FROM sqlite_stat1

-- Pragmas.

PRAGMA journal_mode

PRAGMA journal_mode = DELETE

PRAGMA synchronous = OFF

PRAGMA foreign_keys = OFF

PRAGMA locking_mode = EXCLUSIVE

PRAGMA max_page_count = 1

PRAGMA page_size

PRAGMA writable_schema = ON

PRAGMA main.writable_schema = RESET

PRAGMA user_version = 7

PRAGMA schema_version = 7

PRAGMA application_id

PRAGMA optimize

PRAGMA database_list

PRAGMA table_list

PRAGMA hard_heap_limit = 1

PRAGMA soft_heap_limit = 1

PRAGMA trusted_schema = ON

PRAGMA case_sensitive_like = ON

PRAGMA recursive_triggers = ON

PRAGMA query_only = ON

PRAGMA ignore_check_constraints = ON

PRAGMA legacy_alter_table = ON

PRAGMA temp_store_directory = '/tmp'

PRAGMA wal_checkpoint

PRAGMA incremental_vacuum

PRAGMA integrity_check

PRAGMA quick_check(secrets)

PRAGMA foreign_key_check

PRAGMA foreign_key_check(secrets)

PRAGMA function_list

PRAGMA module_list

PRAGMA compile_options

PRAGMA threads = 8

PRAGMA mmap_size = 1000000000

PRAGMA busy_timeout = 1000000

PRAGMA data_version = 3

PRAGMA host.data_version

PRAGMA nosuchpragma

PRAGMA table_info(secrets)

PRAGMA main.table_info(secrets)

PRAGMA TABLE_INFO('secrets')

PRAGMA table_info = secrets

PRAGMA table_xinfo(_exthost_outbox)

PRAGMA table_list(secrets)

PRAGMA table_info(users)

PRAGMA host.table_info(users)

PRAGMA host.table_info(ext_notes_h)

PRAGMA table_info(sqlite_master)

PRAGMA temp.table_info(sqlite_master)

PRAGMA index_list(secrets)

PRAGMA index_info(secrets_word)

PRAGMA index_xinfo(secrets_word)

PRAGMA foreign_key_list(secrets)

PRAGMA table_info

EXPLAIN PRAGMA journal_mode

-- when run
SELECT * FROM pragma_table_info('secrets')

-- when run
SELECT name FROM pragma_table_info('users', 'host')

-- when run
SELECT name FROM pragma_table_xinfo('_exthost_outbox')

-- when run
SELECT * FROM pragma_table_list

-- when run
SELECT * FROM pragma_table_list('secrets')

SELECT * FROM pragma_database_list

-- when run
SELECT * FROM pragma_index_list('secrets')

SELECT * FROM pragma_function_list

SELECT * FROM pragma_module_list

SELECT * FROM pragma_compile_options

SELECT * FROM pragma_user_version

SELECT * FROM pragma_journal_mode

-- when run
SELECT a.id, p.name FROM ext_notes_a AS a, pragma_table_info('secrets') AS p

-- Whole databases, transactions, temporary objects.

ATTACH 'other.db' AS other

ATTACH DATABASE ':memory:' AS other

ATTACH '' AS other

DETACH host

DETACH DATABASE main

VACUUM

VACUUM main

VACUUM INTO 'copy.db'

VACUUM main INTO 'copy.db'

BEGIN

BEGIN IMMEDIATE

BEGIN EXCLUSIVE TRANSACTION

COMMIT

END

ROLLBACK

SAVEPOINT ext_notes_s

RELEASE exthost_ddl

ROLLBACK TO exthost_ddl

CREATE TEMP TABLE ext_notes_t(x)

CREATE TEMPORARY TABLE ext_notes_t AS SELECT 1 AS x

CREATE TABLE temp.ext_notes_t(x)

CREATE TEMP VIEW ext_notes_v AS SELECT word FROM secrets

CREATE VIEW temp.ext_notes_v AS SELECT 1

CREATE TEMP TRIGGER ext_notes_g AFTER INSERT ON main.secrets BEGIN INSERT INTO ext_notes_a(body) VALUES (new.word); END

CREATE TEMP TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

CREATE INDEX temp.ext_notes_i ON ext_notes_a(body)

CREATE TEMP TABLE secrets(x)

DROP TABLE temp.ext_notes_t

-- Functions.

SELECT load_extension('evil')

SELECT load_extension('evil', 'entry')

SELECT sqlite_compileoption_get(0)

SELECT sqlite_compileoption_used('THREADSAFE')

SELECT sqlite_source_id()

SELECT sqlite_log(1, 'x')

-- by SQLite
SELECT sqlite_offset(id) FROM ext_notes_a

SELECT fts3_tokenizer('simple')

SELECT fts5(1)

SELECT fts5_source_id()

-- by SQLite
SELECT sqlite_rename_table('main', 'table', 'secrets', 'CREATE TABLE secrets(x)', 'secrets', 'y', 0)

-- by SQLite
SELECT sqlite_drop_column(0, 'CREATE TABLE a(b, c)', 1)

SELECT rtreenode(2, x'00')

SELECT id FROM ext_notes_a WHERE load_extension(body)

-- by SQLite
CREATE TABLE ext_notes_t(x CHECK (load_extension(x)))

-- by SQLite
CREATE INDEX ext_notes_i ON ext_notes_a(load_extension(body))

CREATE TABLE ext_notes_t(x DEFAULT (load_extension('evil')))

-- by SQLite
CREATE TABLE ext_notes_t(x, y GENERATED ALWAYS AS (load_extension(x)))

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT load_extension('evil')

-- Names of foreign things: making, dropping, altering.

CREATE TABLE mine(x)

CREATE TABLE ext_notes(x)

CREATE TABLE ext_notes_(x)

CREATE TABLE "ext-notes-t"(x)

CREATE TABLE ext_other_mine(x)

CREATE TABLE _exthost_mine(x)

CREATE TABLE secrets(x)

CREATE TABLE IF NOT EXISTS secrets(x)

CREATE TABLE IF NOT EXISTS mine(x)

CREATE TABLE main.mine AS SELECT 1 AS x

CREATE TABLE ext_notes_t AS SELECT * FROM secrets

CREATE TABLE ext_notes_t AS SELECT word FROM secrets LIMIT 0

CREATE TABLE ext_notes_t AS SELECT count(*) AS n FROM secrets

CREATE TABLE ext_notes_t AS WITH c AS (SELECT * FROM host.users) SELECT * FROM c

CREATE TABLE IF NOT EXISTS ext_notes_t AS SELECT * FROM users

CREATE VIEW mine AS SELECT 1

CREATE VIEW IF NOT EXISTS secret_view AS SELECT 1

CREATE INDEX mine ON ext_notes_a(body)

CREATE INDEX ext_notes_i ON secrets(word)

CREATE UNIQUE INDEX ext_notes_i ON secrets(word)

CREATE UNIQUE INDEX IF NOT EXISTS secrets_word ON ext_notes_a(body)

CREATE INDEX ext_other_i ON ext_notes_a(body)

CREATE INDEX ext_notes_i ON _exthost_outbox(word)

CREATE INDEX ext_notes_i ON secrets(word) WHERE word > 'a'

CREATE INDEX ext_notes_i ON host.posts(title)

CREATE TRIGGER mine AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON secrets BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER UPDATE OF word ON secrets BEGIN INSERT INTO ext_notes_a(body) VALUES (new.word); END

CREATE TRIGGER ext_notes_g BEFORE DELETE ON _exthost_outbox BEGIN SELECT raise(ABORT, 'no'); END

CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON secret_view BEGIN SELECT 1; END

CREATE TRIGGER IF NOT EXISTS secrets_trigger AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

DROP TABLE secrets

DROP TABLE main."Secrets"

DROP TABLE IF EXISTS secrets

DROP TABLE IF EXISTS nosuch

DROP TABLE IF EXISTS _exthost_outbox

DROP TABLE ext_other_t

DROP VIEW secret_view

DROP VIEW IF EXISTS secret_view

DROP VIEW secrets

DROP TABLE secret_view

DROP TABLE secrets_word

DROP INDEX secrets_word

DROP INDEX IF EXISTS secrets_word

DROP INDEX IF EXISTS nosuch

DROP TRIGGER secrets_trigger

DROP TRIGGER IF EXISTS main.secrets_trigger

ALTER TABLE secrets RENAME TO ext_notes_secrets

ALTER TABLE secrets RENAME COLUMN word TO mine

ALTER TABLE secrets ADD COLUMN mine

ALTER TABLE secrets DROP COLUMN word

ALTER TABLE "_exthost_outbox" ADD COLUMN mine

ALTER TABLE ext_notes_a RENAME TO mine

ALTER TABLE ext_notes_a RENAME TO "ext_other_a"

ALTER TABLE ext_notes_a RENAME TO secrets

ALTER TABLE ext_notes_a RENAME TO _exthost_mine

ALTER TABLE ext_notes_a RENAME TO EXT_OTHER_A

ALTER TABLE ext_notes_a RENAME TO ext_notes_

ALTER TABLE main.ext_notes_a RENAME TO 'mine'

ALTER TABLE ext_notes_b ADD COLUMN s REFERENCES secrets(id)

ALTER TABLE ext_notes_b ADD COLUMN u INTEGER REFERENCES users

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT 1
ALTER TABLE ext_notes_v RENAME TO mine

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
ALTER TABLE ext_notes_f RENAME TO mine

CREATE INDEX ext_notes_i ON ext_notes_a(body)
ALTER TABLE ext_notes_a RENAME TO mine

REINDEX

REINDEX secrets

REINDEX main.secrets

REINDEX secrets_word

REINDEX nosuch

REINDEX nocase

ANALYZE

ANALYZE main

ANALYZE secrets

ANALYZE secrets_word

ANALYZE nosuch

ANALYZE sqlite_master

-- Views and triggers that reach out.

CREATE VIEW ext_notes_v AS SELECT * FROM secrets

CREATE VIEW ext_notes_v AS SELECT count(*) FROM secrets

CREATE VIEW ext_notes_v(w) AS SELECT word FROM main.secrets

CREATE VIEW ext_notes_v AS SELECT body, (SELECT word FROM secrets) FROM ext_notes_a

CREATE VIEW ext_notes_v AS SELECT nosuch FROM secrets

CREATE VIEW ext_notes_v AS SELECT * FROM nosuch

CREATE VIEW ext_notes_v AS SELECT * FROM users

CREATE VIEW ext_notes_v AS SELECT * FROM _exthost_outbox

CREATE VIEW ext_notes_v AS WITH c AS (SELECT word FROM secrets) SELECT * FROM c

CREATE VIEW ext_notes_v AS SELECT * FROM ext_notes_a UNION ALL SELECT 1, word, 2 FROM secrets

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT * FROM pragma_table_list

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT * FROM dbstat

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN UPDATE secrets SET word = 'mine'; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO secrets(word) VALUES ('mine'); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN DELETE FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) SELECT word FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT word FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT count(*) FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a WHEN (SELECT count(*) FROM secrets) > 0 BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER DELETE ON ext_notes_a BEGIN DELETE FROM _exthost_outbox; END

CREATE TRIGGER ext_notes_g BEFORE DELETE ON ext_notes_a WHEN EXISTS (SELECT 1 FROM secrets WHERE word > old.body) BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER UPDATE ON ext_notes_a BEGIN UPDATE ext_notes_b SET a_id = (SELECT word FROM secrets); END

CREATE TRIGGER ext_notes_g AFTER UPDATE OF n ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) SELECT id FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER UPDATE OF body, n ON ext_notes_a FOR EACH ROW WHEN new.n > 1 BEGIN DELETE FROM secrets WHERE id = new.n; END

-- by SQLite
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT load_extension('evil'); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT sql FROM sqlite_master; END

-- by SQLite
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) SELECT name FROM pragma_database_list; END

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON ext_notes_v BEGIN INSERT INTO secrets(word) VALUES (new.body); END

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF DELETE ON ext_notes_v BEGIN DELETE FROM secrets; END

CREATE VIEW ext_notes_v AS SELECT id, body FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF UPDATE OF body ON ext_notes_v BEGIN UPDATE secrets SET word = new.body; END

-- Foreign keys and virtual tables.

CREATE TABLE ext_notes_t(s REFERENCES secrets(id))

CREATE TABLE ext_notes_t(s REFERENCES secrets(id) ON DELETE CASCADE)

CREATE TABLE ext_notes_t(s, FOREIGN KEY (s) REFERENCES "Secrets"(id))

CREATE TABLE ext_notes_t(s REFERENCES nosuch(id))

CREATE TABLE ext_notes_t(s REFERENCES users)

CREATE TABLE ext_notes_t(s REFERENCES sqlite_master(rowid))

CREATE TABLE ext_notes_t(a REFERENCES ext_notes_a(id), s REFERENCES _exthost_outbox(id))

CREATE VIRTUAL TABLE mine USING fts5(body)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=secrets)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content='secrets', content_rowid='id')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, CONTENT = "secrets")

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, c=secrets)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, Conten=secrets)

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(word,content/**/=/**/[secrets])

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=nosuch)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=sqlite_master)

CREATE VIRTUAL TABLE ext_notes_f USING FTS5(content=secret_view, word)

CREATE VIRTUAL TABLE ext_notes_f USING fts4(body)

CREATE VIRTUAL TABLE ext_notes_f USING fts4(content="secrets", word)

CREATE VIRTUAL TABLE ext_notes_f USING fts3(body)

CREATE VIRTUAL TABLE ext_notes_f USING fts5vocab(ext_notes_a, row)

CREATE VIRTUAL TABLE ext_notes_f USING fts5vocab(main, secrets, instance)

CREATE VIRTUAL TABLE ext_notes_f USING fts4aux(secrets)

CREATE VIRTUAL TABLE ext_notes_f USING dbstat(main)

CREATE VIRTUAL TABLE ext_notes_f USING nosuch(x)

CREATE VIRTUAL TABLE ext_notes_f USING json_each

CREATE VIRTUAL TABLE ext_notes_f USING sqlite_dbpage

CREATE VIRTUAL TABLE temp.ext_notes_f USING fts5(body)

CREATE VIRTUAL TABLE host.ext_notes_f USING fts5(body)

-- by SQLite
-- when run
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
INSERT INTO ext_notes_f(ext_notes_f, rank) VALUES ('rank', 'bm25((SELECT 1 FROM secrets))')

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
DELETE FROM ext_notes_f_data

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
UPDATE ext_notes_f_content SET c0 = 'x'

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
DROP TABLE ext_notes_f_data

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
SELECT * FROM ext_notes_f, secrets WHERE ext_notes_f MATCH 'x'

-- Error texts as an oracle: a foreign table that exists is told of like one that
-- does not, whatever else is wrong with the statement.

SELECT nosuch FROM secrets

SELECT nosuch FROM users

SELECT nosuch FROM host.users

SELECT secrets.nosuch FROM secrets

SELECT nosuch(word) FROM secrets

SELECT b.id, a.id FROM secrets AS a, users AS b

SELECT * FROM ext_notes_a JOIN users USING (nosuch)

UPDATE users SET nosuch = 1

UPDATE secrets SET nosuch = 1

UPDATE v_users SET name = 1

INSERT INTO users(nosuch) VALUES (1)

INSERT INTO secrets VALUES (1, 2, 3, 4, 5, 6)

DELETE FROM users WHERE nosuch = 1

DELETE FROM v_users

-- by SQLite
DELETE FROM users LIMIT 1

INSERT INTO secrets(id) VALUES (1) ON CONFLICT(nosuch) DO NOTHING

ALTER TABLE users RENAME COLUMN nosuch TO x

ALTER TABLE v_users ADD COLUMN x

ALTER TABLE v_users RENAME TO ext_notes_v

ALTER TABLE secrets DROP COLUMN nosuch

CREATE INDEX ext_notes_i ON users(nosuch)

CREATE INDEX ext_notes_i ON v_users(name)

CREATE INDEX ext_notes_i ON secrets(nosuch)

CREATE TRIGGER ext_notes_g AFTER INSERT ON v_users BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON secret_view BEGIN SELECT 1; END

CREATE TABLE ext_notes_t AS SELECT nosuch FROM users

CREATE VIEW ext_notes_v AS SELECT nosuch FROM users

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT nosuch FROM users; END

WITH c AS (SELECT nosuch FROM users) SELECT * FROM c

SELECT (SELECT nosuch FROM users)

EXPLAIN SELECT nosuch FROM users

-- Where SQLite can do without the answer, and asks nobody about the table: whether
-- it exists must not be told either.

EXPLAIN DROP TABLE IF EXISTS secrets

EXPLAIN DROP VIEW IF EXISTS secret_view

EXPLAIN CREATE TRIGGER IF NOT EXISTS secrets_trigger AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

EXPLAIN QUERY PLAN CREATE UNIQUE INDEX IF NOT EXISTS secrets_word ON ext_notes_a(body)

EXPLAIN ALTER TABLE ext_notes_a RENAME TO secrets

EXPLAIN CREATE TABLE ext_notes_t(x)

EXPLAIN VACUUM INTO 'copy.db'

EXPLAIN ATTACH 'copy.db' AS other

SELECT 1 FROM ext_notes_a WHERE EXISTS (SELECT (SELECT count(*) FROM secrets))

SELECT EXISTS (SELECT EXISTS (SELECT 1 FROM users))

SELECT EXISTS (SELECT 1 FROM ext_notes_a WHERE EXISTS (SELECT (SELECT count(*) FROM v_users)))

CREATE VIEW ext_notes_v AS SELECT 1 WHERE EXISTS (SELECT EXISTS (SELECT 1 FROM secrets))

SELECT CASE WHEN 0 THEN (SELECT word FROM secrets) ELSE 1 END

SELECT iif(1, 2, (SELECT word FROM secrets))

SELECT coalesce(1, (SELECT word FROM secrets))

SELECT 1 FROM ext_notes_a LEFT JOIN secrets ON 0

SELECT * FROM ext_notes_a WHERE 1 OR EXISTS (SELECT 1 FROM secrets)

SELECT body FROM ext_notes_a LIMIT 0 OFFSET (SELECT count(*) FROM secrets)

-- UPDATE FROM, upsert, RETURNING: tables in places that came late to the grammar.

UPDATE ext_notes_a SET n = c.k FROM (SELECT count(*) AS k FROM secrets) AS c

UPDATE ext_notes_a SET body = w FROM (SELECT group_concat(word) AS w FROM users)

UPDATE ext_notes_a SET n = 1 FROM ext_notes_b AS b, secrets AS s WHERE b.a_id = s.id

UPDATE ext_notes_a SET n = 1 FROM ext_notes_b AS b LEFT JOIN host.users AS u ON u.id = b.id

UPDATE secrets SET word = body FROM ext_notes_a

UPDATE secrets AS ext_notes_a SET word = 'mine'

UPDATE main.secrets INDEXED BY secrets_word SET word = 'mine' WHERE word > ''

UPDATE OR FAIL secrets SET word = 'mine'

UPDATE OR ROLLBACK secrets SET word = 'mine'

UPDATE ext_notes_a SET n = (SELECT max(seq) FROM sqlite_sequence)

INSERT INTO ext_notes_a(id, n) VALUES (1, 1) ON CONFLICT(id) DO UPDATE SET n = excluded.n + (SELECT count(*) FROM users)

INSERT INTO ext_notes_a(id, n) VALUES (1, 1) ON CONFLICT(id) WHERE EXISTS (SELECT 1 FROM secrets) DO NOTHING

INSERT INTO ext_notes_a(id, n) VALUES (7, 1) ON CONFLICT(id) DO UPDATE SET body = (SELECT word FROM secrets WHERE id = excluded.id) ON CONFLICT DO NOTHING

INSERT INTO secrets(id, word) VALUES (1, 'mine') ON CONFLICT DO NOTHING

INSERT INTO secrets AS ext_notes_a (word) VALUES ('mine')

INSERT INTO "main".'secrets' VALUES (7, 'mine', 'mine')

INSERT OR ABORT INTO users(name) SELECT body FROM ext_notes_a

INSERT INTO ext_notes_a SELECT id, word, id FROM secrets WHERE true ON CONFLICT DO NOTHING

INSERT INTO ext_notes_a(n) VALUES (1), ((SELECT count(*) FROM secrets)), (3)

INSERT INTO ext_notes_a(body) SELECT name FROM users RETURNING body

DELETE FROM ext_notes_a WHERE id IN secrets

DELETE FROM ext_notes_a WHERE (id, body) IN (SELECT id, word FROM secrets)

DELETE FROM ext_notes_b WHERE a_id > (SELECT min(id) FROM host.users) RETURNING id

DELETE FROM secrets AS ext_notes_a

DELETE FROM main.secrets NOT INDEXED WHERE word = ''

WITH ext_notes_w AS (SELECT 1) DELETE FROM secrets

WITH secrets AS (SELECT 1) UPDATE secrets SET word = 'mine'

WITH secrets AS (SELECT 1) INSERT INTO secrets(word) VALUES ('mine')

REPLACE INTO main.sqlite_sequence(name, seq) VALUES ('ext_notes_a', 1)

-- Row values, windows, aggregates with an order: more places for a subquery.

SELECT (id, body) = (SELECT id, word FROM secrets LIMIT 1) FROM ext_notes_a

SELECT (1, 'x') < (SELECT id, word FROM secrets)

SELECT (1, 2) IN (SELECT id, id FROM users)

SELECT CASE (SELECT word FROM secrets) WHEN 'a' THEN 1 ELSE 2 END

SELECT n BETWEEN (SELECT min(id) FROM secrets) AND 9 FROM ext_notes_a

SELECT body COLLATE NOCASE = (SELECT word FROM secrets) FROM ext_notes_a

-- by SQLite
-- when run
SELECT sum(n) OVER (ORDER BY id ROWS (SELECT count(*) FROM secrets) PRECEDING) FROM ext_notes_a

SELECT sum(n) OVER (PARTITION BY (SELECT word FROM secrets)) FROM ext_notes_a

SELECT first_value((SELECT word FROM secrets)) OVER w FROM ext_notes_a WINDOW w AS (ORDER BY id)

SELECT lag(body, (SELECT count(*) FROM secrets)) OVER (ORDER BY id) FROM ext_notes_a

SELECT ntile((SELECT count(*) FROM users)) OVER () FROM ext_notes_a

SELECT sum(n) FILTER (WHERE body < (SELECT word FROM secrets)) FROM ext_notes_a

SELECT group_concat(body, (SELECT word FROM secrets)) FROM ext_notes_a

SELECT group_concat(body ORDER BY (SELECT word FROM secrets)) FROM ext_notes_a

SELECT string_agg(word, ',') FROM host.users

SELECT percentile(id, 50) FROM secrets

SELECT max((SELECT word FROM secrets), body) FROM ext_notes_a

SELECT id FROM ext_notes_a GROUP BY (SELECT word FROM secrets)

SELECT id FROM ext_notes_a GROUP BY id HAVING (SELECT count(*) FROM secrets) > 1

SELECT DISTINCT (SELECT word FROM users) FROM ext_notes_a

SELECT * FROM ext_notes_a AS a, (SELECT word FROM secrets WHERE id = a.id)

SELECT * FROM (VALUES (1), ((SELECT word FROM secrets)))

SELECT * FROM (ext_notes_a CROSS JOIN (ext_notes_b CROSS JOIN (secrets)))

SELECT * FROM ext_notes_a JOIN (secrets JOIN ext_notes_b USING (id)) USING (id)

SELECT secrets.* FROM ext_notes_a, secrets

SELECT main.secrets.word FROM main.secrets

SELECT "main"."secrets"."word" FROM "main"."secrets"

SELECT s.rowid, s.oid, s._rowid_ FROM secrets AS s

SELECT x.word FROM secrets x, secrets y

WITH RECURSIVE c(w) AS (VALUES ('') UNION SELECT word FROM secrets, c) SELECT w FROM c

WITH a AS (SELECT * FROM b), b AS (SELECT * FROM secrets) SELECT * FROM a

WITH a(x) AS (SELECT 1), b AS (SELECT (SELECT word FROM secrets LIMIT x) FROM a) SELECT * FROM b

WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < (SELECT count(*) FROM users)) SELECT count(*) FROM c

WITH secrets AS (SELECT * FROM main.secrets) SELECT * FROM secrets

WITH host AS (SELECT 1) SELECT * FROM host.users

SELECT * FROM (WITH users AS (SELECT 1) SELECT * FROM users), users

-- Very deep nesting, and many of the same.

SELECT ((((((((((((((((((((((((((((((((SELECT word FROM secrets))))))))))))))))))))))))))))))))

SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM secrets))))))))))

SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT (SELECT word FROM secrets))))))))))

SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT word FROM secrets

SELECT * FROM ext_notes_a, ext_notes_a a2, ext_notes_a a3, ext_notes_a a4, ext_notes_a a5, ext_notes_a a6, ext_notes_a a7, secrets

SELECT NOT NOT NOT NOT NOT - - - + ~(SELECT count(*) FROM secrets)

-- All four names of the schema table, in all schemas, joined, aliased, in strings.

SELECT * FROM main.sqlite_master

SELECT * FROM main.sqlite_temp_master

SELECT * FROM temp.sqlite_schema

SELECT * FROM temp.sqlite_temp_schema

SELECT * FROM host.sqlite_temp_master

SELECT name FROM "main"."SQLITE_SCHEMA"

SELECT name FROM 'sqlite_schema'

SELECT name FROM [sqlite_master] AS ext_notes_a

SELECT m.name FROM ext_notes_a AS a JOIN sqlite_schema AS m ON m.rootpage = a.id

SELECT count(*) FROM temp.sqlite_master

SELECT 1 FROM sqlite_temp_schema

SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'secrets')

SELECT group_concat(sql) FROM sqlite_schema

INSERT INTO ext_notes_a(body) SELECT sql FROM sqlite_schema

UPDATE ext_notes_a SET body = sql FROM sqlite_schema AS s WHERE s.rootpage > 0

WITH m AS (SELECT * FROM sqlite_master) SELECT * FROM m

UPDATE sqlite_schema SET name = 'ext_notes_x'

UPDATE main.sqlite_stat1 SET stat = '1 1'

INSERT INTO sqlite_stat1 VALUES ('secrets', NULL, '1')

INSERT INTO sqlite_stat4(tbl) VALUES ('secrets')

DELETE FROM sqlite_stat4

SELECT tbl, idx, neq, nlt, ndlt FROM sqlite_stat4

SELECT seq FROM main.sqlite_sequence WHERE name = 'secrets'

CREATE TABLE sqlite_sequence(name, seq)

CREATE TABLE ext_notes_t AS SELECT * FROM main.sqlite_temp_schema

CREATE INDEX ext_notes_i ON sqlite_sequence(seq)

CREATE VIEW sqlite_mine AS SELECT 1

CREATE TRIGGER sqlite_mine AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

CREATE INDEX sqlite_autoindex_mine_1 ON ext_notes_a(body)

DROP INDEX sqlite_autoindex_secrets_1

ALTER TABLE sqlite_sequence RENAME TO ext_notes_sequence

ALTER TABLE ext_notes_a RENAME TO sqlite_mine

ALTER TABLE sqlite_stat1 ADD COLUMN mine

-- Pragmas: table functions in joins, schemas, spellings, the one that explains.

-- when run
SELECT f.* FROM pragma_foreign_key_list('secrets') AS f, ext_notes_a

-- when run
SELECT i.name FROM pragma_index_list('users') AS l, pragma_index_info(l.name) AS i

-- when run
SELECT * FROM pragma_table_info('users') WHERE schema = 'host'

-- when run
SELECT * FROM pragma_table_xinfo WHERE arg = 'secrets'

-- when run
SELECT p.* FROM (SELECT 'secrets' AS t) AS n JOIN pragma_table_info(n.t) AS p

-- when run
SELECT p.* FROM (SELECT 'sec' || 'rets' AS t) AS n, pragma_table_info(n.t) AS p

-- when run
SELECT * FROM pragma_table_info(lower('SECRETS'))

-- when run
SELECT * FROM pragma_index_info('secrets_word')

-- when run
SELECT * FROM pragma_index_xinfo('users_name', 'host')

-- when run
SELECT * FROM pragma_table_list('users') WHERE schema = 'host'

-- when run
SELECT * FROM ext_notes_a WHERE body IN (SELECT name FROM pragma_table_info('secrets'))

SELECT * FROM pragma_collation_list

SELECT * FROM pragma_pragma_list

SELECT * FROM pragma_integrity_check

SELECT * FROM pragma_quick_check('secrets')

SELECT * FROM pragma_foreign_key_check('secrets')

SELECT * FROM pragma_page_count

SELECT * FROM pragma_freelist_count

SELECT * FROM pragma_schema_version

SELECT * FROM pragma_data_version

SELECT * FROM pragma_optimize

SELECT * FROM pragma_max_page_count

SELECT * FROM pragma_wal_checkpoint

SELECT * FROM main.pragma_database_list

PRAGMA main.table_list

PRAGMA host.table_list

PRAGMA temp.table_list

PRAGMA main.table_list(secrets)

PRAGMA "table_info"(secrets)

PRAGMA [table_info]('secrets')

PRAGMA main . table_xinfo ( "secrets" )

PRAGMA host.index_list(users)

PRAGMA host.index_list(posts)

PRAGMA host.foreign_key_list(users)

PRAGMA collation_list

PRAGMA pragma_list

PRAGMA page_count

PRAGMA freelist_count

PRAGMA schema_version

PRAGMA user_version

PRAGMA encoding

PRAGMA encoding = 'UTF-16'

PRAGMA auto_vacuum = FULL

PRAGMA secure_delete = ON

PRAGMA cache_size = 100000000

PRAGMA cache_spill = OFF

PRAGMA temp_store = MEMORY

PRAGMA journal_size_limit = 1

PRAGMA wal_autocheckpoint = 1

PRAGMA checkpoint_fullfsync

PRAGMA defer_foreign_keys = ON

PRAGMA reverse_unordered_selects = ON

PRAGMA count_changes = ON

PRAGMA full_column_names = ON

PRAGMA empty_result_callbacks = ON

PRAGMA automatic_index = OFF

PRAGMA cell_size_check

PRAGMA analysis_limit = 1

PRAGMA shrink_memory

PRAGMA stats

PRAGMA lock_status

PRAGMA parser_trace = ON

PRAGMA vdbe_trace = ON

PRAGMA main.page_size = 512

PRAGMA page_size(512)

PRAGMA host.page_size

PRAGMA temp.data_version

PRAGMA main.data_version(1)

PRAGMA key = 'x'

PRAGMA rekey = 'x'

PRAGMA activate_extensions = 'x'

EXPLAIN PRAGMA table_info(secrets)

-- Whole databases and transactions again, in other forms.

ATTACH 'file:other.db?mode=memory' AS other

ATTACH 'file:data.db?vfs=unix-none' AS other

ATTACH DATABASE (SELECT 'other.db') AS other

ATTACH printf('%s', 'other.db') AS host

ATTACH 'a' AS main

ATTACH 'a' AS b KEY 'c'

DETACH main

DETACH 'host'

VACUUM host

VACUUM INTO (SELECT 'copy.db')

VACUUM INTO '/dev/null'

/* */ vacuum

END TRANSACTION

COMMIT TRANSACTION

ROLLBACK TRANSACTION TO SAVEPOINT exthost_call

RELEASE SAVEPOINT exthost_call

SAVEPOINT exthost_ddl

SAVEPOINT "x"

BEGIN DEFERRED

BEGIN TRANSACTION

EXPLAIN BEGIN

EXPLAIN COMMIT

-- Temporary objects in more spellings.

CREATE TEMP TABLE "secrets" AS SELECT 1 AS word

CREATE TEMPORARY VIEW ext_notes_v AS SELECT 1

CREATE TEMPORARY TRIGGER ext_notes_g BEFORE UPDATE ON main.ext_notes_a BEGIN SELECT 1; END

-- by SQLite
CREATE TEMP TRIGGER temp.ext_notes_g AFTER INSERT ON secrets BEGIN SELECT 1; END

CREATE VIRTUAL TABLE temp.ext_notes_f USING rtree(id, a, b)

CREATE TABLE IF NOT EXISTS temp.ext_notes_t(x)

CREATE UNIQUE INDEX temp.ext_notes_i ON ext_notes_a(n)

CREATE TRIGGER temp.ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

DROP VIEW temp.ext_notes_v

DROP TRIGGER IF EXISTS temp.ext_notes_g

DROP INDEX temp.ext_notes_i

SELECT * FROM temp.ext_notes_a

INSERT INTO temp.ext_notes_a(body) VALUES ('x')

ALTER TABLE temp.ext_notes_a ADD COLUMN x

-- Names: wildcards, case folding beyond ASCII, look-alikes, blanks, line ends,
-- quotes within quotes, numbers, the empty name.

CREATE TABLE extXnotesXmine(x)

CREATE TABLE "ext%notes%mine"(x)

CREATE TABLE "ext_notes"(x)

CREATE TABLE " ext_notes_t"(x)

CREATE TABLE "\next_notes_t"(x)

CREATE TABLE "ext_notes\n_t"(x)

CREATE TABLE "\u{feff}ext_notes_t"(x)

CREATE TABLE "\u{200b}ext_notes_t"(x)

CREATE TABLE "ext_note\u{17f}_t"(x)

CREATE TABLE ext_note\u{17f}_t(x)

CREATE TABLE "\u{435}xt_notes_t"(x)

CREATE TABLE "ext\u{ff3f}notes\u{ff3f}t"(x)

CREATE TABLE "e\u{301}xt_notes_t"(x)

CREATE TABLE """ext_notes_t"""(x)

CREATE TABLE "main.ext_notes_t"(x)

CREATE TABLE [ext_notes](x)

CREATE TABLE `secrets`(x)

CREATE TABLE ''(x)

CREATE TABLE main.""(x)

CREATE TABLE "\u{1}"(x)

SELECT word FROM "secrets" AS "ext_notes_a"

SELECT word FROM "SECRETS"

SELECT * FROM "main.secrets"

SELECT * FROM "secrets "

SELECT * FROM "secret\u{17f}"

SELECT * FROM "\u{455}ecrets"

SELECT * FROM "secrets\n"

SELECT * FROM "sec""rets"

SELECT * FROM 'main'.'secrets'

SELECT * FROM `main`.[secrets]

SELECT * FROM"secrets"

SELECT*FROM[secrets]WHERE"word">''

SELECT word/*\n*/FROM--\nsecrets

SELECT word FROM\u{c}secrets

SELECT word FROM main.\nsecrets

-- by SQLite
SELECT word FROM /* ext_notes_a

SELECT word FROM \u{a0}secrets

DROP TABLE "ext_notes\n"

DROP TABLE [secrets]

DROP TABLE `main`.`secrets`

DROP TABLE/**/IF/**/EXISTS/**/secrets

DROP INDEX "main"."secrets_word"

ALTER TABLE ext_notes_a RENAME TO "ext_note\u{17f}_a"

ALTER TABLE ext_notes_a RENAME TO "\next_notes_c"

ALTER TABLE ext_notes_a RENAME TO [ext notes]

ALTER TABLE ext_notes_a RENAME TO """ext_notes_c"""

ALTER TABLE ext_notes_b RENAME TO ext_notes

CREATE INDEX "ext_notes" ON ext_notes_a(body)

CREATE INDEX "secrets_word2" ON "ext_notes_a"("body")

CREATE VIEW "\u{435}xt_notes_v" AS SELECT 1

CREATE TRIGGER "ext notes g" AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

-- Databases by number or by another name.

-- by SQLite
SELECT * FROM 0.secrets

SELECT * FROM other.secrets

SELECT * FROM "0".secrets

-- by SQLite
SELECT * FROM main.main.secrets

INSERT INTO other.ext_notes_a DEFAULT VALUES

CREATE TABLE other.ext_notes_t(x)

DROP TABLE other.ext_notes_a

CREATE TABLE "host".ext_notes_t(x)

CREATE TABLE HOST.ext_notes_t AS SELECT 1 AS x

-- Definitions that reach out: checks, generated columns, defaults, expression and
-- partial indexes, foreign keys, STRICT and WITHOUT ROWID tables.

-- by SQLite
CREATE TABLE ext_notes_t(x CHECK (x IN (SELECT word FROM secrets)))

-- by SQLite
CREATE TABLE ext_notes_t(x, CHECK (EXISTS (SELECT 1 FROM secrets)))

-- by SQLite
CREATE TABLE ext_notes_t(x, y AS ((SELECT word FROM secrets)))

-- by SQLite
CREATE TABLE ext_notes_t(x, y GENERATED ALWAYS AS (secrets.word) STORED)

-- by SQLite
CREATE TABLE ext_notes_t(x DEFAULT (SELECT word FROM secrets))

-- by SQLite
CREATE INDEX ext_notes_i ON ext_notes_a((SELECT word FROM secrets))

-- by SQLite
CREATE INDEX ext_notes_i ON ext_notes_a(body) WHERE body IN (SELECT word FROM secrets)

-- by SQLite
CREATE INDEX ext_notes_i ON ext_notes_a(secrets.word)

-- by SQLite
ALTER TABLE ext_notes_a ADD COLUMN x AS ((SELECT word FROM secrets))

-- by SQLite
ALTER TABLE ext_notes_a ADD COLUMN x CHECK (x IN (SELECT word FROM secrets))

ALTER TABLE ext_notes_a ADD COLUMN x DEFAULT NULL REFERENCES "secrets"

ALTER TABLE ext_notes_a ADD COLUMN x REFERENCES _exthost_outbox(id) ON DELETE SET NULL

CREATE TABLE ext_notes_t(x REFERENCES host_users)

CREATE TABLE ext_notes_t(x REFERENCES posts(id))

CREATE TABLE ext_notes_t(x PRIMARY KEY REFERENCES secrets) WITHOUT ROWID

CREATE TABLE ext_notes_t(x INTEGER REFERENCES secrets(id) DEFERRABLE INITIALLY DEFERRED) STRICT

CREATE TABLE ext_notes_t(a, b, FOREIGN KEY (a, b) REFERENCES secrets(id, word) ON UPDATE CASCADE)

CREATE TABLE ext_notes_t(a, CONSTRAINT c FOREIGN KEY (a) REFERENCES ext_notesx MATCH FULL)

CREATE TABLE secrets(x) STRICT

CREATE TABLE _exthost_t(x PRIMARY KEY) WITHOUT ROWID

CREATE TABLE ext_notes_t AS SELECT * FROM ext_notes_a, secrets

CREATE TABLE ext_notes_t AS SELECT (SELECT word FROM users) AS w UNION ALL SELECT 1

CREATE TABLE ext_notes_t AS VALUES ((SELECT word FROM secrets))

CREATE TABLE main.ext_notes_t AS SELECT name FROM host.users WHERE 0

CREATE UNIQUE INDEX secrets_unique ON secrets(word)

CREATE INDEX main.ext_notes_i ON "secrets"("word" COLLATE NOCASE DESC)

CREATE INDEX ext_notes_i ON secret_view(word)

CREATE INDEX ext_notes_i ON secrets(lower(word))

CREATE VIEW IF NOT EXISTS ext_notes_v AS SELECT word FROM secrets

CREATE VIEW ext_notes_v(a, b) AS SELECT id, (SELECT word FROM users) FROM ext_notes_a

CREATE VIEW ext_notes_v AS VALUES ((SELECT word FROM secrets))

CREATE VIEW ext_notes_v AS SELECT * FROM (SELECT * FROM (SELECT * FROM secret_view))

CREATE VIEW ext_notes_v AS SELECT body IN secrets AS x FROM ext_notes_a

CREATE VIEW ext_notes_v AS SELECT sum(id) OVER (PARTITION BY (SELECT word FROM secrets)) FROM ext_notes_a

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT * FROM host.users

CREATE VIEW ext_notes_v AS SELECT * FROM sqlite_sequence

-- A view over a view, a trigger in a trigger: what reaches out is behind another.

CREATE VIEW ext_notes_v AS SELECT * FROM ext_notes_a
CREATE VIEW ext_notes_w AS SELECT v.id, s.word FROM ext_notes_v AS v, secrets AS s

CREATE VIEW ext_notes_v AS SELECT id FROM ext_notes_a
CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON ext_notes_v BEGIN INSERT INTO ext_notes_b(a_id) SELECT word FROM secrets; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) VALUES (new.id); END
CREATE TRIGGER ext_notes_h AFTER INSERT ON ext_notes_b BEGIN UPDATE secrets SET word = 'mine'; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN REPLACE INTO secrets(id, word) VALUES (1, new.body); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN UPDATE ext_notes_a SET body = s.word FROM secrets AS s WHERE s.id = new.id; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(id) VALUES (1) ON CONFLICT(id) DO UPDATE SET a_id = (SELECT word FROM secrets); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN SELECT raise(ABORT, (SELECT word FROM secrets)); END

CREATE TRIGGER ext_notes_g BEFORE UPDATE OF body ON ext_notes_a WHEN new.body IN (SELECT word FROM secrets) BEGIN SELECT raise(IGNORE); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO posts(title) VALUES (new.body); END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN DELETE FROM users; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN UPDATE sqlite_sequence SET seq = 9; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_a BEGIN INSERT INTO ext_notes_b(a_id) SELECT stat FROM sqlite_stat1; END

CREATE TRIGGER ext_notes_g AFTER DELETE ON ext_notes_b WHEN old.id = 1 BEGIN SELECT 1; SELECT 2; DELETE FROM secrets WHERE id = old.id; END

CREATE TRIGGER ext_notes_g AFTER INSERT ON "secrets" BEGIN INSERT INTO ext_notes_a(body) VALUES (new.word); END

CREATE TRIGGER main.ext_notes_g AFTER INSERT ON ext_notes_a BEGIN DELETE FROM ext_other_t; END

CREATE TRIGGER secrets AFTER INSERT ON ext_notes_a BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER DELETE ON sqlite_sequence BEGIN SELECT 1; END

-- Altering: columns that foreign things name, and names on the way.

ALTER TABLE secrets RENAME word TO mine

ALTER TABLE main.secrets ADD COLUMN x DEFAULT 1

ALTER TABLE secrets ALTER COLUMN word SET NOT NULL

ALTER TABLE secrets DROP CONSTRAINT mine

ALTER TABLE secrets ADD CONSTRAINT mine CHECK (0)

ALTER TABLE host.users RENAME COLUMN name TO mine

ALTER TABLE host.posts RENAME TO ext_notes_posts

ALTER TABLE host.posts DROP COLUMN title

ALTER TABLE secret_view RENAME TO ext_notes_v

ALTER TABLE ext_notesx RENAME TO ext_notes_x

ALTER TABLE ext_other_t RENAME COLUMN id TO key

-- by SQLite
CREATE VIEW ext_notes_v AS SELECT body FROM ext_notes_a
ALTER TABLE ext_notes_a DROP COLUMN body

CREATE TABLE ext_notes_p(id INTEGER PRIMARY KEY)
CREATE TABLE ext_notes_q(p REFERENCES ext_notes_p)
ALTER TABLE ext_notes_p RENAME TO ext_other_p

CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
ALTER TABLE ext_notes_r RENAME TO mine

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
ALTER TABLE ext_notes_r_node RENAME TO mine

-- Full text and R-trees: shadow tables, content elsewhere, vocabularies.

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=main.secrets)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=`secrets`)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, tokenize='ascii', CONTE="secrets", content_rowid=id)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content='ext_other_t')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, content=_exthost_outbox, columnsize=0)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(title, content='posts', content_rowid='id')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(sql, content='sqlite_schema')

CREATE VIRTUAL TABLE ext_notes_f USING fts5(name, content='pragma_database_list')

CREATE VIRTUAL TABLE secrets USING fts5(body)

CREATE VIRTUAL TABLE IF NOT EXISTS secrets USING rtree(id, a, b)

CREATE VIRTUAL TABLE ext_notes_f USING fts5vocab('ext_notes_a', 'col')

CREATE VIRTUAL TABLE ext_notes_f USING fts5vocab(ext_notes_g, instance)

CREATE VIRTUAL TABLE ext_notes_f USING geopoly(a)

CREATE VIRTUAL TABLE ext_notes_f USING fts3tokenize

CREATE VIRTUAL TABLE ext_notes_f USING pragma_table_info

CREATE VIRTUAL TABLE ext_notes_f USING generate_series

CREATE VIRTUAL TABLE ext_notes_f USING csv(filename='/etc/passwd')

CREATE VIRTUAL TABLE ext_notes_f USING "fts4"(body)

CREATE VIRTUAL TABLE main.secrets_f USING fts5(body)

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(word, tokenize='nosuch')

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
INSERT INTO ext_notes_f_config VALUES ('version', 9)

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
INSERT INTO ext_notes_f_idx VALUES (1, x'00', 1)

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
ALTER TABLE ext_notes_f_data ADD COLUMN x

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
CREATE TRIGGER ext_notes_g AFTER INSERT ON ext_notes_f BEGIN SELECT 1; END

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
UPDATE ext_notes_r_node SET data = x'00'

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
DELETE FROM ext_notes_r_parent

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
INSERT INTO ext_notes_f(body) SELECT word FROM secrets

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
SELECT highlight(ext_notes_f, 0, (SELECT word FROM secrets), '') FROM ext_notes_f

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
SELECT * FROM ext_notes_f((SELECT word FROM secrets))

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
SELECT * FROM ext_notes_f WHERE ext_notes_f MATCH (SELECT word FROM users)

CREATE VIRTUAL TABLE ext_notes_f USING fts5(body)
CREATE VIRTUAL TABLE ext_notes_g USING fts5vocab(ext_notes_f, row)

CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
INSERT INTO ext_notes_r SELECT id, id, id FROM secrets

CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
SELECT * FROM ext_notes_r WHERE a > (SELECT count(*) FROM secrets)

-- by SQLite
CREATE VIRTUAL TABLE ext_notes_r USING rtree(id, a, b)
SELECT * FROM ext_notes_r WHERE id MATCH circle(1, 2, 3)

-- Functions off the list, in every place that takes one.

SELECT * FROM ext_notes_a ORDER BY sqlite_source_id()

SELECT count(*) FROM ext_notes_a GROUP BY sqlite_source_id()

SELECT (SELECT sqlite_compileoption_get(1))

INSERT INTO ext_notes_a(body) VALUES (sqlite_source_id())

UPDATE ext_notes_a SET body = load_extension('x')

DELETE FROM ext_notes_a WHERE sqlite_compileoption_used('x')

SELECT LOAD_EXTENSION('x')

SELECT "load_extension"('x')

SELECT [sqlite_source_id]()

SELECT rtreedepth(x'0000')

-- by SQLite
SELECT matchinfo(ext_notes_a) FROM ext_notes_a

-- by SQLite
SELECT offsets(ext_notes_a) FROM ext_notes_a

-- by SQLite
SELECT optimize(ext_notes_a) FROM ext_notes_a

SELECT fts3_tokenizer('x', x'0000000000000000')

-- by SQLite
SELECT readfile('/etc/passwd')

-- by SQLite
SELECT writefile('x', 'y')

-- by SQLite
SELECT edit('x')

-- by SQLite
SELECT eval('SELECT word FROM secrets')

-- by SQLite
SELECT geopoly_area('x')

-- by SQLite
SELECT sqlite_filestat('x')

-- by SQLite
SELECT sqlite_rename_column('CREATE TABLE secrets(x)', 'table', 'x', 'main', 'secrets', 0, 'y', 0, 0)

CREATE TABLE ext_notes_t(x DEFAULT (readfile('/etc/passwd')))

-- Table functions that are not tables of the plugin.

SELECT * FROM sqlite_dbpage('main')

SELECT data FROM sqlite_dbpage WHERE pgno = 1

UPDATE sqlite_dbpage SET data = x'00' WHERE pgno = 1

SELECT * FROM dbstat WHERE name = 'secrets'

SELECT * FROM sqlite_stmt WHERE busy

SELECT * FROM generate_series(1, 9)

-- by SQLite
SELECT * FROM fts3tokenize('simple')

SELECT * FROM bytecode((SELECT 'SELECT word FROM secrets'))

SELECT * FROM carray(1, 2)

SELECT * FROM fsdir('/')

SELECT * FROM zipfile('x')

SELECT * FROM json_each((SELECT word FROM secrets))

SELECT * FROM ext_notes_a, json_tree((SELECT json_array(word) FROM users))

-- Double-quoted text, which is a name and nothing else.

-- by SQLite
SELECT "no such column" FROM ext_notes_a

-- by SQLite
SELECT * FROM ext_notes_a WHERE body = "secrets"

-- by SQLite
INSERT INTO ext_notes_a(body) VALUES ("word")

-- by SQLite
SELECT json_extract('{}', "$.a")

SELECT "word" FROM "secrets" WHERE "word" = "word"

-- More oracles: what is wrong with the statement must not depend on the table.

SELECT word, nosuch FROM secrets

SELECT count(nosuch) FROM users

SELECT nosuch.* FROM secrets

SELECT * FROM secrets WHERE word = nosuch

SELECT * FROM secrets ORDER BY 9

SELECT * FROM secrets GROUP BY 9

SELECT id FROM secrets UNION SELECT id, word FROM secrets

SELECT * FROM secrets INDEXED BY nosuch

SELECT * FROM users INDEXED BY users_name WHERE name = 1

SELECT * FROM secrets INDEXED BY users_name

SELECT abs(1, 2) FROM secrets

SELECT word COLLATE nosuch FROM secrets

SELECT sum(sum(id)) FROM secrets

SELECT lag(1) FROM secrets

SELECT * FROM secrets(1)

SELECT * FROM secret_view('x')

SELECT (SELECT id, word FROM secrets)

SELECT 1 IN (SELECT id, word FROM secrets)

SELECT * FROM secrets NATURAL JOIN users USING (id)

SELECT id FROM secrets, users

SELECT * FROM ext_notes_a LEFT JOIN users USING (name)

UPDATE secrets SET id = 1, id = 2

UPDATE secret_view SET nosuch = 1

UPDATE ext_notes_a SET nosuch = (SELECT word FROM secrets)

INSERT INTO secrets(word, word) VALUES (1)

INSERT INTO secrets(word) VALUES (1, 2)

INSERT INTO users SELECT 1

INSERT INTO secret_view VALUES (1)

-- by SQLite
INSERT INTO ext_notes_a(nosuch) SELECT word FROM secrets

DELETE FROM secrets WHERE nosuch

DELETE FROM secret_view WHERE nosuch

CREATE INDEX secrets ON ext_notes_a(body)

CREATE INDEX secrets_trigger ON ext_notes_a(nosuch)

CREATE TRIGGER secrets_word AFTER INSERT ON nosuch BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g INSTEAD OF INSERT ON secrets BEGIN SELECT 1; END

CREATE TRIGGER ext_notes_g AFTER UPDATE OF nosuch ON secrets BEGIN SELECT 1; END

CREATE VIEW secrets AS SELECT nosuch

CREATE TABLE secret_view(x, x)

CREATE TABLE users(x PRIMARY KEY, y PRIMARY KEY)

DROP VIEW IF EXISTS users

DROP TABLE IF EXISTS v_users

DROP INDEX IF EXISTS secrets

DROP TRIGGER IF EXISTS secrets

ALTER TABLE ext_notes_a RENAME TO secrets_word

ALTER TABLE ext_notes_a RENAME TO secret_view

ALTER TABLE secrets ADD COLUMN word

ALTER TABLE secrets RENAME COLUMN word TO id

ALTER TABLE secret_view DROP COLUMN word

-- Describing tables makes SQLite compile all views: what it may not see of them is
-- not told by another mistake in the statement.

-- by SQLite
PRAGMA table_list(ext_notes_a) nosuch

-- by SQLite
-- when run
SELECT abs(-9223372036854775807 - 1) FROM pragma_table_list('ext_notes_a')

-- by SQLite
-- when run
WITH unused AS (SELECT word FROM secrets) SELECT abs(-9223372036854775807 - 1) FROM pragma_table_list('ext_notes_a')

SELECT rtreecheck('secrets')

SELECT rtreecheck('main', 'secrets')
