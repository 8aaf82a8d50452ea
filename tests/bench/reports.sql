-- A week of answers of 10,000 touchpoints as BI finds them, made by the engine itself. ${events} is their number.
-- Of panes_1m only the last day, which is all that the views of current scores read of it.

INSERT INTO feedback.events (workspace, touchpoint, metric, score, event_id, occurred_at, received_at, interaction_id,
    customer_id, channel, agent, team, locale, comment, src_partition, src_offset)
WITH now64(3, 'UTC') - INTERVAL 7 DAY AS begun,
     begun + toIntervalMillisecond(intDiv(number * 604800000, ${events})) AS at,
     rand(1) % 10000 AS place,
     substring(lower(hex(toUInt64(toUnixTimestamp64Milli(at)))), 5) AS time,
     lower(hex(rand64(2))) || lower(hex(rand64(3))) AS chance,
     splitByChar(' ', 'they did not solve my problem and nobody called me back very friendly quick answer thank you for the '
        || 'help i had to wait too long again always the same question twice on phone great service order parcel refund') AS words
SELECT 'default', 't' || toString(place), ['csat', 'ces', 'nps'][place % 3 + 1],
       [1 + rand(4) % 5, 1 + rand(4) % 7, rand(4) % 11][place % 3 + 1],
       concat(substring(time, 1, 8), '-', substring(time, 9, 4), '-7', substring(chance, 1, 3), '-8', substring(chance, 4, 3),
              '-', substring(chance, 7, 12)),
       at, at + toIntervalMillisecond(rand(5) % 2000), 'i' || toString(rand(6) % 10000000), 'c' || toString(rand(7) % 500000),
       ['web', 'chat', 'phone', 'mail'][1 + rand(8) % 4], 'agent' || toString(rand(9) % 200), 'team' || toString(place % 20),
       ['en', 'de', 'pl', 'fr'][1 + rand(10) % 4],
       if(rand(11) % 10 < 3, arrayStringConcat(arrayMap(i -> words[1 + rand(i) % length(words)], range(4 + rand(12) % 12)), ' '), ''),
       place % 12, number
FROM numbers(${events});

INSERT INTO feedback.panes_1m (workspace, touchpoint, metric, pane_start, src_partition, segment, n, sum, sum_sq, top, bottom,
    hist, version)
WITH rand(1) % 10000 AS place, [1 + rand(2) % 5, 1 + rand(2) % 7, rand(2) % 11][place % 3 + 1] AS score
SELECT 'default', 't' || toString(place), ['csat', 'ces', 'nps'][place % 3 + 1] AS metric,
       toStartOfMinute(now('UTC')) - 60 * (rand(3) % 1440) AS pane_start, place % 12, 0, count(), sum(score),
       sum(score * score), countIf(score >= transform(metric, ['csat', 'ces', 'nps'], [4, 5, 9], 255)),
       countIf(score <= transform(metric, ['csat', 'ces', 'nps'], [2, 3, 6], 0)),
       sumForEach(arrayMap(i -> toInt32(i = score), range(11))), max(number) + 1
FROM numbers(intDiv(${events}, 7)) GROUP BY place, metric, pane_start;

INSERT INTO feedback.panes_1h (workspace, touchpoint, metric, pane_start, src_partition, segment, n, sum, sum_sq, top, bottom,
    hist, version)
WITH rand(1) % 10000 AS place, [1 + rand(2) % 5, 1 + rand(2) % 7, rand(2) % 11][place % 3 + 1] AS score
SELECT 'default', 't' || toString(place), ['csat', 'ces', 'nps'][place % 3 + 1] AS metric,
       toStartOfHour(now('UTC')) - 3600 * (rand(3) % 168) AS pane_start, place % 12, 0, count(), sum(score),
       sum(score * score), countIf(score >= transform(metric, ['csat', 'ces', 'nps'], [4, 5, 9], 255)),
       countIf(score <= transform(metric, ['csat', 'ces', 'nps'], [2, 3, 6], 0)),
       sumForEach(arrayMap(i -> toInt32(i = score), range(11))), max(number) + 1
FROM numbers(${events}) GROUP BY place, metric, pane_start;

OPTIMIZE TABLE feedback.events FINAL;
OPTIMIZE TABLE feedback.panes_1m FINAL;
OPTIMIZE TABLE feedback.panes_1h FINAL;
