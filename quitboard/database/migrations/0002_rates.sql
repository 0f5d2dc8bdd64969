-- Version 2. The statistics: rates with their denominators and 95 % intervals.
--
-- A rate divides by riders judged (Wilson's score interval) or by hours watched (Poisson, exact up to 50, then
-- by Byar's approximation, which is within 0.01 % there). Rejected ones are no numerator; neither are those of the first
-- QuitBoard's zips, which say nothing of what was watched. A withdrawn picture does not unhappen: it counts.

CREATE MACRO z95() AS 1.959963984540054;

-- Wilson, J. Am. Stat. Assoc. 22 (1927) 209. NULL where there is no n, or more k than n.
CREATE MACRO wilson_centre(k, n) AS (k + z95() * z95() / 2) / (n + z95() * z95());
CREATE MACRO wilson_half(k, n) AS z95() * sqrt(k * (n - k)::DOUBLE / n + z95() * z95() / 4) / (n + z95() * z95());
CREATE MACRO wilson_low(k, n) AS
    CASE WHEN n > 0 AND k = 0 THEN 0.0 WHEN n > 0 AND k <= n THEN wilson_centre(k, n) - wilson_half(k, n) END;
CREATE MACRO wilson_high(k, n) AS
    CASE WHEN n > 0 AND k = n THEN 1.0 WHEN n > 0 AND k <= n THEN wilson_centre(k, n) + wilson_half(k, n) END;

-- Garwood, Biometrika 28 (1936) 437: chi2(0.025, 2k) / 2 and chi2(0.975, 2k + 2) / 2, for k = 0 to 50; above, Byar's
-- approximation, in Rothman and Boice, Epidemiologic Analysis with a Programmable Calculator (1979).
CREATE MACRO poisson_low(k) AS CASE
    WHEN k > 50 THEN k * pow(1 - 1 / (9.0 * k) - z95() / (3 * sqrt(k)), 3)
    ELSE [
        0, 0.02531780798, 0.2422092785, 0.6186721229, 1.089865374, 1.62348639, 2.201894253, 2.814363052, 3.453832177,
        4.115373097, 4.795388696, 5.491160367, 6.200575109, 6.921952491, 7.653930276, 8.395386133, 9.145382454, 9.90312647,
        10.66794078, 11.43924116, 12.21651959, 12.99933098, 13.78728287, 14.58002704, 15.37725285, 16.17868185, 16.98406322,
        17.79317013, 18.60579666, 19.42175514, 20.24087402, 21.06299598, 21.88797631, 22.71568157, 23.54598838, 24.3787824,
        25.21395742, 26.05141457, 26.89106165, 27.73281249, 28.57658644, 29.42230787, 30.26990573, 31.11931321, 31.97046736,
        32.82330879, 33.67778141, 34.53383217, 35.39141082, 36.25046975, 37.11096374
    ][k::INTEGER + 1] END;
CREATE MACRO poisson_high(k) AS CASE
    WHEN k > 50 THEN (k + 1) * pow(1 - 1 / (9.0 * (k + 1)) + z95() / (3 * sqrt(k + 1)), 3)
    ELSE [
        3.688879454, 5.571643391, 7.224687668, 8.76727307, 10.24158868, 11.66833208, 13.05947402, 14.42267536, 15.76318922,
        17.08480345, 18.39035604, 19.68203851, 20.96158505, 22.23039592, 23.48962112, 24.74021887, 25.9829976, 27.21864682,
        28.44776027, 29.67085357, 30.8883779, 32.10073073, 33.30826439, 34.51129289, 35.71009759, 36.9049317, 38.09602408,
        39.28358245, 40.46779594, 41.64883744, 42.82686539, 44.0020255, 45.17445208, 46.34426927, 47.5115921, 48.67652737,
        49.83917449, 50.99962614, 52.15796892, 53.31428387, 54.46864696, 55.62112957, 56.77179878, 57.92071781, 59.06794628,
        60.2135405, 61.35755371, 62.50003634, 63.64103618, 64.78059859, 65.91876666
    ][k::INTEGER + 1] END;

-- What every view of rates says, as a struct that unnests into columns.
CREATE MACRO rated(violations, riders, judged, unclear, watched_s) AS {
    violations: violations::BIGINT,
    riders: riders::BIGINT,
    judged: judged::BIGINT,
    unclear: unclear::BIGINT,
    watched_hours: watched_s / 3600,
    per_rider: CASE WHEN judged > 0 AND violations <= judged THEN violations / judged END,
    per_rider_low: wilson_low(violations, judged),
    per_rider_high: wilson_high(violations, judged),
    per_hour: CASE WHEN watched_s > 0 THEN violations / (watched_s / 3600) END,
    per_hour_low: CASE WHEN watched_s > 0 THEN poisson_low(violations) / (watched_s / 3600) END,
    per_hour_high: CASE WHEN watched_s > 0 THEN poisson_high(violations) / (watched_s / 3600) END
};

-- The latest verdict on each violation. Where another model gave another id, one of the same camera and kind whose span
-- is the same by half (intersection over union) is meant.
CREATE VIEW violation_verdict AS
WITH matched AS (
    SELECT v.id, d.verdict, d.given_at FROM violation_info v JOIN verdict d ON d.violation_id = v.id
    UNION ALL
    SELECT v.id, d.verdict, d.given_at
    FROM violation_info v
    JOIN verdict d ON d.camera_id = v.camera_id AND d.kind = v.kind
        AND d.started_at <= v.ended_at AND d.ended_at >= v.started_at
    WHERE d.violation_id NOT IN (SELECT id FROM violation_info)
      AND epoch_us(least(d.ended_at, v.ended_at)) - epoch_us(greatest(d.started_at, v.started_at))
          >= 0.5 * (epoch_us(greatest(d.ended_at, v.ended_at)) - epoch_us(least(d.started_at, v.started_at)))
)
SELECT id, arg_max(verdict, given_at) AS verdict FROM matched GROUP BY id;

-- What counts: everything that no reviewer rejected.
CREATE VIEW violation_counted AS
SELECT v.*, b.format = 'quitboard-bundle' AS has_exposure
FROM violation_info v JOIN bundle b ON b.id = v.bundle_id
WHERE v.id NOT IN (SELECT id FROM violation_verdict WHERE verdict = 'rejected');

-- One row per camera, hour of its clock, and kind: what all rates are summed from.
CREATE VIEW rate_cell AS
WITH watched AS (
    SELECT camera_id, local_hour, kind, sum(watched_s) AS watched_s,
           sum(riders) AS riders, sum(judged) AS judged, sum(unclear) AS unclear
    FROM exposure GROUP BY ALL
), found AS (
    SELECT camera_id, date_trunc('hour', local_started_at) AS local_hour, kind, count(*) AS violations
    FROM violation_counted WHERE has_exposure GROUP BY ALL
)
SELECT camera_id, local_hour, kind,
       coalesce(violations, 0) AS violations, coalesce(riders, 0) AS riders, coalesce(judged, 0) AS judged,
       coalesce(unclear, 0) AS unclear, coalesce(watched_s, 0) AS watched_s
FROM watched FULL JOIN found USING (camera_id, local_hour, kind);

-- Footage itself, each hour once: exposure has a row per kind, and a zone that is not trusted may shorten some of them.
CREATE VIEW watched_by_hour AS
WITH recorded AS (
    SELECT camera_id, local_hour, recording_sha256, max(watched_s) AS watched_s, max(looked_s) AS looked_s,
           max(persons) AS persons, max(vehicles) AS vehicles, max(riders) AS riders
    FROM exposure GROUP BY ALL
)
SELECT camera_id, local_hour, sum(watched_s) AS watched_s, sum(looked_s) AS looked_s,
       sum(persons)::BIGINT AS persons, sum(vehicles)::BIGINT AS vehicles, sum(riders)::BIGINT AS riders
FROM recorded GROUP BY ALL;

CREATE VIEW rates_by_kind AS
SELECT kind, unnest(rated(sum(violations), sum(riders), sum(judged), sum(unclear), sum(watched_s)))
FROM rate_cell GROUP BY kind;

CREATE VIEW rates_by_camera AS
SELECT camera_id, kind, unnest(rated(sum(violations), sum(riders), sum(judged), sum(unclear), sum(watched_s)))
FROM rate_cell GROUP BY camera_id, kind;

CREATE VIEW rates_by_hour AS            -- weekday 1 = Monday, hour 0 to 23, by the camera's clock
SELECT camera_id, isodow(local_hour) AS weekday, hour(local_hour) AS hour, kind,
       unnest(rated(sum(violations), sum(riders), sum(judged), sum(unclear), sum(watched_s)))
FROM rate_cell GROUP BY camera_id, weekday, hour, kind;

CREATE VIEW rates_by_day AS
SELECT camera_id, local_hour::DATE AS day, kind,
       unnest(rated(sum(violations), sum(riders), sum(judged), sum(unclear), sum(watched_s)))
FROM rate_cell GROUP BY camera_id, day, kind;

-- A withdrawal holds for whatever overlaps it, whatever the model. A clip shows up to 4 s around its violation, so that
-- the span is wider than what was withdrawn by as much.
CREATE VIEW withdrawn_span AS
SELECT camera_id, started_at - INTERVAL 4 SECONDS AS from_at, ended_at + INTERVAL 4 SECONDS AS to_at FROM withdrawal;

-- What has a page of its own at an instant. `embargo_s` runs from a violation's end, `evidence_s` from the first ingest of
-- its recording (NULL: for ever); a violation's own publish_after and expire_at go before both.
CREATE MACRO violation_published(as_of, embargo_s, evidence_s, only_confirmed) AS TABLE
SELECT v.*, b.model_sha256, coalesce(r.verdict, '') AS verdict
FROM violation_counted v
JOIN bundle b ON b.id = v.bundle_id
LEFT JOIN violation_verdict r ON r.id = v.id
LEFT JOIN violation_file f ON f.sha256 = v.recording_sha256 AND f.bundle_id = v.bundle_id
WHERE coalesce(v.publish_after, v.ended_at + to_microseconds((embargo_s * 1000000)::BIGINT)) <= as_of
  AND coalesce(
        v.expire_at,
        coalesce(f.first_seen_at, b.ingested_at) + to_microseconds((evidence_s * 1000000)::BIGINT),
        'infinity'::TIMESTAMPTZ) > as_of
  AND (NOT only_confirmed OR r.verdict = 'confirmed')
  AND NOT EXISTS (
        SELECT 1 FROM withdrawn_span w
        WHERE w.camera_id = v.camera_id AND w.from_at <= v.ended_at AND w.to_at >= v.started_at);
