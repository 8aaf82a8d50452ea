-- Touchpoints and metrics whose last 24 hours are below the 28 days before them, those that are surely lowest first: only
-- where even the upper end of the difference's 95 % interval is below zero, and 10 answers or more speak for it.
-- Interval of the difference: Newcombe (1998), method 10, from the two scores' own intervals. A way to look around; what
-- is an alert is said by the aggregator, which may look all the time. Days before are counted by whole hours.
CREATE OR REPLACE VIEW ${database}.top_drops ${on_cluster} AS
SELECT workspace, touchpoint, metric, n, score, score_low, score_high, n_before, score_before, score_before_low, score_before_high,
       round(score - score_before, 2) AS difference,
       round(score - score_before - sqrt(pow(score - score_low, 2) + pow(score_before_high - score_before, 2)), 2) AS difference_low,
       round(score - score_before + sqrt(pow(score_high - score, 2) + pow(score_before - score_before_low, 2)), 2) AS difference_high
FROM
(
    SELECT workspace, touchpoint, metric, n, n_before,
           aftertouch_score(metric, n, top, bottom) AS score,
           aftertouch_score_low(metric, n, top, bottom) AS score_low,
           aftertouch_score_high(metric, n, top, bottom) AS score_high,
           aftertouch_score(metric, n_before, top_before, bottom_before) AS score_before,
           aftertouch_score_low(metric, n_before, top_before, bottom_before) AS score_before_low,
           aftertouch_score_high(metric, n_before, top_before, bottom_before) AS score_before_high
    FROM
    (
        SELECT workspace, touchpoint, metric, sum(p.n) AS n, sum(p.top) AS top, sum(p.bottom) AS bottom
        FROM ${database}.panes_1m AS p FINAL
        WHERE p.pane_start > now('UTC') - 86400
        GROUP BY workspace, touchpoint, metric HAVING n >= 10
    ) AS latest
    INNER JOIN
    (
        SELECT workspace, touchpoint, metric, sum(p.n) AS n_before, sum(p.top) AS top_before, sum(p.bottom) AS bottom_before
        FROM ${database}.panes_1h AS p FINAL
        WHERE p.pane_start > now('UTC') - 29 * 86400 AND p.pane_start <= now('UTC') - 86400 - 3600
        GROUP BY workspace, touchpoint, metric HAVING n_before >= 10
    ) AS before USING (workspace, touchpoint, metric)
)
WHERE difference_high < 0
ORDER BY difference_high;
