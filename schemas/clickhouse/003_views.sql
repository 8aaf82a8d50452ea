-- The views people query. Every score comes with its n and its 95 % interval; n, sum, sum_sq, top and bottom may be
-- added up over touchpoints and time, scores may not.

CREATE OR REPLACE VIEW ${database}.current_scores ${on_cluster} AS
SELECT workspace, touchpoint, metric, window,
       sum_n AS n,
       aftertouch_score(metric, sum_n, sum_top, sum_bottom) AS score,
       aftertouch_score_low(metric, sum_n, sum_top, sum_bottom) AS score_low,
       aftertouch_score_high(metric, sum_n, sum_top, sum_bottom) AS score_high,
       round(sum_sum / sum_n, 3) AS mean,
       round(sum_sum / sum_n - aftertouch_mean_margin(sum_n, sum_sum, sum_sum_sq), 3) AS mean_low,
       round(sum_sum / sum_n + aftertouch_mean_margin(sum_n, sum_sum, sum_sum_sq), 3) AS mean_high,
       sum_sum AS sum, sum_sum_sq AS sum_sq, sum_top AS top, sum_bottom AS bottom
FROM
(
    SELECT '5m' AS window, workspace, touchpoint, metric, sum(p.n) AS sum_n, sum(p.sum) AS sum_sum,
           sum(p.sum_sq) AS sum_sum_sq, sum(p.top) AS sum_top, sum(p.bottom) AS sum_bottom
    FROM ${database}.panes_1m AS p FINAL WHERE p.pane_start > now('UTC') - 300 GROUP BY workspace, touchpoint, metric HAVING sum_n > 0
    UNION ALL
    SELECT '1h' AS window, workspace, touchpoint, metric, sum(p.n) AS sum_n, sum(p.sum) AS sum_sum,
           sum(p.sum_sq) AS sum_sum_sq, sum(p.top) AS sum_top, sum(p.bottom) AS sum_bottom
    FROM ${database}.panes_1m AS p FINAL WHERE p.pane_start > now('UTC') - 3600 GROUP BY workspace, touchpoint, metric HAVING sum_n > 0
    UNION ALL
    SELECT '24h' AS window, workspace, touchpoint, metric, sum(p.n) AS sum_n, sum(p.sum) AS sum_sum,
           sum(p.sum_sq) AS sum_sum_sq, sum(p.top) AS sum_top, sum(p.bottom) AS sum_bottom
    FROM ${database}.panes_1m AS p FINAL WHERE p.pane_start > now('UTC') - 86400 GROUP BY workspace, touchpoint, metric HAVING sum_n > 0
    UNION ALL
    SELECT '7d' AS window, workspace, touchpoint, metric, sum(p.n) AS sum_n, sum(p.sum) AS sum_sum,
           sum(p.sum_sq) AS sum_sum_sq, sum(p.top) AS sum_top, sum(p.bottom) AS sum_bottom
    FROM ${database}.panes_1h AS p FINAL WHERE p.pane_start > now('UTC') - 604800 GROUP BY workspace, touchpoint, metric HAVING sum_n > 0
);

-- One row per minute in which an answer came: the windows that end with that minute. Minutes are kept 35 days.
CREATE OR REPLACE VIEW ${database}.rolling_scores ${on_cluster} AS
SELECT workspace, touchpoint, metric, minute,
       n_5m, aftertouch_score(metric, nullIf(n_5m, 0), top_5m, bottom_5m) AS score_5m,
       aftertouch_score_low(metric, nullIf(n_5m, 0), top_5m, bottom_5m) AS score_5m_low,
       aftertouch_score_high(metric, nullIf(n_5m, 0), top_5m, bottom_5m) AS score_5m_high,
       n_1h, aftertouch_score(metric, nullIf(n_1h, 0), top_1h, bottom_1h) AS score_1h,
       aftertouch_score_low(metric, nullIf(n_1h, 0), top_1h, bottom_1h) AS score_1h_low,
       aftertouch_score_high(metric, nullIf(n_1h, 0), top_1h, bottom_1h) AS score_1h_high,
       n_24h, aftertouch_score(metric, nullIf(n_24h, 0), top_24h, bottom_24h) AS score_24h,
       aftertouch_score_low(metric, nullIf(n_24h, 0), top_24h, bottom_24h) AS score_24h_low,
       aftertouch_score_high(metric, nullIf(n_24h, 0), top_24h, bottom_24h) AS score_24h_high,
       n_7d, aftertouch_score(metric, nullIf(n_7d, 0), top_7d, bottom_7d) AS score_7d,
       aftertouch_score_low(metric, nullIf(n_7d, 0), top_7d, bottom_7d) AS score_7d_low,
       aftertouch_score_high(metric, nullIf(n_7d, 0), top_7d, bottom_7d) AS score_7d_high
FROM
(
    SELECT workspace, touchpoint, metric, minute,
           sum(n) OVER w5m AS n_5m, sum(top) OVER w5m AS top_5m, sum(bottom) OVER w5m AS bottom_5m,
           sum(n) OVER w1h AS n_1h, sum(top) OVER w1h AS top_1h, sum(bottom) OVER w1h AS bottom_1h,
           sum(n) OVER w24h AS n_24h, sum(top) OVER w24h AS top_24h, sum(bottom) OVER w24h AS bottom_24h,
           sum(n) OVER w7d AS n_7d, sum(top) OVER w7d AS top_7d, sum(bottom) OVER w7d AS bottom_7d
    FROM
    (
        SELECT workspace, touchpoint, metric, p.pane_start AS minute,
               sum(p.n) AS n, sum(p.top) AS top, sum(p.bottom) AS bottom
        FROM ${database}.panes_1m AS p FINAL GROUP BY workspace, touchpoint, metric, minute
    )
    WINDOW
        w5m AS (PARTITION BY workspace, touchpoint, metric ORDER BY toUnixTimestamp(minute) RANGE BETWEEN 299 PRECEDING AND CURRENT ROW),
        w1h AS (PARTITION BY workspace, touchpoint, metric ORDER BY toUnixTimestamp(minute) RANGE BETWEEN 3599 PRECEDING AND CURRENT ROW),
        w24h AS (PARTITION BY workspace, touchpoint, metric ORDER BY toUnixTimestamp(minute) RANGE BETWEEN 86399 PRECEDING AND CURRENT ROW),
        w7d AS (PARTITION BY workspace, touchpoint, metric ORDER BY toUnixTimestamp(minute) RANGE BETWEEN 604799 PRECEDING AND CURRENT ROW)
);

CREATE OR REPLACE VIEW ${database}.hourly_scores ${on_cluster} AS
SELECT workspace, touchpoint, metric, p.pane_start AS hour,
       sum(p.n) AS n,
       aftertouch_score(metric, sum(p.n), sum(p.top), sum(p.bottom)) AS score,
       aftertouch_score_low(metric, sum(p.n), sum(p.top), sum(p.bottom)) AS score_low,
       aftertouch_score_high(metric, sum(p.n), sum(p.top), sum(p.bottom)) AS score_high,
       round(sum(p.sum) / sum(p.n), 3) AS mean,
       round(sum(p.sum) / sum(p.n) - aftertouch_mean_margin(sum(p.n), sum(p.sum), sum(p.sum_sq)), 3) AS mean_low,
       round(sum(p.sum) / sum(p.n) + aftertouch_mean_margin(sum(p.n), sum(p.sum), sum(p.sum_sq)), 3) AS mean_high,
       sum(p.sum) AS sum, sum(p.sum_sq) AS sum_sq, sum(p.top) AS top, sum(p.bottom) AS bottom
FROM ${database}.panes_1h AS p FINAL
GROUP BY workspace, touchpoint, metric, hour
HAVING n > 0;

-- Of the bad contacts of named customers at each touchpoint: how many customers there were, how many of them answered
-- again later (anywhere), how many of them well, and after how long the first good answer came.
CREATE OR REPLACE VIEW ${database}.customer_recovery ${on_cluster} AS
SELECT workspace, touchpoint,
       count() AS bad_contacts,
       uniqExact(customer_id) AS customers,
       uniqExactIf(customer_id, answered_at IS NOT NULL) AS answered_again,
       uniqExactIf(customer_id, good_at IS NOT NULL) AS recovered,
       if(recovered = 0, NULL, round(quantileExactInclusiveIf(0.5)(
           dateDiff('millisecond', occurred_at, assumeNotNull(good_at)) / 3600000, good_at IS NOT NULL), 2)) AS median_hours
FROM
(
    SELECT workspace, touchpoint, customer_id, e.is_bad AS bad, occurred_at,
           min(toNullable(occurred_at)) OVER later AS answered_at,
           min(if(e.is_top, occurred_at, NULL)) OVER later AS good_at
    FROM ${database}.events AS e FINAL WHERE customer_id != ''
    WINDOW later AS (PARTITION BY workspace, customer_id ORDER BY occurred_at DESC, src_partition DESC, src_offset DESC
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)
WHERE bad
GROUP BY workspace, touchpoint;
