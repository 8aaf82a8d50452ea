-- Answers as they arrived, of one stretch of time. Imported ones arrive when they were given, or else they could not
-- alarm; those before {teach_until} are marked as imported, so that they only teach.
SELECT workspace, touchpoint, metric, score, event_id, occurred_at, arrived_at AS received_at,
       CAST(arrived_at < {teach_until:DateTime64(3, 'UTC')} AS Bool) AS imported, channel, agent, team
FROM
(
    SELECT workspace, touchpoint, metric, score, event_id, occurred_at, src_partition, src_offset, channel, agent, team,
           if(imported, occurred_at, received_at) AS arrived_at
    FROM feedback.events FINAL
)
WHERE arrived_at >= {begin:DateTime64(3, 'UTC')} AND arrived_at < {end:DateTime64(3, 'UTC')}
ORDER BY arrived_at, src_partition, src_offset
