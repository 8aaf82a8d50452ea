-- The figures of schemas/scoring.py as SQL functions, so that no view spells them again.
-- n answers, of which `top` are good and `bottom` bad; 1.96 is the normal quantile of a 95 % interval.

CREATE OR REPLACE FUNCTION aftertouch_nps_margin ${on_cluster} AS (n, top, bottom) ->
    196 * sqrt(greatest(0, (top + bottom) / n - pow((toInt64(top) - toInt64(bottom)) / n, 2)) / n);

CREATE OR REPLACE FUNCTION aftertouch_wilson_margin ${on_cluster} AS (n, top) ->
    1.96 * sqrt((top / n * (1 - top / n) + 0.9604 / n) / n);

CREATE OR REPLACE FUNCTION aftertouch_score ${on_cluster} AS (metric, n, top, bottom) ->
    round(100 * if(metric = 'nps', toInt64(top) - toInt64(bottom), toInt64(top)) / n, 2);

CREATE OR REPLACE FUNCTION aftertouch_score_low ${on_cluster} AS (metric, n, top, bottom) ->
    round(if(metric = 'nps',
        greatest(-100, 100 * (toInt64(top) - toInt64(bottom)) / n - aftertouch_nps_margin(n, top, bottom)),
        100 * (top / n + 1.9208 / n - aftertouch_wilson_margin(n, top)) / (1 + 3.8416 / n)), 2);

CREATE OR REPLACE FUNCTION aftertouch_score_high ${on_cluster} AS (metric, n, top, bottom) ->
    round(if(metric = 'nps',
        least(100, 100 * (toInt64(top) - toInt64(bottom)) / n + aftertouch_nps_margin(n, top, bottom)),
        100 * (top / n + 1.9208 / n + aftertouch_wilson_margin(n, top)) / (1 + 3.8416 / n)), 2);

CREATE OR REPLACE FUNCTION aftertouch_mean_margin ${on_cluster} AS (n, total, sum_sq) ->
    1.96 * sqrt(greatest(0, sum_sq / n - pow(total / n, 2)) / n);
