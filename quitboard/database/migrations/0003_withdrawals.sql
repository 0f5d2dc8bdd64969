-- Version 3. What a withdrawal strikes, and where it has still to be taken back.

CREATE TABLE withdrawn_violation (      -- hidden with a withdrawal, for they show the same seconds; their pages say so
    violation_id    VARCHAR PRIMARY KEY,
    withdrawal_id   VARCHAR NOT NULL
);

CREATE TABLE withdrawn_media (          -- pictures that never return, whichever violation names them
    sha256          VARCHAR PRIMARY KEY,
    extension       VARCHAR NOT NULL,     -- jpg | gif
    withdrawal_id   VARCHAR NOT NULL
);

CREATE TABLE take_back (                -- one row per withdrawal and place; killed or refused on the way, it is still due
    withdrawal_id   VARCHAR NOT NULL,
    place           VARCHAR NOT NULL,     -- '' = the board's own files; else a publishing target
    asked_at        TIMESTAMPTZ NOT NULL,
    gone_at         TIMESTAMPTZ,          -- NULL = nobody has looked yet and found it gone
    PRIMARY KEY (withdrawal_id, place)
);

-- A withdrawal holds for whatever overlaps it, whatever the model. A clip shows up to 4 s around its violation, so that
-- the span is wider than what was withdrawn by as much.
CREATE MACRO withdrawal_margin() AS INTERVAL 4 SECONDS;
CREATE OR REPLACE VIEW withdrawn_span AS
SELECT id, camera_id, started_at - withdrawal_margin() AS from_at, ended_at + withdrawal_margin() AS to_at
FROM withdrawal;
