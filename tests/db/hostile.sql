-- What the plugin `notes` must be refused. Entries are separated by empty lines;
-- one statement a line. The last line of an entry must be refused and leave no
-- trace; the lines before it are set-up and must succeed. In `main` there are the
-- foreign tables secrets(id, word), ext_other_t(id, word), ext_notesx(id, word),
-- extXnotesXt(id, word), _exthost_outbox(id, word), _exthost_migrations(id, word),
-- the view secret_view, the index secrets_word and the trigger secrets_trigger; in
-- `host` users(id, name, word), v_users, the index users_name and the granted
-- table posts(id, title). The plugin has ext_notes_a(id, body, n) and
-- ext_notes_b(id, a_id). `by SQLite` marks what SQLite refuses in words of its own.

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

SELECT * FROM pragma_table_info('secrets')

SELECT name FROM pragma_table_info('users', 'host')

SELECT name FROM pragma_table_xinfo('_exthost_outbox')

SELECT * FROM pragma_table_list

SELECT * FROM pragma_table_list('secrets')

SELECT * FROM pragma_database_list

SELECT * FROM pragma_index_list('secrets')

SELECT * FROM pragma_function_list

SELECT * FROM pragma_module_list

SELECT * FROM pragma_compile_options

SELECT * FROM pragma_user_version

SELECT * FROM pragma_journal_mode

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
