-- Statements that would run for long, each of which must be stopped at the deadline.
--
-- One statement a line; `{60|x}` stands for x sixty times with commas between. None
-- may end by itself within seconds on a fast machine. What follows the comment that
-- begins with `Late` is stopped, but not at once. There are
-- ext_notes_big(id, k, body) of 200,000 rows with an index on k, ext_notes_long(id, v)
-- with four rows of nearly 16 MiB (1 the letter a, 2 a JSON array, 3 a blob,
-- 4 words), ext_notes_f (FTS5) and ext_notes_r (R-tree) of 20,000 rows,
-- ext_notes_p(id) and ext_notes_c(id, p) with a cascading foreign key.

-- Endless recursion.
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(n) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION SELECT n + 1 FROM c) SELECT sum(n) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c ORDER BY 1 DESC) SELECT count(*) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n FROM c) SELECT count(*) FROM c
WITH RECURSIVE c(n, s) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, substr(s || 'a', 1, 99) FROM c) SELECT count(s) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT c.n + b.id FROM c, ext_notes_b AS b) SELECT count(*) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT row_number() OVER () FROM c WHERE n < 0
WITH RECURSIVE c(n) AS (SELECT random() UNION SELECT random() FROM c) SELECT count(*) FROM c
WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a), b(n) AS (SELECT n FROM a) SELECT count(*) FROM b
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT 1 WHERE EXISTS (SELECT 1 FROM c WHERE n < 0)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT INTO ext_notes_b(a_id) SELECT NULL FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) UPDATE ext_notes_a SET n = (SELECT max(n) FROM c)
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) DELETE FROM ext_notes_b WHERE id IN (SELECT -n FROM c)
CREATE TABLE ext_notes_t AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c
SELECT * FROM ext_notes_a WHERE n = (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT sum(n) FROM c)
WITH RECURSIVE c(n) AS (VALUES (1), (2) UNION ALL SELECT n + 1 FROM c) SELECT group_concat(DISTINCT n % 7) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c ORDER BY n DESC
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT DISTINCT n FROM c WHERE n < 0
WITH RECURSIVE c(n, d) AS (SELECT 1, date('2024-01-01') UNION ALL SELECT n + 1, date(d, '+1 day', 'start of month') FROM c) SELECT max(d) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(strftime('%Y-%m-%d %H:%M:%f', n)) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(json_object('n', n, 'a', json_array(n, n))) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(printf('%020d%s', n, hex(n))) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT json_group_array(n % 2) FILTER (WHERE n < 0) FROM c

-- Cross joins.
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.body < b.body
SELECT count(*) FROM ext_notes_big AS a CROSS JOIN ext_notes_big AS b
SELECT count(*) FROM ext_notes_big AS a LEFT JOIN ext_notes_big AS b ON a.body = b.body || 'x'
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b, ext_notes_big AS c WHERE a.k + b.k = c.k
SELECT max(a.body || b.body) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT sum(a.k * b.k) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.id <> b.id
SELECT count(*) FROM ext_notes_big AS a FULL JOIN ext_notes_big AS b ON a.body LIKE b.body || '%'
SELECT 1 FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.id + b.id < 0
SELECT count(DISTINCT a.id * 300000 + b.id) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT a.k, count(*) FROM ext_notes_big AS a, ext_notes_big AS b GROUP BY a.body || b.body
SELECT a.id FROM ext_notes_big AS a, ext_notes_big AS b ORDER BY a.body || b.body LIMIT 1
SELECT a.id FROM ext_notes_big AS a, ext_notes_big AS b UNION SELECT a.k FROM ext_notes_big AS a, ext_notes_big AS b
SELECT count(*) FROM ext_notes_big AS a WHERE (SELECT count(*) FROM ext_notes_big AS b WHERE b.body > a.body) < 0
SELECT count(*) FROM ext_notes_big AS a WHERE NOT EXISTS (SELECT 1 FROM ext_notes_big AS b WHERE b.body = a.body || 'x')
SELECT count(*) FROM ext_notes_big AS a WHERE a.id + 0 NOT IN (SELECT b.id + a.id FROM ext_notes_big AS b)
SELECT row_number() OVER (ORDER BY a.body || b.body) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT sum(a.k) OVER (ORDER BY a.id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT max(body) OVER (ORDER BY id ROWS BETWEEN 50000 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW) FROM ext_notes_big
SELECT count(*) FROM ext_notes_big AS a, json_each('[1,2,3,4,5,6,7,8,9]') AS j, ext_notes_big AS b
SELECT count(*) FROM ext_notes_f AS a, ext_notes_f AS b
SELECT count(*) FROM ext_notes_r AS a, ext_notes_r AS b WHERE a.x0 > b.x1
SELECT count(*) FROM ext_notes_r AS a, ext_notes_r AS b, ext_notes_r AS c WHERE a.x0 <= b.x1 AND b.x0 <= c.x1
SELECT group_concat(a.body || b.body) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.id < 0 OR a.body = 'x' || b.body
SELECT total(length(a.body) * length(b.body)) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.body = b.body COLLATE NOCASE AND a.k + b.k < 0 OR a.body || b.body = 'x'
SELECT avg(a.k) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.k + b.k < 0
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.body GLOB '*' || b.body || '*x'

-- Changes of many rows.
INSERT INTO ext_notes_big(k, body) SELECT a.k, b.body FROM ext_notes_big AS a, ext_notes_big AS b
UPDATE ext_notes_big SET body = (SELECT max(b.body || ext_notes_big.body) FROM ext_notes_big AS b)
UPDATE ext_notes_big SET k = (SELECT count(*) FROM ext_notes_big AS b WHERE b.body > ext_notes_big.body)
UPDATE ext_notes_big SET k = b.k FROM (SELECT a.id, c.k FROM ext_notes_big AS a, ext_notes_big AS c ORDER BY c.body || a.body) AS b WHERE b.id = ext_notes_big.id
DELETE FROM ext_notes_big WHERE (SELECT count(*) FROM ext_notes_big AS b WHERE b.body > ext_notes_big.body) > 0
INSERT INTO ext_notes_f(body) SELECT a.body || ' ' || b.body FROM ext_notes_big AS a, ext_notes_big AS b
INSERT INTO ext_notes_r SELECT NULL, a.k, a.k + 1 FROM ext_notes_big AS a, ext_notes_big AS b
INSERT INTO ext_notes_c(p) SELECT 1 FROM ext_notes_big AS a, ext_notes_big AS b
INSERT INTO ext_notes_loop VALUES (1)
REPLACE INTO ext_notes_big SELECT a.id, b.k, b.body FROM ext_notes_big AS a, ext_notes_big AS b
CREATE TABLE ext_notes_t AS SELECT a.id, b.body FROM ext_notes_big AS a, ext_notes_big AS b
CREATE INDEX ext_notes_i ON ext_notes_big({60|instr(body || k, body)}, {60|replace(body, 'a', body)}, {60|printf('%s%s', body, body)})
CREATE INDEX ext_notes_i ON ext_notes_long({60|instr(v, substr(v, 1, 4000000) || 'b')})

-- Sixty columns of one function on large values.
SELECT {60|instr(v, substr(v, 1, 4000000) || 'b')} FROM ext_notes_long WHERE id = 1
SELECT {60|replace(v, 'a', 'b')} FROM ext_notes_long WHERE id = 1
SELECT {60|replace(v, 'aa', '')} FROM ext_notes_long WHERE id = 1
SELECT {60|v LIKE '%aaaaaaaaaaaaaaaaaaaaaaaaaab%'} FROM ext_notes_long WHERE id = 1
SELECT {60|v LIKE '%a!%%b' ESCAPE '!'} FROM ext_notes_long WHERE id = 1
SELECT {60|v GLOB '*[a-f][a-f][a-f]b*'} FROM ext_notes_long WHERE id = 1
SELECT {60|trim(v, 'a')} FROM ext_notes_long WHERE id = 1
SELECT {60|ltrim(v, 'bcdefgha')} FROM ext_notes_long WHERE id = 1
SELECT {60|rtrim(v, 'bcdefgha')} FROM ext_notes_long WHERE id = 1
SELECT {60|length(printf('%.*c', 16000000, 'x'))}, {60|length(format('%16000000s', 'x'))} FROM ext_notes_long
SELECT {60|length(printf('%s', v))}, {60|length(printf('%q', v))} FROM ext_notes_long
SELECT {60|length(upper(v))}, {60|length(upper(v))} FROM ext_notes_long
SELECT {60|length(lower(v))}, {60|length(lower(v))} FROM ext_notes_long
SELECT {60|length(hex(substr(v, 1, 8000000)))} FROM ext_notes_long
SELECT {60|length(unhex(v))} FROM ext_notes_long
SELECT {60|length(quote(v))}, {60|length(quote(v))} FROM ext_notes_long
SELECT {60|length(substr(v, 2))}, {60|length(substring(v, -9000000))} FROM ext_notes_long
SELECT {60|length(v)}, {60|length(v)}, {60|length(v)} FROM ext_notes_long
SELECT {60|length(concat(substr(v, 1, 7000000), substr(v, 1, 7000000)))} FROM ext_notes_long
SELECT {60|length(concat_ws(',', substr(v, 1, 7000000), substr(v, 1, 7000000)))} FROM ext_notes_long
SELECT {60|length(upper(substr(v, 1, 8000000) || substr(v, 3, 7000000)))} FROM ext_notes_long
SELECT {60|length(json_pretty(substr(v, 1, 400001) || '1]'))}, {60|json_error_position(v)} FROM ext_notes_long WHERE id = 2
SELECT {60|upper(lower(upper(lower(upper(lower(v))))))} FROM ext_notes_long
SELECT {60|soundex(v)}, {60|unicode(lower(v))}, {60|length(upper(v))} FROM ext_notes_long
SELECT {60|length(hex(randomblob(8000000)))} FROM ext_notes_long
SELECT {60|length(hex(zeroblob(8000000)))} FROM ext_notes_long
SELECT {60|length(quote(zeroblob(7000000)))} FROM ext_notes_long
SELECT {60|length(unistr(v))}, {60|length(unistr_quote(v))} FROM ext_notes_long
SELECT {60|instr(lower(v), upper(v))} FROM ext_notes_long
SELECT {60|instr(v, v || 'b')}, {60|instr(substr(v, 5), substr(v, 9))} FROM ext_notes_long, ext_notes_big
SELECT {60|upper(v) LIKE '%b_b%b'} FROM ext_notes_long, ext_notes_big
SELECT {60|lower(v) = upper(v)} FROM ext_notes_long, ext_notes_big
SELECT {60|length(replace(v, ' ', ''))} FROM ext_notes_long, ext_notes_big
SELECT {60|length(trim(v))} FROM ext_notes_long, ext_notes_big
SELECT max({60|upper(v)}) FROM ext_notes_long
SELECT min({60|lower(v)}) FROM ext_notes_long, ext_notes_big
SELECT count(*) FROM ext_notes_long AS a, ext_notes_long AS b, ext_notes_big WHERE upper(a.v) = lower(b.v)
SELECT count(*) FROM ext_notes_long AS a, ext_notes_big AS b WHERE a.v LIKE '%' || b.body || '%x'
SELECT count(*) FROM ext_notes_long AS a, ext_notes_big AS b WHERE instr(a.v, b.body || 'x') > 0
SELECT count(*) FROM ext_notes_long AS a, ext_notes_big AS b WHERE replace(a.v, b.body, '') = ''
SELECT count(*) FROM ext_notes_long AS a, ext_notes_big AS b WHERE printf('%s%s', a.v, b.body) = ''
SELECT count(*) FROM ext_notes_big WHERE length(randomblob(16000000)) < 0
SELECT count(*) FROM ext_notes_big WHERE length(hex(zeroblob(7000000 - id % 2))) = 1
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.v || b.body = ''
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.v = b.body || substr(a.v, 1 + length(b.body))
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE substr(a.v, -1 - b.id) = ''
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE unicode(substr(a.v, b.id)) < 0
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE soundex(a.v) = b.body
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE v COLLATE NOCASE = upper(v) AND b.k + length(v) < 0
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE CAST(a.v || b.id AS REAL) = 7
SELECT count(*) FROM ext_notes_big WHERE length(char({60|id})) < 0 OR instr(body, 'x' || body) > 0 OR (SELECT count(*) FROM ext_notes_big) = k

-- JSON.
SELECT count(*) FROM ext_notes_long AS a, json_each(a.v), ext_notes_big WHERE a.id = 2
SELECT count(*) FROM ext_notes_long AS a, json_tree(a.v), ext_notes_big WHERE a.id = 2
SELECT count(json_group_array(a.id * b.id)) OVER (ORDER BY a.id) FROM ext_notes_big AS a, ext_notes_big AS b GROUP BY a.body || b.body
SELECT json_group_array(a.id) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.id + b.id < 0
SELECT json_group_object(a.id, b.id) FROM ext_notes_big AS a, ext_notes_big AS b WHERE a.id + b.id < 0
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b WHERE json_array(a.id, b.id, a.body) = '' OR json_quote(a.body) = b.body

-- Full text and R-trees.
SELECT count(*) FROM ext_notes_f AS a, ext_notes_big AS b WHERE a.ext_notes_f MATCH 'word1* OR word2* OR word3*' AND b.k + a.rank > 1000000000
SELECT count(*) FROM ext_notes_f, ext_notes_big AS b WHERE highlight(ext_notes_f, 0, '<', '>') = b.body
SELECT count(*) FROM ext_notes_f, ext_notes_big AS b WHERE snippet(ext_notes_f, 0, '', '', '', 60) = b.body
SELECT count(*) FROM ext_notes_big AS b, ext_notes_f AS a WHERE a.ext_notes_f MATCH 'word' || (b.id % 9) || '* NOT zzz' AND a.rank > 0
SELECT a.rowid FROM ext_notes_big AS b, ext_notes_f AS a WHERE a.ext_notes_f MATCH 'NEAR(word1 word2, 9) OR "a b"' || substr(b.body, 1, 0) AND a.rowid < 0
SELECT count(*) FROM ext_notes_big AS c, ext_notes_big AS b, ext_notes_r AS r WHERE r.x0 < b.k AND r.x1 > b.k AND r.id + c.id < 0

-- Dates and sums that go nowhere.
SELECT max(strftime('%Y-%m-%d', a.id * b.id, 'unixepoch', '+1 month', 'start of year', 'weekday 0')) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT max(timediff(a.id, b.id)) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT sum(round(a.k * 0.5, 2) * abs(b.k) + sign(a.id)) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT count(*) FROM ext_notes_big AS a, ext_notes_big AS b WHERE CASE WHEN a.k > b.k THEN 0 ELSE a.id < 0 END
SELECT nth_value(a.id, 5) OVER (PARTITION BY b.k ORDER BY a.body) FROM ext_notes_big AS a, ext_notes_big AS b
SELECT ntile(7) OVER (ORDER BY a.k, b.k) FROM ext_notes_big AS a, ext_notes_big AS b
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(hex(n || 'x')) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c, ext_notes_f WHERE ext_notes_f MATCH 'word1'
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c, pragma_table_info('ext_notes_a')
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT max(julianday('2024-01-01', n || ' days')) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(soundex(n || 'a')), count(unistr('a' || n)) FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT INTO ext_notes_f(body) SELECT 'word ' || n FROM c
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) INSERT INTO ext_notes_r SELECT 1000000 + n, n, n + 1 FROM c

-- Late: one call reads all of a JSON document, which takes its time.
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.id = 2 AND json_extract(a.v || ' ', '$[#-1]') = b.body
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.id = 2 AND json_set(a.v || ' ', '$[0]', b.id) = ''
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.id = 2 AND json_remove(a.v || ' ', '$[0]') = b.body
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.id = 2 AND jsonb(a.v || ' ') = b.body
SELECT count(*) FROM ext_notes_big AS b, ext_notes_long AS a WHERE a.id = 2 AND (a.v || ' ') -> b.id = ''
SELECT {60|json_valid(v)} FROM ext_notes_long AS a, ext_notes_big
SELECT {60|json_valid(v || ' ')} FROM ext_notes_long WHERE id = 2
SELECT {60|json_array_length(v || ' ')} FROM ext_notes_long WHERE id = 2
SELECT {60|json_type(v || ' ')} FROM ext_notes_long WHERE id = 2
SELECT {60|json_error_position(v || 'x')} FROM ext_notes_long WHERE id = 2
