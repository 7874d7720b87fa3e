CREATE TABLE ext_items_items (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL -- Unix time in ms
);
CREATE INDEX ext_items_newest ON ext_items_items (created_at DESC, id);
CREATE TABLE ext_items_numbered (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
