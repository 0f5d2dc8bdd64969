-- Version 1. The first QuitBoard's five tables keep their names: violation, cctv, violation_info, violation_file, "user".
-- Instants are TIMESTAMPTZ (UTC inside); `local_*` columns are the camera's own clock, for grouping by hour and weekday.

CREATE TABLE violation (                -- the catalogue, one row per rule and period of force
    kind            VARCHAR NOT NULL,
    name_ko         VARCHAR NOT NULL,
    name_en         VARCHAR NOT NULL,
    vehicles        VARCHAR[] NOT NULL,
    enabled         BOOLEAN NOT NULL,
    law_article     VARCHAR NOT NULL,
    fine_krw        BIGINT,
    penalty_kind    VARCHAR NOT NULL,
    valid_from      DATE,
    valid_to        DATE,
    camera_visible  BOOLEAN NOT NULL,
    exceptions      VARCHAR NOT NULL,
    source          VARCHAR NOT NULL,
    position        INTEGER NOT NULL      -- order in the catalogue file
);

CREATE TABLE cctv (                     -- cameras
    id          VARCHAR PRIMARY KEY,
    name        VARCHAR NOT NULL,
    area        VARCHAR NOT NULL,
    address     VARCHAR NOT NULL,         -- never published
    model       VARCHAR NOT NULL,
    timezone    VARCHAR NOT NULL,
    width       INTEGER,
    height      INTEGER,
    zones       JSON NOT NULL             -- [{name, kind, polygon, direction}]
);

CREATE TABLE model (
    sha256      VARCHAR PRIMARY KEY,
    name        VARCHAR NOT NULL,
    figures     JSON NOT NULL
);

CREATE TABLE bundle (
    id              VARCHAR PRIMARY KEY,  -- hash of content
    format          VARCHAR NOT NULL,     -- 'quitboard-bundle'; 'legacy': the first QuitBoard's zip, which says nothing of what was watched
    camera_id       VARCHAR NOT NULL,
    day             DATE,                 -- the camera's local day; a legacy zip has none
    model_sha256    VARCHAR NOT NULL,     -- '' = unknown
    tool_version    VARCHAR NOT NULL,
    file_name       VARCHAR NOT NULL,
    manifest        JSON NOT NULL,
    ingested_at     TIMESTAMPTZ NOT NULL
);

CREATE TABLE violation_file (           -- recordings; one that crosses midnight belongs to two bundles
    sha256      VARCHAR NOT NULL,
    bundle_id   VARCHAR NOT NULL,
    camera_id   VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    local_started_at TIMESTAMP NOT NULL,
    clock       VARCHAR NOT NULL,
    width       INTEGER NOT NULL,
    height      INTEGER NOT NULL,
    promised_s  DOUBLE NOT NULL,
    read_s      DOUBLE NOT NULL,
    faults      VARCHAR[] NOT NULL,
    first_seen_at TIMESTAMPTZ NOT NULL,   -- retention counts from here, whatever was run again since
    PRIMARY KEY (sha256, bundle_id)
);

CREATE TABLE violation_info (           -- suspected violations
    id                  VARCHAR PRIMARY KEY,
    bundle_id           VARCHAR NOT NULL,
    recording_sha256    VARCHAR NOT NULL,
    kind                VARCHAR NOT NULL,
    camera_id           VARCHAR NOT NULL,
    vehicle             VARCHAR NOT NULL,
    started_at          TIMESTAMPTZ NOT NULL,
    ended_at            TIMESTAMPTZ NOT NULL,
    local_started_at    TIMESTAMP NOT NULL,
    track               INTEGER NOT NULL,
    confidence          DOUBLE,            -- NULL: unknown (the first QuitBoard's)
    votes_for           INTEGER NOT NULL,
    votes_against       INTEGER NOT NULL,
    zone                VARCHAR NOT NULL,
    still_sha256        VARCHAR NOT NULL,  -- '' = counted without a picture
    clip_sha256         VARCHAR NOT NULL,
    evidence_note       VARCHAR NOT NULL,
    publish_after       TIMESTAMPTZ,
    expire_at           TIMESTAMPTZ
);

CREATE TABLE exposure (                 -- one row per recording, hour and kind: never add watched_s over kinds
    bundle_id   VARCHAR NOT NULL,
    recording_sha256 VARCHAR NOT NULL,
    camera_id   VARCHAR NOT NULL,
    hour        TIMESTAMPTZ NOT NULL,
    local_hour  TIMESTAMP NOT NULL,
    kind        VARCHAR NOT NULL,
    watched_s   DOUBLE NOT NULL,
    looked_s    DOUBLE NOT NULL,
    riders      INTEGER NOT NULL,
    judged      INTEGER NOT NULL,
    unclear     INTEGER NOT NULL,
    persons     INTEGER NOT NULL,
    vehicles    INTEGER NOT NULL
);

CREATE TABLE media (
    sha256      VARCHAR PRIMARY KEY,
    extension   VARCHAR NOT NULL,         -- jpg | gif
    bytes       BIGINT NOT NULL,
    tier        VARCHAR NOT NULL DEFAULT 'hot'
);

CREATE TABLE media_history (
    sha256      VARCHAR NOT NULL,
    happened_at TIMESTAMPTZ NOT NULL,
    what        VARCHAR NOT NULL
);

CREATE TABLE verdict (                  -- holds by camera, kind and time span, whatever the model
    violation_id VARCHAR NOT NULL,        -- as the reviewer saw it; another model may have given another id
    camera_id   VARCHAR NOT NULL,
    kind        VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ NOT NULL,
    verdict     VARCHAR NOT NULL,         -- confirmed | rejected | unclear
    user_name   VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL,
    given_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE withdrawal (               -- holds by camera and time span, whatever the model
    id          VARCHAR PRIMARY KEY,      -- the withdrawn violation's
    camera_id   VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ NOT NULL,
    reason      VARCHAR NOT NULL,
    withdrawn_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE "user" (
    name        VARCHAR PRIMARY KEY,
    added_at    TIMESTAMPTZ NOT NULL
);

CREATE TABLE run (
    id          VARCHAR PRIMARY KEY,
    command     VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    ended_at    TIMESTAMPTZ,
    report      JSON
);

CREATE TABLE publication (
    target      VARCHAR NOT NULL,
    generation  VARCHAR NOT NULL,
    published_at TIMESTAMPTZ NOT NULL
);
